"""What an oscillation does: who swings with whom, how the interfaces move, how the qualities change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vif.boundaries import Boundary, resonance
from vif.domains import Domain
from vif.figures.style import GRID, LIGHT, Palette, base_layout, boundary_label, coloured
from vif.flow import FlowContext
from vif.interfaces import Interface
from vif.qualities import Qualities

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

SEEN = 0.005
"""A change below this does not show with two decimals."""

_LARGEST_DOT = 26


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


def resonance_matrix(boundaries: Sequence[Boundary], *, palette: Palette = LIGHT) -> Figure:
    """A dot for each two boundaries: its size is the strength, filled when they swing together."""
    import plotly.graph_objects as go

    pairs = [(i, j, resonance(one, other)) for i, one in enumerate(boundaries) for j, other in enumerate(boundaries)]
    figure = go.Figure()
    for name, together, symbol, colour in (
        ("swing together", True, "circle", palette.llm1),
        ("do not", False, "circle-open", palette.formula),
    ):
        shown = [(i, j, pair) for i, j, pair in pairs if i != j and pair.resonates is together]
        figure.add_trace(
            go.Scatter(
                name=name,
                x=[j for _, j, _ in shown],
                y=[i for i, _, _ in shown],
                customdata=[pair.strength for _, _, pair in shown],
                text=[_hover_resonance(boundaries[i], boundaries[j], pair.strength, together) for i, j, pair in shown],
                hovertemplate="%{text}<extra></extra>",
                mode="markers",
                marker={
                    "symbol": symbol,
                    "size": [6 + (_LARGEST_DOT - 6) * pair.strength**2 for _, _, pair in shown],
                    "color": colour,
                    "line": {"width": 1.5},
                },
            )
        )
    _lay_out_matrix(figure, [_short(b.name, palette) for b in boundaries], boundaries, palette)
    return figure


def describe_resonance(boundaries: Sequence[Boundary]) -> str:
    """The resonance matrix in a sentence, for those who cannot see it."""
    together = [
        f"{one.name} and {other.name} ({resonance(one, other).strength:.2f})"
        for i, one in enumerate(boundaries)
        for other in boundaries[i + 1 :]
        if resonance(one, other).resonates
    ]
    return f"Boundaries that swing together, with the strength: {', '.join(together) or 'none'}."


def quality_matrix(before: FlowContext, after: FlowContext, *, palette: Palette = LIGHT) -> Figure:
    """The seven qualities of each boundary as they are now, with a triangle where one has changed."""
    import plotly.graph_objects as go

    boundaries = after.reading.boundaries
    cells = [
        (boundary, quality, was, now)
        for boundary, (old, new) in enumerate(zip(before.raw_qualities, after.raw_qualities, strict=True))
        for quality, (was, now) in enumerate(zip(old, new, strict=True))
    ]
    figure = go.Figure()
    for name, sign, symbol, colour in (
        ("more than before", 1, "triangle-up", palette.llm1),
        ("less than before", -1, "triangle-down", palette.formula),
    ):
        shown = [cell for cell in cells if (cell[3] - cell[2]) * sign >= SEEN]
        figure.add_trace(
            go.Scatter(
                name=name,
                x=[boundary for boundary, _, _, _ in shown],
                y=[quality - 0.2 for _, quality, _, _ in shown],
                customdata=[now - was for _, _, was, now in shown],
                mode="markers",
                marker={
                    "symbol": symbol,
                    "size": [8 + 16 * min(abs(now - was), 1.0) for _, _, was, now in shown],
                    "color": colour,
                },
                hoverinfo="skip",
                showlegend=True,
            )
        )
    figure.add_trace(
        go.Scatter(
            name="now",
            x=[boundary for boundary, _, _, _ in cells],
            y=[quality + 0.2 for _, quality, _, _ in cells],
            customdata=[now for _, _, _, now in cells],
            text=[f"{now:.2f}" for _, _, _, now in cells],
            hovertext=[_hover_quality(boundaries[b], quality, was, now) for b, quality, was, now in cells],
            hovertemplate="%{hovertext}<extra></extra>",
            mode="text",
            textfont={"size": 12},
            showlegend=False,
        )
    )
    _lay_out_matrix(figure, Qualities._fields, boundaries, palette)
    return figure


def describe_qualities(before: FlowContext, after: FlowContext) -> str:
    """The changed qualities in a sentence, for those who cannot see the matrix."""
    changed = [
        f"{boundary.name} {name} {was:.2f} → {now:.2f}"
        for boundary, old, new in zip(after.reading.boundaries, before.raw_qualities, after.raw_qualities, strict=True)
        for name, was, now in zip(Qualities._fields, old, new, strict=True)
        if abs(now - was) >= SEEN
    ]
    return f"Qualities of the boundaries that changed: {', '.join(changed) or 'none'}."


def _lay_out_matrix(figure: Figure, rows: Sequence[str], boundaries: Sequence[Boundary], palette: Palette) -> None:
    """Rows with these names; the boundaries are the columns."""
    figure.update_layout(
        **base_layout(palette),
        height=420,
        margin={"l": 74, "r": 8, "t": 34, "b": 46},
        xaxis={
            "tickvals": list(range(len(boundaries))),
            "ticktext": [_short(boundary.name, palette) for boundary in boundaries],
            "tickangle": 0,
            "range": [-0.5, len(boundaries) - 0.5],
            "side": "top",
            "gridcolor": GRID,
            "zeroline": False,
            "fixedrange": True,
            "ticks": "",
        },
        yaxis={
            "tickvals": list(range(len(rows))),
            "ticktext": list(rows),
            "range": [len(rows) - 0.5, -0.5],
            "gridcolor": GRID,
            "zeroline": False,
            "fixedrange": True,
            "ticks": "",
        },
    )


def _short(name: str, palette: Palette) -> str:
    known = {domain.value for domain in Domain}
    parts = name.split("-")
    return "–".join(coloured(Domain(p), palette, p) for p in parts) if set(parts) <= known else name


def _hover_resonance(one: Boundary, other: Boundary, strength: float, together: bool) -> str:
    verdict = "swing together" if together else "do not swing together"
    return f"<b>{boundary_label(one.name)}</b><br><b>{boundary_label(other.name)}</b><br>{verdict}, {strength:.2f}"


def _hover_quality(boundary: Boundary, quality: int, was: float, now: float) -> str:
    title = f"<b>{boundary_label(boundary.name)}</b><br>{Qualities._fields[quality]} {now:.2f}"
    return title if abs(now - was) < SEEN else f"{title}<br>before {was:.2f} ({now - was:+.2f})"


def _ordinal(rank: int | None) -> str:
    suffix = {1: "st", 2: "nd", 3: "rd"}.get(rank or 0, "th")
    return "–" if rank is None else f"{rank}{suffix}"
