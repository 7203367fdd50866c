"""The figures of the Operations page, against numbers worked by hand."""

from __future__ import annotations

import pytest

from tests.fakes import FakeClock, FakeModel, Plan, wire_text
from vif.api import VifApi
from vif.config import DualLlmConfig
from vif.errors import AuthError
from vif.llm.protocol import Usage
from vif.telemetry.live import KEPT_SESSIONS, WINDOW_S, LiveBoard
from vif.telemetry.observer import Observers

CALL = 0.00027
"""What every call of a FakeModel costs: gpt-6-luna, 1200 tokens in and 300 out."""


def watched(board: LiveBoard, *llm1: Plan, replies: int = 10, **settings: object) -> VifApi:
    config = DualLlmConfig(**settings)
    responder = FakeModel(*["One."] * replies)
    return VifApi.with_dual_llm(FakeModel(*llm1), responder, config, observer=Observers([board]))


async def test_interactions_are_counted_by_who_read_and_why() -> None:
    board = LiveBoard()
    api = watched(board, wire_text(), AuthError("wrong key"))
    for message in ("one", "one", "two"):
        await api.process(message, session="mine")
    snapshot = board.of("mine").snapshot()
    assert snapshot.sources == {"llm1": 1, "cache": 1, "formula": 1}
    assert snapshot.fallbacks == {"auth": 1}
    assert [snapshot.fallback_rate, snapshot.hit_rate] == pytest.approx([1 / 3, 1 / 3])
    assert snapshot.cost_usd == pytest.approx(4 * CALL)  # one reading and three replies
    assert (snapshot.interactions, snapshot.running, snapshot.stopped, snapshot.unanswered) == (3, 0, 0, 0)
    (failure,) = snapshot.failures
    assert (failure.role, failure.model, failure.reason, failure.error) == (
        "LLM #1",
        "gpt-6-luna",
        "auth",
        "wrong key",
    )


async def test_one_session_does_not_see_another_ones() -> None:
    board = LiveBoard()
    api = watched(board, wire_text())
    await api.process("one", session="mine")
    assert board.of("yours").snapshot().interactions == 0
    assert board.process.snapshot().interactions == 1


async def test_what_is_older_than_the_window_is_gone() -> None:
    clock = FakeClock(1_000.0)
    board = LiveBoard(clock)
    api = watched(board, *[wire_text()] * 2)
    await api.process("one")
    clock.now += WINDOW_S - 1
    await api.process("two")
    assert board.process.snapshot().interactions == 2
    clock.now += 2
    assert board.process.snapshot().interactions == 1


async def test_an_interaction_its_user_left_is_counted_as_stopped() -> None:
    board = LiveBoard()
    events = watched(board, wire_text()).stream("one")
    await anext(events)
    assert board.process.snapshot().running == 1
    await events.aclose()
    snapshot = board.process.snapshot()
    assert (snapshot.running, snapshot.stopped, snapshot.interactions) == (0, 1, 0)


async def test_who_leaves_after_the_last_event_has_not_stopped_anything() -> None:
    board = LiveBoard()
    await watched(board, wire_text()).process("one")
    assert board.process.snapshot().stopped == 0


async def test_an_answer_given_again_does_not_count_the_reading_again() -> None:
    board = LiveBoard()
    api = watched(board, AuthError("wrong key"))
    first = await api.process("one")
    async for _ in api.answer_again(first):
        pass
    snapshot = board.process.snapshot()
    assert snapshot.interactions == 2
    assert (len(snapshot.failures), snapshot.fallbacks) == (1, {"auth": 1})
    assert snapshot.fallback_rate == 1.0


async def test_a_failed_reply_is_paid_once() -> None:
    board = LiveBoard()
    failure = AuthError("wrong key", usage=Usage(1200, 300))
    api = VifApi(FakeModel(failure), observer=Observers([board]))
    await api.process("one")
    snapshot = board.process.snapshot()
    assert snapshot.cost_usd == pytest.approx(CALL)
    assert snapshot.unanswered == 1
    assert [one.role for one in snapshot.failures] == ["LLM #2"]


async def test_a_failure_is_shown_without_any_words_of_the_message() -> None:
    board = LiveBoard()
    await watched(board, *[wire_text(patterns="my doctor said")] * 3).process("my doctor said I am well")
    for failure in board.process.snapshot().failures:
        assert (failure.reason, failure.error) == ("schema", 'patterns is "…"')
    assert len(board.process.snapshot().failures) == 3


async def test_numbers_in_an_unusable_answer_are_shown() -> None:
    board = LiveBoard()
    activations = {"CD": 1.5, "SD": 0.25, "CuD": 0.25, "ED": 0.25}
    await watched(board, wire_text(domains=activations), wire_text()).process("Why?")
    (failure,) = board.process.snapshot().failures
    assert failure.error.startswith("domains.CD is 1.5")


async def test_a_session_that_was_forgotten_while_it_was_asking_runs_nothing_afterwards() -> None:
    board = LiveBoard()
    events = watched(board, wire_text()).stream("one", session="mine")
    await anext(events)
    for number in range(KEPT_SESSIONS):
        board.of(str(number))
    await events.aclose()
    assert board.of("mine").snapshot().running == 0
    assert board.process.snapshot().running == 0


def test_sessions_that_are_long_gone_take_no_memory() -> None:
    board = LiveBoard()
    for number in range(KEPT_SESSIONS + 50):
        board.of(str(number))
    assert len(board._sessions) == KEPT_SESSIONS
