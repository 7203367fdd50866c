"""The closer look: the words, the conversation, and asking differently."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pages._why import _in_words, _pushed_parts, _quoted_parts
from tests.pages.conftest import Page
from vif.attribution import Named, Push

Open = Callable[..., Page]

MESSAGE = "Sort the sad list"
PUSHES = (
    Push(0, 4, {"CD": 0.2, "SD": 0.0, "CuD": 0.0, "ED": -0.1}),
    Push(5, 8, {"CD": -0.1, "SD": -0.1, "CuD": -0.1, "ED": -0.1}),
    Push(9, 12, {"CD": -0.2, "SD": 0.0, "CuD": 0.0, "ED": 0.4}),
    Push(13, 17, {"CD": 0.1, "SD": 0.0, "CuD": 0.0, "ED": 0.0}),
)


def test_the_tinted_parts_are_the_whole_message_in_order() -> None:
    parts = list(_pushed_parts(MESSAGE, PUSHES))
    assert "".join(str(part["text"]) for part in parts) == MESSAGE
    tinted: dict[object, object] = {p["text"]: (p["domain"], p["share"]) for p in parts if p["domain"]}
    # shares of the strongest push, 0.4; "the" raises nothing
    assert tinted == {
        "Sort": ("CD", pytest.approx(0.5)),
        "sad": ("ED", pytest.approx(1.0)),
        "list": ("CD", pytest.approx(0.25)),
    }


def test_quoted_phrases_carry_what_was_said_about_them() -> None:
    parts = list(_quoted_parts(MESSAGE, [Named(9, 12, '"sad" is a feeling')]))
    assert "".join(str(part["text"]) for part in parts) == MESSAGE
    assert [(part["text"], part["hint"]) for part in parts if part["domain"]] == [("sad", '"sad" is a feeling')]


def test_the_strongest_words_are_told_too() -> None:
    words = _in_words(MESSAGE, PUSHES)
    assert words.index("sad") < words.index("Sort") < words.index("list")
    assert "the”" not in words


def test_a_message_whose_words_push_nothing_says_so() -> None:
    assert _in_words(MESSAGE, PUSHES[1:2]) == "No single word raises a domain."


def test_after_an_answer_the_words_can_be_weighed(explore: Open) -> None:
    page = explore(preset="Offline").send("Write a Python function")
    (toggle,) = [toggle for toggle in page.at.toggle if str(toggle.key).startswith("weigh_")]
    toggle.set_value(True)
    page.run()
    assert "Strongest:" in page.markdown


def test_the_conversation_is_drawn_from_its_second_message_on(explore: Open) -> None:
    page = explore(preset="Offline", closer="Conversation").send("Write a Python function")
    assert "Send another message" in page.markdown
    page.send("I miss my grandmother so much")
    first, second = page.turns
    assert first.reading is not None
    assert second.reading is not None
    chart = page.charts()[-1]
    assert chart["Computational"]["y"] == [first.reading.domains["CD"], second.reading.domains["CD"]]
    assert "Shifts above 0.3" in page.alternatives()[-1]


def test_a_message_can_be_rewritten_and_asked_again_in_its_place(explore: Open) -> None:
    page = explore(preset="Offline").send("Write a Python function")
    page.at.text_area[0].set_value("I miss my grandmother")
    page.click("ask_edited")
    (turn,) = page.turns
    assert (turn.number, turn.message) == (1, "I miss my grandmother")


def test_an_empty_rewriting_changes_nothing(explore: Open) -> None:
    page = explore(preset="Offline").send("Write a Python function")
    page.at.text_area[0].set_value("  ")
    page.click("ask_edited")
    assert [turn.message for turn in page.turns] == ["Write a Python function"]
