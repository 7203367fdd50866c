"""The stand-in refuses what the real providers refuse; otherwise the tests over it would prove little."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import httpx2
import pytest

from tests.standin import REPLY, Standin
from tests.wire.dialects import bounds_fault, strict_fault
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


def test_it_runs_as_a_program() -> None:
    command = [
        sys.executable,
        "-m",
        "tests.standin",
        "--port",
        "0",
        "--llm1-ms",
        "1",
        "--llm2-ms",
        "1",
        "--key",
        "right",
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
