"""Between Streamlit's threads and the library's event loop.

All interactions run on one loop in one thread, so that clients keep their connections from message to message. A `Run`
goes on while a page is redrawn, and ends when the user stops it or leaves; a page only follows it.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import threading
import time
from collections.abc import AsyncGenerator, Coroutine, Iterator, Sequence
from concurrent.futures import Future
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar
from uuid import uuid4

import streamlit as st

import vif
from pages._turn import Turn
from vif.boundaries import Boundary
from vif.events import Event
from vif.flow import Mode
from vif.interaction import Interaction
from vif.state import MemoryState
from vif.store import LaterStore, open_later
from vif.telemetry.live import LiveBoard
from vif.telemetry.observer import Observers

POLL_S = 0.1
"""How long a page waits for news before it looks whether it was stopped."""

PACE_S = 0.03
"""The least time between two drawings: a reply can stream faster than a browser paints."""

KEPT_CONNECTIONS = 32

DRILL_KEY = "drill"
_SESSION_KEY = "session_id"
_VISITOR_KEY = "visitor"

T = TypeVar("T")

_log = logging.getLogger(__name__)


class EventLoop:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="vif-loop", daemon=True).start()

    def submit(self, work: Coroutine[object, object, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)


@st.cache_resource(show_spinner=False)
def event_loop() -> EventLoop:
    return EventLoop()


@st.cache_resource(show_spinner=False)
def store() -> LaterStore:
    """Where this server keeps what is finished."""
    config = vif.DualLlmConfig()
    return open_later(config.database_url, retention_days=config.retention_days)


@st.cache_resource(show_spinner=False)
def live() -> LiveBoard:
    """What this server, and each session, did lately."""
    return LiveBoard()


@st.cache_resource(show_spinner=False)
def observers() -> Observers:
    """Everything that looks on: metrics, live figures, logs, spans."""
    from vif.telemetry.logs import ForwardHandler, LogObserver
    from vif.telemetry.metrics import metrics
    from vif.telemetry.spans import SpanObserver

    config = vif.DualLlmConfig()
    ours = logging.getLogger("vif")
    if not any(isinstance(handler, ForwardHandler) for handler in ours.handlers):
        ours.addHandler(ForwardHandler(config.log_level))
    logs = LogObserver(config.log_level, messages=config.log_messages)
    return Observers([metrics(), live(), logs, SpanObserver()])


def _release(api: vif.VifApi) -> None:
    event_loop().submit(api.aclose())


@st.cache_resource(show_spinner=False, max_entries=KEPT_CONNECTIONS, on_release=_release)
def _api(_config: vif.DualLlmConfig, _access: vif.Access, mode: Mode, settings: str, fingerprint: str) -> vif.VifApi:
    api = vif.connect(_config, _access, mode=mode, store=store(), observer=observers())
    event_loop().submit(api.warm_up())
    return api


@dataclass(frozen=True, slots=True)
class Connection:
    """An API, and on whose behalf it is asked."""

    api: vif.VifApi
    session: str
    counted_as: tuple[str, ...] = ()

    def stream(
        self,
        message: str,
        autonomy: float | None = None,
        previous: Interaction | None = None,
        *,
        conversation: str | None = None,
    ) -> AsyncGenerator[Event, None]:
        """As `VifApi.stream`."""
        return self.api.stream(
            message,
            autonomy,
            previous,
            session=self.session,
            conversation=conversation,
            counted_as=self.counted_as,
        )

    def answer_again(
        self,
        interaction: Interaction,
        previous: Interaction | None = None,
        *,
        boundaries: Sequence[Boundary] | None = None,
        from_formula: bool = False,
    ) -> AsyncGenerator[Event, None]:
        """As `VifApi.answer_again`."""
        return self.api.answer_again(
            interaction,
            previous,
            boundaries=boundaries,
            from_formula=from_formula,
            session=self.session,
            counted_as=self.counted_as,
        )


def connection(config: vif.DualLlmConfig, access: vif.Access, mode: Mode, drill: Drill | None = None) -> Connection:
    """What to ask with these settings, in this drill or that of the session.

    Sessions with the same settings and the same keys share an API.
    """
    visitor: Visitor = st.session_state.get(_VISITOR_KEY, Visitor())
    if visitor.stranger:
        config = config.for_strangers()
    drill = drill or st.session_state.get(DRILL_KEY)
    if drill is not None and mode == "dual":
        return Connection(drill.api(config, access), session_id(), visitor.counted_as)
    # The autonomy goes with each message.
    settings = config.model_dump_json(exclude={"autonomy"})
    return Connection(_api(config, access, mode, settings, _fingerprint(access)), session_id(), visitor.counted_as)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whose share of the limits a session uses, and whether those for strangers hold."""

    counted_as: tuple[str, ...] = ()
    stranger: bool = False


