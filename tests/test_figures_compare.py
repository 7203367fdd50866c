"""Small radars show what the large one shows, and words tell where several readings agree."""

from __future__ import annotations

import pytest

from vif.figures import SMALL_RADAR_HEIGHT, agreement_in_words, describe_small_radar, small_radar

FORMULA = {"CD": 0.44, "SD": 0.385, "CuD": 0.33, "ED": 0.495}
READING = {"CD": 0.95, "SD": 0.3, "CuD": 0.1, "ED": 0.2}


def test_a_small_radar_has_the_same_numbers_dash_and_scale_as_the_large_one() -> None:
    figure = small_radar(FORMULA, READING).to_plotly_json()
    traces = {trace["name"]: trace for trace in figure["data"] if "name" in trace}
    assert traces["LLM #1"]["r"] == [0.95, 0.3, 0.1, 0.2, 0.95]
    assert traces["Rust formula"]["r"] == [0.44, 0.385, 0.33, 0.495, 0.44]
    assert (traces["LLM #1"]["line"]["dash"], traces["Rust formula"]["line"]["dash"]) == ("solid", "dot")
    assert figure["layout"]["polar"]["radialaxis"]["range"] == [0, 1]
    assert figure["layout"]["height"] == SMALL_RADAR_HEIGHT


def test_all_four_names_stand_around_a_small_radar_within_it() -> None:
    names = small_radar(FORMULA).to_plotly_json()["layout"]["annotations"]
    for name, (x, y) in zip(names, ((0, 1), (1, 0), (0, -1), (-1, 0)), strict=True):
        assert (name["xshift"] > 0) - (name["xshift"] < 0) == x
        assert (name["yshift"] > 0) - (name["yshift"] < 0) == y
        assert abs(name["xshift"] + name["yshift"]) < SMALL_RADAR_HEIGHT / 2
    assert [name for name in ("Computational", "Scientific", "Cultural", "Experiential") if name in str(names)] == [
        "Computational",
        "Scientific",
        "Cultural",
        "Experiential",
    ]


def test_a_small_radar_says_its_numbers_in_words() -> None:
    assert describe_small_radar("Offline", FORMULA, READING) == (
        "Offline: radar as LLM #1 reads the message: computational 0.95, scientific 0.30, cultural 0.10, "
        "experiential 0.20; the formula, in the same order: 0.44, 0.39, 0.33, 0.49."
    )
    assert describe_small_radar("Autonomy 0.55", FORMULA).startswith("Autonomy 0.55: the Rust formula's radar: comp")


def test_the_words_name_the_domains_that_differ_most_and_least() -> None:
    # Spreads: CD 0.95 − 0.44 = 0.51, SD 0.385 − 0.3 = 0.085, CuD 0.33 − 0.1 = 0.23, ED 0.495 − 0.2 = 0.295
    assert agreement_in_words({"a model": READING, "the formula": FORMULA}) == (
        "They differ most on **computational**: from 0.44 (the formula) to 0.95 (a model); "
        "least on **scientific**, 0.30 to 0.39."
    )


@pytest.mark.parametrize(("count", "words"), [(0, None), (1, None), (2, "All of them read the message alike.")])
def test_readings_that_are_alike_are_said_to_be_and_fewer_than_two_say_nothing(count: int, words: str | None) -> None:
    assert agreement_in_words({f"column {number}": FORMULA for number in range(count)}) == words
