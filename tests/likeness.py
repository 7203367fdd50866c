"""Which texts are much alike, by difflib's ratio, fast enough to compare every label with every judging message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

import numpy as np


def alike(texts: Sequence[str], others: Sequence[str], cutoff: float) -> Iterator[tuple[str, str]]:
    """Every pair of a text and another one whose ratio is above `cutoff`.

    Characters both have, in whatever order, bound the ratio from above (difflib's `quick_ratio`). Counted for all
    others at once they leave few for difflib itself, which takes a hundred times as long.
    """
    lengths = np.array([len(other) for other in others])
    counts = {character: np.zeros(len(others), dtype=np.int32) for other in others for character in other}
    for index, other in enumerate(others):
        for character, count in Counter(other).items():
            counts[character][index] = count
    for text in texts:
        shared = np.zeros(len(others), dtype=np.int32)
        for character, count in Counter(text).items():
            if character in counts:
                shared += np.minimum(counts[character], count)
        matcher = SequenceMatcher(autojunk=False)
        matcher.set_seq2(text)
        for near in np.flatnonzero(2 * shared > cutoff * (lengths + len(text))).tolist():
            matcher.set_seq1(others[near])
            if matcher.ratio() > cutoff:
                yield text, others[near]
