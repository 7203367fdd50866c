"""The conversation's chart: its numbers, its marks and its words."""

from __future__ import annotations

from vif.figures import LIGHT, TurnReading, describe_turns, turns_chart

READINGS = [
    TurnReading(1, "sort", {"CD": 0.9, "SD": 0.4, "CuD": 0.1, "ED": 0.2}, {}),
    TurnReading(2, "feel", {"CD": 0.2, "SD": 0.4, "CuD": 0.3, "ED": 0.9}, {"CD": -0.7, "ED": 0.7}),
]


def test_a_line_per_domain_has_the_activations() -> None:
    lines = {trace.name: trace for trace in turns_chart(READINGS).data if trace.mode == "lines+markers"}
    assert {name: list(trace.y) for name, trace in lines.items()} == {
        "Computational": [0.9, 0.2],
        "Scientific": [0.4, 0.4],
        "Cultural": [0.1, 0.3],
        "Experiential": [0.2, 0.9],
    }
    assert lines["Computational"].line.color == LIGHT.domains["CD"]


def test_lines_can_be_told_apart_without_colour() -> None:
    lines = [trace for trace in turns_chart(READINGS).data if trace.mode == "lines+markers"]
    assert len({trace.line.dash for trace in lines}) == len({trace.marker.symbol for trace in lines}) == 4


def test_a_shift_has_a_ring_where_it_happened() -> None:
    rings = [(list(trace.x), list(trace.y)) for trace in turns_chart(READINGS).data if trace.mode == "markers"]
    assert rings == [([2], [0.2]), ([], []), ([], []), ([2], [0.9])]


def test_the_words_name_moves_and_shifts() -> None:
    words = describe_turns(READINGS)
    assert "computational 0.90 to 0.20" in words
    assert "Shifts above 0.3: computational -0.70 at message 2, experiential +0.70 at message 2" in words
    assert describe_turns(READINGS[:1]).endswith("No shift above 0.3")
    assert describe_turns([]) == "No messages yet"
