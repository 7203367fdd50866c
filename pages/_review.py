"""Between the review pages and the library: one service for this server, asked from Streamlit's threads."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TypeVar

import streamlit as st

from pages import _runtime
from vif.review.service import Reviews

T = TypeVar("T")

WAIT_S = 30.0


def ask(work: Callable[[Reviews], Coroutine[object, object, T]]) -> T:
    """The result of `work(reviews)`. Raises what it raises: a VifError is for people to read."""
    return _runtime.event_loop().submit(work(_reviews())).result(WAIT_S)


@st.cache_resource(show_spinner=False)
def _reviews() -> Reviews:
    return Reviews(_runtime.event_loop().submit(_runtime.store().store()).result(WAIT_S))
