"""Strengths of systems from votes on pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vif.errors import InputError
from vif.statistics.bootstrap import DEFAULT_RESAMPLES, Interval, bootstrap_each
from vif.statistics.cases import FloatArray

DEFAULT_PRIOR = 0.2
"""Votes added to every pair of systems, half for either side."""

_ENOUGH = 1e-8
_MOST_STEPS = 5000


@dataclass(frozen=True, slots=True)
class Vote:
    """One judgement of two systems on one item.

    Attributes:
        item: what was judged; votes on the same item are resampled together.
        first, second: names of two different systems.
        score: 1 when the first won, 0 when the second did, 0.5 for a tie.
    """

    item: str
    first: str
    second: str
    score: float


@dataclass(frozen=True, slots=True)
class Strength:
    """How strong one system is.

    Attributes:
        name: of the system.
        log_strength: natural logarithm; the mean of all systems is 0; a difference d wins 1 / (1 + e^−d) of votes.
        win_probability: against a system of average strength, 0 to 1; the same on the other scale.
        score: votes won, ties counted half.
        votes: votes it took part in.
    """

    name: str
    log_strength: Interval
    win_probability: Interval
    score: float
    votes: int


@dataclass(frozen=True, slots=True)
class BradleyTerry:
    """All systems, the strongest first.

    Attributes:
        systems: the strengths.
        prior: votes that were added to every pair.
        separated: whether some systems were never beaten by others (or never met them); then their distance comes
            from the prior alone and only says "far".
    """

    systems: tuple[Strength, ...]
    prior: float
    separated: bool


def bradley_terry(
    votes: Sequence[Vote],
    *,
    rng: np.random.Generator,
    prior: float = DEFAULT_PRIOR,
    level: float = 0.95,
    resamples: int = DEFAULT_RESAMPLES,
) -> BradleyTerry:
    """Strengths under which P(i beats j) = s_i / (s_i + s_j) fits the votes best, by item-wise bootstrap.

    Bradley & Terry, Biometrika 39, 1952; fitted by minorisation–maximisation (Hunter, Annals of Statistics 32, 2004);
    a tie is half a win for either. Without a prior a system that never lost would be infinitely strong (Ford, American
    Mathematical Monthly 64, 1957); `prior` votes per pair, half each way, keep it finite and pull all strengths a
    little together: with 50 votes a pair and the default, by less than 1 %.

    Args:
        votes: at least one.
        prior: above 0.
        rng, level, resamples: as in `bootstrap`.

    Raises:
        InputError: no votes, a system against itself, a score other than 0, 0.5 and 1, a bad setting.
    """
    if not votes:
        raise InputError("votes is empty; there must be at least one")
    if not 0 < prior < float("inf"):
        raise InputError(f"prior is {prior!r}; it must be above 0, such as {DEFAULT_PRIOR}")
    names = sorted({name for vote in votes for name in (vote.first, vote.second)})
    items = {item: place for place, item in enumerate(dict.fromkeys(vote.item for vote in votes))}
    wins = _wins(votes, {name: place for place, name in enumerate(names)}, items)
    k = len(names)
    of_item = wins.reshape(len(items), -1)
    start = _fit(of_item.sum(axis=0).reshape(1, k, k), prior, np.zeros((1, k)))

    def both_scales(draws: FloatArray) -> FloatArray:
        strengths = _fit((draws @ of_item).reshape(-1, k, k), prior, start)
        return np.concatenate([strengths, 1 / (1 + np.exp(-strengths))], axis=1)

    intervals = bootstrap_each(both_scales, len(items), rng=rng, n_values=len(votes), level=level, resamples=resamples)
    total = wins.sum(axis=0)
    systems = [
        Strength(
            name,
            intervals[place],
            intervals[k + place],
            float(total[place].sum()),
            round(float(total[place].sum() + total[:, place].sum())),
        )
        for place, name in enumerate(names)
    ]
    order = np.argsort(-start[0], kind="stable")
    return BradleyTerry(tuple(systems[place] for place in order), prior, _is_separated(total))


def _wins(votes: Sequence[Vote], names: dict[str, int], items: dict[str, int]) -> FloatArray:
    """Shape (items, systems, systems): what the row's system won against the column's."""
    wins = np.zeros((len(items), len(names), len(names)))
    for index, vote in enumerate(votes):
        if vote.first == vote.second:
            raise InputError(f"votes[{index}] compares {vote.first!r} with itself; it takes two systems")
        if vote.score not in (0, 0.5, 1):
            raise InputError(f"votes[{index}] has score {vote.score!r}; it is 1 (first won), 0.5 (tie) or 0")
        first, second, item = names[vote.first], names[vote.second], items[vote.item]
        wins[item, first, second] += vote.score
        wins[item, second, first] += 1 - vote.score
    return wins


def _fit(wins: FloatArray, prior: float, start: FloatArray) -> FloatArray:
    """Log-strengths of mean 0, shape (resamples, systems), from wins of shape (resamples, systems, systems)."""
    others = 1 - np.eye(wins.shape[1])
    wins = wins + prior / 2 * others
    met = wins + wins.swapaxes(1, 2)
    won = wins.sum(axis=2)
    logs = np.broadcast_to(start, won.shape).copy()
    active: NDArray[np.intp] = np.arange(len(wins))
    for _ in range(_MOST_STEPS):
        strengths = np.exp(logs[active])
        shares = met[active] / (strengths[:, :, None] + strengths[:, None, :])
        better = np.log(won[active] / shares.sum(axis=2))
        better -= better.mean(axis=1, keepdims=True)
        moved = np.abs(better - logs[active]).max(axis=1)
        logs[active] = better
        active = active[moved > _ENOUGH]
        if not len(active):
            break
    return logs


def _is_separated(wins: FloatArray) -> bool:
    """Ford's condition fails: there is a system from which wins do not lead, in steps, to every other."""
    reach: NDArray[np.bool] = (wins > 0) | np.eye(len(wins), dtype=np.bool)
    for _ in range(len(wins)):
        reach = reach @ reach
    return not bool(reach.all())
