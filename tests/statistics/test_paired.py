from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests

from tests.statistics.simulation import coverage, ends, near_nominal
from vif.errors import InputError
from vif.statistics.bootstrap import Interval
from vif.statistics.paired import EXACT_UP_TO, compare_models, compare_paired, holm, mcnemar, sign_flip_test


def test_a_sign_flip_test_by_hand(rng: np.random.Generator) -> None:
    # 1, 2, 3 sums to 6. Of the 8 sign patterns only + + + and − − − reach it: 2/8. For 1, 2, −3 the sum is 0: always.
    assert sign_flip_test([1, 2, 3], rng=rng) == (0.25, True)
    assert sign_flip_test([1, 2, -3], rng=rng) == (1.0, True)
    # −1, 2, 3 sums to 4: reached by ±(1 2 3) = 6 and ±(−1 2 3) = 4: 4/8. A zero changes nothing.
    assert sign_flip_test([-1, 2, 3, 0], rng=rng) == (0.5, True)
    assert sign_flip_test([0, 0], rng=rng) == sign_flip_test([], rng=rng) == (1.0, True)


@given(st.lists(st.integers(-20, 20), min_size=1, max_size=9))
def test_the_exact_test_agrees_with_all_patterns_one_by_one(tenths: list[int]) -> None:
    differences = [tenth / 10 for tenth in tenths]
    patterns = [
        abs(sum(sign * one for sign, one in zip(signs, tenths, strict=True)))
        for signs in product((1, -1), repeat=len(tenths))
    ]
    expected = sum(total >= abs(sum(tenths)) for total in patterns) / len(patterns)
    assert sign_flip_test(differences, rng=np.random.default_rng(0))[0] == pytest.approx(expected)


def test_the_exact_test_agrees_with_scipy(rng: np.random.Generator) -> None:
    for _ in range(20):
        differences = rng.normal(0.3, 1, 11)
        theirs = stats.permutation_test((differences,), np.mean, permutation_type="samples", n_resamples=np.inf)
        assert sign_flip_test(differences, rng=rng)[0] == pytest.approx(theirs.pvalue)


def test_many_cases_are_sampled_and_agree_with_the_exact_answer(rng: np.random.Generator) -> None:
    differences = rng.normal(0.35, 1, EXACT_UP_TO)
    exact, was_exact = sign_flip_test(differences, rng=rng)
    assert was_exact
    # The same differences, each split into halves that share no sign, would be another test: one tiny one is added.
    sampled, was_exact = sign_flip_test([*differences, 1e-9], rng=rng, permutations=50_000)
    assert not was_exact
    # Standard error √(p (1−p) / 50,000) is at most 0.0022.
    assert sampled == pytest.approx(exact, abs=0.009)


def test_a_sampled_p_value_is_never_zero(rng: np.random.Generator) -> None:
    # 40 differences of 1: only 2 of 2⁴⁰ patterns reach the sum, none of 999 drawn ones: 1/1000.
    assert sign_flip_test([1.0] * 40, rng=rng, permutations=999) == (0.001, False)


def test_a_comparison_by_hand(rng: np.random.Generator) -> None:
    # Case means .2 .4 .6 .8 .5 .3 against .1 .3 .5 .7 .5 .5: differences .1 .1 .1 .1 0 −.2, mean 0.2/6 = 0.0333.
    # Patterns of five signs: |±.1±.1±.1±.1±.2| ≥ .2: of 16 sums of four (−4…4: 1 4 6 4 1, in steps of 2) the
    # total with ±2 is below 2 in absolute value only for sums ±2 against the sign: 4 + 4 of 32; so 24/32 = 0.75.
    result = compare_paired(
        [[0.1, 0.3], 0.4, 0.6, 0.8, 0.5, 0.3], [0.1, 0.3, 0.5, 0.7, 0.5, [0.4, 0.6]], rng=rng, names=("a", "b")
    )
    assert result.difference.estimate == pytest.approx(0.2 / 6)
    assert (result.difference.n_cases, result.difference.n_values) == (6, 14)
    assert (result.p_value, result.p_adjusted, result.exact) == (0.75, 0.75, True)
    low, high = ends(result.difference)
    assert low < 0 < high


