"""From results to a report: every metric with its interval, by case, by tag and by subject, and who is better.

report = evaluate(run, results)
report.subjects[0].metrics["mae"].interval
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from vif.errors import InputError
from vif.evaluation._case_reports import case_reports
from vif.evaluation._headline import headline
from vif.evaluation._table import Numbers, Table, intervals, table_of
from vif.evaluation.measures import Metric, MetricName, Report, SubjectReport
from vif.evaluation.records import Result, Run, Subject
from vif.evaluation.targets import TARGETS
from vif.statistics.bootstrap import DEFAULT_RESAMPLES, Interval
from vif.statistics.paired import PairedComparison, compare_paired, holm
from vif.statistics.pareto import Candidate, pareto_front

TAG_SHARE = 5
"""Of the resamples; a tag gets one in so many, as there are many tags and nobody reads their ends to the last digit."""

FEWEST_RESAMPLES = 100

PERMUTATIONS = 5_000
"""Sign patterns of a comparison of many cases: enough for a p-value of 0.001 after correction."""


def evaluate(run: Run, results: Sequence[Result], *, rng_seed: int = 0, resamples: int = DEFAULT_RESAMPLES) -> Report:
    """What a run came to, as far as it is; also without any result.

    Args:
        run: as it was planned.
        results: in any order, not more than one of each case, subject and repeat.
        rng_seed: the same seed gives the same report, whatever the order of the results.
        resamples: of the bootstrap, 100 or more.

    Raises:
        InputError: a result that does not belong to the run, or is there twice; too few resamples.
    """
    if resamples < FEWEST_RESAMPLES:
        raise InputError(f"resamples is {resamples!r}; it must be {FEWEST_RESAMPLES} or more")
    sorted_out = _sorted_out(run, results)
    tables = [table_of(run, subject, sorted_out[subject.name]) for subject in run.subjects]
    tags = _tags(run)
    subjects = tuple(_subject_report(run, table, tags, rng_seed, resamples) for table in tables)
    comparisons = _comparisons(tables, rng_seed, resamples)
    return Report(
        run,
        subjects,
        comparisons,
        front=_front(subjects),
        done=len(results),
        headline=headline(run, tables, comparisons, done=len(results), rng_seed=rng_seed, resamples=resamples),
    )


def metric_of(name: MetricName, interval: Interval, subject: Subject) -> Metric:
    """The metric with its target, if the subject has one, and whether it is met."""
    target = None if subject.formula else TARGETS.get(name)
    if target is None or interval.estimate is None:
        return Metric(name, interval, target)
    met = target.met_by(interval.estimate)
    if interval.low is None or interval.high is None:
        return Metric(name, interval, target, met)
    sure = target.met_by(interval.low) == met == target.met_by(interval.high)
    return Metric(name, interval, target, met, sure)


def _sorted_out(run: Run, results: Sequence[Result]) -> dict[str, list[list[Result]]]:
    """By subject, then by case in the run's order, then by repeat."""
    cases = {case.id: place for place, case in enumerate(run.cases)}
    found: dict[str, list[list[Result]]] = {subject.name: [[] for _ in run.cases] for subject in run.subjects}
    seen: set[tuple[str, str, int]] = set()
    for result in results:
        if fault := _misplaced(run, result, cases, found):
            raise InputError(f"{_named(result)} does not belong to the run {run.id!r}, {fault}")
        if result.key in seen:
            raise InputError(f"{_named(result)} is there twice; a run has one result of each")
        seen.add(result.key)
        found[result.subject][cases[result.case_id]].append(result)
    for of_subject in found.values():
        for of_case in of_subject:
            of_case.sort(key=lambda result: result.repeat)
    return found


def _named(result: Result) -> str:
    return f"the result of case {result.case_id!r} by {result.subject!r}, repeat {result.repeat},"


def _misplaced(run: Run, result: Result, cases: Container[str], subjects: Container[str]) -> str:
    if result.case_id not in cases:
        return "which has no such case"
    if result.subject not in subjects:
        return "which has no such subject"
    return "" if 0 <= result.repeat < run.repeats else f"whose repeats are 0 to {run.repeats - 1}"


def _tags(run: Run) -> dict[str, Numbers]:
    """The numbers of each tag's cases, tags in alphabetical order."""
    places: dict[str, list[int]] = {}
    for place, case in enumerate(run.cases):
        for tag in set(case.tags):
            places.setdefault(tag, []).append(place)
    return {tag: np.array(places[tag], dtype=np.intp) for tag in sorted(places)}


def _subject_report(
    run: Run, table: Table, tags: Mapping[str, Numbers], rng_seed: int, resamples: int
) -> SubjectReport:
    def metrics(cases: Numbers, resamples: int) -> Mapping[MetricName, Metric]:
        rng = np.random.default_rng(rng_seed)
        found = intervals(table, cases, rng, resamples)
        return {name: metric_of(name, interval, table.subject) for name, interval in found.items()}

    fewer = max(FEWEST_RESAMPLES, resamples // TAG_SHARE)
    return SubjectReport(
        table.subject.name,
        metrics(np.arange(len(run.cases), dtype=np.intp), resamples),
        {tag: metrics(cases, fewer) for tag, cases in tags.items()},
        case_reports(run, table),
    )


def _comparisons(tables: Sequence[Table], rng_seed: int, resamples: int) -> tuple[PairedComparison, ...]:
    """Every pair that has read a case in common of which it is known what to expect."""
    rng = np.random.default_rng(rng_seed)
    pairs = []
    for one, other in combinations(tables, 2):
        both = np.flatnonzero(np.isfinite(one.error) & np.isfinite(other.error))
        if len(both):
            names = (one.subject.name, other.subject.name)
            first, second = ([table.errors_of(int(case)) for case in both] for table in (one, other))
            pairs.append(
                compare_paired(first, second, rng=rng, names=names, resamples=resamples, permutations=PERMUTATIONS)
            )
    adjusted = holm([pair.p_value for pair in pairs])
    return tuple(replace(pair, p_adjusted=p_adjusted) for pair, p_adjusted in zip(pairs, adjusted, strict=True))


def _front(subjects: Sequence[SubjectReport]) -> tuple[str, ...]:
    candidates = []
    for subject in subjects:
        error, latency, cost = (subject.metrics[name].interval.estimate for name in ("mae", "latency_p95", "cost"))
        if error is not None and latency is not None and cost is not None:
            candidates.append(Candidate(subject.name, -error, latency, cost))
    return tuple(candidate.name for candidate in pareto_front(candidates))
