"""Messages in other languages, word for word in English, for an embedded model that was taught little else.

A gloss is no translation: word order and grammar stay foreign, words without an entry stay as they are ("Meine Schleife
endet nie" becomes "My loop ends never"). The model reads that nearly as it reads the English message.

The entries are in `vif/data/glosses/`, a file for each language, with lines such as `geht, ging, gegangen = go`: forms
in lower case, phrases of several words among them, and their gloss, `-` for none. The first line with a form counts.
Lines beginning with # may tell how the language makes forms:

    # endings: e en er      inflectional endings; * for «whatever follows the longest listed beginning of a word»
    # links: s es n         letters between the parts of a word made of several
    # beginnings: al        what may stand before a word
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources

ENOUGH_KNOWN = 0.5
"""The share of a message's words that must be known in a language, for it to be that language."""

_CHARACTERS = "\u3005\u3041-\u3096\u30a1-\u30fa\u30fc\u4e00-\u9fff"  # a Chinese or Japanese word is a phrase of these
_TOKEN = re.compile(rf"[{_CHARACTERS}]|[^\W\d_{_CHARACTERS}]+['’]?")
_PUNCTUATION = str.maketrans({"、": ", ", "，": ", ", "。": ". ", "「": ' "', "」": '" ', "・": " "})
_LONGEST_WORD = 40
_SMALLEST_PART = 3
_LEFT_OUT = "-"
_ENGLISH = "english"


@dataclass(frozen=True)
class Gloss:
    """A message word for word in English, and the language it is in, e.g. "German"."""

    language: str
    text: str


@dataclass(frozen=True)
class Glossary:
    """The words of one language. `forms`: gloss by form in lower case; a phrase has blanks between its words."""

    language: str
    forms: Mapping[str, str]
    endings: Sequence[str] = ()
    links: Sequence[str] = ()
    beginnings: Sequence[str] = ()

    def __getitem__(self, word: str) -> str | None:
        """The gloss of one word in lower case, however it is inflected; None when it is not known."""
        if word in self.forms:
            return self.forms[word]
        if len(word) > _LONGEST_WORD or not (self.beginnings or {word[:1], folded(word[:1])} & self._initials):
            return None
        return self._inflected(word)

    def of(self, text: str) -> tuple[str, float]:
        """`text` word for word, and the share of its words that are known."""
        tokens = list(_TOKEN.finditer(text))
        words = [_plain(token.group()) for token in tokens]
        pieces: list[str] = []
        known, index, end = 0, 0, 0
        while index < len(tokens):
            length = self._phrase(words, index)
            gloss = self.forms[" ".join(words[index : index + length])] if length > 1 else self[words[index]]
            between = text[end : tokens[index].start()]
            pieces.append(" " if between == "-" else between)
            end = tokens[index + length - 1].end()
            known += length if gloss is not None else 0
            if gloss is None:
                pieces.append(text[tokens[index].start() : end])
            elif gloss != _LEFT_OUT:
                pieces.append(f" {gloss} ")  # with room about it, where the original may have an apostrophe only
            index += length
        pieces.append(text[end:])
        return _tidy("".join(pieces)), known / len(tokens) if tokens else 0.0

    def known_as_written(self, words: Sequence[str]) -> int:
        """How many of these words are listed; where endings are not, how many begin like a listed one."""
        known, index = 0, 0
        while index < len(words):
            length = self._phrase(words, index)
            if length > 1 or words[index] in self.forms or ("*" in self.endings and self[words[index]] is not None):
                known += length
            index += length
        return known

    def _phrase(self, words: Sequence[str], start: int) -> int:
        """The number of words of the longest phrase listed that starts here, 1 if there is none."""
        most = min(self._longest_phrases.get(words[start], 1), len(words) - start)
        lengths = (length for length in range(most, 1, -1) if " ".join(words[start : start + length]) in self.forms)
        return next(lengths, 1)

    def _inflected(self, word: str, depth: int = 2) -> str | None:
        """The gloss of an inflected word: as it is spelled, or else without accents."""
        for index, spelled in ((self._as_written, word), (self._as_typed, folded(word))):
            beginnings = [begin for begin in self.beginnings if spelled.startswith(begin)]
            for rest in (spelled, *(spelled[len(begin) :] for begin in beginnings if len(begin) < len(spelled) - 1)):
                if (found := index.find(rest)) is not None:
                    return found
            if "*" in self.endings:
                for length in range(len(spelled) - 1, _smallest(spelled) - 1, -1):
                    if (found := index.forms.get(spelled[:length])) is not None:
                        return found
        return self._compound(word, depth) if self.links and depth else None

    def _compound(self, word: str, depth: int) -> str | None:
        """The glosses of the two parts of a word, the longest first part that leaves a known one."""
        for at in range(len(word) - _SMALLEST_PART, _SMALLEST_PART - 1, -1):
            for link in ("", *self.links):
                first = word[:at].removesuffix(link) if link else word[:at]
                if (link and not word[:at].endswith(link)) or len(first) < _SMALLEST_PART:
                    continue
                left = self._as_written.find(first)
                if left in (None, _LEFT_OUT):
                    continue
                right = self._inflected(word[at:], depth - 1)
                if right not in (None, _LEFT_OUT):
                    return f"{left} {right}"
        return None

    @cached_property
    def _initials(self) -> frozenset[str]:
        """What a listed form can begin with: most words of other scripts need not be looked for."""
        initials = {form[0] for form in self.forms}
        return frozenset(initials | {folded(initial) for initial in initials})

    @cached_property
    def _longest_phrases(self) -> Mapping[str, int]:
        """The number of words of the longest phrase that begins with a word, by that word."""
        longest: dict[str, int] = {}
        for form in self.forms:
            first, *others = form.split(" ")
            longest[first] = max(longest.get(first, 1), 1 + len(others))
        return longest

    @cached_property
    def _as_written(self) -> _Index:
        return _Index.of(self.forms, self.endings)

    @cached_property
    def _as_typed(self) -> _Index:
        forms: dict[str, str] = {}
        for form, gloss in self.forms.items():
            forms.setdefault(folded(form), gloss)
        return _Index.of(forms, [folded(ending) for ending in self.endings])


