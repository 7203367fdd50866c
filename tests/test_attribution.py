"""Which words push which domain: cutting a message, leaving parts out, and finding quoted phrases."""

from __future__ import annotations

from vif.attribution import MOST_PARTS, Push, named, parts, pushes
from vif.domains import DOMAINS


def cut(message: str, most: int = MOST_PARTS) -> list[str]:
    return [message[start:end] for start, end in parts(message, most)]


def test_a_message_is_cut_into_words_with_their_punctuation() -> None:
    assert cut(" How do I,  then? ") == ["How", "do", "I,", "then?"]


def test_scripts_without_spaces_are_cut_by_two_characters() -> None:
    assert cut("实现一个队列 now") == ["实现", "一个", "队列", "now"]


def test_a_long_message_is_cut_into_runs_of_words() -> None:
    message = " ".join(str(number) for number in range(100))
    found = cut(message, 48)
    assert len(found) == 34  # runs of three
    assert found[0] == "0 1 2"
    assert " ".join(found) == message


def test_a_blank_message_has_no_parts() -> None:
    assert cut(" \n") == []


def test_the_domain_of_a_push_is_the_one_it_raises_most() -> None:
    push = Push(0, 3, {"CD": -0.2, "SD": 0.05, "CuD": 0.3, "ED": 0.0})
    assert (push.domain, push.strength) == ("CuD", 0.3)
    assert Push(0, 3, dict.fromkeys(DOMAINS, -0.1)).strength == 0.0


async def test_a_word_of_programming_pushes_the_computational_domain() -> None:
    message = "Tonight I miss the quiet sea. Write a Python function."
    found = {message[push.start : push.end]: push for push in await pushes(message)}
    assert list(found) == message.split()
    assert found["Python"].changes["CD"] > 0
    assert found["Python"].changes["CD"] > found["quiet"].changes["CD"]


async def test_a_blank_message_has_no_pushes() -> None:
    assert await pushes("  ") == ()


def test_quoted_phrases_are_found_whatever_their_case_and_quotes() -> None:
    message = "How do I implement quicksort?"
    found = named(
        message, ['"Implement" asks for code', "“quicksort” is an algorithm", "no quote", '"absent" is not there']
    )
    assert [(message[phrase.start : phrase.end], phrase.pattern) for phrase in found] == [
        ("implement", '"Implement" asks for code'),
        ("quicksort", "“quicksort” is an algorithm"),
    ]


def test_of_overlapping_phrases_the_first_and_longest_counts() -> None:
    found = named("feel like home", ['"feel" is inner', '"feel like" is inner', '"like home" is warm'])
    assert [(phrase.start, phrase.end) for phrase in found] == [(0, 9)]
