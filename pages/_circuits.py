"""How the circuits of the models in use stand: closed, open, or letting one probe through."""

from __future__ import annotations

import streamlit as st

import vif
from pages import _runtime
from pages._text import plain
from pages._words import Badge
from vif.flow import Mode

WAIT_S = 1.0
"""A look at the shared state takes a millisecond; when it takes this long, the page does without."""

_ROLES = {"llm1": "LLM #1", "llm2": "LLM #2"}
_BADGES = {
    vif.CircuitState.CLOSED: Badge("in order", ":material/check_circle:", "green"),
    vif.CircuitState.HALF_OPEN: Badge("being tried again", ":material/help:", "orange"),
    vif.CircuitState.OPEN: Badge("left alone", ":material/block:", "red"),
}


def circuits(config: vif.DualLlmConfig, access: vif.Access, mode: Mode) -> tuple[vif.Circuit, ...]:
    """One for each model over a network; none when they cannot be looked at."""
    try:
        api = _runtime.connection(config, access, mode).api
        return _runtime.event_loop().submit(api.circuits()).result(WAIT_S)
    except (vif.ConfigError, TimeoutError):
        return ()


def in_words(circuit: vif.Circuit) -> str:
    """A circuit as Markdown: its model, a badge, and what comes next."""
    badge = _BADGES[circuit.state]
    text = f"{_ROLES[circuit.role]} **{plain(circuit.model)}** :{badge.colour}-badge[{badge.icon} {badge.label}]"
    if circuit.state is vif.CircuitState.OPEN and circuit.opens_again_s is not None:
        return f"{text} :small[tried again in {circuit.opens_again_s:.0f} s]"
    if circuit.failures:
        return f"{text} :small[{circuit.failures} failed in a row]"
    return text


def draw_trouble(config: vif.DualLlmConfig, access: vif.Access, mode: Mode) -> None:
    """Only what is not in order."""
    for circuit in circuits(config, access, mode):
        if circuit.state is not vif.CircuitState.CLOSED:
            st.markdown(in_words(circuit))
