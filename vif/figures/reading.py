"""How a message was read: the radar of the domains and the chart of the boundaries, with words for both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vif.boundaries import Boundary
from vif.domains import DOMAINS, Domain
from vif.figures.style import (
    BAND_FILL,
    BANDS,
    FAINT,
    FORMULA,
    LIGHT,
    READER,
    Palette,
    base_layout,
    boundary_label,
    coloured,
    coloured_boundary,
    polar_layout,
)

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

NOTABLE = 0.05
"""A difference of activations below this is not worth a word."""

_ANGLES = [0, 90, 180, 270]
"""Degrees of the four domains, clockwise from the top."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What one domain's activation is to LLM #1 and to the formula, both 0 to 1."""

    domain: Domain
    reading: float
    formula: float

    @property
    def change(self) -> float:
        """Reading minus formula, -1 to 1."""
        return self.reading - self.formula


def differences(reading: Mapping[str, float], formula: Mapping[str, float]) -> tuple[Difference, ...]:
    """The four domains in their order; one that is not there counts 0."""
    return tuple(Difference(domain, reading.get(domain, 0.0), formula.get(domain, 0.0)) for domain in DOMAINS)


def difference_in_words(reading: Mapping[str, float], formula: Mapping[str, float], most: int = 2) -> str:
    """The largest differences as the end of a sentence: "reads 0.51 more computational … than the formula"."""
    ranked = sorted(differences(reading, formula), key=lambda entry: abs(entry.change), reverse=True)
    notable = [entry for entry in ranked if abs(entry.change) >= NOTABLE][:most]
    if not notable:
        return "reads this message as the formula does"
    parts = [
        f"{abs(entry.change):.2f} {'more' if entry.change > 0 else 'less'} {entry.domain.label.lower()}"
        for entry in notable
    ]
    return f"reads {' and '.join(parts)} than the formula"


def describe_radar(formula: Mapping[str, float], reading: Mapping[str, float] | None = None) -> str:
    """The radar in a sentence, for those who cannot see it."""
    if reading is None:
        values = ", ".join(f"{domain.label.lower()} {formula.get(domain, 0.0):.2f}" for domain in DOMAINS)
        return f"Radar of the four domains as the Rust formula reads every message: {values}."
    values = ", ".join(
        f"{entry.domain.label.lower()} {entry.reading:.2f} (formula {entry.formula:.2f})"
        for entry in differences(reading, formula)
    )
    return f"Radar of the four domains as LLM #1 reads the message: {values}."


def describe_boundaries(formula: Sequence[Boundary], reading: Sequence[Boundary] | None = None) -> str:
    """The boundary chart in a sentence, for those who cannot see it."""
    shown = formula if reading is None else reading
    reader = "the Rust formula" if reading is None else "LLM #1"
    values = ", ".join(f"{boundary_label(b.name)} {b.permeability:.2f} {b.status}" for b in shown)
    return f"How permeable the six boundaries are to {reader}: {values}."


