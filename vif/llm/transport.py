"""What the cloud adapters share: a client per event loop, one deadline, and one translation of everything that fails.

Neither SDK is imported before the first call.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import re
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar, Generic, Protocol, TypeVar
from urllib.parse import urlsplit

from pydantic import SecretStr

from vif.errors import (
    AuthError,
    BadRequestError,
    ConfigError,
    ConnectError,
    ModelError,
    ModelNotFoundError,
    ModelTimeoutError,
    RateLimitError,
    ServerError,
)
from vif.llm.alarm import Alarm
from vif.llm.protocol import Completion, Provider, Request

if TYPE_CHECKING:
    import httpx2

MESSAGE_LENGTH = 200
"""The most that is kept of a provider's own words, in characters."""

_KEY_SHAPED = re.compile(r"\b(?:sk|pk|rk|xai|gsk|key|AIza)[-_][\w*.\-]{6,}|(?<=Bearer )\S+|(?<=://)[^\s/@]+@")

_CONNECTIONS = "vif.llm.connections"

_BY_STATUS: Mapping[int, type[ModelError]] = {
    401: AuthError,
    402: AuthError,
    403: AuthError,
    404: ModelNotFoundError,
    408: ModelTimeoutError,
    409: ServerError,
    429: RateLimitError,
}

_BY_KIND: Mapping[str, type[ModelError]] = {
    "authentication_error": AuthError,
    "billing_error": AuthError,
    "permission_error": AuthError,
    "not_found_error": ModelNotFoundError,
    "invalid_request_error": BadRequestError,
    "rate_limit_error": RateLimitError,
    "rate_limit_exceeded": RateLimitError,
    "timeout_error": ModelTimeoutError,
}
"""An error inside a stream has HTTP status 200; its type or code says what it is."""


class Client(Protocol):
    """What both SDKs' clients have in common."""

    async def close(self) -> None: ...


ClientT = TypeVar("ClientT", bound=Client)


@dataclass(frozen=True, slots=True)
class _Open(Generic[ClientT]):
    client: ClientT
    keeper: AsyncGenerator[None, None]


