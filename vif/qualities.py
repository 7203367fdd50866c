"""The seven qualities of a boundary in the light of a message.

Numbers from the project's numeric specification, sections 0 and 3. What depends on the message alone is computed
once per message (`MessageFeatures`), not once per boundary.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import NamedTuple

from vif.boundaries import Boundary, Status

_WHITESPACE = "\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_WORD = re.compile(f"[^{_WHITESPACE}]+")
"""Runs of non-White_Space characters. Not `str.split`, which also splits at U+001C to U+001F."""

_SENTENCE_MARK = re.compile(r"[.!?]")
_POSSIBILITY = ("maybe", "perhaps", "might", "could", "possible", "wonder")
_CONTRAST = ("however", "but", "although", "while", "yet", "whereas", "alternatively")


class Qualities(NamedTuple):
    """The seven qualities, in the order used everywhere; usually 0 to 1."""

    clarity: float
    depth: float
    openness: float
    precision: float
    fluidity: float
    resonance: float
    coherence: float

    def boosted(self, factor: float) -> Qualities:
        """Each value times `factor`, at most 1."""
        return Qualities(*(min(value * factor, 1.0) for value in self))

    @property
    def primary(self) -> str:
        """The name of the largest; on a tie the later in order."""
        best = max(range(len(self)), key=lambda index: (self[index], index))
        return self._fields[best]


@dataclass(frozen=True, slots=True)
class MessageFeatures:
    """What the qualities take from a message. Lengths are UTF-8 bytes, not characters.

    Attributes:
        length: bytes, scored 0 to 1 (highest at 500).
        complexity: number of words, scored 0 to 1.
        inquiry: question marks and words of possibility, 0 to 1.
        specificity: mean bytes per word, scored 0 to 1.
        contrast: words that turn a thought, 0 to 1.
        repetition: share of repeated words, 0 to 1.
        rhythm: words per sentence, scored 0 to 1.
    """

    length: float
    complexity: float
    inquiry: float
    specificity: float
    contrast: float
    repetition: float
    rhythm: float

    @classmethod
    def of(cls, message: str) -> MessageFeatures:
        words = _WORD.findall(message)
        lowered = message.lower()
        return cls(
            length=_length(_byte_length(message)),
            complexity=_complexity(len(words)),
            inquiry=min((message.count("?") + _occurrences(lowered, _POSSIBILITY)) / 5, 1.0),
            specificity=_specificity(sum(map(_byte_length, words)), len(words)),
            contrast=min(_occurrences(lowered, _CONTRAST) / 3, 1.0),
            repetition=_repetition(len(words), len(set(words))),
            rhythm=_rhythm(message),
        )


def _occurrences(text: str, literals: tuple[str, ...]) -> int:
    # One by one, not as one alternation: "althoughowever" has both words, sharing a letter.
    return sum(map(text.count, literals))


def _byte_length(text: str) -> int:
    # "surrogatepass": a lone surrogate, as broken input may hold, must not stop the reading.
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _length(size: int) -> float:
    if size < 50:
        return (size / 50) * 0.5
    if size <= 500:
        return 0.5 + ((size - 50) / 450) * 0.5
    return 1.0 - min((size - 500) / 1000, 0.3)


def _complexity(words: int) -> float:
    if words < 10:
        return (words / 10) * 0.5
    if words <= 100:
        return 0.5 + ((words - 10) / 90) * 0.5
    return 1.0


def _specificity(total_bytes: int, words: int) -> float:
    if words == 0:
        return 0.3
    mean = total_bytes / words
    if mean < 4:
        return (mean / 4) * 0.5
    if mean <= 7:
        return 0.5 + ((mean - 4) / 3) * 0.5
    return 1.0


def _repetition(words: int, distinct: int) -> float:
    return 0.3 if words < 5 else min((1.0 - distinct / words) * 2, 1.0)


def _rhythm(message: str) -> float:
    pieces = _SENTENCE_MARK.split(message)
    if len(pieces) == 1:
        return 0.5
    # Words are counted after cutting: "3.14" has two. The empty piece after a final stop counts as a piece.
    mean = sum(len(_WORD.findall(piece)) for piece in pieces) / len(pieces)
    if mean < 5:
        return (mean / 5) * 0.5
    if mean <= 20:
        return 0.5 + ((mean - 5) / 15) * 0.5
    return 1.0 - min((mean - 20) / 30, 0.3)


def qualities_of(boundary: Boundary, features: MessageFeatures) -> Qualities:
    """The seven raw qualities. Only an upper limit of 1 is applied."""
    permeability, amplitude, frequency = boundary.permeability, boundary.amplitude, boundary.frequency
    capped = min(amplitude, 1.0)
    inquiry_status = 0.8 if boundary.status == Status.TRANSITIONAL else 0.5
    openness = 1.0 - abs(permeability - 0.5) * 2
    return Qualities(
        clarity=min(0.5 * permeability + 0.3 * features.length + 0.2 * (1.0 - capped), 1.0),
        depth=min(0.4 * capped + 0.3 * features.complexity + 0.3 * permeability, 1.0),
        openness=min(0.4 * openness + 0.3 * features.inquiry + 0.3 * inquiry_status, 1.0),
        precision=min(0.4 * min(frequency / 2, 1.0) + 0.3 * permeability + 0.3 * features.specificity, 1.0),
        fluidity=min(
            0.4 * capped + 0.3 * (1.0 - min(abs(frequency - 1.0), 1.0)) + 0.3 * features.contrast,
            1.0,
        ),
        resonance=min(
            0.4 * ((math.cos(boundary.phase) + 1.0) / 2)
            + 0.4 * min(frequency * amplitude, 1.0)
            + 0.2 * features.repetition,
            1.0,
        ),
        coherence=min(
            0.4 * permeability + 0.3 * (1.0 - min(abs(amplitude - 0.3), 0.7) / 0.7) + 0.3 * features.rhythm,
            1.0,
        ),
    )
