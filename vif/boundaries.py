"""The six boundaries between domains: permeability, status, oscillation and resonance.

Numbers from the project's numeric specification, sections 1.2, 1.3 and 2 (stage 2). Arithmetic keeps the order
written there, so that results agree bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from itertools import combinations

from vif.domains import Domain
from vif.notebook import Card, Group, Meter, Shown

TRANSITIONAL_ABOVE = 0.6
TRANSCENDENT_ABOVE = 0.8


class Status(StrEnum):
    """How open a boundary is, by its permeability: ≤ 0.6, ≤ 0.8, above."""

    MAINTAINED = "Maintained"
    TRANSITIONAL = "Transitional"
    TRANSCENDENT = "Transcendent"


@dataclass(frozen=True, slots=True, repr=False)
class Boundary(Shown):
    """One boundary and its oscillation.

    Attributes:
        name: two domains joined by a hyphen, e.g. "CD-SD".
        permeability: how freely understanding crosses, 0 to 1.
        status: free text, because a supplied status is taken as given; see `Status` for the usual three.
        frequency: Hz.
        amplitude: 0 to 1.
        phase: radians.
    """

    name: str
    permeability: float = 0.0
    status: str = Status.MAINTAINED
    frequency: float = 1.0
    amplitude: float = 0.1
    phase: float = 0.0

    @property
    def sides(self) -> tuple[str, str] | None:
        """The two domains, or None when the name has not exactly two parts."""
        return _sides(self.name)

    def _summary(self) -> str:
        swing = (self.frequency, self.amplitude, self.phase)
        # Most never swing otherwise: then it need not be said.
        oscillation = (
            "" if swing == (1.0, 0.1, 0.0) else f", {swing[0]:g} Hz, amplitude {swing[1]:g}, phase {swing[2]:g}"
        )
        return f"{self.name} {self.permeability:.2f} {self.status}{oscillation}"

    def _card(self) -> Card:
        oscillation = f"{self.frequency:g} Hz, amplitude {self.amplitude:g}, phase {self.phase:g}"
        return Card("Boundary", groups=[Group("", boundary_meters([self]).meters)], facts=[oscillation])


@lru_cache(maxsize=256)
def _sides(name: str) -> tuple[str, str] | None:
    parts = name.split("-")
    return (parts[0], parts[1]) if len(parts) == 2 else None


def boundary_meters(boundaries: Sequence[Boundary], beside: Sequence[Boundary] = (), *, accent: str = "llm1") -> Group:
    """The permeabilities for a card, next to those of the same boundaries in `beside`."""
    other = {boundary.name: boundary.permeability for boundary in beside}
    return Group(
        "Boundaries",
        [
            Meter(b.name, b.permeability, f"{b.permeability:.2f} {b.status}", other.get(b.name), accent=accent)
            for b in boundaries
        ],
    )


PAIRS: tuple[tuple[Domain, Domain], ...] = (
    (Domain.CD, Domain.SD),
    (Domain.CD, Domain.CUD),
    (Domain.CD, Domain.ED),
    (Domain.SD, Domain.CUD),
    (Domain.SD, Domain.ED),
    (Domain.CUD, Domain.ED),
)

BOUNDARY_NAMES: tuple[str, ...] = tuple(f"{a}-{b}" for a, b in PAIRS)

DEFAULT_BOUNDARIES: tuple[Boundary, ...] = tuple(Boundary(name) for name in BOUNDARY_NAMES)


def status_of(permeability: float) -> Status:
    """The status that belongs to a permeability."""
    if permeability > TRANSCENDENT_ABOVE:
        return Status.TRANSCENDENT
    if permeability > TRANSITIONAL_ABOVE:
        return Status.TRANSITIONAL
    return Status.MAINTAINED


def permeability_between(first: float, second: float) -> float:
    """√(a·b) of the activations on both sides."""
    return math.sqrt(first * second)


def dissolve(boundaries: Iterable[Boundary], activations: Mapping[str, float]) -> tuple[Boundary, ...]:
    """Stage 2: permeability and status anew from the activations; a domain that is not there counts 0.

    A boundary whose name has not two parts is kept as it is. Oscillation is never touched.
    """
    result = []
    for boundary in boundaries:
        if boundary.sides is None:
            result.append(boundary)
            continue
        first, second = boundary.sides
        permeability = permeability_between(activations.get(first, 0.0), activations.get(second, 0.0))
        # Named field by field: dataclasses.replace() takes several times as long.
        result.append(
            Boundary(
                boundary.name,
                permeability,
                status_of(permeability),
                boundary.frequency,
                boundary.amplitude,
                boundary.phase,
            )
        )
    return tuple(result)


@dataclass(frozen=True, slots=True)
class Resonance:
    """Whether two boundaries swing together, and how closely (0 to 1; for display, the flow does not use it)."""

    resonates: bool
    strength: float


def resonates(one: Boundary, other: Boundary) -> bool:
    """Whether frequencies are within 20 % of the larger and phases within 0.2 π, both strictly. Symmetric.

    Two boundaries at 0 Hz do not resonate: their difference is not below 0.
    """
    difference = abs(one.frequency - other.frequency)
    return difference < 0.2 * max(one.frequency, other.frequency) and _angle(one, other) < 0.2 * math.pi


def resonance(one: Boundary, other: Boundary) -> Resonance:
    """Whether two boundaries resonate, and the strength: 0.6 × closeness of frequency + 0.4 × alignment of phase."""
    fastest = max(one.frequency, other.frequency)
    closeness = 1.0 - min(abs(one.frequency - other.frequency) / fastest, 1.0) if fastest > 0.0 else 1.0
    alignment = 1.0 - _angle(one, other) / math.pi
    return Resonance(resonates(one, other), 0.6 * closeness + 0.4 * alignment)


def _angle(one: Boundary, other: Boundary) -> float:
    """The smaller angle between two phases, 0 to π."""
    turn = math.fmod(abs(one.phase - other.phase), 2.0 * math.pi)
    return min(turn, 2.0 * math.pi - turn)


def resonating_names(boundaries: Sequence[Boundary]) -> tuple[tuple[str, ...], ...]:
    """For each boundary the names of the others that resonate with it, in boundary order.

    Two boundaries of one name never count as resonating with each other.
    """
    together: list[list[int]] = [[] for _ in boundaries]
    for (i, one), (j, other) in combinations(enumerate(boundaries), 2):
        if one.name != other.name and resonates(one, other):
            together[i].append(j)
            together[j].append(i)
    return tuple(tuple(boundaries[j].name for j in sorted(row)) for row in together)


def oscillate(boundary: Boundary, dt: float, base: float) -> Boundary:
    """One oscillation step of `dt` seconds around the permeability `base`.

    The new permeability uses the old phase and does not accumulate; the status is left as it was. For a negative sum
    the phase stays negative (truncated remainder).
    """
    angle = 2.0 * math.pi * boundary.frequency * dt
    permeability = base + boundary.amplitude * math.sin(angle + boundary.phase)
    return replace(
        boundary,
        permeability=min(max(permeability, 0.0), 1.0),
        phase=math.fmod(boundary.phase + angle, 2.0 * math.pi),
    )
