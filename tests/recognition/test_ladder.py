"""The outcome table of LLM #1, the division of time and the record; time passes without waiting."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.fakes import (
    FakeModel,
    FakeRecogniser,
    Plan,
    Said,
    answer,
    hang,
    in_virtual_time,
    loop_time,
    takes,
    wire_answer,
    wire_text,
)
from vif.config import DualLlmConfig
from vif.errors import (
    AuthError,
    BadRequestError,
    ConnectError,
    DeadlineError,
    InvalidJsonError,
    ModelError,
    ModelNotFoundError,
    ModelTimeoutError,
    RateLimitError,
    Reason,
    RefusalError,
    SchemaError,
    ServerError,
    TruncatedError,
    UnavailableError,
)
from vif.llm.protocol import Finish, Provider, Usage
from vif.recognition.ladder import Ladder, Recognised
from vif.recognition.recogniser import ChatRecogniser, Question, Read, Recogniser

SECRET = "sk-proj-Zq3vT8mWx1LrYb6NdKf0"
GOOD = answer()


def ladder_of(*rungs: Recogniser, jitter: float = 0.5, **settings: Any) -> Ladder:
    """On the loop's time; with a jitter of 0.5 the back-off is 0.2 s, 0.4 s, 0.8 s …"""
    return Ladder(rungs, DualLlmConfig(**settings), clock=loop_time, jitter=lambda: jitter)


def climb(*rungs: Recogniser, jitter: float = 0.5, **settings: Any) -> Recognised:
    """One message up a new ladder."""

    async def main() -> Recognised:
        return await ladder_of(*rungs, jitter=jitter, **settings).recognise(Question("Why?"))

    return in_virtual_time(main)


def outcomes(found: Recognised) -> list[str]:
    return [attempt.outcome for attempt in found.recognition.attempts]


def seconds(found: Recognised) -> float:
    """How long it all took, in virtual seconds."""
    return found.recognition.latency_ms / 1000


def second(*plans: Any, **attributes: Any) -> FakeRecogniser:
    return FakeRecogniser(*plans, provider=Provider.ANTHROPIC, model="claude-haiku-5-5", **attributes)


def embedded(*plans: Any) -> FakeRecogniser:
    return FakeRecogniser(*plans, provider=Provider.EMBEDDED, model="Small", attempts=1)


# ── Rungs ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_first_rung_reads_when_it_can() -> None:
    idle = second()
    found = climb(FakeRecogniser(GOOD), idle)
    assert found.answer is GOOD
    recognition = found.recognition
    assert (recognition.source, recognition.provider, recognition.model) == ("llm1", "openai", "gpt-6-luna")
    assert (recognition.reasoning, recognition.patterns) == ("because", ("a pattern",))
    assert (recognition.fallback_reason, recognition.cache_hit) == (None, False)
    assert outcomes(found) == ["ok"]
    assert idle.questions == []


def test_the_second_rung_reads_when_the_first_cannot() -> None:
    found = climb(FakeRecogniser(AuthError("wrong key")), second(GOOD))
    assert found.answer is GOOD
    assert (found.recognition.source, found.recognition.model) == ("secondary", "claude-haiku-5-5")
    assert found.recognition.fallback_reason is Reason.AUTH
    assert outcomes(found) == ["auth", "ok"]


def test_an_embedded_rung_is_called_so_wherever_it_stands() -> None:
    assert climb(embedded(GOOD)).recognition.source == "embedded"
    assert climb(FakeRecogniser(AuthError("")), embedded(GOOD)).recognition.source == "embedded"


def test_below_the_last_rung_is_the_formula() -> None:
    found = climb(FakeRecogniser(AuthError("")), second(BadRequestError("")), embedded(UnavailableError("")))
    assert found.answer is None
    recognition = found.recognition
    assert (recognition.source, recognition.provider, recognition.model) == ("formula", None, None)
    assert outcomes(found) == ["auth", "not_configured", "not_configured"]


