from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from tests.statistics.simulation import SIMULATIONS, coverage, ends, near_nominal
from vif.errors import InputError
from vif.statistics.bootstrap import (
    Method,
    bootstrap,
    bootstrap_each,
    by_index,
    cases_needed,
    draw,
    mean_interval,
    quantile_interval,
)


def test_a_draw_takes_as_many_cases_as_there_are(rng: np.random.Generator) -> None:
    draws = draw(7, 1000, rng)
    assert draws.shape == (1000, 7)
    assert (draws.sum(axis=1) == 7).all()
    # Each case is drawn once on average; the mean of 1000 has a standard error of √(6/7 / 1000) = 0.029.
    assert np.abs(draws.mean(axis=0) - 1).max() < 0.12


def test_a_case_with_more_repeats_counts_no_more(rng: np.random.Generator) -> None:
    # Case means 0, 0, 0, 0, 0, 1: mean 1/6, although half of the ten values are 1.
    interval = mean_interval([0, 0, 0, 0, 0, [1, 1, 1, 1, 1]], rng=rng)
    assert interval.estimate == pytest.approx(1 / 6)
    assert (interval.n_cases, interval.n_values) == (6, 10)


def test_repeats_that_say_the_same_do_not_narrow_the_interval() -> None:
    values = np.random.default_rng(1).normal(size=20)
    once = mean_interval(values, rng=np.random.default_rng(2))
    tenfold = mean_interval(np.repeat(values[:, None], 10, axis=1), rng=np.random.default_rng(2))
    assert ends(once) == pytest.approx(ends(tenfold), abs=1e-12)


def test_percentile_ends_of_all_possible_resamples() -> None:
    # Of 6 cases, one is 6 and the others 0: a resample's mean is the number of times it was drawn, which is binomial
    # (6, 1/6): P(0) = (5/6)⁶ = .335, P(≤ 2) = .938, P(≤ 3) = .991. So the 2.5 % point is 0 and the 97.5 % point 3.
    interval = mean_interval([0, 0, 0, 0, 0, 6], rng=np.random.default_rng(3), resamples=20_000, method="percentile")
    assert (interval.estimate, *ends(interval)) == (1, 0, 3)


@pytest.mark.parametrize(("method", "name"), [("percentile", "percentile"), ("bca", "BCa")])
def test_ends_agree_with_scipy(method: Method, name: str) -> None:
    values = np.random.default_rng(4).lognormal(size=30)
    ours = mean_interval(values, rng=np.random.default_rng(5), resamples=40_000, method=method)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=40_000, method=name, rng=np.random.default_rng(6)
    ).confidence_interval
    # Both are simulations: a 2.5 % point of 40,000 is good to about 0.01 standard deviations of the mean.
    close = 0.05 * values.std() / np.sqrt(30)
    assert ends(ours) == pytest.approx(tuple(theirs), abs=close)


def test_the_expanded_interval_is_as_wide_as_students_t() -> None:
    values = np.random.default_rng(7).normal(size=20)
    low, high = ends(mean_interval(values, rng=np.random.default_rng(8), resamples=40_000))
    theirs = stats.t.interval(0.95, 19, loc=values.mean(), scale=stats.sem(values))
    assert high - low == pytest.approx(theirs[1] - theirs[0], rel=0.04)
    narrow_low, narrow_high = ends(
        mean_interval(values, rng=np.random.default_rng(8), resamples=40_000, method="percentile")
    )
    # √(19/20) × 1.960 / 2.093 = 0.913 of it.
    assert (narrow_high - narrow_low) / (high - low) == pytest.approx(0.913, abs=0.03)


def test_a_higher_level_is_wider_and_the_same_seed_the_same() -> None:
    values = np.random.default_rng(9).normal(size=15)
    intervals = [mean_interval(values, rng=np.random.default_rng(1), level=level) for level in (0.8, 0.95, 0.95, 0.99)]
    widths = [high - low for low, high in map(ends, intervals)]
    assert widths[0] < widths[1] == widths[2] < widths[3]


def test_any_function_of_the_drawn_cases_has_an_interval() -> None:
    values = np.random.default_rng(10).normal(size=25)
    median = by_index(lambda cases: float(np.median(values[cases])))
    ours = bootstrap(median, 25, rng=np.random.default_rng(11), method="percentile")
    theirs = stats.bootstrap((values,), np.median, n_resamples=5000, method="percentile", rng=np.random.default_rng(12))
    assert ours.estimate == np.median(values)
    # A median can only be one of the values: the ends may differ by a gap between neighbours.
    assert ends(ours) == pytest.approx(tuple(theirs.confidence_interval), abs=0.15)


def test_several_numbers_come_from_the_same_resamples() -> None:
    values = np.random.default_rng(13).normal(size=(12, 2))
    both = bootstrap_each(lambda draws: draws @ values / 12, 12, rng=np.random.default_rng(14))
    first = bootstrap(lambda draws: draws @ values[:, 0] / 12, 12, rng=np.random.default_rng(14))
    assert ends(both[0]) == pytest.approx(ends(first), abs=1e-12)