def test_models_of_known_bias_are_told_apart_and_equal_ones_are_not(rng: np.random.Generator) -> None:
    truth = rng.uniform(0, 1, 60)
    fine, also_fine = (np.abs(rng.normal(0, 0.05, (60, 5))) for _ in range(2))
    biased = np.abs(0.1 + rng.normal(0, 0.05, (60, 5)))
    blind = np.abs(truth - 0.5)
    pairs = compare_models({"fine": fine, "also fine": also_fine, "biased": biased, "formula": blind}, rng=rng)
    verdicts = {(pair.first, pair.second): pair.p_adjusted < 0.05 for pair in pairs}
    assert verdicts.pop(("fine", "also fine")) is False
    assert len(verdicts) == 5
    assert all(verdicts.values())


def test_equal_models_are_told_apart_no_more_often_than_announced(rng: np.random.Generator) -> None:
    found = 0
    for _ in range(500):
        hard = rng.normal(0, 1, (12, 1))
        a, b = (hard + rng.normal(0, 0.5, (12, 3)) for _ in range(2))
        found += sign_flip_test((a - b).mean(axis=1), rng=rng)[0] < 0.05
    # 5 % of 500 is 25, its standard error 4.9.
    assert 10 <= found <= 40


def test_paired_intervals_cover_the_truth_at_their_level(rng: np.random.Generator) -> None:
    def difference() -> Interval:
        hard = rng.normal(0, 1, (25, 1))
        a, b = hard + 0.2 + rng.normal(0, 0.5, (25, 3)), hard + rng.normal(0, 0.5, (25, 3))
        return compare_paired(a, b, rng=rng, resamples=400, permutations=100).difference

    share = coverage(difference, 0.2)
    assert near_nominal(share), share


def test_mcnemar_by_hand() -> None:
    # Only the first passes 5 cases, only the second 1: 2 (1 + 6) / 2⁶ = 0.21875.
    first = [True] * 3 + [True] * 5 + [False] + [False] * 2
    second = [True] * 3 + [False] * 5 + [True] + [False] * 2
    result = mcnemar(first, second)
    assert (result.both, result.only_first, result.only_second, result.neither) == (3, 5, 1, 2)
    assert result.p_value == pytest.approx(0.21875)
    assert mcnemar([True, False], [True, False]).p_value == 1.0


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_mcnemar_agrees_with_statsmodels(outcomes: list[tuple[bool, bool]]) -> None:
    ours = mcnemar([a for a, _ in outcomes], [b for _, b in outcomes])
    table = [[ours.both, ours.only_first], [ours.only_second, ours.neither]]
    assert sum(map(sum, table)) == len(outcomes)
    assert ours.p_value == pytest.approx(statsmodels_mcnemar(table, exact=True).pvalue)


def test_holm_by_hand() -> None:
    # Sorted .01 .03 .04: × 3, 2, 1 = .03, .06, .04, and no less than the one before: .03, .06, .06.
    assert holm([0.04, 0.01, 0.03]) == pytest.approx((0.06, 0.03, 0.06))
    assert holm([0.9, 0.8]) == (1.0, 1.0)
    assert holm([]) == ()


def test_holm_agrees_with_statsmodels(rng: np.random.Generator) -> None:
    for n in range(1, 13):
        p_values = [*map(float, rng.uniform(0, 0.2, n).round(2))]
        assert holm(p_values) == pytest.approx(tuple(multipletests(p_values, method="holm")[1]))


def test_impossible_arguments_are_named(rng: np.random.Generator) -> None:
    with pytest.raises(InputError, match="the two models have 1 and 2 entries"):
        compare_paired([1], [1, 2], rng=rng)
    with pytest.raises(InputError, match="permutations is 5"):
        sign_flip_test([1, 2], rng=rng, permutations=5)
    with pytest.raises(InputError, match="differences has nan at 1"):
        sign_flip_test([1, float("nan")], rng=rng)
    with pytest.raises(InputError, match="second must hold True for a pass"):
        mcnemar([True], [0.5])  # type: ignore[list-item]
    with pytest.raises(InputError, match=r"p_values\[1\] is 1\.2"):
        holm([0.1, 1.2])
