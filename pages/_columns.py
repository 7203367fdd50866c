"""Several interactions at once, side by side: each comes to an end of its own, none stands in another's way."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, replace

import streamlit as st

import vif
from pages import _runtime, _words
from pages._text import harmless, plain
from pages._turn import Turn
from vif.events import Event, ReplyStarted

REPLIES_AT_ONCE = 4
"""Of one group, apart from those of the embedded model."""

LOOK_AGAIN_S = 0.1

Events = Callable[[], AsyncGenerator[Event, None]]


@dataclass(frozen=True, slots=True)
class Column:
    """One of several interactions as far as it has come.

    Attributes:
        turn: None when it could not be begun.
        problem: why it could not, in a line fit to be shown.
        done: its events have come to an end, with or without a reply.
    """

    name: str
    turn: Turn | None = None
    problem: str | None = None
    done: bool = False

    @property
    def over(self) -> bool:
        return self.turn is None or self.done or self.turn.over

    def cut_short(self) -> Column:
        """The column as the user left it."""
        return self if self.over or self.turn is None else replace(self, turn=self.turn.cut_short())


@dataclass(frozen=True, slots=True)
class Job:
    """A column and where its events come from; without events it stays as it is."""

    column: Column
    events: Events | None = None


class Group:
    """Columns under way, all on the library's event loop.

    All of them read at once. Replies are limited, those of the embedded model to `embedded_at_once`: they share the
    processors of this machine, and two at a time would each take twice as long as it really takes.
    """

    def __init__(self, jobs: Sequence[Job], *, embedded_at_once: int = 1) -> None:
        self._columns = tuple(job.column for job in jobs)
        self._events = [job.events for job in jobs]
        self._embedded_at_once = embedded_at_once
        self._changed = threading.Condition()
        self._task: Future[None] | None = None

    @property
    def columns(self) -> tuple[Column, ...]:
        return self._columns

    @property
    def over(self) -> bool:
        return all(column.over for column in self._columns)

    def start(self) -> None:
        """Begin; a second call does nothing."""
        if self._task is None:
            self._task = _runtime.event_loop().submit(self._carry_out())

    def stop(self) -> bool:
        """End what is not over yet and keep what has arrived; False, and nothing happens, when nothing was left."""
        with self._changed:
            if not self.over:
                self._columns = tuple(column.cut_short() for column in self._columns)
            self._changed.notify_all()
        if self._task is not None:
            self._task.cancel()
        return any(column.turn is not None and column.turn.stopped for column in self._columns)

    def follow(self) -> Iterator[tuple[Column, ...]]:
        """The columns whenever one has changed, and at least every 0.1 s, until all are over."""
        seen: tuple[Column, ...] | None = None
        while seen is None or not all(column.over for column in seen):
            with self._changed:
                self._changed.wait_for(lambda before=seen: self._columns is not before, _runtime.POLL_S)  # type: ignore[misc]
                seen = self._columns
            yield seen
            time.sleep(_runtime.PACE_S)

    async def _carry_out(self) -> None:
        embedded, others = asyncio.Semaphore(self._embedded_at_once), asyncio.Semaphore(REPLIES_AT_ONCE)
        await asyncio.gather(
            *(
                self._one(index, events, embedded, others)
                for index, events in enumerate(self._events)
                if events is not None
            )
        )

    async def _one(self, index: int, events: Events, embedded: asyncio.Semaphore, others: asyncio.Semaphore) -> None:
        try:
            async with AsyncExitStack() as held, aclosing(events()) as stream:
                async for event in stream:
                    if isinstance(event, ReplyStarted):
                        # LLM #2 is asked when its event is taken; its clock starts then, so waiting is not counted.
                        here = event.provider == vif.Provider.EMBEDDED
                        await held.enter_async_context(embedded if here else others)
                    self._become(index, lambda turn, event=event: turn.after(event))  # type: ignore[misc]
        except asyncio.CancelledError:
            self._become(index, Turn.cut_short)
            raise
        except Exception as error:  # noqa: BLE001
            why = _runtime.in_words(error)
            self._become(index, lambda turn: turn.failed(why))
        else:
            self._become(index, lambda turn: turn, done=True)

    def _become(self, index: int, change: Callable[[Turn], Turn], *, done: bool = False) -> None:
        with self._changed:
            column = self._columns[index]
            if column.turn is not None and not column.over:
                changed = replace(column, turn=change(column.turn), done=done)
                self._columns = (*self._columns[:index], changed, *self._columns[index + 1 :])
            self._changed.notify_all()


@st.fragment(run_every=LOOK_AGAIN_S)
def look_on(group: Group, draw: Callable[[tuple[Column, ...]], None]) -> None:
    """Draw a group now and then until it is over, and then the page anew, for its buttons.

    This is what a fragment follows a group with: there a click waits for the end of a script that runs.
    """
    draw(group.columns)
    if group.over:
        st.rerun()


def draw_reply(column: Column, waiting: str) -> None:
    """The reply so far, or who is at work: always three elements, so that nothing of an earlier drawing shows."""
    turn = column.turn
    if turn is None:
        st.warning(plain(column.problem or ""), icon=":material/key_off:")
        st.empty()
        st.empty()
        return
    if turn.reply:
        st.markdown(harmless(turn.reply), anchors=False)
    elif column.over:
        st.empty()
    else:
        st.markdown(f":shimmer[{plain(turn.responder)} is writing …]" if turn.responder else f":shimmer[{waiting}]")
    if column.over and turn.failure:
        title = "The reply is not complete" if turn.reply else "No reply"
        st.error(plain(turn.failure), icon=":material/error:", title=title)
    elif turn.stopped:
        st.badge("Stopped", icon=":material/stop_circle:", color="gray")
    else:
        st.empty()
    response = turn.interaction.response if turn.interaction else None
    if turn.reply and response is not None:
        st.caption(_words.reply_facts(response))
    else:
        st.empty()
