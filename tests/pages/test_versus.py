"""Two answers to one message, and the difference of their prompts."""

from __future__ import annotations

import threading

import pytest
from streamlit.testing.v1 import AppTest

import vif
from pages import _difference
from pages._runtime import Run, connection
from pages._turn import Turn
from tests.standin import Ending, Standin, fail, hang, say
from vif.boundaries import DEFAULT_BOUNDARIES, dissolve
from vif.flow import FlowContext, Reading, read_formula, shape

MESSAGE = "How do I implement quicksort?"
NOT_COMPARED = "there is nothing to compare"


def page() -> None:
    import streamlit as st

    from pages import _versus

    _versus.draw(st.session_state["turn"])


def finished(preset: str) -> Turn:
    """A turn as the Explore page has it at its end."""
    access = vif.Access()
    config = vif.load_config(preset, access=access)
    run = Run(Turn(1, MESSAGE, "dual", config), connection(config, access, "dual"), 0.55, None)
    run.start()
    return list(run.follow())[-1]


def opened(turn: Turn) -> AppTest:
    at = AppTest.from_function(page, default_timeout=120)
    at.session_state["turn"] = turn
    return run(at)


def run(at: AppTest) -> AppTest:
    at.run()
    assert not at.exception, at.exception[0].message
    return at


def ask(at: AppTest) -> AppTest:
    """Ask for both answers and come back when they are there."""
    at.button(key="versus_ask").click()
    run(at)
    for _ in at.session_state["versus"].group.follow():
        pass
    return run(at)  # as the browser does, again and again


def shown(at: AppTest) -> str:
    return "\n".join(element.value for element in (*at.markdown, *at.caption))


def test_nobody_is_asked_before_the_button_and_the_difference_is_there_at_once(standin: Standin) -> None:
    at = opened(finished("balanced"))
    assert len(standin.requests) == 2
    # The formula: 0.8 · 0.55 = 0.44 against 0.95
    assert "0.44 → **0.95**" in shown(at)
    (difference,) = at.code
    assert difference.value.startswith('@@ domains @@\n- <domain name="CD" activation="0.44"')
    assert '+ <domain name="CD" activation="0.95"' in difference.value


def test_llm_2_is_asked_twice_once_with_each_reading_and_a_rerun_asks_nobody(standin: Standin) -> None:
    turn = finished("balanced")
    at = ask(opened(turn))
    asked = standin.requests[2:]
    assert [seen.has_schema for seen in asked] == [False, False], "nobody reads the message again"
    prompts = sorted(str(seen.body["messages"]) for seen in asked)
    assert 'activation="0.44"' in prompts[0]
    assert 'activation="0.95"' in prompts[1]
    assert shown(at).count(standin.reply) == 2
    run(at)
    assert len(standin.requests) == 4
    ask(at)
    assert len(standin.requests) == 6


@pytest.mark.parametrize("plan", [fail(400, "out of order"), say("Half", ending=Ending.CUT)])
def test_one_side_that_fails_says_so_and_the_other_is_there(standin: Standin, plan: object) -> None:
    turn = finished("balanced")
    standin.plan("anthropic", plan)  # type: ignore[arg-type]
    at = ask(opened(turn))
    (error,) = at.error
    assert "claude" in error.value
    assert standin.reply in shown(at)


def test_stopping_ends_both_keeps_what_has_arrived_and_hangs_up(standin: Standin) -> None:
    turn = finished("balanced")
    at = opened(turn)
    standin.plan("anthropic", say("Half a thought", ending=Ending.STALL), hang())
    at.button(key="versus_ask").click()
    run(at)
    group = at.session_state["versus"].group
    next(columns for columns in group.follow() if any(column.turn.reply for column in columns))
    while len(standin.requests) < 4:
        threading.Event().wait(0.01)
    assert at.button(key="versus_ask").disabled
    at.button(key="versus_stop").click()
    run(at)
    assert [column.turn.stopped for column in group.columns] == [True, True]
    assert "Half" in shown(at)
    assert at.button(key="versus_stop").disabled
    assert all(seen.gone.wait(10) for seen in standin.requests[2:]), "the provider still has our request"


def test_a_missing_key_is_one_line_on_each_side(standin: Standin, monkeypatch: pytest.MonkeyPatch) -> None:
    at = opened(finished("balanced"))
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    ask(at)
    assert len(at.warning) == 2
    assert all("ANTHROPIC" in warning.value and "\n" not in warning.value for warning in at.warning)


def test_what_the_formula_read_has_nothing_to_be_compared_with(standin: Standin) -> None:
    standin.plan("openai", fail(401))
    at = opened(finished("balanced"))
    assert NOT_COMPARED in shown(at)
    assert not at.button


def test_another_turn_forgets_the_answers_to_the_last_one(standin: Standin) -> None:
    at = ask(opened(finished("balanced")))
    at.session_state["turn"] = finished("balanced")
    run(at)
    assert standin.reply not in shown(at)
    assert "versus" not in at.session_state


def test_the_embedded_model_is_shown_with_what_it_was_really_sent() -> None:
    at = ask(opened(finished("offline")))
    assert len(at.code) == 2
    assert "@@" not in at.code[0].value
    assert "+ (Answer with" in at.code[0].value
    assert "one hint only" in shown(at)


# ── The difference itself ───────────────────────────────────────────────────────────────────────────────────────────


def context(activations: dict[str, float]) -> FlowContext:
    return shape(MESSAGE, Reading(activations, dissolve(DEFAULT_BOUNDARIES, activations)))


def test_equal_prompts_have_no_changed_lines() -> None:
    prompt = shape(MESSAGE, read_formula(0.55)).prompt
    assert _difference.changed_lines(prompt, prompt) == ""


def test_changed_lines_are_in_the_order_of_their_weight_and_no_other_line_is_there() -> None:
    formula, high = shape(MESSAGE, read_formula(0.55)), context({"CD": 0.95, "SD": 0.9, "CuD": 0.85, "ED": 0.92})
    lines = _difference.changed_lines(formula.prompt, high.prompt).splitlines()
    assert [line for line in lines if line.startswith("@@")] == [
        f"@@ {name} @@" for name in ("domains", "boundaries", "interfaces", "qualities")
    ]
    assert all(line[:2] in {"- ", "+ ", "@@"} for line in lines)
    assert MESSAGE not in "\n".join(lines)
    removed, added = lines[1], lines[2]
    assert removed.startswith('- <domain name="CD"')
    assert added.startswith('+ <domain name="CD"')


@pytest.mark.parametrize(
    ("index", "words"),
    [
        (0, "0.44 → **0.95**"),
        (1, "Computational – Scientific Maintained → **Transcendent**"),
        (3, "to the formula at none"),
    ],
)
def test_the_difference_in_words_names_domains_statuses_and_qualities(index: int, words: str) -> None:
    high = context({"CD": 0.95, "SD": 0.9, "CuD": 0.85, "ED": 0.92})
    assert words in _difference.in_words(shape(MESSAGE, read_formula(0.55)), high)[index]


def test_a_domain_the_formula_drops_is_said_to_be_left_out() -> None:
    # 0.6 · 0.4 = 0.24 is not above 0.3
    words = _difference.in_words(
        shape(MESSAGE, read_formula(0.4)), context({"CD": 0.9, "SD": 0.9, "CuD": 0.9, "ED": 0.9})
    )
    assert "Cultural] left out → **0.90**" in words[0]
