"""The History page: what it finds, how it opens, whose it shows, what it deletes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from streamlit.testing.v1 import AppTest

from pages import _history_export, _history_kept, _identity, _runtime
from pages._history_kept import History
from pages._history_list import PER_PAGE
from pages._history_words import difference, mini_reading, when
from tests.pages.conftest import MAIN, Page
from tests.pages.test_text import HOSTILE
from vif.boundaries import Boundary
from vif.errors import ConfigError, Reason
from vif.flow import DevelopmentalStage
from vif.interaction import Attempt, DomainActivations, FormulaReading, Interaction, Recognition, Response, Timings
from vif.spreadsheet import restored
from vif.store import Store, StoreError
from vif.store.history import Filter

HISTORY = str(Path(MAIN).with_name("history.py"))
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
MISSING = "This interaction is not here"

T = TypeVar("T")


class HistoryPage(Page):
    """The History page, with what stands in its address."""

    def __init__(self, **query: str) -> None:
        self.at = AppTest.from_file(str(MAIN), default_timeout=120)
        self.at.switch_page(HISTORY)
        for name, value in query.items():
            self.at.query_params[name] = value
        self.run()

    @property
    def found(self) -> list[str]:
        """The ids of the lines, from the top."""
        prefix = "history_open_"
        return [key.removeprefix(prefix) for key in self.buttons() if key.startswith(prefix)]

    def choose(self, *ids: str) -> HistoryPage:
        for id in ids:
            self.at.checkbox(key=f"history_pick_{id}").check()
        self.run()
        return self

    def search(self, text: str) -> HistoryPage:
        self.at.text_input(key="history_text").set_value(text)
        self.run()
        return self

    def select(self, key: str, value: str) -> HistoryPage:
        self.at.selectbox(key=key).set_value(value)
        self.run()
        return self


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("VIF_DATABASE_URL", f"sqlite:///{tmp_path / 'history.sqlite3'}")
    _runtime.store.clear()
    yield
    _runtime.store().close()
    _runtime.store.clear()


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server that strangers reach."""
    monkeypatch.setenv("VIF_PUBLIC", "1")
    _identity.admission.clear()
    yield
    _identity.admission.clear()


def store(work: Callable[[Store], Coroutine[object, object, T]]) -> T:
    async def carry_out() -> T:
        return await work(await _runtime.store().store())

    return _runtime.event_loop().submit(carry_out()).result(30)


def interaction(id: str, **changes: object) -> Interaction:
    usual = Interaction(
        id=id,
        created_at=NOON,
        message=f"message {id}",
        mode="dual",
        preset="balanced",
        autonomy=0.55,
        domains={"CD": 0.9, "SD": 0.4, "CuD": 0.1, "ED": 0.2},
        boundaries=(Boundary("CD-SD", 0.6, "Maintained"),),
        formula=FormulaReading(
            domains=DomainActivations(CD=0.44, SD=0.385, CuD=0.33, ED=0.495), boundaries=(Boundary("CD-SD", 0.41),)
        ),
        interfaces=(),
        qualities=(),
        developmental_stage=DevelopmentalStage.RECOGNITION,
        prompt="<prompt/>",
        reply=f"reply {id}",
        recognition=Recognition(
            source="llm1", provider="openai", model="gpt-6-luna", reasoning="A procedure.", cost_usd=0.0003
        ),
        response=Response(provider="anthropic", model="claude-sonnet-5-5", cost_usd=0.004, finish_reason="stop"),
        timings_ms=Timings(recognise=640, respond=1260, total=1900),
    )
    return Interaction.model_validate(usual.model_copy(update=changes).model_dump())


def keep(*entries: Interaction, session: str = "mine", conversation: str | None = None) -> None:
    for entry in entries:
        store(lambda kept, entry=entry: kept.save(entry, session=session, conversation=conversation))  # type: ignore[misc]


def ids() -> set[str]:
    return {row.id for row in store(lambda kept: kept.recent(1000))}


