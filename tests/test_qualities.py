from __future__ import annotations

import math

import pytest

from vif.boundaries import Boundary
from vif.qualities import MessageFeatures, Qualities, qualities_of

NEUTRAL = MessageFeatures(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def features(message: str) -> MessageFeatures:
    return MessageFeatures.of(message)


# ── Message features ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("size", "score"),
    [
        (0, 0.0),
        (25, 0.25),  # 25/50·0.5
        (50, 0.5),
        (275, 0.75),  # 0.5 + 225/450·0.5
        (500, 1.0),
        (600, 0.9),  # 1 − 100/1000
        (800, 0.7),
        (5000, 0.7),
    ],
)
def test_the_length_is_best_at_500_bytes(size: int, score: float) -> None:
    assert features("x" * size).length == pytest.approx(score)


def test_the_length_counts_bytes() -> None:
    assert features("量" * 10).length == pytest.approx(0.3)  # 30 bytes: 30/50·0.5


@pytest.mark.parametrize(
    ("words", "score"), [(0, 0.0), (5, 0.25), (10, 0.5), (55, 0.75), (100, 1.0), (101, 1.0), (500, 1.0)]
)
def test_complexity_grows_with_the_words(words: int, score: float) -> None:
    assert features("w " * words).complexity == pytest.approx(score)


@pytest.mark.parametrize("blank", ["\t", "\n", "\x0b", "\x0c", "\r", " ", "\x85", "\xa0", "\u1680", "\u2000", "\u200a"])
@pytest.mark.parametrize("more", ["", "\u2028\u2029\u202f\u205f\u3000"])
def test_white_space_separates_words(blank: str, more: str) -> None:
    assert features(f"one{blank}{more}two").complexity == pytest.approx(0.1)  # 2 words: 2/10·0.5


@pytest.mark.parametrize("joint", ["\x1c", "\x1d", "\x1e", "\x1f", "\u180e", "\u200b", "\u2060", "\ufeff"])
def test_what_is_not_white_space_does_not_separate_words(joint: str) -> None:
    assert features(f"one{joint}two").complexity == pytest.approx(0.05)  # 1 word


@pytest.mark.parametrize(
    ("message", "score"),
    [
        ("", 0.0),
        ("Why?", 0.2),
        ("Impossible. WONDERFUL!", 0.4),  # inside words and in any case
        ("？ ;", 0.0),  # only the ASCII mark
        ("maybe perhaps might could possible wonder???", 1.0),  # 9, limited to 5
        ("maybemaybe", 0.4),
        ("poſſible MİGHT", 0.0),  # lower-casing keeps the long s and turns İ into two characters
    ],
)
def test_inquiry_counts_marks_and_words_of_possibility(message: str, score: float) -> None:
    assert features(message).inquiry == pytest.approx(score)


@pytest.mark.parametrize(
    ("message", "score"),
    [
        ("", 0.0),
        ("But why", 1 / 3),
        ("attribute, distribution", 2 / 3),  # "but" inside words
        ("althoughowever", 2 / 3),  # two words that share a letter
        ("while yet but although whereas", 1.0),
    ],
)
def test_contrast_counts_words_that_turn_a_thought(message: str, score: float) -> None:
    assert features(message).contrast == pytest.approx(score)


@pytest.mark.parametrize(
    ("message", "score"),
    [
        (" \n", 0.3),  # no words
        ("ab", 0.25),  # 2/4·0.5
        ("abcd", 0.5),
        ("abcde abcdef", 0.75),  # mean 5.5: 0.5 + 1.5/3·0.5
        ("abcdefg", 1.0),
        ("abcdefgh", 1.0),
        ("éé", 0.5),  # 4 bytes
    ],
)
def test_specificity_is_the_mean_word_in_bytes(message: str, score: float) -> None:
    assert features(message).specificity == pytest.approx(score)


@pytest.mark.parametrize(
    ("message", "score"),
    [
        ("a a a a", 0.3),  # fewer than five
        ("a b c d e", 0.0),
        ("a a b c d", 0.4),  # (1 − 4/5)·2
        ("a a a a a", 1.0),  # (1 − 1/5)·2 = 1.6, limited
        ("A a a. b c", 0.0),  # case and punctuation count
    ],
)
def test_repetition_is_the_share_of_words_said_again(message: str, score: float) -> None:
    assert features(message).repetition == pytest.approx(score)


