"""The one sentence of a report that somebody will quote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vif.evaluation._table import Table
from vif.evaluation.records import Run
from vif.statistics.bootstrap import cases_needed
from vif.statistics.paired import PairedComparison, compare_paired

_LEVEL = 0.95


def headline(
    run: Run,
    tables: Sequence[Table],
    comparisons: Sequence[PairedComparison],
    *,
    done: int,
    rng_seed: int,
    resamples: int,
) -> str:
    """How the subject with the smallest error does against the Rust formula on the same cases.

    The formula need not be a subject: what it says is kept with every result. Where it is one, the comparison is the
    report's own, and chance has to be ruled out after Holm's correction too.
    """
    so_far = "" if done == run.total else f" So far {done:,} of {run.total:,} readings are there."
    judged = [table for table in tables if not table.subject.formula and np.isfinite(table.error).any()]
    if not judged:
        return f"Not enough evidence: {_why_nothing(tables, done)}.{so_far}"
    best = min(judged, key=lambda table: float(np.nanmean(table.error)))
    name = best.subject.name
    found = _against_formula(run, best, tables, comparisons, rng_seed=rng_seed, resamples=resamples)
    n = int(np.isfinite(best.error).sum())
    begin = f"{name} reads {n:,} {_messages(n)} with an error of {np.nanmean(best.error):.2f}"
    if found is None:
        return f"Not enough evidence: {begin}, and what the Rust formula says of them was not kept.{so_far}"
    between = found.difference
    if between.n_cases < cases_needed(_LEVEL):
        few = f"{between.n_cases} {_messages(between.n_cases)} can be compared, {cases_needed(_LEVEL)} are needed"
        return f"Not enough evidence: {begin}, and {few}.{so_far}"
    if between.estimate is None or between.low is None or between.high is None:
        return f"Not enough evidence: {begin}, and {between.reason}.{so_far}"
    less = between.estimate <= 0
    low, high = (-between.high, -between.low) if less else (between.low, between.high)
    than = f"{abs(between.estimate):.2f} {'less' if less else 'more'} than the Rust formula"
    ends = f"(95 % interval {_signed(low)} to {_signed(high)})"
    if low > 0 and found.p_adjusted < 1 - _LEVEL:
        return f"{begin}, {than} {ends}.{so_far}"
    return f"Not enough evidence that {name} and the Rust formula differ: {begin}, {than} {ends}.{so_far}"


def _against_formula(
    run: Run,
    best: Table,
    tables: Sequence[Table],
    comparisons: Sequence[PairedComparison],
    *,
    rng_seed: int,
    resamples: int,
) -> PairedComparison | None:
    formulas = [table.subject.name for table in tables if table.subject.formula]
    for one in comparisons:
        if one.first == best.subject.name and one.second in formulas:
            return one
        if one.second == best.subject.name and one.first in formulas:
            return _turned(one)
    expected = [list(case.expected.items()) for case in run.cases]
    both, of_formula = [], []
    for place in map(int, np.flatnonzero(np.isfinite(best.error))):
        said = best.readings[place][0].formula
        if all(domain in said for domain, _ in expected[place]):
            both.append(place)
            of_formula.append(float(np.mean([abs(said[domain] - value) for domain, value in expected[place]])))
    if not both:
        return None
    rng = np.random.default_rng(rng_seed)
    return compare_paired([best.error[place] for place in both], of_formula, rng=rng, resamples=resamples)


def _turned(one: PairedComparison) -> PairedComparison:
    interval = one.difference
    ends = (None, None) if interval.low is None or interval.high is None else (-interval.high, -interval.low)
    estimate = None if interval.estimate is None else -interval.estimate
    difference = replace(interval, estimate=estimate, low=ends[0], high=ends[1])
    return replace(one, first=one.second, second=one.first, difference=difference)


def _why_nothing(tables: Sequence[Table], done: int) -> str:
    if not done:
        return "nothing was read yet"
    if all(table.subject.formula for table in tables):
        return "nobody but the Rust formula was asked"
    if not any(len(table.owner) for table in tables if not table.subject.formula):
        return "no model gave a reading"
    return "no message that was read says what a good reading of it is"


def _messages(n: int) -> str:
    return "message" if n == 1 else "messages"


def _signed(value: float) -> str:
    shown = f"{value:.2f}".replace("-", "−")
    return "0.00" if shown == "−0.00" else shown
