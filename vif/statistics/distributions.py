"""The few distributions the intervals and tests need, without scipy at run time."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

from vif.errors import InputError

_NORMAL = NormalDist()
_TINY = 1e-300


def check_level(level: float) -> float:
    """`level` itself when it can be the level of an interval; InputError otherwise (also for NaN)."""
    if not 0.0 < level < 1.0:
        raise InputError(f"level is {level!r}; it must be above 0 and below 1, such as 0.95")
    return level


def normal_cdf(z: float) -> float:
    return _NORMAL.cdf(z)


def normal_quantile(probability: float) -> float:
    """z with that much of a standard normal below it; -inf for 0, inf for 1."""
    if probability <= 0.0:
        return -math.inf
    return math.inf if probability >= 1.0 else _NORMAL.inv_cdf(probability)


def beta_cdf(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b), for a, b above 0, to about 13 digits.

    Continued fraction by Lentz's method (Press et al., Numerical Recipes, 2007, section 6.4).
    """
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    # The fraction converges fast only on this side of the mean.
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1.0 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    def away_from_zero(value: float) -> float:
        return value if abs(value) > _TINY else _TINY

    c = 1.0
    d = 1 / away_from_zero(1 - (a + b) * x / (a + 1))
    result = d
    for m in range(1, 100_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / away_from_zero(1 + term * d)
            c = away_from_zero(1 + term / c)
            result *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return result


def _beta_quantile(probability: float, a: float, b: float) -> float:
    low, high = 0.0, 1.0
    while low < (middle := (low + high) / 2) < high and high - low > 1e-16 * high:
        if beta_cdf(middle, a, b) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


@lru_cache(maxsize=1024)
def f_quantile(probability: float, df1: float, df2: float) -> float:
    """x with P(F ≤ x) = `probability` for Fisher's F with `df1` and `df2` degrees of freedom, both above 0."""
    below = _beta_quantile(probability, df1 / 2, df2 / 2)
    if below <= 0.5:
        return df2 * below / (df1 * (1 - below))
    # Close to 1 the digits are in what is missing to 1.
    above = _beta_quantile(1 - probability, df2 / 2, df1 / 2)
    return df2 * (1 - above) / (df1 * above)


def t_quantile(probability: float, df: float) -> float:
    """t with P(T ≤ t) = `probability` for Student's t with `df` degrees of freedom."""
    if probability < 0.5:
        return -t_quantile(1 - probability, df)
    # T² is F with 1 and df degrees of freedom.
    return math.sqrt(f_quantile(2 * probability - 1, 1, df)) if probability > 0.5 else 0.0


def fair_coin_p(heads: int, tails: int) -> float:
    """How often a fair coin is at least this uneven: the exact two-sided binomial test against one half.

    1.0 for no tosses. Conover, Practical Nonparametric Statistics, 1999, section 3.1.
    """
    for name, count in (("heads", heads), ("tails", tails)):
        if count < 0:
            raise InputError(f"{name} is {count!r}; it must be 0 or more")
    if heads == tails:
        return 1.0
    fewer, more = sorted((heads, tails))
    # P(X ≤ fewer) of `heads + tails` tosses, as a beta integral.
    return min(1.0, 2 * beta_cdf(0.5, more, fewer + 1))
