"""What all figures share: the palette, the words for who reads, the status bands and the layout.

Colours come from Okabe and Ito's set, darkened for light pages and lightened for dark ones until each has a contrast of
at least 4.5 with its page. Who reads (LLM #1 or the Rust formula) can also be told by dash and marker.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vif.boundaries import TRANSCENDENT_ABOVE, TRANSITIONAL_ABOVE, Boundary, Status
from vif.domains import DOMAINS, Domain

READER = "LLM #1"
FORMULA = "Rust formula"

BANDS: tuple[tuple[Status, float, float], ...] = (
    (Status.MAINTAINED, 0.0, TRANSITIONAL_ABOVE),
    (Status.TRANSITIONAL, TRANSITIONAL_ABOVE, TRANSCENDENT_ABOVE),
    (Status.TRANSCENDENT, TRANSCENDENT_ABOVE, 1.0),
)
"""Each status with the permeabilities it covers."""

GRID = "rgba(128,136,150,0.28)"
FAINT = "rgba(128,136,150,0.10)"
BAND_FILL: Mapping[Status, str] = {
    Status.MAINTAINED: "rgba(128,136,150,0.05)",
    Status.TRANSITIONAL: "rgba(128,136,150,0.13)",
    Status.TRANSCENDENT: "rgba(128,136,150,0.24)",
}


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one theme, as "#rrggbb".

    Attributes:
        llm1: whatever LLM #1 said.
        formula: whatever the Rust formula said.
        domains: one colour per domain, the same everywhere.
        text: None leaves it to whoever shows the figure.
    """

    llm1: str
    formula: str
    domains: Mapping[str, str]
    text: str | None
    background: str | None


LIGHT = Palette(
    llm1="#4338CA",
    formula="#64748B",
    domains={Domain.CD: "#0072B2", Domain.SD: "#005A3A", Domain.CUD: "#BF4A00", Domain.ED: "#A8557F"},
    text="#1B2130",
    background="#FFFFFF",
)
DARK = Palette(
    llm1="#A5A0FF",
    formula="#94A3B8",
    domains={Domain.CD: "#56B4E9", Domain.SD: "#52DDB0", Domain.CUD: "#F0A33F", Domain.ED: "#CF6CA0"},
    text="#E8EAF0",
    background="#12141C",
)


def boundary_label(name: str) -> str:
    """The full words of a boundary: "Computational – Scientific"; a name of another form stays as it is."""
    parts = name.split("-")
    known = {domain.value: domain.label for domain in DOMAINS}
    return " – ".join(known.get(part, part) for part in parts) if len(parts) == 2 else name


def base_layout(palette: Palette) -> dict[str, object]:
    """What all figures share. The template is named because `import streamlit` changes the default one."""
    from plotly.graph_objects import layout

    return {
        "template": layout.Template(),
        "font": {"color": palette.text} if palette.text else {},
        "paper_bgcolor": palette.background or "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "dragmode": False,
        "hoverlabel": {"align": "left"},
        "legend": {
            "orientation": "h",
            "xref": "container",
            "x": 0.5,
            "xanchor": "center",
            "yref": "container",
            "y": 0.01,
            "yanchor": "bottom",
            "font": {"size": 13},
        },
    }


def polar_layout(rings: Sequence[float], **angular: object) -> dict[str, object]:
    """A radar from 0 to 1, clockwise from the top, with a ring at each of these values; `angular` goes to its axis."""
    return {
        "bgcolor": "rgba(0,0,0,0)",
        "radialaxis": {
            "range": [0, 1],
            "tickvals": list(rings),
            "showticklabels": False,
            "gridcolor": GRID,
            "showline": False,
            "ticks": "",
        },
        "angularaxis": {
            "direction": "clockwise",
            "rotation": 90,
            "gridcolor": GRID,
            "linecolor": GRID,
            "ticks": "",
            **angular,
        },
    }


def coloured(domain: Domain, palette: Palette, text: str | None = None) -> str:
    return f'<span style="color:{palette.domains[domain]}"><b>{text or domain.label}</b></span>'


def coloured_boundary(boundary: Boundary, palette: Palette) -> str:
    if boundary.sides is None or not set(boundary.sides) <= set(DOMAINS):
        return boundary_label(boundary.name)
    return " – ".join(coloured(Domain(side), palette) for side in boundary.sides)
