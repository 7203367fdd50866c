"""A run of an evaluation, carried out for somebody at a terminal: consent, progress, Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from vif.cli_common import agree, observer_of, warn_of_lifecycles

if TYPE_CHECKING:
    from rich.console import Console

    from vif.api import VifApi
    from vif.config import Access, DualLlmConfig
    from vif.evaluation.batch import BatchJob
    from vif.evaluation.keeping import EvaluationStore
    from vif.evaluation.records import Progress, Result, Run
    from vif.evaluation.runner import Runner
    from vif.telemetry.observer import Observer


@dataclass(frozen=True, slots=True)
class Terms:
    """How a run may be carried out. `agreed`: what it costs need not be asked."""

    concurrency: int
    budget_usd: float | None
    batch: bool
    agreed: bool


@dataclass(slots=True)
class Outcome:
    """Where a run stands. `why` when not everything was read; `interrupted` when that was the user's wish."""

    run: Run
    results: Sequence[Result]
    why: str | None = None
    interrupted: bool = False


async def carry_out(
    run: Run, terms: Terms, keeper: EvaluationStore, access: Access, settings: DualLlmConfig
) -> Outcome:
    """Read what is not read yet. Nobody is asked for anything before settings, budget and consent are there.

    Raises ConfigError, InputError, click's errors.
    """
    from rich.console import Console

    from vif.evaluation.batched import BatchedRunner
    from vif.evaluation.runner import Runner

    outcome = Outcome(run, await keeper.results(run.id))
    if len(outcome.results) == run.total:
        return outcome
    async with AsyncExitStack() as stack:
        jobs = await _jobs(run, terms, keeper, access, stack)
        apis = _apis(run, jobs, access, observer_of(settings), stack)
        at_once, budget_usd = terms.concurrency, terms.budget_usd
        runner = (
            BatchedRunner(run, jobs, keeper, apis=apis, concurrency=at_once, budget_usd=budget_usd)
            if jobs
            else Runner(run, apis, keeper, concurrency=at_once, budget_usd=budget_usd)
        )
        _check_budget(outcome, jobs, terms)
        _ask(outcome, jobs, access, terms)
        console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
        console.print(f"run {run.id}: {run.total} readings, {len(outcome.results)} of them are there", style="dim")
        await _follow(runner, console, outcome)
    outcome.results = await keeper.results(run.id)
    return outcome


# ── Before the first call ───────────────────────────────────────────────────────────────────────────────────────────


async def _jobs(
    run: Run, terms: Terms, keeper: EvaluationStore, access: Access, stack: AsyncExitStack
) -> dict[str, BatchJob]:
    """The batches of the subjects that are asked so; a run that has some already goes on with them."""
    if not terms.batch and not await keeper.batches(run.id):
        return {}
    from vif.evaluation.batched import open_jobs

    jobs = open_jobs(run, access)
    for job in jobs.values():
        stack.push_async_callback(job.aclose)
    if not jobs:
        raise click.UsageError("nobody who reads can be asked in batches; models of openai and anthropic can")
    return jobs


def _apis(
    run: Run, batched: Collection[str], access: Access, observer: Observer, stack: AsyncExitStack
) -> dict[str, VifApi]:
    """A connection for each subject that is asked call by call; all are closed with the stack."""
    from vif.config import check_access
    from vif.connection import connect
    from vif.evaluation.plan import config_of

    apis = {}
    for subject in run.subjects:
        config = config_of(run, subject)
        if subject.formula:
            apis[subject.name] = connect(config, access, mode="formula", observer=observer)
        else:
            warn_of_lifecycles(config.recognisers)
            check_access(config, access)
            if subject.name in batched:
                continue
            apis[subject.name] = connect(config, access, observer=observer)
        stack.push_async_callback(apis[subject.name].aclose)
    return apis


def _check_budget(outcome: Outcome, batched: Collection[str], terms: Terms) -> None:
    """As the runner does, but before somebody is asked for consent."""
    from vif.evaluation.course import Course

    Course(outcome.run, outcome.results, terms.concurrency, terms.budget_usd, batched=batched).check_budget()


def _ask(outcome: Outcome, batched: Collection[str], access: Access, terms: Terms) -> None:
    """For consent to what the readings that are missing will cost at providers that may charge for them."""
    from vif.evaluation.course import Course
    from vif.evaluation.plan import call_costs_usd, config_of
    from vif.load.runner import asks_others

    run = outcome.run
    called = [subject for subject in run.subjects if not subject.formula]
    charging = tuple(subject for subject in called if asks_others(config_of(run, subject), access))
    names = {subject.name for subject in charging}
    part = run.model_copy(update={"subjects": charging})
    course = Course(part, [one for one in outcome.results if one.subject in names], 1, batched=names & set(batched))
    progress = course.progress()
    if progress.done < progress.total:
        priced = all(call_costs_usd(run, subject) is not None for subject in charging)
        agree(progress.total - progress.done, course.estimate_usd if priced else None, terms.agreed)


# ── While it runs ───────────────────────────────────────────────────────────────────────────────────────────────────


async def _follow(runner: Runner, console: Console, outcome: Outcome) -> None:
    """Until everything is read, nothing more can be, or the user wants no more."""
    from vif.evaluation.records import Progress
    from vif.evaluation.runner import Stopped

    with _bar(console, outcome.run.total) as show, _interruptible(runner, console) as interruption:
        try:
            async with aclosing(runner.run()) as events:
                async for event in events:
                    if isinstance(event, Progress):
                        show(event)
                    elif isinstance(event, Stopped):
                        outcome.why = event.why
        except asyncio.CancelledError:
            if interruption.times < 2:
                raise
            outcome.why = "it was interrupted"
    outcome.interrupted = interruption.times > 0 and outcome.why is not None


@dataclass(slots=True)
class _Interruption:
    times: int = 0


@contextmanager
def _interruptible(runner: Runner, console: Console) -> Iterator[_Interruption]:
    """The first Ctrl-C lets the calls under way finish, which are paid for; the second one does not wait for them."""
    loop, task, interruption = asyncio.get_running_loop(), asyncio.current_task(), _Interruption()

    def interrupt() -> None:
        interruption.times += 1
        if interruption.times == 1:
            runner.stop()
            console.print("finishing the calls under way; once more to leave now")
        elif task:
            task.cancel()

    try:
        loop.add_signal_handler(signal.SIGINT, interrupt)
    except (NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread
        yield interruption
        return
    try:
        yield interruption
    finally:
        loop.remove_signal_handler(signal.SIGINT)


@contextmanager
def _bar(console: Console, total: int) -> Iterator[Callable[[Progress], None]]:
    """Done of total, money spent and time left on the terminal; nothing where there is no terminal."""
    from rich import progress as rich

    columns = (rich.BarColumn(), rich.MofNCompleteColumn(), rich.TextColumn("{task.description}", markup=False))
    with rich.Progress(
        *columns, console=console, transient=True, refresh_per_second=4, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=total)

        def show(progress: Progress) -> None:
            bar.update(task, completed=progress.done, description=progress_words(progress))

        yield show


def progress_words(progress: Progress) -> str:
    """What stands beside the bar: "$0.0123 spent, 2 failed, 1:05 left"."""
    words = [f"${progress.spent_usd:.4f} spent"]
    if progress.failed:
        words.append(f"{progress.failed} failed")
    if progress.left_s is not None and progress.done < progress.total:
        minutes, seconds = divmod(round(progress.left_s), 60)
        words.append(f"{minutes}:{seconds:02} left")
    return ", ".join(words)
