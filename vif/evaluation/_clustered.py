"""Intervals from sums over each case, for many metrics at once. Repeats of a case are never taken for cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vif.evaluation.measures import MetricName
from vif.statistics.bootstrap import Interval, Statistic, bootstrap_each, no_interval
from vif.statistics.cases import FloatArray
from vif.statistics.distributions import normal_quantile

LEVEL = 0.95
_NOTHING = 1e-18


def share(passes: FloatArray, counts: FloatArray, reason: str) -> Interval:
    """As `vif.statistics.proportions.share_interval`, from each case's passes and trials; shapes (n_cases,).

    `reason` says why there is no estimate when no case has a trial.
    """
    tried = counts > 0
    means = passes[tried] / counts[tried]
    n_cases, n_values = len(means), int(counts.sum())
    if not n_cases:
        return no_interval(None, LEVEL, 0, 0, reason)
    estimate, trials = float(means.mean()), float(n_cases)
    if n_cases > 1:
        variance = float(means.var(ddof=1)) / n_cases
        informative = estimate * (1 - estimate) / variance if variance > 0 else trials
        trials = min(max(informative, trials), float(n_values))
    z = normal_quantile((1 + LEVEL) / 2)
    half = z * np.sqrt(estimate * (1 - estimate) / trials + (z / (2 * trials)) ** 2)
    middle, scale = estimate + z * z / (2 * trials), 1 + z * z / trials
    low = 0.0 if estimate == 0 else max(0.0, (middle - half) / scale)
    high = 1.0 if estimate == 1 else min(1.0, (middle + half) / scale)
    return Interval(estimate, float(low), float(high), LEVEL, n_cases, n_values, "Wilson, effective trials")


@dataclass(frozen=True, slots=True)
class Asked:
    """One or several metrics to resample together.

    Attributes:
        names: of the metrics.
        cases: numbers of the cases they rest on, shape (n,).
        statistic: of draws of those cases, shape (resamples, n), to (resamples,) or (resamples, len(names)).
        n_values: values of those cases together.
        reason: why there is no estimate when there are no cases.
        without_ends: why there is an estimate, but cannot be an interval; empty otherwise.
    """

    names: tuple[MetricName, ...]
    cases: NDArray[np.intp]
    statistic: Statistic
    n_values: int
    reason: str = ""
    without_ends: str = ""


def nothing(name: MetricName, reason: str) -> Asked:
    """A metric that does not exist for these cases."""
    return Asked((name,), np.empty(0, dtype=np.intp), mean_of(np.empty(0)), 0, reason)


def resampled(asked: Sequence[Asked], rng: np.random.Generator, resamples: int) -> dict[MetricName, Interval]:
    """The interval of each; those that rest on the same cases share their resamples, which is most of the work."""
    found: dict[MetricName, Interval] = {}
    together: dict[bytes, list[Asked]] = {}
    for one in asked:
        n = len(one.cases)
        if not n:
            found |= {name: no_interval(None, LEVEL, 0, 0, one.reason) for name in one.names}
        elif one.without_ends:
            estimates = one.statistic(np.ones((1, n))).reshape(-1)
            found |= {
                name: no_interval(float(estimate), LEVEL, n, one.n_values, one.without_ends)
                for name, estimate in zip(one.names, estimates, strict=True)
            }
        else:
            together.setdefault(one.cases.tobytes(), []).append(one)
    for group in together.values():
        statistic = _side_by_side([one.statistic for one in group])
        n = len(group[0].cases)
        intervals = iter(bootstrap_each(statistic, n, rng=rng, level=LEVEL, resamples=resamples))
        for one in group:
            found |= {name: replace(next(intervals), n_values=one.n_values) for name in one.names}
    return found


def _side_by_side(statistics: Sequence[Statistic]) -> Statistic:
    return lambda draws: np.column_stack([statistic(draws) for statistic in statistics])


def mean_of(values: FloatArray) -> Statistic:
    """The mean over cases of one value each, shape (n,)."""
    return lambda draws: draws @ values / draws.sum(axis=1)


def spread_of(scatter: FloatArray, counts: FloatArray) -> Statistic:
    """The pooled standard deviation of repeats, averaged over domains (`vif.statistics.correlation.repeat_sd` of each).

    `scatter`: sums of squares around each case's mean, shape (n, domains); `counts`: readings, two or more, shape (n,).
    """
    freedom = counts - 1
    return lambda draws: np.sqrt(draws @ scatter / (draws @ freedom)[:, None]).mean(axis=1)


def _squares(
    draws: FloatArray, counts: FloatArray, means: FloatArray, scatter: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean squares between and within, shape (resamples, domains), and the mean size of a case, (resamples, 1).

    One-way analysis of variance with cases of any size (Searle, Casella & McCulloch, Variance Components, 1992, section
    3.6). Within is NaN when no case has two readings.
    """
    width = means.shape[1]
    centred = means - means.mean(axis=0)
    weighted = counts[:, None] * centred
    # One product for all sums: reading the draws is what takes the time.
    sums = draws @ np.column_stack([counts, counts**2, weighted * centred, weighted, scatter])
    n = draws.sum(axis=1)[:, None]
    values, squared = sums[:, :1], sums[:, 1:2]
    of_squares, of_means, of_scatter = (sums[:, 2 + k * width : 2 + (k + 1) * width] for k in range(3))
    between = of_squares - of_means**2 / values
    size = (values - squared / values) / (n - 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        within = of_scatter / (values - n)
    return np.maximum(between, 0.0) / (n - 1), within, size


def discrimination_of(counts: FloatArray, means: FloatArray, scatter: FloatArray) -> Statistic:
    """The standard deviation between cases, chance taken out where repeats show it, averaged over domains.

    `counts`: readings of each case, shape (n,), n two or more; `means` and `scatter`: shape (n, domains).
    """

    def of_draws(draws: FloatArray) -> FloatArray:
        between, within, size = _squares(draws, counts, means, scatter)
        noise = within if counts.max() > 1 else 0.0
        return np.asarray(np.sqrt(np.maximum(between - noise, 0.0) / size).mean(axis=1), dtype=np.float64)

    return of_draws


def icc_of(counts: FloatArray, means: FloatArray, scatter: FloatArray) -> Statistic:
    """ICC(1), averaged over the domains in which readings differ at all; shapes as in `discrimination_of`."""

    def of_draws(draws: FloatArray) -> FloatArray:
        between, within, size = _squares(draws, counts, means, scatter)
        variance = between + (size - 1) * within
        differs = variance > _NOTHING
        each = np.where(differs, (between - within) / np.where(differs, variance, 1.0), 0.0)
        domains = differs.sum(axis=1)
        return np.where(domains > 0, each.sum(axis=1) / np.maximum(domains, 1), np.nan)

    return of_draws


def pooled_correlation_of(x: FloatArray, y: FloatArray) -> Statistic:
    """Pearson's correlation over all pairs of case and domain; both of shape (n, domains)."""
    a, b = x - x.mean(), y - y.mean()
    sums = np.stack([one.sum(axis=1) for one in (a, b, a * a, b * b, a * b)], axis=1)

    def of_draws(draws: FloatArray) -> FloatArray:
        pairs = draws.sum(axis=1) * x.shape[1]
        of_a, of_b, of_aa, of_bb, of_ab = (draws @ sums).T
        spread_a, spread_b = of_aa - of_a**2 / pairs, of_bb - of_b**2 / pairs
        there = (spread_a > 1e-12 * pairs) & (spread_b > 1e-12 * pairs)
        spread = np.sqrt(np.where(there, spread_a * spread_b, 1.0))
        return np.where(there, np.clip((of_ab - of_a * of_b / pairs) / spread, -1.0, 1.0), np.nan)

    return of_draws


def quantiles_of(values: FloatArray, owner: NDArray[np.intp], probabilities: Sequence[float]) -> Statistic:
    """Quantiles of all values together, as `vif.statistics.bootstrap.quantile_interval`; (resamples, probabilities).

    `values`: shape (n_values,); `owner`: for each the place of its case among those drawn.
    """
    order = np.argsort(values, kind="stable")
    ordered, owners = values[order], owner[order]

    def of_draws(draws: FloatArray) -> FloatArray:
        upto = np.cumsum(np.take(draws.astype(np.int32), owners, axis=1), axis=1, dtype=np.int32)
        total = upto[:, -1].copy()
        # One ascending row of all resamples: a single search finds the place in each of them.
        before = np.concatenate([[0], np.cumsum(total)[:-1]]).astype(np.int32)
        upto += before[:, None]
        start = np.arange(len(draws)) * len(owners)

        def at(place: NDArray[np.int32]) -> FloatArray:
            found: FloatArray = ordered[np.searchsorted(upto.reshape(-1), before + place, side="right") - start]
            return found

        columns = []
        for probability in probabilities:
            place = (total - 1) * probability
            lower = np.floor(place).astype(np.int32)
            below, above = at(lower), at(np.minimum(lower + 1, total - 1))
            columns.append(below + (place - lower) * (above - below))
        return np.stack(columns, axis=1)

    return of_draws