def radar(
    formula: Mapping[str, float], reading: Mapping[str, float] | None = None, *, palette: Palette = LIGHT
) -> Figure:
    """The four activations on a radar: the formula dashed, LLM #1 solid over it when it has read."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for name, values, colour, symbol, dash in (
        (FORMULA, formula, palette.formula, "diamond", "dot"),
        (READER, reading, palette.llm1, "circle", "solid"),
    ):
        if values is None:
            continue
        shown = [values.get(domain, 0.0) for domain in DOMAINS]
        hover = [_hover_domain(domain, formula, reading) for domain in DOMAINS]
        figure.add_trace(
            go.Scatterpolar(
                name=name,
                theta=[*_ANGLES, _ANGLES[0]],
                r=[*shown, shown[0]],
                text=[*hover, hover[0]],
                hovertemplate="%{text}<extra></extra>",
                mode="lines+markers",
                line={"color": colour, "dash": dash, "width": 2.5 if name == READER else 2},
                marker={"symbol": symbol, "size": 9, "color": colour},
                fill="toself",
                fillcolor=f"{colour}{'2E' if name == READER else '14'}",
            )
        )
    # Plotly's own labels would stand on an axis, where the points are: these stand on their rings between two axes.
    figure.add_trace(
        go.Scatterpolar(
            theta=[45, 45],
            r=[0.5, 1.0],
            text=["0.5", "1"],
            mode="text",
            textfont={"size": 11, "color": palette.formula},
            hoverinfo="skip",
            showlegend=False,
        )
    )
    figure.update_layout(
        **base_layout(palette),
        height=340,
        margin={"l": 92, "r": 80, "t": 30, "b": 66},
        polar=polar_layout(
            (0.25, 0.5, 0.75, 1.0),
            tickvals=_ANGLES,
            ticktext=[coloured(domain, palette) for domain in DOMAINS],
            tickfont={"size": 14},
        ),
    )
    return figure


def boundary_chart(
    formula: Sequence[Boundary], reading: Sequence[Boundary] | None = None, *, palette: Palette = LIGHT
) -> Figure:
    """Six permeabilities on tracks from 0 to 1, over the bands of the three statuses."""
    import plotly.graph_objects as go

    leading = formula if reading is None else reading
    rows = {boundary.name: len(leading) - 1 - index for index, boundary in enumerate(leading)}
    figure = go.Figure()
    for status, low, high in BANDS:
        figure.add_shape(
            type="rect",
            x0=low,
            x1=high,
            y0=-0.45,
            y1=len(rows),
            fillcolor=BAND_FILL[status],
            line_width=0,
            layer="below",
        )
        figure.add_annotation(
            x=(low + high) / 2, y=len(rows), text=status.value, showarrow=False, yanchor="bottom", font={"size": 12}
        )
    colour, dash = (palette.formula, "dot") if reading is None else (palette.llm1, "solid")
    figure.add_trace(
        go.Scatter(
            x=[x for b in leading for x in (0.0, b.permeability, None)],
            y=[y for b in leading for y in (rows[b.name], rows[b.name], None)],
            mode="lines",
            line={"color": colour, "dash": dash, "width": 3},
            hoverinfo="skip",
            showlegend=False,
        )
    )
    for name, boundaries, colour, symbol in (
        (FORMULA, formula, palette.formula, "diamond"),
        (READER, reading, palette.llm1, "circle"),
    ):
        if boundaries is None:
            continue
        figure.add_trace(
            go.Scatter(
                name=name,
                x=[b.permeability for b in boundaries],
                y=[rows[b.name] for b in boundaries],
                text=[_hover_boundary(b, name) for b in boundaries],
                hovertemplate="%{text}<extra></extra>",
                mode="markers",
                marker={"symbol": symbol, "size": 11, "color": colour},
                cliponaxis=False,
            )
        )
    for boundary in leading:
        for x, anchor, text in (
            (0.0, "left", coloured_boundary(boundary, palette)),
            (1.0, "right", f"{boundary.permeability:.2f}"),
        ):
            figure.add_annotation(
                x=x,
                y=rows[boundary.name] + 0.12,
                text=text,
                showarrow=False,
                xanchor=anchor,
                yanchor="bottom",
                font={"size": 13},
            )
    figure.update_layout(
        **base_layout(palette),
        height=54 * len(rows) + 110,
        margin={"l": 6, "r": 12, "t": 24, "b": 64},
        xaxis={
            "range": [0, 1],
            "tickvals": [0.0, 0.2, 0.4, 0.6, 0.8, 1.0],
            "tickformat": ".1~f",
            "gridcolor": FAINT,
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
        yaxis={"range": [-0.45, len(rows) + 0.35], "visible": False, "fixedrange": True},
    )
    return figure


def _hover_domain(domain: Domain, formula: Mapping[str, float], reading: Mapping[str, float] | None) -> str:
    baseline = formula.get(domain, 0.0)
    if reading is None:
        return f"<b>{domain.label}</b><br>{baseline:.2f} to the formula,<br>whatever the message says"
    value = reading.get(domain, 0.0)
    change = value - baseline
    words = f"{abs(change):.2f} {'more' if change > 0 else 'less'}" if abs(change) >= NOTABLE else "about the same"
    return f"<b>{domain.label}</b><br>LLM #1 reads {value:.2f}<br>the formula {baseline:.2f}<br>{words}"


def _hover_boundary(boundary: Boundary, reader: str) -> str:
    return f"<b>{boundary_label(boundary.name)}</b><br>{reader}: {boundary.permeability:.2f}<br>{boundary.status}"
