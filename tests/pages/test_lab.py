"""The oscillation lab without a browser: what it computes, its link, its named settings, another answer."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages._lab import prompt_difference
from pages._lab_matrices import qualities, resonances
from pages._lab_state import Lab
from tests.browser.lab_page import DOMAINS, MESSAGE
from tests.pages.conftest import Page
from vif.boundaries import DEFAULT_BOUNDARIES, dissolve
from vif.flow import FlowContext, Reading, shape
from vif.oscillation import DEFAULT, STARTING_POINTS, Oscillation, from_text, swinging, to_text
from vif.qualities import Qualities

LAB = Path(__file__).resolve().parents[1] / "browser" / "lab_page.py"
ONE_FAST = to_text(STARTING_POINTS["One fast edge"])


class LabPage(Page):
    """The lab alone."""

    def __init__(self, **query: str) -> None:
        self.at = AppTest.from_file(str(LAB), default_timeout=120)
        for name, value in query.items():
            self.at.query_params[name] = value
        self.run()

    @property
    def lab(self) -> Lab:
        lab: Lab = self.at.session_state["lab_state"]
        return lab

    @property
    def link(self) -> str:
        return "".join(self.at.query_params.get("osc", []))

    def save(self, name: str) -> LabPage:
        self.at.text_input(key="lab_name").set_value(name)
        self.at.button(key="lab_save_button").click()
        self.run()
        return self


def flow(oscillations: tuple[Oscillation, ...]) -> FlowContext:
    boundaries = dissolve(DEFAULT_BOUNDARIES, DOMAINS)
    return shape(MESSAGE, Reading(DOMAINS, swinging(boundaries, oscillations)))


BEFORE, AFTER = flow((DEFAULT,) * 6), flow(from_text(ONE_FAST))


# ── Downstream ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_at_first_nothing_is_changed() -> None:
    page = LabPage()
    assert "Nothing yet" in page.markdown
    assert "stays as it is, word for word" in page.markdown
    assert not page.at.code
    assert page.link == ""


def test_what_is_shown_downstream_is_what_the_flow_computes() -> None:
    page = LabPage(osc=ONE_FAST)
    table = page.at.table[0].value
    were = {entry.boundary: entry for entry in BEFORE.interfaces}
    for row, now in enumerate(AFTER.interfaces):
        was = were[now.boundary]
        assert table["Priority"][row] == f"{was.priority:.2f} → **{now.priority:.2f}**"
        assert table["Rhythm"][row] == f"{was.rhythm} → **{now.rhythm}**"
        assert table["Quality"][row].endswith(now.primary_quality.join(("**", "**"))) or (
            table["Quality"][row] == was.primary_quality == now.primary_quality
        )
    assert "**CD-ED 1st → 6th, rhythm none → rapid, quality clarity → precision**" in page.markdown
    assert "and 4 more" in page.markdown

    assert page.at.code[0].value == prompt_difference(BEFORE.prompt, AFTER.prompt)
    assert page.at.code[0].language == "diff"


def test_the_table_of_resonances_is_symmetric_and_leaves_its_diagonal_out() -> None:
    table = resonances(AFTER)
    # CD-ED (2) at 2.5 Hz swings with none of the five at 0.6 Hz: 0.6 · (1 − 1.9/2.5) + 0.4 · 1 = 0.544, for all ten.
    for row, column in product(range(6), repeat=2):
        expected = (
            None
            if row == column
            else {"together": False, "strength": "0.54"}
            if 2 in (row, column)
            else {"together": True, "strength": "1.00"}
        )
        assert table[row][column] == expected


def test_the_table_of_qualities_holds_both_values_and_the_direction() -> None:
    table = qualities(BEFORE, AFTER)
    assert [[cell["now"] for cell in row] for row in table] == [
        list(row) for row in zip(*AFTER.raw_qualities, strict=True)
    ]
    assert [[cell["was"] for cell in row] for row in table] == [
        list(row) for row in zip(*BEFORE.raw_qualities, strict=True)
    ]
    # CD-ED: resonance gains 0.4 · (min(2.5 · 0.4, 1) − 0.1) = 0.36, clarity loses 0.2 · 0.3 = 0.06.
    clarity, openness, resonance = (
        table[Qualities._fields.index(name)][2] for name in ("clarity", "openness", "resonance")
    )
    assert resonance["now"] - resonance["was"] == pytest.approx(0.36)
    assert clarity["now"] - clarity["was"] == pytest.approx(-0.06)
    assert (clarity["sign"], openness["sign"], resonance["sign"]) == (-1, 0, 1), "openness does not oscillate"
    assert (resonance["wasText"], resonance["nowText"]) == (f"{resonance['was']:.2f}", f"{resonance['now']:.2f}")


def test_an_unchanged_reading_has_no_changed_quality() -> None:
    assert {cell["sign"] for row in qualities(BEFORE, BEFORE) for cell in row} == {0}


def test_the_prompt_difference_goes_by_interface_and_leaves_out_what_stays() -> None:
    difference = prompt_difference(BEFORE.prompt, AFTER.prompt)
    part = difference.split("@@ CD-ED @@\n")[1].split("\n@@")[0].splitlines()
    tags = [line.split(">")[0] for line in part]
    assert tags == [f"{sign} <{name}" for name in ("attention", "resonance", "emergence") for sign in "-+"]
    assert "swings together with CD-SD" in part[2]
    assert "swings together" not in part[3]
    assert "<invitation>" not in difference
    assert MESSAGE not in difference


def test_another_order_of_the_same_lines_is_no_changed_line() -> None:
    first, second = (f'    <interface boundary="{name}">\n      {name}\n    </interface>\n' for name in ("A-B", "C-D"))
    assert prompt_difference(first + second, second + first) == ""


def test_an_interface_that_is_gone_is_shown_with_its_lines() -> None:
    block = '    <interface boundary="A-B">\n      <invitation>Go.</invitation>\n    </interface>\n'
    assert prompt_difference(block, "") == "@@ A-B @@\n- <invitation>Go.</invitation>"


# ── The link ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_link_sets_the_lab_and_stays_in_the_address() -> None:
    page = LabPage(osc=ONE_FAST)
    assert page.lab.settings == from_text(ONE_FAST)
    assert page.link == ONE_FAST
    assert not page.at.warning


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nonsense", "is not a setting of six oscillations"),
        ("_".join(["9-0.1-0"] * 6), r"frequency is 9\.0"),
        ("_".join(["nan-0.1-0"] * 6), "frequency is nan"),
        ("_".join(["x-0.1-0"] * 6), "not a number"),
    ],
)
def test_a_bad_link_is_a_line_of_notice_and_the_defaults(text: str, why: str) -> None:
    page = LabPage(osc=text)
    (warning,) = page.at.warning
    assert why in warning.value
    assert "\n" not in warning.value
    assert page.lab.settings is None
    assert page.link == ""
    assert "Nothing yet" in page.markdown


def test_reset_goes_back_and_cleans_the_address() -> None:
    page = LabPage(osc=ONE_FAST)
    page.click("lab_reset")
    assert page.link == ""
    assert "Nothing yet" in page.markdown


# ── Named settings ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_saved_settings_come_back_by_name() -> None:
    page = LabPage(osc=ONE_FAST).save("  Two   speeds ")
    assert list(page.lab.saved) == ["Two speeds"]
    before = page.lab.revision
    page.click("lab_reset").click("lab_use_Two speeds")
    assert page.link == ONE_FAST
    assert page.lab.revision == before + 2, "the browser takes over what was set here"


def test_settings_without_a_name_are_not_saved() -> None:
    page = LabPage(osc=ONE_FAST).save("   ")
    assert page.lab.saved == {}
    assert "need a name" in page.markdown


def test_a_name_that_is_taken_gets_the_new_settings() -> None:
    page = LabPage(osc=ONE_FAST).save("Mine")
    page.click("lab_reset")
    page.save("mine")
    assert page.lab.saved == {"Mine": (DEFAULT,) * 6}
    assert "Replaced **Mine**" in page.markdown


def test_saved_settings_can_be_deleted() -> None:
    page = LabPage(osc=ONE_FAST).save("Mine")
    page.click("lab_delete_Mine")
    assert page.lab.saved == {}
    assert "lab_use_Mine" not in page.buttons()


def test_a_hostile_name_is_only_a_name() -> None:
    page = LabPage().save("![x](http://evil.example/x.png)")
    assert "![x](" not in page.markdown
    assert all("![x](" not in button.label for button in page.at.button)


# ── Another answer ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_another_answer_asks_llm_2_alone_and_shows_both() -> None:
    page = LabPage(osc=ONE_FAST)
    page.click("lab_answer")
    asked = page.lab.asked
    assert asked is not None
    *_, (column,) = asked.group.follow()
    page.run()  # as the browser does, again and again
    assert column.turn is not None
    interaction = column.turn.interaction
    assert interaction is not None
    assert interaction.recognition.attempts == (), "LLM #1 is not asked again"
    assert interaction.prompt == AFTER.prompt
    assert [(b.frequency, b.amplitude) for b in interaction.boundaries] == [
        (o.frequency, o.amplitude) for o in from_text(ONE_FAST)
    ]
    assert "Choose a pivot" in page.markdown
    assert interaction.reply.split("\n")[0][:40] in page.markdown
    assert "With these settings" in page.markdown
    page.click("lab_reset")
    assert "With other settings than these" in page.markdown
    assert page.lab.asked is asked, "a rerun never asks again"
