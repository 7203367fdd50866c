"""Readings that are remembered, and readings that are shared while they are made; time passes without waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.fakes import FakeModel, FakeRecogniser, answer, in_virtual_time, loop_time, takes
from vif.boundaries import Boundary
from vif.config import DualLlmConfig
from vif.errors import AuthError, InvalidJsonError, ServerError
from vif.llm.protocol import Provider, Usage
from vif.recognition.cache import CachedRecogniser, SingleFlight
from vif.recognition.ladder import Ladder, Recognised
from vif.recognition.recogniser import ChatRecogniser, Question, Read, Recogniser
from vif.state import MemoryState

GOOD = answer()


def ladder_of(first: Recogniser, *others: Recogniser, **settings: Any) -> Ladder:
    """With the first rung's readings remembered, on the loop's time."""
    config = DualLlmConfig(**settings)
    state = MemoryState(config.cache_max_entries, clock=loop_time)
    return Ladder((CachedRecogniser(first, state, config.cache_ttl_s), *others), config, clock=loop_time)


def asking(
    main: Callable[[Ladder], Awaitable[list[Recognised]]], *plans: Any, **settings: Any
) -> tuple[list[Recognised], FakeRecogniser]:
    rung = FakeRecogniser(*plans)

    async def run() -> list[Recognised]:
        return await main(ladder_of(rung, **settings))

    return in_virtual_time(run), rung


def test_a_question_asked_again_is_answered_from_the_cache() -> None:
    async def twice(ladder: Ladder) -> list[Recognised]:
        return [await ladder.recognise(Question("Why?")) for _ in range(2)]

    (first, again), rung = asking(twice, Read(GOOD, Usage(1200, 300), "{}"))
    assert len(rung.questions) == 1
    assert again.answer == GOOD
    recognition = again.recognition
    assert (recognition.source, recognition.cache_hit) == ("cache", True)
    assert (recognition.provider, recognition.model) == ("openai", "gpt-6-luna")
    assert (recognition.attempts, recognition.cost_usd, recognition.fallback_reason) == ((), 0.0, None)
    assert recognition.reasoning == first.recognition.reasoning
    assert (first.recognition.source, first.recognition.cache_hit) == ("llm1", False)


def test_a_cached_answer_expires() -> None:
    async def later(ladder: Ladder) -> list[Recognised]:
        found = [await ladder.recognise(Question("Why?"))]
        for wait in (59.0, 2.0):
            await asyncio.sleep(wait)
            found.append(await ladder.recognise(Question("Why?")))
        return found

    found, _ = asking(later, GOOD, GOOD, cache_ttl_s=60)
    assert [one.recognition.source for one in found] == ["llm1", "cache", "llm1"]


def test_the_cache_holds_as_many_as_the_settings_say() -> None:
    async def three(ladder: Ladder) -> list[Recognised]:
        return [await ladder.recognise(Question(message)) for message in ("a", "b", "b", "a")]

    found, _ = asking(three, GOOD, GOOD, GOOD, cache_max_entries=1)
    assert [one.recognition.source for one in found] == ["llm1", "llm1", "cache", "llm1"]


def test_the_same_message_in_another_conversation_is_another_question() -> None:
    questions = [
        Question("Why?"),
        Question("Why?", {"CD": 0.9}),
        Question("Why?", {"CD": 0.8}),
        Question("Why?", boundaries=(Boundary("CD-SD", frequency=2.0),)),
        Question("Why?", oscillation=True),
    ]

    async def each_twice(ladder: Ladder) -> list[Recognised]:
        return [await ladder.recognise(question) for question in questions * 2]

    found, rung = asking(each_twice, *[answer(CD=0.1 * number) for number in range(5)])
    assert rung.questions == questions
    assert [one.recognition.source for one in found] == ["llm1"] * 5 + ["cache"] * 5
    assert [one.answer for one in found[:5]] == [one.answer for one in found[5:]]


def test_neither_failures_nor_the_answers_of_stand_ins_are_kept() -> None:
    first = FakeRecogniser(AuthError(""), AuthError(""), GOOD)
    other = FakeRecogniser(answer(CD=0.1), AuthError(""), provider=Provider.ANTHROPIC, model="claude-haiku-5-5")

    async def thrice() -> list[str]:
        ladder = ladder_of(first, other)
        return [(await ladder.recognise(Question("Why?"))).recognition.source for _ in range(4)]

    assert in_virtual_time(thrice) == ["secondary", "formula", "llm1", "cache"]


def test_a_reading_that_needed_a_clarified_prompt_is_remembered_for_the_message() -> None:
    async def twice(ladder: Ladder) -> list[Recognised]:
        return [await ladder.recognise(Question("Why?")) for _ in range(2)]

    found, rung = asking(twice, InvalidJsonError("not JSON"), GOOD)
    assert rung.complaints == [None, "not JSON"]
    assert [one.recognition.source for one in found] == ["llm1", "cache"]


def test_a_reading_another_model_gave_is_not_remembered() -> None:
    async def twice(ladder: Ladder) -> list[Recognised]:
        return [await ladder.recognise(Question("Why?")) for _ in range(2)]

    by_other = Read(GOOD, by=(Provider.ANTHROPIC, "claude-haiku-5-5"))
    found, _ = asking(twice, by_other, GOOD)
    assert [one.recognition.source for one in found] == ["secondary", "llm1"]


def test_what_another_version_wrote_is_read_anew() -> None:
    class Foreign(MemoryState):
        async def recall(self, key: str) -> bytes | None:
            return b'{"domains": 3}'

    async def main() -> Read:
        return await CachedRecogniser(FakeRecogniser(GOOD), Foreign(), 60).read(Question("Why?"), None, 1)

    assert in_virtual_time(main).answer is GOOD


def test_two_models_never_share_a_reading() -> None:
    async def main() -> list[float]:
        state = MemoryState()
        rungs = [FakeRecogniser(answer(CD=cd), model=model) for model, cd in (("a", 0.1), ("b", 0.2))]
        reads = [await CachedRecogniser(rung, state, 60).read(Question("Why?"), None, 1) for rung in rungs]
        return [read.answer.domains["CD"] for read in reads]

    assert in_virtual_time(main) == [0.1, 0.2]


def test_another_way_of_asking_and_another_key_are_other_questions() -> None:
    class Thinking(FakeModel):
        identity, account = "openai:gpt-6-luna@api.openai.com effort=high", "a"

    class Foreign(Thinking):
        account = "b"

    def name(model: FakeModel) -> str:
        return CachedRecogniser(SingleFlight(ChatRecogniser(model)), MemoryState(), 60).identity

    assert len({name(FakeModel()), name(Thinking()), name(Foreign())}) == 3
    assert name(Thinking()) == name(Thinking())


# ── Single flight ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_identical_questions_at_the_same_time_are_one_call_and_paid_once() -> None:
    async def main() -> tuple[list[Read], FakeRecogniser]:
        rung = FakeRecogniser(takes(1.0, Read(GOOD, Usage(1200, 300))))
        shared = SingleFlight(rung)
        return await asyncio.gather(*(shared.read(Question("Why?"), None, 5) for _ in range(100))), rung

    reads, rung = in_virtual_time(main)
    assert len(rung.questions) == 1
    assert all(read.answer is GOOD for read in reads)
    assert [read.usage.input_tokens for read in reads] == [1200] + [0] * 99


def test_different_questions_and_later_ones_are_calls_of_their_own() -> None:
    async def main() -> int:
        rung = FakeRecogniser(*[takes(1.0, GOOD) for _ in range(3)])
        shared = SingleFlight(rung)
        await asyncio.gather(*(shared.read(Question(message), None, 5) for message in ("a", "b", "b")))
        await shared.read(Question("b"), None, 5)
        return len(rung.questions)

    assert in_virtual_time(main) == 3


def test_who_leaves_early_does_not_take_the_call_from_the_others() -> None:
    async def main() -> Read:
        shared = SingleFlight(FakeRecogniser(takes(2.0, GOOD)))
        first, second = (asyncio.create_task(shared.read(Question("Why?"), None, 5)) for _ in range(2))
        await asyncio.sleep(1)
        first.cancel()
        return await second

    assert in_virtual_time(main).answer is GOOD


def test_a_call_nobody_waits_for_any_more_is_ended() -> None:
    ended: list[bool] = []

    async def patient() -> Read:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)
        raise AssertionError

    async def main() -> float:
        shared = SingleFlight(FakeRecogniser(patient, GOOD))
        tasks = [asyncio.create_task(shared.read(Question("Why?"), None, 5)) for _ in range(2)]
        await asyncio.sleep(1)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert (await shared.read(Question("Why?"), None, 5)).answer is GOOD
        return loop_time()

    assert in_virtual_time(main) == pytest.approx(1.0)
    assert ended == [True]


def test_a_failure_reaches_all_who_wait_and_is_paid_once() -> None:
    async def failing() -> Read:
        await asyncio.sleep(1)
        raise ServerError("down", usage=Usage(10, 0))

    async def main() -> list[Any]:
        shared = SingleFlight(FakeRecogniser(failing))
        return await asyncio.gather(*(shared.read(Question("Why?"), None, 5) for _ in range(3)), return_exceptions=True)

    errors = in_virtual_time(main)
    assert [str(error) for error in errors] == ["down"] * 3
    assert [error.usage for error in errors] == [Usage(10, 0), None, None]
