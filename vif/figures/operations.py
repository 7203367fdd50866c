"""What the models did lately: how long each interaction took and who read it, and what it cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from vif.figures.style import GRID, Palette, base_layout
from vif.interaction import Source

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from vif.telemetry.live import Done

SOURCES: Mapping[Source, tuple[str, str]] = {
    "llm1": ("LLM #1", "circle"),
    "cache": ("Remembered", "square"),
    "secondary": ("Second LLM #1", "triangle-up"),
    "embedded": ("Embedded model", "star"),
    "formula": ("Rust formula", "diamond"),
}
"""Name and marker of whoever read: also without colours they can be told apart."""

HEIGHT = 260
LEAST_MS = 0.1
DOMAIN_OF: Mapping[Source, int] = {"llm1": -1, "cache": 0, "secondary": 2, "embedded": 1, "formula": -2}
"""Which colour of the palette: -1 is LLM #1's, -2 the formula's, others are domains in order."""


def latency_timeline(history: Sequence[Done], *, palette: Palette, zone: tzinfo = UTC) -> Figure:
    """Each interaction at its time: how long reading took, on a logarithmic scale, by who read."""
    from plotly.graph_objects import Figure

    figure = Figure()
    for source, (name, marker) in SOURCES.items():
        these = [one for one in history if one.source == source]
        if not these:
            continue
        figure.add_scatter(
            x=[_moment(one.at, zone) for one in these],
            y=[max(one.recognise_ms, LEAST_MS) for one in these],
            mode="markers",
            name=name,
            marker={"size": 10, "symbol": marker, "color": _colour(source, palette), "opacity": 0.85},
            customdata=[[one.fallback_reason or "no fallback", one.total_ms / 1000] for one in these],
            hovertemplate=(
                f"<b>{name}</b><br>read in %{{y:,.0f}} ms<br>%{{customdata[0]}}"
                "<br>answered after %{customdata[1]:.1f} s<extra></extra>"
            ),
        )
    figure.update_layout(
        **base_layout(palette),
        height=HEIGHT,
        margin={"l": 64, "r": 12, "t": 8, "b": 64},
        xaxis={"gridcolor": GRID, "tickformat": "%H:%M:%S", "nticks": 6},
        yaxis={
            "type": "log",
            "range": _decades(history),
            "gridcolor": GRID,
            "dtick": 1,
            "tickformat": ",~g",
            "ticksuffix": " ms",
            "zeroline": False,
        },
        showlegend=True,
    )
    return figure


def describe_latency(history: Sequence[Done]) -> str:
    """The same in words."""
    counts = {name: sum(one.source == source for one in history) for source, (name, _) in SOURCES.items()}
    parts = [f"{name} {count}" for name, count in counts.items() if count]
    return f"Time each reading took, by who read: {', '.join(parts) or 'nothing yet'}."


def cost_timeline(history: Sequence[Done], *, palette: Palette, zone: tzinfo = UTC) -> Figure:
    """US dollars spent so far, as steps."""
    from plotly.graph_objects import Figure

    spent, costs = 0.0, []
    for one in history:
        spent += one.cost_usd or 0.0
        costs.append(spent)
    figure = Figure()
    figure.add_scatter(
        x=[_moment(one.at, zone) for one in history],
        y=costs,
        mode="lines",
        line={"shape": "hv", "width": 2.5, "color": palette.llm1},
        name="spent",
        hovertemplate="%{x|%H:%M:%S}<br><b>$%{y:.5f}</b> so far<extra></extra>",
    )
    figure.update_layout(
        **base_layout(palette),
        height=HEIGHT,
        margin={"l": 72, "r": 12, "t": 8, "b": 64},
        xaxis={"gridcolor": GRID, "tickformat": "%H:%M:%S", "nticks": 4},
        yaxis={"gridcolor": GRID, "tickprefix": "$", "tickformat": "~f", "rangemode": "tozero", "zeroline": False},
        showlegend=False,
    )
    return figure


def describe_cost(history: Sequence[Done]) -> str:
    """The same in words."""
    return f"What {len(history)} interactions cost, added up: ${sum(one.cost_usd or 0.0 for one in history):.5f}."


def _moment(at: float, zone: tzinfo) -> datetime:
    # Without its zone: Plotly would turn it into UTC.
    return datetime.fromtimestamp(at, zone).replace(tzinfo=None)


def _decades(history: Sequence[Done]) -> list[int]:
    """The powers of ten that hold every reading, as a range of the axis."""
    values = [math.log10(max(one.recognise_ms, LEAST_MS)) for one in history] or [1.0, 2.0]
    low, high = math.floor(min(values)), math.ceil(max(values))
    return [low, max(high, low + 1)]


def _colour(source: Source, palette: Palette) -> str:
    place = DOMAIN_OF[source]
    if place == -1:
        return palette.llm1
    if place == -2:
        return palette.formula
    return list(palette.domains.values())[place]
