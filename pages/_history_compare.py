"""Two interactions side by side, and in words what the one is against the other."""

from __future__ import annotations

from datetime import tzinfo

import pandas as pd
import streamlit as st

from pages import _history_open, _layout, _words
from pages._history_kept import Kept
from pages._history_words import difference, exactly_when, models
from pages._text import plain
from pages._theme import CHART_CONFIG, THEMED, coloured
from vif import figures
from vif.interaction import Interaction


def draw(first: Kept, second: Kept, zone: tzinfo) -> None:
    """Messages, radars, values, replies; the older one on the left."""
    st.button(
        "History", key="history_back", icon=":material/arrow_back:", type="tertiary", on_click=_history_open.close
    )
    st.title("Two interactions", anchor=False)
    sides = sorted((first, second), key=lambda kept: (kept.row.created_at, kept.row.id))
    read = [kept.interaction for kept in sides if kept.interaction is not None]
    if len(read) < 2:
        st.warning("Another version of VIF wrote one of them, and this one cannot read it.", icon=":material/error:")
        return
    older, newer = read
    same = older.message == newer.message
    if same:
        _draw_message(older)
    st.markdown("\n".join(f"- {sentence}" for sentence in difference(older, newer)))
    for number, (column, kept, interaction) in enumerate(
        zip(_layout.beside("sides"), sides, (older, newer), strict=True)
    ):
        with column:
            if not same:
                _draw_message(interaction)
            _draw_side(kept, interaction, number, zone)
    st.subheader("Values", anchor=False)
    _draw_values(older, newer)
    st.subheader("Replies", anchor=False)
    for number, (column, interaction) in enumerate(zip(_layout.beside("replies"), (older, newer), strict=True)):
        with column, st.container(border=True):
            _history_open.draw_reply(_history_open.turn_of(interaction, -number))


def _draw_message(interaction: Interaction) -> None:
    with st.chat_message("user", avatar=":material/person:"):
        st.text(interaction.message)


def _draw_side(kept: Kept, interaction: Interaction, number: int, zone: tzinfo) -> None:
    badge = _words.source_badge(interaction.recognition)
    st.markdown(f":{badge.colour}-badge[{badge.icon} {badge.label}] &nbsp; :gray[:small[{models(kept.row)}]]")
    st.caption(f"{exactly_when(kept.row.created_at, zone)} · autonomy {interaction.autonomy:.2f}")
    formula = interaction.formula.domains.model_dump()
    reading = interaction.domains if interaction.recognition.source != "formula" else None
    st.plotly_chart(
        figures.radar(formula, reading, palette=THEMED),
        config=CHART_CONFIG,
        key=f"history_radar_{number}",
        alt=figures.describe_radar(formula, reading),
    )
    st.button(
        "Open it", key=f"history_open_{number}", icon=":material/open_in_full:", type="tertiary",
        on_click=_history_open.open_one, args=(interaction.id,),
    )  # fmt: skip


def _draw_values(older: Interaction, newer: Interaction) -> None:
    rows = [
        _row(coloured(entry.domain), entry.formula, entry.reading)
        for entry in figures.differences(newer.domains, older.domains)
    ]
    after = {boundary.name: boundary for boundary in newer.boundaries}
    for boundary in older.boundaries:
        if boundary.name in after:
            label = plain(figures.boundary_label(boundary.name))
            rows.append(_row(label, boundary.permeability, after[boundary.name].permeability))
    st.table(
        pd.DataFrame(rows),
        border="horizontal",
        hide_index=True,
        alt="Activations and permeabilities of both, and the difference",
    )


def _row(name: str, before: float, after: float) -> dict[str, str]:
    change = after - before
    shown = "≈ the same" if abs(change) < figures.NOTABLE else f"{'▲' if change > 0 else '▼'} {abs(change):.2f}"
    return {"": name, "Older": f"{before:.2f}", "Newer": f"{after:.2f}", "Difference": shown}
