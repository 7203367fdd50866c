"""The boundaries of a reading, as a volume that can be turned or flat over the bands of their statuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from pages._theme import CHART_CONFIG, THEMED
from pages._turn import Turn
from vif import figures
from vif.boundaries import Boundary

VOLUME, FLAT = "Volume", "Flat"


@st.fragment
def draw(turn: Turn) -> None:
    """The six boundaries of a turn, LLM #1's beside the formula's; nothing before the formula has read."""
    if turn.formula is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        place = st.empty()
        view = st.segmented_control(
            "How the boundaries are drawn",
            [VOLUME, FLAT],
            key="boundaries_view",
            bind="query-params",
            default=VOLUME,
            required=True,
            label_visibility="collapsed",
        )
    reading = turn.reading if turn.reading is not None and turn.read_by_model else None
    if view == FLAT:
        place.caption("How permeable each boundary is, over the bands of its statuses.", width="content")
        boundaries = reading.boundaries if reading else None
        st.plotly_chart(
            figures.boundary_chart(turn.formula.boundaries, boundaries, palette=THEMED),
            config=CHART_CONFIG,
            key=f"flat_{turn.number}",
            alt=figures.describe_boundaries(turn.formula.boundaries, boundaries),
        )
        return
    place.caption("Larger corners: more activation. Thicker edges: more permeable. Drag to turn.", width="content")
    if reading is None:
        _draw_volume(turn, figures.FORMULA, turn.formula_domains, turn.formula.boundaries)
        return
    twins = st.grid(2, min_column_width=260)
    with twins.cell():
        _draw_volume(turn, figures.READER, reading.domains, reading.boundaries)
    with twins.cell():
        _draw_volume(turn, figures.FORMULA, turn.formula_domains, turn.formula.boundaries)


def _draw_volume(turn: Turn, reader: str, domains: Mapping[str, float], boundaries: Sequence[Boundary]) -> None:
    st.markdown(f"**{reader}**", text_alignment="center")
    st.plotly_chart(
        figures.volume(domains, boundaries, reader=reader, palette=THEMED),
        config=CHART_CONFIG,
        key=f"volume_{turn.number}_{'formula' if reader == figures.FORMULA else 'reading'}",
        alt=figures.describe_volume(domains, boundaries, reader),
    )
