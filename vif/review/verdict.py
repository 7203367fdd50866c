"""From ratings to a verdict: who is preferred, how sure that is, and whether the raters can be relied on."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import TypeVar

import numpy as np

from vif.domains import Domain
from vif.review.findings import (
    Agreement,
    Corrected,
    Preference,
    ScaleFinding,
    Verdict,
)
from vif.review.raters import LEVEL, Judged, disputes_of, percent, position_of, rater_findings
from vif.review.records import BOTH_BAD, Campaign, Item, Rating, Scale
from vif.statistics.agreement import (
    Icc,
    IccForm,
    alpha_words,
    codes,
    intraclass_correlation,
    krippendorff_alpha,
    percent_agreement,
)
from vif.statistics.bootstrap import DEFAULT_RESAMPLES, Interval, mean_interval
from vif.statistics.bradley_terry import BradleyTerry, Vote, bradley_terry
from vif.statistics.paired import PairedComparison, compare_models, compare_paired
from vif.statistics.proportions import win_rate

T = TypeVar("T")

PARTS_RESAMPLES = 500
"""For the many intervals by tag and rater; those of the whole have the usual number."""


def verdict(
    campaign: Campaign, ratings: Iterable[Rating], *, rng_seed: int = 0, resamples: int = DEFAULT_RESAMPLES
) -> Verdict:
    """What the ratings of a campaign come to. Those of items it does not have are left out.

    The same ratings and seed give the same verdict. Also works without any rating.
    """
    rng = np.random.default_rng(rng_seed)
    items = {item.id: item for item in campaign.items}
    known = [rating for rating in ratings if rating.item_id in items]
    judged = [
        Judged(rating, items[rating.item_id], winner)
        for rating in known
        if (winner := rating.winner(items[rating.item_id])) is not None
    ]
    pairs = _pairs(campaign)
    preferences = _preferences(judged, pairs, rng, resamples)
    strengths = _strengths(judged, rng) if len(campaign.systems) > 2 else None
    agreement = _agreement(judged, campaign, rng)
    headline, enough = _headline(preferences, strengths, campaign)
    corrections = _corrections(campaign, judged)
    return Verdict(
        headline=headline,
        enough=enough,
        preferences=preferences,
        by_tag=_by_tag(judged, pairs, rng),
        by_rater=_by_rater(judged, pairs, rng),
        strengths=strengths,
        agreement=agreement,
        scales=tuple(_scale(scale, judged, campaign, rng) for scale in campaign.rubric.scales),
        position=position_of(judged),
        raters=rater_findings(known, judged),
        disputes=disputes_of(judged),
        corrections=corrections,
        closer=_closer(corrections, campaign.systems, rng),
        reasons=_reasons(judged),
        items=len(campaign.items),
        rated=len(judged),
        skipped=len(known) - len(judged),
        planned=_planned(campaign, {rating.rater for rating in known}),
    )


# Preferences


def _pairs(campaign: Campaign) -> list[tuple[str, str]]:
    """Pairs of systems that were compared, in the order of the campaign's systems."""
    place = {system: index for index, system in enumerate(campaign.systems)}
    found = {
        tuple(sorted((output.system for output in item.outputs), key=place.__getitem__)) for item in campaign.items
    }
    return sorted(((one, other) for one, other in found), key=lambda pair: (place[pair[0]], place[pair[1]]))


def _preferences(
    judged: Sequence[Judged], pairs: Sequence[tuple[str, str]], rng: np.random.Generator, resamples: int
) -> tuple[Preference, ...]:
    found = []
    for first, second in pairs:
        votes: dict[str, list[float]] = defaultdict(list)
        about = [one for one in judged if set(one.systems) == {first, second}]
        for one in about:
            votes[one.item.id].append(_score(one.winner, first, second))
        rate = win_rate(list(votes.values()), rng=rng, level=LEVEL, resamples=resamples)
        both_bad = sum(one.winner == BOTH_BAD for one in about)
        raters = len({one.rating.rater for one in about})
        found.append(Preference(first, second, rate, both_bad, len(votes), raters))
    return tuple(found)


def _score(winner: str, first: str, second: str) -> float:
    return {first: 1.0, second: 0.0}.get(winner, 0.5)


def _by_tag(
    judged: Sequence[Judged], pairs: Sequence[tuple[str, str]], rng: np.random.Generator
) -> Mapping[str, tuple[Preference, ...]]:
    tags = sorted({tag for one in judged for tag in one.item.tags})
    return {
        tag: _preferences([one for one in judged if tag in one.item.tags], pairs, rng, PARTS_RESAMPLES) for tag in tags
    }


