"""Messages to load-test with: as different as people's are, without end, the same again for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

_OPENINGS = (
    "How do I explain",
    "What is it like to live with",
    "Write a short function that deals with",
    "Why do people disagree about",
    "Which experiment would show me",
    "What do the songs of my grandmother say about",
    "Help me to decide about",
    "What is the mechanism behind",
    "Compare two ways to think about",
    "I feel stuck with",
)
_TOPICS = (
    "quicksort",
    "grief after a long illness",
    "quantum entanglement",
    "a wedding between two religions",
    "sleep and memory",
    "the price of bread in 1789",
    "learning the violin at sixty",
    "race conditions in a queue",
    "the smell of rain",
    "vaccination",
    "a language that is dying",
    "moving to another country",
    "sorting a very large file",
    "being the eldest of five",
    "the colour blue in old paintings",
)
_ENDINGS = (
    "for a child of ten",
    "when there is little time",
    "in a small village",
    "as honestly as you can",
    "with an example",
    "before I talk to my team",
    "without any mathematics",
    "step by step",
)


def load_messages(seed: int, repeat_share: float = 0.0) -> Iterator[str]:
    """Endless. `repeat_share` (0 to 1) of them are one that came before; all others differ from each other."""
    random = Random(seed)  # noqa: S311  # not for secrets
    said: list[str] = []
    while True:
        if said and random.random() < repeat_share:
            yield random.choice(said)
            continue
        opening, topic, ending = (random.choice(parts) for parts in (_OPENINGS, _TOPICS, _ENDINGS))
        # The number makes it new, and the seed new in each run: a shared cache may remember the last one.
        said.append(f"{opening} {topic} {ending}? (case {seed}.{len(said) + 1})")
        yield said[-1]
