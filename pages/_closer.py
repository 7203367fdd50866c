"""A closer look at a finished turn, one view at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from pages import _lab, _stages, _turns, _versus, _volume, _why
from pages._turn import Turn

VIEWS: dict[str, Callable[[Turn], None]] = {
    "Words": _why.draw,
    "Volume": _volume.draw,
    "Oscillation": _lab.draw,
    "Seven stages": _stages.draw,
    "Two answers": _versus.draw,
}
CONVERSATION = "Conversation"


def stop() -> None:
    """End the answers that are under way in a view."""
    _versus.stop()
    _lab.stop()


@st.fragment
def draw(turns: Sequence[Turn]) -> None:
    """The views of the last turn, and of the conversation as a whole. Only the open one is computed."""
    turn = turns[-1]
    if turn.interaction is None:
        return
    st.subheader("Look closer", anchor=False)
    tabs = st.tabs([*VIEWS, CONVERSATION], key="closer", on_change="rerun", bind="query-params")
    for tab, view in zip(tabs, VIEWS.values(), strict=False):
        if tab.open:
            with tab:
                view(turn)
    if tabs[-1].open:
        with tabs[-1]:
            _turns.draw(turns)
