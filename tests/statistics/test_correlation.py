from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tests.statistics.simulation import coverage, ends
from vif.errors import InputError
from vif.statistics.bootstrap import bootstrap, by_index
from vif.statistics.correlation import discrimination, mean_absolute_error, pearson, repeat_sd, share_within, spearman


def test_pearson_by_hand(rng: np.random.Generator) -> None:
    # x 1 2 3, y 1 3 2: products of deviations (−1)(−1) + 0·1 + 1·0 = 1; squares 2 and 2; 1/2.
    assert pearson([1, 2, 3], [1, 3, 2], rng=rng).estimate == pytest.approx(0.5)
    assert pearson([1, 2, 3], [6, 4, 2], rng=rng).estimate == pytest.approx(-1)


def test_spearman_with_ties_by_hand(rng: np.random.Generator) -> None:
    # Ranks of 10 20 20 40: 1 2.5 2.5 4; of 1 2 3 4 themselves. Deviations −1.5 0 0 1.5 and −1.5 −.5 .5 1.5:
    # products 2.25 + 2.25 = 4.5; squares 4.5 and 5; 4.5 / √22.5 = 0.94868.
    assert spearman([10, 20, 20, 40], [1, 2, 3, 4], rng=rng).estimate == pytest.approx(0.948683, abs=1e-6)


def test_both_agree_with_scipy(rng: np.random.Generator) -> None:
    for _ in range(40):
        n = int(rng.integers(4, 40))
        x = rng.integers(0, 6, n) / 5 + 1e6  # many ties, far from 0
        x[0] += 3
        y = x + rng.normal(0, 1, n).round(1)
        y[-1] += 9
        assert pearson(x, y, rng=rng, resamples=100).estimate == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-8)
        assert spearman(x, y, rng=rng, resamples=100).estimate == pytest.approx(stats.spearmanr(x, y).statistic)


def test_every_resample_is_ranked_anew(rng: np.random.Generator) -> None:
    x, y = rng.integers(0, 5, 15) * 1.0, rng.normal(size=15)
    ours = spearman(x, y, rng=np.random.default_rng(1), resamples=300)
    again = bootstrap(
        by_index(lambda cases: float(stats.spearmanr(x[cases], y[cases]).statistic)),
        15,
        rng=np.random.default_rng(1),
        resamples=300,
    )
    assert ends(ours) == pytest.approx(ends(again), abs=1e-9)


def test_a_formula_that_never_changes_has_no_correlation(rng: np.random.Generator) -> None:
    interval = pearson([0.44] * 10, list(range(10)), rng=rng)
    assert interval.estimate is None
    assert interval.reason == "x is the same for every case: it cannot go up or down with anything"
    assert "y is the same" in spearman(list(range(10)), [0.1] * 10, rng=rng).reason
    assert pearson([], [], rng=rng).reason == "there are no cases"


def test_correlations_cover_the_truth(rng: np.random.Generator) -> None:
    def simulate(n: int = 40) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], ...]:
        x = rng.normal(size=n)
        return x, 0.6 * x + 0.8 * rng.normal(size=n)

    share = coverage(lambda: pearson(*simulate(), rng=rng, resamples=400), 0.6)
    assert 0.91 <= share <= 0.985, share
    # Of normal numbers: 6/π · arcsin(0.6/2) = 0.58191.
    share = coverage(lambda: spearman(*simulate(), rng=rng, resamples=300), 0.58191, 300)
    assert 0.91 <= share <= 0.985, share


def test_mean_absolute_error_by_hand(rng: np.random.Generator) -> None:
    # Case 1: |.9−.8| and |.6−.8|: mean .15. Case 2: |.5−.1|, |.3−.3| for two domains: mean .2. Together .175.
    interval = mean_absolute_error([[0.9, 0.6], [[0.5, 0.3]]], [0.8, [0.1, 0.3]], rng=rng)
    assert interval.estimate == pytest.approx(0.175)
    assert (interval.n_cases, interval.n_values) == (2, 4)


def test_within_a_tolerance_forgives_rounding_only() -> None:
    # 0.8 − 0.7 is 0.10000000000000009: within 0.1. 0.8 − 0.69 is not. One of two.
    assert share_within([0.8, 0.8], [0.7, 0.69], 0.1).estimate == 0.5
    assert share_within([0.8], [0.8], 0).estimate == 1


