"""Who swings with whom, and the qualities before and now: two tables that are painted at once in the browser.

A Plotly chart is built anew whenever its figure changes; these tables only change the cells that are other ones.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

import streamlit as st

import vif
from vif import figures
from vif.boundaries import Resonance, resonance
from vif.flow import FlowContext
from vif.qualities import Qualities

KEY = "lab_matrices"

_FOLDER = Path(__file__).parent / "lab"
_COMPONENT = st.components.v2.component(
    "vif_lab_matrices",
    html=(_FOLDER / "matrices.html").read_text("utf-8"),
    css=(_FOLDER / "matrices.css").read_text("utf-8"),
    js=(_FOLDER / "matrices.js").read_text("utf-8"),
)


class Resonating(TypedDict):
    """Two boundaries: whether they swing together, and the strength from 0 to 1 as it is shown."""

    together: bool
    strength: str


class Quality(TypedDict):
    """One quality of one boundary, as numbers and as shown; `sign` is that of a change which can be seen."""

    was: float
    now: float
    wasText: str
    nowText: str
    sign: int


def draw(before: FlowContext, after: FlowContext) -> None:
    """Both tables, in a place of their own width."""
    _COMPONENT(
        key=KEY,
        data={
            "domains": [(domain.value, domain.label) for domain in vif.DOMAINS],
            "boundaries": [
                {"label": figures.boundary_label(b.name), "sides": b.name.split("-")} for b in after.reading.boundaries
            ],
            "resonances": resonances(after),
            "resonancesInWords": figures.describe_resonance(after.reading.boundaries),
            "names": Qualities._fields,
            "qualities": qualities(before, after),
            "qualitiesInWords": figures.describe_qualities(before, after),
        },
    )


def resonances(after: FlowContext) -> list[list[Resonating | None]]:
    """Row and column: the boundaries; None on the diagonal."""
    boundaries = after.reading.boundaries
    return [
        [None if one is other else _resonating(resonance(one, other)) for other in boundaries] for one in boundaries
    ]


def qualities(before: FlowContext, after: FlowContext) -> list[list[Quality]]:
    """Row: the quality; column: the boundary. Before Transcendent ones are raised."""
    return [
        [_quality(was, now) for was, now in zip(olds, news, strict=True)]
        for olds, news in zip(
            zip(*before.raw_qualities, strict=True), zip(*after.raw_qualities, strict=True), strict=True
        )
    ]


def _resonating(pair: Resonance) -> Resonating:
    return {"together": pair.resonates, "strength": f"{pair.strength:.2f}"}


def _quality(was: float, now: float) -> Quality:
    sign = 0 if abs(now - was) < figures.SEEN else 1 if now > was else -1
    return {"was": was, "now": now, "wasText": f"{was:.2f}", "nowText": f"{now:.2f}", "sign": sign}