# ── The list ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_empty_history_says_what_it_is_for() -> None:
    page = HistoryPage()
    assert page.at.subheader[0].value == "Nothing here yet"
    assert "delete it for good" in page.markdown
    assert not page.found


def test_a_line_tells_reading_source_models_cost_and_time() -> None:
    keep(interaction("a"), interaction("b", created_at=NOON + timedelta(hours=1)))
    page = HistoryPage()
    assert page.found == ["b", "a"], "the newest first"
    assert "**2 interactions**" in page.markdown
    line = next(element.value for element in page.at.markdown if "gpt" in element.value)
    # 0.0003 + 0.004
    for said in (
        "Computational]\u00a00.90",
        "LLM #1",
        r"gpt\-6\-luna → claude\-sonnet\-5\-5",
        r"\$0.0043",
        "1.9\u00a0s",
    ):
        assert said in line


def test_small_bars_show_the_four_activations() -> None:
    # eighths: 0.9 · 8 = 7.2 is the last of eight bars, 3.2 the fourth, 0.8 the first, 1.6 the second
    assert mini_reading(interaction("a")).startswith(":blue[█]:green[▄]:orange[▁]:violet[▂]")


def test_a_moment_is_told_on_the_readers_clock() -> None:
    assert when(NOON, UTC, NOON) == "Today, 12:00"
    assert when(NOON - timedelta(hours=13), UTC, NOON) == "Yesterday, 23:00"
    assert when(NOON - timedelta(days=2), UTC, NOON) == "2 May, 12:00"
    assert when(NOON - timedelta(days=200), UTC, NOON) == "16 Oct 2025, 12:00"


def test_search_looks_in_messages_and_replies() -> None:
    keep(interaction("a", message="Quicksort 100%"), interaction("b", reply="about quickSORT"), interaction("c"))
    page = HistoryPage().search("quicksort")
    assert set(page.found) == {"a", "b"}
    assert page.search("100%").found == ["a"]
    page.search("nowhere")
    assert page.at.info[0].value == "Nothing is found."
    page.click("history_clear")
    assert len(page.found) == 3


def test_filters_narrow_down_what_is_found() -> None:
    failed = Response(provider="anthropic", model="claude-sonnet-5-5", error="out of order")
    keep(
        interaction("whole"),
        interaction("failed", response=failed, reply="", created_at=NOON + timedelta(days=1)),
        interaction("formula", mode="formula", preset=None, recognition=Recognition(source="formula")),
        interaction("other", recognition=Recognition(source="secondary", provider="openai", model="gpt-7")),
    )
    for key, value, expected in (
        ("history_mode", "formula", {"formula"}),
        ("history_preset", "balanced", {"whole", "failed", "other"}),
        ("history_source", "secondary", {"other"}),
        ("history_llm1", "openai:gpt-7", {"other"}),
        ("history_reply", "Failed or missing", {"failed"}),
    ):
        page = HistoryPage()
        assert page.select(key, value).found
        assert set(page.found) == expected, key
    page = HistoryPage()
    page.at.date_input(key="history_until").set_value(NOON.date())
    page.run()
    assert set(page.found) == {"whole", "formula", "other"}, "the whole of the last day, and nothing of the next"
    page.at.date_input(key="history_since").set_value(NOON.date() + timedelta(days=1))
    page.at.date_input(key="history_until").set_value(None)
    page.run()
    assert page.found == ["failed"]


def test_fifty_on_a_page_and_on_to_the_older_ones() -> None:
    keep(*(interaction(f"{n:03}", created_at=NOON - timedelta(minutes=n)) for n in range(PER_PAGE + 3)))
    page = HistoryPage()
    assert len(page.found) == PER_PAGE
    assert "1 to 50 of 53" in page.markdown
    page.click("history_older")
    assert page.found == ["050", "051", "052"]
    assert page.at.button(key="history_older").disabled
    page.click("history_newer")
    assert page.found[0] == "000"
    page.click("history_older")
    page.search("message 001")
    assert page.found == ["001"], "another search begins at its first page"


