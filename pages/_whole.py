"""A page is always drawn whole: a stop or a rerun ends what it follows, never its drawing in the middle.

Streamlit stops a script wherever it is; a page stopped half-way leaves the other half blank. So the page is drawn in a
thread of its own, which Streamlit does not interrupt, while the script's thread waits and hears of stops and reruns.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NoReturn

import streamlit as st
from streamlit.runtime.scriptrunner import StopException, add_script_run_ctx

LOOK_S = 0.1


class Left(BaseException):
    """Another rerun takes the page up; this drawing of it is over."""


class Ended(BaseException):
    """The page has said all it has to say."""


class _Drawing(threading.Thread):
    def __init__(self, draw: Callable[[], None]) -> None:
        super().__init__(name="vif-page", daemon=True)
        self.stopping, self.leaving = threading.Event(), threading.Event()
        self.failure: BaseException | None = None
        self._draw = draw

    def run(self) -> None:
        try:
            self._draw()
        except (Left, Ended):
            pass
        except BaseException as error:  # noqa: BLE001  # Streamlit's own signals too: the script's thread raises them
            self.failure = error


def draw_whole(draw: Callable[[], None]) -> None:
    """Carry out `draw` to its end; whatever it raises is raised here."""
    drawing = _Drawing(draw)
    add_script_run_ctx(drawing)
    drawing.start()
    try:
        while drawing.is_alive():
            drawing.join(LOOK_S)
            st.session_state.get("whole")  # gives Streamlit the chance to stop or rerun this script
    except StopException:
        drawing.stopping.set()
        drawing.join()
        raise
    except BaseException:
        drawing.leaving.set()
        drawing.join()
        raise
    if drawing.failure is not None:
        raise drawing.failure


def end() -> NoReturn:
    """Draw nothing after this. `st.stop` would not do: outside the script's own thread it returns."""
    if isinstance(threading.current_thread(), _Drawing):
        raise Ended
    st.stop()


def is_to_stop() -> bool:
    """Whether the user has pressed stop. Raises Left when another rerun waits for this one to be over."""
    drawing = threading.current_thread()
    if not isinstance(drawing, _Drawing):
        return False
    if drawing.leaving.is_set():
        raise Left
    return drawing.stopping.is_set()