def _by_rater(
    judged: Sequence[Judged], pairs: Sequence[tuple[str, str]], rng: np.random.Generator
) -> Mapping[str, tuple[Preference, ...]]:
    raters = sorted({one.rating.rater for one in judged})
    return {
        rater: _preferences([one for one in judged if one.rating.rater == rater], pairs, rng, PARTS_RESAMPLES)
        for rater in raters
    }


def _strengths(judged: Sequence[Judged], rng: np.random.Generator) -> BradleyTerry | None:
    # The message, not the pair: a message all systems were judged on is one piece of evidence.
    votes = [Vote(one.item.message, *one.systems, _score(one.winner, *one.systems)) for one in judged]
    return bradley_terry(votes, rng=rng, level=LEVEL) if votes else None


def _headline(
    preferences: Sequence[Preference], strengths: BradleyTerry | None, campaign: Campaign
) -> tuple[str, bool]:
    what = "readings" if campaign.kind == "reading" else "replies"
    if not any(preference.items for preference in preferences):
        return "Nobody has rated anything yet.", False
    if strengths is not None:
        best, following = strengths.systems[0], strengths.systems[1]
        direct = next(
            (one for one in preferences if {one.first, one.second} == {best.name, following.name} and one.items), None
        )
        if direct is None:
            return f"Not enough evidence: {best.name} and {following.name}, the best two, were never compared.", False
        preferences = [direct]
    preference = preferences[0]
    share = preference.rate.share
    votes = preference.rate.wins + preference.rate.ties + preference.rate.losses
    judged, messages = _counted(votes, "judgement"), _counted(preference.items, "message")
    basis = f"{judged} of {messages} by {_counted(preference.raters, 'rater')}"
    if share.estimate is None or share.low is None or share.high is None:
        return f"Not enough evidence: {basis} are too few to tell {preference.first} from {preference.second}.", False
    if share.low <= 0.5 <= share.high or preference.rate.p_value >= 1 - LEVEL:
        return (
            f"Not enough evidence that either is better: {what} of {preference.first} won "
            f"{percent(share.estimate)} against {preference.second} (95 % interval {_range(share)}; {basis})."
        ), False
    winner, loser = (preference.first, preference.second)
    ends, won = _range(share), share.estimate
    if share.estimate < 0.5:
        winner, loser, won = loser, winner, 1 - share.estimate
        ends = f"{percent(1 - share.high)} to {percent(1 - share.low)}"
    return (
        f"People prefer {what} of {winner} to those of {loser} {percent(won)} of the time "
        f"(95 % interval {ends}; {basis}).",
        True,
    )


def _range(share: Interval) -> str:
    return f"{percent(share.low or 0.0)} to {percent(share.high or 0.0)}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


# Agreement and scales


def _agreement(judged: Sequence[Judged], campaign: Campaign, rng: np.random.Generator) -> Agreement:
    winners = _table({(one.item.id, one.rating.rater): one.winner for one in judged})
    nominal = krippendorff_alpha(codes(winners), "nominal", rng=rng, level=LEVEL)
    ordinal = None
    if len(campaign.systems) == 2:
        first, second = campaign.systems
        order = [[math.nan if one is None else _score(one, first, second) for one in row] for row in winners]
        ordinal = krippendorff_alpha(order, "ordinal", rng=rng, level=LEVEL)
    percent = percent_agreement(codes(winners), rng=rng, level=LEVEL)
    return Agreement(nominal, ordinal, percent, _agreement_words(nominal.value))


def _agreement_words(alpha: Interval) -> str:
    if alpha.estimate is None:
        return f"Whether raters agree is not known: {alpha.reason}."
    words = f"Agreement beyond chance is {alpha_words(alpha.estimate)} (Krippendorff's alpha {alpha.estimate:.2f})"
    if alpha.low is None or alpha.high is None:
        return f"{words}; how sure that is is not known: {alpha.reason}."
    if alpha_words(alpha.low) != alpha_words(alpha.estimate):
        return f"{words}, but the evidence allows {alpha.low:.2f}, which is {alpha_words(alpha.low)}."
    return f"{words}, 95 % interval {alpha.low:.2f} to {alpha.high:.2f}."


