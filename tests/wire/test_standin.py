"""The stand-in refuses what the real providers refuse; otherwise the tests over it would prove little."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from random import Random
from typing import Any

import httpx2
import pytest

from tests.standin import REPLY, Latency, Mix, Standin
from tests.wire.dialects import bounds_fault, strict_fault
from tests.wire.plans import FAULTS
from tests.wire.schema import READING_SCHEMA

CHAT: dict[str, Any] = {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "hi"}]}
MESSAGE: dict[str, Any] = {"model": "claude-haiku-5-5", "max_tokens": 9, "messages": CHAT["messages"]}


@pytest.mark.parametrize(
    ("path", "body", "complaint"),
    [
        ("/v1/chat/completions", CHAT | {"max_tokens": 9}, "max_completion_tokens"),
        ("/v1/chat/completions", CHAT | {"messages": []}, "must not be empty"),
        (
            "/v1/chat/completions",
            CHAT | {"response_format": {"json_schema": {"strict": True, "schema": {"type": "object"}}}},
            "additionalProperties",
        ),
        ("/v1/messages", CHAT, "max_tokens: Field required"),
        ("/v1/messages", MESSAGE | {"temperature": 0}, "temperature"),
        ("/v1/messages", MESSAGE | {"messages": [{"role": "assistant", "content": "I"}]}, "last message"),
        ("/v1/messages", MESSAGE | {"system": [{"type": "text", "text": ""}]}, "non-empty"),
        (
            "/v1/messages",
            MESSAGE | {"output_config": {"format": {"schema": dict(READING_SCHEMA.schema)}}},
            "property 'minimum' is not supported",
        ),
        (
            "/v1/messages",
            MESSAGE | {"model": "claude-opus-5-5", "thinking": {"type": "disabled"}},
            "thinking.type.disabled",
        ),
        (
            "/v1/messages",
            MESSAGE | {"model": "claude-sonnet-5-5", "thinking": {"type": "disabled"}},
            "thinking.type.disabled",
        ),
    ],
)
async def test_what_a_provider_refuses_is_refused(
    standin: Standin, path: str, body: dict[str, Any], complaint: str
) -> None:
    async with httpx2.AsyncClient(base_url=standin.base_url("anthropic")) as client:
        answer = await client.post(path, json=body)
    assert answer.status_code == 400
    assert complaint in answer.text


async def test_a_missing_or_wrong_key_is_refused_when_one_is_expected(standin: Standin) -> None:
    standin.expected_key = "right"
    async with httpx2.AsyncClient(base_url=standin.base_url("anthropic")) as client:
        missing = await client.post("/v1/messages", json=MESSAGE)
        wrong = await client.post("/v1/messages", json=MESSAGE, headers={"authorization": "Bearer wrong"})
        right = await client.post("/v1/messages", json=MESSAGE, headers={"x-api-key": "right"})
    assert [answer.status_code for answer in (missing, wrong, right)] == [401, 401, 200]


def test_a_schema_with_every_property_required_and_closed_is_strict() -> None:
    assert strict_fault(READING_SCHEMA.schema) is None
    open_ended = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}
    assert strict_fault({"type": "array", "items": open_ended}) == (
        "schema[]: 'required' must include every key in properties"
    )


def test_a_bound_is_found_wherever_it_hides() -> None:
    hidden = {"anyOf": [{"type": "null"}, {"type": "array", "items": {"type": "number", "maximum": 1}}]}
    assert bounds_fault(hidden) == "schema.anyOf[]: For 'number' type, property 'maximum' is not supported"


@pytest.mark.parametrize(
    ("text", "latency"),
    [
        ("100", Latency(0.1, 0.1)),
        ("50-150", Latency(0.05, 0.15)),
        ("100,0.01x10", Latency(0.1, 0.1, 0.01, 10.0)),
        ("0", Latency()),
    ],
)
def test_a_latency_is_fixed_or_a_range_and_may_have_a_heavy_tail(text: str, latency: Latency) -> None:
    assert Latency.parse(text) == latency


@pytest.mark.parametrize("text", ["", "soon", "150-50", "-5", "100,2x10"])
def test_what_is_no_latency_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no latency|could not convert"):
        Latency.parse(text)


def test_latencies_stay_in_their_range_and_the_slow_ones_have_their_share() -> None:
    random, latency = Random(1), Latency(0.05, 0.15, 0.1, 10.0)
    drawn = [latency.draw(random) for _ in range(10_000)]
    slow = [seconds for seconds in drawn if seconds > 0.15]
    assert all(0.05 <= seconds <= 0.15 or 0.5 <= seconds <= 1.5 for seconds in drawn)
    # 1,000 of 10,000 are expected; the standard deviation is √(10,000 · 0.1 · 0.9) = 30.
    assert 850 <= len(slow) <= 1_150
    # The mean of the usual ones is 100 ms; its standard deviation is 100 ms/√12/√9,000 = 0.3 ms.
    usual = [seconds for seconds in drawn if seconds <= 0.15]
    assert sum(usual) / len(usual) == pytest.approx(0.1, abs=0.0015)


def test_faults_come_in_their_share_each_kind_alike_and_the_same_with_the_same_seed() -> None:
    drawn = [Mix(0.2).draw(random) for random in [Random(7)] for _ in range(10_000)]
    again = [Mix(0.2).draw(random) for random in [Random(7)] for _ in range(10_000)]
    assert drawn == again
    counted = Counter(repr(plan) for plan in drawn if plan is not None)
    # 2,000 expected with a standard deviation of 40; of each of the seven kinds 286 with one of 17.
    assert 1_800 <= counted.total() <= 2_200
    assert len(counted) == len(FAULTS)
    assert all(200 <= count <= 370 for count in counted.values())


@pytest.mark.parametrize(("share", "kinds"), [(-0.1, ("500",)), (1.1, ("500",)), (0.5, ()), (0.5, ("501",))])
def test_a_mix_that_cannot_be_is_refused(share: float, kinds: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"the faults are|the share of faults"):
        Mix(share, kinds)


def test_faults_fall_on_requests_with_a_schema_only_and_not_on_planned_ones() -> None:
    asked = CHAT | {"response_format": {"json_schema": {"schema": dict(READING_SCHEMA.schema)}}}
    with Standin(faults=Mix(1.0, ("500",)), keep_requests=False) as standin:
        url = standin.base_url("openai") + "/chat/completions"
        standin.plan("openai", FAULTS["401"]())
        statuses = [httpx2.post(url, json=body, trust_env=False).status_code for body in (asked, asked, CHAT)]
        assert statuses == [401, 500, 200]
        assert standin.requests == []


def test_it_runs_as_a_program() -> None:
    command = [
        sys.executable,
        "-m",
        "tests.standin",
        "--port",
        "0",
        *("--llm1-ms", "1-2,0.5x2", "--llm2-ms", "1", "--faults", "1", "--fault-kinds", "prose,500", "--seed", "3"),
        *("--key", "right"),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None
            url = program.stdout.readline().strip().removeprefix("OPENAI_BASE_URL=") + "/chat/completions"
            refused = httpx2.post(url, json=CHAT, trust_env=False)
            answer = httpx2.post(url, json=CHAT, headers={"authorization": "Bearer right"}, trust_env=False)
        finally:
            program.terminate()
    assert refused.status_code == 401
    assert answer.json()["choices"][0]["message"]["content"] == REPLY
