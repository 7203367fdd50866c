"""Figures of an evaluation: readings against what was expected, reader against reader, quality against its price."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vif.domains import DOMAINS, Domain
from vif.figures.style import FAINT, FORMULA, GRID, LIGHT, Palette, base_layout

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "star", "triangle-down", "pentagon")
ROW_HEIGHT = 30
EXPECTED = "rgba(128,136,150,0.42)"
LONGEST_LABEL = 14
"""Characters beside a row; the whole label is in the hover text."""

CROWDED = 300
"""Markers of one colour from which on they are drawn fainter."""

_SPREAD = 0.5
"""Of a row's height, that its markers may take, so that equal readings are seen side by side."""

_FASTEST_MS = 0.01
"""The left end of a logarithmic axis: faster than this is drawn there."""


@dataclass(frozen=True, slots=True)
class Strip:
    """A case as a row: what was expected of each domain, and what each subject read (the mean of its repeats).

    `label` stands beside the row, `text` in what is shown of a marker that is pointed at; both may be foreign.
    """

    label: str
    expected: Mapping[Domain, tuple[float, float]]
    readings: Mapping[str, Mapping[Domain, float]]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """A subject with its quality (mean absolute error, less is better), its P95 in ms and its price of a call."""

    name: str
    error: float
    latency_ms: float
    cost_usd: float | None
    on_front: bool


