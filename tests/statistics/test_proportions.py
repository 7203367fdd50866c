from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.descriptivestats import sign_test as statsmodels_sign_test
from statsmodels.stats.proportion import proportion_confint

from tests.statistics.simulation import coverage, ends, near_nominal
from vif.errors import InputError
from vif.statistics.proportions import share_interval, sign_test, wilson, win_rate


def test_wilson_by_hand() -> None:
    # 8 of 10, z² = 3.8415: middle (0.8 + 3.8415/20) / (1 + 0.38415) = 0.992075 / 1.38415 = 0.71674;
    # half √(0.8·0.2/10 + 3.8415/400) · 1.95996 / 1.38415 = √0.02560375 · 1.41601 = 0.22658; so 0.49016 … 0.94332.
    interval = wilson(8, 10)
    assert interval.estimate == 0.8
    assert interval.low == pytest.approx(0.49016, abs=1e-5)
    assert interval.high == pytest.approx(0.94332, abs=1e-5)
    assert (interval.n_cases, interval.level, interval.reason) == (10, 0.95, "")


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
def test_wilson_agrees_with_statsmodels(counts: tuple[int, int], level: float) -> None:
    ours = wilson(*counts, level=level)
    low, high = proportion_confint(*counts, alpha=1 - level, method="wilson")
    assert ends(ours) == pytest.approx((low, high), abs=1e-9)


def test_wilson_without_trials_says_so() -> None:
    interval = wilson(0, 0)
    assert (interval.estimate, interval.low, interval.reason) == (None, None, "there are no trials")


@pytest.mark.parametrize(("successes", "trials"), [(-1, 3), (4, 3), (0, -1)])
def test_impossible_counts_are_named(successes: int, trials: int) -> None:
    with pytest.raises(InputError, match=f"successes is {successes} of {trials} trials"):
        wilson(successes, trials)


def test_a_share_of_single_calls_is_wilsons() -> None:
    ours = share_interval([True] * 18 + [False] * 2)
    plain = wilson(18, 20)
    assert (ours.estimate, ours.low, ours.high) == (plain.estimate, plain.low, plain.high)


def test_repeats_of_one_answer_count_once() -> None:
    # 20 cases, 5 equal repeats each: the evidence of 20 trials, not of 100.
    ours = share_interval([[1] * 5] * 18 + [[0] * 5] * 2)
    plain = wilson(18, 20)
    assert (ours.low, ours.high) == (plain.low, plain.high)
    assert (ours.n_cases, ours.n_values) == (20, 100)


def test_independent_repeats_count_as_themselves_at_most(rng: np.random.Generator) -> None:
    # Every case has 4 passes of 5: no variance between cases but share 0.8; no more evidence than 50 trials.
    ours = share_interval([[1, 1, 1, 1, 0]] * 9 + [[1, 1, 1, 0, 0]])
    plain = wilson(39, 50)
    assert ends(ours) == pytest.approx(ends(plain))


def test_effective_trials_by_hand() -> None:
    # Case shares 1, 1, ½, ½: mean ¾, variance (4 · 1/16) / 3 = 1/12, of the mean 1/48.
    # ¾ · ¼ / (1/48) = 9 trials, but there are only 8 values: Wilson with 6 of 8.
    ours = share_interval([[1, 1], [1, 1], [1, 0], [1, 0]])
    plain = wilson(6, 8)
    assert ends(ours) == pytest.approx(ends(plain))
    # Case shares 1, 1, 1, 0 of 3 each: variance (3/16 + 9/16) / 3 = 1/4, of the mean 1/16; (3/16)/(1/16) = 3 < 4 cases.
    ours = share_interval([[1] * 3, [1] * 3, [1] * 3, [0] * 3])
    assert ends(ours) == pytest.approx(ends(wilson(3, 4)))


def test_when_everything_passes_there_is_still_a_lower_end() -> None:
    # z² / (n + z²) = 3.8415 / 23.8415 = 0.16113: at least 83.9 %.
    ours = share_interval([[1, 1, 1]] * 20)
    assert (ours.estimate, ours.high) == (1, 1)
    assert ours.low == pytest.approx(1 - 0.161127, abs=1e-5)


def test_a_share_takes_only_passes_and_failures() -> None:
    with pytest.raises(InputError, match=r"cases\[1\] has 0\.5; it must be 1 for a pass or 0 for a failure"):
        share_interval([1, [1, 0.5]])
    assert share_interval([]).reason == "there are no cases"


def test_shares_of_clustered_calls_cover_the_truth(rng: np.random.Generator) -> None:
    # Each case has a chance of its own, Beta(8, 2): 0.8 on average, and is tried 5 times.
    share = coverage(lambda: share_interval(rng.binomial(1, rng.beta(8, 2, (30, 1)), (30, 5))), 0.8)
    assert near_nominal(share), share


def test_a_win_rate_by_hand(rng: np.random.Generator) -> None:
    # Items: (1 + ½)/2 = ¾, 1, ½, 0, 1, 1, ½: sum 4.75, of 7 = 0.67857. Won items 4, lost 1: p = 2 (1 + 5)/32 = 0.375.
    rate = win_rate([[1, 0.5], 1, 0.5, 0, [1, 1], 1, [0.5]], rng=rng)
    assert rate.share.estimate == pytest.approx(4.75 / 7)
    assert (rate.wins, rate.ties, rate.losses) == (5, 3, 1)
    assert rate.p_value == pytest.approx(0.375)
    assert rate.share.low is not None
    assert 0 < rate.share.low < 4.75 / 7


def test_winning_everything_has_a_lower_end(rng: np.random.Generator) -> None:
    rate = win_rate([[1, 1]] * 10, rng=rng)
    assert (rate.share.low, rate.share.high) == (wilson(10, 10).low, 1)
    assert (rate.share.n_cases, rate.share.n_values) == (10, 20)
    lost = win_rate([[0, 0]] * 10, rng=rng)
    assert lost.share.high == wilson(0, 10).high


def test_ties_alone_are_no_evidence(rng: np.random.Generator) -> None:
    rate = win_rate([0.5] * 12, rng=rng)
    assert (rate.share.estimate, rate.share.low, rate.p_value) == (0.5, None, 1.0)
    assert rate.share.reason
    nothing = win_rate([], rng=rng)
    assert (nothing.share.estimate, nothing.wins, nothing.p_value) == (None, 0, 1.0)


def test_a_vote_is_a_win_a_tie_or_a_loss(rng: np.random.Generator) -> None:
    with pytest.raises(InputError, match=r"items\[0\] has 2\.0; a vote is 1"):
        win_rate([2], rng=rng)


def test_win_rates_of_several_raters_per_item_cover_the_truth(rng: np.random.Generator) -> None:
    def votes() -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        # Each item leans its own way, Beta(3, 2); three raters tie in a fifth of the cases: ½·0.2 + 0.6·0.8 = 0.58.
        wins = rng.binomial(1, rng.beta(3, 2, (25, 1)), (25, 3)).astype(np.float64)
        return np.where(rng.random((25, 3)) < 0.2, 0.5, wins)

    share = coverage(lambda: win_rate(votes(), rng=rng, resamples=400).share, 0.58)
    assert near_nominal(share), share


@given(st.integers(0, 60), st.integers(0, 60))
def test_the_sign_test_agrees_with_statsmodels_and_scipy(wins: int, losses: int) -> None:
    ours = sign_test(wins, losses)
    if wins + losses:
        assert ours == pytest.approx(statsmodels_sign_test(np.array([1.0] * wins + [-1.0] * losses))[1])
        assert ours == pytest.approx(stats.binomtest(wins, wins + losses).pvalue)
