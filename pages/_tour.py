"""The guided tour of one browser session: where it is, and what is measured on the way.

Every step asks the real models once; what came back stays, so that going back is instant.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import streamlit as st

import vif
from pages import _runtime
from pages._columns import Column, Group, Job
from pages._runtime import Drill
from pages._sidebar import Settings
from pages._turn import Turn
from vif.config import check_access
from vif.events import Event, Recognised

STEP, PRESENT = "step", "present"
"""In the address: which step is open, and whether it is shown to an audience."""

MESSAGES = (
    "How do I implement quicksort?",
    "Why do so many cultures tell of a flood?",
    "I still long to call my late grandmother.",
)
PLAIN, MORE = "How do I implement quicksort", "and why does it feel so elegant?"
WOVEN = f"{PLAIN}, {MORE}"
"""The first message and half a sentence more: two domains meet in it."""

REPLY_TOKENS = 160
"""Enough to see how it answers; the tour has five minutes."""

DRILL_TOKENS = 60
LONGEST_MESSAGE = 300
OWN_KEY, FAULT_KEY, NOTES_KEY, VIEW_KEY = "tour_own", "tour_fault", "tour_notes", "tour_view"
STAGE, LARGEST = (1113, 626), 3.0
"""Pixels that a step needs in the presenter view, and how much larger at most it is drawn."""

FAULTS = (vif.Fault.SERVER_ERROR, vif.Fault.TIME_OUT, vif.Fault.AUTH, vif.Fault.PROSE)

OUTAGE = "outage "
"""Work whose name begins so is a drill."""

_STATE = "tour"


class Basis(NamedTuple):
    """What the tour asks with. Another one makes what was measured worthless."""

    config: vif.DualLlmConfig
    access: vif.Access
    autonomy: float


@dataclass(slots=True)
class Tour:
    """What is shown and kept of it.

    Attributes:
        basis: what it asks with.
        own: a message somebody typed.
        work: what was begun, by what it is.
        spare: what came of work that was begun anew since.
        drills: those whose connections are still there.
    """

    basis: Basis | None = None
    own: str = ""
    work: dict[str, Group] = field(default_factory=dict)
    spare: list[Column] = field(default_factory=list)
    drills: list[Drill] = field(default_factory=list)

    @property
    def messages(self) -> tuple[str, ...]:
        """The three that are read; somebody's own takes the place of the last."""
        return (*MESSAGES[:-1], self.own) if self.own else MESSAGES

    def carried_out(self, what: str, jobs: Callable[[], Sequence[Job]]) -> Group:
        """The work of this name, begun when it is asked for the first time."""
        if what not in self.work:
            self.work[what] = Group(jobs())
            self.work[what].start()
        return self.work[what]

    def turn(self, what: str) -> Turn | None:
        """The turn of work with one column, as far as it has come."""
        return self.work[what].columns[0].turn if what in self.work else None

    def forget(self) -> None:
        """End what is under way, and everything with it."""
        stop(self)
        self.work.clear()
        self.spare.clear()
        for drill in self.drills:
            drill.end()
        self.drills.clear()


def tour() -> Tour:
    if _STATE not in st.session_state:
        st.session_state[_STATE] = Tour()
    found: Tour = st.session_state[_STATE]
    return found


def stop(found: Tour | None = None) -> None:
    """End what is under way; what has arrived stays."""
    found = found or st.session_state.get(_STATE)
    if found is None:
        return
    for what, group in list(found.work.items()):
        if not group.over:
            group.stop()
            del found.work[what]  # half a reading shows nothing: the next visit asks anew


def begin(settings: Settings) -> Basis:
    """What to ask with; another one than before starts over. Raises ConfigError with a line that can be shown."""
    if settings.config is None:
        raise vif.ConfigError(settings.problem or "the preset of the sidebar cannot be used")
    # The tour is about LLM #1, whoever reads elsewhere.
    check_access(settings.config, settings.access)
    basis, now = Basis(settings.config, settings.access, settings.autonomy), tour()
    if now.basis != basis:
        now.forget()
        now.basis = basis
    return basis


# ── Where it is ─────────────────────────────────────────────────────────────────────────────────────────────────────


def step(last: int) -> int:
    """The step of the address, from 1 to `last`."""
    text = st.query_params.get(STEP, "1")
    return min(max(int(text), 1), last) if text.isascii() and text.isdigit() and len(text) < 4 else 1


def go(to: int) -> None:
    """Open a step. A callback."""
    st.query_params[STEP] = str(to)


def presenting() -> bool:
    """Whether it is shown to an audience: larger, and nothing around it."""
    return st.query_params.get(PRESENT) == "1"


def present(on: bool) -> None:
    """Show it to an audience, or no longer. A callback."""
    if on:
        st.query_params[PRESENT] = "1"
    else:
        st.query_params.pop(PRESENT, None)


