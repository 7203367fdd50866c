"""Figures of a review. Nothing of them depends on which system stands on which side."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from vif.domains import DOMAINS, Domain
from vif.figures.style import GRID, LIGHT, Palette, base_layout, coloured, polar_layout

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from vif.review.findings import Preference
    from vif.statistics.bradley_terry import BradleyTerry

SIDES = ("A", "B")
"""What raters call left and right."""

_ANGLES = [0, 90, 180, 270]
_LOOKS = (("solid", "circle"), ("dash", "diamond"))


def two_readings(left: Mapping[Domain, float], right: Mapping[Domain, float], *, palette: Palette = LIGHT) -> Figure:
    """Two readings on one radar, A solid and B dashed, in colours of their sides."""
    import plotly.graph_objects as go

    figure = go.Figure(layout=base_layout(palette))
    colours = (palette.domains[Domain.CD], palette.domains[Domain.CUD])
    for name, values, colour, (dash, symbol) in zip(SIDES, (left, right), colours, _LOOKS, strict=True):
        shown = [values.get(domain, 0.0) for domain in DOMAINS]
        hover = [f"{name}: {domain.label.lower()} {value:.2f}" for domain, value in zip(DOMAINS, shown, strict=True)]
        figure.add_trace(
            go.Scatterpolar(
                name=name,
                theta=[*_ANGLES, _ANGLES[0]],
                r=[*shown, shown[0]],
                text=[*hover, hover[0]],
                hovertemplate="%{text}<extra></extra>",
                mode="lines+markers",
                line={"color": colour, "width": 3, "dash": dash},
                marker={"color": colour, "size": 9, "symbol": symbol},
            )
        )
    labels = [coloured(domain, palette) for domain in DOMAINS]
    figure.update_layout(
        height=300,
        margin={"l": 70, "r": 70, "t": 30, "b": 40},
        legend={"orientation": "h", "x": 0.5, "xanchor": "center", "y": -0.06},
        polar=polar_layout((0.25, 0.5, 0.75), tickvals=_ANGLES, ticktext=labels),
    )
    return figure


def describe_two_readings(left: Mapping[Domain, float], right: Mapping[Domain, float]) -> str:
    """The same in a sentence."""
    values = "; ".join(
        f"{domain.label.lower()} A {left.get(domain, 0.0):.2f}, B {right.get(domain, 0.0):.2f}" for domain in DOMAINS
    )
    return f"Radar of two readings of the message: {values}."


def preferences_chart(rows: Sequence[tuple[str, Preference]], *, palette: Palette = LIGHT) -> Figure:
    """A row for each name and pair: the share the first system won, with its interval, from 0 to 1; half is marked."""
    import plotly.graph_objects as go

    figure = go.Figure(layout=base_layout(palette))
    figure.add_vline(x=0.5, line={"color": GRID, "width": 2, "dash": "dot"})
    labels = [_row_label(name, preference, len(rows)) for name, preference in rows]
    for number, (_, preference) in enumerate(rows):
        share = preference.rate.share
        if share.low is not None and share.high is not None:
            figure.add_trace(
                go.Scatter(
                    x=[share.low, share.high],
                    y=[number, number],
                    mode="lines",
                    line={"color": palette.llm1, "width": 6},
                    opacity=0.4,
                    hoverinfo="skip",
                )
            )
    known = [(number, one) for number, (_, one) in enumerate(rows) if one.rate.share.estimate is not None]
    figure.add_trace(
        go.Scatter(
            x=[one.rate.share.estimate for _, one in known],
            y=[number for number, _ in known],
            mode="markers",
            marker={"size": 12, "color": palette.llm1},
            customdata=[[one.rate.wins, one.rate.ties, one.rate.losses] for _, one in known],
            hovertemplate="won %{x:.0%}<br>%{customdata[0]} won, %{customdata[1]} neither, %{customdata[2]} lost"
            "<extra></extra>",
        )
    )
    figure.update_layout(
        height=70 + 34 * max(len(rows), 1),
        showlegend=False,
        margin={"l": 12, "r": 16, "t": 8, "b": 40},
        xaxis={"range": [-0.02, 1.02], "tickformat": ".0%", "gridcolor": GRID, "zeroline": False, "fixedrange": True},
        yaxis={
            "tickvals": list(range(len(rows))),
            "ticktext": labels,
            "range": [len(rows) - 0.5, -0.5],
            "automargin": True,
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
    )
    return figure


def describe_preferences(rows: Sequence[tuple[str, Preference]]) -> str:
    """The same in sentences."""
    return " ".join(
        f"{one.first} won {one.rate.share.estimate:.0%} against {one.second} ({name.lower()})."
        for name, one in rows
        if one.rate.share.estimate is not None
    )


def strengths_chart(found: BradleyTerry, *, palette: Palette = LIGHT) -> Figure:
    """How often each system would win against an average one, with its interval; the strongest first."""
    import plotly.graph_objects as go

    figure = go.Figure(layout=base_layout(palette))
    figure.add_vline(x=0.5, line={"color": GRID, "width": 2, "dash": "dot"})
    for number, system in enumerate(found.systems):
        chance = system.win_probability
        ends = [end for end in (chance.low, chance.high) if end is not None]
        figure.add_trace(
            go.Scatter(
                x=ends, y=[number] * len(ends), mode="lines", line={"color": palette.llm1, "width": 6}, opacity=0.4
            )
        )
        figure.add_trace(
            go.Scatter(x=[chance.estimate], y=[number], mode="markers", marker={"size": 12, "color": palette.llm1})
        )
    figure.update_layout(
        height=80 + 34 * len(found.systems),
        showlegend=False,
        margin={"l": 12, "r": 16, "t": 8, "b": 44},
        xaxis={
            "range": [-0.02, 1.02],
            "tickformat": ".0%",
            "gridcolor": GRID,
            "zeroline": False,
            "fixedrange": True,
            "title": {"text": "chance to win against an average system"},
        },
        yaxis={
            "tickvals": list(range(len(found.systems))),
            "ticktext": [html.escape(system.name) for system in found.systems],
            "range": [len(found.systems) - 0.5, -0.5],
            "automargin": True,
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
    )
    return figure


def describe_strengths(found: BradleyTerry) -> str:
    """The same in a sentence."""
    parts = [
        f"{system.name} {system.win_probability.estimate:.0%}"
        for system in found.systems
        if system.win_probability.estimate is not None
    ]
    return f"Chance to win against an average system: {', '.join(parts)}."


def _row_label(name: str, preference: Preference, rows: int) -> str:
    pair = html.escape(f"{preference.first} against {preference.second}")
    return pair if rows == 1 or name == "Everything" else html.escape(name)
