"""Operations: how the models are doing, and what happens when LLM #1 fails."""

from __future__ import annotations

import streamlit as st

from pages import _drill, _operations, _sidebar

VIEWS = {"live": "Live", "drill": "Fault drill"}

settings = _sidebar.sidebar()
st.title("Operations", anchor=False)
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
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
    scope = _operations.choose_scope() if view == "live" else "session"
if view == "drill":
    _drill.draw(settings)
else:
    _operations.draw(settings, scope)
