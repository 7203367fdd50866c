"""What is measured: cases, each with one value or several repeats."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vif.errors import InputError

FloatArray = NDArray[np.float64]

Cases = Sequence[ArrayLike] | NDArray[np.number[Any] | np.bool]
"""One entry per case: a number, or its repeats as a sequence or array of any shape. Cases may differ in size."""


@dataclass(frozen=True, slots=True)
class Moments:
    """What is needed of each case. All arrays have shape (n_cases,).

    Attributes:
        counts: values of the case, at least 1.
        means: their mean.
        scatter: their sum of squared deviations from that mean.
    """

    counts: FloatArray
    means: FloatArray
    scatter: FloatArray

    @property
    def n_cases(self) -> int:
        return len(self.counts)

    @property
    def n_values(self) -> int:
        return int(self.counts.sum())


def numbers(values: ArrayLike, name: str) -> FloatArray:
    """`values` as an array of finite numbers, of whatever shape; InputError naming the first that is none."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must hold numbers only: {error}") from None
    wrong = np.argwhere(~np.isfinite(array))
    if len(wrong):
        place = tuple(int(index) for index in wrong[0])
        where = f" at {place[0] if len(place) == 1 else place}" if place else ""
        raise InputError(f"{name} has {float(array[place])!r}{where}; leave out what was not measured")
    return array


def vector(values: ArrayLike, name: str) -> FloatArray:
    """`values` as finite numbers of shape (n,); InputError otherwise."""
    array = numbers(values, name)
    if array.ndim != 1:
        raise InputError(f"{name} has shape {array.shape}; it must be one row of numbers, one per case")
    return array


def split(cases: Cases, name: str) -> list[FloatArray]:
    """Each case's values, flat. InputError when a case has none, or one is not a finite number."""
    arrays = [numbers(case, f"{name}[{index}]").reshape(-1) for index, case in enumerate(cases)]
    for index, values in enumerate(arrays):
        if not len(values):
            raise InputError(f"{name}[{index}] has no values; leave a case out of which nothing was measured")
    return arrays


def moments(cases: Cases, name: str = "cases") -> Moments:
    """Counts, means and scatter of each case; InputError as `split`."""
    arrays = split(cases, name)
    means = [_mean(values) for values in arrays]
    return Moments(
        np.array([len(values) for values in arrays], dtype=np.float64),
        np.array(means, dtype=np.float64),
        np.array([((values - mean) ** 2).sum() for values, mean in zip(arrays, means, strict=True)], dtype=np.float64),
    )


def _mean(values: FloatArray) -> float:
    # Five times 0.1 sums to 0.5 but three times does not to 0.3: equal repeats must have that very mean.
    return float(values[0] + (values - values[0]).mean())


def same_length(first: Sized, second: Sized, names: str) -> None:
    """InputError unless both have one entry per case."""
    if len(first) != len(second):
        raise InputError(f"{names} have {len(first)} and {len(second)} entries; they must have one each per case")