@pytest.mark.parametrize(
    ("message", "score"),
    [
        ("w " * 5 + ".", 0.25),  # 5 words in 2 pieces: 2.5/5·0.5
        ("w " * 10 + "!", 0.5),
        ("w " * 25 + "?", 0.75),  # 12.5: 0.5 + 7.5/15·0.5
        ("w " * 40 + ".", 1.0),
        ("w " * 46 + ".", 0.9),  # 23: 1 − 3/30
        ("w " * 200 + ".", 0.7),
        ("w " * 200, 0.5),  # no mark
    ],
)
def test_rhythm_is_the_mean_sentence_in_words(message: str, score: float) -> None:
    assert features(message).rhythm == pytest.approx(score)


def test_half_a_character_does_not_stop_the_reading() -> None:
    assert features("\ud800").length == pytest.approx(0.03)  # counted as 3 bytes


# ── Qualities ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_quality_is_the_sum_the_specification_writes() -> None:
    boundary = Boundary("CD-SD", 0.5, "Maintained", frequency=1.0, amplitude=0.3, phase=0.0)
    found = qualities_of(boundary, MessageFeatures(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7))
    assert found == pytest.approx(
        Qualities(
            clarity=0.25 + 0.03 + 0.14,  # 0.5·0.5 + 0.3·0.1 + 0.2·(1 − 0.3)
            depth=0.12 + 0.06 + 0.15,  # 0.4·0.3 + 0.3·0.2 + 0.3·0.5
            openness=0.4 + 0.09 + 0.15,  # 0.4·1 + 0.3·0.3 + 0.3·0.5
            precision=0.2 + 0.15 + 0.12,  # 0.4·0.5 + 0.3·0.5 + 0.3·0.4
            fluidity=0.12 + 0.3 + 0.15,  # 0.4·0.3 + 0.3·1 + 0.3·0.5
            resonance=0.4 + 0.12 + 0.12,  # 0.4·1 + 0.4·0.3 + 0.2·0.6
            coherence=0.2 + 0.3 + 0.21,  # 0.4·0.5 + 0.3·1 + 0.3·0.7
        )
    )


@pytest.mark.parametrize(("status", "share"), [("Transitional", 0.24), ("transitional", 0.15), ("Transcendent", 0.15)])
def test_only_the_exact_status_transitional_opens(status: str, share: float) -> None:
    # P = 0: 0.4·(1 − 1) + 0 + 0.3·0.8 or 0.3·0.5
    assert qualities_of(Boundary("CD-SD", 0.0, status), NEUTRAL).openness == pytest.approx(share)


def test_no_quality_is_above_1() -> None:
    full = MessageFeatures(1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
    assert max(qualities_of(Boundary("CD-SD", 9.0, "x", 9.0, 9.0), full)) == 1.0


def test_the_phase_turns_the_resonance() -> None:
    still = Boundary("CD-SD", 0.0, frequency=0.0)
    turned = Boundary("CD-SD", 0.0, frequency=0.0, phase=math.pi)
    assert qualities_of(still, NEUTRAL).resonance == pytest.approx(0.4)
    assert qualities_of(turned, NEUTRAL).resonance == pytest.approx(0.0)


def test_boosting_multiplies_up_to_1() -> None:
    assert Qualities(0.5, 0.9, -0.5, 0.0, 1.0, 0.1, 0.2).boosted(1.2) == pytest.approx(
        Qualities(0.6, 1.0, -0.6, 0.0, 1.0, 0.12, 0.24)
    )


def test_the_primary_quality_is_the_largest_and_the_later_of_equals() -> None:
    assert Qualities(0.1, 0.9, 0.2, 0.3, 0.4, 0.5, 0.6).primary == "depth"
    assert Qualities(0.9, 0.1, 0.9, 0.1, 0.1, 0.1, 0.1).primary == "openness"
    assert Qualities(1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0).primary == "coherence"
