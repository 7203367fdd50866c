"""Where the time went, and the radar of the seven qualities."""

from __future__ import annotations

import pytest

from vif.figures import (
    describe_quality_radar,
    describe_time,
    duration_in_words,
    quality_radar,
    time_chart,
    time_parts,
)
from vif.interaction import Timings

TIMINGS = Timings(recognise=800.0, flow=0.2, respond=3000.0, total=3801.0)
QUALITIES = {
    "clarity": 0.7,
    "depth": 0.6,
    "openness": 0.5,
    "precision": 0.4,
    "fluidity": 0.3,
    "resonance": 0.2,
    "coherence": 0.1,
}


def test_the_parts_follow_one_another_and_add_up_to_what_was_measured() -> None:
    parts = time_parts(TIMINGS, first_token_ms=900.0)
    # 3000 − 900 = 2100; 800 + 0.2 + 900 = 1700.2
    assert [(part.kind, part.start_ms, part.duration_ms) for part in parts] == [
        ("read", 0.0, 800.0),
        ("flow", 800.0, 0.2),
        ("wait", 800.2, 900.0),
        ("write", 1700.2, 2100.0),
    ]


def test_without_a_first_word_the_whole_time_of_llm_2_is_one_part() -> None:
    parts = time_parts(TIMINGS)
    assert [(part.label, part.duration_ms) for part in parts][-1] == ("LLM #2", 3000.0)


def test_what_was_not_measured_is_left_out() -> None:
    assert [part.kind for part in time_parts(Timings(flow=0.2, respond=50.0), 50.0)] == ["flow", "wait"]
    assert time_parts(Timings()) == ()
    assert describe_time(()) == "No time was measured."
    assert len(time_chart(()).data[0].x or ()) == 0


def test_a_first_word_is_never_later_than_the_end() -> None:
    assert [part.duration_ms for part in time_parts(Timings(respond=50.0), 50.4)] == [50.0]


def test_the_bars_stand_where_the_parts_were() -> None:
    parts = time_parts(TIMINGS, first_token_ms=900.0)
    (bars,) = time_chart(parts).data
    assert list(bars.x) == [part.duration_ms for part in parts]
    assert list(bars.base) == [part.start_ms for part in parts]
    # 2100 of 3800.2 is 55 %
    assert bars.text[3] == "<b>Writing the rest of the reply</b><br>2.1 s, 55% of it all"
    assert [a.text for a in time_chart(parts).layout.annotations] == [
        "Reading the message",
        "800 ms",
        "The flow, stages 3 to 7",
        "0.20 ms",
        "Waiting for the first word",
        "900 ms",
        "Writing the rest of the reply",
        "2.1 s",
    ]
    assert describe_time(parts).startswith("Where the time went: reading the message 800 ms, the flow, stages 3 to 7")
    assert describe_time(time_parts(TIMINGS)).endswith("LLM #2 3.0 s.")


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [(0.083, "0.08 ms"), (4.13, "4.1 ms"), (812.4, "812 ms"), (999.9, "1.0 s"), (2449.0, "2.4 s"), (9.99, "10 ms")],
)
def test_durations_are_told_with_the_digits_that_matter(milliseconds: float, words: str) -> None:
    assert duration_in_words(milliseconds) == words


def test_the_quality_radar_shows_all_seven_and_closes_its_line() -> None:
    (trace,) = quality_radar("CD-SD", QUALITIES).data
    assert list(trace.r) == [0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.7]
    assert list(trace.theta)[:2] == ["Clarity", "Depth"]
    assert trace.theta[-1] == "Clarity"
    assert quality_radar("CD-SD", QUALITIES).layout.polar.bgcolor == "rgba(0,0,0,0)"
    assert describe_quality_radar("CD-SD", QUALITIES) == (
        "The seven emergent qualities of Computational – Scientific: clarity 0.70, depth 0.60, openness 0.50, "
        "precision 0.40, fluidity 0.30, resonance 0.20, coherence 0.10."
    )
