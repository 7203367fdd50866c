"""The conversation as a whole: how the reading moved from message to message."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages._theme import CHART_CONFIG, THEMED
from pages._turn import Turn
from vif import figures


def draw(turns: Sequence[Turn]) -> None:
    """The four activations over the turns; nothing below two readings."""
    readings = [
        figures.TurnReading(turn.number, turn.message, turn.reading.domains, turn.recognition.shifts)
        for turn in turns
        if turn.reading is not None and turn.recognition is not None
    ]
    if len(readings) < 2:
        st.caption("Send another message to see how the reading moves through the conversation.")
        return
    st.plotly_chart(
        figures.turns_chart(readings, palette=THEMED),
        config=CHART_CONFIG,
        key=f"turns_{len(readings)}",
        alt=figures.describe_turns(readings),
    )
    st.caption("A ring marks a domain that moved by more than 0.3 since the message before.")
