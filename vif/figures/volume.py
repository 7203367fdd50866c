"""The volume: four domains as the vertices of a tetrahedron, six boundaries as its edges.

A boundary's status can be told by dash and width as well as by colour. Two volumes have the same camera.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from vif.boundaries import Boundary, Status
from vif.domains import DOMAINS, Domain
from vif.figures.style import FORMULA, LIGHT, READER, Palette, base_layout, boundary_label, coloured

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_RADIUS = 2 * math.sqrt(2) / 3
"""Of the circle through the three lower vertices; the apex is at height 1, they at −1/3."""

VERTICES: Mapping[Domain, tuple[float, float, float]] = {
    Domain.CD: (0.0, 0.0, 1.0),
    Domain.SD: (_RADIUS * math.cos(math.radians(18)), _RADIUS * math.sin(math.radians(18)), -1 / 3),
    Domain.CUD: (_RADIUS * math.cos(math.radians(-102)), _RADIUS * math.sin(math.radians(-102)), -1 / 3),
    Domain.ED: (_RADIUS * math.cos(math.radians(138)), _RADIUS * math.sin(math.radians(138)), -1 / 3),
}
"""A regular tetrahedron, turned a little so that no edge hides another; from the front it has the radar's order."""

SMALLEST_MARKER, LARGEST_MARKER = 3.0, 15.0
"""Plotly's size of a vertex at activation 0 and 1: about 2.7 pixels each."""

THINNEST_EDGE, THICKEST_EDGE = 2.5, 11.0
"""Pixels of an edge at permeability 0 and 1."""

DASHES: Mapping[str, str] = {Status.MAINTAINED: "dot", Status.TRANSITIONAL: "dash", Status.TRANSCENDENT: "solid"}
_STRENGTHS: Mapping[str, str] = {Status.MAINTAINED: "E0", Status.TRANSITIONAL: "D8", Status.TRANSCENDENT: "FF"}
_MEANINGS: Mapping[str, str] = {
    Status.MAINTAINED: "the two keep apart",
    Status.TRANSITIONAL: "understanding begins to cross",
    Status.TRANSCENDENT: "the two are open to each other",
}

_GAPS: Mapping[str, tuple[int, float]] = {Status.MAINTAINED: (17, 0.3), Status.TRANSITIONAL: (7, 0.62)}
"""Strokes per edge and the drawn share of each: WebGL's own dashes are too fine to be told apart."""

_UNBROKEN = 13
"""Points of an edge without gaps, so that the mouse finds words anywhere along it."""

_AWAY = 0.1
"""Share of an edge left out at each end: it stops where its vertex begins."""

_ASIDE: Mapping[Domain, int] = {Domain.ED: -22, Domain.SD: 22}
"""Pixels a label is moved to the side, away from the edges."""

_CAMERA = {
    "eye": {"x": 0.0, "y": -1.5, "z": 0.66},
    "center": {"x": 0.0, "y": 0.0, "z": -0.06},
    "up": {"x": 0, "y": 0, "z": 1},
}


def describe_volume(domains: Mapping[str, float], boundaries: Sequence[Boundary], reader: str = READER) -> str:
    """The volume in words, for those who cannot see it."""
    vertices = ", ".join(f"{domain.label.lower()} {domains.get(domain, 0.0):.2f}" for domain in DOMAINS)
    edges = ", ".join(f"{boundary_label(b.name)} {b.permeability:.2f} {b.status}" for b in boundaries)
    who = "LLM #1" if reader == READER else "the Rust formula"
    return f"Tetrahedron of the four domains as {who} reads them: {vertices}. Its edges are the boundaries: {edges}."


