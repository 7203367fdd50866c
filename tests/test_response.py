from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from tests.fakes import FakeClock, FakeModel, Plan, Said
from vif.errors import AuthError, ConnectError, ModelTimeoutError, ServerError
from vif.flow import FlowContext, Reading, shape
from vif.llm.protocol import ChatModel, Finish, Provider, Turn, Usage
from vif.prompt import COMPACT_INSTRUCTIONS, INSTRUCTIONS
from vif.response import EMBEDDED_MAX_TOKENS, Reply, request_for, respond

SECRET = "sk-proj-Zq3vT8mWx1LrYb6NdKf0"
CONTEXT: FlowContext = shape("Why?", Reading({"CD": 0.9}, ()))


async def answered(
    *models: ChatModel, history: Sequence[Turn] = (), clock: FakeClock | None = None
) -> list[str | Reply]:
    answer = respond(
        models,
        CONTEXT,
        history=history,
        max_tokens=1024,
        timeout_s=30.0,
        clock=clock.ticking(1.0) if clock else FakeClock(),
    )
    return [item async for item in answer]


async def reply_of(*models: ChatModel) -> Reply:
    last = (await answered(*models))[-1]
    assert isinstance(last, Reply)
    return last


def second(*plans: Plan) -> FakeModel:
    return FakeModel(*plans, provider=Provider.ANTHROPIC, model="claude-sonnet-5-5")


# ── A reply ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_pieces_come_as_they_are_and_then_the_whole() -> None:
    *pieces, reply = await answered(FakeModel(Said(("One ", "two", "."))))
    assert pieces == ["One ", "two", "."]
    assert isinstance(reply, Reply)
    assert reply.text == "One two."


async def test_the_metadata_is_complete() -> None:
    # Every look at the clock takes 1 s: start at 1, asked at 2, first word at 3, end at 4.
    model = FakeModel(Said(("One", "two"), usage=Usage(1200, 300), model="gpt-6-luna-2026-09-01"))
    reply = (await answered(model, clock=FakeClock()))[-1]
    assert isinstance(reply, Reply)
    assert reply.response.model_dump(exclude={"system", "prompt"}) == {
        "provider": "openai",
        "model": "gpt-6-luna-2026-09-01",
        "asked": "gpt-6-luna",
        "latency_ms": 3000.0,
        "first_token_ms": 2000.0,
        "input_tokens": 1200,
        "output_tokens": 300,
        "cost_usd": pytest.approx(0.00027),
        "finish_reason": "stop",
        "error": None,
        "failed_attempts": (),
    }
    assert (reply.response.system, reply.response.prompt) == (INSTRUCTIONS, CONTEXT.prompt)


async def test_the_request_has_the_structured_prompt_last_and_the_history_before_it() -> None:
    model = FakeModel("Because.")
    await answered(model, history=(Turn("user", "Hello"), Turn("assistant", "Hello.")))
    (request,) = model.requests
    assert [turn.role for turn in request.turns] == ["user", "assistant", "user"]
    assert request.turns[-1].text == CONTEXT.prompt
    assert (request.system, request.max_tokens, request.timeout_s) == (INSTRUCTIONS, 1024, 30.0)
    assert request.output_schema is None


def test_the_embedded_model_gets_a_compact_prompt_without_history() -> None:
    embedded = FakeModel(provider=Provider.EMBEDDED, model="Small")
    request = request_for(embedded, CONTEXT, (Turn("user", "Hello"),), max_tokens=1024, timeout_s=30.0)
    assert request.system == COMPACT_INSTRUCTIONS
    assert request.turns == (Turn("user", "Why?\n\n(Answer with concrete steps and logic.)"),)
    assert request.max_tokens == EMBEDDED_MAX_TOKENS
    assert request_for(embedded, CONTEXT, (), max_tokens=100, timeout_s=30.0).max_tokens == 100


async def test_a_reply_at_the_token_limit_is_a_reply_that_says_so() -> None:
    reply = await reply_of(FakeModel(Said(("One",), Finish.LENGTH)))
    assert (reply.response.finish_reason, reply.response.error) == ("length", None)


async def test_a_character_cut_in_two_between_pieces_is_joined() -> None:
    *pieces, reply = await answered(FakeModel(Said(("One \ud83d", "\ude00", "\ud83d", "two \ude00", "\ud83d"))))
    assert pieces == ["One ", "😀", "\ufffdtwo \ufffd"]
    assert isinstance(reply, Reply)
    assert reply.text == "One 😀\ufffdtwo \ufffd"


