"""Figures of an evaluation: readings against what was expected, reader against reader, quality against its price."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vif.domains import DOMAINS, Domain
from vif.figures.style import FAINT, GRID, LIGHT, Palette, base_layout

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "star")
ROW_HEIGHT = 26
EXPECTED = "rgba(128,136,150,0.42)"


@dataclass(frozen=True, slots=True)
class Strip:
    """A case as a row: what was expected of each domain, and what each subject read (the mean of its repeats)."""

    label: str
    expected: Mapping[Domain, tuple[float, float]]
    readings: Mapping[str, Mapping[Domain, float]]


@dataclass(frozen=True, slots=True)
class Offer:
    """A subject with its quality (mean absolute error, less is better), its P95 in ms and its price of a call."""

    name: str
    error: float
    latency_ms: float
    cost_usd: float | None
    on_front: bool


def strips(rows: Sequence[Strip], subjects: Sequence[str], *, palette: Palette = LIGHT) -> Figure:
    """A row per case and a column per domain: the expected range as a bar, each subject as a marker from 0 to 1."""
    from plotly.graph_objects import Figure, Scatter

    figure = Figure(layout=base_layout(palette))
    labels = [row.label for row in rows]
    for column, domain in enumerate(DOMAINS, 1):
        axes = {"xaxis": f"x{column}", "yaxis": "y"}
        figure.add_trace(
            Scatter(
                x=[edge for row in rows for edge in _edges(row.expected.get(domain))],
                y=[place for number, row in enumerate(rows) for place in (number, number, None)],
                mode="lines",
                line={"color": EXPECTED, "width": 11},
                hoverinfo="skip",
                name="expected",
                legendgroup="expected",
                showlegend=column == 1,
                **axes,
            )
        )
        for number, subject in enumerate(subjects):
            known = [(place, row) for place, row in enumerate(rows) if subject in row.readings]
            figure.add_trace(
                Scatter(
                    x=[row.readings[subject].get(domain) for _, row in known],
                    y=[place for place, _ in known],
                    mode="markers",
                    name=subject,
                    legendgroup=subject,
                    showlegend=column == 1,
                    marker={
                        "symbol": SYMBOLS[number % len(SYMBOLS)],
                        "size": 9,
                        "color": _colour(number, palette),
                        "line": {"width": 1, "color": palette.background or "rgba(0,0,0,0)"},
                    },
                    customdata=[row.label for _, row in known],
                    hovertemplate=f"<b>{domain.label}</b> %{{x:.2f}}<br>%{{customdata}}<extra>{number + 1}</extra>",
                    **axes,
                )
            )
    width = 1 / len(DOMAINS)
    layout: dict[str, object] = {
        f"xaxis{column}": {
            "domain": [width * (column - 1) + 0.012, width * column - 0.012],
            "range": [-0.02, 1.02],
            "dtick": 0.5,
            "gridcolor": GRID,
            "zeroline": False,
            "fixedrange": True,
            "side": "top",
            "title": {"text": domain.label, "font": {"color": palette.domains[domain]}},
        }
        for column, domain in enumerate(DOMAINS, 1)
    }
    figure.update_layout(
        height=110 + ROW_HEIGHT * max(len(rows), 1),
        margin={"l": 220, "r": 12, "t": 56, "b": 48},
        yaxis={
            "tickvals": list(range(len(rows))),
            "ticktext": labels,
            "range": [len(rows) - 0.5, -0.5],
            "gridcolor": FAINT,
            "zeroline": False,
            "fixedrange": True,
        },
        **layout,
    )
    return figure


def describe_strips(rows: Sequence[Strip], subjects: Sequence[str]) -> str:
    """The same in a sentence: how many activations of each subject lie in their range."""
    parts = []
    for subject in subjects:
        checks = [
            low <= row.readings[subject][domain] <= high
            for row in rows
            if subject in row.readings
            for domain, (low, high) in row.expected.items()
            if domain in row.readings[subject]
        ]
        parts.append(f"{subject} {sum(checks)} of {len(checks)}")
    return f"Activations inside what was expected, over {len(rows)} cases: {', '.join(parts) or 'nobody yet'}."


def against(rows: Sequence[Strip], first: str, second: str, *, palette: Palette = LIGHT) -> Figure:
    """One subject's activations against another's, a colour and a marker per domain; equal readings lie on the line."""
    from plotly.graph_objects import Figure, Scatter

    figure = Figure(layout=base_layout(palette))
    figure.add_shape(type="line", x0=0, y0=0, x1=1, y1=1, line={"color": GRID, "width": 2})
    both = [row for row in rows if first in row.readings and second in row.readings]
    for number, domain in enumerate(DOMAINS):
        figure.add_trace(
            Scatter(
                x=[row.readings[first].get(domain) for row in both],
                y=[row.readings[second].get(domain) for row in both],
                mode="markers",
                name=domain.label,
                marker={"symbol": SYMBOLS[number], "size": 9, "color": palette.domains[domain], "opacity": 0.8},
                customdata=[row.label for row in both],
                hovertemplate=f"<b>{domain.label}</b> %{{x:.2f}} and %{{y:.2f}}<br>%{{customdata}}<extra></extra>",
            )
        )
    unit = {"range": [-0.02, 1.02], "gridcolor": GRID, "zeroline": False, "fixedrange": True, "dtick": 0.25}
    figure.update_layout(
        height=380,
        margin={"l": 56, "r": 12, "t": 12, "b": 96},
        xaxis=unit | {"title": {"text": first}},
        yaxis=unit | {"title": {"text": second}},
    )
    return figure


def describe_against(rows: Sequence[Strip], first: str, second: str) -> str:
    """The same in a sentence: how far the two lie apart on average."""
    gaps = [
        abs(row.readings[first][domain] - row.readings[second][domain])
        for row in rows
        if first in row.readings and second in row.readings
        for domain in DOMAINS
        if domain in row.readings[first] and domain in row.readings[second]
    ]
    apart = f"{sum(gaps) / len(gaps):.2f} apart on average" if gaps else "no case read by both"
    return f"Activations by {first} against those by {second}: {apart}."


def offers_chart(offers: Sequence[Offer], *, palette: Palette = LIGHT) -> Figure:
    """Error against latency, each marker as large as its price; those no other one beats in all three are joined."""
    from plotly.graph_objects import Figure, Scatter

    figure = Figure(layout=base_layout(palette))
    front = sorted((offer for offer in offers if offer.on_front), key=lambda offer: offer.latency_ms)
    figure.add_trace(
        Scatter(
            x=[offer.latency_ms for offer in front],
            y=[offer.error for offer in front],
            mode="lines",
            line={"color": GRID, "width": 3, "dash": "dot"},
            hoverinfo="skip",
            showlegend=False,
        )
    )
    dearest = max((offer.cost_usd or 0.0 for offer in offers), default=0.0)
    for number, offer in enumerate(offers):
        share = (offer.cost_usd or 0.0) / dearest if dearest else 0.0
        price = "price not known" if offer.cost_usd is None else f"${offer.cost_usd:.5f} a call"
        figure.add_trace(
            Scatter(
                x=[offer.latency_ms],
                y=[offer.error],
                mode="markers+text",
                name=offer.name,
                text=[offer.name],
                textposition="top center",
                showlegend=False,
                marker={
                    "symbol": SYMBOLS[number % len(SYMBOLS)],
                    "size": 14 + 26 * share,
                    "color": _colour(number, palette),
                    "opacity": 0.9 if offer.on_front else 0.45,
                },
                hovertemplate=f"P95 %{{x:,.0f}} ms<br>error %{{y:.3f}}<br>{price}<extra></extra>",
            )
        )
    figure.update_layout(
        height=380,
        margin={"l": 64, "r": 24, "t": 24, "b": 56},
        xaxis={
            "type": "log",
            "gridcolor": GRID,
            "zeroline": False,
            "fixedrange": True,
            "title": {"text": "P95 of a reading, ms"},
            "tickformat": ",~g",
        },
        yaxis={
            "gridcolor": GRID,
            "zeroline": False,
            "fixedrange": True,
            "rangemode": "tozero",
            "title": {"text": "mean absolute error"},
        },
    )
    return figure


def describe_offers(offers: Sequence[Offer]) -> str:
    """The same in a sentence."""
    parts = [f"{offer.name} error {offer.error:.3f}, P95 {offer.latency_ms:.0f} ms" for offer in offers]
    best = ", ".join(offer.name for offer in offers if offer.on_front)
    return f"{'; '.join(parts)}. Not beaten in all of error, latency and cost: {best or 'none'}."


def _edges(expected: tuple[float, float] | None) -> tuple[float | None, float | None, None]:
    return (*expected, None) if expected else (None, None, None)


def _colour(number: int, palette: Palette) -> str:
    """The first subject has LLM #1's colour, the others those of the domains, then the formula's."""
    colours = [palette.llm1, *palette.domains.values(), palette.formula]
    return colours[number % len(colours)]
