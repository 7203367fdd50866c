"""The distributions against scipy, over the range of degrees of freedom that evaluations have."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from vif.errors import InputError
from vif.statistics.distributions import (
    beta_cdf,
    check_level,
    f_quantile,
    fair_coin_p,
    normal_cdf,
    normal_quantile,
    t_quantile,
)

SHAPES = st.floats(0.2, 3000)


def test_beta_of_whole_numbers_is_a_polynomial() -> None:
    # I_x(1, 1) = x;  I_x(2, 1) = x²;  I_x(1, 3) = 1 − (1−x)³ = 1 − 0.7³ = 0.657 at 0.3
    assert beta_cdf(0.3, 1, 1) == pytest.approx(0.3, abs=1e-14)
    assert beta_cdf(0.3, 2, 1) == pytest.approx(0.09, abs=1e-14)
    assert beta_cdf(0.3, 1, 3) == pytest.approx(0.657, abs=1e-14)
    assert (beta_cdf(0, 2, 3), beta_cdf(1, 2, 3)) == (0, 1)


@given(st.floats(0, 1), SHAPES, SHAPES)
def test_beta_agrees_with_scipy(x: float, a: float, b: float) -> None:
    assert beta_cdf(x, a, b) == pytest.approx(stats.beta.cdf(x, a, b), rel=1e-8, abs=1e-11)


@pytest.mark.parametrize("df1", [1, 3, 19, 499])
@pytest.mark.parametrize("df2", [1.7, 5, 38, 2000])
@pytest.mark.parametrize("probability", [0.025, 0.5, 0.975, 0.995])
def test_f_agrees_with_scipy(df1: float, df2: float, probability: float) -> None:
    assert f_quantile(probability, df1, df2) == pytest.approx(stats.f.ppf(probability, df1, df2), rel=1e-8)


@pytest.mark.parametrize("df", [1, 2, 5, 19, 400])
@pytest.mark.parametrize("probability", [0.005, 0.3, 0.5, 0.975])
def test_t_agrees_with_scipy(df: float, probability: float) -> None:
    assert t_quantile(probability, df) == pytest.approx(stats.t.ppf(probability, df), rel=1e-8, abs=1e-12)


def test_normal_agrees_with_tables() -> None:
    assert normal_quantile(0.975) == pytest.approx(1.959963984540054)
    assert normal_cdf(1.959963984540054) == pytest.approx(0.975)
    assert (normal_quantile(0), normal_quantile(1)) == (-math.inf, math.inf)


def test_a_fair_coin_by_hand() -> None:
    # 5 of 5: 2 / 2⁵ = 0.0625.  1 of 6: 2 (1 + 6) / 64 = 0.21875.
    assert fair_coin_p(5, 0) == pytest.approx(0.0625, abs=1e-14)
    assert fair_coin_p(1, 5) == pytest.approx(0.21875, abs=1e-14)
    assert fair_coin_p(3, 3) == fair_coin_p(0, 0) == 1


@given(st.integers(0, 400), st.integers(0, 400))
def test_a_fair_coin_agrees_with_scipy(heads: int, tails: int) -> None:
    expected = stats.binomtest(heads, heads + tails, 0.5).pvalue if heads + tails else 1.0
    assert fair_coin_p(heads, tails) == pytest.approx(expected, rel=1e-9)


def test_impossible_arguments_are_named() -> None:
    for level in (0.0, 1.0, 95, float("nan")):
        with pytest.raises(InputError, match=r"level is .* it must be above 0 and below 1"):
            check_level(level)
    with pytest.raises(InputError, match="tails is -1"):
        fair_coin_p(3, -1)
