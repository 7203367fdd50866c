"""What is counted of each result, before anything is averaged."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from vif.boundaries import BOUNDARY_NAMES, PAIRS, permeability_between, status_of
from vif.domains import DOMAINS, Domain
from vif.evaluation.measures import MetricName
from vif.evaluation.records import Result, Subject
from vif.evaluation.suite import Case
from vif.interaction import Attempt, Recognition
from vif.recognition.schema import HIGHEST_FREQUENCY, RELATIVE_TOLERANCE, ROUNDING

FOLLOWS_WITHIN = 0.3
"""A domain that moves further between two messages has shifted."""

_OUTPACED = "outpaced"
_PERMEABILITIES = len(BOUNDARY_NAMES)
_SIDES = dict(zip(BOUNDARY_NAMES, PAIRS, strict=True))
_MOST: Mapping[str, float] = {
    "permeability": 1.0,
    "frequency": HIGHEST_FREQUENCY,
    "amplitude": 1.0,
    "phase": 2 * math.pi,
}


class Tally(NamedTuple):
    """How many of how many."""

    passes: int = 0
    of: int = 0


NOT_KNOWN = Tally()
NO, YES = Tally(0, 1), Tally(1, 1)


def total(tallies: Iterable[Tally]) -> Tally:
    passes = of = 0
    for tally in tallies:
        passes += tally.passes
        of += tally.of
    return Tally(passes, of)


def yes_no(passed: bool) -> Tally:
    return YES if passed else NO


def is_reading(result: Result, subject: Subject) -> bool:
    """Whether the subject itself read: also a model nobody could ask is not the formula."""
    found = result.recognition
    return result.read and (subject.formula or (found is not None and found.source != "formula"))


def is_timed(result: Result) -> bool:
    """Whether somebody waited for it: not what a batch brought, not what was remembered, not a failure."""
    return result.domains is not None and result.added_ms > 0 and not is_remembered(result)


def is_remembered(result: Result) -> bool:
    return result.recognition is not None and (result.recognition.cache_hit or result.recognition.source == "cache")


def contract_of(result: Result, *, oscillation: bool) -> dict[MetricName, Tally]:
    """How one result of a model kept to the contract of LLM #1; all of it is about the subject's first model."""
    found = result.recognition
    if found is not None and is_remembered(result):
        permeability, status = _boundaries_kept(result, found)
        return {"permeability": permeability, "status": status}
    if found is None or not found.attempts:
        return {"schema_first": NO, "schema_after": NO, "fallbacks": YES}
    # By time, not by place: of two that were asked at once, the one that lost is named first.
    first = min(found.attempts, key=lambda attempt: attempt.started_ms)
    of_first = [one for one in found.attempts if (one.provider, one.model) == (first.provider, first.model)]
    answered = any(one.outcome == "ok" for one in of_first)
    overtaken = of_first[-1].outcome == _OUTPACED and not answered
    permeability, status = _boundaries_kept(result, found) if answered else (NOT_KNOWN, NOT_KNOWN)
    return {
        "schema_first": NOT_KNOWN if first.outcome == _OUTPACED else yes_no(first.outcome == "ok"),
        "schema_after": NOT_KNOWN if overtaken else yes_no(answered),
        "range": total(_ranges_kept(one, oscillation=oscillation) for one in of_first),
        "permeability": permeability,
        "status": status,
        "fallbacks": yes_no(not answered),
        "retries": yes_no(max(Counter((one.provider, one.model) for one in found.attempts).values()) > 1),
    }


def _boundaries_kept(result: Result, found: Recognition) -> tuple[Tally, Tally]:
    """Permeabilities within 15 % of √(a·b), and statuses that fit, both as the model gave them."""
    if result.domains is None:
        return NOT_KNOWN, NOT_KNOWN
    given = {(one.boundary, one.field): one.given for one in found.corrections}
    near = fits = 0
    for boundary in result.boundaries:
        permeability = float(given.get((boundary.name, "permeability"), boundary.permeability))
        first, second = _SIDES[boundary.name]
        expected = permeability_between(result.domains[first], result.domains[second])
        near += abs(permeability - expected) <= RELATIVE_TOLERANCE * expected + ROUNDING
        fits += given.get((boundary.name, "status"), boundary.status) == status_of(permeability)
    return Tally(near, len(result.boundaries)), Tally(fits, len(result.boundaries))


def _ranges_kept(attempt: Attempt, *, oscillation: bool) -> Tally:
    """Numbers of a raw answer that are where they may be. One that was accepted has all of them there."""
    if attempt.outcome == "ok":
        values = len(DOMAINS) + _PERMEABILITIES * (len(_MOST) if oscillation else 1)
        return Tally(values, values)
    answer = _object_in(attempt.raw_text)
    if answer is None:
        return NOT_KNOWN
    domains, boundaries = answer.get("domains"), answer.get("boundaries")
    kept: list[bool] = []
    if isinstance(domains, dict):
        kept += [_within(domains[name], 1.0) for name in DOMAINS if name in domains]
    if isinstance(boundaries, dict):
        for name in BOUNDARY_NAMES:
            boundary = boundaries.get(name)
            if isinstance(boundary, dict):
                wanted = _MOST if oscillation else ("permeability",)
                kept += [_within(boundary[field], _MOST[field]) for field in wanted if field in boundary]
    return Tally(sum(kept), len(kept))


def _object_in(text: str) -> dict[str, object] | None:
    """The JSON object of a raw answer, whatever stands around it; None when there is none."""
    start, end = text.find("{"), text.rfind("}")
    if not 0 <= start < end:
        return None
    try:
        value = json.loads(text[start : end + 1])
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _within(value: object, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most


def inside_ranges(domains: Mapping[Domain, float], case: Case) -> Tally:
    """Activations inside what the case expects; a billionth is forgiven."""
    inside = [low - ROUNDING <= domains[domain] <= high + ROUNDING for domain, (low, high) in case.ranges.items()]
    return Tally(sum(inside), len(inside))


def unexpected_shifts(domains: Mapping[Domain, float], case: Case) -> tuple[Domain, ...]:
    """Domains that moved by more than 0.3 where the case does not expect such a move in that direction.

    Nothing is known of a domain the case has no previous activation of.
    """
    if not case.previous:
        return ()
    expected = case.expected
    found = []
    for domain, before in case.previous.items():
        moved = round(domains[domain] - before, 9)
        asked_for = round(expected.get(domain, before) - before, 9)
        if abs(moved) > FOLLOWS_WITHIN and not (abs(asked_for) > FOLLOWS_WITHIN and moved * asked_for > 0):
            found.append(domain)
    return tuple(found)


def tokens_of(attempts: Iterable[Attempt]) -> int:
    return sum(attempt.input_tokens + attempt.output_tokens for attempt in attempts)


def most_dominant(readings: Sequence[Mapping[Domain, float]]) -> Tally:
    """Readings whose strongest domain is the most frequent one; of two as strong the first counts, in domain order."""
    strongest = Counter(max(DOMAINS, key=reading.__getitem__) for reading in readings)
    return Tally(max(strongest.values(), default=0), len(readings))
