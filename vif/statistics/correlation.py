"""How readings go together, how far they are from targets, and whether they change with the message at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from vif.errors import InputError
from vif.statistics.bootstrap import DEFAULT_RESAMPLES, Interval, Statistic, bootstrap, mean_interval, no_interval
from vif.statistics.cases import Cases, FloatArray, Moments, moments, numbers, same_length, vector
from vif.statistics.distributions import check_level
from vif.statistics.proportions import share_interval

_SAME = 1e-12


@dataclass(frozen=True, slots=True)
class Discrimination:
    """Whether a reading changes with the message, or only with chance.

    Attributes:
        share: variance between cases, of variance between plus within; 0 (blind to the message, or pure noise) to 1.
        between_sd: standard deviation of the cases' means, in the unit of the readings.
        within_sd: standard deviation of repeats of the same case; None when nothing was repeated.
    """

    share: Interval
    between_sd: float
    within_sd: float | None


def pearson(
    x: ArrayLike, y: ArrayLike, *, rng: np.random.Generator, level: float = 0.95, resamples: int = DEFAULT_RESAMPLES
) -> Interval:
    """The product-moment correlation over cases (Pearson, Proceedings of the Royal Society 58, 1895).

    Args:
        x, y: shape (n_cases,), one value per case in the same order, finite.
        rng, level, resamples: as in `bootstrap`; pairs are drawn.

    Returns:
        −1 to 1; no estimate, with the reason, when one side is the same for every case (the Rust formula's is).

    Raises:
        InputError: other shapes, different lengths, values that are not finite numbers, a bad setting.
    """
    a, b = _pair(x, y)
    a, b = a - a.mean() if len(a) else a, b - b.mean() if len(b) else b
    return _correlation((a, b), lambda draws: _weighted_pearson(draws, a, b), rng, level, resamples)


def spearman(
    x: ArrayLike, y: ArrayLike, *, rng: np.random.Generator, level: float = 0.95, resamples: int = DEFAULT_RESAMPLES
) -> Interval:
    """The correlation of ranks, ties sharing their mean rank (Spearman, American Journal of Psychology 15, 1904).

    Every resample is ranked anew. Args, result and errors: `pearson`.
    """
    a, b = _pair(x, y)
    rank_a, rank_b = _ranker(a), _ranker(b)
    return _correlation(
        (a, b), lambda draws: _weighted_pearson(draws, rank_a(draws), rank_b(draws)), rng, level, resamples
    )


def _pair(x: ArrayLike, y: ArrayLike) -> tuple[FloatArray, FloatArray]:
    a, b = vector(x, "x"), vector(y, "y")
    same_length(a, b, "x and y")
    return a, b


def _correlation(
    pair: tuple[FloatArray, FloatArray],
    statistic: Statistic,
    rng: np.random.Generator,
    level: float,
    resamples: int,
) -> Interval:
    for name, values in zip(("x", "y"), pair, strict=True):
        if len(values) and np.ptp(values) <= _SAME * max(1.0, float(np.abs(values).max())):
            check_level(level)
            reason = f"{name} is the same for every case: it cannot go up or down with anything"
            return no_interval(None, level, len(values), len(values), reason)
    return bootstrap(statistic, len(pair[0]), rng=rng, level=level, resamples=resamples)


def _weighted_pearson(draws: FloatArray, a: FloatArray, b: FloatArray) -> FloatArray:
    """Shape (resamples,), from values of shape (n_cases,) or (resamples, n_cases)."""
    n = draws.sum(axis=1)
    mean_a, mean_b = (draws * a).sum(axis=1) / n, (draws * b).sum(axis=1) / n
    da, db = a - mean_a[:, None], b - mean_b[:, None]
    spread_a, spread_b = (draws * da * da).sum(axis=1), (draws * db * db).sum(axis=1)
    flat = (spread_a <= _SAME * (draws * a * a).sum(axis=1)) | (spread_b <= _SAME * (draws * b * b).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (draws * da * db).sum(axis=1) / np.sqrt(spread_a * spread_b)
    return np.where(flat, np.nan, np.clip(r, -1.0, 1.0))


def _ranker(values: FloatArray) -> Statistic:
    """Ranks of every case in each resample, as if each case stood there as often as it was drawn."""
    distinct, group = np.unique(values, return_inverse=True)
    members = np.zeros((len(values), len(distinct)))
    members[np.arange(len(values)), group] = 1

    def ranks(draws: FloatArray) -> FloatArray:
        drawn = draws @ members
        return np.asarray((np.cumsum(drawn, axis=1) - (drawn - 1) / 2)[:, group], dtype=np.float64)

    return ranks


def mean_absolute_error(
    readings: Cases,
    targets: Cases,
    *,
    rng: np.random.Generator,
    level: float = 0.95,
    resamples: int = DEFAULT_RESAMPLES,
) -> Interval:
    """The mean distance of readings from their targets, each case counting the same; in the unit of the readings.

    Args:
        readings: one entry per case: a number, its repeats, or repeats × domains.
        targets: one entry per case: a number, or what numpy broadcasts to the case's readings (one per domain).
        rng, level, resamples: as in `bootstrap`.

    Raises:
        InputError: different lengths, a target that does not fit its readings, values that are not finite numbers.
    """
    return mean_interval(_errors(readings, targets), rng=rng, level=level, resamples=resamples)


def share_within(readings: Cases, targets: Cases, tolerance: float, *, level: float = 0.95) -> Interval:
    """The share of readings at most `tolerance` (0 or more) from their target: 0 to 1; see `share_interval`.

    A billionth is forgiven: 0.8 − 0.7 is not above 0.1. Args and errors otherwise: `mean_absolute_error`.
    """
    if not tolerance >= 0:
        raise InputError(f"tolerance is {tolerance!r}; it must be 0 or more")
    return share_interval([(errors <= tolerance + 1e-9) * 1.0 for errors in _errors(readings, targets)], level=level)


def _errors(readings: Cases, targets: Cases) -> list[FloatArray]:
    same_length(readings, targets, "readings and targets")
    errors = []
    for index, (reading, target) in enumerate(zip(readings, targets, strict=True)):
        have, wanted = numbers(reading, f"readings[{index}]"), numbers(target, f"targets[{index}]")
        try:
            errors.append(np.abs(have - np.broadcast_to(wanted, have.shape)))
        except ValueError:
            shapes = f"{wanted.shape}; its readings have {have.shape}"
            raise InputError(f"targets[{index}] has shape {shapes}: give one number, or one per domain") from None
    return errors


def repeat_sd(
    cases: Cases, *, rng: np.random.Generator, level: float = 0.95, resamples: int = DEFAULT_RESAMPLES
) -> Interval:
    """The standard deviation of repeats of one case, pooled over cases: √(Σ scatter / Σ (repeats − 1)).

    In the unit of the readings; the pooled variance of one-way analysis of variance (Fisher, Statistical Methods for
    Research Workers, 1925). Cases without a repeat do not count. No estimate, with the reason, when none has one.
    Args and errors: `mean_interval`.
    """
    of_case = moments(cases)
    repeated = of_case.counts > 1
    scatter, freedom = of_case.scatter[repeated], of_case.counts[repeated] - 1
    if of_case.n_cases and not len(scatter):
        check_level(level)
        return no_interval(None, level, of_case.n_cases, of_case.n_values, "no case was repeated")
    return bootstrap(
        lambda draws: np.sqrt(draws @ scatter / (draws @ freedom)),
        len(scatter),
        rng=rng,
        n_values=int(of_case.counts[repeated].sum()),
        level=level,
        resamples=resamples,
    )


def discrimination(
    cases: Cases, *, rng: np.random.Generator, level: float = 0.95, resamples: int = DEFAULT_RESAMPLES
) -> Discrimination:
    """How much of the readings' variance comes from the message: variance between cases of the total.

    Variance components of one-way analysis of variance for unequal repeats, a negative one taken as 0 (Searle, Casella
    & McCulloch, Variance Components, 1992, section 3.6), so that pure noise has 0 and not one over the repeats. A
    reading that is always the same (the Rust formula's) has 0 too. Single readings of different values have no
    share: nobody knows how much of their difference is noise.
    Args and errors: `mean_interval`.
    """
    of_case = moments(cases)
    n_cases, n_values = of_case.n_cases, of_case.n_values
    check_level(level)
    if n_cases < 2:
        reason = "it takes two or more cases to differ"
        return Discrimination(no_interval(None, level, n_cases, n_values, reason), 0.0, None)
    freedom = float((of_case.counts - 1).sum())
    between = float(of_case.means.std(ddof=1))
    within = float(np.sqrt(of_case.scatter.sum() / freedom)) if freedom else None
    size = max(1.0, float(np.abs(of_case.means).max()))
    if np.ptp(of_case.means) <= _SAME * size and float(of_case.scatter.sum()) <= (_SAME * size) ** 2:
        share = no_interval(0.0, level, n_cases, n_values, "every reading is the same, whatever the message")
        return Discrimination(share, 0.0, None if within is None else 0.0)
    if within is None:
        reason = "no case was repeated, so noise cannot be told from the message's influence"
        return Discrimination(no_interval(None, level, n_cases, n_values, reason), between, None)
    share = bootstrap(
        lambda draws: _between_share(draws, of_case),
        n_cases,
        rng=rng,
        n_values=n_values,
        level=level,
        resamples=resamples,
    )
    return Discrimination(share, between, within)


def _between_share(draws: FloatArray, of_case: Moments) -> FloatArray:
    n = draws.sum(axis=1)
    values = draws @ of_case.counts
    # Around the mean of all, so that large readings of small differences keep their digits.
    centred = of_case.means - of_case.means.mean()
    between = draws @ (of_case.counts * centred**2) - (draws @ (of_case.counts * centred)) ** 2 / values
    repeats = (values - draws @ of_case.counts**2 / values) / (n - 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        within = draws @ of_case.scatter / (values - n)
        from_message = np.maximum((between / (n - 1) - within) / repeats, 0.0)
        return np.asarray(from_message / (from_message + within), dtype=np.float64)