class CloudModel(ABC, Generic[ClientT]):
    """A `ChatModel` behind an HTTP API and its SDK; subclasses write the request and read the answer.

    A client belongs to the event loop it was made in and is closed with it, so one model object serves several loops.
    """

    sdk: ClassVar[str]

    def __init__(
        self, provider: Provider, model: str, *, api_key: str, base_url: str, effort: str | None = None
    ) -> None:
        self._provider = provider
        self._model = model
        self._effort = effort
        self._api_key = SecretStr(checked_key(provider, api_key))
        self._base_url = checked_base_url(provider, base_url)
        self._open: dict[asyncio.AbstractEventLoop, _Open[ClientT]] = {}

    @property
    def provider(self) -> Provider:
        return self._provider

    @property
    def model(self) -> str:
        return self._model

    @cached_property
    def identity(self) -> str:
        """Provider, model, address and effort: all that decides, beside the request, what comes back."""
        thinking = f" effort={self._effort}" if self._effort is not None else ""
        return f"{self._provider}:{self._model}@{address(self._base_url)}{thinking}"

    @cached_property
    def account(self) -> str:
        """The key's digest, shortened: whoever has the same key shares its limits and its failures."""
        return hashlib.sha256(self._api_key.get_secret_value().encode()).hexdigest()[:12]

    def __repr__(self) -> str:
        return f"{type(self).__name__}(provider={self._provider.value!r}, model={self._model!r})"

    async def complete(self, request: Request) -> Completion:
        client = await self._client()
        try:
            async with asyncio.timeout(request.timeout_s):
                return await self._complete(client, request)
        except Exception as error:  # noqa: BLE001  # the protocol: nothing else escapes
            failure = self._failure(error, request)
        # Raised outside the handler and without the way it came: the SDK's exception, and the provider's body in the
        # frames that read it, can quote the key.
        raise failure.with_traceback(None)

    async def stream(self, request: Request) -> AsyncGenerator[str | Completion, None]:
        client = await self._client()
        said: list[str] = []
        failure: ModelError | None = None
        alarm = Alarm(request.timeout_s)
        events = self._events(client, request)
        try:
            while True:
                try:
                    with alarm:
                        item = await anext(events, None)
                except Exception as error:  # noqa: BLE001  # the protocol: nothing else escapes
                    failure = self._failure(error, request, "".join(said))
                    break
                if item is None:
                    break
                if isinstance(item, str):
                    said.append(item)
                yield item
        finally:
            alarm.stop()
            await events.aclose()
        if failure is not None:
            raise failure.with_traceback(None)

    async def prepare(self) -> None:
        """Import the SDK and the price tables, in a thread: together they take a second or more."""
        for module in (self.sdk, _CONNECTIONS, "genai_prices"):
            await asyncio.to_thread(import_module, module)

    async def aclose(self) -> None:
        """Close the client of the running event loop; those of other loops close when their loop does."""
        kept = self._open.pop(asyncio.get_running_loop(), None)
        if kept is not None:
            await kept.keeper.aclose()

    @abstractmethod
    def _connect(self, http_client: httpx2.AsyncClient) -> ClientT:
        """A new SDK client without retries."""

    @abstractmethod
    async def _complete(self, client: ClientT, request: Request) -> Completion:
        """One whole answer; any exception of the SDK may escape."""

    @abstractmethod
    def _events(self, client: ClientT, request: Request) -> AsyncGenerator[str | Completion, None]:
        """The pieces and the completion of a stream; closes the HTTP stream when it is closed."""

    async def _client(self) -> ClientT:
        for module in (self.sdk, _CONNECTIONS):
            if module not in sys.modules:
                await asyncio.to_thread(import_module, module)  # the loop has others to serve meanwhile
        loop = asyncio.get_running_loop()
        kept = self._open.get(loop)
        if kept is None:
            for other in list(self._open):
                if other.is_closed():
                    self._open.pop(other, None)
            from vif.llm.connections import HttpClient

            client = self._connect(HttpClient())
            kept = self._open[loop] = _Open(client, _keep(client))
            # Once started, the loop closes this generator when it shuts down (or when the model is garbage).
            await anext(kept.keeper)
        return kept.client

    def _failure(self, error: Exception, request: Request, said: str = "") -> ModelError:
        if isinstance(error, ModelError):
            error.raw_text = error.raw_text or said
            return error
        import httpx2

        sdk = import_module(self.sdk)
        if isinstance(error, (sdk.APITimeoutError, httpx2.TimeoutException)):
            return self.error(ModelTimeoutError, "the connection timed out", said=said)
        if isinstance(error, TimeoutError):
            return self.error(ModelTimeoutError, f"no complete answer within {request.timeout_s:g} s", said=said)
        if isinstance(error, (sdk.APIConnectionError, httpx2.TransportError)):
            cause = error.__cause__ or error
            refused = isinstance(cause, httpx2.ConnectError)
            what = f"no connection to {host(self._base_url)}" if refused else "the connection broke before the end"
            return self.error(ConnectError, f"{what}: {str(cause) or type(cause).__name__}", said=said)
        if isinstance(error, sdk.APIError):
            return self._answered_error(error, said)
        return self.error(ServerError, f"sent an answer that cannot be read ({type(error).__name__})", said=said)

    def _answered_error(self, error: Exception, said: str) -> ModelError:
        """The error of an API that answered: a status, or an error event inside a stream of status 200."""
        response = getattr(error, "response", None)
        body = getattr(error, "body", None)
        status = getattr(error, "status_code", None)
        if status is None or status < 400:
            return self.error_event(body, said)
        return self.error(
            error_type(status),
            f"HTTP {status}: {provider_message(body)}",
            said=said,
            request_id=getattr(error, "request_id", None),
            retry_after=retry_after_s(response.headers, now_s=time.time()) if response is not None else None,
        )

    def error_event(self, body: object, said: str = "") -> ModelError:
        """The error a provider puts where an answer should be: `{"message", "type" or "code"}`, perhaps in `error`."""
        inner = body.get("error", body) if isinstance(body, Mapping) else body
        found: type[ModelError] = ServerError
        if isinstance(inner, Mapping):
            code = inner.get("code")
            if isinstance(code, int) and 400 <= code < 600:
                found = error_type(code)
            else:
                found = _BY_KIND.get(str(inner.get("type")), _BY_KIND.get(str(code), ServerError))
        return self.error(found, f"reported an error: {provider_message(body)}", said=said)

    def not_an_answer(self, content_type: str) -> ModelError:
        """The error for status 200 with something that is not the API's answer, such as a captive portal's page."""
        return self.error(ServerError, f"sent {content_type} instead of an answer; is the base URL right?")

    def error(
        self,
        kind: type[ModelError],
        what: str,
        *,
        said: str = "",
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> ModelError:
        """An error of ours in one line: provider and model, what happened, the request id; no key."""
        text = shortened(redacted(what, self._api_key.get_secret_value()))
        suffix = f" (request {redacted(request_id, self._api_key.get_secret_value())})" if request_id else ""
        return kind(f"{self._provider.value} {self._model}: {text}{suffix}", retry_after_s=retry_after, raw_text=said)


async def _keep(client: Client) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        await client.close()


def checked_key(provider: Provider, api_key: str) -> str:
    """`api_key` without surrounding space; ConfigError when it cannot be one (the message does not show it)."""
    key = api_key.strip()
    if not key:
        raise ConfigError(f"the API key for {provider.value!r} is empty; a key is needed")
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise ConfigError(
            f"the API key for {provider.value!r} holds spaces or characters no key has; copy it again from the provider"
        )
    return key


def error_type(status: int) -> type[ModelError]:
    """Our error for an HTTP status of 400 or more."""
    return _BY_STATUS.get(status, ServerError if status >= 500 else BadRequestError)


def retry_after_s(headers: Mapping[str, str], *, now_s: float) -> float | None:
    """Seconds to wait by `retry-after-ms` or `Retry-After` (seconds or an HTTP date); None without a usable one.

    `now_s` is seconds since the epoch, for the date.
    """
    try:
        if "retry-after-ms" in headers:
            seconds = float(headers["retry-after-ms"]) / 1000.0
        else:
            seconds = float(headers.get("retry-after", "nan"))
    except ValueError:
        try:
            seconds = parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - now_s
        except ValueError:
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def provider_message(body: object) -> str:
    """What the provider says about an error, from any of the shapes the APIs use."""
    if isinstance(body, Mapping):
        for name in ("error", "message", "detail"):
            if body.get(name):
                return provider_message(body[name])
        return "no message"
    text = str(body or "no message").strip()
    return "a web page instead of an answer" if text.startswith("<") else text


def redacted(text: str, key: str) -> str:
    """`text` without `key`, pieces of it, anything shaped like a key, and the user part of URLs."""
    if key:
        text = text.replace(key, "[key]")
    if len(key) >= 16:
        text = re.sub(rf"{re.escape(key[:8])}\S*|\S*{re.escape(key[-8:])}", "[key]", text)
    return _KEY_SHAPED.sub("[key]", text)


def shortened(text: str) -> str:
    """`text` on one line of at most `MESSAGE_LENGTH` characters."""
    line = " ".join(text.split())
    return line if len(line) <= MESSAGE_LENGTH else line[: MESSAGE_LENGTH - 1] + "…"


def host(base_url: str) -> str:
    """The host and port of a URL, without user, password and path."""
    return urlsplit(base_url).netloc.rpartition("@")[2]


def address(base_url: str) -> str:
    """The host, port and path of a URL, without user, password and query."""
    return host(base_url) + urlsplit(base_url).path.rstrip("/")


def checked_base_url(provider: Provider, base_url: str) -> str:
    """`base_url` without surrounding space; ConfigError when no request could be sent to it."""
    url = base_url.strip()
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or not url.isprintable():
        shown = redacted(url, "")
        raise ConfigError(f"the base URL for {provider.value!r} is {shown!r}; it must look like https://host:port/path")
    return url
