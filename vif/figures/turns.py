"""The four activations over the turns of a conversation, with the shifts marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vif.domains import DOMAINS
from vif.figures.style import GRID, LIGHT, Palette, base_layout

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_MARKERS = ("circle", "square", "diamond", "triangle-up")
_DASHES = ("solid", "dash", "dot", "dashdot")


@dataclass(frozen=True, slots=True)
class TurnReading:
    """One turn: its number, its message in short, activations per domain (0 to 1), and shifts above 0.3."""

    number: int
    message: str
    domains: Mapping[str, float]
    shifts: Mapping[str, float]


def turns_chart(readings: Sequence[TurnReading], *, palette: Palette = LIGHT) -> Figure:
    """A line per domain over the turns; a ring marks a domain that shifted by more than 0.3."""
    from plotly.graph_objects import Figure, Scatter

    figure = Figure(layout=base_layout(palette))
    numbers = [reading.number for reading in readings]
    for domain, marker, dash in zip(DOMAINS, _MARKERS, _DASHES, strict=True):
        values = [reading.domains.get(domain) for reading in readings]
        figure.add_trace(
            Scatter(
                x=numbers,
                y=values,
                name=domain.label,
                mode="lines+markers",
                line={"color": palette.domains[domain], "dash": dash, "width": 2.5},
                marker={"symbol": marker, "size": 9, "color": palette.domains[domain]},
                hovertemplate=f"<b>{domain.label}</b><br>message %{{x}}: %{{y:.2f}}<extra></extra>",
            )
        )
        shifted = [reading for reading in readings if domain in reading.shifts]
        figure.add_trace(
            Scatter(
                x=[reading.number for reading in shifted],
                y=[reading.domains.get(domain) for reading in shifted],
                mode="markers",
                showlegend=False,
                marker={
                    "symbol": "circle-open",
                    "size": 19,
                    "line": {"width": 2.5},
                    "color": palette.domains[domain],
                },
                customdata=[reading.shifts[domain] for reading in shifted],
                hovertemplate=f"<b>{domain.label}</b> shifted by %{{customdata:+.2f}}<extra></extra>",
            )
        )
    figure.update_layout(
        height=300,
        margin={"l": 36, "r": 12, "t": 12, "b": 64},
        xaxis={"dtick": 1, "title": {"text": "message"}, "showgrid": False, "zeroline": False, "fixedrange": True},
        yaxis={"range": [-0.03, 1.05], "gridcolor": GRID, "zeroline": False, "fixedrange": True, "dtick": 0.25},
    )
    return figure


def describe_turns(readings: Sequence[TurnReading]) -> str:
    """The chart in a sentence: first and last activations, and every shift."""
    if not readings:
        return "No messages yet"
    first, last = readings[0], readings[-1]
    moves = ", ".join(
        f"{domain.label.lower()} {first.domains.get(domain, 0.0):.2f} to {last.domains.get(domain, 0.0):.2f}"
        for domain in DOMAINS
    )
    shifts = [
        f"{domain.label.lower()} {reading.shifts[domain]:+.2f} at message {reading.number}"
        for reading in readings
        for domain in DOMAINS
        if domain in reading.shifts
    ]
    return f"Activations over {len(readings)} messages: {moves}. " + (
        f"Shifts above 0.3: {', '.join(shifts)}" if shifts else "No shift above 0.3"
    )
