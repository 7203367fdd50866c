"""The boundaries as a volume or flat, for a reading, for the formula alone, and for nothing yet."""

from __future__ import annotations

import json
from typing import Any

from streamlit.testing.v1 import AppTest

import vif
from pages._turn import Turn
from vif.api import formula_reading
from vif.boundaries import DEFAULT_BOUNDARIES, dissolve
from vif.flow import Reading
from vif.interaction import Recognition

DOMAINS = {"CD": 0.95, "SD": 0.9, "CuD": 0.85, "ED": 0.92}
READING = Reading(DOMAINS, dissolve(DEFAULT_BOUNDARIES, DOMAINS))
EMPTY = Turn(1, "hello", "dual", vif.DualLlmConfig())
FORMULA_ONLY = Turn(1, "hello", "dual", vif.DualLlmConfig(), formula=formula_reading(0.55))
READ = Turn(
    1,
    "hello",
    "dual",
    vif.DualLlmConfig(),
    formula=formula_reading(0.55),
    reading=READING,
    recognition=Recognition(source="llm1"),
)


def page(turn: Turn, view: str | None = None) -> AppTest:
    def script() -> None:
        import streamlit as st

        from pages import _volume

        _volume.draw(st.session_state["turn"])

    at = AppTest.from_function(script, default_timeout=60)
    at.session_state["turn"] = turn
    if view:
        at.session_state["boundaries_view"] = view
    at.run()
    assert not at.exception, at.exception[0].message
    return at


def charts(at: AppTest) -> list[dict[str, dict[str, Any]]]:
    specs = [json.loads(chart.proto.spec) for chart in at.get("plotly_chart")]
    return [{trace["name"]: trace for trace in spec["data"] if "name" in trace} for spec in specs]


def alternatives(at: AppTest) -> list[str]:
    return [chart.proto.alt for chart in at.get("plotly_chart")]


def test_the_reading_and_the_formula_stand_side_by_side_as_volumes() -> None:
    at = page(READ)
    reading, formula = charts(at)
    # 3 + 12 · 0.95 = 14.4; the formula reads 0.44: 3 + 12 · 0.44 = 8.28
    assert round(reading["Computational"]["marker"]["size"], 9) == 14.4
    assert round(formula["Computational"]["marker"]["size"], 9) == 8.28
    assert reading["CD-ED"]["line"]["width"] == 2.5 + 8.5 * READING.boundaries[2].permeability
    assert "as LLM #1 reads" in alternatives(at)[0]
    assert "as the Rust formula reads" in alternatives(at)[1]


def test_the_mouse_wheel_scrolls_the_page_and_not_the_volume() -> None:
    configuration = json.loads(page(READ).get("plotly_chart")[0].proto.config)
    assert configuration["scrollZoom"] is False
    assert configuration["displayModeBar"] is False


def test_those_who_prefer_it_flat_get_the_status_bands() -> None:
    at = page(READ, "Flat")
    (flat,) = charts(at)
    assert flat["LLM #1"]["x"] == [boundary.permeability for boundary in READING.boundaries]
    assert "How permeable the six boundaries are to LLM #1" in alternatives(at)[0]


def test_without_a_reading_of_llm_1_the_formula_stands_alone() -> None:
    for turn in (FORMULA_ONLY, Turn(**{**_fields(READ), "recognition": Recognition(source="formula")})):
        assert len(charts(page(turn))) == 1
        assert list(charts(page(turn, "Flat"))[0]) == ["Rust formula"]


def test_before_the_formula_has_read_nothing_is_drawn() -> None:
    at = page(EMPTY)
    assert not charts(at)
    assert not at.caption


def _fields(turn: Turn) -> dict[str, Any]:
    return {name: getattr(turn, name) for name in Turn.__dataclass_fields__}
