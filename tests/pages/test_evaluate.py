"""The Evaluate page: set up, started with a click, cancelled, taken up again, read down to the raw answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages import _evaluate_cases, _evaluate_runs, _evaluate_suite
from tests.evaluation.evaluating import a_run, formula_reading, four, reading
from tests.evaluation.readers import Habit, Readers
from tests.pages.conftest import MAIN, Page
from vif.evaluation.measures import Report
from vif.evaluation.metrics import evaluate
from vif.evaluation.suite import Case, Suite, SuiteError, SuiteName, shipped

EVALUATE = str(Path(MAIN).with_name("evaluate.py"))
LIMIT_S = 120.0


class Evaluate(Page):
    """The Evaluate page."""

    def __init__(self, **query: str) -> None:
        self.at = AppTest.from_file(str(MAIN), default_timeout=120)
        for name, value in query.items():
            self.at.query_params[name] = value
        self.at.switch_page(EVALUATE)
        self.run()

    def start(self) -> Evaluate:
        """Start what the page says and wait until it is over."""
        self.click("evaluate_start")
        return self.wait()

    def wait(self) -> Evaluate:
        work = _evaluate_runs.work(self.id)
        assert work is not None
        assert work.wait(LIMIT_S)
        self.run()
        return self

    def choose(self, *readers: str, repeats: int = 1) -> Evaluate:
        """Who reads, how often."""
        self.at.multiselect(key="evaluate_subjects").set_value(list(readers))
        self.at.number_input(key="evaluate_repeats").set_value(repeats)
        self.run()
        return self

    def tab(self, name: str) -> Evaluate:
        """Open a tab of the results."""
        (label,) = [tab.label for tab in self.at.tabs if tab.label.endswith(name)]
        self.at.session_state["evaluate_tab"] = label
        self.run()
        return self

    @property
    def id(self) -> str:
        found = self.at.query_params["run"]
        return str(found if isinstance(found, str) else found[0])

    @property
    def headline(self) -> str:
        return self.at.header[0].value

    def cells(self, table: int) -> dict[str, list[str]]:
        """A table's rows by their first cell."""
        frame = self.at.table[table].value
        return {str(row[0]): [str(cell) for cell in row[1:]] for row in frame.itertuples(index=False)}


def test_one_click_measures_the_embedded_model_against_the_formula() -> None:
    page = Evaluate()
    assert "150 readings" in page.markdown
    assert "75 calls of a model" in page.markdown
    page.start()
    assert page.headline.startswith("offline reads 15 messages with an error of")
    assert "less than the Rust formula" in page.headline.replace("\\", "")
    errors = page.cells(0)["**Error**"]
    assert float(errors[0][2:7]) < float(errors[1][2:7])
    again = Evaluate(run=page.id)
    assert again.headline == page.headline


@pytest.fixture(scope="module")
def provider() -> Iterator[Readers]:
    habits = {
        "gpt-6-luna": Habit(bias=0.15, noise=0.02),
        "claude-haiku-5-5": Habit(bias=0.0, noise=0.05),
        "claude-haiku-4-5": Habit(bias=0.0, noise=0.05),
    }
    with Readers(habits) as readers:
        yield readers


@pytest.fixture
def keyed(provider: Readers, monkeypatch: pytest.MonkeyPatch) -> Readers:
    """Cloud models whose bias and noise are known."""
    provider.reset()
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    for api in ("openai", "anthropic"):
        monkeypatch.setenv(f"{api.upper()}_BASE_URL", provider.base_url(api))
        monkeypatch.setenv(f"{api.upper()}_API_KEY", "a-key-of-nobody")
    return provider


BIASED, ONE, EQUAL = "openai:gpt-6-luna", "anthropic:claude-haiku-5-5", "anthropic:claude-haiku-4-5"


@pytest.mark.usefixtures("keyed")
def test_models_of_known_bias_are_told_apart_and_two_equal_ones_are_not() -> None:
    page = Evaluate().choose(BIASED, ONE, EQUAL, "formula", repeats=3)
    page.start().tab("Reader against reader")
    pairs = {name.replace("\\", ""): cells[-1].replace("\\", "") for name, cells in page.cells(0).items()}
    assert pairs[f"{BIASED} − {ONE}"] == f"{ONE} errs less"
    assert pairs[f"{BIASED} − Rust formula"] == f"{BIASED} errs less"
    assert pairs[f"{ONE} − {EQUAL}"] == "No difference that chance could not make"
    page.tab("Quality, speed, price")
    assert "Beaten by nobody" in page.markdown


def test_a_cancelled_run_keeps_what_is_read_and_asks_only_for_the_rest(keyed: Readers) -> None:
    page = Evaluate().choose(BIASED)
    page.at.number_input(key="evaluate_concurrency").set_value(1)
    page.run()
    finished = 5
    keyed.hold_after(finished)
    page.click("evaluate_start")
    assert keyed.held.wait(LIMIT_S)
    page.run()
    assert f"{finished} of 15 readings" in page.everything()
    page.click("evaluate_cancel")
    assert page.at.button(key="evaluate_cancel").label == "End it now"
    page.click("evaluate_cancel")
    page.wait()
    assert f"{finished} of 15 readings are there" in page.markdown
    asked = len(keyed.requests)
    keyed.hold_after(None)
    page.click(f"evaluate_resume_{page.id}")
    page.wait()
    assert len(keyed.requests) == asked + 15 - finished
    assert "readings are there" not in page.markdown
    assert page.headline.startswith(r"openai\:gpt\-6\-luna reads 15 messages")