# ── Failures ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("plan", "text", "error"),
    [
        (AuthError("openai gpt-6-luna: HTTP 401"), "", "openai gpt-6-luna: HTTP 401"),
        (Said(("One",), then=ConnectError("cut off")), "One", "cut off"),
        (Said((), finish=None), "", "gpt-6-luna sent an empty reply"),
        (Said(("One",), finish=None), "One", "gpt-6-luna ended the reply early; it may be incomplete"),
        (Said(("One",), Finish.CUT), "One", "gpt-6-luna ended the reply early; it may be incomplete"),
        (Said((), Finish.CUT), "", "gpt-6-luna sent an empty reply"),
        (Said(()), "", "gpt-6-luna sent an empty reply"),
        (Said((" ", "\n")), " \n", "gpt-6-luna sent an empty reply"),
        (Said((), Finish.REFUSAL), "", "gpt-6-luna declined to answer"),
        (Said(("I would rather not.",), Finish.REFUSAL), "I would rather not.", None),
        (ValueError(SECRET), "", "gpt-6-luna failed unexpectedly (ValueError)"),
    ],
)
async def test_a_failure_is_told_and_what_was_said_is_kept(plan: Plan, text: str, error: str | None) -> None:
    reply = await reply_of(FakeModel(plan))
    assert (reply.text, reply.response.error) == (text, error)


async def test_what_a_failed_reply_cost_is_kept() -> None:
    reply = await reply_of(FakeModel(ServerError("busy", usage=Usage(1200, 300))))
    assert (reply.response.input_tokens, reply.response.output_tokens) == (1200, 300)
    assert reply.response.cost_usd == pytest.approx(0.00027)
    assert reply.response.finish_reason is None


async def test_cancelling_is_not_a_failure_of_the_model() -> None:
    with pytest.raises(asyncio.CancelledError):
        await answered(FakeModel(asyncio.CancelledError()), second("never asked"))


# ── The second responder ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "plan", [ModelTimeoutError("no answer"), Said(()), Said((), Finish.REFUSAL), Said((), finish=None)]
)
async def test_the_second_responder_answers_when_the_first_fails_before_its_first_word(plan: Plan) -> None:
    other = second("Because.")
    reply = await reply_of(FakeModel(plan), other)
    assert (reply.text, reply.response.model, reply.response.error) == ("Because.", "claude-sonnet-5-5", None)
    assert reply.response.provider == "anthropic"


@pytest.mark.parametrize(
    "plan", [Said(("One",), then=ConnectError("cut off")), Said(("One",), Finish.CUT), Said((" ",))]
)
async def test_after_the_first_word_nobody_takes_over(plan: Plan) -> None:
    other = second("Because.")
    reply = await reply_of(FakeModel(plan), other)
    assert other.requests == []
    assert reply.response.error is not None


async def test_when_both_fail_both_are_named() -> None:
    reply = await reply_of(FakeModel(AuthError("wrong key")), second(ServerError("busy")))
    assert reply.response.error == "wrong key; busy"
    assert reply.response.model == "claude-sonnet-5-5"


async def test_each_responder_gets_the_prompt_made_for_it() -> None:
    embedded = FakeModel("Because.", provider=Provider.EMBEDDED, model="Small")
    reply = await reply_of(FakeModel(ServerError("busy")), embedded)
    assert reply.response.system == COMPACT_INSTRUCTIONS


async def test_stopping_early_stops_the_model_at_once() -> None:
    model = FakeModel(Said(("One", "two", "three")))
    answer = respond([model], CONTEXT, max_tokens=9, timeout_s=9.0)
    assert await anext(answer) == "One"
    assert model.streams_closed == 0
    await answer.aclose()
    assert model.streams_closed == 1


async def test_what_the_first_responder_failed_with_is_kept() -> None:
    reply = await reply_of(FakeModel(ServerError("busy", usage=Usage(1200, 0))), second("Because."))
    (failed,) = reply.response.failed_attempts
    assert (failed.model, failed.outcome, failed.error) == ("gpt-6-luna", "server_error", "busy")
    assert (failed.input_tokens, reply.response.error) == (1200, None)
