"""The tour: what each step shows, that it asks the real models once, and that a step that fails does not end it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages import _review, _runtime, _tour, _tour_verdict
from pages._tour_script import STEPS
from tests.pages.conftest import MAIN, Page
from tests.standin import REPLY, Standin, fail
from vif.domains import Domain
from vif.identity import Person, Role
from vif.review.making import READING_RUBRIC
from vif.review.records import Answer, Campaign, Item, Output
from vif.review.service import Reviews

TOUR = str(Path(MAIN).with_name("tour.py"))
LEAD = Person("lead", "Lena", Role.ADMIN)
GUIDE = Path(MAIN).parents[1] / "docs" / "tour.md"


class TourPage(Page):
    """The tour, opened at a step."""

    def __init__(self, step: int | str = 1, **query: str) -> None:
        self.at = AppTest.from_file(str(MAIN), default_timeout=120)
        for name, value in {"step": str(step), **query}.items():
            self.at.query_params[name] = value
        self.at.switch_page(TOUR)
        self.run()

    def to(self, step: int) -> TourPage:
        self.at.query_params["step"] = str(step)
        self.run()
        return self

    @property
    def title(self) -> str:
        return self.at.title[0].value

    def shapes(self, trace: str) -> list[list[float]]:
        return [chart[trace]["r"] for chart in self.charts() if trace in chart]

    def metrics(self) -> dict[str, str]:
        return {metric.label: metric.value for metric in self.at.metric}


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody has judged or measured anything yet."""
    monkeypatch.setenv("VIF_DATABASE_URL", f"sqlite:///{tmp_path / 'tour.sqlite3'}")
    _clear()
    yield
    _clear()


def _clear() -> None:
    for kept in (_runtime.store, _review._reviews):
        kept.clear()


def readings_of(standin: Standin) -> int:
    return sum(seen.has_schema for seen in standin.requests)


def test_the_formula_gives_every_message_one_shape_also_ones_own() -> None:
    page = TourPage()
    before = page.shapes("Rust formula")
    assert len(before) == 3
    assert before[0] == before[1] == before[2]
    page.at.text_input(key=_tour.OWN_KEY).set_value("What is *this*?")
    page.run()
    assert r"What is \*this\*\?" in page.markdown
    assert page.shapes("Rust formula") == before
    assert all("Rust formula's radar" in text for text in page.alternatives())


def test_llm1_reads_the_three_messages_live_and_only_once(standin: Standin) -> None:
    page = TourPage(2)
    assert len(page.shapes("LLM #1")) == 3
    assert all("as LLM #1 reads the message" in text for text in page.alternatives())
    assert readings_of(standin) == 3
    page.to(1).to(2)
    assert readings_of(standin) == 3
    other = TourPage(2)  # rehearsed before the audience came: read anew, not remembered
    assert len(other.shapes("LLM #1")) == 3
    assert readings_of(standin) == 6


def test_of_a_new_message_of_ones_own_nothing_else_is_read_again(standin: Standin) -> None:
    page = TourPage(2).to(1)
    page.at.text_input(key=_tour.OWN_KEY).set_value("A fourth one")
    page.run()
    assert isinstance(page, TourPage)
    page.to(2)
    assert "A fourth one" in page.markdown
    assert readings_of(standin) == 4


def test_a_reading_that_fails_is_told_in_a_line_and_can_be_tried_again(standin: Standin) -> None:
    standin.plan("openai", fail(401, "wrong key"))
    page = TourPage(2)
    assert "LLM #1 did not accept the key, so the formula's values are shown." in page.markdown
    assert len(page.shapes("LLM #1")) == 2
    page.click("tour_again")
    assert len(page.shapes("LLM #1")) == 3
    assert readings_of(standin) == 4


def test_half_a_sentence_more_is_compared_with_the_message_without_it(standin: Standin) -> None:
    page = TourPage(3)
    assert "of six boundaries" in page.markdown
    assert "comes forward first, and tells LLM #2" in page.markdown
    (swinging,) = [element for element in page.at.main if "tour_swinging" in str(element.proto)]
    assert "CuD-ED" in str(swinging.proto)
    assert readings_of(standin) == 2


def test_the_answer_stands_beside_the_prompt_with_what_it_took(standin: Standin) -> None:
    page = TourPage(4)
    assert page.at.code[0].value.startswith("<reading>")
    assert REPLY in page.markdown
    assert "claude\\-sonnet\\-5\\-5 · first word after" in page.markdown
    page.to(3).to(4)
    assert REPLY in page.markdown
    assert sum(not seen.has_schema for seen in standin.requests) == 1


def test_an_answer_that_fails_is_told_and_the_tour_goes_on(standin: Standin) -> None:
    standin.plan("anthropic", fail(401, "wrong key"))
    page = TourPage(4)
    assert "wrong key" in page.markdown
    assert "tour_again" in page.buttons()
    page.click("tour_next")
    assert isinstance(page, TourPage)
    assert page.title == STEPS[4].title


