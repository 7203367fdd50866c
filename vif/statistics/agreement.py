"""Do raters, or repeats of one model, agree? Krippendorff's alpha, intraclass correlation, percent agreement."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vif.errors import InputError
from vif.statistics.bootstrap import DEFAULT_RESAMPLES, Interval, Statistic, bootstrap, no_interval
from vif.statistics.cases import FloatArray, numbers
from vif.statistics.distributions import check_level, f_quantile

Scale = Literal["nominal", "ordinal", "interval"]
"""Whether values are names, an order, or numbers whose differences mean something."""


class IccForm(StrEnum):
    """The forms of McGraw & Wong (1996); behind each the name Shrout & Fleiss (1979) gave it.

    Which one: `ONE_*` when each unit has raters of its own (repeats of a model are such); `AGREEMENT_*` when the same
    raters judge all units and a generous one is a fault; `CONSISTENCY_*` when only their order counts. `*_SINGLE` is
    the reliability of one rating, `*_AVERAGE` of the mean of all raters' ratings.
    """

    ONE_SINGLE = "ICC(1)"  # ICC(1,1)
    AGREEMENT_SINGLE = "ICC(A,1)"  # ICC(2,1)
    CONSISTENCY_SINGLE = "ICC(C,1)"  # ICC(3,1)
    ONE_AVERAGE = "ICC(k)"  # ICC(1,k)
    AGREEMENT_AVERAGE = "ICC(A,k)"  # ICC(2,k)
    CONSISTENCY_AVERAGE = "ICC(C,k)"  # ICC(3,k)


@dataclass(frozen=True, slots=True)
class Alpha:
    """Krippendorff's alpha.

    Attributes:
        scale: how values were compared.
        value: at most 1; 1 is perfect, 0 what chance gives, below 0 systematic disagreement. Its `n_cases` are the
            units with two or more ratings, its `n_values` the ratings of those.
        words: what the estimate means, for people.
    """

    scale: Scale
    value: Interval
    words: str


@dataclass(frozen=True, slots=True)
class Icc:
    """An intraclass correlation.

    Attributes:
        form: which of the six.
        value: at most 1, with an interval from the F distribution. Its `n_cases` are units.
        words: what the estimate means, for people.
    """

    form: IccForm
    value: Interval
    words: str


def alpha_words(alpha: float | None) -> str:
    """Krippendorff's customary limits (Content Analysis, 2004, p. 241) in words; asked of an interval's low end too."""
    if alpha is None:
        return "not known"
    if alpha < 0.667:
        return "not enough to rely on"
    return "reliable" if alpha > 0.8 else "tentative"


def icc_words(icc: float | None) -> str:
    """The guideline of Koo & Li (Journal of Chiropractic Medicine 15, 2016): limits at 0.5, 0.75 and 0.9.

    They ask for it of both ends of the 95 % interval, not of the estimate alone.
    """
    if icc is None:
        return "not known"
    if icc < 0.5:
        return "poor"
    if icc < 0.75:
        return "moderate"
    return "excellent" if icc > 0.9 else "good"


def codes(labels: Sequence[Sequence[Hashable | None]]) -> FloatArray:
    """Labels, units × raters, as numbers for a nominal scale; None becomes NaN (missing).

    InputError when units have different numbers of raters.
    """
    widths = {len(unit) for unit in labels}
    if len(widths) > 1:
        raise InputError(f"units have {sorted(widths)} ratings; fill up with None for those that are missing")
    known: dict[Hashable, float] = {}
    rows = [[math.nan if one is None else known.setdefault(one, float(len(known))) for one in row] for row in labels]
    return np.array(rows, dtype=np.float64)


def krippendorff_alpha(
    ratings: ArrayLike,
    scale: Scale,
    *,
    rng: np.random.Generator,
    level: float = 0.95,
    resamples: int = DEFAULT_RESAMPLES,
) -> Alpha:
    """One minus observed over expected disagreement (Krippendorff, Content Analysis, 2004, chapter 11).

    The interval comes from resampling units with all their ratings. (Krippendorff's own resamples pairs of ratings
    against a fixed expected disagreement.)

    Args:
        ratings: shape (units, raters); NaN or None is a missing rating. Units with fewer than two do not count.
        scale: how values are compared: `nominal` equal or not; `ordinal` by ranks; `interval` by squared distance.
        rng, level, resamples: as in `bootstrap`.

    Returns:
        No estimate, with the reason, when no unit has two ratings or all ratings are the same.

    Raises:
        InputError: another shape or scale, an infinite rating, a bad setting.
    """
    if scale not in get_args(Scale):
        raise InputError(f"scale is {scale!r}; it must be one of {', '.join(get_args(Scale))}")
    check_level(level)
    pairable = _pairable(ratings)
    n_units, n_values = len(pairable), int((~np.isnan(pairable)).sum())
    if n_units == 0:
        value = no_interval(None, level, 0, 0, "no unit has two ratings to compare")
        return Alpha(scale, value, alpha_words(None))
    distinct = np.unique(pairable[~np.isnan(pairable)])
    if len(distinct) == 1:
        reason = "all ratings are the same: without variation nothing shows that raters tell units apart"
        return Alpha(scale, no_interval(None, level, n_units, n_values, reason), alpha_words(None))
    if scale == "interval":
        statistic = _interval(pairable)
    else:
        counts = np.stack([(pairable == one).sum(axis=1) for one in distinct], axis=1).astype(np.float64)
        statistic = _nominal(counts) if scale == "nominal" else _ordinal(counts)
    value = bootstrap(statistic, n_units, rng=rng, n_values=n_values, level=level, resamples=resamples)
    return Alpha(scale, value, alpha_words(value.estimate))


def _ratings(ratings: ArrayLike) -> FloatArray:
    try:
        array = np.asarray(ratings, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"ratings must be units × raters, numbers only (`codes` makes them of labels): {error}"
        ) from None
    if array.size == 0:
        return np.empty((0, 2))
    if array.ndim != 2:
        raise InputError(f"ratings have shape {array.shape}; they must be units × raters")
    if np.isinf(array).any():
        unit, rater = (int(one) for one in np.argwhere(np.isinf(array))[0])
        raise InputError(f"the rating of unit {unit} by rater {rater} is infinite; it must be a number, or NaN")
    return array


def _pairable(ratings: ArrayLike) -> FloatArray:
    array = _ratings(ratings)
    two_or_more: NDArray[np.bool] = (~np.isnan(array)).sum(axis=1) >= 2
    return np.asarray(array[two_or_more], dtype=np.float64)


def _one_minus(observed: FloatArray, expected: FloatArray) -> FloatArray:
    """A resample in which all ratings are the same has no alpha."""
    possible = expected > 1e-12 * max(1.0, float(expected.max()))
    return np.where(possible, 1 - observed / np.where(possible, expected, 1.0), np.nan)


def _nominal(counts: FloatArray) -> Statistic:
    """`counts`: how often each value was given to each unit, shape (units, values)."""
    of_unit = counts.sum(axis=1)
    disagreeing = (of_unit**2 - (counts**2).sum(axis=1)) / (of_unit - 1)

    def alpha(draws: FloatArray) -> FloatArray:
        given = draws @ counts
        total = given.sum(axis=1)
        return _one_minus(draws @ disagreeing, (total**2 - (given**2).sum(axis=1)) / (total - 1))

    return alpha


def _ordinal(counts: FloatArray) -> Statistic:
    """`counts` as in `_nominal`, values ascending. The ordinal metric is the squared distance of mean ranks."""
    of_unit = counts.sum(axis=1)

    def alpha(draws: FloatArray) -> FloatArray:
        given = draws @ counts
        total = given.sum(axis=1)
        ranks = np.cumsum(given, axis=1) - given / 2 - total[:, None] / 2
        # Σ over pairs (p − q)² = 2 (m Σp² − (Σp)²), for a unit's m ratings and for all of them.
        weights = draws / (of_unit - 1)
        squares = ((weights * of_unit) @ counts * ranks**2).sum(axis=1)
        observed = squares - (weights * (ranks @ counts.T) ** 2).sum(axis=1)
        expected = (total * (given * ranks**2).sum(axis=1) - (given * ranks).sum(axis=1) ** 2) / (total - 1)
        return _one_minus(observed, expected)

    return alpha


def _interval(pairable: FloatArray) -> Statistic:
    """Squared distance; `pairable` has shape (units, raters)."""
    of_unit = (~np.isnan(pairable)).sum(axis=1).astype(np.float64)
    centred = pairable - np.nanmean(pairable)
    sums, squares = np.nansum(centred, axis=1), np.nansum(centred**2, axis=1)
    scatter = np.nansum((centred - (sums / of_unit)[:, None]) ** 2, axis=1)
    # Σ over pairs (p − q)² = 2 m Σ (p − mean)², over m − 1.
    disagreeing = of_unit * scatter / (of_unit - 1)

    def alpha(draws: FloatArray) -> FloatArray:
        total = draws @ of_unit
        return _one_minus(draws @ disagreeing, (total * (draws @ squares) - (draws @ sums) ** 2) / (total - 1))

    return alpha


def percent_agreement(
    ratings: ArrayLike, *, rng: np.random.Generator, level: float = 0.95, resamples: int = DEFAULT_RESAMPLES
) -> Interval:
    """The share of pairs of ratings of one unit that are equal, averaged over units: 0 to 1, chance not taken out.

    The observed agreement of Fleiss (Psychological Bulletin 76, 1971). Args and errors: `krippendorff_alpha`.
    """
    pairable = _pairable(ratings)
    present = (~np.isnan(pairable)).sum(axis=1)
    # NaN is not equal to itself, so that missing ratings agree with none.
    equal = (pairable[:, :, None] == pairable[:, None, :]).sum(axis=(1, 2)) - present
    shares = equal / (present * (present - 1.0))
    return bootstrap(
        lambda draws: draws @ shares / draws.sum(axis=1),
        len(shares),
        rng=rng,
        n_values=int(present.sum()),
        level=level,
        resamples=resamples,
    )


def intraclass_correlation(ratings: ArrayLike, form: IccForm, *, level: float = 0.95) -> Icc:
    """The share of variance that comes from the units (McGraw & Wong, Psychological Methods 1, 1996, tables 4 and 7).

    Args:
        ratings: shape (units, raters), at least two of each, none missing, in one unit of measurement.
        form: which of the six; see `IccForm`.
        level: above 0, below 1.

    Returns:
        No interval, with the reason, when all ratings are the same or raters never differ.

    Raises:
        InputError: another shape, too few units or raters, a missing or infinite rating, a level outside its range.
    """
    check_level(level)
    array = numbers(ratings, "ratings")
    if array.ndim != 2 or min(array.shape) < 2:
        raise InputError(f"ratings have shape {array.shape}; they must be units × raters, at least two of each")
    n, k = array.shape
    units, raters = array.mean(axis=1), array.mean(axis=0)
    centre = array.mean()
    between = k * float(((units - centre) ** 2).sum()) / (n - 1)
    of_raters = n * float(((raters - centre) ** 2).sum()) / (k - 1)
    within = float(((array - units[:, None]) ** 2).sum()) / (n * (k - 1))
    error = float(((array - units[:, None] - raters + centre) ** 2).sum()) / ((n - 1) * (k - 1))
    rounding = 1e-24 * float((array**2).max())
    noise = within if form in (IccForm.ONE_SINGLE, IccForm.ONE_AVERAGE) else error
    if between <= rounding and noise <= rounding:
        reason = "units do not differ: there is nothing on which raters could agree"
        return Icc(form, no_interval(None, level, n, n * k, reason), icc_words(None))
    agrees = form in (IccForm.AGREEMENT_SINGLE, IccForm.AGREEMENT_AVERAGE)
    average = form in (IccForm.ONE_AVERAGE, IccForm.AGREEMENT_AVERAGE, IccForm.CONSISTENCY_AVERAGE)
    single = _single(between, noise, of_raters if agrees else noise, n, k)

    def as_asked(value: float) -> float:
        return k * value / (1 + (k - 1) * value) if average else value

    estimate = None if average and single <= -1 / (k - 1) + 1e-12 else as_asked(single)
    if noise <= rounding or estimate is None:
        reason = "raters never differ" if noise <= rounding else "the means of the units do not differ at all"
        return Icc(form, no_interval(estimate, level, n, n * k, reason), icc_words(estimate))
    if agrees:
        low, high = _agreement_ends(single, (between, of_raters, error), n, k, level)
    else:
        freedom = (k - 1) * (n if noise is within else n - 1)
        ratio = between / noise
        lower = ratio / f_quantile((1 + level) / 2, n - 1, freedom)
        upper = ratio * f_quantile((1 + level) / 2, freedom, n - 1)
        low, high = (lower - 1) / (lower + k - 1), (upper - 1) / (upper + k - 1)
    low, high = as_asked(low), as_asked(high)
    if not low <= estimate <= high:
        reason = "the approximation does not hold for an estimate this far below 0"
        return Icc(form, no_interval(estimate, level, n, n * k, reason), icc_words(estimate))
    return Icc(form, Interval(estimate, low, high, level, n, n * k, "F distribution"), icc_words(estimate))


def _single(between: float, noise: float, of_raters: float, n: int, k: int) -> float:
    """One-way and consistency have no term for raters: theirs is the noise itself, and it cancels."""
    return (between - noise) / (between + (k - 1) * noise + k * (of_raters - noise) / n)


def _agreement_ends(
    single: float, squares: tuple[float, float, float], n: int, k: int, level: float
) -> tuple[float, float]:
    """McGraw & Wong, table 7, with the degrees of freedom Satterthwaite's approximation gives."""
    between, of_raters, error = squares
    a = k * single / (n * (1 - single))
    b = 1 + k * single * (n - 1) / (n * (1 - single))
    freedom = (a * of_raters + b * error) ** 2 / (
        (a * of_raters) ** 2 / (k - 1) + (b * error) ** 2 / ((n - 1) * (k - 1))
    )
    beyond = (1 + level) / 2
    upper_f, lower_f = f_quantile(beyond, n - 1, freedom), f_quantile(beyond, freedom, n - 1)
    rest = k * of_raters + (k * n - k - n) * error
    low = n * (between - upper_f * error) / (upper_f * rest + n * between)
    high = n * (lower_f * between - error) / (rest + n * lower_f * between)
    return low, high