def test_favourites_are_found_again() -> None:
    keep(interaction("a"), interaction("b"))
    page = HistoryPage()
    page.click("history_star_a")
    page.at.toggle(key="history_starred").set_value(True)
    page.run()
    assert page.found == ["a"]
    page.click("history_star_a")
    assert not page.found


# ── Opening ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_interaction_is_opened_as_it_was() -> None:
    kept = interaction("a")
    keep(kept)
    page = HistoryPage()
    page.click("history_open_a")
    assert page.at.query_params["interaction"] == "a"
    radar = page.charts()[0]
    assert radar["LLM #1"]["r"][:4] == [0.9, 0.4, 0.1, 0.2]
    assert radar["Rust formula"]["r"][:4] == pytest.approx([0.44, 0.385, 0.33, 0.495])
    assert page.at.text[0].value == "message a"
    assert "reply a" in page.markdown
    assert r"A procedure\." in page.markdown
    assert "1 Domain emergence" in " ".join(step.label for step in page.at.expander)
    assert "again" not in page.buttons(), "history asks no model"
    page.click("history_back")
    assert page.found == ["a"]
    assert "interaction" not in page.at.query_params


def test_the_address_leads_to_it_and_says_when_there_is_nothing() -> None:
    keep(interaction("a"))
    assert HistoryPage(interaction="a").at.text[0].value == "message a"
    page = HistoryPage(interaction="b")
    assert page.at.title[0].value == MISSING
    page.click("history_back")
    assert page.found == ["a"]


def test_a_fallback_is_told_as_it_happened_whatever_the_settings_are_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIF_LLM1_TIMEOUT_MS", "900")
    attempt = Attempt(provider="openai", model="gpt-6-luna", outcome=Reason.TIMEOUT, latency_ms=3012)
    recognition = Recognition(source="formula", fallback_reason=Reason.TIMEOUT, attempts=(attempt,), latency_ms=3013)
    keep(interaction("a", recognition=recognition))
    page = HistoryPage(interaction="a")
    assert page.at.warning[0].value == "LLM #1 timed out after 3 s, so the formula's values are shown."


def test_a_failed_reply_is_shown_with_its_reason() -> None:
    keep(interaction("a", reply="Half", response=Response(provider="anthropic", model="m", error="out of order")))
    page = HistoryPage(interaction="a")
    assert page.at.error[0].value == "out of order"
    assert "Half" in page.markdown


def test_one_of_another_version_is_listed_and_can_be_deleted() -> None:
    keep(interaction("a"))
    from sqlalchemy import update

    from vif.store.tables import interactions

    store(lambda kept: kept.write(lambda c: c.execute(update(interactions).values(body="{}")).rowcount))
    page = HistoryPage()
    assert "Of another version" in page.markdown
    page.click("history_open_a")
    assert "cannot read it" in page.at.warning[0].value
    page.click("history_delete_it")
    assert ids() == set()


def test_the_messages_of_a_conversation_lead_to_each_other() -> None:
    keep(interaction("a"), interaction("b", created_at=NOON + timedelta(minutes=1)), conversation="talk")
    page = HistoryPage(interaction="a")
    page.click("history_talk_b")
    assert page.at.text[0].value == "message b"


def test_the_prompt_of_a_message_tells_of_the_one_it_followed() -> None:
    read = {"recognition": Recognition(source="llm1", attempts=(Attempt(provider="openai", model="m", outcome="ok"),))}
    first = interaction("a", domains={"CD": 0.31, "SD": 0.42, "CuD": 0.13, "ED": 0.24}, **read)
    keep(first, interaction("b", created_at=NOON + timedelta(minutes=1), **read), conversation="talk")

    def prompts(id: str) -> str:
        page = HistoryPage(interaction=id)
        page.at.session_state["stage_0_1 Domain emergence"] = True
        return "\n".join(code.value for code in page.run().at.code)

    told = "CD=0.31 SD=0.42 CuD=0.13 ED=0.24"
    assert told in prompts("b")
    assert told not in prompts("a")


