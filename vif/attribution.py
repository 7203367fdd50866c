"""Why this reading: which words of a message push which domain.

On the embedded recogniser each word is left out in turn and the message read again (leave-one-out): what changes is
what the word does. A cloud LLM #1 cannot be asked that often; it quotes the words that counted in its patterns.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vif.domains import DOMAINS, Domain

TEMPERATURE = 6.0
"""The head is asked to be less sure of itself: where it is certain, leaving out one word would show nothing."""

MOST_PARTS = 48
"""Readings one explanation may take; of a longer message several words are left out together."""

_WORD = re.compile(r"\S+")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
"""Scripts written without spaces between words (Chinese, Japanese), and Korean."""

_QUOTED = re.compile("[\"“”„«»「」']([^\"“”„«»「」']{2,80})[\"“”„«»「」']")


@dataclass(frozen=True, slots=True)
class Push:
    """What one part of a message does to the reading.

    Attributes:
        start, end: characters of the message, end exclusive.
        changes: reading with the part minus reading without it, per domain; -1 to 1. Of a softened reading, see
            `TEMPERATURE`: they compare parts, they do not add up to the reading shown.
    """

    start: int
    end: int
    changes: Mapping[str, float]

    @property
    def domain(self) -> Domain:
        """The domain this part raises most."""
        return max(DOMAINS, key=lambda domain: self.changes[domain])

    @property
    def strength(self) -> float:
        """By how much it raises that domain; 0 when it raises none."""
        return max(self.changes[self.domain], 0.0)


@dataclass(frozen=True, slots=True)
class Named:
    """A phrase of the message that LLM #1 quoted, and what it said about it."""

    start: int
    end: int
    pattern: str


def parts(message: str, most: int = MOST_PARTS) -> tuple[tuple[int, int], ...]:
    """The message cut into words, or into runs of words when there are more than `most`; (start, end) each."""
    words: list[tuple[int, int]] = []
    for found in _WORD.finditer(message):
        start, end = found.span()
        step = 2 if _UNSPACED.search(found.group()) else end - start
        words += [(at, min(at + step, end)) for at in range(start, end, step)]
    together = -(-len(words) // most)
    if together <= 1:
        return tuple(words)
    groups = [words[at : at + together] for at in range(0, len(words), together)]
    return tuple((group[0][0], group[-1][1]) for group in groups)


async def pushes(message: str, gguf_path: Path | None = None) -> tuple[Push, ...]:
    """What each part of the message does to the embedded recogniser's reading, in order.

    `gguf_path` as in `Access`. Raises UnavailableError when the embedded recogniser cannot be used here.
    """
    from vif.llm.embedded import EmbeddedModel
    from vif.recognition.embedded import EmbeddedReader

    spans = parts(message)
    if not spans:
        return ()
    without = [f"{message[:start].rstrip()} {message[end:].lstrip()}".strip() for start, end in spans]
    whole, *rest = await EmbeddedReader(EmbeddedModel(gguf_path)).read_many(
        [message, *without], temperature=TEMPERATURE
    )
    return tuple(
        Push(start, end, {d.value: whole.activations[d] - reading.activations[d] for d in DOMAINS})
        for (start, end), reading in zip(spans, rest, strict=True)
    )


def named(message: str, patterns: Sequence[str]) -> tuple[Named, ...]:
    """The phrases of the message that the patterns quote, in order and without overlaps."""
    found: list[Named] = []
    for pattern in patterns:
        for quote in _QUOTED.findall(pattern):
            at = message.lower().find(quote.lower())
            if at >= 0:
                found.append(Named(at, at + len(quote), pattern))
    apart: list[Named] = []
    for phrase in sorted(found, key=lambda named: (named.start, -named.end)):
        if not apart or phrase.start >= apart[-1].end:
            apart.append(phrase)
    return tuple(apart)
