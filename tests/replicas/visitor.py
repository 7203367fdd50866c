"""Somebody at the dashboard without a browser: speaks its web socket as its page does, and asks real questions.

It opens the page, signs in with the button, types into the chat field, and reads what is drawn for it. It is no
browser: it draws nothing, and keeps of the page only the fields it needs.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from urllib.parse import urljoin, urlsplit
from uuid import uuid4

import aiohttp
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from yarl import URL

ANSWER_LIMIT_S = 20.0
CONFIRMED = " in all"
"""In the line under a complete reply; a page draws it once the interaction is kept."""


class Unanswered(Exception):
    """What the dashboard did is not what somebody asked for."""


class Visitor:
    """One browser session, made by `visiting`. Raises aiohttp.ClientError, TimeoutError or Unanswered."""

    def __init__(self, http: aiohttp.ClientSession, address: str) -> None:
        self._http = http
        self._address = address + "/"
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._session = ""
        self._xsrf = ""
        self._page = ""
        self._fields: dict[str, str] = {}
        self._redirect = ""

    @property
    def replica(self) -> str:
        """Where the web socket ended up, as nginx calls it."""
        return self._cookie("vif_replica")

    async def open(self) -> None:
        """Load the page and connect, again if need be; until it is drawn."""
        await self.close()
        for path in ("", "_stcore/health", "_stcore/host-config"):
            await self.get(path)
        self._xsrf = self._cookie("_streamlit_xsrf")
        at = urlsplit(self._address)
        # Its third word asks for the session one had, as a page does after an interruption.
        words = ["streamlit", self._xsrf, *([self._session] if self._session else [])]
        self._socket = await self._http.ws_connect(
            self._url("_stcore/stream"),
            protocols=words,
            origin=f"{at.scheme}://{at.netloc}",
            max_msg_size=0,
        )
        await self._run({})
        self._need("chat_input", "Sign in")

    async def sign_in(self) -> None:
        """Through the door, as whoever the provider says; `open` has been called."""
        await self._run({"trigger": self._fields["Sign in"]})
        await self.get(self._redirect)
        await self.open()
        self._need("chat_input")

    async def ask(self, message: str) -> None:
        """Return once the page says that the reply is complete."""
        heard: list[str] = []
        await self._run({"chat": self._fields["chat_input"], "message": message}, heard.append)
        if not any(CONFIRMED in text for text in heard):
            raise Unanswered(f"{message!r} was not answered; the page says {heard[-3:]!r}")

    async def get(self, path: str) -> None:
        """Ask for something; raise what is not well."""
        async with self._http.get(self._url(path)) as response:
            response.raise_for_status()
            await response.read()

    async def upload(self) -> None:
        """Send a file, which only the replica takes where the session of the web socket is."""
        url = self._url(f"_stcore/upload_file/{self._session}/{uuid4()}")
        form = aiohttp.FormData({"file": io.BytesIO(b"a suite")})
        async with self._http.put(url, data=form, headers={"X-Xsrftoken": self._xsrf}) as response:
            response.raise_for_status()

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()
            self._socket = None

    def _cookie(self, name: str) -> str:
        found = self._http.cookie_jar.filter_cookies(URL(self._address)).get(name)
        return found.value if found else ""

    def _url(self, path: str) -> str:
        return urljoin(self._address, path)

    def _need(self, *any_of: str) -> None:
        if not self._fields.keys() & set(any_of):
            raise Unanswered(f"the page has none of {any_of!r}; it has {sorted(self._fields)}")

    async def _run(self, change: dict[str, str], hear: Callable[[str], None] = lambda _text: None) -> None:
        """Have the script run after a change of one widget, until it has finished."""
        assert self._socket is not None
        request = BackMsg()
        state = request.rerun_script
        state.page_script_hash = self._page
        if "trigger" in change:
            widget = state.widget_states.widgets.add()
            widget.id, widget.trigger_value = change["trigger"], True
        if "chat" in change:
            widget = state.widget_states.widgets.add()
            widget.id = change["chat"]
            widget.chat_input_value.data = change["message"]
        if not change:
            request.rerun_script.SetInParent()
            self._fields.clear()
        await self._socket.send_bytes(request.SerializeToString())
        async with asyncio.timeout(ANSWER_LIMIT_S):
            async for told in self._told():
                for text in self._read(told):
                    hear(text)
                if told.WhichOneof("type") == "auth_redirect":
                    self._redirect = told.auth_redirect.url
                if told.WhichOneof("type") == "script_finished":
                    return

    async def _told(self) -> AsyncIterator[ForwardMsg]:
        assert self._socket is not None
        async for message in self._socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                told = ForwardMsg()
                told.ParseFromString(message.data)
                yield told
        raise aiohttp.ClientConnectionError("the web socket was closed")

    def _read(self, told: ForwardMsg) -> Iterator[str]:
        """Remember the fields that are drawn; every text in a message."""
        if told.WhichOneof("type") == "new_session":
            self._session = told.new_session.initialize.session_id
            self._page = told.new_session.page_script_hash
        if told.WhichOneof("type") != "delta" or told.delta.WhichOneof("type") != "new_element":
            return
        element = told.delta.new_element
        match element.WhichOneof("type"):
            case "chat_input":
                self._fields["chat_input"] = element.chat_input.id
            case "button":
                self._fields[element.button.label] = element.button.id
            case "markdown":
                yield element.markdown.body
            case "exception":
                raise Unanswered(f"the page shows an exception: {element.exception!s:.300}")
            case "alert" if element.alert.format == Alert.ERROR:
                raise Unanswered(f"the page shows an error: {element.alert.body:.300}")


@asynccontextmanager
async def visiting(address: str) -> AsyncIterator[Visitor]:
    """Somebody new at `address`; their browser trusts any certificate."""
    jar = aiohttp.CookieJar(unsafe=True)  # also of an address without a name
    async with aiohttp.ClientSession(cookie_jar=jar, connector=aiohttp.TCPConnector(ssl=False)) as http:
        visitor = Visitor(http, address)
        try:
            yield visitor
        finally:
            await visitor.close()
