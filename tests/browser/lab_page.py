"""The oscillation lab alone, for tests: one finished turn whose reading is open at every boundary."""

from __future__ import annotations

import streamlit as st

import vif
from pages import _lab
from pages._turn import Turn
from vif.boundaries import DEFAULT_BOUNDARIES, dissolve
from vif.events import Finished
from vif.flow import DevelopmentalStage, Reading, shape
from vif.interaction import BoundaryQualities, Interaction, Recognition, Response

MESSAGE = "How do I implement quicksort, and why does it feel so elegant?"
DOMAINS = {"CD": 0.95, "SD": 0.7, "CuD": 0.55, "ED": 0.88}


def turn() -> Turn:
    reading = Reading(DOMAINS, dissolve(DEFAULT_BOUNDARIES, DOMAINS))
    context = shape(MESSAGE, reading)
    formula = vif.formula_reading(0.55)
    recognition = Recognition(source="embedded", provider="embedded", model="SmolLM2-135M-Instruct")
    interaction = Interaction(
        id="lab",
        message=MESSAGE,
        mode="dual",
        autonomy=0.55,
        domains=DOMAINS,
        boundaries=reading.boundaries,
        formula=formula,
        interfaces=context.interfaces,
        qualities=tuple(BoundaryQualities.of(entry) for entry in context.emergent),
        developmental_stage=DevelopmentalStage.GENERATION,
        prompt=context.prompt,
        reply="Choose a pivot, split the rest around it, and do the same with both parts.",
        recognition=recognition,
        response=Response(provider="embedded", model="SmolLM2-135M-Instruct", finish_reason="stop"),
    )
    return Turn(1, MESSAGE, "dual", vif.load_config("offline"), formula, reading, recognition).after(
        Finished(interaction)
    )


if __name__ == "__main__":
    st.set_page_config(layout="wide")
    _lab.draw(turn())