def test_the_reason_is_why_the_first_rung_was_given_up() -> None:
    found = climb(FakeRecogniser(ServerError(""), RateLimitError("", retry_after_s=99)), second(AuthError("")))
    assert found.recognition.fallback_reason is Reason.RATE_LIMIT


def test_a_first_rung_that_recovers_is_no_fallback() -> None:
    found = climb(FakeRecogniser(ServerError(""), GOOD))
    assert (found.recognition.source, found.recognition.fallback_reason) == ("llm1", None)


def test_a_ladder_without_rungs_says_that_nothing_is_configured() -> None:
    found = climb()
    assert (found.recognition.source, found.recognition.fallback_reason) == ("formula", Reason.NOT_CONFIGURED)


def test_closing_the_ladder_closes_every_rung() -> None:
    rungs = FakeRecogniser(), second()
    in_virtual_time(lambda: ladder_of(*rungs).aclose())
    assert [rung.closed for rung in rungs] == [1, 1]


# ── The outcome table, from the model's words on ────────────────────────────────────────────────────────────────────


def asked(*plans: Plan) -> tuple[Recognised, FakeModel]:
    chat = FakeModel(*plans)
    return climb(ChatRecogniser(chat)), chat


def without(part: str, key: str) -> str:
    value = wire_answer()
    del value[part][key]
    return json.dumps(value)


ACCEPTED = {
    "as agreed": wire_text(),
    "wrapped in a Markdown fence": f"```json\n{wire_text()}\n```",
    "unknown extra keys": wire_text(confidence=0.9, mood="good"),
}

