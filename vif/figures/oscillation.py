"""What an oscillation does: who swings with whom, how the interfaces move, how the qualities change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vif.boundaries import Boundary, resonance
from vif.flow import FlowContext
from vif.interfaces import Interface
from vif.qualities import Qualities

SEEN = 0.005
"""A change below this does not show with two decimals."""


@dataclass(frozen=True, slots=True)
class Move:
    """What became of one boundary as an interface. Ranks count from 1; None: it did not come forward."""

    boundary: str
    rank_before: int | None
    rank: int | None
    before: Interface | None
    after: Interface | None

    @property
    def distance(self) -> int:
        """Places up or down; one that came or went moved the furthest."""
        return abs(self.rank - self.rank_before) if self.rank and self.rank_before else 6

    def in_words(self) -> str:
        """Everything that changed, with the names: "CD-ED 3rd → 1st, rhythm none → rapid"; "" when nothing did."""
        if self.before is None:
            return f"{self.boundary} comes forward ({_ordinal(self.rank)})"
        if self.after is None:
            return f"{self.boundary} no longer comes forward"
        parts = [f"{_ordinal(self.rank_before)} → {_ordinal(self.rank)}"] if self.rank != self.rank_before else []
        for name, was, now in (
            ("rhythm", self.before.rhythm.value, self.after.rhythm.value),
            ("quality", self.before.primary_quality, self.after.primary_quality),
        ):
            if was != now:
                parts.append(f"{name} {was} → {now}")
        return f"{self.boundary} {', '.join(parts)}" if parts else ""


def moves(before: FlowContext, after: FlowContext) -> tuple[Move, ...]:
    """Every boundary that comes forward now, in order, then those that did before and no longer do."""
    were = {interface.boundary: (rank, interface) for rank, interface in enumerate(before.interfaces, 1)}
    nothing: tuple[int | None, Interface | None] = (None, None)
    result = []
    for rank, interface in enumerate(after.interfaces, 1):
        rank_before, was = were.pop(interface.boundary, nothing)
        result.append(Move(interface.boundary, rank_before, rank, was, interface))
    return (*result, *(Move(name, rank, None, was, None) for name, (rank, was) in were.items()))


def describe_resonance(boundaries: Sequence[Boundary]) -> str:
    """The resonance matrix in a sentence, for those who cannot see it."""
    together = [
        f"{one.name} and {other.name} ({resonance(one, other).strength:.2f})"
        for i, one in enumerate(boundaries)
        for other in boundaries[i + 1 :]
        if resonance(one, other).resonates
    ]
    return f"Boundaries that swing together, with the strength: {', '.join(together) or 'none'}."


def describe_qualities(before: FlowContext, after: FlowContext) -> str:
    """The changed qualities in a sentence, for those who cannot see the matrix."""
    changed = [
        f"{boundary.name} {name} {was:.2f} → {now:.2f}"
        for boundary, old, new in zip(after.reading.boundaries, before.raw_qualities, after.raw_qualities, strict=True)
        for name, was, now in zip(Qualities._fields, old, new, strict=True)
        if abs(now - was) >= SEEN
    ]
    return f"Qualities of the boundaries that changed: {', '.join(changed) or 'none'}."


def _ordinal(rank: int | None) -> str:
    suffix = {1: "st", 2: "nd", 3: "rd"}.get(rank or 0, "th")
    return "–" if rank is None else f"{rank}{suffix}"
