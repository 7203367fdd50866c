from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vif.spreadsheet import neutralised, restored


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", '=HYPERLINK("http://evil.example")', "＝1+1"]
)
def test_what_a_spreadsheet_would_carry_out_becomes_text(text: str) -> None:
    assert neutralised(text) == "'" + text


@pytest.mark.parametrize("text", ["", "a=1", " =1", "1-1", "quicksort?"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert neutralised(text) == restored(text) == text


def test_a_cell_of_a_person_that_begins_with_an_apostrophe_is_left_alone() -> None:
    assert restored("'tis") == "'tis"


@given(st.text() | st.text("'=+-@\t\r\n", max_size=4))
def test_nothing_is_lost_and_nothing_stays_dangerous(text: str) -> None:
    cell = neutralised(text)
    assert restored(cell) == text
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
