"""What an oscillation does, in figures and words: exactly the numbers of the flow."""

from __future__ import annotations

from vif.boundaries import DEFAULT_BOUNDARIES, dissolve
from vif.figures import describe_qualities, describe_resonance, moves
from vif.flow import FlowContext, Reading, shape
from vif.oscillation import DEFAULT, STARTING_POINTS, Oscillation, swinging

DOMAINS = {"CD": 0.95, "SD": 0.7, "CuD": 0.55, "ED": 0.88}
BOUNDARIES = dissolve(DEFAULT_BOUNDARIES, DOMAINS)
MESSAGE = "How do I implement quicksort, and why does it feel so elegant?"
ONE_FAST = STARTING_POINTS["One fast edge"]


def flow(*oscillations: Oscillation) -> FlowContext:
    return shape(MESSAGE, Reading(DOMAINS, swinging(BOUNDARIES, oscillations)))


BEFORE = flow(*(DEFAULT,) * 6)
AFTER = flow(*ONE_FAST)


def test_resonance_in_words_names_each_pair_once() -> None:
    words = describe_resonance(swinging(BOUNDARIES, ONE_FAST))
    assert words.count(" and ") == 10
    assert "CD-SD and CD-CuD (1.00)" in words
    assert "CD-ED" not in words
    apart = swinging(BOUNDARIES, [Oscillation(0.0, 0.1)] * 6)
    assert describe_resonance(apart).endswith("none.")


def test_moves_follow_the_new_order_and_say_what_changed() -> None:
    moved = moves(BEFORE, AFTER)
    assert [move.boundary for move in moved] == [entry.boundary for entry in AFTER.interfaces]
    last = moved[-1]
    # CD-ED leads while it swings with five others, and comes last alone: 1.22 → 1.22 / 2 = 0.61.
    assert (last.boundary, last.rank_before, last.rank, last.distance) == ("CD-ED", 1, 6, 5)
    assert last.in_words() == "CD-ED 1st → 6th, rhythm none → rapid, quality clarity → precision"
    assert moved[0].in_words() == "CD-SD 2nd → 1st, rhythm none → gentle"


def test_without_a_change_no_move_says_anything() -> None:
    assert [move.in_words() for move in moves(BEFORE, BEFORE)] == [""] * 6


def test_an_interface_can_come_forward_and_go() -> None:
    # CD-SD: 0.5 · 0.5 · 0.4 + 0.5 · 0.3 = 0.25 alone, 0.30 with one other, 0.5 with five.
    domains = {"CD": 0.5, "SD": 0.5, "CuD": 0.1, "ED": 0.1}
    boundaries = dissolve(DEFAULT_BOUNDARIES, domains)

    def of(*oscillations: Oscillation) -> FlowContext:
        return shape("hello", Reading(domains, swinging(boundaries, oscillations)))

    together = of(*(DEFAULT,) * 6)
    alone = of(Oscillation(3.0), *(DEFAULT,) * 5)
    assert [entry.boundary for entry in together.interfaces] == ["CD-SD"]
    assert [move.in_words() for move in moves(together, alone)] == ["CD-SD no longer comes forward"]
    assert [move.in_words() for move in moves(alone, together)] == ["CD-SD comes forward (1st)"]
    assert moves(alone, together)[0].distance == 6


def test_an_unchanged_reading_says_so() -> None:
    assert describe_qualities(BEFORE, BEFORE).endswith("none.")


def test_changed_qualities_in_words_have_both_values() -> None:
    before, after = BEFORE.raw_qualities[2], AFTER.raw_qualities[2]
    assert f"CD-ED precision {before.precision:.2f} → {after.precision:.2f}" in describe_qualities(BEFORE, AFTER)