def volume(
    domains: Mapping[str, float],
    boundaries: Sequence[Boundary],
    *,
    reader: str = READER,
    palette: Palette = LIGHT,
) -> Figure:
    """The tetrahedron of one reading; `reader` is `READER` or `FORMULA`. A domain that is not there counts 0.

    Marker size is activation, line width permeability, dash and strength of colour the status. A boundary that does
    not lie between two of the four domains has no edge.
    """
    import plotly.graph_objects as go

    colour = palette.formula if reader == FORMULA else palette.llm1
    figure = go.Figure()
    labels = []
    for boundary in boundaries:
        sides = boundary.sides
        if sides is None or not set(sides) <= set(DOMAINS):
            continue
        start, end = VERTICES[Domain(sides[0])], VERTICES[Domain(sides[1])]
        figure.add_trace(_edge(boundary, start, end, reader, colour))
    for status in Status:
        figure.add_trace(_legend_entry(status, colour))
    for domain in DOMAINS:
        value = domains.get(domain, 0.0)
        figure.add_trace(_vertex(domain, value, reader, palette))
        x, y, z = VERTICES[domain]
        below = domain is Domain.CUD
        shift = _marker_size(value) * 1.35 + 3
        labels.append(
            {
                "x": x,
                "y": y,
                "z": z,
                "text": coloured(domain, palette, f"{domain.label}<br>{value:.2f}"),
                "yanchor": "top" if below else "bottom",
                "yshift": -shift if below else shift,
                "xshift": _ASIDE.get(domain, 0),
            }
        )
    hidden = {"visible": False, "range": [-1.0, 1.0]}
    figure.update_layout(
        **base_layout(palette),
        height=372,
        margin={"l": 0, "r": 0, "t": 0, "b": 62},
        scene={
            "bgcolor": "rgba(0,0,0,0)",
            "dragmode": "turntable",
            "aspectmode": "cube",
            "xaxis": hidden,
            "yaxis": hidden,
            "zaxis": {**hidden, "range": [-0.7, 1.3]},
            "camera": _CAMERA,
            "annotations": [
                {"showarrow": False, "font": {"size": 13}, "captureevents": False, **label} for label in labels
            ],
        },
        uirevision="volume",
    )
    return figure


def _marker_size(activation: float) -> float:
    return SMALLEST_MARKER + (LARGEST_MARKER - SMALLEST_MARKER) * activation


def _edge_width(permeability: float) -> float:
    return THINNEST_EDGE + (THICKEST_EDGE - THINNEST_EDGE) * permeability


def _vertex(domain: Domain, activation: float, reader: str, palette: Palette) -> object:
    import plotly.graph_objects as go

    x, y, z = VERTICES[domain]
    return go.Scatter3d(
        name=domain.label,
        x=[x],
        y=[y],
        z=[z],
        mode="markers",
        marker={
            "size": _marker_size(activation),
            "color": palette.domains[domain],
            "opacity": 1.0,
            "line": {"width": 0},
        },
        text=[f"<b>{domain.label}</b><br>{reader}: activation {activation:.2f}"],
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
    )


def _edge(
    boundary: Boundary,
    start: tuple[float, float, float],
    end: tuple[float, float, float],
    reader: str,
    colour: str,
) -> object:
    import plotly.graph_objects as go

    steps = _steps(boundary.status)
    meaning = _MEANINGS.get(boundary.status)
    words = (
        f"<b>{boundary_label(boundary.name)}</b><br>{reader}: permeability {boundary.permeability:.2f}"
        f"<br>{boundary.status}{': ' + meaning if meaning else ''}"
    )
    return go.Scatter3d(
        name=boundary.name,
        x=_between(start[0], end[0], steps),
        y=_between(start[1], end[1], steps),
        z=_between(start[2], end[2], steps),
        mode="lines",
        line={
            "color": f"{colour}{_STRENGTHS.get(boundary.status, 'FF')}",
            "width": _edge_width(boundary.permeability),
        },
        text=[words] * len(steps),
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
    )


def _steps(status: str) -> list[float | None]:
    """Positions along an edge from 0 to 1, None where the pen is lifted."""
    length = 1 - 2 * _AWAY
    if status not in _GAPS:
        return [_AWAY + length * step / (_UNBROKEN - 1) for step in range(_UNBROKEN)]
    strokes, drawn = _GAPS[status]
    period = length / (strokes - 1 + drawn)
    steps: list[float | None] = []
    for number in range(strokes):
        begin = _AWAY + number * period
        steps += [begin, begin + drawn * period, None]
    return steps


def _between(start: float, end: float, steps: Sequence[float | None]) -> list[float | None]:
    return [None if step is None else start + (end - start) * step for step in steps]


def _legend_entry(status: Status, colour: str) -> object:
    import plotly.graph_objects as go

    return go.Scatter3d(
        name=status.value,
        x=[None],
        y=[None],
        z=[None],
        mode="lines",
        line={"color": f"{colour}{_STRENGTHS[status]}", "dash": DASHES[status], "width": 4},
        hoverinfo="skip",
    )
