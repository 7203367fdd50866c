"""Runs of an evaluation: under way on the library's event loop, whoever looks on, and kept in the database.

A run belongs to the server, not to the browser that began it: a page that is reloaded finds it again by its id.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from typing import TypeVar

import streamlit as st

import vif
from pages import _identity, _runtime
from vif.evaluation.batched import BatchedRunner
from vif.evaluation.keeping import EvaluationStore
from vif.evaluation.measures import Report
from vif.evaluation.metrics import evaluate
from vif.evaluation.plan import config_of
from vif.evaluation.records import Progress, Result, Run, Subject
from vif.evaluation.runner import Runner, Stopped
from vif.evaluation.suite import Case
from vif.flow import Mode
from vif.store.evaluations import RunRow

T = TypeVar("T")

WAIT_S = 30.0
LISTED = 100
_OPENED, _OTHER, _REPORTS = "evaluate_opened", "evaluate_other", "evaluate_reports"
KEPT_REPORTS = 3
"""Of a session: the run that is open, and those it was compared with."""


@dataclass(slots=True)
class Tally:
    """What a subject did so far, without intervals: good enough to look on."""

    read: int = 0
    failed: int = 0
    errors: list[float] = field(default_factory=list)
    checks: int = 0
    inside: int = 0
    added_ms: float = 0.0
    spent_usd: float = 0.0

    def add(self, case: Case, result: Result) -> None:
        self.added_ms += result.added_ms
        self.spent_usd += (result.recognition.cost_usd or 0.0) if result.recognition else 0.0
        if not result.read or result.domains is None:
            self.failed += 1
            return
        self.read += 1
        if gaps := [abs(result.domains[domain] - value) for domain, value in case.expected.items()]:
            self.errors.append(sum(gaps) / len(gaps))
        for domain, (low, high) in case.ranges.items():
            self.checks += 1
            self.inside += low <= result.domains[domain] <= high

    @property
    def done(self) -> int:
        return self.read + self.failed


class Work:
    """A run that is being carried out.

    Attributes:
        progress: where it stands; None until the first event.
        tallies: by subject.
        why: when it is over and not everything was read, why; a line fit to be shown.
    """

    def __init__(
        self, run: Run, kept: Sequence[Result], access: vif.Access, concurrency: int, budget_usd: float | None
    ) -> None:
        self.run = run
        self.progress: Progress | None = None
        self.tallies = {subject.name: Tally() for subject in run.subjects}
        self.why: str | None = None
        self.stopping = False
        self._access, self._concurrency, self._budget_usd = access, concurrency, budget_usd
        self.owner = _identity.owner()
        self._observer = _runtime.observers()
        self._runner: Runner | None = None
        self._task: asyncio.Task[None] | None = None
        self._ended = threading.Event()
        self._cases = {case.id: case for case in run.cases}
        for result in kept:
            self._add(result)

    @property
    def over(self) -> bool:
        return self._ended.is_set()

    def start(self) -> None:
        _runtime.event_loop().submit(self._carry_out())

    def stop(self) -> None:
        """Begin no more calls and let those under way finish, which are paid for; the second time, end them too.

        What was read is kept either way. A callback as well.
        """
        if self.stopping:
            _runtime.event_loop().submit(self._cancel())
        self.stopping = True
        if self._runner is not None:
            self._runner.stop()

    def wait(self, timeout_s: float) -> bool:
        """Until it is over; False when that takes longer."""
        return self._ended.wait(timeout_s)

    async def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _carry_out(self) -> None:
        self._task = asyncio.current_task()
        try:
            async with AsyncExitStack() as stack:
                apis = {subject.name: self._connect(subject, stack) for subject in self.run.subjects}
                keeper = EvaluationStore(await _runtime.store().store(), self.owner)
                # Without a job of its own it refuses a run whose batches are still out, instead of paying again.
                self._runner = BatchedRunner(
                    self.run, {}, keeper, apis=apis, concurrency=self._concurrency, budget_usd=self._budget_usd
                )
                async with aclosing(self._runner.run()) as events:
                    async for event in events:
                        self._take(event)
                        if self.stopping:
                            self._runner.stop()
        except asyncio.CancelledError:
            self.why = self.why or "it was cancelled"
        except Exception as error:  # noqa: BLE001
            self.why = _runtime.in_words(error)
        finally:
            self._ended.set()

    def _connect(self, subject: Subject, stack: AsyncExitStack) -> vif.VifApi:
        config = config_of(self.run, subject)
        mode: Mode = "formula" if subject.formula else "dual"
        api = vif.connect(config, self._access, mode=mode, observer=self._observer)
        stack.push_async_callback(api.aclose)
        return api

    def _take(self, event: Result | Progress | Stopped) -> None:
        match event:
            case Result():
                self._add(event)
            case Progress():
                self.progress = event
            case Stopped(why):
                self.why = why

    def _add(self, result: Result) -> None:
        tally, case = self.tallies.get(result.subject), self._cases.get(result.case_id)
        if tally is not None and case is not None:
            tally.add(case, result)


@dataclass(frozen=True, slots=True)
class Kept:
    """A run with what is kept of it."""

    run: Run
    results: tuple[Result, ...]

    @property
    def complete(self) -> bool:
        return len(self.results) >= self.run.total


@st.cache_resource(show_spinner=False)
def _works() -> dict[str, Work]:
    """The runs of this server that were begun since it started and are not forgotten."""
    return {}


def begin(run: Run, access: vif.Access, concurrency: int, budget_usd: float | None) -> None:
    """Carry out what is missing of a run; one that is under way already goes on as it is."""
    before = work(run.id)
    if before is not None and not before.over:
        return
    found = opened(run.id)
    begun = Work(run, found.results if found else (), access, concurrency, budget_usd)
    _works()[run.id] = begun
    st.session_state.pop(_OPENED, None)
    begun.start()


def work(id: str) -> Work | None:
    """The run under way, or that came to an end since the server started; None for one of somebody else."""
    found, owner = _works().get(id), _identity.owner()
    return found if found is not None and (owner is None or found.owner == owner) else None


def under_way(id: str) -> bool:
    found = work(id)
    return found is not None and not found.over


def rows() -> list[RunRow]:
    """The newest first. Raises StoreError."""
    return ask(lambda store: store.runs(LISTED))


def opened(id: str) -> Kept | None:
    """A run as it is kept, or None; read again only while something of it is missing. Raises StoreError."""
    before: Kept | None = st.session_state.get(_OPENED)
    if before is not None and before.run.id == id and before.complete:
        return before
    found = load(id)
    st.session_state[_OPENED] = found
    return found


def load(id: str) -> Kept | None:
    """A run as it is kept, or None. Raises StoreError."""
    run = ask(lambda store: store.run(id))
    return None if run is None else Kept(run, ask(lambda store: store.results(id)))


def load_once(id: str, done: int) -> Kept | None:
    """As `load`, read again only when more of it is done. Raises StoreError."""
    before: Kept | None = st.session_state.get(_OTHER)
    if before is None or before.run.id != id or len(before.results) != done:
        before = st.session_state[_OTHER] = load(id)
    return before


def report(kept: Kept) -> Report:
    """Worked out once for so many results: resampling takes a moment."""
    reports: dict[tuple[str, int], Report] = st.session_state.setdefault(_REPORTS, {})
    basis = (kept.run.id, len(kept.results))
    if basis not in reports:
        with st.spinner("Working out the figures …"):
            reports[basis] = evaluate(kept.run, kept.results)
        while len(reports) > KEPT_REPORTS:
            del reports[next(iter(reports))]
    return reports[basis]


def delete(id: str) -> None:
    """End a run and delete what is kept of it, for good. A callback."""
    if (found := work(id)) is not None:
        del _works()[id]
        found.stop()
        found.stop()
    ask(lambda store: store.delete_run(id))
    st.session_state.pop(_OPENED, None)


def ask(work: Callable[[EvaluationStore], Coroutine[object, object, T]]) -> T:
    """What the store says. Raises VifError."""

    owner = _identity.owner()

    async def carry_out() -> T:
        return await work(EvaluationStore(await _runtime.store().store(), owner))

    return _runtime.event_loop().submit(carry_out()).result(WAIT_S)
