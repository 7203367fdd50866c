"""The seven stages: where the time went, and the seven qualities of a boundary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from vif.figures.style import FAINT, LIGHT, Palette, base_layout, boundary_label, polar_layout
from vif.interaction import Timings

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_WAITING, _WRITING = "rgba(128,136,150,0.38)", "rgba(128,136,150,0.85)"


@dataclass(frozen=True, slots=True)
class TimePart:
    """One part of an interaction: from `start_ms` after its beginning, for `duration_ms`."""

    label: str
    kind: Literal["read", "flow", "wait", "write"]
    start_ms: float
    duration_ms: float


def time_parts(timings: Timings, first_token_ms: float | None = None) -> tuple[TimePart, ...]:
    """The parts in their order; what was not measured is left out.

    `first_token_ms` is counted from when LLM #2 was asked. The flow is one part, although two of its stages come after
    the reply: all of it takes less than a millisecond.
    """
    waited = min(first_token_ms, timings.respond) if first_token_ms is not None else None
    lengths: list[tuple[str, Literal["read", "flow", "wait", "write"], float]] = [
        ("Reading the message", "read", timings.recognise),
        ("The flow, stages 3 to 7", "flow", timings.flow),
    ]
    if waited is None:
        lengths.append(("LLM #2", "wait", timings.respond))
    else:
        lengths += [
            ("Waiting for the first word", "wait", waited),
            ("Writing the rest of the reply", "write", timings.respond - waited),
        ]
    parts: list[TimePart] = []
    start = 0.0
    for label, kind, length in lengths:
        if length > 0:
            parts.append(TimePart(label, kind, start, length))
            start += length
    return tuple(parts)


def describe_time(parts: Sequence[TimePart]) -> str:
    """The picture in a sentence, for those who cannot see it."""
    if not parts:
        return "No time was measured."
    shares = ", ".join(
        f"{part.label if part.label.isupper() else part.label[0].lower() + part.label[1:]} "
        f"{duration_in_words(part.duration_ms)}"
        for part in parts
    )
    return f"Where the time went: {shares}."


def duration_in_words(milliseconds: float) -> str:
    """With two digits that mean something: "0.08 ms", "4.1 ms", "812 ms", "2.4 s"."""
    # By what would be shown: 999.9 ms is 1.0 s, not 1000 ms.
    if round(milliseconds) >= 1000:
        return f"{milliseconds / 1000:.1f} s"
    if round(milliseconds, 1) >= 10:
        return f"{milliseconds:.0f} ms"
    return f"{milliseconds:.1f} ms" if round(milliseconds, 2) >= 1 else f"{milliseconds:.2f} ms"


def time_chart(parts: Sequence[TimePart], *, palette: Palette = LIGHT) -> Figure:
    """One bar per part, each where it was on the time axis, one under the other."""
    import plotly.graph_objects as go

    end = max((part.start_ms + part.duration_ms for part in parts), default=1.0)
    fills = {"read": palette.llm1, "flow": palette.formula, "wait": _WAITING, "write": _WRITING}
    rows = {part.label: len(parts) - 1 - index for index, part in enumerate(parts)}
    figure = go.Figure(
        go.Bar(
            orientation="h",
            y=[rows[part.label] for part in parts],
            base=[part.start_ms for part in parts],
            x=[part.duration_ms for part in parts],
            width=0.34,
            marker={
                "color": [fills[part.kind] for part in parts],
                # What lasts a fraction of a millisecond is still to be seen as a line.
                "line": {"color": [fills[part.kind] for part in parts], "width": 1.5},
                "cornerradius": 3,
            },
            text=[
                f"<b>{part.label}</b><br>{duration_in_words(part.duration_ms)}, {part.duration_ms / end:.0%} of it all"
                for part in parts
            ],
            textposition="none",
            hovertemplate="%{text}<extra></extra>",
            showlegend=False,
        )
    )
    for part in parts:
        for x, anchor, text in ((0.0, "left", part.label), (1.0, "right", duration_in_words(part.duration_ms))):
            figure.add_annotation(
                xref="paper",
                x=x,
                y=rows[part.label] + 0.22,
                text=text,
                showarrow=False,
                xanchor=anchor,
                yanchor="bottom",
                font={"size": 13},
            )
    figure.update_layout(
        **base_layout(palette),
        height=46 * max(len(parts), 1) + 14,
        margin={"l": 6, "r": 6, "t": 6, "b": 8},
        xaxis={
            "range": [0, end],
            "showticklabels": False,
            "gridcolor": FAINT,
            "zeroline": False,
            "fixedrange": True,
        },
        yaxis={"range": [-0.3, len(parts) - 0.25], "visible": False, "fixedrange": True},
    )
    return figure


def describe_quality_radar(boundary: str, qualities: Mapping[str, float]) -> str:
    """The radar of one boundary's qualities in a sentence."""
    values = ", ".join(f"{name} {value:.2f}" for name, value in qualities.items())
    return f"The seven emergent qualities of {boundary_label(boundary)}: {values}."


def quality_radar(boundary: str, qualities: Mapping[str, float], *, palette: Palette = LIGHT) -> Figure:
    """The seven qualities of one boundary, 0 to 1, clockwise in the order given."""
    import plotly.graph_objects as go

    names, values = list(qualities), list(qualities.values())
    figure = go.Figure(
        go.Scatterpolar(
            name=boundary_label(boundary),
            theta=[name.capitalize() for name in (*names, *names[:1])],
            r=[*values, *values[:1]],
            mode="lines+markers",
            line={"color": palette.llm1, "width": 2},
            marker={"size": 6, "color": palette.llm1},
            fill="toself",
            fillcolor=f"{palette.llm1}2E",
            hovertemplate="%{theta} %{r:.2f}<extra></extra>",
            showlegend=False,
        )
    )
    figure.update_layout(
        **base_layout(palette),
        height=250,
        margin={"l": 62, "r": 62, "t": 28, "b": 28},
        polar=polar_layout((0.5, 1.0), tickfont={"size": 12}),
    )
    return figure
