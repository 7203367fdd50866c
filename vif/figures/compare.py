"""Several readings side by side: a small radar for each, and in words where they agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from vif.domains import DOMAINS
from vif.figures.reading import NOTABLE, radar
from vif.figures.style import LIGHT, Palette, coloured

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

SMALL_RADAR_HEIGHT = 196
"""Pixels. A column needs about as many in width."""

_MARGIN = 25
_REACH = SMALL_RADAR_HEIGHT / 2 - _MARGIN + 11
"""Pixels from the centre to a domain's name."""

_SIDES = ((0, 1, 0), (1, 0, 90), (0, -1, 0), (-1, 0, -90))
"""Where a domain's name stands from the centre, right and up, and how it is turned in degrees."""


def small_radar(
    formula: Mapping[str, float], reading: Mapping[str, float] | None = None, *, palette: Palette = LIGHT
) -> Figure:
    """The radar of `vif.figures.radar` for a narrow column: the same scale, names along the sides, no legend."""
    figure = radar(formula, reading, palette=palette)
    margin = dict.fromkeys("lrtb", _MARGIN)
    figure.update_layout(height=SMALL_RADAR_HEIGHT, margin=margin, showlegend=False)
    figure.update_traces(marker={"size": 7}, selector={"mode": "lines+markers"})
    figure.update_traces(visible=False, selector={"mode": "text"})  # the numbers of the rings
    figure.update_polars(angularaxis={"showticklabels": False})
    for domain, (right, up, angle) in zip(DOMAINS, _SIDES, strict=True):
        # By hand: in a narrow column Plotly's own labels would leave no room for the radar.
        figure.add_annotation(
            x=0.5,
            y=0.5,
            xref="paper",
            yref="paper",
            xanchor="center",
            yanchor="middle",
            xshift=right * _REACH,
            yshift=up * _REACH,
            text=coloured(domain, palette),
            textangle=angle,
            showarrow=False,
            font={"size": 12},
        )
    return figure


def describe_small_radar(name: str, formula: Mapping[str, float], reading: Mapping[str, float] | None = None) -> str:
    """A column's radar in a sentence, for those who cannot see it."""
    shown = formula if reading is None else reading
    values = ", ".join(f"{domain.label.lower()} {shown.get(domain, 0.0):.2f}" for domain in DOMAINS)
    if reading is None:
        return f"{name}: the Rust formula's radar: {values}."
    baseline = ", ".join(f"{formula.get(domain, 0.0):.2f}" for domain in DOMAINS)
    return f"{name}: radar as LLM #1 reads the message: {values}; the formula, in the same order: {baseline}."


def agreement_in_words(readings: Mapping[str, Mapping[str, float]]) -> str | None:
    """Where named readings of one message agree most and differ most; None for fewer than two.

    A spread is the highest minus the lowest activation of a domain, 0 to 1.
    """
    if len(readings) < 2:
        return None
    spreads = []
    for domain in DOMAINS:
        ranked = sorted((values.get(domain, 0.0), name) for name, values in readings.items())
        (low, lowest), (high, highest) = ranked[0], ranked[-1]
        spreads.append((high - low, domain.label.lower(), low, lowest, high, highest))
    most = max(spreads)
    if most[0] < NOTABLE:
        return "All of them read the message alike."
    least = min(spreads)
    _, label, low, lowest, high, highest = most
    apart = f"They differ most on **{label}**: from {low:.2f} ({lowest}) to {high:.2f} ({highest})"
    return f"{apart}; least on **{least[1]}**, {least[2]:.2f} to {least[4]:.2f}."