def strips(
    rows: Sequence[Strip],
    subjects: Sequence[str],
    *,
    palette: Palette = LIGHT,
    colours: Mapping[str, str] | None = None,
    compact: bool = False,
) -> Figure:
    """A row per case and a column per domain: the expected range as a bar, each subject as a marker from 0 to 1.

    A marker is hollow where the reading is not as expected. `colours` are those of subjects; `compact` is for a phone.
    """
    from plotly.graph_objects import Figure, Scatter

    figure = Figure(layout=base_layout(palette))
    for column, domain in enumerate(DOMAINS, 1):
        axes = {"xaxis": f"x{column}", "yaxis": "y"}
        figure.add_trace(
            Scatter(
                x=[edge for row in rows for edge in _edges(row.expected.get(domain))],
                y=[place for number in range(len(rows)) for place in (number, number, None)],
                mode="lines",
                line={"color": EXPECTED, "width": 14},
                hoverinfo="skip",
                name="as expected",
                legendgroup="expected",
                showlegend=column == 1,
                **axes,
            )
        )
        for number, subject in enumerate(subjects):
            shift = _SPREAD * ((number + 0.5) / len(subjects) - 0.5)
            known = [(place, row) for place, row in enumerate(rows) if domain in row.readings.get(subject, {})]
            figure.add_trace(
                Scatter(
                    x=[row.readings[subject][domain] for _, row in known],
                    y=[place + shift for place, _ in known],
                    mode="markers",
                    name=html.escape(subject),
                    legendgroup=html.escape(subject),
                    showlegend=column == 1,
                    marker={
                        "symbol": [_symbol(number, row, subject, domain) for _, row in known],
                        "size": 8 if compact else 9,
                        "color": (colours or {}).get(subject) or _colour(subject, number, palette),
                        # A hollow one is its line; a filled one would only become darker.
                        "line": {"width": [0 if _fits(row, subject, domain) else 2 for _, row in known]},
                    },
                    customdata=[html.escape(f"{row.label}: {row.text}" if row.text else row.label) for _, row in known],
                    hovertemplate=f"<b>{domain.label}</b> %{{x:.2f}}<br>%{{customdata}}"
                    f"<extra>{html.escape(subject)}</extra>",
                    **axes,
                )
            )
    width = 1 / len(DOMAINS)
    layout: dict[str, object] = {
        f"xaxis{column}": {
            "domain": [width * (column - 1) + 0.014, width * column - 0.014],
            "range": [-0.06, 1.06],
            "tickvals": [0, 0.5, 1],
            "ticktext": ["0", "½", "1"],
            "showgrid": True,
            "gridcolor": GRID,
            "zeroline": False,
            "fixedrange": True,
            "side": "top",
            "title": {
                "text": f"<b>{domain if compact else domain.label}</b>",
                "font": {"color": palette.domains[domain]},
            },
        }
        for column, domain in enumerate(DOMAINS, 1)
    }
    figure.update_layout(
        height=120 + ROW_HEIGHT * max(len(rows), 1),
        margin={"l": 84 if compact else 116, "r": 8, "t": 60, "b": 56},
        yaxis={
            "tickvals": list(range(len(rows))),
            "ticktext": [html.escape(_short(row.label)) for row in rows],
            "range": [max(len(rows), 1) - 0.5, -0.5],
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
    opacity = 0.35 if len(both) > CROWDED else 0.8
    for number, domain in enumerate(DOMAINS):
        figure.add_trace(
            Scatter(
                x=[row.readings[first].get(domain) for row in both],
                y=[row.readings[second].get(domain) for row in both],
                mode="markers",
                name=domain.label,
                marker={"symbol": SYMBOLS[number], "size": 9, "color": palette.domains[domain], "opacity": opacity},
                customdata=[html.escape(f"{row.label}: {row.text}" if row.text else row.label) for row in both],
                hovertemplate=f"<b>{domain.label}</b> %{{x:.2f}} and %{{y:.2f}}<br>%{{customdata}}<extra></extra>",
            )
        )
    unit = {
        "range": [-0.02, 1.02],
        "showgrid": True,
        "gridcolor": GRID,
        "zeroline": False,
        "fixedrange": True,
        "dtick": 0.25,
    }
    figure.update_layout(
        height=380,
        margin={"l": 56, "r": 12, "t": 12, "b": 96},
        xaxis=unit | {"title": {"text": html.escape(first)}},
        yaxis=unit | {"title": {"text": html.escape(second)}},
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


def offers_chart(
    offers: Sequence[Offer], *, palette: Palette = LIGHT, colours: Mapping[str, str] | None = None
) -> Figure:
    """Error against latency, each marker as large as its price; those no other one beats in all three are joined."""
    from plotly.graph_objects import Figure, Scatter

    figure = Figure(layout=base_layout(palette))
    front = sorted((offer for offer in offers if offer.on_front), key=lambda offer: offer.latency_ms)
    figure.add_trace(
        Scatter(
            x=[max(offer.latency_ms, _FASTEST_MS) for offer in front],
            y=[offer.error for offer in front],
            mode="lines",
            line={"color": EXPECTED, "width": 3, "dash": "dot"},
            hoverinfo="skip",
            showlegend=False,
        )
    )
    dearest = max((offer.cost_usd or 0.0 for offer in offers), default=0.0)
    for number, offer in enumerate(offers):
        share = (offer.cost_usd or 0.0) / dearest if dearest else 0.0
        price = "price not known" if offer.cost_usd is None else f"${offer.cost_usd:.5f} a call"
        name = html.escape(offer.name)
        figure.add_trace(
            Scatter(
                x=[max(offer.latency_ms, _FASTEST_MS)],
                y=[offer.error],
                mode="markers",
                name=f"<b>{name}</b>" if offer.on_front else name,
                cliponaxis=False,
                marker={
                    "symbol": SYMBOLS[number % len(SYMBOLS)],
                    "size": 14 + 26 * share,
                    "color": (colours or {}).get(offer.name) or _colour(offer.name, number, palette),
                    "opacity": 1.0 if offer.on_front else 0.5,
                },
                hovertemplate=f"P95 %{{x:,.1f}} ms<br>error %{{y:.3f}}<br>{price}<extra>{name}</extra>",
            )
        )
    decades = [math.log10(max(offer.latency_ms, _FASTEST_MS)) for offer in offers] or [0.0]
    room = 0.3 * (max(decades) - min(decades)) + 0.3
    figure.update_layout(
        height=420,
        margin={"l": 64, "r": 24, "t": 24, "b": 104},
        legend={"itemsizing": "constant"},
        xaxis={
            "type": "log",
            "showgrid": True,
            "range": [min(decades) - room, max(decades) + room],
            "dtick": 1,
            "gridcolor": GRID,
            "zeroline": False,
            "fixedrange": True,
            "title": {"text": "P95 of a reading, ms: further left is faster"},
            "tickformat": ",~g",
        },
        yaxis={
            "gridcolor": GRID,
            "zeroline": False,
            "fixedrange": True,
            "range": [0, 1.25 * max((offer.error for offer in offers), default=0.8) or 0.1],
            "title": {"text": "error: lower is better"},
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


def _symbol(number: int, row: Strip, subject: str, domain: Domain) -> str:
    symbol = SYMBOLS[number % len(SYMBOLS)]
    return symbol if _fits(row, subject, domain) else f"{symbol}-open"


def _fits(row: Strip, subject: str, domain: Domain) -> bool:
    low, high = row.expected.get(domain, (0.0, 1.0))
    return low <= row.readings[subject][domain] <= high


def _short(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…"


def _colour(subject: str, number: int, palette: Palette) -> str:
    """The formula has its own colour everywhere; the first subject has LLM #1's, the others those of the domains."""
    if subject == FORMULA:
        return palette.formula
    colours = [palette.llm1, *palette.domains.values()]
    return colours[number % len(colours)]