def _table(cells: Mapping[tuple[str, str], T]) -> list[list[T | None]]:
    """Units × raters, None where there is nothing."""
    units, raters = (list(dict.fromkeys(key[axis] for key in cells)) for axis in (0, 1))
    return [[cells.get((unit, rater)) for rater in raters] for unit in units]


def _scale(scale: Scale, judged: Sequence[Judged], campaign: Campaign, rng: np.random.Generator) -> ScaleFinding:
    scores: dict[str, dict[str, list[float]]] = {system: defaultdict(list) for system in campaign.systems}
    cells: dict[tuple[str, str], float] = {}
    for one in judged:
        given = one.rating.answer.scales.get(scale.name, (None, None)) if one.rating.answer else (None, None)
        for side, score in zip(("left", "right"), given, strict=True):
            if score is not None:
                system = one.rating.side(one.item, "left" if side == "left" else "right").system
                scores[system][one.item.id].append(float(score))
                cells[f"{one.item.id} {system}", one.rating.rater] = float(score)
    table = [[math.nan if cell is None else cell for cell in row] for row in _table(cells)]
    return ScaleFinding(
        scale.name,
        {system: mean_interval(list(of.values()), rng=rng, level=LEVEL) for system, of in scores.items()},
        _scale_comparisons(scores, rng),
        krippendorff_alpha(table, "interval", rng=rng, level=LEVEL),
        _icc(table),
    )


def _scale_comparisons(
    scores: Mapping[str, Mapping[str, list[float]]], rng: np.random.Generator
) -> tuple[PairedComparison, ...]:
    systems = [system for system, of in scores.items() if of]
    both = set.intersection(*(set(scores[system]) for system in systems)) if len(systems) > 1 else set()
    if not both:
        return ()
    ids = sorted(both)
    return compare_models({system: [scores[system][id] for id in ids] for system in systems}, rng=rng, level=LEVEL)


def _icc(table: Sequence[Sequence[float]]) -> Icc | None:
    """Of as many scores per output as most outputs have: raters differ from item to item, so ICC(1)."""
    given = [[score for score in row if not math.isnan(score)] for row in table]
    usual = Counter(len(row) for row in given if len(row) > 1).most_common(1)
    if not usual:
        return None
    width = usual[0][0]
    rows = [row[:width] for row in given if len(row) >= width]
    return intraclass_correlation(rows, IccForm.ONE_SINGLE, level=LEVEL) if len(rows) > 1 else None


def _reasons(judged: Iterable[Judged]) -> Mapping[str, Mapping[str, int]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for one in judged:
        found[one.winner].update(one.rating.answer.reasons if one.rating.answer else ())
    return {winner: dict(counts.most_common()) for winner, counts in found.items() if counts}


def _planned(campaign: Campaign, raters: set[str]) -> int:
    """A pilot is for everybody, so it wants as many ratings as there are raters, and at least the usual number."""
    of_pilot = max(len(raters), campaign.raters_per_item)
    return sum(of_pilot if item.pilot else campaign.raters_per_item for item in campaign.items)


# Corrections


def _corrections(campaign: Campaign, judged: Sequence[Judged]) -> tuple[Corrected, ...]:
    found = []
    for item in campaign.items:
        given = [
            one.rating.answer.corrections
            for one in judged
            if one.item.id == item.id and one.rating.answer and one.rating.answer.corrections
        ]
        if given:
            found.append(_corrected(item, given))
    return tuple(found)


def _corrected(item: Item, given: Sequence[Mapping[Domain, float]]) -> Corrected:
    values = {
        domain: [correction[domain] for correction in given if domain in correction]
        for domain in Domain
        if any(domain in correction for correction in given)
    }
    targets = {domain: fmean(each) for domain, each in values.items()}
    errors = {}
    for output in item.outputs:
        shared = [domain for domain in targets if domain in output.domains]
        if shared:
            errors[output.system] = fmean(abs(output.domains[domain] - targets[domain]) for domain in shared)
    spread = max(max(each) - min(each) for each in values.values())
    return Corrected(item.id, targets, spread, len(given), errors)


def _closer(
    corrections: Sequence[Corrected], systems: Sequence[str], rng: np.random.Generator
) -> PairedComparison | None:
    if len(systems) != 2:
        return None
    both = [one.errors for one in corrections if len(one.errors) == 2]
    if not both:
        return None
    first, second = systems
    ours, theirs = ([[errors[system]] for errors in both] for system in (first, second))
    return compare_paired(ours, theirs, rng=rng, names=(first, second), level=LEVEL)
