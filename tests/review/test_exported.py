from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.review.test_verdict import campaign, item, rating
from vif.errors import InputError
from vif.review.exported import ratings_csv, read_ratings_csv, verdict_json
from vif.review.records import Campaign, Rating, Rubric, Scale
from vif.review.verdict import verdict

REASONS = ("too strong; or too weak", "=1+1")


def asked() -> Campaign:
    scale = Scale(name="fit", anchors=("1", "2", "3", "4", "5"))
    rubric = Rubric(corrections=True, scales=(scale,), reasons=REASONS)
    return campaign([item("a", message="=cmd|' /C calc'!A0"), item("b", message="two\r\nlines")], rubric=rubric)


def given_ratings() -> list[Rating]:
    return [
        rating("a", "anna", "left", swapped=True, comment="+1, @all\n'quoted'", reasons=REASONS, seconds=1 / 3),
        rating("a", "=ben", "both_bad", confidence=2, scales={"fit": (None, 4)}),
        rating("b", "anna", None),
        rating("b", "carl", "tie", corrections={"CD": 0.1, "ED": 1.0}, scales={"fit": (1, 5)}),
    ]


def test_ratings_come_back_as_they_were() -> None:
    ratings = given_ratings()
    assert list(read_ratings_csv(asked(), ratings_csv(asked(), ratings))) == ratings


def test_no_cell_of_the_file_is_a_formula() -> None:
    rows = list(csv.reader(io.StringIO(ratings_csv(asked(), given_ratings()))))
    cells = [cell for row in rows for cell in row]
    assert "'=cmd|' /C calc'!A0" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


@given(st.text(max_size=40), st.text(max_size=20, min_size=1))
def test_any_comment_and_any_rater_come_back(comment: str, rater: str) -> None:
    one = rating("a", rater, "left", comment=comment)
    assert read_ratings_csv(asked(), ratings_csv(asked(), [one])) == (one,)


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("item", "elsewhere", "row 2: there is no item 'elsewhere' in this campaign"),
        ("left", "formula", "row 2: the sides are .*; of this item they can only be"),
        ("choice", "neither", "row 2: choice is 'neither'; it must be one of left, right, tie, both_bad"),
        ("confidence", "9", "row 2: confidence"),
        ("seconds", "-3", "row 2: seconds"),
        ("at", "yesterday", "row 2: at"),
        ("reasons", "{", "row 2: "),
        ("rater", "", "row 2: the column 'rater' is missing or empty"),
        ("corrected CD", "2", "row 2: corrections"),
    ],
)
def test_a_row_that_cannot_be_is_refused_with_its_number(column: str, cell: str, said: str) -> None:
    rows = list(csv.DictReader(io.StringIO(ratings_csv(asked(), [rating("a", "anna", "left")]))))
    rows[0][column] = cell
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    with pytest.raises(InputError, match=said):
        read_ratings_csv(asked(), out.getvalue())


def test_two_ratings_of_one_item_by_one_rater_are_refused() -> None:
    one = rating("a", "anna", "left")
    with pytest.raises(InputError, match="'anna' has rated the item 'a' before"):
        read_ratings_csv(asked(), ratings_csv(asked(), [one, one]))


def test_the_json_holds_campaign_ratings_and_verdict() -> None:
    begun, ratings = asked(), given_ratings()
    found = json.loads(verdict_json(begun, ratings, verdict(begun, ratings)))
    assert Campaign.model_validate(found["campaign"]) == begun
    assert [Rating.model_validate(one) for one in found["ratings"]] == ratings
    assert found["verdict"]["rated"] == 3
