"""The Compare page: columns that do not stand in each other's way, asked once, ended together."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import vif
from pages import _choices
from pages._columns import Column, Group, Job
from pages._comparison import Comparison, Request
from pages._runtime import connection
from pages._sidebar import Settings
from pages._turn import Turn
from tests.pages.conftest import MAIN, Page
from tests.standin import Ending, Standin, fail, hang, say
from vif.domains import formula_activations

COMPARE = str(Path(MAIN).with_name("compare.py"))
MESSAGE = "How do I implement quicksort?"


class Compare(Page):
    """The Compare page."""

    def __init__(self, **query: str | list[str]) -> None:
        self.at = AppTest.from_file(str(MAIN), default_timeout=120)
        for name, value in query.items():
            self.at.query_params[name] = value
        self.at.switch_page(COMPARE)
        self.run()

    def compare(self, message: str = MESSAGE, columns: list[str] | None = None, *, quick: bool = False) -> Compare:
        self.at.text_area(key="compare_message").set_value(message)
        if columns is not None:
            self.at.multiselect[0].set_value(columns)
        self.at.toggle(key="compare_quick").set_value(quick)
        self.click("compare_ask")
        return self

    @property
    def comparison(self) -> Comparison:
        found: Comparison = self.at.session_state["comparison"]
        return found

    @property
    def columns(self) -> dict[str, Column]:
        return {column.name: column for column in self.comparison.group.columns}

    @property
    def remarks(self) -> list[str]:
        """What went wrong, a line for each column."""
        lists = [element.value for element in self.at.markdown if element.value.startswith("- **")]
        return lists[0].splitlines() if lists else []


def turn_of(column: Column) -> Turn:
    assert column.turn is not None
    return column.turn


def test_the_empty_page_says_what_it_is_for_and_shows_the_formula_at_three_autonomies() -> None:
    page = Compare()
    assert page.at.title[0].value == "Compare"
    assert "One message, several readers, side by side" in page.markdown
    assert page.at.multiselect[0].value == ["offline", "formula"]
    for chart, autonomy in zip(page.charts(), (0.2, 0.55, 1.0), strict=True):
        assert chart["Rust formula"]["r"][:4] == pytest.approx(list(formula_activations(autonomy).values()))
    assert not page.at.table


def test_without_a_key_the_embedded_model_is_compared_with_the_formula() -> None:
    page = Compare().compare("How does a heap sort its numbers?")  # no other test has it in the cache
    offline, formula = page.columns["Offline"], page.columns["Rust formula"]
    reading = turn_of(offline).reading
    assert reading is not None
    first, second = page.charts()
    assert first["LLM #1"]["r"][:4] == list(reading.domains.values())
    assert (
        first["Rust formula"]["r"][:4] == second["Rust formula"]["r"][:4] == pytest.approx([0.44, 0.385, 0.33, 0.495])
    )
    assert "LLM #1" not in second
    table = page.at.table[0].value
    assert list(table["Read by"]) == ["Embedded model", "Rust formula"]
    assert list(table["Cost"]) == ["free", "free"]
    assert not page.remarks
    assert turn_of(offline).reply
    assert turn_of(formula).reply
    assert "They differ most on **" in page.markdown


def test_an_autonomy_series_in_formula_mode_asks_for_no_reading_and_grows_with_the_autonomy(standin: Standin) -> None:
    page = Compare(compare_by="Autonomy values", reader="Rust formula").compare(columns=["0.2", "1.0"])
    assert list(page.columns) == ["Autonomy 0.2", "Autonomy 1.0"]
    assert [seen.has_schema for seen in standin.requests] == [False, False]
    small, large = (chart["Rust formula"]["r"][:4] for chart in page.charts())
    # 0.8 · 0.2 = 0.16 … against 0.8 · 1.0
    assert small == pytest.approx([0.16, 0.14, 0.12, 0.18])
    assert large == pytest.approx([0.8, 0.7, 0.6, 0.9])


def test_readings_only_asks_nobody_for_a_reply(standin: Standin) -> None:
    page = Compare().compare(columns=["balanced", "formula"], quick=True)
    assert [seen.has_schema for seen in standin.requests] == [True]
    assert all(column.over for column in page.columns.values())
    assert "First word" not in page.at.table[0].value
    assert "They differ most on **computational**" in page.markdown


def test_a_rerun_asks_nobody_again_and_a_second_press_asks_anew(standin: Standin) -> None:
    page = Compare().compare(columns=["balanced", "formula"])
    assert len(standin.requests) == 3, "one reading, two replies"
    page.run()
    page.at.slider(key="autonomy").set_value(0.8)
    page.run()
    assert len(standin.requests) == 3
    page.click("compare_ask")
    assert len(standin.requests) == 5, "two replies; the reading is remembered"


def test_columns_that_fail_or_lack_a_key_say_why_in_a_line_and_hide_none(
    standin: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    standin.plan("openai", fail(400, "out of order"))
    page = Compare(reader="Rust formula").compare(columns=["fast", "cheap", "offline", "no such thing"])
    assert turn_of(page.columns["Fast"]).failure
    assert page.columns["Cheap"].problem == "ANTHROPIC_API_KEY is not set"
    assert turn_of(page.columns["Offline"]).reply
    assert "neither a preset nor a model" in (page.columns["no such thing"].problem or "")
    fast, cheap, neither = page.remarks
    assert fast.startswith("- **Fast**: openai gpt")
    assert cheap == r"- **Cheap**: ANTHROPIC\_API\_KEY is not set"
    assert neither.startswith("- **no such thing**: ")
    # What took no reply took no time for one.
    assert list(page.at.table[0].value["Reply"])[:2] == ["–", "–"]
    assert all("\n" not in warning.value for warning in page.at.warning)
    assert len(page.at.warning) == 2


def test_when_llm_1_fails_its_column_shows_the_formula_and_says_why(standin: Standin) -> None:
    standin.plan("openai", fail(401))
    page = Compare().compare(columns=["balanced", "formula"])
    assert [list(chart) for chart in page.charts()] == [["Rust formula"], ["Rust formula"]]
    (remark,) = page.remarks
    assert remark.startswith("- **Balanced**: LLM #1 did not accept the key")


def test_message_and_choices_come_from_the_address() -> None:
    page = Compare(compare_message="hello", compare_columns=["Offline", "openai:mine"], compare_quick="true")
    assert page.at.text_area(key="compare_message").value == "hello"
    assert page.at.multiselect[0].value == ["offline", "openai:mine"]
    assert page.at.toggle(key="compare_quick").value
    assert "comparison" not in page.at.session_state, "a link asks nobody before somebody presses the button"


def test_one_column_is_not_compared() -> None:
    page = Compare().compare(columns=["offline"])
    assert [info.value for info in page.at.info] == ["Choose at least two columns."]
    assert "comparison" not in page.at.session_state


def test_hostile_text_stays_text(standin: Standin) -> None:
    standin.reply = "![x](http://evil.example/x.png)"
    page = Compare().compare("<b>$x$</b>", ["fast", "formula", "![x](y):z"])
    assert page.at.text[0].value == "<b>$x$</b>"
    assert all("![" not in shown.value for shown in (*page.at.markdown, *page.at.warning))


def test_leaving_the_page_ends_what_is_under_way_and_hangs_up(standin: Standin) -> None:
    standin.plan("openai", say("Half a thought", ending=Ending.STALL))
    page = Compare(reader="Rust formula")
    access = vif.Access()
    config = vif.load_config("fast", access=access)
    api = connection(config, access, "formula")
    group = Group([Job(Column("a", Turn(1, "hello", "formula", config)), lambda: api.stream("hello"))])
    group.start()
    next(columns for columns in group.follow() if turn_of(columns[0]).reply)
    page.at.session_state["comparison"] = Comparison(1, Request("hello", "models", ("a",), False), group)
    page.at.switch_page("explore.py")
    page.run()
    assert group.over
    assert turn_of(group.columns[0]).stopped
    assert "Half a thought".startswith(turn_of(group.columns[0]).reply)
    assert standin.requests[-1].gone.wait(10), "the provider still has our request"


def test_stop_keeps_the_columns_that_are_done_and_cuts_the_others_short(standin: Standin) -> None:
    standin.plan("anthropic", hang())
    access = vif.Access()
    jobs = []
    for name in ("fast", "cheap"):
        config = vif.load_config(name, access=access, mode="formula")
        api = connection(config, access, "formula")
        jobs.append(Job(Column(name, Turn(1, "hello", "formula", config)), lambda api=api: api.stream("hello")))  # type: ignore[misc]
    group = Group(jobs)
    group.start()
    next(columns for columns in group.follow() if columns[0].over and turn_of(columns[1]).responder)
    group.stop()
    group.stop()
    fast, cheap = (turn_of(column) for column in group.columns)
    assert (fast.reply, fast.stopped) == (standin.reply, False)
    assert (cheap.reply, cheap.stopped) == ("", True)


def test_embedded_replies_take_turns_and_their_waiting_is_not_counted() -> None:
    settings = Settings(vif.Access(), "formula", 0.55, vif.load_config("offline"))
    plan = _choices.plan_for_model("offline", settings)
    api = connection(plan.config, settings.access, "formula")
    turn = Turn(1, "Say hello.", "formula", plan.config)
    group = Group([Job(Column(name, turn), lambda: api.stream(turn.message)) for name in ("one", "two")])
    group.start()
    for columns in group.follow():
        writing = [column for column in columns if turn_of(column).responder and not column.over]
        assert len(writing) <= 1
    for column in group.columns:
        interaction = turn_of(column).interaction
        assert interaction is not None
        assert interaction.response is not None
        assert interaction.response.error is None


def test_a_model_takes_the_roles_of_the_catalogue_and_both_when_it_is_not_listed(standin: Standin) -> None:
    settings = Settings(vif.Access(), "dual", 0.55, vif.load_config("offline"))
    answers = _choices.plan_for_model("openai:gpt-6.1-terra", settings).config
    assert (str(answers.llm1.provider), answers.llm2.model) == ("embedded", "gpt-6.1-terra")
    reads = _choices.plan_for_model("anthropic:claude-haiku-4-5", settings).config
    assert (reads.llm1.model, str(reads.llm2.provider)) == ("claude-haiku-4-5", "embedded")
    both = _choices.plan_for_model("openai:mine", settings).config
    assert both.llm1 == both.llm2 == vif.ModelRef.parse("openai:mine")


@pytest.mark.parametrize("text", ["two", "1.5", "nan", "-0.1"])
def test_an_autonomy_that_is_none_is_refused_in_a_line(text: str) -> None:
    settings = Settings(vif.Access(), "formula", 0.55, vif.load_config("offline"))
    with pytest.raises(vif.ConfigError, match="must be a number from 0 to 1"):
        _choices.plan_for_autonomy(text, settings)
