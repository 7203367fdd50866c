"""Intervals by resampling whole cases.

Repeats of one case are not independent, so cases are drawn, with all their repeats, as often as there are cases
(cluster bootstrap: Davison & Hinkley, Bootstrap Methods and their Application, 1997, section 3.8). A statistic is a
function of *how often each case was drawn*, for many resamples at once; that makes a mean a matrix product.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from vif.errors import InputError
from vif.statistics.cases import Cases, FloatArray, moments, split
from vif.statistics.distributions import check_level, normal_cdf, normal_quantile, t_quantile

Statistic = Callable[[FloatArray], FloatArray]
"""From draws of shape (resamples, n_cases), whole numbers from 0, to values of shape (resamples,) or (resamples, k).

A value that does not exist for a resample (a correlation of equal numbers) is NaN."""

Method = Literal["expanded", "percentile", "bca"]
"""How an interval is read off the resampled values.

`percentile`: their quantiles (Efron, 1979). For a mean of few cases too narrow: 20 cases at 95 % cover 92 to 93 %.
`expanded`: the same, at quantiles moved outwards as Student's t and n−1 ask for (Hesterberg, What Teachers Should Know
About the Bootstrap, The American Statistician 69, 2015, section 5.2). The default.
`bca`: corrected for bias and skewness (Efron, Better Bootstrap Confidence Intervals, JASA 82, 1987).
"""

DEFAULT_RESAMPLES = 2000
_CELLS_AT_ONCE = 2_000_000
_DEFINED_AT_LEAST = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and where the truth may be.

    Attributes:
        estimate: in the unit of the statistic; None when it does not exist for these values.
        low, high: ends of the interval, or both None.
        level: how often such intervals hold the truth, above 0 and below 1.
        n_cases: independent cases it rests on.
        n_values: values of all cases together.
        method: how low and high were found.
        reason: why the estimate or the ends are missing, in words for people; empty when they are not.
    """

    estimate: float | None
    low: float | None
    high: float | None
    level: float
    n_cases: int
    n_values: int
    method: str = ""
    reason: str = ""


def no_interval(estimate: float | None, level: float, n_cases: int, n_values: int, reason: str) -> Interval:
    """The estimate alone, with the reason why there is no interval."""
    return Interval(estimate, None, None, level, n_cases, n_values, "", reason)


def cases_needed(level: float) -> int:
    """The fewest cases that can carry an interval of this level: 6 at 0.95.

    The lowest and the highest of n cases enclose the median in all but 2^(1−n) of samples (Conover, 1999, section
    3.2): with fewer cases no interval made from them reaches its level. No paired test gets below 1 − `level` either.
    """
    return math.ceil(1 - math.log2(1 - check_level(level)) - 1e-9)


def draw(n_cases: int, resamples: int, rng: np.random.Generator) -> FloatArray:
    """How often each case was drawn, shape (resamples, n_cases); every row sums to `n_cases`."""
    picks = rng.integers(n_cases, size=(resamples, n_cases))
    picks += np.arange(resamples)[:, None] * n_cases
    return np.bincount(picks.ravel(), minlength=resamples * n_cases).reshape(resamples, n_cases).astype(np.float64)


def by_index(statistic: Callable[[NDArray[np.intp]], float]) -> Statistic:
    """Any function of the numbers of the drawn cases (0 to n−1, sorted, repeated) as a `Statistic`, one call each."""

    def of_draws(draws: FloatArray) -> FloatArray:
        everyone = np.arange(draws.shape[1])
        return np.array([statistic(np.repeat(everyone, row.astype(np.intp))) for row in draws], dtype=np.float64)

    return of_draws


def bootstrap(
    statistic: Statistic,
    n_cases: int,
    *,
    rng: np.random.Generator,
    n_values: int | None = None,
    level: float = 0.95,
    resamples: int = DEFAULT_RESAMPLES,
    method: Method = "expanded",
) -> Interval:
    """The interval of one number that depends on which cases were drawn.

    Args:
        statistic: see `Statistic`; its values have shape (resamples,).
        n_cases: cases there are, 0 or more.
        rng: drawn from; the same state gives the same interval.
        n_values: values of all cases together; `n_cases` unless told.
        level: above 0, below 1.
        resamples: at least 100.
        method: see `Method`.

    Returns:
        An interval without ends, and the reason, when there are fewer than `cases_needed(level)` cases, when every
        resample gives the same value, or when the statistic does not exist in more than 5 % of them.

    Raises:
        InputError: an argument outside its range.
    """
    return bootstrap_each(
        lambda draws: statistic(draws)[:, None],
        n_cases,
        rng=rng,
        n_values=n_values,
        level=level,
        resamples=resamples,
        method=method,
    )[0]


def bootstrap_each(
    statistic: Statistic,
    n_cases: int,
    *,
    rng: np.random.Generator,
    n_values: int | None = None,
    level: float = 0.95,
    resamples: int = DEFAULT_RESAMPLES,
    method: Method = "expanded",
) -> tuple[Interval, ...]:
    """As `bootstrap`, for k numbers from the same resamples: values have shape (resamples, k), k intervals return."""
    check_level(level)
    if resamples < 100:
        raise InputError(f"resamples is {resamples!r}; it must be 100 or more")
    if method not in get_args(Method):
        raise InputError(f"method is {method!r}; it must be one of {', '.join(get_args(Method))}")
    values = n_cases if n_values is None else n_values
    if n_cases < 1:
        return (no_interval(None, level, 0, 0, "there are no cases"),)
    estimates = statistic(np.ones((1, n_cases)))[0]
    if n_cases < cases_needed(level):
        few = f"{n_cases} {'case is' if n_cases == 1 else 'cases are'} too few"
        reason = f"{few} for an interval at {level:.3g}; {cases_needed(level)} or more are needed"
        return tuple(no_interval(_known(one), level, n_cases, values, reason) for one in estimates)
    replicates = _replicates(statistic, n_cases, rng, resamples)
    left_out = statistic(1 - np.eye(n_cases)) if method == "bca" else np.empty((0, len(estimates)))
    return tuple(
        _interval(one, replicates[:, k], left_out[:, k], (level, n_cases, values, method))
        for k, one in enumerate(estimates)
    )


