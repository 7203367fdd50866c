"""Stage 3: which boundaries come forward as interfaces, and in what words they speak.

Numbers from the project's numeric specification, section 2 (stage 3). The wording is this project's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from vif.boundaries import Boundary, resonating_names
from vif.qualities import Qualities
from vif.wording import experience_of

ABSENT_ACTIVATION = 0.5
"""What a domain that is not there counts in the activation strength (stage 2 counts it 0)."""

PRIORITY_ABOVE = 0.3
PERMEABILITY_ABOVE = 0.7
MOST_INTERFACES = 6


class Rhythm(StrEnum):
    """How a boundary moves: only faster than 0.5 Hz and wider than 0.1 is a movement at all."""

    NONE = "none"
    GENTLE = "gentle"
    NATURAL = "natural"
    RAPID = "rapid"


@dataclass(frozen=True, slots=True)
class BoundaryActivation:
    """How strongly one boundary is engaged.

    Attributes:
        activation_strength: product of the activations of both sides, 0 to 1.
        resonates_with: names of the other boundaries that swing with it, in boundary order.
        priority: rank among the boundaries; may exceed 1.
    """

    name: str
    activation_strength: float
    resonates_with: tuple[str, ...]
    priority: float


@dataclass(frozen=True, slots=True)
class Interface:
    """A boundary that came forward, with its numbers and its wording."""

    boundary: str
    priority: float
    activation_strength: float
    resonates_with: tuple[str, ...]
    rhythm: Rhythm
    primary_quality: str
    invitation: str
    attention: str
    resonance: str
    emergence: str


def rhythm_of(boundary: Boundary) -> Rhythm:
    """The rhythm class of a boundary's oscillation."""
    if not (boundary.frequency > 0.5 and boundary.amplitude > 0.1):
        return Rhythm.NONE
    if boundary.frequency > 1.5:
        return Rhythm.RAPID
    return Rhythm.NATURAL if boundary.frequency > 0.8 else Rhythm.GENTLE


def activation_strength(boundary: Boundary, activations: Mapping[str, float]) -> float:
    """The product of both sides' activations; 0 for a name without exactly two sides."""
    if boundary.sides is None:
        return 0.0
    first, second = boundary.sides
    return activations.get(first, ABSENT_ACTIVATION) * activations.get(second, ABSENT_ACTIVATION)


def activate(boundaries: Sequence[Boundary], activations: Mapping[str, float]) -> tuple[BoundaryActivation, ...]:
    """Activation strength, resonance and priority of every boundary, in boundary order."""
    by_name = _first_by_name(boundaries)
    result = []
    for boundary, together in zip(boundaries, resonating_names(boundaries), strict=True):
        strength = activation_strength(boundary, activations)
        boost = 1.0 + len(together) * 0.2
        priority = (strength * 0.4 + by_name[boundary.name].permeability * 0.3) * boost
        result.append(BoundaryActivation(boundary.name, strength, together, priority))
    return tuple(result)


def select(
    boundaries: Sequence[Boundary], activated: Sequence[BoundaryActivation], raw: Sequence[Qualities]
) -> tuple[Interface, ...]:
    """The interfaces that come forward, highest priority first, at most six. `raw` are the qualities per boundary.

    A boundary whose name has not two sides can take one of the six places and yields nothing.
    """
    by_name = _first_by_name(boundaries)
    qualities = {boundary.name: scores for boundary, scores in reversed(list(zip(boundaries, raw, strict=True)))}
    ranked = sorted(activated, key=lambda entry: entry.priority, reverse=True)  # stable: ties keep boundary order
    forward = [
        entry
        for entry in ranked
        if entry.priority > PRIORITY_ABOVE or by_name[entry.name].permeability > PERMEABILITY_ABOVE
    ]
    return tuple(
        _interface(by_name[entry.name], entry, qualities[entry.name].primary)
        for entry in forward[:MOST_INTERFACES]
        if by_name[entry.name].sides is not None
    )


def _first_by_name(boundaries: Sequence[Boundary]) -> dict[str, Boundary]:
    # Of two boundaries with one name the first one's data counts.
    return {boundary.name: boundary for boundary in reversed(boundaries)}


def _interface(boundary: Boundary, entry: BoundaryActivation, primary_quality: str) -> Interface:
    rhythm = rhythm_of(boundary)
    wording = experience_of(boundary, rhythm, entry.resonates_with, primary_quality)
    return Interface(
        boundary=boundary.name,
        priority=entry.priority,
        activation_strength=entry.activation_strength,
        resonates_with=entry.resonates_with,
        rhythm=rhythm,
        primary_quality=primary_quality,
        invitation=wording.invitation,
        attention=wording.attention,
        resonance=wording.resonance,
        emergence=wording.emergence,
    )
