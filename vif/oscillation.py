"""The oscillation of the six boundaries: what it does over time, where to begin, and how to put it into a link.

The formula is the oscillation step of the project's numeric specification, section 1.3, from phase φ at time 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from vif.boundaries import BOUNDARY_NAMES, Boundary
from vif.errors import InputError

HIGHEST_FREQUENCY = 3.0
HIGHEST_PHASE = 2 * math.pi


@dataclass(frozen=True, slots=True)
class Oscillation:
    """Frequency 0 to 3 Hz, amplitude 0 to 1, phase 0 to 2π radians. InputError outside."""

    frequency: float = 1.0
    amplitude: float = 0.1
    phase: float = 0.0

    def __post_init__(self) -> None:
        for name, value, highest in (
            ("frequency", self.frequency, HIGHEST_FREQUENCY),
            ("amplitude", self.amplitude, 1.0),
            ("phase", self.phase, HIGHEST_PHASE),
        ):
            if not 0.0 <= value <= highest:
                raise InputError(f"{name} is {value!r}; it must be from 0 to {highest:g}")


DEFAULT = Oscillation()

STARTING_POINTS: Mapping[str, tuple[Oscillation, ...]] = {
    "Defaults": (DEFAULT,) * 6,
    "In phase": (Oscillation(1.0, 0.3),) * 6,
    "Spread out": tuple(Oscillation(1.0, 0.3, index * math.pi / 3) for index in range(6)),
    "One fast edge": tuple(
        Oscillation(2.5, 0.4) if name == "CD-ED" else Oscillation(0.6, 0.15) for name in BOUNDARY_NAMES
    ),
}
"""Six oscillations each, in the order of the boundaries."""


def permeability_at(base: float, oscillation: Oscillation, seconds: float) -> float:
    """P(t) = base + A·sin(2πFt + φ), limited to 0 to 1."""
    angle = 2.0 * math.pi * oscillation.frequency * seconds
    return min(max(base + oscillation.amplitude * math.sin(angle + oscillation.phase), 0.0), 1.0)


def swinging(boundaries: Sequence[Boundary], oscillations: Sequence[Oscillation]) -> tuple[Boundary, ...]:
    """The boundaries with these oscillations; permeability and status stay."""
    return tuple(
        replace(boundary, frequency=o.frequency, amplitude=o.amplitude, phase=o.phase)
        for boundary, o in zip(boundaries, oscillations, strict=True)
    )


def swinging_like(boundary: Boundary, given: Mapping[str, Boundary]) -> Boundary:
    """The boundary with the oscillation of its namesake in `given`; itself when there is none."""
    other = given.get(boundary.name)
    if other is None:
        return boundary
    return replace(boundary, frequency=other.frequency, amplitude=other.amplitude, phase=other.phase)


def to_text(oscillations: Sequence[Oscillation]) -> str:
    """Six oscillations as a short text for a link: "1-0.1-0_…" with at most four decimals; "" for the defaults."""
    if all(oscillation == DEFAULT for oscillation in oscillations):
        return ""
    return "_".join("-".join(map(_short, (o.frequency, o.amplitude, o.phase))) for o in oscillations)


def from_text(text: str) -> tuple[Oscillation, ...]:
    """The oscillations of `to_text`. InputError for anything else."""
    if not text:
        return (DEFAULT,) * 6
    parts = [part.split("-") for part in text.split("_")]
    if len(parts) != len(BOUNDARY_NAMES) or any(len(part) != 3 for part in parts):
        raise InputError(f"{text[:60]!r} is not a setting of six oscillations, each frequency-amplitude-phase")
    try:
        return tuple(Oscillation(*(float(value) for value in part)) for part in parts)
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{text[:60]!r} holds something that is not a number") from None


def _short(value: float) -> str:
    # Cut, not rounded: 2π rounded up would be out of range when it comes back.
    return f"{math.floor(value * 1e4) / 1e4:.4f}".rstrip("0").rstrip(".")
