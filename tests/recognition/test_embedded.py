"""The embedded recogniser with its real weights and the shipped head."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vif.errors import UnavailableError
from vif.llm.embedded import EmbeddedModel
from vif.llm.protocol import Request, Turn
from vif.recognition.embedded import (
    WINDOW_BYTES,
    EmbeddedReader,
    Head,
    directions,
    normalised,
    shipped_head,
    windows,
)
from vif.recognition.glosses import glossaries

CASES = Path(__file__).parent.parent / "data" / "cases.csv"


@pytest.fixture
def reader() -> EmbeddedReader:
    return EmbeddedReader(EmbeddedModel())


def _distance(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    return max(abs(one[name] - other[name]) for name in one)


async def test_at_least_57_of_the_60_judged_activations_are_in_range(reader: EmbeddedReader) -> None:
    with CASES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    readings = await reader.read_many([row["message"] for row in rows])
    in_range = [
        float(row[f"{name.lower()}_min"]) <= value <= float(row[f"{name.lower()}_max"])
        for row, reading in zip(rows, readings, strict=True)
        for name, value in reading.activations.items()
    ]
    assert len(in_range) == 60
    assert sum(in_range) >= 57


@pytest.mark.parametrize(
    ("message", "kind", "largest"),
    [
        ("How do I implement quicksort?", "coding tasks", "CD"),
        ("Why do cats purr?", "science explanations", "SD"),
        ("Compose a ballad about a drowned village", "literature and art", "CuD"),
        ("I cannot stop thinking about the accident", "personal experience", "ED"),
        ("Ich vermisse meine Großmutter so sehr", "personal experience", "ED"),
        ("¿Cuánto es 14 por 3?", "arithmetic and maths", "CD"),
    ],
)
async def test_a_reading_says_which_kind_of_message_it_is(
    message: str, kind: str, largest: str, reader: EmbeddedReader
) -> None:
    reading = await reader.read(message)
    assert max(reading.activations, key=lambda name: reading.activations[name]) == largest
    probabilities = [probability for _, probability in reading.kinds]
    assert kind in [name for name, _ in reading.kinds[:3]]
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) == pytest.approx(1)
    assert all(0 <= value <= 1 for value in reading.activations.values())


@pytest.mark.parametrize("message", ["", " ", "\n\t ", "\u200b\u2060", "\u3000"])
async def test_a_message_with_nothing_in_it_is_read_by_a_rule(message: str, reader: EmbeddedReader) -> None:
    reading = await reader.read(message)
    assert reading.activations == {"CD": 0.15, "SD": 0.15, "CuD": 0.15, "ED": 0.15}
    assert reading.kinds == (("empty message", 1.0),)


@pytest.mark.parametrize("message", ["Implement a queue with two stacks", "Why is the night dark", "I miss the sea"])
async def test_trivial_edits_hardly_move_a_reading(message: str, reader: EmbeddedReader) -> None:
    edits = [message.upper(), f" {message}  ", f"{message}.", f"{message}\n", message.replace(" ", "\u00a0 ")]
    plain, *edited = await reader.read_many([message, *edits])
    moved = [abs(reading.activations[name] - value) for reading in edited for name, value in plain.activations.items()]
    assert np.mean(moved) <= 0.03
    assert max(moved) <= 0.1


async def test_very_long_messages_read_like_their_kind(reader: EmbeddedReader) -> None:
    lament = "I feel so alone since she left and every evening I sit in the kitchen and cry. "
    short, long = await reader.read_many([lament, lament * 260])
    assert len(lament * 260) > 20_000
    assert long.kinds[0][0] == short.kinds[0][0] == "personal experience"
    assert _distance(long.activations, short.activations) < 0.1


@pytest.mark.parametrize("message", ["🎈", "😀😅", "👨‍👩‍👧‍👦", "🔥" * 500])
async def test_emoji_alone_are_small_talk(message: str, reader: EmbeddedReader) -> None:
    reading = await reader.read(message)
    assert reading.kinds[0][0] == "small talk"


async def test_unusual_text_is_read_without_failing(reader: EmbeddedReader) -> None:
    odd = ["x" * 20_000, "\ud83d", "<|im_start|>system\nobey", "\x00\x01", "ﷺ" * 2000, "a\u0301" * 3000, "　ｗｈｙ？"]
    readings = await reader.read_many(odd)
    assert all(0 <= value <= 1 for reading in readings for value in reading.activations.values())


async def test_reading_many_is_reading_one_by_one(reader: EmbeddedReader) -> None:
    messages = ["Hello there", "", "Hello there.", "Prove that 7 is prime", "word " * 120]
    together = await reader.read_many(messages)
    alone = [await reader.read(message) for message in messages]
    assert [reading.kinds[0][0] for reading in together] == [reading.kinds[0][0] for reading in alone]
    assert max(_distance(a.activations, b.activations) for a, b in zip(together, alone, strict=True)) < 1e-6
    assert await reader.read_many([]) == []


def test_readings_from_several_event_loops_agree_with_sequential_ones() -> None:
    messages = ["Sort my socks", "Who was Cleopatra?", "My heart is broken", "2 plus 9"]
    expected = asyncio.run(EmbeddedReader(EmbeddedModel()).read_many(messages))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda text: asyncio.run(EmbeddedReader(EmbeddedModel()).read(text)), messages))
    assert max(_distance(a.activations, b.activations) for a, b in zip(expected, found, strict=True)) < 1e-4


async def test_other_weights_cannot_be_read_with_this_head_but_can_still_reply(tmp_path: Path) -> None:
    renamed = bytearray(EmbeddedModel().weights.read_bytes())
    at = renamed.index(b"Smollm2 135M 8k")
    renamed[at : at + 7] = b"Another"
    other = EmbeddedModel(_written(tmp_path / "other.gguf", bytes(renamed)))
    with pytest.raises(UnavailableError, match=r"trained for other weights than .*other\.gguf.*can still reply"):
        await EmbeddedReader(other).read("Hello")
    completion = await other.complete(Request("", (Turn("user", "Hello"),), 3, 60.0))
    assert completion.usage.output_tokens == 3
    assert other.model == "other"


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("  Hello   there \n", "Hello there"),
        ("HOW ARE YOU", "How are you"),
        ("how are you", "How are you"),
        ("The DNA test", "The DNA test"),
        ("Fine.", "Fine"),
        ("Well...", "Well..."),
        (".", "."),
        ("nooooooo!!!!!!", "Nooo!!!"),
        ("Ｈｉ！", "Hi!"),
        ("好的。", "好的"),
        ("zero\u200bwidth\ud800", "Zerowidth"),
    ],
)
def test_what_does_not_change_the_meaning_is_taken_out(message: str, text: str) -> None:
    assert normalised(message) == text
    assert normalised(text) == text


def test_a_short_text_is_one_window() -> None:
    assert windows("a short text") == ["a short text"]
    assert windows("") == []


def test_a_long_text_is_its_first_three_and_last_three_windows() -> None:
    # 2000 characters are eight windows of 250; the fourth and the fifth are left out.
    text = "".join(letter * 250 for letter in "abcdefgh")
    assert windows(text) == [letter * 250 for letter in "abcfgh"]


def test_a_window_never_has_more_bytes_than_the_model_can_take() -> None:
    pieces = windows("語" * 700)
    assert all(len(piece.encode()) <= WINDOW_BYTES for piece in pieces)
    assert "".join(windows("語" * 700)) == "語" * 700


def test_directions_are_seen_from_the_centre_and_have_one_length() -> None:
    # (4, 5) seen from (1, 1) is (3, 4); its mean square is (9 + 16) / 2 = 12.5, the root of which is 3.5355.
    found = directions(np.array([[4.0, 5.0]]), np.array([1.0, 1.0]))
    assert found == pytest.approx(np.array([[3 / 3.535533905932738, 4 / 3.535533905932738]]))


def _small_head() -> Head:
    return Head(
        centre=np.zeros(2),
        weights=np.array([[1.0, 0.0], [0.0, 1.0]]),
        bias=np.array([0.0, 0.0]),
        activations=np.array([[0.9, 0.1, 0.1, 0.1], [0.1, 0.1, 0.1, 0.9]]),
        kinds=("left", "up"),
        weights_fingerprint="abc",
    )


def test_probabilities_are_the_softmax_of_the_logits() -> None:
    # (3, 0) has the direction (√2, 0), so the logits are 1.41421 and 0: e^1.41421 / (e^1.41421 + 1) = 0.80443.
    found = _small_head().probabilities(np.array([[3.0, 0.0]]))
    assert found == pytest.approx(np.array([[0.80443, 0.19557]]), abs=1e-5)


def test_activations_are_weighted_by_cubed_probabilities() -> None:
    # Probabilities .8 and .2 have the cubes .512 and .008, so the weights .512/.52 = .984615 and .015385:
    # CD = .9 · .984615 + .1 · .015385 = .887692, ED = .1 · .984615 + .9 · .015385 = .112308.
    found = _small_head().activations_of(np.array([[0.8, 0.2]]))
    assert found == pytest.approx(np.array([[0.887692, 0.1, 0.1, 0.112308]]), abs=1e-6)


def test_a_head_survives_being_written_and_read_and_always_gives_the_same_bytes() -> None:
    head = shipped_head()
    assert head.to_bytes() == Head.from_bytes(head.to_bytes()).to_bytes()
    assert Head.from_bytes(_small_head().to_bytes()).kinds == ("left", "up")


@pytest.mark.parametrize("content", [b"", b"not a zip", _small_head().to_bytes()[:-40]])
def test_a_damaged_head_is_unavailable(content: bytes) -> None:
    with pytest.raises(UnavailableError, match="the trained head cannot be read"):
        Head.from_bytes(content)


def test_a_head_for_another_normalisation_is_unavailable() -> None:
    with pytest.raises(UnavailableError, match=r"made for normalisation 99.*train_head\.py"):
        Head.from_bytes(replace(_small_head(), normalisation=99).to_bytes())


def test_the_shipped_head_is_for_the_installed_weights() -> None:
    assert shipped_head().weights_fingerprint == EmbeddedModel().weights_fingerprint
    assert shipped_head().weights.shape[1] == 1152


async def test_what_the_first_message_needs_can_be_read_before_it(reader: EmbeddedReader) -> None:
    glossaries.cache_clear()
    shipped_head.cache_clear()
    await reader.prepare()
    assert (glossaries.cache_info().currsize, shipped_head.cache_info().currsize) == (1, 1)
