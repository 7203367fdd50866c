"""Messages in other languages, word for word: how words are found, which language it is, and the tables themselves."""

from __future__ import annotations

import csv
import re
import unicodedata
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vif.evaluation.suite import shipped
from vif.recognition.glosses import Glossary, gloss, glossaries, parse

ROOT = Path(__file__).parents[2]
GERMAN = parse(
    "german",
    """# endings: e en er s n es st t et te
# links: s es n en er
meine, mein = my
schleife = loop
nie = never
enden = end
rot = red
wein = wine
fleck = stain
berg = mountain
dorf, dörfer = village
gibt es = there is
der, die, das = the
sich = -
größe = size
""",
)
FRENCH = parse(
    "french", "# endings: s e es\nqu'est ce que = what is it that\nl', la = the\nécole = school\nn', pas = not\n"
)
TURKISH = parse("turkish", "# endings: *\nkitap, kitab = book\nev = house\n")
JAPANESE = parse("japanese", "空 = sky\n青 = blue\nなぜ = why\nは, い, の = -\nですか = -\nコード = code\n")
KOREAN = parse("korean", "# endings: *\n친구 = friend\n왜 = why\n")
ARABIC = parse("arabic", "# endings: ات ة\n# beginnings: ال وال و\nكتاب = book\nسيارة = car\n")


@pytest.mark.parametrize(
    ("glossary", "text", "expected"),
    [
        (GERMAN, "Meine Schleife endet nie", "My loop end never"),
        (GERMAN, "GIBT es Schleifen?", "There is loop?"),
        (GERMAN, "Bergdörfern, Rotweinfleck", "Mountain village, red wine stain"),
        (GERMAN, "die Schleife sich Dorfes", "The loop village"),
        (GERMAN, "groesse Größe Grösse", "Groesse size size"),
        (GERMAN, "Meine Python-Schleife (x_1 = 3)", "My Python loop (x_1 = 3)"),
        (FRENCH, "Qu’est-ce que l'école n'a pas ?", "What is it that the school not a not?"),
        (FRENCH, "les ecoles", "Les school"),
        (TURKISH, "kitaplarım kitabımı evlerimiz evet", "Book book evlerimiz evet"),
        (JAPANESE, "空はなぜ青いのですか、コード", "Sky why blue, code"),
        (KOREAN, "왜 친구들에게", "Why friend"),
        (ARABIC, "الكتاب والسيارات", "Book car"),
        (GERMAN, "", ""),
        (GERMAN, "12 + 30!", "12 + 30!"),
    ],
)
def test_words_are_found_as_written_without_accents_by_stem_or_in_parts(
    glossary: Glossary, text: str, expected: str
) -> None:
    assert glossary.of(text)[0] == expected


def test_it_says_how_many_of_the_words_it_knows() -> None:
    assert GERMAN.of("Meine Schleife war nie")[1] == 0.75
    assert GERMAN.of("...")[1] == 0


@pytest.mark.parametrize("line", ["geht go", " = go", "geht = "])
def test_a_line_that_is_no_entry_is_named(line: str) -> None:
    with pytest.raises(ValueError, match="german line 2 is"):
        parse("german", f"# a comment\n{line}\n")


def columns() -> dict[str, list[str]]:
    """The same messages, by language."""
    with (ROOT / "training" / "parallel.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {name.capitalize(): [row[name] for row in rows] for name in rows[0]}


@pytest.mark.parametrize("language", ["German", "French", "Spanish", "Chinese"])
def test_a_message_is_told_to_be_in_its_language(language: str) -> None:
    found = [gloss(message) for message in columns()[language]]
    assert [one.language if one else None for one in found] == [language] * len(found)


def test_english_is_left_as_it_is() -> None:
    messages = columns()["English"] + [case.message for case in shipped("broad").cases if "en" in case.tags]
    assert len(messages) > 100
    assert [(message, gloss(message)) for message in messages if gloss(message)] == []


@pytest.mark.parametrize(
    "text",
    [
        "Miksi taivas on sininen?",
        "Miért kék az ég?",
        "Γιατί ο ουρανός είναι γαλάζιος;",
        "आसमान नीला क्यों है?",
        "ทำไมท้องฟ้าถึงเป็นสีฟ้า",
    ],
)
def test_a_language_without_a_table_is_left_as_it_is(text: str) -> None:
    assert gloss(text) is None


@pytest.mark.parametrize("text", ["", "?!", "👋🎉", "x", "3 + 4 = 7", "asdf qwer zxcv", "SELECT * FROM t;", "Berlin"])
def test_what_is_in_no_language_is_left_as_it_is(text: str) -> None:
    assert gloss(text) is None


@given(st.text())
def test_any_text_can_be_glossed(text: str) -> None:
    found = gloss(text)
    assert found is None or found.text


def test_a_word_without_end_is_not_taken_apart() -> None:
    (german,) = (glossary for glossary in glossaries() if glossary.language == "German")
    assert german["haus" * 1000] is None


@pytest.mark.parametrize("glossary", glossaries(), ids=lambda glossary: glossary.language)
def test_a_table_has_every_form_once_in_lower_case_and_plain_english_beside_it(glossary: Glossary) -> None:
    folder = resources.files("vif").joinpath("data", "glosses")
    text = folder.joinpath(f"{glossary.language.lower()}.txt").read_text(encoding="utf-8")
    forms = [
        form
        for line in text.splitlines()
        if line and not line.startswith("#")
        for form in line.partition(" = ")[0].split(", ")
    ]
    assert len(forms) > 500
    assert sorted(set(forms)) == sorted(forms)
    assert [form for form in forms if form != unicodedata.normalize("NFC", form.lower()).strip()] == []
    assert [
        english for english in glossary.forms.values() if not re.fullmatch(r"-|[A-Za-z][A-Za-z' -]*", english)
    ] == []
