"""Keys of the rating page that no button of Streamlit's can have: into the comment and out of it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_COMPONENT = st.components.v2.component(
    "vif_rating_keys",
    html="<span hidden></span>",
    js=(Path(__file__).parent / "rating" / "keys.js").read_text("utf-8"),
)


def draw() -> None:
    """Listen, as long as the page is there."""
    _COMPONENT(key="rating_keys", height="content")