def _replicates(statistic: Statistic, n_cases: int, rng: np.random.Generator, resamples: int) -> FloatArray:
    at_once = max(1, _CELLS_AT_ONCE // n_cases)
    sizes = [min(at_once, resamples - start) for start in range(0, resamples, at_once)]
    return np.concatenate([statistic(draw(n_cases, size, rng)) for size in sizes])


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _interval(
    estimate: float, replicates: FloatArray, left_out: FloatArray, terms: tuple[float, int, int, Method]
) -> Interval:
    level, n_cases, n_values, method = terms
    if not math.isfinite(estimate):
        return no_interval(None, level, n_cases, n_values, "it is not defined for these values")
    defined = replicates[np.isfinite(replicates)]
    if len(defined) < _DEFINED_AT_LEAST * len(replicates):
        share = 1 - len(defined) / len(replicates)
        reason = f"it is not defined in {share:.0%} of the resamples"
        return no_interval(float(estimate), level, n_cases, n_values, reason)
    if np.ptp(defined) <= 1e-12 * max(1.0, abs(estimate)):
        reason = "every resample of the cases gives the same value, so they do not show how much it can vary"
        return no_interval(float(estimate), level, n_cases, n_values, reason)
    if method == "bca":
        low_p, high_p = _bca(estimate, defined, left_out, level)
    elif method == "expanded":
        low_p = normal_cdf(math.sqrt(n_cases / (n_cases - 1)) * t_quantile((1 - level) / 2, n_cases - 1))
        high_p = 1 - low_p
    else:
        low_p, high_p = (1 - level) / 2, (1 + level) / 2
    low, high = np.quantile(defined, [low_p, high_p])
    return Interval(float(estimate), float(low), float(high), level, n_cases, n_values, f"bootstrap, {method}")


def _bca(estimate: float, replicates: FloatArray, left_out: FloatArray, level: float) -> tuple[float, float]:
    """The two quantiles to read off: Efron 1987, equations 2.3 and 6.6."""
    below = (np.mean(replicates < estimate) + np.mean(replicates <= estimate)) / 2
    # An estimate outside all resampled values would move both ends to infinity.
    half = 0.5 / len(replicates)
    bias = normal_quantile(float(np.clip(below, half, 1 - half)))
    deviations = np.nanmean(left_out) - left_out[np.isfinite(left_out)]
    spread = float((deviations**2).sum()) ** 1.5
    acceleration = float((deviations**3).sum()) / (6 * spread) if spread > 0 else 0.0

    def moved(z: float) -> float:
        return normal_cdf(bias + (bias + z) / (1 - acceleration * (bias + z)))

    z = normal_quantile((1 + level) / 2)
    return moved(-z), moved(z)


def mean_interval(
    cases: Cases,
    *,
    rng: np.random.Generator,
    level: float = 0.95,
    resamples: int = DEFAULT_RESAMPLES,
    method: Method = "expanded",
) -> Interval:
    """The mean over cases of each case's mean, so that a case with more repeats counts no more than another.

    Args and errors: `bootstrap`; `cases` as in `vif.statistics.cases.Cases`, finite numbers of any unit.
    """
    of_case = moments(cases)
    return bootstrap(
        lambda draws: draws @ of_case.means / draws.sum(axis=1),
        of_case.n_cases,
        rng=rng,
        n_values=of_case.n_values,
        level=level,
        resamples=resamples,
        method=method,
    )


def quantile_interval(
    cases: Cases,
    probability: float,
    *,
    rng: np.random.Generator,
    level: float = 0.95,
    resamples: int = DEFAULT_RESAMPLES,
    method: Method = "expanded",
) -> Interval:
    """A quantile of all values together, such as 0.95 for a latency's P95.

    Linear between neighbouring values (Hyndman & Fan, Sample Quantiles in Statistical Packages, 1996, type 7: numpy's
    default). Args and errors: `bootstrap`; `probability` is from 0 to 1. The interval of a quantile far out in the
    tail of few values cannot reach beyond the largest one seen.
    """
    if not 0.0 <= probability <= 1.0:
        raise InputError(f"probability is {probability!r}; it must be from 0 to 1, such as 0.95 for P95")
    groups = split(cases, "cases")
    return bootstrap(
        _pooled_quantile(groups, probability),
        len(groups),
        rng=rng,
        n_values=sum(len(group) for group in groups),
        level=level,
        resamples=resamples,
        method=method,
    )


def _pooled_quantile(groups: Sequence[FloatArray], probability: float) -> Statistic:
    owner = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    values = np.concatenate([*groups, np.empty(0)])
    order = np.argsort(values, kind="stable")
    values, owner = values[order], owner[order]

    def quantile(row: FloatArray) -> float:
        upto = np.cumsum(row[owner])
        place = (upto[-1] - 1) * probability
        below = values[np.searchsorted(upto, math.floor(place), side="right")]
        above = values[np.searchsorted(upto, min(math.floor(place) + 1, upto[-1] - 1), side="right")]
        return float(below + (place - math.floor(place)) * (above - below))

    return lambda draws: np.array([quantile(row) for row in draws])
