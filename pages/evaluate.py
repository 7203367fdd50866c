"""Evaluate: how well models read, measured on cases of which it is known what a good reading is."""

from __future__ import annotations

import streamlit as st

from pages import (
    _evaluate_list,
    _evaluate_live,
    _evaluate_results,
    _evaluate_runs,
    _evaluate_setup,
    _identity,
    _sidebar,
)
from pages._evaluate_words import PARAMETER
from pages._text import plain
from vif.errors import VifError
from vif.identity import Role

settings = _sidebar.sidebar()
# A run spends this server's keys without the limits of a session.
role = _identity.person().role
may_run = role is not None and role.covers(Role.ADMIN)
chosen = st.query_params.get(PARAMETER)

try:
    if chosen and _evaluate_runs.under_way(chosen):
        _evaluate_live.draw(chosen, may_run=may_run)
    elif chosen:
        kept = _evaluate_runs.opened(chosen)
        if kept is None:
            _evaluate_list.draw_missing()
        else:
            _evaluate_results.draw(kept, settings, may_run=may_run)
    else:
        st.title("Evaluate", anchor=False)
        st.markdown(
            "**Does LLM #1 read messages better than the formula?** Let models read cases of which it is known what a "
            "good reading is, and see how far off each one is, how sure that is, how long it takes and what it costs."
        )
        if may_run:
            _evaluate_setup.draw(settings)
            _evaluate_list.draw(settings)
        else:
            st.info("Starting a run needs the role admin: it spends this server's keys.", icon=":material/lock:")
except VifError as error:
    st.warning(plain(str(error)), icon=":material/error:")
