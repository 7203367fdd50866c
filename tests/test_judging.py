"""The sets the embedded recogniser is judged by: their form, and that nothing in them was learnt from."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

from training import train_head

ROOT = Path(__file__).resolve().parents[1]
JUDGING = ROOT / "training" / "judging.csv"
JUDGING_PARALLEL = ROOT / "training" / "judging_parallel.csv"
SUITES = ROOT / "vif" / "evaluation" / "suites"

COLUMNS = ["kind", "language", "cd", "sd", "cud", "ed", "message"]
LANGUAGES = ["english", "german", "french", "spanish", "chinese"]
NO_LANGUAGE = "zxx"
"""The ISO 639 code of what is written in no language, such as `;;;; ????`."""

MOST_SHARED = 0.6
"""Of a judging message's n-grams, the largest share that may be found in one label or one case of a suite."""


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def plain(text: str) -> str:
    """Its words in lower case; `text` itself where it has none."""
    return " ".join(re.findall(r"\w+", text.lower())) or text.strip()


def ngrams(text: str) -> set[str]:
    """Five characters each; two of Chinese, Japanese and Korean, where a character is a word or a syllable."""
    words = plain(text)
    length = 2 if re.search(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]", words) else 5
    return {words[start : start + length] for start in range(max(1, len(words) - length + 1))}


def shared(message: str, known: str) -> float:
    """The share, 0 to 1, of the n-grams of `message` that `known` holds too."""
    mine = ngrams(message)
    return len(mine & ngrams(known)) / len(mine)


@pytest.fixture(scope="module")
def known() -> list[str]:
    """What the head was trained on, and what other sets judge with."""
    labels = [label.message for label in train_head.read_labels()]
    suites = [row["message"] for name in ("standard", "broad") for row in read(SUITES / f"{name}.csv")]
    parallel = [message for row in read(train_head.PARALLEL) for message in row.values()]
    return [message for message in [*labels, *suites, *parallel] if message.strip()]


def test_shared_is_the_share_of_the_message_s_own_ngrams() -> None:
    # abcdefg has abcde, bcdef, cdefg; xbcdefg has xbcde, bcdef, cdefg: 2 of 3. Case and punctuation do not count.
    assert shared("abcdefg", "XBCDEFG!") == pytest.approx(2 / 3)
    # 你好吗 has 你好, 好吗; 你好啊 has 你好, 好啊: 1 of 2.
    assert shared("你好吗？", "你好啊") == pytest.approx(1 / 2)
    assert shared("?", "!") == 0.0


def test_the_judging_set_has_six_to_eight_messages_of_every_kind_the_labels_had() -> None:
    rows = read(JUDGING)
    assert list(rows[0]) == COLUMNS
    assert len(rows) >= 220
    kinds = Counter(row["kind"] for row in rows)
    assert len(kinds) == 33
    assert set(kinds) <= {label.kind for label in train_head.read_labels()}
    assert {kind: count for kind, count in kinds.items() if not 6 <= count <= 8} == {}


def test_every_judging_message_has_activations_from_nought_to_one_and_stands_there_once() -> None:
    rows = read(JUDGING)
    for row in rows:
        assert row["message"] == row["message"].strip() != "", row
        assert len(row["message"]) <= 1200, row
        assert all(0.0 <= float(row[domain]) <= 1.0 for domain in ("cd", "sd", "cud", "ed")), row
    assert len({plain(row["message"]) for row in rows}) == len(rows)


def test_a_third_of_the_judging_messages_is_not_english_and_lengths_differ() -> None:
    rows = [row for row in read(JUDGING) if row["language"] != NO_LANGUAGE]
    languages = Counter(row["language"] for row in rows)
    assert 0.3 <= 1 - languages["en"] / len(rows) <= 0.45
    assert min(languages[language] for language in ("de", "fr", "es", "zh")) >= 10
    assert len(languages) >= 10
    assert sum(len(row["message"]) > 250 for row in rows) >= 25  # more than one window of the embedded reader


def test_the_parallel_judging_set_says_twenty_five_things_in_five_languages() -> None:
    rows = read(JUDGING_PARALLEL)
    assert list(rows[0]) == LANGUAGES
    assert len(rows) == 25
    texts = [message for row in rows for message in row.values()]
    assert all(text == text.strip() != "" for text in texts)
    assert len(set(texts)) == 125


def test_no_judging_message_is_close_to_a_label_or_to_a_message_of_another_set(known: list[str]) -> None:
    grams = [(ngrams(text), text) for text in known]
    messages = [row["message"] for row in read(JUDGING)]
    messages += [message for row in read(JUDGING_PARALLEL) for message in row.values()]
    near = set()
    for mine in map(ngrams, messages):
        near |= {text for theirs, text in grams if len(mine & theirs) > MOST_SHARED * len(mine)}
    assert near == set()  # says which labels to drop, not what they are close to: who writes labels must not read that