@dataclass(frozen=True)
class _Index:
    """Glosses by form, and by what is left of a form without its longest ending."""

    forms: Mapping[str, str]
    stems: Mapping[str, str]
    endings: frozenset[str]
    longest_ending: int

    @classmethod
    def of(cls, forms: Mapping[str, str], endings: Collection[str]) -> _Index:
        stems: dict[str, str] = {}
        index = cls(forms, stems, frozenset(endings), max(map(len, endings), default=0))
        for form, gloss in forms.items():
            if len(stripped := index.stripped(form)) > 1:
                stems.setdefault(stripped[-1], gloss)
        return index

    def find(self, word: str) -> str | None:
        """A listed form with the shortest ending behind it, or else a stem that is like a listed form's."""
        stripped = self.stripped(word)
        for form in stripped:
            if form in self.forms:
                return self.forms[form]
        return next((self.stems[form] for form in (word, *reversed(stripped[1:])) if form in self.stems), None)

    def stripped(self, word: str) -> list[str]:
        """The word, and what is left of it without each of the endings, the longest ending last."""
        most = min(self.longest_ending, len(word) - _smallest(word))
        return [word, *(word[:-length] for length in range(1, most + 1) if word[-length:] in self.endings)]


def gloss(text: str) -> Gloss | None:
    """`text` word for word in English; None when it is English, or in no language there is a glossary of."""
    words = [_plain(word) for word in _TOKEN.findall(text)]
    if not words:
        return None
    english = sum(word.rstrip("'") in _english() for word in words)
    best = max(glossaries(), key=lambda glossary: glossary.known_as_written(words))
    if best.known_as_written(words) <= english:
        return None
    found, known = best.of(text)
    return Gloss(best.language, found) if found and known >= ENOUGH_KNOWN else None


@cache
def glossaries() -> tuple[Glossary, ...]:
    """Those that come with this package."""
    folder = resources.files("vif").joinpath("data", "glosses")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".txt")), key=lambda file: file.name)
    return tuple(
        parse(file.name.removesuffix(".txt"), file.read_text(encoding="utf-8"))
        for file in files
        if file.name != f"{_ENGLISH}.txt"
    )


def parse(name: str, text: str) -> Glossary:
    """The glossary in a file's text. Raises ValueError naming the line that is neither an entry nor a comment."""
    forms: dict[str, str] = {}
    told: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("#"):
            key, colon, rest = line[1:].strip().partition(":")
            if colon and key in {"endings", "links", "beginnings"}:
                told[key] = tuple(rest.split())
        elif line:
            left, equals, right = line.partition(" = ")
            if not (left and equals and right):
                raise ValueError(f"{name} line {number} is {line!r}; it must be like 'geht, ging = go'")
            for form in left.split(", "):
                forms.setdefault(" ".join(_plain(word) for word in _TOKEN.findall(form)), right)
    return Glossary(name.capitalize(), forms, **told)


def folded(word: str) -> str:
    """`word` without accents, ß as ss, as many people type it."""
    apart = unicodedata.normalize("NFD", word.replace("ß", "ss").replace("ı", "i").replace("ł", "l"))
    return unicodedata.normalize("NFC", "".join(char for char in apart if unicodedata.category(char) != "Mn"))


@cache
def _english() -> frozenset[str]:
    """Words that are English: those the glosses use, and those that glosses have little use for."""
    text = resources.files("vif").joinpath("data", "glosses", f"{_ENGLISH}.txt").read_text(encoding="utf-8")
    listed = {word for line in text.splitlines() if not line.startswith("#") for word in line.split()}
    used = {word for glossary in glossaries() for gloss in glossary.forms.values() for word in gloss.lower().split()}
    return frozenset(listed | used)


def _plain(word: str) -> str:
    return word.lower().replace("’", "'")


def _smallest(word: str) -> int:
    """How many letters of a word must remain: a syllable is one letter in Hangul."""
    return 2 if "\uac00" <= word[:1] <= "\ud7a3" else _SMALLEST_PART


def _tidy(text: str) -> str:
    words = re.sub(r"\s+([,.!?;:)…])", r"\1", " ".join(re.sub(r"[¿¡]", " ", text.translate(_PUNCTUATION)).split()))
    return words[:1].upper() + words[1:]
