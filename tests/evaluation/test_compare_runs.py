"""What got better and what got worse from one run to the next, worked by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scipy import stats

from tests.evaluation.evaluating import a_run, cases_with_targets, four, reading, stand_in
from vif.domains import Domain
from vif.evaluation.compare import compare_runs
from vif.evaluation.measures import METRICS, Report
from vif.evaluation.metrics import evaluate
from vif.evaluation.suite import Case

NOBODY_KNOWS = "no difference that chance could not make"


def cases_of(*targets: float) -> list[Case]:
    return [
        Case(id=f"c{number}", message=f"message {number}", targets={Domain.CD: target})
        for number, target in enumerate(targets)
    ]


def report_of(cases: Sequence[Case], *computational: float, name: str = "luna") -> Report:
    """Of one subject that read CD so."""
    results = [
        reading(case.id, four(value, 0, 0, 0), subject=name) for case, value in zip(cases, computational, strict=False)
    ]
    return evaluate(a_run(cases, name), results, resamples=100)


def test_by_hand() -> None:
    cases = cases_of(0.5, 0.5, 0.5)
    (change,) = compare_runs(report_of(cases, 0.7, 0.5, 0.5), report_of(cases, 0.6, 0.53, 0.8))
    # Errors .2, 0, 0 before; .1, .03, .3 after. Changes −.1, +.03, +.3: mean .23 / 3. The second is not above .05.
    assert change.error.difference.estimate == pytest.approx(0.23 / 3)
    assert dict(change.better) == pytest.approx({"c0": -0.1})
    assert dict(change.worse) == pytest.approx({"c2": 0.3})
    # ±.1 ±.03 ±.3 sums to ±.43, ±.37, ±.23 and ±.17: 6 of 8 are at least as far from 0 as .23.
    assert change.error.p_value == pytest.approx(0.75)
    assert change.words == NOBODY_KNOWS
    assert tuple(change.metrics) == METRICS
    assert [one.interval.estimate for one in change.metrics["mae"]] == [
        pytest.approx(0.2 / 3),
        pytest.approx(0.43 / 3),
    ]


def test_the_largest_change_comes_first() -> None:
    cases = cases_of(0.5, 0.5, 0.5, 0.5)
    (change,) = compare_runs(report_of(cases, 0.6, 0.9, 0.5, 0.5), report_of(cases, 0.5, 0.5, 0.7, 0.9))
    assert [case for case, _ in change.better] == ["c1", "c0"]
    assert [case for case, _ in change.worse] == ["c3", "c2"]


def test_a_change_of_exactly_a_twentieth_is_not_shown() -> None:
    # In binary 0.7 − 0.65 is 0.04999999999999993, and 0.65 − 0.6 is 0.050000000000000044.
    cases = cases_of(0.0, 0.0, 0.0)
    (change,) = compare_runs(report_of(cases, 0.65, 0.6, 0.6), report_of(cases, 0.7, 0.65, 0.66))
    assert [case for case, _ in change.worse] == ["c2"]


def test_a_real_improvement_is_better_and_turned_round_it_is_worse() -> None:
    rng = np.random.default_rng(3)
    cases = cases_with_targets(40, rng)
    rough = evaluate(a_run(cases), stand_in("luna", cases, rng, noise=0.2))
    fine = evaluate(a_run(cases), stand_in("luna", cases, rng, noise=0.05))
    (forth,), (back,) = compare_runs(rough, fine), compare_runs(fine, rough)
    assert (forth.words, back.words) == ("better", "worse")
    assert forth.error.difference.high is not None
    assert forth.error.difference.high < 0


def test_the_test_agrees_with_scipys_permutation_test() -> None:
    rng = np.random.default_rng(4)
    cases = cases_of(*[0.5] * 10)
    one, other = rng.uniform(0, 1, 10), rng.uniform(0, 1, 10)
    (change,) = compare_runs(report_of(cases, *one), report_of(cases, *other))
    errors = np.abs(other - 0.5), np.abs(one - 0.5)
    theirs = stats.permutation_test(errors, lambda a, b: np.mean(a - b), permutation_type="samples", n_resamples=2**10)
    assert change.error.p_value == pytest.approx(theirs.pvalue)
    assert change.error.difference.estimate == pytest.approx(theirs.statistic)


def test_all_cases_better_by_the_same_amount_is_better_though_resampling_shows_no_interval() -> None:
    cases = cases_of(*[0.5] * 6)
    (change,) = compare_runs(report_of(cases, *[0.75] * 6), report_of(cases, *[0.5] * 6))
    # Two of 2⁶ sign patterns are as far from 0.
    assert change.error.p_value == pytest.approx(2 / 64)
    assert change.error.difference.low is None
    assert change.words == "better"


def test_a_case_whose_message_or_expectation_changed_is_another_case() -> None:
    before = cases_of(0.5, 0.5, 0.5, 0.5)
    after = [
        before[0].model_copy(update={"message": "something else"}),
        before[1].model_copy(update={"targets": {Domain.CD: 0.9}}),
        before[2].model_copy(update={"tags": ("new",), "note": "a tag changes nothing"}),
        before[3].model_copy(update={"previous": four(0.1, 0.1, 0.1, 0.1)}),
    ]
    (change,) = compare_runs(report_of(before, 1, 1, 1, 1), report_of(after, 0.5, 0.5, 0.5, 0.5))
    assert dict(change.better) == pytest.approx({"c2": -0.5})
    assert change.error.difference.n_cases == 1


def test_only_cases_that_both_have_read_count() -> None:
    cases = cases_of(0.5, 0.5, 0.5)
    (change,) = compare_runs(report_of(cases, 1, 1, 1), report_of(cases, 0.5))
    assert [case for case, _ in change.better] == ["c0"]


def test_nothing_in_common_is_no_difference_and_no_error() -> None:
    (change,) = compare_runs(report_of(cases_of(0.5)), report_of(cases_of(0.5)))
    assert (change.error.difference.estimate, change.error.p_value, change.words) == (None, 1, NOBODY_KNOWS)
    assert (change.better, change.worse) == ((), ())


def test_one_subject_each_is_compared_whatever_the_names() -> None:
    cases = cases_of(0.5)
    (change,) = compare_runs(report_of(cases, 1, name="luna"), report_of(cases, 0.5, name="haiku"))
    assert (change.before, change.after) == ("luna", "haiku")
    assert (change.error.first, change.error.second) == ("haiku", "luna")


def test_of_several_subjects_those_of_the_same_name_are_compared_with_holms_correction() -> None:
    rng = np.random.default_rng(5)
    cases = cases_with_targets(12, rng)

    def run_of(*names: str) -> Report:
        results = [one for name in names for one in stand_in(name, cases, rng, noise=0.1)]
        return evaluate(a_run(cases, *names), results, resamples=100)

    changes = compare_runs(run_of("a", "b", "c"), run_of("c", "d", "a"))
    assert [(one.before, one.after) for one in changes] == [("c", "c"), ("a", "a")]
    smaller, larger = sorted(changes, key=lambda change: change.error.p_value)
    # Holm: the smaller of two is doubled, the larger one left, but never below the first.
    assert smaller.error.p_adjusted == pytest.approx(min(1, 2 * smaller.error.p_value))
    assert larger.error.p_adjusted == pytest.approx(max(larger.error.p_value, smaller.error.p_adjusted))
    assert compare_runs(run_of("a", "b"), run_of("c", "d")) == ()


def test_the_same_seed_gives_the_same_comparison() -> None:
    rng = np.random.default_rng(6)
    cases = cases_with_targets(10, rng)
    reports = [evaluate(a_run(cases), stand_in("luna", cases, rng, noise=0.1)) for _ in range(2)]
    once, again, otherwise = (compare_runs(*reports, rng_seed=seed)[0].error.difference for seed in (1, 1, 2))
    assert once == again
    assert once != otherwise
