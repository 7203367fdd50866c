"""Tour: the product in eight steps and five minutes, for an audience or alone. Nothing of it is recorded."""

from __future__ import annotations

import streamlit as st

import vif
from pages import _runtime, _sidebar, _tour, _tour_bar
from pages._text import plain
from pages._tour_script import STEPS

# An element of our own is made larger, with everything in it, in steps that fit what projectors have.
PRESENTER = """<style>
.st-key-tour_stage, .st-key-tour_bar { zoom: 1.15; }
@media (min-width: 1500px) and (min-height: 840px) { .st-key-tour_stage, .st-key-tour_bar { zoom: 1.35; } }
@media (min-width: 1800px) and (min-height: 1000px) { .st-key-tour_stage, .st-key-tour_bar { zoom: 1.7; } }
</style>"""

# State

settings = _sidebar.sidebar()
number = _tour.step(len(STEPS))
step = STEPS[number - 1]
if settings.config:
    _runtime.connection(settings.config.with_(enable_caching=False), settings.access, "dual")  # warms up meanwhile

# Layout

if _tour.presenting():
    st.html(PRESENTER)
_tour_bar.draw(number, [one.name for one in STEPS], step.notes)
with st.container(key="tour_stage"):
    # A place for each step, so that one that goes does not stand below the next until that is drawn.
    places = [st.empty() for _ in STEPS]

# Drawing

with places[number - 1].container():
    st.title(step.title, anchor=False)
    try:
        step.draw(settings)
    except vif.VifError as error:
        st.warning(plain(str(error), 300), icon=":material/error:")
        if settings.config is None:
            st.button(
                "Use the offline model", key="offline", icon=":material/offline_bolt:", on_click=_sidebar.choose_offline
            )
