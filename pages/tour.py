"""Tour: the product in eight steps and five minutes, for an audience or alone. Nothing of it is recorded."""

from __future__ import annotations

import streamlit as st

import vif
from pages import _runtime, _sidebar, _tour, _tour_bar
from pages._text import plain
from pages._tour_script import STEPS

# Our own elements are made larger, and everything in them. Plotly measures itself in pixels of the screen, so that its
# charts are left out and drawn larger instead. The margins are those Streamlit keeps free around the page.
PRESENTER = """<style>
.st-key-tour_stage, .st-key-tour_bar {{ zoom: {scale}; }}
.st-key-tour_stage [data-testid="stElementContainer"]:has([data-testid="stPlotlyChart"]) {{ zoom: calc(1 / {scale}); }}
.st-key-tour_stage {{ margin: calc(-1.7rem / {scale}) 0 -1rem; }}
.st-key-tour_bar {{ margin-bottom: calc(-2.7rem / {scale}); }}
</style>"""

# State

settings = _sidebar.sidebar()
number = _tour.step(len(STEPS))
step = STEPS[number - 1]
if settings.config:
    _runtime.connection(settings.config.with_(enable_caching=False), settings.access, "dual")  # warms up meanwhile

# Layout

if _tour.presenting():
    st.html(PRESENTER.format(scale=_tour.scale()))
_tour_bar.draw(number, [one.name for one in STEPS], step.notes)
with st.container(key="tour_stage"):
    # A place for each step, so that one that goes does not stand below the next until that is drawn.
    places = [st.empty() for _ in STEPS]

# Drawing

with places[number - 1].container(gap="xsmall" if _tour.presenting() else "small"):
    st.title(step.title, anchor=False)
    try:
        step.draw(settings)
    except vif.VifError as error:
        st.warning(plain(str(error), 300), icon=":material/error:")
        if settings.config is None:
            st.button(
                "Use the offline model", key="offline", icon=":material/offline_bolt:", on_click=_sidebar.choose_offline
            )
