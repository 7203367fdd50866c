"""Who can be asked: the providers with what they have or lack, and the models with price and lifecycle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import pandas as pd
import streamlit as st

import vif
from pages import _circuits
from pages._text import plain
from vif.catalogue import COMPARED_USAGE, cost_usd

NAMES: Mapping[vif.Provider, str] = {
    vif.Provider.OPENAI: "OpenAI",
    vif.Provider.ANTHROPIC: "Anthropic",
    vif.Provider.OPENROUTER: "OpenRouter",
    vif.Provider.LOCAL: "Local server",
    vif.Provider.EMBEDDED: "Embedded",
}

COLUMNS = {
    "USD": st.column_config.NumberColumn(
        "USD a call", format="$%.5f", help="1200 tokens in, 300 out; what runs on this machine is free"
    ),
    "State": st.column_config.TextColumn("Lifecycle"),
}


@st.dialog("Models and providers", width="large")
def show(access: vif.Access, circuits: Sequence[vif.Circuit]) -> None:
    """A dialog over the page. Keys are never shown, only whether there is one. `circuits` are of the models in use."""
    for provider, name in NAMES.items():
        missing = access.lacks(provider)
        if missing is None:
            place = access.base_url(provider)
            where = f" at {plain(place)}" if place else ""
            st.markdown(f":green[:material/check_circle:] **{name}** ready{where}")
        else:
            st.markdown(f":gray[:material/radio_button_unchecked:] **{name}** needs `{missing}`")
    if circuits:
        st.markdown("Circuits of the models in use: " + " · ".join(_circuits.in_words(one) for one in circuits))
    today = date.today()  # noqa: DTZ011  # the day where the reader sits
    st.dataframe(_table(today), hide_index=True, column_config=COLUMNS, key="models", height="content")
    st.caption("A model that is not listed can be used all the same; its price is then not known.")


@st.cache_data(max_entries=8, show_spinner="Looking up prices …")
def _table(today: date) -> pd.DataFrame:
    rows = []
    for entry in vif.CATALOGUE:
        lifecycle = entry.lifecycle(today)
        ending = f" on {entry.ends.isoformat()}, then {entry.successor}" if entry.ends else ""
        rows.append(
            {
                "Provider": NAMES[entry.provider],
                "Model": entry.model,
                "Role": " and ".join(entry.roles) or "none any more",
                "USD": cost_usd(entry.provider, entry.model, COMPARED_USAGE),
                "State": lifecycle + ending,
            }
        )
    return pd.DataFrame(rows)
