"""VIF without `async`: for scripts, and for notebooks whose own event loop is running already.

    vif.read("How do I implement quicksort?")      the reading only
    vif.ask("How do I implement quicksort?")       the whole interaction
    vif.stream("How do I implement quicksort?")    its events, while they happen

All three wait. The work is done on one event loop in a thread of its own, which is started by the first call and kept
until Python ends: connections and the embedded model are there for every further call. Ctrl-C, and leaving `stream`
early, stop the model.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import queue
import threading
from collections.abc import Coroutine, Generator, Mapping
from concurrent.futures import Future
from contextlib import aclosing, suppress
from typing import TypeVar
from weakref import WeakSet

from vif.api import VifApi, formula_reading
from vif.config import Access, DualLlmConfig, load_config
from vif.connection import connect
from vif.domains import Domain
from vif.errors import InputError
from vif.events import Event
from vif.interaction import Interaction, MessageReading

Using = VifApi | DualLlmConfig | str | None
"""Who reads and answers: an API of one's own, settings, the name of a preset, or what the environment says."""

T = TypeVar("T")

_CLOSING_S = 5.0


def read(
    message: str, *, previous: Interaction | MessageReading | Mapping[Domain, float] | None = None, using: Using = None
) -> MessageReading:
    """How LLM #1 reads a message, next to the Rust formula. No reply is asked for.

    Args:
        message: the user's text.
        previous: what came before in the conversation; of it the activations count, 0 to 1 each.
        using: the name of a preset, settings, or a `VifApi` of your own; by default what keys and `VIF_` variables say.

    Raises:
        ConfigError: settings that cannot work, a key that is missing.
        InputError: a message over 200,000 characters; called from where it would wait for itself.
        RecognitionError: LLM #1 failed and `fallback_to_formula` is off.
    """
    background = _running()
    api = background.api(using)
    return background.wait(read_with(api, message, previous))


def ask(
    message: str, *, autonomy: float | None = None, previous: Interaction | None = None, using: Using = None
) -> Interaction:
    """The whole interaction: reading, stages and reply. A failure of LLM #2 is in `response.error`.

    Args:
        message, using: as for `read`.
        autonomy: 0 to 1; the setting's value when None.
        previous: the interaction before in the same conversation.

    Raises the same as `read`.
    """
    background = _running()
    api = background.api(using)
    return background.wait(api.process(message, autonomy, previous))


def stream(
    message: str, *, autonomy: float | None = None, previous: Interaction | None = None, using: Using = None
) -> Generator[Event, None, None]:
    """What `vif.events` describes, while it happens; the last event is `Finished`. The rest as for `ask`."""
    background = _running()
    return background.events(background.api(using), message, autonomy, previous)


async def read_with(
    api: VifApi, message: str, previous: Interaction | MessageReading | Mapping[Domain, float] | None = None
) -> MessageReading:
    """What `read` gives, on the event loop of `api`."""
    before = (
        {domain: previous.domains[domain] for domain in Domain if domain in previous.domains}
        if isinstance(previous, MessageReading)
        else previous
    )
    reading, recognition = await api.recognise(message, before)
    return MessageReading(
        message=message,
        domains=dict(reading.domains),
        boundaries=reading.boundaries,
        formula=formula_reading(api.config.autonomy),
        recognition=recognition,
    )


class _Background:
    """An event loop in a thread of its own, and the connections that live on it."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self._lock = threading.Lock()
        self._apis: dict[tuple[DualLlmConfig, Access], VifApi] = {}
        self._given: WeakSet[VifApi] = WeakSet()
        started: Future[asyncio.AbstractEventLoop] = Future()
        # A daemon: Python waits for other threads before it would let us end this one.
        self._thread = threading.Thread(target=self._serve, args=(started,), name="vif-scripting", daemon=True)
        self._thread.start()
        self._loop = started.result()
        atexit.register(self.close)

    def api(self, using: Using) -> VifApi:
        """The connection for these settings and the keys there are now; the same one every time."""
        if isinstance(using, VifApi):
            self._given.add(using)
            return using
        access = Access()
        config = using if isinstance(using, DualLlmConfig) else load_config(using, access=access)
        with self._lock:
            if (config, access) not in self._apis:
                self._apis[config, access] = connect(config, access)
            return self._apis[config, access]

    def wait(self, work: Coroutine[object, object, T]) -> T:
        """What comes of it. Who is interrupted while waiting wants it no more."""
        future = self._submit(work)
        try:
            return future.result()
        finally:
            future.cancel()

    def events(
        self, api: VifApi, message: str, autonomy: float | None, previous: Interaction | None
    ) -> Generator[Event, None, None]:
        arrived: queue.SimpleQueue[Event | None] = queue.SimpleQueue()

        async def follow() -> None:
            async with aclosing(api.stream(message, autonomy, previous)) as events:
                async for event in events:
                    arrived.put(event)

        future = self._submit(follow())
        future.add_done_callback(lambda _: arrived.put(None))
        try:
            while (event := arrived.get()) is not None:
                yield event
            future.result()
        finally:
            future.cancel()

    def close(self) -> None:
        """Stop what is under way, release connections, end the thread."""
        if os.getpid() != self.process:  # a forked child has no such thread
            return
        with suppress(Exception):
            asyncio.run_coroutine_threadsafe(self._release(), self._loop).result(_CLOSING_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSING_S)

    def _submit(self, work: Coroutine[object, object, T]) -> Future[T]:
        if threading.current_thread() is self._thread:
            work.close()
            raise InputError("this is called on the event loop it would wait for; await a VifApi's methods here")
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _serve(self, started: Future[asyncio.AbstractEventLoop]) -> None:
        # No asyncio.Runner: its end starts a thread, which Python 3.12 refuses while it ends itself.
        loop = asyncio.new_event_loop()
        loop.call_soon(started.set_result, loop)
        try:
            loop.run_forever()
        finally:
            loop.close()

    async def _release(self) -> None:
        this = asyncio.current_task()
        under_way = [task for task in asyncio.all_tasks() if task is not this]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await asyncio.gather(*(api.aclose() for api in {*self._apis.values(), *self._given}), return_exceptions=True)
        await asyncio.get_running_loop().shutdown_asyncgens()


_starting = threading.Lock()
_background: _Background | None = None


def _running() -> _Background:
    """The one of this process, started by the first call."""
    global _background  # noqa: PLW0603  # there is one, as there is one process
    with _starting:
        if _background is None or _background.process != os.getpid():
            _background = _Background()
        return _background
