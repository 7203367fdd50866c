"""The comparison that keeps judging messages out of the labels: it must notice what it is there for."""

from __future__ import annotations

from difflib import SequenceMatcher

from hypothesis import given
from hypothesis import strategies as st

from tests.likeness import alike

texts = st.lists(st.text("abé ", min_size=1, max_size=12), max_size=6)


def test_a_paraphrase_is_found_and_another_message_is_not() -> None:
    labels = ["meu filho adolescente não fala comigo", "what is two plus two?"]
    message = "meu filho adolescente não fala mais comigo, o que eu faço?"
    assert list(alike([message, "a song"], labels, 0.7)) == [(message, labels[0])]


@given(texts, texts)
def test_it_finds_the_same_pairs_as_difflib_alone(some: list[str], others: list[str]) -> None:
    pairs = [
        (text, other) for text in some for other in others if SequenceMatcher(None, other, text, False).ratio() > 0.6
    ]
    assert list(alike(some, others, 0.6)) == pairs
