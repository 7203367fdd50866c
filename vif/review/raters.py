"""The raters themselves: do they say what others say, do they lean to a side, do they take their time?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean, median

from vif.review.findings import Dispute, RaterFinding
from vif.review.records import BOTH_BAD, TIE, Item, Rating
from vif.statistics.bootstrap import Interval
from vif.statistics.position import PositionBias, position_bias
from vif.statistics.proportions import wilson

LEVEL = 0.95
FAIR_PACE_S = 2.0
GOLD_AT_LEAST = 0.6
ODD_P = 0.01


@dataclass(frozen=True, slots=True)
class Judged:
    """A rating that says something, with its item and its winner."""

    rating: Rating
    item: Item
    winner: str

    @property
    def systems(self) -> tuple[str, str]:
        first, second = (output.system for output in self.item.outputs)
        return first, second


def position_of(judged: Iterable[Judged]) -> PositionBias:
    sides = Counter(one.rating.answer.choice for one in judged if one.rating.answer)
    return position_bias(sides["left"], sides["right"], level=LEVEL)


def rater_findings(known: Sequence[Rating], judged: Sequence[Judged]) -> tuple[RaterFinding, ...]:
    by_item: dict[str, dict[str, str]] = defaultdict(dict)
    for one in judged:
        by_item[one.item.id][one.rating.rater] = one.winner
    shares = {}
    for rater in sorted({rating.rater for rating in known}):
        agreed = [votes[rater] == most for votes in by_item.values() if rater in votes if (most := _most(votes, rater))]
        shares[rater] = wilson(sum(agreed), len(agreed), level=LEVEL)
    return tuple(_rater(rater, known, judged, shares) for rater in shares)


def _rater(
    rater: str, known: Sequence[Rating], judged: Sequence[Judged], shares: Mapping[str, Interval]
) -> RaterFinding:
    mine = [one for one in judged if one.rating.rater == rater]
    golds = [one.winner == one.item.gold for one in mine if one.item.gold is not None]
    gold = wilson(sum(golds), len(golds), level=LEVEL)
    position = position_of(mine)
    pace = median(one.rating.seconds for one in mine) if mine else None
    share = shares[rater]
    others = [one.estimate for name, one in shares.items() if name != rater and one.estimate is not None]
    warnings = []
    if share.high is not None and others and share.high < fmean(others):
        warnings.append(
            f"says what most others say in {percent(share.estimate or 0.0)} of items; the others do in "
            f"{percent(fmean(others))}"
        )
    if gold.high is not None and gold.high < GOLD_AT_LEAST:
        warnings.append(f"answers {sum(golds)} of {len(golds)} gold items as experts do")
    if position.p_value < ODD_P:
        side = "left" if position.left > position.right else "right"
        warnings.append(
            f"chose the {side} side {max(position.left, position.right)} of "
            f"{position.left + position.right} times, which chance does not explain"
        )
    if pace is not None and pace < FAIR_PACE_S and len(mine) >= 5:
        warnings.append(f"takes {pace:.1f} seconds for an item, too few to read it")
    skipped = sum(rating.rater == rater for rating in known) - len(mine)
    return RaterFinding(rater, len(mine), skipped, pace, share, gold, position, tuple(warnings))


def _most(votes: Mapping[str, str], without: str) -> str | None:
    """What most of the others say; None when there is no clear majority among at least two."""
    counts = Counter(winner for rater, winner in votes.items() if rater != without).most_common(2)
    total = sum(count for _, count in counts)
    if total < 2 or (len(counts) > 1 and counts[0][1] == counts[1][1]):
        return None
    return counts[0][0]


def disputes_of(judged: Iterable[Judged]) -> tuple[Dispute, ...]:
    by_item: dict[str, dict[str, str]] = defaultdict(dict)
    for one in judged:
        by_item[one.item.id][one.rating.rater] = one.winner
    found = [Dispute(item, votes, _split(list(votes.values()))) for item, votes in by_item.items()]
    return tuple(sorted((one for one in found if one.split > 0), key=lambda one: (-one.split, one.item_id)))


def _split(winners: Sequence[str]) -> float:
    """The share of pairs of raters that disagree; "tie" and "both bad" are both no preference."""
    pairs = list(combinations([TIE if winner == BOTH_BAD else winner for winner in winners], 2))
    return sum(one != other for one, other in pairs) / len(pairs) if pairs else 0.0


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"
