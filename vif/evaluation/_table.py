"""One subject's results as sums over each case, and the intervals of every metric from those."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vif.domains import DOMAINS
from vif.evaluation._calls import (
    Tally,
    contract_of,
    inside_ranges,
    is_reading,
    is_remembered,
    is_timed,
    most_dominant,
    tokens_of,
    total,
    unexpected_shifts,
    yes_no,
)
from vif.evaluation._clustered import (
    LEVEL,
    Asked,
    discrimination_of,
    icc_of,
    mean_of,
    nothing,
    pooled_correlation_of,
    quantiles_of,
    resampled,
    share,
    spread_of,
)
from vif.evaluation.measures import METRICS, MetricName
from vif.evaluation.records import Result, Run, Subject
from vif.statistics.bootstrap import Interval, no_interval
from vif.statistics.cases import FloatArray

Numbers = NDArray[np.intp]

_SAME = 1e-12

_SHARES: Final[Mapping[MetricName, str]] = {
    "schema_first": "no call's first attempt is known",
    "schema_after": "no call is known to its end",
    "range": "there is no answer with numbers",
    "permeability": "the first model gave no boundaries",
    "status": "the first model gave no boundaries",
    "in_range": "no case that was read expects a range",
    "dominant_agreement": "no case was read twice",
    "continuity": "no case that was read follows another",
    "fallbacks": "there are no calls",
    "retries": "there are no calls",
}
"""Metrics that count passes, and why there may be nothing to count."""

_FORMULA = "the formula is no model: it is not asked, and reads every message in the same way"
_NOT_OF_FORMULA: frozenset[MetricName] = frozenset(
    {
        "schema_first",
        "schema_after",
        "range",
        "permeability",
        "status",
        "formula_correlation",
        "sd",
        "dominant_agreement",
        "icc",
        "continuity",
        "fallbacks",
        "retries",
    }
)


@dataclass(frozen=True, slots=True)
class Table:
    """What is known of a subject, by case. Arrays without another shape named have shape (n_cases,).

    Attributes:
        results: of each case, by repeat.
        readings: those of them that the subject itself read.
        passes, trials: of every metric that is a share.
        counts: readings. means, scatter: of those, by domain, shape (n_cases, 4); means are NaN without any.
        formula: what the formula says, shape (n_cases, 4); NaN without a reading.
        errors: from what is expected, by reading; shape (readings,), NaN without an expectation.
        error: the mean of those.
        owner: the case of each reading, shape (readings,).
        latency, latency_owner: milliseconds of every reading somebody waited for, and their cases.
        calls: those whose tokens and price count. tokens: their sum. cost: dollars of those with a price.
        unpriced: calls whose price is not known.
    """

    subject: Subject
    results: Sequence[Sequence[Result]]
    readings: Sequence[Sequence[Result]]
    passes: Mapping[MetricName, FloatArray]
    trials: Mapping[MetricName, FloatArray]
    counts: FloatArray
    means: FloatArray
    scatter: FloatArray
    formula: FloatArray
    errors: FloatArray
    error: FloatArray
    owner: Numbers
    latency: FloatArray
    latency_owner: Numbers
    calls: FloatArray
    tokens: FloatArray
    cost: FloatArray
    unpriced: FloatArray

    def errors_of(self, case: int) -> FloatArray:
        """Of each reading of a case. Readings are in the order of their cases."""
        start, end = np.searchsorted(self.owner, (case, case + 1))
        return self.errors[start:end]


def table_of(run: Run, subject: Subject, results: Sequence[Sequence[Result]]) -> Table:
    """`results`: of each case of the run, by repeat."""
    n = len(run.cases)
    oscillation = bool(subject.settings.get("llm1_oscillation", False))
    readings = [[one for one in of_case if is_reading(one, subject)] for of_case in results]
    passes = {name: np.zeros(n) for name in _SHARES}
    trials = {name: np.zeros(n) for name in _SHARES}

    def count(name: MetricName, place: int, tally: Tally) -> None:
        passes[name][place] += tally.passes
        trials[name][place] += tally.of

    latency: list[float] = []
    latency_owner: list[int] = []
    calls, tokens, cost, unpriced = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    for place, (case, of_case) in enumerate(zip(run.cases, results, strict=True)):
        for result in of_case:
            if not subject.formula:
                for name, tally in contract_of(result, oscillation=oscillation).items():
                    count(name, place, tally)
            if is_timed(result):
                latency.append(result.added_ms)
                latency_owner.append(place)
            if result.recognition is None or is_remembered(result):
                continue
            calls[place] += 1
            tokens[place] += tokens_of(result.recognition.attempts)
            cost[place] += result.recognition.cost_usd or 0.0
            unpriced[place] += result.recognition.cost_usd is None
        domains = [one.domains for one in readings[place] if one.domains is not None]
        count("in_range", place, total(inside_ranges(one, case) for one in domains))
        if case.previous:
            count("continuity", place, total(yes_no(not unexpected_shifts(one, case)) for one in domains))
        if len(domains) > 1:
            count("dominant_agreement", place, most_dominant(domains))
    owner = np.array([place for place, of_case in enumerate(readings) for _ in of_case], dtype=np.intp)
    flat = [one for of_case in readings for one in of_case]
    values = _matrix([[(one.domains or {})[domain] for domain in DOMAINS] for one in flat])
    formulas = _matrix([[one.formula.get(domain, np.nan) for domain in DOMAINS] for one in flat])
    counts = np.bincount(owner, minlength=n).astype(np.float64)
    means = _means(values, owner, counts)
    deviations = (values - means[owner]) ** 2
    wanted = [case.expected for case in run.cases]
    expected = _matrix([[one.get(domain, np.nan) for domain in DOMAINS] for one in wanted])
    known = np.isfinite(expected)
    distances = np.where(known[owner], np.abs(values - expected[owner]), 0.0)
    with np.errstate(invalid="ignore"):
        errors = distances.sum(axis=1) / np.where(known.any(axis=1), known.sum(axis=1), np.nan)[owner]
    return Table(
        subject,
        results,
        readings,
        passes,
        trials,
        counts,
        means,
        scatter=np.stack([np.bincount(owner, column, minlength=n) for column in deviations.T], axis=1),
        formula=_means(formulas, owner, counts),
        errors=errors,
        error=_means(errors[:, None], owner, counts)[:, 0],
        owner=owner,
        latency=np.array(latency),
        latency_owner=np.array(latency_owner, dtype=np.intp),
        calls=calls,
        tokens=tokens,
        cost=cost,
        unpriced=unpriced,
    )


def _matrix(rows: Sequence[Sequence[float]]) -> FloatArray:
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(DOMAINS))


def _means(values: FloatArray, owner: Numbers, counts: FloatArray) -> FloatArray:
    """Of each case, shape (n_cases, columns); equal repeats have that very mean."""
    first = np.full((len(counts), values.shape[1]), np.nan)
    first[owner[::-1]] = values[::-1]
    with np.errstate(invalid="ignore"):
        rest = np.stack([np.bincount(owner, column, len(counts)) for column in (values - first[owner]).T], axis=1)
        return np.asarray(first + rest / np.where(counts > 0, counts, np.nan)[:, None], dtype=np.float64)


def intervals(table: Table, cases: Numbers, rng: np.random.Generator, resamples: int) -> dict[MetricName, Interval]:
    """Every metric over these cases, in the order of METRICS. One that means nothing has no estimate, and says why."""
    found: dict[MetricName, Interval] = {
        name: share(table.passes[name][cases], table.trials[name][cases], reason) for name, reason in _SHARES.items()
    }
    asked = [
        *_of_expectations(table, cases),
        *_of_readings(table, cases),
        *_of_repeats(table, cases),
        *_of_latency(table, cases),
        *_of_calls(table, cases),
    ]
    if table.subject.formula:
        asked = [one for one in asked if not _NOT_OF_FORMULA.intersection(one.names)]
        found |= {name: no_interval(None, LEVEL, 0, 0, _FORMULA) for name in _NOT_OF_FORMULA}
    found |= resampled(asked, rng, resamples)
    return {name: found[name] for name in METRICS}


def _of_expectations(table: Table, cases: Numbers) -> list[Asked]:
    judged = cases[np.isfinite(table.error[cases])]
    values = int(table.counts[judged].sum())
    why = "no case that was read says what is expected"
    return [Asked(("mae",), judged, mean_of(table.error[judged]), values, why)]


def _of_readings(table: Table, cases: Numbers) -> list[Asked]:
    read = cases[table.counts[cases] > 0]
    if not len(read):
        return [nothing("formula_correlation", "nothing was read"), nothing("discrimination", "nothing was read")]
    return [_correlation(table, read), _discrimination(table, read)]


def _correlation(table: Table, read: Numbers) -> Asked:
    means, formula = table.means[read], table.formula[read]
    if not np.isfinite(formula).all():
        return nothing("formula_correlation", "what the formula says was not kept")
    if np.ptp(formula) <= _SAME:
        why = "the formula says the same of all four domains: nothing can go up or down with it"
        return nothing("formula_correlation", why)
    if np.ptp(means) <= _SAME:
        why = "the subject says the same of all domains and messages: that goes up or down with nothing"
        return nothing("formula_correlation", why)
    values = int(table.counts[read].sum())
    return Asked(("formula_correlation",), read, pooled_correlation_of(means, formula), values)


def _discrimination(table: Table, read: Numbers) -> Asked:
    if len(read) < 2:
        return nothing("discrimination", "it takes two or more cases to differ")
    counts, means, scatter = table.counts[read], table.means[read], table.scatter[read]
    alone = "no case was repeated, so chance is still in it" if counts.max() < 2 else ""
    why = "every reading is the same, whatever the message" if _all_same(means, scatter) else alone
    statistic = discrimination_of(counts, means, scatter)
    return Asked(("discrimination",), read, statistic, int(counts.sum()), without_ends=why)


def _all_same(means: FloatArray, scatter: FloatArray) -> bool:
    return bool(np.ptp(means, axis=0).max() <= _SAME and scatter.max() <= _SAME**2)


def _of_repeats(table: Table, cases: Numbers) -> list[Asked]:
    repeated = cases[table.counts[cases] > 1]
    counts, means, scatter = table.counts[repeated], table.means[repeated], table.scatter[repeated]
    values = int(counts.sum())
    spread = Asked(("sd",), repeated, spread_of(scatter, counts), values, "no case was read twice")
    if len(repeated) < 2:
        return [spread, nothing("icc", "it takes two or more cases that were read twice")]
    if _all_same(means, scatter):
        return [spread, nothing("icc", "every reading is the same: there is nothing on which repeats could agree")]
    return [spread, Asked(("icc",), repeated, icc_of(counts, means, scatter), values)]


def _of_latency(table: Table, cases: Numbers) -> list[Asked]:
    place = np.full(len(table.counts), -1, dtype=np.intp)
    timed = np.intersect1d(cases, table.latency_owner)
    place[timed] = np.arange(len(timed))
    among = place[table.latency_owner] >= 0
    values, owner = table.latency[among], place[table.latency_owner[among]]
    statistic = quantiles_of(values, owner, (0.5, 0.95))
    return [Asked(("latency_p50", "latency_p95"), timed, statistic, len(values), "nobody waited for a reading")]


def _of_calls(table: Table, cases: Numbers) -> list[Asked]:
    called = cases[table.calls[cases] > 0]
    calls, unpriced = table.calls[called], int(table.unpriced[called].sum())
    total = int(calls.sum())
    tokens = Asked(("tokens",), called, mean_of(table.tokens[called] / calls), total, "there are no calls")
    if unpriced:
        return [tokens, nothing("cost", f"the price of {unpriced:,} of {total:,} calls is not known")]
    return [tokens, Asked(("cost",), called, mean_of(table.cost[called] / calls), total, "there are no calls")]