def test_a_budget_below_the_estimate_is_told_before_the_first_call(keyed: Readers) -> None:
    page = Evaluate().choose(BIASED, repeats=5)
    assert not page.at.button(key="evaluate_start").disabled
    page.at.number_input(key="evaluate_budget").set_value(0.0001)
    page.run()
    assert page.at.button(key="evaluate_start").disabled
    assert "the budget is" in page.at.warning[0].value
    assert not keyed.requests


def test_a_reader_without_its_key_and_a_name_that_is_none_are_told() -> None:
    page = Evaluate().choose("openai:gpt-6-luna")
    assert "OPENAI" in page.at.warning[0].value
    assert page.at.button(key="evaluate_start").disabled
    page.choose("nobody")
    assert "cannot read a suite" in page.at.warning[0].value


def test_runs_are_listed_opened_and_deleted_with_a_confirmation() -> None:
    page = Evaluate().choose("formula").start()
    id = page.id
    page.click("evaluate_back")
    assert f"evaluate_open_{id}" in page.buttons()
    page.click(f"evaluate_open_{id}")
    assert page.headline
    page.click("evaluate_back").click(f"evaluate_delete_{id}")
    assert f"evaluate_open_{id}" not in page.buttons()
    gone = Evaluate(run=id)
    assert "There is no such run" in gone.at.info[0].value


def test_every_tab_says_what_it_is_for_on_a_run_of_the_formula_alone() -> None:
    page = Evaluate().choose("formula").start()
    assert "nobody but the Rust formula was asked" in page.headline
    assert "nobody to compare it with" in page.tab("Reader against reader").at.info[0].value
    assert "have no tags" in page.tab("By tag").at.info[0].value
    page.tab("Cases")
    (matrix,) = [one.value for one in page.at.dataframe]
    assert list(matrix["Case"]) == [case.id for case in shipped("standard").cases]
    page.tab("Files")
    assert page.id in page.at.code[0].value


def test_the_cases_of_a_run_can_be_used_again() -> None:
    page = Evaluate().choose("formula").start().tab("Files")
    page.click("evaluate_again")
    assert page.at.query_params.get("run") is None
    assert "The cases of an earlier run" in page.markdown
    assert "15 cases" in page.markdown


