"""Carries out a run through the providers' batch interfaces, at half the price and whenever the provider likes.

    jobs = open_jobs(run, Access.from_environment())
    runner = BatchedRunner(run, jobs, EvaluationStore(store), apis={"formula": …}, budget_usd=1.0)
    async with aclosing(runner.run()) as events:
        async for event in events:             # Result | Progress | Stopped
            ...

The id of a batch is kept as soon as the provider has said it: a run that is run again, after a stop or a crash, asks
for the same batches. Only a crash while one is being handed over can lose one.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from vif.errors import BadRequestError, DeadlineError, InputError, ModelError
from vif.evaluation._replay import read_outcome, request_of
from vif.evaluation.batch import BatchJob, BatchState, Outcome, collected, custom_id, ended, open_batch
from vif.evaluation.course import Course, Job
from vif.evaluation.keeping import BatchKeeper
from vif.evaluation.plan import config_of
from vif.evaluation.records import Batch, Result, Run, Subject
from vif.evaluation.runner import Event, Runner
from vif.llm.protocol import Provider, Request
from vif.store import StoreError

if TYPE_CHECKING:
    from vif.api import VifApi
    from vif.config import Access, DualLlmConfig

POLL_S = 60.0
MOST_REQUESTS = 50_000
MOST_BYTES = 80_000_000
"""For one batch, below what both providers take: OpenAI 50,000 requests and 200 MB, with escapes and field names."""

AT_ONCE = 100
"""Results that are kept in one go."""

WITH_BATCHES = frozenset({Provider.OPENAI, Provider.ANTHROPIC})

Events = asyncio.Queue[Event | None]


def open_jobs(run: Run, access: Access) -> dict[str, BatchJob]:
    """For each subject whose LLM #1 has a batch interface, its batches. To be closed by the caller."""
    configs = {subject.name: config_of(run, subject) for subject in run.subjects if not subject.formula}
    return {
        name: open_batch(config.llm1, access)
        for name, config in configs.items()
        if config.llm1.provider in WITH_BATCHES
    }


