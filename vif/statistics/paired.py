"""Two models on the same cases: how much better is one, and could chance do that?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from vif.errors import InputError
from vif.statistics.bootstrap import DEFAULT_RESAMPLES, Interval, bootstrap
from vif.statistics.cases import Cases, FloatArray, moments, same_length, vector
from vif.statistics.distributions import fair_coin_p

EXACT_UP_TO = 20
"""Cases with a difference for which all sign patterns are tried: 2^19 of them."""

DEFAULT_PERMUTATIONS = 20_000


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """One model against another on the same cases.

    Attributes:
        first, second: names, empty when none were given.
        difference: mean over cases of (first − second), in the unit of the values.
        p_value: of the sign-flip test, two-sided; above 0, at most 1.
        p_adjusted: after Holm's correction over all comparisons made together; `p_value` for one alone.
        exact: whether every sign pattern was tried.
    """

    first: str
    second: str
    difference: Interval
    p_value: float
    p_adjusted: float
    exact: bool


@dataclass(frozen=True, slots=True)
class McNemar:
    """Pass and fail of two models on the same cases.

    Attributes:
        both, only_first, only_second, neither: cases that passed so.
        p_value: exact, two-sided, 0 to 1; 1.0 when no case tells them apart.
    """

    both: int
    only_first: int
    only_second: int
    neither: int
    p_value: float


def compare_paired(
    first: Cases,
    second: Cases,
    *,
    rng: np.random.Generator,
    names: tuple[str, str] = ("", ""),
    level: float = 0.95,
    resamples: int = DEFAULT_RESAMPLES,
    permutations: int = DEFAULT_PERMUTATIONS,
) -> PairedComparison:
    """The mean difference over cases, its bootstrap interval by case, and a sign-flip test.

    Args:
        first, second: one entry per case in the same order; the numbers of repeats may differ.
        rng: drawn from for the interval, and for the test above `EXACT_UP_TO` cases that differ.
        level, resamples: as in `bootstrap`.
        permutations: sign patterns drawn when not all are tried, at least 100.

    Raises:
        InputError: lists of different length; an empty case; a value that is not a finite number; a bad setting.
    """
    same_length(first, second, "the two models")
    a, b = moments(first, "first"), moments(second, "second")
    differences = a.means - b.means
    interval = bootstrap(
        lambda draws: draws @ differences / draws.sum(axis=1),
        len(differences),
        rng=rng,
        n_values=a.n_values + b.n_values,
        level=level,
        resamples=resamples,
    )
    p_value, exact = sign_flip_test(differences, rng=rng, permutations=permutations)
    return PairedComparison(*names, interval, p_value, p_value, exact)


def compare_models(
    models: Mapping[str, Cases],
    *,
    rng: np.random.Generator,
    level: float = 0.95,
    resamples: int = DEFAULT_RESAMPLES,
    permutations: int = DEFAULT_PERMUTATIONS,
) -> tuple[PairedComparison, ...]:
    """Every pair of two or more models on the same cases, with Holm's correction; args and errors: `compare_paired`."""
    pairs = [
        compare_paired(
            models[one],
            models[other],
            rng=rng,
            names=(one, other),
            level=level,
            resamples=resamples,
            permutations=permutations,
        )
        for one, other in combinations(models, 2)
    ]
    adjusted = holm([pair.p_value for pair in pairs])
    return tuple(
        PairedComparison(pair.first, pair.second, pair.difference, pair.p_value, p_adjusted, pair.exact)
        for pair, p_adjusted in zip(pairs, adjusted, strict=True)
    )


def sign_flip_test(
    differences: Sequence[float] | FloatArray,
    *,
    rng: np.random.Generator,
    permutations: int = DEFAULT_PERMUTATIONS,
) -> tuple[float, bool]:
    """How often the mean is at least as far from 0 when each case's difference gets a random sign, two-sided.

    Exact for up to `EXACT_UP_TO` differences other than 0 (Fisher, The Design of Experiments, 1935, section 21);
    above, a Monte Carlo estimate (1 + hits) / (1 + permutations), which is never 0 (Phipson & Smyth, Statistical
    Applications in Genetics and Molecular Biology 9, 2010).

    Returns:
        The p-value, above 0 and at most 1, and whether it is exact. 1.0 without any difference.

    Raises:
        InputError: a difference that is not a finite number; fewer than 100 permutations.
    """
    if permutations < 100:
        raise InputError(f"permutations is {permutations!r}; it must be 100 or more")
    values = vector(differences, "differences")
    values = values[values != 0]
    total = abs(float(values.sum()))
    # Sums of the same numbers in another order differ in their last digits.
    as_far = total - 1e-12 * float(np.abs(values).sum())
    if len(values) <= EXACT_UP_TO:
        sums = np.zeros(1)
        # The first sign stays: the other half of all patterns mirrors this one.
        for index, value in enumerate(values):
            sums = sums + value if index == 0 else np.concatenate([sums + value, sums - value])
        return float(np.mean(np.abs(sums) >= as_far)), True
    hits = 0
    at_once = max(1, 2_000_000 // len(values))
    for start in range(0, permutations, at_once):
        size = min(at_once, permutations - start)
        signs = rng.integers(0, 2, size=(size, len(values)), dtype=np.int8) * 2.0 - 1.0
        hits += int((np.abs(signs @ values) >= as_far).sum())
    return (1 + hits) / (1 + permutations), False


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> McNemar:
    """Whether two models differ in the cases they pass: the exact test on cases that only one passes.

    McNemar, Psychometrika 12, 1947; exact form: Fay, Biostatistics 11, 2010. One pass or failure per case and model.
    InputError for lists of different length, or entries other than 0 and 1.
    """
    same_length(first, second, "the two models")
    a, b = vector(first, "first"), vector(second, "second")
    for name, values in (("first", a), ("second", b)):
        if not np.isin(values, (0.0, 1.0)).all():
            raise InputError(f"{name} must hold True for a pass and False for a failure, nothing else")
    only_first, only_second = int((a > b).sum()), int((b > a).sum())
    both = int((a * b).sum())
    return McNemar(
        both, only_first, only_second, len(a) - both - only_first - only_second, fair_coin_p(only_first, only_second)
    )


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """p-values corrected for being several, in the same order (Holm, Scandinavian Journal of Statistics 6, 1979).

    Reporting those below 0.05 is wrong about any of them in at most 5 % of such reports. InputError outside 0 to 1.
    """
    for index, p_value in enumerate(p_values):
        if not 0.0 <= p_value <= 1.0:
            raise InputError(f"p_values[{index}] is {p_value!r}; it must be from 0 to 1")
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda one: p_values[one])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return tuple(adjusted)