def test_two_runs_of_the_same_reader_are_compared() -> None:
    Evaluate().choose("formula").start()
    page = Evaluate().choose("formula").start().tab("Two runs")
    assert "no difference that chance could not make" in page.markdown


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server that strangers reach."""
    monkeypatch.setenv("VIF_PUBLIC", "1")
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()  # no later test is a guest


@pytest.mark.usefixtures("public")
def test_a_guest_of_a_public_server_cannot_spend_its_keys() -> None:
    page = Evaluate()
    assert "needs the role admin" in page.at.info[0].value
    assert "evaluate_start" not in page.buttons()


# Suites


@pytest.mark.parametrize("name", ["standard", "broad"])
def test_a_suite_as_a_table_is_the_same_suite(name: SuiteName) -> None:
    suite = shipped(name)
    assert _evaluate_suite.suite_of(name, _evaluate_suite.frame_of(suite)) == suite


def test_rows_of_a_table_that_are_wrong_are_all_named_and_empty_ones_left_out() -> None:
    frame = _evaluate_suite.frame_of(Suite("s", tuple(Case(id=f"c{n}", message="m") for n in range(4))))
    frame.loc[0, ["cd_min", "cd_max"]] = [0.9, 0.1]
    frame.loc[1] = pd.Series(dtype=object)
    frame.loc[2, "sd_min"] = 0.5
    with pytest.raises(SuiteError) as caught:
        _evaluate_suite.suite_of("s", frame)
    assert [fault.row for fault in caught.value.faults] == [1, 3]
    assert ["cd_min" in fault.why or "sd_min" in fault.why for fault in caught.value.faults] == [True, True]
    frame.loc[[0, 2], ["cd_min", "cd_max", "sd_min"]] = None
    assert [case.id for case in _evaluate_suite.suite_of("s", frame).cases] == ["c0", "c2", "c3"]


def test_the_faults_of_a_file_are_a_table_of_rows_and_a_huge_cell_is_shown_with_its_ends() -> None:
    app = AppTest.from_function(_draw_faults).run()
    assert "2 rows are wrong. Nothing was read." in app.error[0].value
    table = app.dataframe[0].value
    assert list(table["Row"]) == [3, 7]
    assert table["What is wrong"][0] == "cd_min is 'x'; it must be a number from 0 to 1"
    assert len(table["What is wrong"][1]) < 400


def _draw_faults() -> None:
    from pages import _evaluate_suite
    from vif.evaluation.suite import Fault

    _evaluate_suite.draw_faults([Fault(3, "cd_min is 'x'; it must be a number from 0 to 1"), Fault(7, "y" * 1_000_000)])


def test_an_uploaded_suite_with_bad_rows_is_refused_row_by_row_and_a_good_one_is_read() -> None:
    page = Evaluate()
    page.at.segmented_control(key="evaluate_suite").set_value("upload")
    page.run()
    bad = b"id,message,cd_min,cd_max\na,Hello,0.9,0.1\nb,Bye,0.1,0.2\nc,Well,0.1,\n"
    page.at.file_uploader(key="evaluate_upload").set_value(("mine.csv", bad, "text/csv"))
    page.run()
    assert list(page.at.dataframe[0].value["Row"]) == [2, 4]
    assert page.at.button(key="evaluate_start").disabled
    page.at.file_uploader(key="evaluate_upload").set_value(
        ("mine.csv", "id,message\na,Grüße".encode("utf-16"), "text/csv")
    )
    page.run()
    assert "not UTF-8" in page.at.dataframe[0].value["What is wrong"][0]
    page.at.file_uploader(key="evaluate_upload").set_value(("mine.csv", b"id,message,cd\na,Hello,0.9\n", "text/csv"))
    page.choose("formula").start()
    assert "1 case" in page.markdown
    assert "mine" in page.markdown


# Cases


def _report() -> Report:
    cases = [
        Case(id="a", message="Sort a list", targets=four(0.9, 0.3, 0.1, 0.2), tags=("code",)),
        Case(id="b", message="Thank you!", targets=four(0.1, 0.1, 0.5, 0.5), tags=("thanks",)),
        Case(id="c", message="What is a poem?", targets=four(0.1, 0.2, 0.9, 0.8)),
    ]
    run = a_run(cases, "luna", "sol", "formula")
    results = [
        reading("a", four(0.9, 0.3, 0.1, 0.2)),
        reading("a", four(0.92, 0.3, 0.1, 0.2), subject="sol"),
        reading("b", four(0.1, 0.1, 0.5, 0.5)),
        reading("b", four(0.5, 0.1, 0.5, 0.5), subject="sol"),
        reading("c", four(0.1, 0.2, 0.5, 0.8)),
        reading("c", four(0.1, 0.2, 0.6, 0.8), subject="sol"),
        *(formula_reading(case.id) for case in cases),
    ]
    return evaluate(run, results, resamples=100)


def test_failures_and_disagreements_are_those_of_models_not_of_the_formula() -> None:
    rows = _evaluate_cases.rows_of(_report())
    assert [round(row.apart, 2) for row in rows] == [0.02, 0.4, 0.1]
    ids = [
        [row.case.id for row in _evaluate_cases.chosen(rows, kind, (), "")]
        for kind in (_evaluate_cases.ALL, _evaluate_cases.FAILURES, _evaluate_cases.DISAGREEMENTS)
    ]
    assert ids == [["a", "b", "c"], ["b", "c"], ["b"]]


def test_cases_are_found_by_tag_and_by_words_in_any_case() -> None:
    rows = _evaluate_cases.rows_of(_report())
    assert [row.case.id for row in _evaluate_cases.chosen(rows, "All", ["thanks"], "")] == ["b"]
    assert [row.case.id for row in _evaluate_cases.chosen(rows, "All", (), "  A POEM ")] == ["c"]


def test_a_case_shows_message_readings_attempts_raw_answer_and_prompt_as_text() -> None:
    app = AppTest.from_function(_draw_case).run()
    assert not app.exception
    shown = [code.value for code in app.code]
    assert shown[0] == "![x](https://example.org/x.png) **bold**"
    assert json.loads(next(text for text in shown if text.startswith("{")))["domains"]["CD"] == 0.4
    words = " ".join(element.value for element in (*app.markdown, *app.caption))
    assert "CD is" in words
    assert "expected" in words
    assert "https://example" not in words
    assert "±" in app.table[0].value.to_string()


def _draw_case() -> None:
    from pages import _evaluate_case
    from pages._evaluate_runs import Kept
    from tests.evaluation.evaluating import a_run, attempt, four, reading
    from vif.evaluation.metrics import evaluate
    from vif.evaluation.plan import subject_of
    from vif.evaluation.suite import Case

    case = Case(id="a", message="![x](https://example.org/x.png) **bold**", targets=four(0.9, 0.3, 0.1, 0.2))
    name = "openai:gpt-6-luna"
    run = a_run([case], name, repeats=2).model_copy(update={"subjects": (subject_of(name),)})
    raw = '{"domains": {"CD": 0.4}}'
    results = tuple(
        reading("a", four(0.4 + 0.1 * n, 0.3, 0.1, 0.2), subject=name, repeat=n, attempts=[attempt(raw_text=raw)])
        for n in range(2)
    )
    report = evaluate(run, results, resamples=100)
    _evaluate_case.draw(Kept(run, results), case, {name: report.subjects[0].cases[0]})
