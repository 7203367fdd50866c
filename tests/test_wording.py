from __future__ import annotations

from itertools import chain, product

import pytest

from vif.boundaries import BOUNDARY_NAMES, Boundary
from vif.interfaces import Rhythm
from vif.qualities import Qualities
from vif.wording import Experience, experience_of


def words(name: str, rhythm: str = "none", companions: tuple[str, ...] = (), quality: str = "clarity") -> Experience:
    return experience_of(Boundary(name), rhythm, companions, quality)


def test_every_pair_has_words_of_its_own() -> None:
    texts = list(chain.from_iterable(words(name) for name in (*BOUNDARY_NAMES, "Foo-Bar")))
    assert len(set(texts)) == 7 * 4


@pytest.mark.parametrize("name", BOUNDARY_NAMES)
def test_the_order_of_the_sides_makes_no_difference(name: str) -> None:
    assert words("-".join(reversed(name.split("-")))) == words(name)


@pytest.mark.parametrize("name", ["Foo-Bar", "CD-CD", "CD", "CD-SD-ED", ""])
def test_any_other_name_has_general_words(name: str) -> None:
    assert words(name) == words("other-name")


def test_each_rhythm_colours_the_attention() -> None:
    texts = {rhythm: words("CD-SD", rhythm).attention for rhythm in Rhythm}
    assert len(set(texts.values())) == 4
    assert all(text.startswith(texts[Rhythm.NONE]) for text in texts.values())


def test_companions_are_named_in_the_resonance() -> None:
    assert words("CD-SD", companions=("CD-ED", "SD-ED")).resonance.endswith(" It swings together with CD-ED, SD-ED.")
    assert "swings" not in words("CD-SD").resonance


def test_each_quality_closes_the_emergence() -> None:
    assert len({words("CD-SD", quality=quality).emergence for quality in Qualities._fields}) == 7


def test_every_text_is_whole_sentences() -> None:
    for name, rhythm, quality in product(BOUNDARY_NAMES, Rhythm, Qualities._fields):
        for text in words(name, rhythm, ("CD-ED",), quality):
            assert text[0].isupper()
            assert text[-1] in ".?"
            assert "  " not in text