ASKED_AGAIN = {
    "prose": (Said(("It is mostly computational.",)), "invalid_json", "the answer was not JSON"),
    "empty": (Said(()), "invalid_json", "the answer was empty"),
    "truncated by length": (Said((wire_text(),), Finish.LENGTH), "truncated", "cut off at the token limit"),
    "stream cut": (Said((wire_text()[:99],), Finish.CUT), "truncated", "the answer stops in the middle"),
    "refusal": (Said(("No.",), Finish.REFUSAL), "refusal", "the model declined to answer"),
    "missing domain": (Said((without("domains", "ED"),)), "schema", "domains.ED is missing"),
    "missing boundary": (Said((without("boundaries", "SD-CuD"),)), "schema", "boundaries.SD-CuD is missing"),
    "NaN": (Said((wire_text().replace("0.25", "NaN", 1),)), "schema", "domains.CD is NaN"),
    "out of range": (Said((wire_text().replace("0.25", "1.25", 1),)), "schema", "domains.CD is 1.25"),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_can_be_used_is_accepted_at_once(name: str) -> None:
    found, chat = asked(ACCEPTED[name])
    assert (found.recognition.source, outcomes(found), len(chat.requests)) == ("llm1", ["ok"], 1)
    assert found.recognition.corrections == ()


@pytest.mark.parametrize("name", ASKED_AGAIN)
def test_what_cannot_be_used_is_asked_for_again_at_once_with_the_fault_named(name: str) -> None:
    said, outcome, complaint = ASKED_AGAIN[name]
    found, chat = asked(said, wire_text())
    assert outcomes(found) == [outcome, "ok"]
    first, again = (request.turns[0].text for request in chat.requests)
    assert "<correction>" not in first
    assert complaint in again.split("<correction>")[1].split("</correction>")[0]
    assert again.endswith(first)  # the message stays last
    assert chat.requests[0].system == chat.requests[1].system
    assert seconds(found) == 0.0
    failed = found.recognition.attempts[0]
    assert (failed.raw_text, failed.input_tokens, failed.output_tokens) == (said.text, 1200, 300)
    assert complaint in (failed.error or "")


@pytest.mark.parametrize("name", ASKED_AGAIN)
def test_what_never_can_be_used_ends_at_the_formula_with_its_reason(name: str) -> None:
    said, outcome, _ = ASKED_AGAIN[name]
    found, _ = asked(said, said, said)
    assert outcomes(found) == [outcome] * 3
    assert (found.recognition.source, found.recognition.fallback_reason) == ("formula", outcome)


def test_corrections_are_accepted_and_recorded() -> None:
    value = wire_answer()
    value["boundaries"]["CD-SD"] = {"permeability": 0.9, "status": "Transcendent"}
    found, _ = asked(json.dumps(value))
    assert outcomes(found) == ["ok"]
    assert [(c.boundary, c.field, c.given, c.used) for c in found.recognition.corrections] == [
        ("CD-SD", "permeability", 0.9, 0.25),
        ("CD-SD", "status", "Transcendent", "Maintained"),
    ]


# ── The outcome table, from the provider's errors on ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("error", [AuthError, ModelNotFoundError, BadRequestError, UnavailableError, DeadlineError])
def test_what_will_not_get_better_is_not_tried_again(error: type[ModelError]) -> None:
    found = climb(FakeRecogniser(error("no")), second(GOOD))
    assert outcomes(found) == [error.reason, "ok"]
    assert seconds(found) == 0.0


@pytest.mark.parametrize("error", [ServerError, ConnectError, ModelTimeoutError, RateLimitError])
def test_what_may_get_better_is_tried_again_after_a_growing_wait(error: type[ModelError]) -> None:
    found = climb(FakeRecogniser(error("a"), error("b"), error("c")), second(GOOD))
    assert outcomes(found) == [error.reason] * 3 + ["ok"]
    assert seconds(found) == pytest.approx(0.2 + 0.4)  # and no wait after the last


@pytest.mark.parametrize(("jitter", "wait"), [(0.0, 0.1), (0.5, 0.2), (1.0, 0.3)])
def test_the_wait_is_spread(jitter: float, wait: float) -> None:
    assert seconds(climb(FakeRecogniser(ServerError(""), GOOD), jitter=jitter)) == pytest.approx(wait)


@pytest.mark.parametrize("retries", [0, 1, 4])
def test_the_settings_say_how_often_to_try(retries: int) -> None:
    rung = FakeRecogniser(*[ServerError("") for _ in range(retries + 1)])
    assert outcomes(climb(rung, llm1_max_retries=retries)) == ["server_error"] * (retries + 1)


def test_a_rung_can_ask_not_to_be_tried_again() -> None:
    assert outcomes(climb(embedded(ServerError("")))) == ["server_error"]


def test_a_rate_limit_waits_as_long_as_the_provider_asks_when_that_fits() -> None:
    found = climb(FakeRecogniser(RateLimitError("", retry_after_s=3.0), GOOD))
    assert outcomes(found) == ["rate_limit", "ok"]
    assert seconds(found) == pytest.approx(3.0)


def test_a_rate_limit_that_may_pass_at_once_is_tried_at_once() -> None:
    assert seconds(climb(FakeRecogniser(RateLimitError("", retry_after_s=0.0), GOOD))) == 0.0


def test_a_rate_limit_that_does_not_fit_the_deadline_goes_to_the_next_rung_at_once() -> None:
    # 12 s for two rungs: the first has 6.
    found = climb(FakeRecogniser(RateLimitError("", retry_after_s=6.0)), second(GOOD))
    assert outcomes(found) == ["rate_limit", "ok"]
    assert seconds(found) == 0.0
    assert found.recognition.fallback_reason is Reason.RATE_LIMIT


def test_a_complaint_is_made_once() -> None:
    rung = FakeRecogniser(SchemaError("domains.CD is missing"), ServerError("busy"), GOOD)
    climb(rung)
    assert rung.complaints == [None, "domains.CD is missing", None]


@pytest.mark.parametrize("error", [ValueError, KeyError, RuntimeError, RecursionError, OSError, AssertionError])
def test_an_error_nobody_foresaw_is_a_server_error_without_its_words(error: type[Exception]) -> None:
    found = climb(FakeRecogniser(error(SECRET), error(SECRET), error(SECRET)))
    assert outcomes(found) == ["server_error"] * 3
    assert found.recognition.attempts[0].error == f"gpt-6-luna failed unexpectedly ({error.__name__})"
    assert SECRET not in found.recognition.model_dump_json()


def test_a_time_out_from_inside_is_a_time_out() -> None:
    assert outcomes(climb(FakeRecogniser(TimeoutError(), GOOD))) == ["timeout", "ok"]


# ── Time ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_rung_that_hangs_is_ended_at_its_time_out_and_the_ladder_at_the_deadline() -> None:
    rung = FakeRecogniser(hang, hang, hang)
    found = climb(rung)
    # 5 s, 0.2 s wait, 5 s, 0.4 s wait, and what is left of 12 s: 1.4 s
    assert outcomes(found) == ["timeout", "timeout", "deadline"]
    assert rung.allowed_s == pytest.approx([5.0, 5.0, 1.4])
    assert seconds(found) == pytest.approx(12.0)
    assert [attempt.error for attempt in found.recognition.attempts] == [
        "gpt-6-luna gave no answer within 5 s",
        "gpt-6-luna gave no answer within 5 s",
        "gpt-6-luna had 1.4 s left and gave no answer",
    ]
    assert [attempt.latency_ms for attempt in found.recognition.attempts] == pytest.approx([5000, 5000, 1400])


def test_each_rung_over_the_network_has_an_equal_share() -> None:
    first, other = FakeRecogniser(hang, hang), second(hang, GOOD)
    found = climb(first, other)
    # 6 s each: 5 + 0.2 + 0.8; then 5 + 0.2 and an answer
    assert first.allowed_s == pytest.approx([5.0, 0.8])
    assert other.allowed_s == pytest.approx([5.0, 0.8])
    assert outcomes(found) == ["timeout", "deadline", "timeout", "ok"]
    assert seconds(found) == pytest.approx(6.0 + 5.2)


def test_time_that_is_not_used_goes_to_the_next_rung() -> None:
    other = second(hang, hang, hang)
    found = climb(FakeRecogniser(AuthError("")), other)
    assert other.allowed_s == pytest.approx([5.0, 5.0, 1.4])
    assert seconds(found) == pytest.approx(12.0)


def test_a_tenth_of_the_time_is_kept_for_the_embedded_rung() -> None:
    first, last = FakeRecogniser(hang, hang, hang), embedded(GOOD)
    found = climb(first, last)
    # 12 − 1.2 = 10.8 s: 5 + 0.2 + 5 + 0.4 + 0.2
    assert first.allowed_s == pytest.approx([5.0, 5.0, 0.2])
    assert last.allowed_s == pytest.approx([1.2])
    assert found.recognition.source == "embedded"


def test_three_rungs_share_what_the_embedded_one_leaves() -> None:
    first, other, last = FakeRecogniser(hang, hang), second(hang, hang), embedded(hang)
    found = climb(first, other, last)
    # (12 − 1.2)/2 = 5.4 s each; 0.2 s of back-off leaves 0.2 s for a second try
    assert first.allowed_s == pytest.approx([5.0, 0.2])
    assert other.allowed_s == pytest.approx([5.0, 0.2])
    assert last.allowed_s == pytest.approx([1.2])
    assert seconds(found) == pytest.approx(12.0)
    assert outcomes(found) == ["timeout", "deadline", "timeout", "deadline", "deadline"]
    assert found.recognition.source == "formula"


def test_an_embedded_rung_alone_may_take_a_whole_attempt() -> None:
    rung = embedded(GOOD)
    climb(rung)
    assert rung.allowed_s == pytest.approx([5.0])


def test_no_wait_reaches_over_the_end() -> None:
    # 1.1 s, then a wait of 0.2 s would end after 1.25 s.
    found = climb(FakeRecogniser(takes(1.1, GOOD)), llm1_deadline_ms=1_000)
    assert outcomes(found) == ["deadline"]

    async def late() -> Any:
        await asyncio.sleep(0.9)
        raise ServerError("busy")

    found = climb(FakeRecogniser(late), llm1_deadline_ms=1_000)
    assert outcomes(found) == ["server_error"]
    assert seconds(found) == pytest.approx(0.9)


def test_a_slow_answer_within_its_time_is_an_answer() -> None:
    found = climb(FakeRecogniser(takes(4.9, GOOD)))
    assert outcomes(found) == ["ok"]
    assert found.recognition.latency_ms == pytest.approx(4900)
    assert found.recognition.attempts[0].latency_ms == pytest.approx(4900)


def test_cancelling_the_caller_cancels_the_call() -> None:
    cancelled: list[str] = []

    async def patient() -> Any:
        try:
            await asyncio.sleep(3)
        except asyncio.CancelledError:
            cancelled.append("the call")
            raise

    async def main() -> None:
        idle = second(GOOD)
        task = asyncio.create_task(ladder_of(FakeRecogniser(patient), idle).recognise(Question("Why?")))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert idle.questions == []

    in_virtual_time(main)
    assert cancelled == ["the call"]


def test_many_messages_climb_at_once() -> None:
    async def main() -> float:
        rung = FakeRecogniser(*[takes(2.0, GOOD) for _ in range(50)])
        ladder = ladder_of(rung)
        found = await asyncio.gather(*(ladder.recognise(Question(str(number))) for number in range(50)))
        assert all(one.answer is GOOD for one in found)
        return loop_time()

    assert in_virtual_time(main) == pytest.approx(2.0)


# ── Record ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_attempt_is_recorded_with_its_tokens_cost_and_words() -> None:
    failed = InvalidJsonError("not JSON", raw_text="Well …", usage=Usage(1200, 300))
    found = climb(FakeRecogniser(failed, AuthError("wrong key")), second(Read(GOOD, Usage(2400, 600), "{…}")))
    assert [
        attempt.model_dump(exclude={"latency_ms", "started_ms", "shared"}) for attempt in found.recognition.attempts
    ] == [
        {
            "provider": "openai",
            "model": "gpt-6-luna",
            "outcome": "invalid_json",
            "error": "not JSON",
            "input_tokens": 1200,
            "output_tokens": 300,
            "cost_usd": pytest.approx(0.00027),
            "raw_text": "Well …",
        },
        {
            "provider": "openai",
            "model": "gpt-6-luna",
            "outcome": "auth",
            "error": "wrong key",
            "input_tokens": 0,
            "output_tokens": 0,
            "cost_usd": 0.0,
            "raw_text": "",
        },
        {
            "provider": "anthropic",
            "model": "claude-haiku-5-5",
            "outcome": "ok",
            "error": None,
            "input_tokens": 2400,
            "output_tokens": 600,
            "cost_usd": pytest.approx(0.00054),
            "raw_text": "{…}",
        },
    ]
    assert found.recognition.cost_usd == pytest.approx(0.00027 + 0.00054)


def test_the_cost_is_unknown_when_a_price_is() -> None:
    found = climb(FakeRecogniser(Read(GOOD, Usage(1, 1)), model="gpt-99"))
    assert found.recognition.attempts[0].cost_usd is None
    assert found.recognition.cost_usd is None


def test_every_reason_of_the_contract_that_a_call_can_have_ends_at_the_formula() -> None:
    errors = [RefusalError, TruncatedError, InvalidJsonError, SchemaError, ServerError, ConnectError, RateLimitError]
    errors += [ModelTimeoutError, AuthError, BadRequestError, DeadlineError]
    for error in errors:
        found = climb(FakeRecogniser(error("x")), llm1_max_retries=0)
        assert (found.answer, found.recognition.fallback_reason) == (None, error.reason)


def test_time_outs_that_use_up_the_deadline_are_told_as_time_outs() -> None:
    found = climb(FakeRecogniser(hang, hang, hang))
    assert outcomes(found) == ["timeout", "timeout", "deadline"]
    assert found.recognition.fallback_reason is Reason.TIMEOUT
