"""The bar of the tour: back, where it is, next; and the keys a presenter's remote control has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from pages import _tour

_KEY = "tour_steps"
_FOLDER = Path(__file__).parent / "touring"
_COMPONENT = st.components.v2.component(
    "vif_tour_steps",
    html=(_FOLDER / "steps.html").read_text("utf-8"),
    css=(_FOLDER / "steps.css").read_text("utf-8"),
    js=(_FOLDER / "steps.js").read_text("utf-8"),
)


def draw(step: int, names: Sequence[str], notes: str) -> None:
    """At the bottom of the page, so that nothing of it moves from step to step."""
    presenting, last = _tour.presenting(), len(names)
    with st.bottom, st.container(key="tour_bar", gap="small"):
        place = st.empty()  # there without notes too: a bar that moved would be mounted anew, and miss a key meanwhile
        if st.session_state.get(_tour.NOTES_KEY):
            place.info(notes, icon=":material/speaker_notes:")
        with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="small"):
            st.button(
                "Back",
                key="tour_back",
                icon=":material/arrow_back:",
                type="tertiary",
                disabled=step == 1,
                on_click=_tour.go,
                args=(step - 1,),
            )
            with st.container(width="stretch"):
                _COMPONENT(
                    key=_KEY,
                    data={"step": step, "names": list(names), "presenting": presenting},
                    on_asked_change=_asked,
                    on_view_change=_seen,
                )
            st.button(
                "",
                key="tour_notes_button",
                icon=":material/speaker_notes:",
                type="tertiary",
                on_click=_turn_notes,
                help="Speaker notes (N)",
            )
            st.button(
                "",
                key="tour_present",
                icon=":material/close_fullscreen:" if presenting else ":material/present_to_all:",
                type="tertiary",
                on_click=_tour.present,
                args=(not presenting,),
                help="Leave the presenter view (P)" if presenting else "Presenter view (P)",
            )
            st.button(
                "Next",
                key="tour_next",
                icon=":material/arrow_forward:",
                icon_position="right",
                type="primary",
                disabled=step == last,
                on_click=_tour.go,
                args=(step + 1,),
            )


def _turn_notes() -> None:
    st.session_state[_tour.NOTES_KEY] = not st.session_state.get(_tour.NOTES_KEY, False)


def _seen() -> None:
    """How large the screen is. A callback: what a browser sends is not to be trusted."""
    match st.session_state[_KEY].view:
        case [int(width), int(height)]:
            st.session_state[_tour.VIEW_KEY] = (width, height)


def _asked() -> None:
    """A key or a name was pressed. A callback: what a browser sends is not to be trusted."""
    match st.session_state[_KEY].asked:
        case "notes":
            _turn_notes()
        case "present":
            _tour.present(not _tour.presenting())
        case {"step": int(to)} if to > 0:
            _tour.go(to)
