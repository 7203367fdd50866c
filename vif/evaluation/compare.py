"""Two runs: what got better, what got worse, and whether chance could do that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vif.evaluation.measures import METRICS, CaseReport, Change, Report, SubjectReport
from vif.evaluation.suite import Case
from vif.statistics.paired import PairedComparison, compare_paired, holm

CHANGED_ABOVE = 0.05
"""Of a case's error: less is not worth looking at."""

SIGNIFICANT_BELOW = 0.05

_ROUNDING = 1e-9


def compare_runs(before: Report, after: Report, *, rng_seed: int = 0) -> tuple[Change, ...]:
    """Each subject of both runs, in the order of `after`; without a common name, the one of each run where it has one.

    Only cases count that both runs have, with the same message, expectation and previous state, and that both readers
    have read. p-values are corrected for the number of subjects (Holm). The same seed gives the same intervals.
    """
    rng = np.random.default_rng(rng_seed)
    same = _same_cases(before.run.cases, after.run.cases)
    found = []
    for old, new in _pairs(before.subjects, after.subjects):
        errors = _errors(old.cases, new.cases, same)
        # First the run after, so that an error that became smaller is below 0.
        error = compare_paired(
            [later for _, _, later in errors],
            [earlier for _, earlier, _ in errors],
            rng=rng,
            names=(new.name, old.name),
        )
        found.append((old, new, error, [(case, later - earlier) for case, earlier, later in errors]))
    adjusted = holm([error.p_value for _, _, error, _ in found])
    return tuple(
        _change(old, new, replace(error, p_adjusted=p_adjusted), moves)
        for (old, new, error, moves), p_adjusted in zip(found, adjusted, strict=True)
    )


def _pairs(
    before: Sequence[SubjectReport], after: Sequence[SubjectReport]
) -> list[tuple[SubjectReport, SubjectReport]]:
    by_name = {subject.name: subject for subject in before}
    common = [(by_name[subject.name], subject) for subject in after if subject.name in by_name]
    if not common and len(before) == len(after) == 1:
        return [(before[0], after[0])]
    return common


def _same_cases(before: Sequence[Case], after: Sequence[Case]) -> frozenset[str]:
    """A case whose message or expectation was changed is another case, whatever it is called."""
    earlier = {case.id: _judged(case) for case in before}
    return frozenset(case.id for case in after if earlier.get(case.id) == _judged(case))


def _judged(case: Case) -> tuple[object, ...]:
    return case.message, dict(case.ranges), dict(case.targets), dict(case.previous or {})


def _errors(
    before: Sequence[CaseReport], after: Sequence[CaseReport], same: frozenset[str]
) -> list[tuple[str, float, float]]:
    earlier = {case.case_id: case.error for case in before}
    found = []
    for case in after:
        old, new = earlier.get(case.case_id), case.error
        if case.case_id in same and old is not None and new is not None:
            found.append((case.case_id, old, new))
    return found


def _change(
    old: SubjectReport, new: SubjectReport, error: PairedComparison, moves: Sequence[tuple[str, float]]
) -> Change:
    by_size = sorted(moves, key=lambda move: -abs(move[1]))
    large = [move for move in by_size if abs(move[1]) > CHANGED_ABOVE + _ROUNDING]
    return Change(
        before=old.name,
        after=new.name,
        error=error,
        words=_words(error),
        better=tuple(move for move in large if move[1] < 0),
        worse=tuple(move for move in large if move[1] > 0),
        metrics={name: (old.metrics[name], new.metrics[name]) for name in METRICS},
    )


def _words(error: PairedComparison) -> str:
    """A verdict only where test and interval agree. Where all cases moved alike there is no interval but a test."""
    between = error.difference
    if between.estimate is None or error.p_adjusted >= SIGNIFICANT_BELOW:
        return "no difference that chance could not make"
    if between.low is not None and between.high is not None and between.low <= 0 <= between.high:
        return "no difference that chance could not make"
    return "better" if between.estimate < 0 else "worse"