def test_in_the_outage_the_formula_takes_over_and_the_page_says_why(standin: Standin) -> None:
    page = TourPage(5)
    assert page.markdown.count("server error") == 3
    assert "LLM #1 had a fault of its own, so the formula's values are shown." in page.markdown
    assert REPLY in page.markdown
    assert not readings_of(standin)  # the real LLM #1 was never asked
    assert "Fault drill" not in page.markdown  # the drill is the tour's alone
    page.at.session_state[_tour.FAULT_KEY] = _tour.FAULTS[2]
    page.run()
    assert "LLM #1 did not accept the key" in page.markdown


def test_cost_and_latency_are_those_of_this_tour(standin: Standin) -> None:
    page = TourPage(6)
    assert page.metrics()["LLM #2's first word"] == "–"
    assert page.metrics()["LLM #1 reads"].endswith("ms")
    assert [metric.delta for metric in page.at.metric][2] == "from the cache, free"
    page.to(4).to(6)
    assert page.metrics()["LLM #2's first word"] != "–"
    assert page.metrics()["This tour so far"].startswith("$")
    prices = {heading.value for heading in page.at.subheader}
    # 1,000 × (0.00027 + 0.0054), 1,000 × 0.0027, 1,000 × 2 × 0.00027
    assert {r"\$5.67", r"\$2.70", r"\$0.54", "free"} == prices


def test_without_ratings_the_place_of_peoples_verdict_stays_empty() -> None:
    page = TourPage(7)
    headings = [heading.value for heading in page.at.subheader]
    assert headings[0] == "Nobody has judged yet."
    assert headings[1].startswith("The embedded model reads 15 messages with an error of")
    errors = page.metrics()
    assert float(errors["Embedded model"]) < float(errors["Rust formula"])


def test_the_sentence_people_arrived_at_is_quoted() -> None:
    async def rated() -> None:
        reviews = Reviews(await _runtime.store().store())
        aleph, beth = (Output(system=name, domains=dict.fromkeys(Domain, 0.5)) for name in ("aleph", "beth"))
        campaign = Campaign(name="Shown", rubric=READING_RUBRIC, items=(Item(message="Why?", outputs=(aleph, beth)),))
        await reviews.create(LEAD, campaign)
        task = await reviews.next(LEAD, campaign.id)
        assert task is not None
        await reviews.rate(LEAD, campaign.id, task.shown.item_id, Answer(choice="left"))
        await reviews.close(LEAD, campaign.id)

    _runtime.event_loop().submit(rated()).result(30)
    page = TourPage(7)
    assert page.at.subheader[0].value.startswith("“Not enough evidence")
    assert "Shown" in page.markdown
    assert "Nobody has judged yet." not in [heading.value for heading in page.at.subheader]


def test_without_its_key_a_preset_is_refused_in_a_line_and_the_offline_model_is_at_hand() -> None:
    page = TourPage(2, preset="Balanced")
    assert len(page.at.warning) == 1
    assert r"OPENAI\_API\_KEY is not set" in page.at.warning[0].value
    page.click("offline")
    assert len(page.shapes("LLM #1")) == 3


@pytest.mark.parametrize(("text", "step"), [("3", 3), ("0", 1), ("99", len(STEPS)), ("²", 1), ("-2", 1), ("", 1)])
def test_a_link_opens_its_step_and_nonsense_opens_one_there_is(
    text: str, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamlit.query_params", {_tour.STEP: text})
    assert _tour.step(len(STEPS)) == step


def test_the_guide_has_the_notes_of_every_step() -> None:
    guide = " ".join(GUIDE.read_text("utf-8").split())
    for step in STEPS:
        assert step.notes in guide
        assert f"**{step.name}**" in guide


def test_a_measurement_that_fails_is_told_and_begun_anew_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    _tour_verdict._measuring.clear()
    with monkeypatch.context() as broken:
        broken.setenv("VIF_GGUF_PATH", "nowhere.gguf")
        page = TourPage(7)
    assert r"nowhere\.gguf" in page.markdown
    assert TourPage(7).metrics()["Embedded model"]


def test_what_was_begun_is_ended_when_the_page_is_left(standin: Standin) -> None:
    page = TourPage(2)
    page.at.switch_page(str(Path(MAIN).with_name("history.py")))
    page.run()
    tour: _tour.Tour = page.at.session_state["tour"]
    assert all(group.over for group in tour.work.values())


def test_what_is_kept_of_a_tour_is_the_answer(standin: Standin) -> None:
    TourPage(2).to(3).to(4).to(5).to(6)

    async def kept() -> list[str]:
        store = await _runtime.store().store()
        return [row.id for row in await store.recent(10)]

    assert len(_runtime.event_loop().submit(kept()).result(30)) == 1
