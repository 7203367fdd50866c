"""The entry script of the dashboard: navigation, and what all pages share."""

from __future__ import annotations

from pathlib import Path

import pandas  # noqa: F401  # first: on a cold start Plotly can meet a half-imported pandas from another thread
import streamlit as st

from pages import _closer, _comparison, _conversation, _drill, _identity, _layout, _tour, _whole

HERE = Path(__file__).parent

# Our own icon: Streamlit fetches the Material ones from another host for the browser's tab.
st.set_page_config(
    page_title="VIF – how a message is read",
    page_icon=HERE / "vif.svg",
    layout="wide",
    initial_sidebar_state="collapsed" if _tour.presenting() else "auto",
)
st.logo(HERE / "wordmark.svg", size="large", icon_image=HERE / "vif.svg")

_identity.admit()
_layout.prepare()

EXPLORE = st.Page(
    "explore.py",
    title="Explore",
    icon=":material/explore:",
    default=True,
    help="Send a message; see how LLM #1 and the Rust formula read it, and what LLM #2 answers.",
)
TOUR = st.Page(
    "tour.py",
    title="Tour",
    icon=":material/tour:",
    help="The product in five minutes, live: the problem, the reading, the answer, an outage, the cost, the verdict.",
)
COMPARE = st.Page(
    "compare.py",
    title="Compare",
    icon=":material/compare:",
    help="One message through several presets, models or autonomy values at once.",
)
EVALUATE = st.Page(
    "evaluate.py",
    title="Evaluate",
    icon=":material/science:",
    help="How well models read, measured: against the formula, against each other, against the targets.",
)

RATE = st.Page(
    "rate.py",
    title="Rate",
    icon=":material/thumbs_up_down:",
    help="Two readings or replies, blind: which fits the message better?",
)
VERDICT = st.Page(
    "verdict.py",
    title="Verdict",
    icon=":material/gavel:",
    help="What raters found, and how sure that is.",
)
CAMPAIGNS = st.Page(
    "campaigns.py",
    title="Campaigns",
    icon=":material/rate_review:",
    help="What is to be judged, by how many, and by which questions.",
)
HISTORY = st.Page(
    "history.py",
    title="History",
    icon=":material/history:",
    help="Every message that was sent: find it, open it as it was, compare it, delete it.",
)

OPERATIONS = st.Page(
    "operations.py",
    title="Operations",
    icon=":material/monitor_heart:",
    help="How the models are doing, and a drill: what happens when LLM #1 fails.",
)

page = st.navigation([EXPLORE, TOUR, COMPARE, EVALUATE, RATE, VERDICT, CAMPAIGNS, HISTORY, OPERATIONS])
# A reply nobody is looking at is not worth its tokens.
if page is not EXPLORE:
    _conversation.stop()
    _closer.stop()
if page is not COMPARE:
    _comparison.stop()
if page is not TOUR:
    _tour.stop()
_identity.draw_who()
_drill.banner()
_whole.draw_whole(page.run)
