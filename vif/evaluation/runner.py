"""Carries out a run: every case read by every subject, as often as planned, many at once, each result kept at once.

    runner = Runner(run, apis, EvaluationStore(store), concurrency=16, budget_usd=1.0)
    async with aclosing(runner.run()) as events:
        async for event in events:             # Result | Progress | Stopped
            ...

Whoever leaves early loses only the calls that were under way. A run that is run again goes on where it was.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vif.domains import DOMAINS, Domain, formula_activations
from vif.errors import InputError, VifError
from vif.evaluation.course import Course, Job, fault_of_settings
from vif.evaluation.keeping import ResultKeeper
from vif.evaluation.plan import check_resumable
from vif.evaluation.records import Progress, Result, Run, Subject

if TYPE_CHECKING:
    from vif.api import VifApi
    from vif.flow import Reading
    from vif.interaction import Recognition


@dataclass(frozen=True, slots=True)
class Stopped:
    """Not everything was read. The last event, when there is one; what was read is kept."""

    why: str


Event = Result | Progress | Stopped


class Runner:
    """One run. `run()` may be called once at a time; afterwards again, to go on."""

    def __init__(
        self,
        run: Run,
        apis: Mapping[str, VifApi],
        keeper: ResultKeeper,
        *,
        concurrency: int = 8,
        budget_usd: float | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`apis` has one for each subject by name, connected with `config_of(run, subject)`, and stays the caller's.

        `budget_usd` is for the whole run, with what is kept of it already. Raises InputError for what cannot be run.
        """
        check_resumable(run)
        self._run, self._apis, self._keeper = run, apis, keeper
        if missing := [subject.name for subject in self._called if subject.name not in apis]:
            raise InputError(f"there is no connection for {missing[0]!r}; each subject of a run needs one")
        if concurrency < 1:
            raise InputError(f"concurrency is {concurrency}; it must be at least 1")
        if budget_usd is not None and not budget_usd >= 0:
            raise InputError(f"the budget is {budget_usd!r}; it must be an amount in US dollars, 0 or more")
        self._concurrency, self._budget, self._clock = concurrency, budget_usd, clock
        formula = formula_activations(run.autonomy)
        self._formula: Mapping[Domain, float] = {domain: formula[domain.value] for domain in DOMAINS}
        self._asked_to_stop = False

    @property
    def _called(self) -> tuple[Subject, ...]:
        """Those whose messages are read call by call, through their connection."""
        return self._run.subjects

    def stop(self) -> None:
        """Begin no more calls; those under way are waited for, and kept: they are paid for."""
        self._asked_to_stop = True

    async def run(self) -> AsyncGenerator[Event, None]:
        """Carry out what is not kept yet. The first event is where the run stands; a progress follows each result.

        Raises InputError, before any call, when the estimate is above the budget or no budget can be kept because a
        price is not known; StoreError when a result cannot be kept.
        """
        self._asked_to_stop = False
        await self._keeper.save_run(self._run)
        course = await self._begin()
        course.check_budget()
        yield course.progress()
        await asyncio.gather(*(self._apis[subject.name].warm_up() for subject in self._called if not subject.formula))
        events: asyncio.Queue[Event | None] = asyncio.Queue()
        # A task of its own: how fast somebody takes the events must not hold up the calls.
        work = asyncio.create_task(self._work(course, events))
        work.add_done_callback(lambda _: events.put_nowait(None))
        try:
            while (event := await events.get()) is not None:
                yield event
            await work
        finally:
            work.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait([work])

    async def _begin(self) -> Course:
        """What is left of the run."""
        return Course(self._run, await self._keeper.results(self._run.id), self._concurrency, self._budget)

    async def _work(self, course: Course, events: asyncio.Queue[Event | None]) -> None:
        await self._read_all(course, events)
        progress = course.progress()
        if progress.done < progress.total:
            events.put_nowait(Stopped(course.why_incomplete or "it was stopped"))

    async def _read_all(self, course: Course, events: asyncio.Queue[Event | None]) -> None:
        """Everybody in turn, until nothing is left that may begin."""
        places = self._concurrency
        asking: set[asyncio.Task[None]] = set()
        keeping: set[asyncio.Task[None]] = set()
        finished: list[Result] = []
        news = asyncio.Event()

        def begin(work: Coroutine[object, object, None], group: set[asyncio.Task[None]]) -> None:
            group.add(task := asyncio.create_task(work))
            task.add_done_callback(lambda _: news.set())

        def may_begin() -> bool:
            """As many as there are places can be on their way into the database: more would be lost in a crash."""
            return not self._asked_to_stop and len(asking) + len(keeping) < 2 * places

        async def ask(job: Job | None) -> None:
            # One call after another in the same place. The next one leaves before anybody else's answer is looked at:
            # answers that came at once come apart from then on, and none has to wait until the others are read.
            while job:
                course.answered(result := await self._read(job))
                if fault_of_settings(result):
                    course.finish(result)  # nothing to keep, and nobody may ask in the same way meanwhile
                    events.put_nowait(course.progress())
                    return
                begin(keep(result), keeping)
                job = course.next() if may_begin() else None

        async def keep(result: Result) -> None:
            finished.append(await self._kept(result))

        try:
            while True:
                while len(asking) < places and may_begin() and (job := course.next()):
                    begin(ask(job), asking)
                if not asking and not keeping:
                    break
                await news.wait()
                news.clear()
                for group in (asking, keeping):
                    for task in [task for task in group if task.done()]:
                        task.result()
                        group.remove(task)
                if finished:
                    for result in finished:
                        course.finish(result)
                        events.put_nowait(result)
                    finished.clear()
                    events.put_nowait(course.progress())
        finally:
            for task in asking | keeping:
                task.cancel()
            # All are looked at: of two that failed together asyncio would log the second one.
            await asyncio.gather(*asking, *keeping, return_exceptions=True)

    async def _kept(self, result: Result) -> Result:
        """The result, once it is kept: before that nobody hears of it."""
        if not fault_of_settings(result):
            await self._keeper.add_result(self._run.id, result)
        return result

    async def _read(self, job: Job) -> Result:
        start = self._clock()
        try:
            found = await self._apis[job.subject].recognise(job.case.message, job.case.previous)
            result = self._result(job, *found)
        except VifError as error:
            result = self._result(job).model_copy(update={"error": str(error)})
        return result.model_copy(update={"added_ms": (self._clock() - start) * 1000})

    def _result(self, job: Job, reading: Reading | None = None, recognition: Recognition | None = None) -> Result:
        domains = None
        if reading:
            # The formula leaves out domains that do not emerge; as a reading they have a value like any other.
            domains = {domain: reading.domains.get(domain, self._formula[domain]) for domain in DOMAINS}
        return Result(
            case_id=job.case.id,
            subject=job.subject,
            repeat=job.repeat,
            domains=domains,
            boundaries=reading.boundaries if reading else (),
            formula=self._formula,
            recognition=recognition,
        )