def test_hostile_text_stays_text() -> None:
    keep(interaction("a", message=HOSTILE, reply=HOSTILE), interaction("b", message=HOSTILE), conversation="c")
    for page in (HistoryPage(), HistoryPage(interaction="a"), HistoryPage(**{"interaction": "a", "with": "b"})):
        for shown in page.at.markdown:
            assert "![" not in shown.value
            assert "$x$" not in shown.value
        for button in page.at.button:
            assert "![" not in button.label
        assert all(not element.allow_html for element in (*page.at.markdown, *page.at.caption))


# ── Two side by side ────────────────────────────────────────────────────────────────────────────────────────────────


def test_two_are_compared_the_older_one_first() -> None:
    keep(interaction("a", created_at=NOON + timedelta(1), domains={"CD": 0.3, "SD": 0.4, "CuD": 0.1, "ED": 0.2}))
    keep(interaction("b"))
    page = HistoryPage().choose("a", "b")
    page.click("history_compare")
    first, second = page.charts()
    assert first["LLM #1"]["r"][0] == 0.9
    assert second["LLM #1"]["r"][0] == 0.3
    assert ":blue[Computational] 0.90 → **0.30** (-0.60)" in page.markdown
    assert list(page.at.table[0].value["Difference"])[:2] == ["▼ 0.60", "≈ the same"]
    assert "reply a" in page.markdown
    assert "reply b" in page.markdown


def test_only_two_can_be_compared() -> None:
    keep(interaction("a"), interaction("b"), interaction("c"))
    page = HistoryPage().choose("a")
    assert page.at.button(key="history_compare").disabled
    assert page.choose("b", "c").at.button(key="history_compare").disabled


def test_the_difference_in_words() -> None:
    first = interaction("a", message="same", reply="one two three")
    second = interaction(
        "b", message="same", reply="four", autonomy=0.8, boundaries=(Boundary("CD-SD", 0.85, "Transcendent"),)
    )
    assert difference(first, second) == (
        "**Domains.** Both readings are alike.",
        "**Boundaries.** Computational – Scientific Maintained → **Transcendent**.",
        "**Autonomy.** 0.55 → **0.80**.",
        "**Replies.** 3 and 1 words; 1.9 s and 1.9 s in all.",
    )


# ── Deleting ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_chosen_ones_are_deleted() -> None:
    keep(interaction("a"), interaction("b"), interaction("c"))
    page = HistoryPage().choose("a", "c")
    page.click("history_delete_chosen")
    assert ids() == {"b"}
    assert page.found == ["b"]


def test_one_or_its_whole_conversation_is_deleted() -> None:
    keep(interaction("a"), interaction("b"), interaction("c"), conversation="talk")
    keep(interaction("d"))
    HistoryPage(interaction="a").click("history_delete_it")
    assert ids() == {"b", "c", "d"}
    page = HistoryPage(interaction="b")
    page.click("history_delete_conversation")
    assert ids() == {"d"}
    assert "interaction" not in page.at.query_params


def test_everything_found_is_deleted_but_favourites_and_what_came_later() -> None:
    keep(interaction("a"), interaction("b"), interaction("c"), interaction("d", message="kept"))
    page = HistoryPage()
    page.click("history_star_b")
    page.search("message")
    keep(interaction("e", created_at=datetime.now(UTC) + timedelta(minutes=5)))
    page.click("history_delete_found")
    assert ids() == {"b", "d", "e"}
    page.at.toggle(key="history_spare").set_value(False)
    page.run()
    page.click("history_delete_found")
    assert ids() == {"d", "e"}