def count(visitor: Visitor) -> None:
    """From now on what this session asks for is counted so."""
    st.session_state[_VISITOR_KEY] = visitor


def act_as(id: str) -> None:
    """From now on this session is somebody's who signed in: budgets and history are theirs on every device."""
    st.session_state[_SESSION_KEY] = id


def session_id() -> str:
    """What this browser session is called in budgets, logs and the database; nobody can guess it.

    Of somebody who signed in it is their id.
    """
    if _SESSION_KEY not in st.session_state:
        st.session_state[_SESSION_KEY] = uuid4().hex
    return str(st.session_state[_SESSION_KEY])


class Drill:
    """A fault drill of this session. It keeps nothing, and its circuits and memories are its own."""

    def __init__(self, fault: vif.Fault) -> None:
        self.fault = fault
        self.board = LiveBoard()
        self._state = MemoryState()
        self._apis: dict[str, vif.VifApi] = {}

    def api(self, config: vif.DualLlmConfig, access: vif.Access) -> vif.VifApi:
        """The API for these settings, with LLM #1 at fault."""
        settings = config.model_dump_json(exclude={"autonomy"}) + _fingerprint(access)
        if settings not in self._apis:
            self._apis[settings] = vif.connect(
                config, access, state=self._state, drill=self.fault, observer=Observers([self.board])
            )
            event_loop().submit(self._apis[settings].warm_up())
        return self._apis[settings]

    def end(self) -> None:
        """Release its connections."""
        for api in self._apis.values():
            _release(api)
        self._apis.clear()


def _fingerprint(access: vif.Access) -> str:
    """Equal for equal keys and addresses, and of no use to anyone who sees it."""
    parts = [f"{name}\0{access.key(name) or ''}\0{access.base_url(name) or ''}" for name in vif.Provider]
    return hashlib.sha256("\0".join([*parts, str(access.gguf_path)]).encode()).hexdigest()


def in_words(error: Exception) -> str:
    """What a page says of the error that ended something."""
    if isinstance(error, vif.VifError):
        return str(error)
    # Its text might hold a key; its type does not.
    _log.error("an interaction failed unexpectedly: %s", type(error).__name__)
    return f"Something unexpected went wrong ({type(error).__name__})."


class Run:
    """One interaction under way."""

    def __init__(
        self,
        turn: Turn,
        connection: Connection,
        autonomy: float,
        previous: Interaction | None,
        conversation: str | None = None,
    ) -> None:
        self._turn = turn
        self._connection, self._autonomy, self._previous = connection, autonomy, previous
        self._conversation = conversation
        self._changed = threading.Condition()
        self._task: Future[None] | None = None

    @property
    def turn(self) -> Turn:
        return self._turn

    def start(self) -> None:
        """Begin; a second call does nothing."""
        if self._task is None:
            self._task = event_loop().submit(self._carry_out())

    def stop(self) -> bool:
        """End it and keep what has arrived; False, and nothing happens, when it came to an end of its own."""
        self._become(self._turn.cut_short())
        if self._task is not None:
            self._task.cancel()
        return self._turn.stopped

    def follow(self) -> Iterator[Turn]:
        """The turn whenever it has changed, and at least every 0.1 s, until it is over."""
        seen: Turn | None = None
        while seen is None or not seen.over:
            with self._changed:
                self._changed.wait_for(lambda before=seen: self._turn is not before, POLL_S)  # type: ignore[misc]
                seen = self._turn
            yield seen
            time.sleep(PACE_S)

    async def _carry_out(self) -> None:
        try:
            stream = self._connection.stream(
                self._turn.message, self._autonomy, self._previous, conversation=self._conversation
            )
            async with aclosing(stream) as events:
                async for event in events:
                    self._become(self._turn.after(event))
        except asyncio.CancelledError:
            self._become(self._turn.cut_short())
            raise
        except Exception as error:  # noqa: BLE001
            self._become(self._turn.failed(in_words(error)))

    def _become(self, turn: Turn) -> None:
        with self._changed:
            if not self._turn.over:
                self._turn = turn
            self._changed.notify_all()
