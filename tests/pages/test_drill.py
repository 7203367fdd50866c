"""The fault drill: what LLM #1 does in it, that answers keep coming, and that nobody else notices."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import vif
from pages import _drill
from tests.pages.conftest import MAIN, Page
from tests.standin import REPLY, Standin, fail

OPERATIONS = str(Path(MAIN).with_name("operations.py"))


class Operations(Page):
    """The Operations page with the drill in view."""

    def __init__(self) -> None:
        self.at = AppTest.from_file(str(MAIN), default_timeout=120)
        self.at.query_params["operations_view"] = "Fault drill"
        self.at.switch_page(OPERATIONS)
        self.run()

    def drill(self, fault: vif.Fault) -> Operations:
        self.at.session_state["drill_fault"] = fault
        self.run()
        self.click("drill_begin")
        self.click("drill_send")
        return self

    @property
    def results(self) -> _drill.Results:
        found: _drill.Results = self.at.session_state["drill_results"]
        return found

    @property
    def outcomes(self) -> list[list[str]]:
        recognitions = [turn.recognition for turn in self.results.turns]
        return [[attempt.outcome for attempt in r.attempts] for r in recognitions if r]


def test_every_message_is_answered_while_llm1_fails_and_the_circuit_opens(standin: Standin) -> None:
    page = Operations().drill(vif.Fault.SERVER_ERROR)
    assert [turn.reply for turn in page.results.turns] == [REPLY] * 6
    assert page.outcomes == [
        ["server_error"] * 3,
        ["server_error", "server_error", "circuit_open"],
        *[["circuit_open"]] * 4,
    ]
    assert "6 of 6 messages were answered" in page.markdown
    assert "LLM #1 failed 5 times; its circuit opened at message 2" in page.markdown
    table = page.at.table[0].value
    assert "Rust formula" in table["Read by"][0]
    assert "server error" in table["LLM #1"][0]
    assert not [seen for seen in standin.requests if seen.has_schema]  # the real LLM #1 was never asked


def test_a_flapping_llm1_is_helped_by_retries(standin: Standin) -> None:
    page = Operations().drill(vif.Fault.FLAPPING)
    assert page.outcomes == [["server_error", "server_error", "ok"]] * 6
    assert {turn.recognition.source for turn in page.results.turns if turn.recognition} == {"llm1"}
    assert len([seen for seen in standin.requests if seen.has_schema]) == 6


@pytest.mark.parametrize(("fault", "outcome"), [(vif.Fault.PROSE, "invalid_json"), (vif.Fault.OUT_OF_RANGE, "schema")])
def test_an_unusable_answer_is_told_as_what_it_is(standin: Standin, fault: vif.Fault, outcome: str) -> None:
    page = Operations().drill(fault)
    assert page.outcomes == [[outcome] * 3] * 6
    assert "6 of 6 messages were answered" in page.markdown


def test_a_failing_llm2_is_told(standin: Standin) -> None:
    standin.plan("anthropic", *[fail(401, "wrong key")] * 6)
    page = Operations().drill(vif.Fault.AUTH)
    assert "0 of 6 messages were answered" in page.markdown
    assert "wrong key" in page.at.table[0].value["Answer"][0]


def test_the_drill_is_on_in_explore_until_it_is_ended(standin: Standin) -> None:
    page = Operations()
    page.at.session_state["drill_fault"] = vif.Fault.AUTH
    page.run().click("drill_begin")
    page.at.switch_page(str(Path(MAIN).with_name("explore.py")))
    page.run()
    assert "Fault drill" in page.markdown
    assert "It refuses the key." in page.markdown
    page.send("Why?")
    assert page.turns[-1].recognition is not None
    assert page.turns[-1].recognition.fallback_reason == "auth"
    page.click("drill_end")
    assert "Fault drill" not in page.markdown
    page.send("How?")
    recognition = page.turns[-1].recognition
    assert recognition is not None
    assert recognition.source == "llm1"


def test_another_session_does_not_notice(standin: Standin) -> None:
    Operations().drill(vif.Fault.SERVER_ERROR)
    other = Page().send("How do I implement quicksort?")
    assert "Fault drill" not in other.markdown
    assert other.turns[-1].recognition is not None
    assert other.turns[-1].recognition.source == "llm1"


def test_the_formula_cannot_fail() -> None:
    page = AppTest.from_file(str(MAIN), default_timeout=120)
    page.query_params["operations_view"] = "Fault drill"
    page.query_params["reader"] = "Rust formula"
    page.switch_page(OPERATIONS)
    page.run()
    assert page.button(key="drill_begin").disabled
    assert "it cannot fail" in page.info[0].value
