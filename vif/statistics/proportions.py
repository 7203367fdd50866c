"""Shares: of calls that comply, of votes that were won."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from vif.errors import InputError
from vif.statistics.bootstrap import DEFAULT_RESAMPLES, Interval, mean_interval, no_interval
from vif.statistics.cases import Cases, moments, split
from vif.statistics.distributions import check_level, fair_coin_p, normal_quantile


@dataclass(frozen=True, slots=True)
class WinRate:
    """How often one side won.

    Attributes:
        share: wins plus half the ties, of all votes of an item, averaged over items; 0 to 1.
        wins, ties, losses: votes, counted singly.
        p_value: the sign test over items: those mostly won against those mostly lost.
    """

    share: Interval
    wins: int
    ties: int
    losses: int
    p_value: float


def wilson(successes: int, trials: int, *, level: float = 0.95) -> Interval:
    """The score interval of a share of independent trials (Wilson, JASA 22, 1927, p. 209).

    Args:
        successes: from 0 to `trials`.
        trials: 0 or more; without any there is no estimate, and the reason says so.
        level: above 0, below 1.

    Raises:
        InputError: counts that cannot be, or a level outside its range.
    """
    if not 0 <= successes <= trials:
        raise InputError(f"successes is {successes!r} of {trials!r} trials; it must be from 0 to the number of trials")
    check_level(level)
    if trials == 0:
        return no_interval(None, level, 0, 0, "there are no trials")
    low, high = _score_ends(successes / trials, trials, normal_quantile((1 + level) / 2))
    return Interval(successes / trials, low, high, level, trials, trials, "Wilson")


def _score_ends(share: float, trials: float, z: float) -> tuple[float, float]:
    middle = share + z * z / (2 * trials)
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    # The ends are 0 and 1 exactly when the share is; rounding must not leave the truth out.
    low = 0.0 if share == 0 else max(0.0, (middle - half) / scale)
    high = 1.0 if share == 1 else min(1.0, (middle + half) / scale)
    return low, high


def share_interval(cases: Cases, *, level: float = 0.95) -> Interval:
    """The share of passes where each case was tried once or several times (repeats are not independent).

    The estimate is the mean over cases of each case's share. The interval is Wilson's for as many independent trials
    as carry the same information, from the variance between cases: never fewer than the cases, never more than the
    values (Korn & Graubard, Survey Methodology 24, 1998; Dean & Pagano, Journal of Survey Statistics and Methodology
    3, 2015). So it also has a lower end when everything passed: 20 cases of 5 passes are 20 trials, not 100.

    Args:
        cases: passes as 1 or True, failures as 0 or False.
        level: above 0, below 1.

    Raises:
        InputError: a value other than 0 and 1, an empty case, a level outside its range.
    """
    check_level(level)
    for index, values in enumerate(split(cases, "cases")):
        for value in values:
            if value not in (0.0, 1.0):
                raise InputError(f"cases[{index}] has {float(value)!r}; it must be 1 for a pass or 0 for a failure")
    of_case = moments(cases)
    n_cases = of_case.n_cases
    if n_cases == 0:
        return no_interval(None, level, 0, 0, "there are no cases")
    share = float(of_case.means.mean())
    trials = float(n_cases)
    if n_cases > 1:
        variance = float(of_case.means.var(ddof=1)) / n_cases
        informative = share * (1 - share) / variance if variance > 0 else trials
        trials = min(max(informative, trials), float(of_case.n_values))
    low, high = _score_ends(share, trials, normal_quantile((1 + level) / 2))
    return Interval(share, low, high, level, n_cases, of_case.n_values, "Wilson, effective trials")


def win_rate(
    items: Cases, *, rng: np.random.Generator, level: float = 0.95, resamples: int = DEFAULT_RESAMPLES
) -> WinRate:
    """How often one side won, with ties counted half; votes on one item are resampled together.

    When no vote disagrees with another (all won, or all lost) resampling shows nothing: then the interval is Wilson's,
    each item counting as one trial.

    Args:
        items: one entry per item: its votes, 1 for a win, 0.5 for a tie, 0 for a loss.
        rng, level, resamples: as in `bootstrap`.

    Raises:
        InputError: a vote other than 0, 0.5 and 1; an item without votes; a level or number outside its range.
    """
    groups = split(items, "items")
    for index, votes in enumerate(groups):
        for vote in votes:
            if vote not in (0.0, 0.5, 1.0):
                raise InputError(f"items[{index}] has {float(vote)!r}; a vote is 1 (win), 0.5 (tie) or 0 (loss)")
    pooled = np.concatenate([*groups, np.empty(0)])
    share = mean_interval(items, rng=rng, level=level, resamples=resamples)
    if share.low is None and share.estimate in (0.0, 1.0):
        alike = wilson(round(share.estimate * share.n_cases), share.n_cases, level=level)
        share = replace(alike, n_values=share.n_values)
    means = moments(items, "items").means
    return WinRate(
        share,
        wins=int((pooled == 1).sum()),
        ties=int((pooled == 0.5).sum()),
        losses=int((pooled == 0).sum()),
        p_value=sign_test(int((means > 0.5).sum()), int((means < 0.5).sum())),
    )


def sign_test(wins: int, losses: int) -> float:
    """The exact two-sided p-value of as uneven a result when either side wins as often; ties are left out.

    Conover, Practical Nonparametric Statistics, 1999, section 3.4. From 0 to 1; 1.0 without any win or loss.
    InputError for a negative count.
    """
    return fair_coin_p(wins, losses)
