"""History: every message that was sent, found again, opened as it was, compared, taken along, deleted."""

from __future__ import annotations

import streamlit as st

from pages import _history_compare, _history_kept, _history_list, _history_open, _identity
from pages._clock import zone
from pages._history_words import OTHER, PARAMETER
from pages._text import plain
from vif.errors import VifError
from vif.identity import Role

_identity.need(Role.VIEWER, "see a history")
history = _history_kept.history()
chosen, other = st.query_params.get(PARAMETER), st.query_params.get(OTHER)

try:
    opened = history.opened(chosen) if chosen else None
    second = history.opened(other) if chosen and other else None
    if chosen and (opened is None or (other and second is None)):
        _history_open.draw_missing()
    elif opened and second:
        _history_compare.draw(opened, second, zone())
    elif opened:
        _history_open.draw(history, opened, zone())
    else:
        st.title("History", anchor=False)
        _history_list.draw(history, zone())
except VifError as error:
    st.warning(plain(str(error)), icon=":material/error:")