def test_a_store_that_fails_is_a_line_and_nothing_is_said_to_be_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    keep(interaction("a"))
    page = HistoryPage(interaction="a")

    async def fail(*_: object, **__: object) -> int:
        raise StoreError("the disk is full")

    monkeypatch.setattr(Store, "delete", fail)
    page.click("history_delete_it")
    assert [toast.value for toast in page.at.toast] == ["the disk is full"]
    assert page.at.text[0].value == "message a"


def test_a_store_that_cannot_be_opened_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> object:
        raise ConfigError("the address of the database is wrong")

    monkeypatch.setattr("vif.store.store.open_store", fail)
    assert HistoryPage().at.warning[0].value == "the address of the database is wrong"
    monkeypatch.undo()


# ── Whose it is ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("public")
def test_a_guest_sees_only_their_own_also_by_its_address() -> None:
    page = HistoryPage()
    assert "until you close or reload" in page.markdown
    mine = page.at.session_state["session_id"]
    keep(interaction("a"), session=mine, conversation="talk")
    keep(interaction("b"), session="somebody else", conversation="talk")
    page.run()
    assert page.found == ["a"]
    for query in ({"interaction": "b"}, {"interaction": "a", "with": "b"}, {"interaction": "b", "with": "a"}):
        page.at.query_params.clear()
        for name, value in query.items():
            page.at.query_params[name] = value
        page.run()
        assert page.at.title[0].value == MISSING, query
        assert "message b" not in page.everything()
    page.at.query_params.clear()
    page.at.query_params["interaction"] = "a"
    page.run()
    assert page.at.text[0].value == "message a"
    assert "history_talk_b" not in page.buttons()
    assert "history_delete_conversation" not in page.buttons(), "of the conversation only one message is theirs"


def test_what_is_somebody_elses_cannot_be_touched_when_asked_for_directly() -> None:
    keep(interaction("a"), session="me", conversation="talk")
    keep(interaction("b"), session="you", conversation="talk")
    mine = History("me")
    assert mine.opened("b") is None
    assert not mine.favourite("b", on=True)
    assert mine.delete(["b"]) == 0
    assert [kept.row.id for kept in mine.all(Filter(session="you"))] == ["a"], "a filter cannot widen it"
    assert mine.count(Filter(session="you")) == 1
    assert mine.delete_found(Filter(session="you"), seen_at=_history_kept.now(), spare_favourites=False) == 1
    keep(interaction("a"), session="me", conversation="talk")
    assert mine.delete_conversation("talk") == 1
    assert ids() == {"b"}
    assert History("you").favourite("b", on=True)
    assert mine.count(Filter(favourites_of="you")) == 0


# ── Taking along ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_json_lines_hold_every_interaction_whole() -> None:
    entries = [interaction(f"{n:03}", created_at=NOON - timedelta(minutes=n)) for n in range(_history_kept.AT_ONCE + 1)]
    keep(*entries)
    keep(interaction("other", message="not looked for"), session="you")
    lines = _history_export.as_json_lines(History("mine").all(Filter())).splitlines()
    assert [Interaction.model_validate_json(line) for line in lines] == entries
    assert json.loads(lines[0])["message"] == "message 000"


def test_a_table_is_safe_in_a_spreadsheet_and_gives_the_text_again() -> None:
    message, reply = '=HYPERLINK("http://evil.example")', '@SUM(A1)\nsecond, "line"'
    keep(interaction("a", message=message, reply=reply, preset=None))
    table = _history_export.as_table(History("mine").all(Filter()))
    (row,) = csv.DictReader(io.StringIO(table.removeprefix(_history_export.BYTE_ORDER_MARK), newline=""))
    assert row["message"] == "'" + message
    assert restored(row["message"]) == message
    assert restored(row["reply"]) == reply
    assert (row["CD"], row["formula ED"], row["CD-SD"], row["CD-ED"]) == ("0.9", "0.495", "0.6", "")
    assert (row["llm1"], row["cost_usd"], row["failed"], row["favourite"]) == ("openai:gpt-6-luna", "0.0043", "0", "0")
