"""The live figures: empty, after some interactions, of one session only, and during a drill."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import vif
from tests.pages.conftest import MAIN, Page
from tests.standin import Standin, fail

OPERATIONS, EXPLORE = (str(Path(MAIN).with_name(name)) for name in ("operations.py", "explore.py"))


class Live(Page):
    """The Operations page, after some messages in Explore."""

    def __init__(self, *messages: str) -> None:
        self.at = AppTest.from_file(str(MAIN), default_timeout=120)
        self.run()
        for message in messages:
            self.send(message)
        self.look()

    def look(self) -> Live:
        self.at.switch_page(OPERATIONS)
        self.run()
        return self

    @property
    def metrics(self) -> dict[str, str]:
        return {metric.label: metric.value for metric in self.at.metric}


def test_the_empty_page_says_how_to_fill_it() -> None:
    page = Live()
    assert "Nothing happened in the last 15 minutes" in page.at.info[0].value
    assert not page.at.metric


def test_the_figures_are_those_of_what_happened(standin: Standin) -> None:
    standin.plan("openai", fail(401, "wrong key"))
    page = Live("one", "two", "two")
    assert page.metrics["Interactions"] == "3"
    assert page.metrics["Answered"] == "100%"
    assert page.metrics["Fallbacks"] == "33%"
    assert page.metrics["From the cache"] == "0%"
    assert page.metrics["Spent"].startswith("$0.")
    assert "in order" in page.markdown
    failures = page.at.dataframe[0].value
    assert list(failures["Reason"]) == ["auth"]
    assert "wrong key" in failures["What it said"][0]
    latency, _cost = page.charts()
    assert set(latency) == {"LLM #1", "Rust formula"}


def test_another_session_sees_its_own_figures(standin: Standin) -> None:
    Live("one")
    other = Live()
    assert not other.at.metric


def test_a_drill_has_figures_of_its_own(standin: Standin) -> None:
    page = Live("one")
    page.at.session_state["operations_view"] = "drill"
    page.at.session_state["drill_fault"] = vif.Fault.AUTH
    page.run().click("drill_begin")
    page.at.switch_page(EXPLORE)
    page.run().send("two")
    page.at.session_state["operations_view"] = "live"
    page.look()
    assert page.metrics["Interactions"] == "1"
    assert page.metrics["Fallbacks"] == "100%"


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server that strangers reach."""
    monkeypatch.setenv("VIF_PUBLIC", "1")
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()  # no later test is a guest


@pytest.mark.usefixtures("public")
def test_a_guest_of_a_public_server_sees_the_figures_of_this_session_only() -> None:
    app = AppTest.from_function(_scope).run()
    assert app.text[0].value == "session"
    assert len(app.main.children) == 1  # nothing to choose


def _scope() -> None:
    import streamlit as st

    from pages import _operations

    st.text(_operations.choose_scope())