class BatchedRunner(Runner):
    """One run, of which some subjects are asked in batches; the others call by call, at the same time.

    In a batch only the primary model of a subject is asked, and once: nobody stands in for it, and an unusable answer
    is a failed reading. A request that expired or was cancelled was never asked, so it is no result; it is asked when
    the run is run again.
    """

    def __init__(
        self,
        run: Run,
        jobs: Mapping[str, BatchJob],
        keeper: BatchKeeper,
        *,
        apis: Mapping[str, VifApi] | None = None,
        concurrency: int = 8,
        poll_s: float = POLL_S,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.perf_counter,
        budget_usd: float | None = None,
    ) -> None:
        """`jobs` are those of the subjects to be asked in batches, by name; `apis` has a connection for all others.

        Both stay the caller's. Raises InputError for what cannot be run.
        """
        self._jobs, self._batches = jobs, keeper
        self._poll_s, self._sleep = poll_s, sleep
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pending: list[tuple[Batch, list[Job]]] = []
        super().__init__(run, apis or {}, keeper, concurrency=concurrency, budget_usd=budget_usd, clock=clock)
        subjects = {subject.name: subject for subject in run.subjects}
        self._configs = {name: _checked_config(run, subjects.get(name), name, job) for name, job in jobs.items()}
        if not poll_s > 0:
            raise InputError(f"poll_s is {poll_s!r}; it must be a number of seconds above 0")

    @property
    def _called(self) -> tuple[Subject, ...]:
        return tuple(subject for subject in self._run.subjects if subject.name not in self._jobs)

    def stop(self) -> None:
        """Begin nothing more and wait for no batch: they stay with the provider. Calls under way are waited for."""
        super().stop()
        if self._loop:
            with suppress(RuntimeError):  # the loop is closed: nobody is waiting
                self._loop.call_soon_threadsafe(self._stopping.set)

    async def _begin(self) -> Course:
        """What is handed over already is under way: it is paid for, so no budget can refuse it."""
        self._stopping, self._loop = asyncio.Event(), asyncio.get_running_loop()
        kept = await self._keeper.results(self._run.id)
        course = Course(self._run, kept, self._concurrency, self._budget, batched=self._jobs.keys())
        known = await self._batches.batches(self._run.id)
        if lost := [batch for batch in known if not batch.collected and batch.subject not in self._jobs]:
            raise InputError(
                f"readings of {lost[0].subject!r} are with {lost[0].provider.value} as {lost[0].id!r}, and would be "
                "paid for twice; run the run with batches for it"
            )
        self._pending = [
            (batch, course.take(batch.subject, frozenset(batch.readings))) for batch in known if not batch.collected
        ]
        return course

    async def _read_all(self, course: Course, events: Events) -> None:
        for name in self._jobs:
            await self._hand_over_all(course, name, course.take(name))
        if self._asked_to_stop:
            self._stopping.set()
        await _together(
            super()._read_all(course, events),
            *(self._follow(course, events, batch, jobs) for batch, jobs in self._pending),
        )

    # ── Handing over ────────────────────────────────────────────────────────────────────────────────────────────────

    async def _hand_over_all(self, course: Course, name: str, jobs: Sequence[Job]) -> None:
        requests = {job.case.id: request_of(job.case, self._configs[name]) for job in jobs}
        given = 0
        for part in _parts(jobs, requests):
            if self._asked_to_stop:
                course.give_back(jobs[given:], f"{name}: {len(jobs) - given} readings were not handed over")
                return
            try:
                batch = await self._hand_over(name, part, requests)
            except (ModelError, InputError) as error:
                course.give_back(jobs[given:], f"{name} cannot be asked: {error}")
                return
            self._pending.append((batch, part))
            given += len(part)

    async def _hand_over(self, name: str, jobs: Sequence[Job], requests: Mapping[str, Request]) -> Batch:
        handing = asyncio.create_task(self._submitted(name, jobs, requests))
        try:
            return await asyncio.shield(handing)
        except asyncio.CancelledError:
            # Whoever leaves now: the provider may have it already, and what is to be paid for must be remembered.
            await asyncio.gather(handing, return_exceptions=True)
            raise

    async def _submitted(self, name: str, jobs: Sequence[Job], requests: Mapping[str, Request]) -> Batch:
        job = self._jobs[name]
        batch_id = await job.submit({_custom_id(one): requests[one.case.id] for one in jobs})
        readings = tuple((one.case.id, one.repeat) for one in jobs)
        batch = Batch(id=batch_id, subject=name, provider=job.provider, readings=readings)
        try:
            await self._batches.save_batch(self._run.id, batch)
        except StoreError as error:
            with suppress(ModelError):
                await job.cancel(batch_id)
            raise StoreError(
                f"the batch {batch_id!r} is with {job.provider.value} but could not be remembered, so it was cancelled "
                f"as far as possible: {error}"
            ) from None
        return batch

    # ── Fetching ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _follow(self, course: Course, events: Events, batch: Batch, jobs: Sequence[Job]) -> None:
        """Wait for the end of a batch, and keep what came of it."""
        if not jobs:  # everything was kept, only that was not noted any more
            await self._settle(batch)
            return
        job, name = self._jobs[batch.subject], batch.subject
        stays = f"the batch {batch.id!r} stays with {job.provider.value}; run the run {self._run.id} again to fetch it"
        try:
            state = await self._ended(job, batch, lambda _: events.put_nowait(course.progress()))
        except ModelError as error:
            course.leave(f"{name}: {error}; {stays}")
            return
        if state is None:
            course.leave(f"{name}: {stays}")
            return
        try:
            outcomes = await collected(job, batch.id, [_custom_id(one) for one in jobs])
        except ModelError as error:
            if isinstance(error, BadRequestError) and not state.succeeded:
                course.give_back(jobs, f"{name} cannot be asked: {error}")
                await self._settle(batch)
            else:
                course.leave(f"{name}: {error}; {stays}")
            return
        answered = [one for one in jobs if not isinstance(outcomes[_custom_id(one)], DeadlineError)]
        for group in _groups(answered, AT_ONCE):
            results = await asyncio.gather(*(self._read_outcome(one, outcomes[_custom_id(one)]) for one in group))
            for result in await asyncio.gather(*map(self._kept, results)):
                if course.finish(result):
                    events.put_nowait(result)
            events.put_nowait(course.progress())
        if unasked := [one for one in jobs if isinstance(outcomes[_custom_id(one)], DeadlineError)]:
            why = outcomes[_custom_id(unasked[0])]
            course.give_back(unasked, f"{len(unasked)} of the batch {batch.id!r}: {why}; run the run again to ask them")
        await self._settle(batch)

    async def _ended(self, job: BatchJob, batch: Batch, tell: Callable[[BatchState], None]) -> BatchState | None:
        """How it ended; None when waiting was stopped before. ModelError when nobody can tell any more."""
        ending = asyncio.ensure_future(ended(job, batch.id, every_s=self._poll_s, sleep=self._sleep, tell=tell))
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({ending, stopping}, return_when=asyncio.FIRST_COMPLETED)
            return ending.result() if ending.done() else None
        finally:
            ending.cancel()
            stopping.cancel()
            await asyncio.gather(ending, stopping, return_exceptions=True)

    async def _read_outcome(self, one: Job, outcome: Outcome) -> Result:
        job = self._jobs[one.subject]
        found = await read_outcome(one.case, self._configs[one.subject], outcome, job.provider, job.model)
        return self._result(one, *found).model_copy(update={"batched": True})

    async def _settle(self, batch: Batch) -> None:
        await self._batches.save_batch(self._run.id, batch.model_copy(update={"collected": True}))


def _checked_config(run: Run, subject: Subject | None, name: str, job: BatchJob) -> DualLlmConfig:
    if subject is None or subject.formula:
        raise InputError(f"there are batches for {name!r}, which is no subject of the run that asks a model")
    config = config_of(run, subject)
    if (config.llm1.provider, config.llm1.model) != (job.provider, job.model):
        given = f"{job.provider.value}:{job.model}"
        raise InputError(f"the batches for {name!r} are of {given!r}, but it reads with '{config.llm1}'")
    return config


def _custom_id(job: Job) -> str:
    return custom_id(job.case.id, job.subject, job.repeat)


def _parts(jobs: Sequence[Job], requests: Mapping[str, Request]) -> Iterator[list[Job]]:
    """The jobs in as few batches as a provider takes them in."""
    sizes = {case_id: _size(request) for case_id, request in requests.items()}
    part: list[Job] = []
    size = 0
    for job in jobs:
        if part and (len(part) == MOST_REQUESTS or size + sizes[job.case.id] > MOST_BYTES):
            yield part
            part, size = [], 0
        part.append(job)
        size += sizes[job.case.id]
    if part:
        yield part


def _size(request: Request) -> int:
    """Bytes, about, without what JSON adds."""
    schema = request.output_schema.schema if request.output_schema else None
    texts = (request.system, json.dumps(schema), *(turn.text for turn in request.turns))
    return sum(len(text.encode()) for text in texts)


def _groups(jobs: Sequence[Job], size: int) -> Iterator[Sequence[Job]]:
    return (jobs[first : first + size] for first in range(0, len(jobs), size))


async def _together(*parts: Coroutine[None, None, None]) -> None:
    """All at once; the first that fails ends the others, and its failure is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            for part in parts:
                group.create_task(part)
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
