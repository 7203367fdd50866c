from __future__ import annotations

import numpy as np
import pytest

from vif.domains import Domain
from vif.figures.review import (
    describe_preferences,
    describe_strengths,
    describe_two_readings,
    preferences_chart,
    strengths_chart,
    two_readings,
)
from vif.figures.style import DARK, LIGHT
from vif.review.findings import Preference
from vif.statistics.bradley_terry import Vote, bradley_terry
from vif.statistics.proportions import win_rate

LEFT = {Domain.CD: 0.9, Domain.SD: 0.4, Domain.CUD: 0.1, Domain.ED: 0.2}
RIGHT = {Domain.CD: 0.4, Domain.SD: 0.3, Domain.CUD: 0.2}


def preference(first: str = "luna", second: str = "formula") -> Preference:
    votes = [[1.0, 1.0], [1.0, 0.0], [0.5], [1.0], [0.0], [1.0], [1.0]]
    rate = win_rate(votes, rng=np.random.default_rng(1))
    return Preference(first, second, rate, 0, 7, 2)


def test_the_two_readings_lie_on_one_radar_a_solid_and_b_dashed() -> None:
    a, b = two_readings(LEFT, RIGHT).data
    assert (a.name, list(a.r), a.line.dash) == ("A", [0.9, 0.4, 0.1, 0.2, 0.9], "solid")
    # What was not read counts 0.
    assert (b.name, list(b.r), b.line.dash) == ("B", [0.4, 0.3, 0.2, 0.0, 0.4], "dash")
    assert describe_two_readings(LEFT, RIGHT) == (
        "Radar of two readings of the message: computational A 0.90, B 0.40; scientific A 0.40, B 0.30; "
        "cultural A 0.10, B 0.20; experiential A 0.20, B 0.00."
    )


def test_swapping_the_sides_changes_only_the_values() -> None:
    one, other = two_readings(LEFT, RIGHT), two_readings(RIGHT, LEFT)
    for first, second in zip(one.data, other.data, strict=True):
        assert (first.name, first.line, first.marker.color) == (second.name, second.line, second.marker.color)


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_preferences_have_a_point_and_an_interval_each(palette: object) -> None:
    rows = [("Everything", preference()), ("german", preference())]
    figure = preferences_chart(rows, palette=palette)  # type: ignore[arg-type]
    interval, _, points = figure.data
    share = rows[0][1].rate.share
    assert tuple(interval.x) == (share.low, share.high)
    assert list(points.x) == [share.estimate, share.estimate]
    assert list(figure.layout.yaxis.ticktext) == ["luna against formula", "german"]
    # (1 + .5 + .5 + 1 + 0 + 1 + 1) / 7
    assert describe_preferences(rows[:1]) == "luna won 71% against formula (everything)."


def test_names_of_systems_are_text_in_a_chart() -> None:
    rows = [("Everything", preference("<a href=x>", "b&b"))]
    assert list(preferences_chart(rows).layout.yaxis.ticktext) == ["&lt;a href=x&gt; against b&amp;b"]


def test_a_preference_without_votes_has_no_point() -> None:
    nothing = Preference("a", "b", win_rate([], rng=np.random.default_rng(1)), 0, 0, 0)
    assert list(preferences_chart([("Everything", nothing)]).data[0].x) == []
    assert describe_preferences([("Everything", nothing)]) == ""


def test_strengths_come_the_strongest_first() -> None:
    votes = [Vote(str(number), "a<", "b", 1.0 if number < 9 else 0.0) for number in range(12)]
    found = bradley_terry(votes, rng=np.random.default_rng(1), resamples=200)
    figure = strengths_chart(found)
    assert list(figure.layout.yaxis.ticktext) == ["a&lt;", "b"]
    assert len(figure.data) == 4
    assert describe_strengths(found).startswith("Chance to win against an average system: a< 6")
