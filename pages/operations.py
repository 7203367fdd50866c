"""Operations: how the models are doing, and what happens when LLM #1 fails."""

from __future__ import annotations

import streamlit as st

from pages import _drill, _sidebar

VIEWS = {"live": "Live", "drill": "Fault drill"}

settings = _sidebar.sidebar()
st.title("Operations", anchor=False)
view = st.segmented_control(
    "View",
    list(VIEWS),
    key="operations_view",
    bind="query-params",
    default="live",
    required=True,
    format_func=VIEWS.__getitem__,
    label_visibility="collapsed",
)
if view == "drill":
    _drill.draw(settings)
