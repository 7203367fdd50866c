"""How a message was read: domains, differences, boundaries, and the reasons LLM #1 gave.

What is drawn twice in one run keeps its number of elements: a part that is missing leaves its place empty. Otherwise
the browser would go on showing what stood there before.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

import vif
from pages import _words
from pages._text import plain
from pages._theme import CHART_CONFIG, THEMED, coloured
from pages._turn import Turn
from vif import figures


def state(turn: Turn) -> str:
    """What there is to draw of the reading; another word means that it has to be drawn anew."""
    if turn.formula is None:
        return "nothing"
    if turn.recognition is not None:
        return "read"
    return "given up" if turn.over else "waiting"


def draw_domains(turn: Turn) -> None:
    """Who read, the radar and the differences; the formula alone until LLM #1 has read."""
    if turn.formula is None:
        return
    formula = turn.formula_domains
    reading = turn.reading.domains if turn.reading is not None and turn.read_by_model else None
    st.markdown(_source(turn))
    if turn.recognition is not None and (why := _words.fallback_in_words(turn.recognition, turn.config)):
        st.warning(why, icon=":material/info:")
    else:
        st.empty()
    if reading is not None:
        st.markdown(f"LLM #1 **{figures.difference_in_words(reading, formula)}**.")
    elif turn.mode == "formula":
        st.markdown("The formula gives **every message the same shape**; only the autonomy changes its size.")
    else:
        st.empty()
    st.plotly_chart(
        figures.radar(formula, reading, palette=THEMED),
        config=CHART_CONFIG,
        key=f"radar_{_key(turn)}",
        alt=figures.describe_radar(formula, reading),
    )
    if reading is not None:
        _draw_differences(reading, formula)
    else:
        st.empty()


def draw_boundaries(turn: Turn) -> None:
    """The six permeabilities over the bands of the three statuses."""
    if turn.formula is None:
        return
    formula = turn.formula.boundaries
    reading = turn.reading.boundaries if turn.reading is not None and turn.read_by_model else None
    st.subheader("Boundaries", anchor=False, help="How freely understanding crosses from one domain to another.")
    st.plotly_chart(
        figures.boundary_chart(formula, reading, palette=THEMED),
        config=CHART_CONFIG,
        key=f"boundaries_{_key(turn)}",
        alt=figures.describe_boundaries(formula, reading),
    )


def draw_reasons(turn: Turn) -> None:
    """What LLM #1 said about its reading, and what had to be corrected."""
    recognition = turn.recognition if turn.read_by_model else None
    if recognition is None:
        for _ in range(4):
            st.empty()
        return
    st.subheader("Why this reading", anchor=False)
    patterns = "\n".join(f"- {plain(pattern)}" for pattern in recognition.patterns)
    st.markdown(f"{plain(recognition.reasoning)}\n\n{patterns}")
    if recognition.shifts:
        moved = ", ".join(
            f"{vif.Domain(name).label.lower()} {change:+.2f}" for name, change in recognition.shifts.items()
        )
        st.caption(f":material/trending_up: Since the message before: {moved}")
    else:
        st.empty()
    if recognition.corrections:
        with st.expander(f"{len(recognition.corrections)} corrected values", icon=":material/rule:", type="compact"):
            st.markdown(
                "\n".join(
                    f"- {figures.boundary_label(entry.boundary)}, {entry.field}: {_shown(entry.given)} → "
                    f"{_shown(entry.used)}. {plain(entry.why)}"
                    for entry in recognition.corrections
                )
            )
    else:
        st.empty()


def _source(turn: Turn) -> str:
    recognition = turn.recognition
    if recognition is None:
        waiting = "" if turn.over else " &nbsp; :shimmer[LLM #1 is reading …]"
        return f":gray-badge[:material/function: Rust formula]{waiting}"
    badge = _words.source_badge(recognition)
    facts = f" &nbsp; :gray[:small[{_words.reading_facts(recognition)}]]" if turn.read_by_model else ""
    return f":{badge.colour}-badge[{badge.icon} {badge.label}]{facts}"


def _draw_differences(reading: Mapping[str, float], formula: Mapping[str, float]) -> None:
    rows = [
        {
            "Domain": coloured(entry.domain),
            "LLM #1": f"**{entry.reading:.2f}**",
            "Formula": f"{entry.formula:.2f}",
            "Difference": _arrow(entry.change),
        }
        for entry in figures.differences(reading, formula)
    ]
    st.table(
        pd.DataFrame(rows),
        border="horizontal",
        hide_index=True,
        alt="Activation of each domain to LLM #1 and to the Rust formula, and the difference",
    )


def _key(turn: Turn) -> str:
    # A stop can come in the middle of a drawing: what is then drawn again needs a name of its own.
    return f"{turn.number}_{state(turn)}{'_stopped' if turn.stopped else ''}"


def _arrow(change: float) -> str:
    if abs(change) < figures.NOTABLE:
        return "≈ the same"
    return f"{'▲' if change > 0 else '▼'} {abs(change):.2f} {'more' if change > 0 else 'less'}"


def _shown(value: float | str) -> str:
    return f"{value:.2f}" if isinstance(value, float) else plain(value)
