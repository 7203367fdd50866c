"""What the tour can say of quality: people's verdict where there is one, and an evaluation, kept or carried out now."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import datetime

import streamlit as st

import vif
from pages import _evaluate_runs, _identity, _review, _runtime
from vif.errors import ForbiddenError
from vif.evaluation.measures import Report
from vif.evaluation.metrics import evaluate
from vif.evaluation.plan import FORMULA, config_of, make_run
from vif.evaluation.records import Result, Run
from vif.evaluation.runner import Runner
from vif.evaluation.suite import shipped
from vif.review.findings import Verdict
from vif.review.verdict import verdict

READER = "offline"
MOST_LOOKED_AT = 8
"""Campaigns and runs: a tour does not search a whole archive."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What people found in a campaign."""

    campaign: str
    id: str
    found: Verdict


class Measuring:
    """The shipped standard suite read by the embedded model and the formula, here and now; nothing of it is kept."""

    def __init__(self) -> None:
        self.run = make_run(shipped("standard"), [READER, FORMULA])
        self.report: Report | None = None
        self.why: str | None = None
        self._results: list[Result] = []
        self._ended = threading.Event()

    @property
    def over(self) -> bool:
        return self._ended.is_set()

    @property
    def share(self) -> float:
        """How much of it is read, 0 to 1."""
        return min(len(self._results) / self.run.total, 1.0)

    def start(self) -> None:
        _runtime.event_loop().submit(self._carry_out())

    def stop(self) -> bool:
        """Nothing: it is for all who look on, and soon over."""
        return False

    def follow(self) -> Iterator[float]:
        """How far it is, now and then, until it is over."""
        while not self._ended.wait(_runtime.POLL_S):
            yield self.share
        yield 1.0

    async def _carry_out(self) -> None:
        access = vif.Access()
        try:
            reader, baseline = self.run.subjects
            async with (
                aclosing(vif.connect(config_of(self.run, reader), access)) as api,
                aclosing(vif.connect(config_of(self.run, baseline), access, mode="formula")) as formula,
            ):
                runner = Runner(self.run, {reader.name: api, baseline.name: formula}, self)
                async with aclosing(runner.run()) as events:
                    async for _ in events:
                        pass
            self.report = evaluate(self.run, self._results)
        except Exception as error:  # noqa: BLE001
            self.why = _runtime.in_words(error)
        finally:
            self._ended.set()

    # A `ResultKeeper` in memory.

    async def save_run(self, run: Run) -> None:
        """Nothing is kept."""

    async def add_result(self, run_id: str, result: Result) -> None:  # noqa: ARG002  # there is only one
        self._results.append(result)

    async def results(self, id: str) -> Sequence[Result]:  # noqa: ARG002  # there is only one
        return tuple(self._results)


def measuring() -> Measuring:
    """The evaluation of this server: begun by the first who asks, and again when it failed."""
    found = _measuring()
    if found.over and found.report is None:
        _measuring.clear()
        found = _measuring()
    return found


@st.cache_resource(show_spinner=False)
def _measuring() -> Measuring:
    begun = Measuring()
    begun.start()
    return begun


def judged() -> Judged | None:
    """The newest campaign with ratings whose outcome may be seen here, or None. Raises VifError."""
    person = _identity.person()
    rows = [row for row in _review.ask(lambda reviews: reviews.campaigns(person)) if row.rated]
    for row in rows[:MOST_LOOKED_AT]:
        # An open one is nobody's to see but an administrator's: its raters are blind.
        with suppress(ForbiddenError):
            campaign, ratings = _review.ask(lambda reviews, id=row.id: reviews.outcome(person, id))  # type: ignore[misc]
            return Judged(row.name, row.id, verdict(campaign, ratings))
    return None


def kept_report() -> tuple[Report, datetime] | None:
    """The newest complete evaluation that compares a model with the formula, or None. Raises VifError."""
    for row in _evaluate_runs.rows()[:MOST_LOOKED_AT]:
        if row.done >= row.total and FORMULA in row.subjects and len(row.subjects) > 1:
            kept = _evaluate_runs.load_once(row.id, row.done)
            if kept is not None:
                return _evaluate_runs.report(kept), row.created_at
    return None