def scale() -> float:
    """How much larger than usual everything is drawn: in the presenter view as large as fits the screen."""
    view: tuple[int, int] | None = st.session_state.get(VIEW_KEY)
    if not presenting() or view is None:
        return 1.0
    return round(min(max(min(view[0] / STAGE[0], view[1] / STAGE[1]), 1.0), LARGEST), 2)


def take_own() -> None:
    """Read what was typed in the place of the last message. A callback."""
    tour().own = " ".join(str(st.session_state[OWN_KEY]).split())


def again(what: str) -> None:
    """Forget this work, but not what came well of it: the page begins it anew. A callback."""
    now = tour()
    if group := now.work.pop(what, None):
        group.stop()
        now.spare += group.columns


# ── What is asked ───────────────────────────────────────────────────────────────────────────────────────────────────


def readings(basis: Basis) -> Group:
    """The messages of the tour read by LLM #1."""
    messages = tour().messages
    return _read_all(f"readings {' / '.join(messages)}", messages, basis)


def woven(basis: Basis) -> Group:
    """The longer message read beside the first one."""
    return _read_all("woven", (MESSAGES[0], WOVEN), basis)


def answer(basis: Basis) -> Group:
    """The longer message read and answered; the reading is remembered, where that is allowed."""

    def jobs() -> list[Job]:
        config, connection = _answering(basis)
        return [Job(Column("", Turn(1, WOVEN, "dual", config)), lambda: connection.stream(WOVEN, basis.autonomy))]

    return tour().carried_out("answer", jobs)


def remembered(basis: Basis) -> Group:
    """The same message once more: its reading comes from the cache, if there is one."""

    def jobs() -> list[Job]:
        config, connection = _answering(basis)
        return [Job(Column("", Turn(1, WOVEN, "dual", config)), lambda: _from_the_cache(connection, basis.autonomy))]

    return tour().carried_out("remembered", jobs)


def outage(basis: Basis, fault: vif.Fault) -> Group:
    """The longer message with an LLM #1 that has this fault."""
    now = tour()

    def jobs() -> list[Job]:
        config = basis.config.with_(
            llm2_max_tokens=min(DRILL_TOKENS, basis.config.llm2_max_tokens), enable_caching=False
        )
        drill = Drill(fault)
        now.drills.append(drill)
        connection = _runtime.connection(config, basis.access, "dual", drill)
        return [Job(Column("", Turn(1, WOVEN, "dual", config)), lambda: connection.stream(WOVEN, basis.autonomy))]

    return now.carried_out(f"{OUTAGE}{fault}", jobs)


def _read_all(what: str, messages: Sequence[str], basis: Basis) -> Group:
    """Each read anew and one after the other, so that none waits for another's; but none twice."""
    now = tour()

    def jobs() -> list[Job]:
        begun = [column for group in now.work.values() for column in group.columns]
        known = {
            column.turn.message: column
            for column in (*now.spare, *begun)
            if column.done and column.turn is not None and is_reading(column.turn)
        }
        config = basis.config.with_(enable_caching=False)
        connection = _runtime.connection(config, basis.access, "dual")
        in_turn = asyncio.Semaphore(1)

        async def events(message: str) -> AsyncGenerator[Event, None]:
            async with in_turn, aclosing(_until_read(connection, message, basis.autonomy)) as found:
                async for event in found:
                    yield event

        return [
            Job(known[message])
            if message in known
            else Job(Column("", Turn(number, message, "dual", config)), partial(events, message))
            for number, message in enumerate(messages, 1)
        ]

    return now.carried_out(what, jobs)


def is_reading(turn: Turn) -> bool:
    """Whether it was read by a model just now, and nothing else was asked for."""
    recognition = turn.recognition
    return recognition is not None and turn.read_by_model and not recognition.cache_hit and not turn.reply


def _answering(basis: Basis) -> tuple[vif.DualLlmConfig, _runtime.Connection]:
    config = basis.config.with_(llm2_max_tokens=min(REPLY_TOKENS, basis.config.llm2_max_tokens))
    return config, _runtime.connection(config, basis.access, "dual")


async def _until_read(connection: _runtime.Connection, message: str, autonomy: float) -> AsyncGenerator[Event, None]:
    """The events up to the reading: nobody has been asked for a reply yet."""
    async with aclosing(connection.stream(message, autonomy)) as events:
        async for event in events:
            yield event
            if isinstance(event, Recognised):
                return


async def _from_the_cache(connection: _runtime.Connection, autonomy: float) -> AsyncGenerator[Event, None]:
    """A reading of a message that was certainly read before."""
    async with aclosing(_until_read(connection, WOVEN, autonomy)) as events:
        async for event in events:
            if isinstance(event, Recognised) and event.recognition.cache_hit:
                yield event
                return
    async with aclosing(_until_read(connection, WOVEN, autonomy)) as events:
        async for event in events:
            yield event


def formula(autonomy: float) -> dict[str, float]:
    """The formula's four activations: it is not even given the message."""
    return vif.formula_reading(autonomy).domains.model_dump()
