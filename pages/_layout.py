"""Columns that need room: they stand side by side where there is enough of it, else one below the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

# Streamlit puts columns below each other by the width of the screen, and only on phones. What counts is the width of
# the place they are in: on a tablet the sidebar takes a third of the screen.
_STYLE = """<style>
[class*="st-key-beside_"] { container-type: inline-size; }
@container (max-width: 44rem) {
  [class*="st-key-beside_"] > * > [data-testid="stHorizontalBlock"] { flex-wrap: wrap; }
  [class*="st-key-beside_"] > * > * > [data-testid="stColumn"] { flex: 1 1 100%; }
  [class*="st-key-beside_middle_last"] > * > * > [data-testid="stColumn"]:nth-child(odd) { flex: 1 1 40%; }
  [class*="st-key-beside_middle_last"] > * > * > [data-testid="stColumn"]:nth-child(2) { order: 1; }
}
</style>"""


def prepare() -> None:
    """What `beside` needs, once on every page."""
    st.html(_STYLE)


def beside(
    key: str,
    widths: int | Sequence[float] = 2,
    *,
    gap: Literal["small", "medium", "large"] = "large",
    vertical_alignment: Literal["top", "center", "bottom"] = "top",
    middle_last: bool = False,
) -> list[DeltaGenerator]:
    """Columns, as `st.columns` makes them; with `middle_last` the second of three goes below the two others.

    `key` must be the only one of its kind on the page.
    """
    with st.container(key=f"beside_{'middle_last_' if middle_last else ''}{key}"):
        return st.columns(widths, gap=gap, vertical_alignment=vertical_alignment)