def test_large_data_are_resampled_in_parts(rng: np.random.Generator) -> None:
    # 50,000 cases are drawn 40 resamples at a time; the mean of 0, 1, 2, … is 24,999.5, its error 14434/√50000 = 64.5.
    interval = mean_interval(np.arange(50_000.0), rng=rng, resamples=120)
    low, high = ends(interval)
    assert interval.estimate == pytest.approx(24_999.5)
    assert 3 < (high - low) / 64.5 < 5


def test_a_p95_by_hand_and_against_numpy(rng: np.random.Generator) -> None:
    # 1 … 21: place 20 × 0.95 = 19 from the lowest, so 20. With 1 … 6: 5 × 0.95 = 4.75, so 5 + 0.75 × 1 = 5.75.
    assert quantile_interval(list(range(1, 22)), 0.95, rng=rng).estimate == 20
    assert quantile_interval([[1, 6], 2, 3, 4, [5]], 0.95, rng=rng).estimate == pytest.approx(5.75)
    groups: list[NDArray[np.float64]] = [rng.gamma(2, size=rng.integers(1, 5)) for _ in range(30)]
    for probability in (0, 0.1, 0.5, 0.95, 1):
        estimate = quantile_interval(groups, probability, rng=rng, resamples=100).estimate
        assert estimate == pytest.approx(np.quantile(np.concatenate(groups), probability))


def test_resampled_quantiles_are_those_of_the_expanded_values(rng: np.random.Generator) -> None:
    groups = [rng.normal(size=3) for _ in range(10)]
    ours = quantile_interval(groups, 0.9, rng=np.random.default_rng(15), method="percentile")
    again = bootstrap(
        by_index(lambda cases: float(np.quantile(np.concatenate([groups[case] for case in cases]), 0.9))),
        10,
        rng=np.random.default_rng(15),
        method="percentile",
    )
    assert ends(ours) == pytest.approx(ends(again), abs=1e-12)


def test_how_many_cases_are_needed() -> None:
    # 2^(1−n) ≤ 0.05 from n = 6 on (1/32); ≤ 0.01 from n = 8 on (1/128); ≤ 0.5 from n = 2 on.
    assert [cases_needed(level) for level in (0.5, 0.9, 0.95, 0.99)] == [2, 5, 6, 8]


@pytest.mark.parametrize(
    ("cases", "estimate", "reason"),
    [
        ([], None, "there are no cases"),
        ([[0.25, 0.5]], 0.375, "1 case is too few for an interval at 0.95; 6 or more are needed"),
        ([1.0, 2.0], 1.5, "2 cases are too few"),
        ([0.3] * 10, 0.3, "every resample of the cases gives the same value"),
    ],
)
def test_without_evidence_there_is_a_reason_instead_of_an_interval(
    cases: list[list[float] | float], estimate: float | None, reason: str, rng: np.random.Generator
) -> None:
    interval = mean_interval(cases, rng=rng)
    assert interval.estimate == (None if estimate is None else pytest.approx(estimate))
    assert (interval.low, interval.high) == (None, None)
    assert reason in interval.reason


def test_a_statistic_that_often_does_not_exist_has_no_interval(rng: np.random.Generator) -> None:
    def only_with_the_first(draws: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(draws[:, 0] > 0, draws[:, 1], np.nan)

    # A case is missing from (9/10)¹⁰ = 35 % of resamples.
    interval = bootstrap(only_with_the_first, 10, rng=rng)
    assert interval.estimate == 1
    assert interval.low is None
    assert "not defined in 3" in interval.reason
    never = bootstrap(lambda draws: np.full(len(draws), np.nan), 10, rng=rng)
    assert (never.estimate, never.reason) == (None, "it is not defined for these values")


def test_impossible_arguments_are_named(rng: np.random.Generator) -> None:
    with pytest.raises(InputError, match="resamples is 10"):
        mean_interval([1.0, 2.0], rng=rng, resamples=10)
    with pytest.raises(InputError, match="level is 95"):
        mean_interval([1.0, 2.0], rng=rng, level=95)
    with pytest.raises(InputError, match="method is 'magic'; it must be one of expanded, percentile, bca"):
        mean_interval([1.0, 2.0], rng=rng, method="magic")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="probability is 95"):
        quantile_interval([1.0, 2.0], 95, rng=rng)


def clustered(rng: np.random.Generator) -> NDArray[np.float64]:
    """20 cases with true means around 0.4, read 5 times each with noise: repeats resemble each other."""
    return 0.4 + rng.normal(0, 0.2, (20, 1)) + rng.normal(0, 0.1, (20, 5))


def test_intervals_of_20_cases_cover_the_truth_at_their_level(rng: np.random.Generator) -> None:
    share = coverage(lambda: mean_interval(clustered(rng), rng=rng, resamples=500), 0.4)
    assert near_nominal(share), share


def test_ignoring_that_repeats_belong_together_would_be_seen(rng: np.random.Generator) -> None:
    share = coverage(lambda: mean_interval(clustered(rng).reshape(-1), rng=rng, resamples=500), 0.4, SIMULATIONS // 2)
    assert share < 0.8
    assert not near_nominal(share)


def test_intervals_of_skewed_latencies_cover_their_median(rng: np.random.Generator) -> None:
    share = coverage(
        lambda: quantile_interval(rng.lognormal(5, 0.4, 40), 0.5, rng=rng, resamples=200), float(np.exp(5)), 200
    )
    assert 0.9 <= share <= 0.99
