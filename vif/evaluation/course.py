"""Whose turn it is in a run, what that may cost, and how far the run is. It asks nobody and waits for nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from vif.errors import InputError, Reason
from vif.evaluation.plan import at_once, call_costs_usd
from vif.evaluation.records import Progress, Result, Run
from vif.evaluation.suite import Case

_NOT_THE_MODEL = frozenset({Reason.AUTH, Reason.BUDGET})
"""Failures of the settings: the next call would fail in the same way, and the model was not measured."""

_ROUNDING_USD = 1e-9


class Job(NamedTuple):
    """One reading that is still missing."""

    case: Case
    subject: str
    repeat: int


@dataclass(slots=True)
class _Line:
    """The jobs of one subject. `costs` are estimates by case; None when the price is not known.

    `at_once` is 0 for a subject that is asked in batches: it has no turn. Of those `under_way` some are `asked`, the
    others answered and on their way into the database.
    """

    waiting: deque[Job]
    at_once: int
    costs: Mapping[str, float] | None
    under_way: int = 0
    asked: int = 0
    done: int = 0
    seconds: float = 0.0

    def cost(self, case_id: str) -> float:
        return self.costs[case_id] if self.costs else 0.0

    @property
    def left(self) -> int:
        return len(self.waiting) + self.under_way


class Course:
    """What is left of a run when `kept` is there already.

    Subjects take turns so that all have equally many calls under way: one that is slow delays nobody else.
    """

    def __init__(
        self,
        run: Run,
        kept: Iterable[Result],
        concurrency: int,
        budget_usd: float | None = None,
        *,
        batched: Collection[str] = (),
    ) -> None:
        """`budget_usd` is for the whole run, what is kept of it included. The `batched` subjects have no turns."""
        self._total, self._concurrency, self._budget = run.total, concurrency, budget_usd
        self._aside = 0.0
        self._prices: dict[tuple[str, str, int], float] = {}
        self._spent = 0.0
        self._done = self._failed = 0
        self._dropped: dict[str, str] = {}
        self._left: list[str] = []
        there = set()
        for result in kept:
            there.add(result.key)
            self._tally(result)
        self._lines = {
            subject.name: _Line(
                deque(
                    Job(case, subject.name, repeat)
                    for repeat in range(run.repeats)
                    for case in run.cases
                    if (case.id, subject.name, repeat) not in there
                ),
                0 if subject.name in batched else at_once(run, subject, concurrency),
                call_costs_usd(run, subject, batched=subject.name in batched),
            )
            for subject in run.subjects
        }

    @property
    def estimate_usd(self) -> float:
        """What the calls that are left will cost, as far as prices are known."""
        return sum(line.cost(job.case.id) for line in self._lines.values() for job in line.waiting)

    def check_budget(self) -> None:
        """Raise InputError when what waits is not covered by the budget, or nobody can know."""
        if self._budget is None or not any(line.waiting for line in self._lines.values()):
            return
        for name, line in self._lines.items():
            if line.waiting and line.costs is None:
                raise InputError(f"the price of {name!r} is not known, so no budget can be kept; run it without one")
        gone = self._spent + self._aside
        if gone + self.estimate_usd > self._budget + _ROUNDING_USD:
            spent = f" and ${gone:.4f} is spent already" if gone else ""
            raise InputError(
                f"the budget is ${self._budget:.4f}, but the calls are estimated at ${self.estimate_usd:.4f}{spent}; "
                "raise the budget, or take fewer cases, subjects or repeats"
            )

    def next(self) -> Job | None:
        """The next reading to begin; None when there is none, or none that may begin now."""
        free = [line for line in self._lines.values() if line.waiting and line.asked < line.at_once]
        if not free:
            return None
        line = min(free, key=lambda line: (line.asked, line.done))
        cost = line.cost(line.waiting[0].case.id)
        # Calls can cost more than estimated: what is under way is counted at the estimate, what is done as it was.
        if self._budget is not None and self._spent + self._aside + cost > self._budget + _ROUNDING_USD:
            return None
        line.under_way += 1
        line.asked += 1
        self._aside += cost
        return line.waiting.popleft()

    def take(self, subject: str, wanted: Collection[tuple[str, int]] | None = None) -> list[Job]:
        """Begin all that a subject has waiting, or of it what is `wanted` (case ids and repeats), whatever it costs."""
        line = self._lines[subject]
        taken: list[Job] = []
        waiting: deque[Job] = deque()
        for job in line.waiting:
            (taken if wanted is None or (job.case.id, job.repeat) in wanted else waiting).append(job)
        line.waiting = waiting
        line.under_way += len(taken)
        self._aside += sum(line.cost(job.case.id) for job in taken)
        return taken

    def give_back(self, jobs: Collection[Job], why: str) -> None:
        """Jobs that were begun, but nobody was asked for them, and nobody will be this time."""
        for job in jobs:
            line = self._lines[job.subject]
            line.under_way -= 1
            self._aside -= line.cost(job.case.id)
        self.leave(why)

    def leave(self, why: str) -> None:
        """Something is under way that nobody waits for any longer."""
        self._left.append(why)

    def answered(self, result: Result) -> None:
        """A reading that `next` gave is there, not kept yet: its subject has a place again, and its price is known."""
        line = self._lines[result.subject]
        line.asked -= 1
        self._prices[result.key] = _price(result)
        self._aside += _price(result) - line.cost(result.case_id)

    def finish(self, result: Result) -> bool:
        """Count the reading of a job that was begun. False when it failed for no fault of the model: it does not count.

        Its subject is then not asked any more.
        """
        line = self._lines[result.subject]
        line.under_way -= 1
        self._aside -= self._prices.pop(result.key, line.cost(result.case_id))
        if why := fault_of_settings(result):
            line.waiting.clear()
            self._dropped[result.subject] = why
            return False
        line.done += 1
        line.seconds += result.added_ms / 1000
        self._tally(result)
        return True

    def progress(self) -> Progress:
        return Progress(self._done, self._total, self._failed, self._spent, self._left_s())

    @property
    def why_incomplete(self) -> str | None:
        """Why nothing more can be begun, once nothing is under way; None when everything is done."""
        reasons = [f"{name} cannot be asked: {why}" for name, why in self._dropped.items()] + self._left
        if self._budget is not None and any(line.waiting for line in self._lines.values()):
            reasons.append(
                f"the budget of ${self._budget:.4f} does not cover another call (${self._spent:.4f} is spent)"
            )
        return "; ".join(reasons) or None

    def _tally(self, result: Result) -> None:
        self._done += 1
        self._failed += not result.read
        self._spent += _price(result)

    def _left_s(self) -> float | None:
        """From the mean time of each subject's readings: all places filled, and no subject beyond its own limit.

        Nobody knows how long a batch takes.
        """
        lines = [line for line in self._lines.values() if line.at_once]
        done = sum(line.done for line in lines)
        if not done or any(line.left for line in self._lines.values() if not line.at_once):
            return None
        usual = sum(line.seconds for line in lines) / done
        needed = [(line.left * (line.seconds / line.done if line.done else usual), line.at_once) for line in lines]
        together = sum(seconds for seconds, _ in needed) / self._concurrency
        return max(together, *(seconds / places for seconds, places in needed))


def _price(result: Result) -> float:
    return (result.recognition.cost_usd or 0.0) if result.recognition else 0.0


def fault_of_settings(result: Result) -> str | None:
    """Why nobody was measured, when a reading failed for a wrong key or an empty purse; None for any other result."""
    found = result.recognition
    if result.read or found is None or found.fallback_reason not in _NOT_THE_MODEL:
        return None
    return next((attempt.error for attempt in found.attempts if attempt.error), None) or str(found.fallback_reason)
