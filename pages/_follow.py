"""A page that follows what goes on by itself on the library's event loop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import StopException, add_script_run_ctx

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Work(Protocol[T_co]):
    """A `Run` or a `Group`."""

    def follow(self) -> Iterator[T_co]:
        """Its state at once, then whenever it has changed or a moment has passed, until it is over."""

    def stop(self) -> bool:
        """End it and keep what has arrived; False when it came to an end of its own."""


def follow(work: Work[T], draw: Callable[[T, T | None], None]) -> None:
    """Draw each new state, given the one drawn before. Another rerun takes it up where this one left it; a stop or an
    error ends it.

    Not for a fragment: there a click waits for the end of a script that runs. See `_columns.look_on`.
    """
    drawn: T | None = None
    try:
        for state in work.follow():
            if state is drawn:
                st.session_state.get("followed")  # gives Streamlit the chance to stop this script
            else:
                draw(state, drawn)
                drawn = state
    except StopException:
        if work.stop():
            # A stopped script cannot draw, a thread of its session can: the page must not go on saying "is writing".
            ending = threading.Thread(target=draw, args=(next(work.follow()), drawn))
            add_script_run_ctx(ending)
            ending.start()
            ending.join()
        raise
    except Exception:
        work.stop()
        raise
