"""The Explore page: what it shows, what it asks of whom, and what it must never do."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from textwrap import dedent

import pytest

from pages._text import harmless
from pages._welcome import EXAMPLES
from tests.pages.conftest import Page
from tests.pages.test_text import HOSTILE
from tests.standin import Standin, fail, say
from vif.config import DualLlmConfig, ModelRef
from vif.llm.protocol import Provider

Open = Callable[..., Page]


# ── Opening ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_opening_screen_says_what_this_is_and_shows_the_problem(explore: Open) -> None:
    page = explore()
    assert page.at.title[0].value == "How is your message read?"
    assert [key for key in page.buttons() if key.startswith("example")] == [
        f"example_{n}" for n in range(len(EXAMPLES))
    ]
    (chart,) = page.charts()
    # weights 0.8, 0.7, 0.6, 0.9 times the autonomy 0.55
    assert chart["Rust formula"]["r"][:4] == pytest.approx([0.44, 0.385, 0.33, 0.495])
    assert "as the Rust formula reads every message" in page.alternatives()[0]
    assert not page.at.warning
    assert not page.at.error


def test_the_formula_on_the_opening_screen_follows_the_autonomy(explore: Open) -> None:
    page = explore()
    page.at.slider(key="autonomy").set_value(1.0)
    page.run()
    assert page.charts()[0]["Rust formula"]["r"][:4] == pytest.approx([0.8, 0.7, 0.6, 0.9])


def test_settings_come_from_the_address(explore: Open) -> None:
    page = explore(preset="Offline", autonomy="0.7", reader="Rust formula")
    assert page.at.selectbox(key="preset").value == "offline"
    assert page.at.slider(key="autonomy").value == 0.7
    assert page.send("hello").turns[0].mode == "formula"


# ── The main job ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_keys_a_message_is_read_and_answered_by_the_embedded_model(explore: Open) -> None:
    page = explore(caching="false").click("example_0")  # other tests ask it too, and readings are remembered
    (turn,) = page.turns
    assert turn.message == "How do I implement quicksort?" == page.at.text[0].value
    assert turn.reading is not None
    assert turn.interaction is not None
    assert turn.interaction.recognition.source == "embedded"
    assert max(turn.reading.domains, key=turn.reading.domains.__getitem__) == "CD"

    radar, boundaries = page.charts()
    domains = turn.reading.domains
    assert radar["LLM #1"]["r"][:4] == [domains["CD"], domains["SD"], domains["CuD"], domains["ED"]]
    assert radar["Rust formula"]["r"][:4] == pytest.approx([0.44, 0.385, 0.33, 0.495])
    assert boundaries["LLM #1"]["x"] == [boundary.permeability for boundary in turn.reading.boundaries]
    assert all(page.alternatives())

    table = page.at.table[0].value
    assert table["LLM #1"][0] == f"**{domains['CD']:.2f}**"
    assert table["Difference"][0] == f"▲ {domains['CD'] - 0.44:.2f} more"

    assert dedent(harmless(turn.reply)).strip() in page.markdown  # as Streamlit does: no blanks in empty lines
    assert "Embedded model" in page.markdown
    assert "135M offline model" in page.markdown
    assert "more computational" in page.markdown
    assert f"{turn.interaction.response.output_tokens} tokens · free" in page.markdown  # type: ignore[union-attr]


def test_a_rerun_never_asks_a_model_again(explore: Open, standin: Standin) -> None:
    page = explore().send("hello")
    assert len(standin.requests) == 2, "one reading, one reply"
    page.run()
    page.at.slider(key="autonomy").set_value(0.8)
    page.run()
    assert len(standin.requests) == 2
    assert standin.reply in page.markdown


def test_reading_reasons_and_patterns_of_llm_1_are_shown(explore: Open, standin: Standin) -> None:
    page = explore().send("hello")
    assert r"The message asks for a procedure\." in page.markdown
    assert "- asks how\n- names an algorithm" in page.markdown
    assert r"gpt\-6\-luna" in page.markdown
    # 0.95 − 0.44 = 0.51, 0.20 − 0.495 = −0.295
    assert "reads 0.51 more computational" in page.markdown


def test_a_corrected_value_is_shown_with_what_it_was(explore: Open, standin: Standin) -> None:
    boundaries = {**standin.reading["boundaries"], "CD-SD": {"permeability": 0.9, "status": "Transcendent"}}  # type: ignore[dict-item]
    standin.reading = {**standin.reading, "boundaries": boundaries}
    page = explore().send("hello")
    # √(0.95 · 0.3) = 0.53
    assert "Computational – Scientific, permeability: 0.90 → 0.53" in page.markdown


def test_in_formula_mode_llm_1_is_not_asked(explore: Open, standin: Standin) -> None:
    page = explore(reader="Rust formula").send("hello")
    assert [seen.has_schema for seen in standin.requests] == [False]
    assert [list(chart) for chart in page.charts()] == [["Rust formula"], ["Rust formula"]]
    assert not page.at.table
    assert "every message the same shape" in page.markdown
    assert not page.at.warning, "the formula was asked for: that is not a fallback"


def test_the_next_message_follows_the_last_one(explore: Open, standin: Standin) -> None:
    page = explore().send("a first message").send("and a second")
    assert "a first message" in str(standin.requests[3].body), "the responder gets the turn before"
    assert [turn.number for turn in page.turns] == [1, 2]
    assert page.at.text[-1].value == "and a second"
    assert "a first message" in [expander.label for expander in page.at.expander]


def test_a_new_conversation_forgets_the_old_one(explore: Open, standin: Standin) -> None:
    page = explore().send("a first message").click("new")
    assert page.turns == []
    assert page.at.title[0].value == "How is your message read?"
    page.send("another")
    assert "a first message" not in str(standin.requests[-1].body)


# ── What goes wrong ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_when_llm_1_fails_the_page_says_why_the_formula_is_shown(explore: Open, standin: Standin) -> None:
    standin.plan("openai", fail(401))
    page = explore().send("hello")
    assert [warning.value for warning in page.at.warning] == [
        "LLM #1 did not accept the key, so the formula's values are shown."
    ]
    assert list(page.charts()[0]) == ["Rust formula"]
    assert standin.reply in page.markdown
    assert not page.at.error


def test_when_llm_2_fails_the_reading_stays_and_can_be_answered_again(explore: Open, standin: Standin) -> None:
    standin.plan("anthropic", *[fail(500, "out of order")] * 2)
    page = explore().send("hello")
    (error,) = page.at.error
    assert "claude" in error.value
    assert "LLM #1" in page.charts()[0], "the reading is still shown"
    assert len(standin.requests) == 3, "LLM #2 was asked twice before anybody was told"

    page.click("again")
    assert not page.at.error
    assert standin.reply in page.markdown
    assert [seen.has_schema for seen in standin.requests] == [True, False, False, False], (
        "the reading came from the cache"
    )
    assert [turn.message for turn in page.turns] == ["hello"]


def test_a_preset_without_its_key_says_so_in_one_line_and_shows_the_way_on(explore: Open) -> None:
    page = explore(preset="Balanced")
    (warning,) = page.at.warning
    assert "OPENAI\\_API\\_KEY" in warning.value
    assert "\n" not in warning.value
    assert page.at.chat_input[0].disabled
    assert page.at.button(key="example_0").disabled

    page.click("offline")
    assert not page.at.warning
    assert not page.at.chat_input[0].disabled
    assert page.at.selectbox(key="preset").value == "offline"


def test_a_bad_setting_in_the_environment_is_one_line_not_a_traceback(
    explore: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIF_LLM1_TIMEOUT_MS", "0")
    page = explore()
    (warning,) = page.at.warning
    assert "timeout" in warning.value


def test_a_model_that_is_shut_down_is_told_with_its_successor(
    explore: Open, standin: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIF_LLM2_MODEL", "gpt-3.5-turbo")
    (warning,) = explore().at.warning
    assert "was shut down" in warning.value
    assert r"gpt\-6\-luna" in warning.value


# ── Foreign text and keys ───────────────────────────────────────────────────────────────────────────────────────────


def test_hostile_text_of_user_and_models_stays_text(explore: Open, standin: Standin) -> None:
    standin.reading = {**standin.reading, "reasoning": HOSTILE, "patterns": [HOSTILE]}
    standin.reply = HOSTILE
    page = explore().send(HOSTILE)
    assert page.at.text[0].value == HOSTILE
    for shown in page.at.markdown:
        assert "![" not in shown.value
        assert "$x$" not in shown.value
    page.send("next")
    label = next(expander.label for expander in page.at.expander if "script" in expander.label)
    assert "\\!\\[" in label
    assert all(not element.allow_html for element in (*page.at.markdown, *page.at.caption))


def test_a_key_typed_in_the_sidebar_is_used_but_never_shown(
    explore: Open, standin: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    key = f"typed-{uuid.uuid4().hex}"
    standin.expected_key = key
    page = explore()
    page.at.text_input(key="key_openai").set_value(f" {key} ")
    page.run()
    assert page.at.session_state.get("key_openai", "") == ""
    assert "OpenAI: key in use" in page.markdown
    page.send("hello")
    assert standin.reply in page.markdown, "the provider accepted the key"
    assert key not in page.everything()
    assert key not in str(page.at.session_state["session_keys"])
    assert key not in str(page.at.query_params)

    page.click("forget_openai")
    assert "key in use" not in page.markdown
    assert page.send("and now").turns[-1].config.llm2 == ModelRef(Provider.EMBEDDED, DualLlmConfig().llm2_model)


def test_two_sessions_with_different_keys_do_not_share_a_connection(
    explore: Open, standin: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    explore().send("hello")
    monkeypatch.setenv("OPENAI_API_KEY", f"key-{uuid.uuid4().hex}")
    page = explore().send("hello")
    assert len(standin.requests) == 4, "the second session does not get the first one's remembered reading"
    first, second = (seen.headers["authorization"] for seen in standin.requests if seen.has_schema)
    assert first != second
    assert standin.reply in page.markdown


def test_a_reply_that_stops_half_way_is_kept_and_named(explore: Open, standin: Standin) -> None:
    standin.plan("anthropic", say("Half a thought", ending="early"))
    page = explore().send("hello")
    assert "Half a thought" in page.markdown
    (error,) = page.at.error
    assert "incomplete" in error.value
    assert "again" in page.buttons()


# ── Settings ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_remembering_the_same_message_is_read_again(explore: Open) -> None:
    page = explore(preset="Offline", caching="false").send("hello there").send("hello there")
    assert [turn.recognition.source for turn in page.turns if turn.recognition] == ["embedded", "embedded"]


def test_the_models_are_shown_with_price_and_lifecycle_and_no_key(
    explore: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-proj-Zq3vT8mWx1LrYb6NdKf0")
    page = explore(preset="Offline").click("models_button")
    assert "**OpenAI** ready" in page.markdown
    assert "**Anthropic** needs `ANTHROPIC_API_KEY`" in page.markdown
    table = page.at.dataframe[0].value.set_index("Model")
    assert table.loc["gpt-6-luna", "USD"] == pytest.approx(0.00027)
    assert "retired" in str(table.loc["gpt-3.5-turbo", "State"])
    assert "gpt-6-luna" in str(table.loc["gpt-3.5-turbo", "State"])
    assert "Zq3vT8mWx1LrYb6NdKf0" not in page.markdown


def test_an_open_circuit_is_shown_where_the_models_are_named(explore: Open, standin: Standin) -> None:
    standin.plan("openai", *[fail(401, "wrong key")] * 5)
    page = explore(caching="false")
    for number in range(5):
        assert "left alone" not in page.markdown
        page.send(f"message {number}")
    page.run()
    assert "gpt\\-6\\-luna" in page.markdown
    assert "left alone" in page.markdown
    assert "tried again in" in page.markdown
    page.send("one more")
    assert len([seen for seen in standin.requests if seen.has_schema]) == 5
    recognition = page.turns[-1].recognition
    assert recognition is not None
    assert recognition.fallback_reason == "circuit_open"