def test_targets_must_fit(rng: np.random.Generator) -> None:
    with pytest.raises(InputError, match=r"targets\[0\] has shape \(3,\); its readings have \(2, 4\)"):
        mean_absolute_error([np.ones((2, 4))], [[1, 2, 3]], rng=rng)
    with pytest.raises(InputError, match="readings and targets have 2 and 1"):
        mean_absolute_error([1, 2], [1], rng=rng)
    with pytest.raises(InputError, match="tolerance is -1"):
        share_within([1], [1], -1)
    with pytest.raises(InputError, match="x and y have 2 and 3"):
        pearson([1, 2], [1, 2, 3], rng=rng)


def test_the_spread_over_repeats_by_hand(rng: np.random.Generator) -> None:
    # 1, 3: scatter 2 with 1 degree; 4, 4, 7: mean 5, scatter 1 + 1 + 4 = 6 with 2. √(8/3) = 1.63299. A single 9: none.
    interval = repeat_sd([[1, 3], [4, 4, 7], 9], rng=rng)
    assert interval.estimate == pytest.approx(1.632993, abs=1e-6)
    assert (interval.n_cases, interval.n_values) == (2, 5)
    assert repeat_sd([1, 2, 3], rng=rng).reason == "no case was repeated"
    assert repeat_sd([], rng=rng).reason == "there are no cases"


def test_the_spread_agrees_with_numpy_and_covers_the_truth(rng: np.random.Generator) -> None:
    readings = rng.normal(size=(30, 5))
    expected = np.sqrt(readings.var(axis=1, ddof=1).mean())
    assert repeat_sd(readings, rng=rng).estimate == pytest.approx(expected)
    share = coverage(
        lambda: repeat_sd(rng.normal(0, 0.1, (30, 4)) + rng.uniform(size=(30, 1)), rng=rng, resamples=300), 0.1
    )
    assert 0.91 <= share <= 0.985, share


def test_discrimination_by_hand(rng: np.random.Generator) -> None:
    # Cases (1, 3) (5, 7): means 2 and 6, scatter 2 + 2 = 4 on 2 degrees: 2 within. Between 2 (2² + 2²) / 1 = 16.
    # From the message (16 − 2) / 2 = 7; 7 / (7 + 2) = 0.77778. Means differ with √8, repeats with √2.
    result = discrimination([[1, 3], [5, 7]], rng=rng)
    assert result.share.estimate == pytest.approx(7 / 9)
    assert result.between_sd == pytest.approx(8**0.5)
    assert result.within_sd == pytest.approx(2**0.5)


@given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=4), min_size=2, max_size=8))
def test_discrimination_agrees_with_the_f_test_of_scipy(cases: list[list[int]]) -> None:
    values = [value for case in cases for value in case]
    freedom = len(values) - len(cases)
    within = sum((np.array(case) - np.mean(case)) @ (np.array(case) - np.mean(case)) for case in cases)
    if freedom < 1 or within == 0:
        return
    f = stats.f_oneway(*cases).statistic
    size = (len(values) - sum(len(case) ** 2 for case in cases) / len(values)) / (len(cases) - 1)
    expected = max(0, (f - 1) / size) / (max(0, (f - 1) / size) + 1)
    ours = discrimination(cases, rng=np.random.default_rng(0), resamples=100).share.estimate
    assert ours == pytest.approx(expected, abs=1e-9)


def test_a_formula_blind_to_the_message_does_not_discriminate(rng: np.random.Generator) -> None:
    constant = discrimination([[0.44, 0.44]] * 15, rng=rng)
    assert (constant.share.estimate, constant.between_sd, constant.within_sd) == (0, 0, 0)
    assert constant.share.reason == "every reading is the same, whatever the message"
    assert discrimination([0.495] * 15, rng=rng).share.estimate == 0
    # Noise alone: the plain ratio of sums of squares would be about 1/5 with five repeats.
    noise = discrimination(rng.normal(0.5, 0.1, (200, 5)), rng=rng).share
    assert noise.estimate is not None
    assert noise.estimate < 0.06


def test_single_readings_do_not_show_what_is_noise(rng: np.random.Generator) -> None:
    result = discrimination([0.1, 0.5, 0.9], rng=rng)
    assert (result.share.estimate, result.within_sd) == (None, None)
    assert result.between_sd == pytest.approx(0.4)
    assert "noise cannot be told" in result.share.reason
    assert discrimination([[1, 2]], rng=rng).share.reason == "it takes two or more cases to differ"


def test_discrimination_covers_the_truth(rng: np.random.Generator) -> None:
    # Messages differ with SD 0.2, repeats with 0.1: 0.04 / 0.05 = 0.8.
    share = coverage(
        lambda: discrimination(rng.normal(0, 0.2, (40, 1)) + rng.normal(0, 0.1, (40, 3)), rng=rng, resamples=300).share,
        0.8,
    )
    assert 0.91 <= share <= 0.985, share
