"""What holds an interaction together when models fail: the wrappers as `VifApi` stacks them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.fakes import FakeModel, Plan, Said, in_virtual_time, loop_time, wire_text
from vif.api import VifApi
from vif.config import Access, DualLlmConfig
from vif.connection import connect
from vif.errors import AuthError, ServerError
from vif.flow import read_formula, shape
from vif.interaction import Interaction
from vif.llm.protocol import Provider, Request
from vif.llm.retry import Retry
from vif.recognition.drill import Fault
from vif.response import Reply, respond
from vif.state import MemoryState

ANTHROPIC = {"provider": Provider.ANTHROPIC, "model": "claude-haiku-5-5"}


def dual(llm1: Any, *llm2: Plan, state: MemoryState | None = None, **settings: Any) -> VifApi:
    return VifApi.with_dual_llm(llm1, FakeModel(*llm2), DualLlmConfig(**settings), state=state)


def outcomes(interaction: Interaction) -> list[str]:
    return [attempt.outcome for attempt in interaction.recognition.attempts]


async def test_a_reader_that_keeps_failing_is_left_alone_and_the_formula_reads() -> None:
    reader = FakeModel(*[AuthError("wrong key")] * 5)
    api = dual(reader, *["One."] * 7)
    reasons = [(await api.process(str(number))).recognition.fallback_reason for number in range(7)]
    assert reasons == ["auth"] * 5 + ["circuit_open"] * 2
    assert len(reader.requests) == 5


async def test_an_open_circuit_goes_to_the_next_rung_without_waiting() -> None:
    other = FakeModel(*[wire_text()] * 2, **ANTHROPIC)  # type: ignore[arg-type]
    api = dual([FakeModel(AuthError("wrong key")), other], "One.", "Two.", breaker_failures=1)
    await api.process("one")
    interaction = await api.process("two")
    assert outcomes(interaction) == ["circuit_open", "ok"]
    assert interaction.recognition.source == "secondary"
    assert interaction.recognition.fallback_reason == "circuit_open"


async def test_the_same_model_answers_although_it_keeps_failing_to_read() -> None:
    same = FakeModel(AuthError("wrong key"), "One.", "Two.")
    api = VifApi.with_dual_llm(same, same, DualLlmConfig(breaker_failures=1))
    assert [(await api.process(message)).reply for message in ("one", "two")] == ["One.", "Two."]


async def test_two_apis_that_share_a_state_share_circuits_and_readings() -> None:
    state = MemoryState()
    one, two = (dual(FakeModel(wire_text()), "One.", state=state) for _ in range(2))
    assert (await one.process("Why?")).recognition.source == "llm1"
    assert (await two.process("Why?")).recognition.source == "cache"


async def test_two_apis_without_a_state_share_nothing() -> None:
    for _ in range(2):
        assert (await dual(FakeModel(wire_text()), "One.").process("Why?")).recognition.source == "llm1"


async def test_without_caching_every_message_is_read_anew_also_at_the_same_time() -> None:
    reader = FakeModel(*[wire_text()] * 3)
    api = dual(reader, *["One."] * 3, enable_caching=False)
    await asyncio.gather(*(api.process("Why?") for _ in range(3)))
    assert len(reader.requests) == 3


async def test_identical_messages_at_the_same_time_are_read_once() -> None:
    reader = FakeModel(wire_text())
    api = dual(reader, *["One."] * 10)
    interactions = await asyncio.gather(*(api.process("Why?") for _ in range(10)))
    assert len(reader.requests) == 1
    costs = [interaction.recognition.cost_usd or 0.0 for interaction in interactions]
    assert sum(cost > 0 for cost in costs) == 1


async def test_with_the_budget_used_up_the_formula_reads_and_llm2_says_so() -> None:
    api = dual(FakeModel(wire_text()), "One.", budget_usd_per_session=0.0003)
    first = await api.process("one")
    assert first.recognition.fallback_reason is None
    second = await api.process("two")
    assert (second.recognition.source, second.recognition.fallback_reason) == ("formula", "budget")
    assert second.response is not None
    assert second.response.error is not None
    assert "the budget for this session is used up" in second.response.error
    assert "VIF_BUDGET_USD_PER_SESSION" in second.response.error


async def test_each_session_has_its_own_budget() -> None:
    api = dual(FakeModel(*[wire_text()] * 2), "One.", "Two.", budget_usd_per_session=0.0003)
    for session in ("a", "b"):
        assert (await api.process(session, session=session)).recognition.source == "llm1"
    assert (await api.process("again", session="a")).recognition.fallback_reason == "budget"


async def test_the_embedded_rung_reads_when_the_money_is_gone() -> None:
    free = FakeModel(wire_text(), provider=Provider.EMBEDDED, model="Small")
    api = dual([FakeModel(), free], "One.", budget_usd_per_day=0.0)
    recognition = (await api.process("Why?")).recognition
    assert (recognition.source, recognition.fallback_reason) == ("embedded", "budget")


async def test_a_reply_that_fails_before_its_first_word_is_asked_for_again_and_told() -> None:
    interaction = await dual(FakeModel(wire_text()), ServerError("busy"), "One.").process("Why?")
    response = interaction.response
    assert response is not None
    assert (interaction.reply, response.error) == ("One.", None)
    assert [(a.outcome, a.error) for a in response.failed_attempts] == [("server_error", "busy")]


async def test_all_attempts_for_a_reply_are_kept_when_none_succeeds() -> None:
    api = dual(FakeModel(wire_text()), ServerError("one"), Said(then=ServerError("two")))
    response = (await api.process("Why?")).response
    assert response is not None
    assert [attempt.error for attempt in response.failed_attempts] == ["one", "two"]


def test_each_failed_attempt_for_a_reply_has_its_own_beginning_and_length() -> None:
    async def slowly(_request: Request) -> Said:
        await asyncio.sleep(1.0)
        return Said(then=ServerError("busy"))

    async def main() -> list[tuple[float, float]]:
        retry = Retry(FakeModel(slowly, slowly), 1, clock=loop_time, jitter=lambda: 0.5)
        context = shape("Why?", read_formula(0.55))
        asking = respond([retry], context, max_tokens=10, timeout_s=30.0, clock=loop_time)
        (reply,) = [item async for item in asking]
        assert isinstance(reply, Reply)
        return [(one.started_ms, one.latency_ms) for one in reply.response.failed_attempts]

    # One second, 0.2 s of waiting, another second.
    assert in_virtual_time(main) == [pytest.approx((0, 1000)), pytest.approx((1200, 1000))]


async def test_an_interaction_has_the_id_its_requests_were_made_for() -> None:
    reader, responder = FakeModel(wire_text()), FakeModel("One.")
    interaction = await VifApi.with_dual_llm(reader, responder).process("Why?", session="mine")
    callers = {request.caller for request in (*reader.requests, *responder.requests)}
    (caller,) = callers
    assert (caller.interaction, caller.session) == (interaction.id, "mine")


def test_connected_apis_share_the_state_of_the_process() -> None:
    config = DualLlmConfig.preset("offline")
    one, two = connect(config, Access()), connect(config, Access())
    apart = connect(config, Access(), state=MemoryState())
    assert one._guards.state is two._guards.state
    assert apart._guards.state is not one._guards.state


# ── The drill ───────────────────────────────────────────────────────────────────────────────────────────────────────

REASONS = {
    Fault.TIME_OUT: "timeout",
    Fault.HANG: "timeout",
    Fault.AUTH: "auth",
    Fault.RATE_LIMIT: "rate_limit",
    Fault.SERVER_ERROR: "server_error",
    Fault.PROSE: "invalid_json",
    Fault.OUT_OF_RANGE: "schema",
}


@pytest.mark.parametrize("fault", REASONS)
def test_a_drill_shows_each_fault_and_the_answers_keep_coming(fault: Fault) -> None:
    async def main() -> list[Interaction]:
        model = FakeModel("One.", "Two.")
        api = VifApi.with_dual_llm(FakeModel(), model, DualLlmConfig(llm1_max_retries=1), drill=fault)
        return [await api.process(message) for message in ("one", "two")]

    first, second = in_virtual_time(main)
    assert [i.reply for i in (first, second)] == ["One.", "Two."]
    assert (first.recognition.source, first.recognition.fallback_reason) == ("formula", REASONS[fault])
    assert all(attempt.model == "gpt-6-luna" for attempt in first.recognition.attempts)


def test_a_drill_with_a_hanging_model_opens_the_circuit() -> None:
    async def main() -> list[list[str]]:
        model = FakeModel(*["One."] * 3)
        api = VifApi.with_dual_llm(FakeModel(), model, DualLlmConfig(), drill=Fault.HANG)
        return [outcomes(await api.process(str(number))) for number in range(3)]

    first, second, third = in_virtual_time(main)
    assert first == ["timeout"] * 3
    assert second == ["timeout", "timeout", "circuit_open"]  # the fifth failure in a row opens it
    assert third == ["circuit_open"]


def test_a_flapping_model_is_helped_by_retries() -> None:
    async def main() -> list[Interaction]:
        api = VifApi.with_dual_llm(
            FakeModel(*[wire_text()] * 2), FakeModel("One.", "Two."), DualLlmConfig(), drill=Fault.FLAPPING
        )
        return [await api.process(str(number)) for number in range(2)]

    for interaction in in_virtual_time(main):
        assert outcomes(interaction) == ["server_error", "server_error", "ok"]
        assert interaction.recognition.source == "llm1"


def test_a_drill_does_not_touch_the_state_of_the_others() -> None:
    config = DualLlmConfig.preset("offline")
    api = connect(config, Access(), drill=Fault.AUTH)
    assert api._guards.state is not connect(config, Access())._guards.state


async def test_circuits_and_spending_can_be_looked_at() -> None:
    api = dual(FakeModel(AuthError("wrong key")), "One.", breaker_failures=1)
    await api.process("Why?")
    by_role = {circuit.role: circuit.state for circuit in await api.circuits()}
    assert by_role == {"llm1": "open", "llm2": "closed"}
    assert (await api.spent()).session == 0.0
