"""Who is not beaten on quality, latency and cost together?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from vif.errors import InputError


@dataclass(frozen=True, slots=True)
class Candidate:
    """One model or preset.

    Attributes:
        name: for people.
        quality: more is better; any unit, the same for all.
        latency_ms: milliseconds, less is better.
        cost_usd: US dollars per call, less is better.
    """

    name: str
    quality: float
    latency_ms: float
    cost_usd: float


def pareto_front(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Those that no other one beats (Pareto, Manuale di economia politica, 1906), in the order they came.

    One beats another when it is at least as good in all three and better in one; equals both stay.
    InputError for a number that is not finite: leave out what was not measured.
    """
    for candidate in candidates:
        for name in ("quality", "latency_ms", "cost_usd"):
            value: float = getattr(candidate, name)
            if not math.isfinite(value):
                raise InputError(f"{name} of {candidate.name!r} is {value!r}; it must be a finite number")
    return tuple(one for one in candidates if not any(_beats(other, one) for other in candidates))


def _beats(one: Candidate, other: Candidate) -> bool:
    ours = (one.quality, -one.latency_ms, -one.cost_usd)
    theirs = (other.quality, -other.latency_ms, -other.cost_usd)
    return ours != theirs and all(mine >= yours for mine, yours in zip(ours, theirs, strict=True))
