"""What a review comes to: the verdict's vocabulary. `verdict.verdict` makes it, pages and files only show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vif.domains import Domain
from vif.notebook import Card, Group, Meter, Shown, counted, in_short
from vif.statistics.agreement import Alpha, Icc
from vif.statistics.bootstrap import Interval
from vif.statistics.bradley_terry import BradleyTerry
from vif.statistics.paired import PairedComparison
from vif.statistics.position import PositionBias
from vif.statistics.proportions import WinRate


@dataclass(frozen=True, slots=True)
class Preference:
    """How often `first` was preferred to `second`.

    Attributes:
        rate: ties and "both bad" count half.
        both_bad: votes that found neither good; they are among the ties of `rate`.
        items, raters: how many the votes are about, and by.
    """

    first: str
    second: str
    rate: WinRate
    both_bad: int
    items: int
    raters: int


@dataclass(frozen=True, slots=True)
class ScaleFinding:
    """A 1 to 5 scale.

    Attributes:
        means: by system.
        comparisons: every pair of systems on items both have scores of, with Holm's correction.
        alpha: agreement on the numbers. icc: of items with enough scores; None when there are not two such.
    """

    name: str
    means: Mapping[str, Interval]
    comparisons: tuple[PairedComparison, ...]
    alpha: Alpha
    icc: Icc | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """Do raters agree on the winner?

    Attributes:
        nominal: of winner, tie and both bad as names. ordinal: of first, neither, second as an order; None when more
            than two systems are compared.
        percent: chance not taken out.
        words: what that means, for people.
    """

    nominal: Alpha
    ordinal: Alpha | None
    percent: Interval
    words: str


@dataclass(frozen=True, slots=True)
class RaterFinding:
    """One rater.

    Attributes:
        seconds: the median of an item; None without a rating.
        with_others: share of items on which they said what most others said; items with a clear majority only.
        gold: share of gold items answered as experts did; `n_values` 0 without any.
        warnings: why their ratings should be looked at, in words; empty when nothing is odd.
    """

    rater: str
    rated: int
    skipped: int
    seconds: float | None
    with_others: Interval
    gold: Interval
    position: PositionBias
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dispute:
    """An item raters disagree on. `votes`: winner by rater. `split`: 0 when all agree, 1 when all differ."""

    item_id: str
    votes: Mapping[str, str]
    split: float


@dataclass(frozen=True, slots=True)
class Corrected:
    """What raters would have the activations be.

    Attributes:
        targets: the mean of their corrections by domain, 0 to 1. spread: the largest difference between two raters.
        raters: how many corrected it.
        errors: by system, the mean absolute difference of its reading from the targets.
    """

    item_id: str
    targets: Mapping[Domain, float]
    spread: float
    raters: int
    errors: Mapping[str, float]


@dataclass(frozen=True, slots=True, repr=False)
class Verdict(Shown):
    """What a campaign came to.

    Attributes:
        headline: one sentence a stakeholder can quote; it says so when the evidence is not enough.
        enough: whether it was.
        preferences: one for each pair of systems. by_tag, by_rater: the same in parts.
        strengths: from three systems on.
        position: over all raters.
        disputes: the most divided first.
        closer: corrections as a measure: whose readings are nearer to them; None without two systems and corrections.
        items, rated, skipped, raters: counts; `planned` is how many ratings the campaign wants.
    """

    headline: str
    enough: bool
    preferences: tuple[Preference, ...]
    by_tag: Mapping[str, tuple[Preference, ...]]
    by_rater: Mapping[str, tuple[Preference, ...]]
    strengths: BradleyTerry | None
    agreement: Agreement
    scales: tuple[ScaleFinding, ...]
    position: PositionBias
    raters: tuple[RaterFinding, ...]
    disputes: tuple[Dispute, ...]
    corrections: tuple[Corrected, ...]
    closer: PairedComparison | None
    reasons: Mapping[str, Mapping[str, int]]
    """How often each reason was named, by the winner it was named for."""
    items: int
    rated: int
    skipped: int
    planned: int

    def _summary(self) -> str:
        return f"{self.rated:,} of {self.planned:,} ratings: {in_short(self.headline, 300)[1:-1]}"

    def _card(self) -> Card:
        judged = [preference for preference in self.preferences if preference.items][:_MOST_ON_A_CARD]
        return Card(
            "Verdict",
            self.headline,
            groups=[Group("How often the first is preferred; the mark is half", list(map(_meter, judged)))],
            passages=[("Agreement", self.agreement.words)],
            facts=[
                f"{self.rated:,} of {self.planned:,} ratings",
                counted(self.items, "item"),
                counted(len(self.raters), "rater"),
                f"{self.skipped} skipped" if self.skipped else "",
            ],
        )


_MOST_ON_A_CARD = 8


def _meter(preference: Preference) -> Meter:
    share = preference.rate.share
    ends = None if share.low is None or share.high is None else (share.low, share.high)
    words = "not known" if share.estimate is None else f"{share.estimate:.0%}"
    return Meter(
        f"{preference.first} to {preference.second}",
        share.estimate,
        f"{words} ({ends[0]:.0%} to {ends[1]:.0%})" if ends else words,
        beside=0.5,
        ends=ends,
    )
