"""What is sent, and what is read back when all goes well."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.standin import READING, REPLY, Ending, Plan, Standin, Tokens, say
from tests.wire.calls import KEYS, Call, Wire, request
from tests.wire.schema import READING_SCHEMA, Reading
from vif.errors import BadRequestError, ConfigError
from vif.llm.anthropic import AnthropicModel
from vif.llm.compatible import OPENROUTER_BASE_URL, CompatibleModel
from vif.llm.openai import OpenAIModel
from vif.llm.protocol import ChatModel, Completion, OutputSchema, Provider, Usage


async def test_a_stream_is_pieces_in_order_and_then_one_completion(wire: Wire) -> None:
    items = [item async for item in wire.model.stream(request())]
    assert items[:3] == ["Unders", "tandin", "g arri"]
    assert "".join(str(item) for item in items[:-1]) == REPLY
    assert items[-1] == Completion(REPLY, wire.model.model, items[-1].finish, Usage(12, 7))  # type: ignore[union-attr]


async def test_a_schema_is_accepted_and_the_answer_follows_it(wire: Wire, call: Call) -> None:
    completion = await call(wire.model, replace(request(), output_schema=READING_SCHEMA))
    assert wire.standin.requests[0].has_schema
    assert Reading.model_validate_json(completion.text).domains.cd == READING["domains"]["CD"]  # type: ignore[index]


async def test_the_fixed_prompt_comes_first_and_the_message_last(wire: Wire, call: Call) -> None:
    await call(wire.model, request("Why?"))
    body = wire.standin.requests[0].body
    if wire.api == "anthropic":
        block = {"type": "text", "text": "You answer in one line.", "cache_control": {"type": "ephemeral"}}
        assert body["system"] == [block]
        turns = body["messages"]
    else:
        assert body["messages"][0] == {"role": "system", "content": "You answer in one line."}
        turns = body["messages"][1:]
    assert turns == [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "Why?"},
    ]


async def test_an_empty_fixed_prompt_is_left_out(wire: Wire, call: Call) -> None:
    await call(wire.model, replace(request(), system=""))
    body = wire.standin.requests[0].body
    assert not body.get("system")
    assert all(turn["role"] != "system" for turn in body["messages"])


async def test_cached_tokens_count_as_input_and_are_told_apart(wire: Wire, call: Call) -> None:
    # 5 fresh + 600 read from the cache + 40 written to it = 645 input tokens.
    wire.standin.plan(wire.api, say("hi", tokens=Tokens(fresh=5, output=9, cache_read=600, cache_write=40)))
    assert (await call(wire.model, request())).usage == Usage(645, 9, 600, 40)


async def test_a_stream_that_ends_early_still_counts_what_was_reported(standin: Standin) -> None:
    standin.plan("anthropic", say("hi", ending=Ending.EARLY, tokens=Tokens(fresh=5, output=9, cache_read=600)))
    model = AnthropicModel("claude-haiku-5-5", api_key="k" * 20, base_url=standin.base_url("anthropic"))
    items = [item async for item in model.stream(request())]
    assert items[-1].usage == Usage(605, 1, 600, 0)  # type: ignore[union-attr]


async def test_a_server_that_reports_no_usage_works(standin: Standin, call: Call) -> None:
    standin.plan("openai", say("hi", tokens=None))
    model = CompatibleModel(Provider.LOCAL, "llama-4", base_url=standin.base_url("openai"))
    completion = await call(model, request())
    assert (completion.text, completion.usage) == ("hi", Usage())


async def test_a_server_that_sends_the_bare_minimum_works(standin: Standin) -> None:
    lines = [{"choices": [{"delta": {"content": "hi"}}]}, {"choices": [{"finish_reason": "stop", "delta": {}}]}, {}]
    body = "".join(f"data: {json.dumps(line)}\n\n" for line in lines) + ": a comment\n\ndata: [DONE]\n\n"
    standin.plan("openai", Plan(raw=("text/plain", body.encode())))
    standin.plan("openai", Plan(raw=("application/json", b'{"choices": [{"message": {"content": "hi"}}]}')))
    model = CompatibleModel(Provider.LOCAL, "llama-4", base_url=standin.base_url("openai"))
    streamed = [item async for item in model.stream(request())]
    whole = await model.complete(request())
    assert streamed == ["hi", Completion("hi", "llama-4", streamed[-1].finish)]  # type: ignore[union-attr]
    assert (streamed[-1].finish, whole.finish) == ("stop", "cut")  # type: ignore[union-attr]
    assert (whole.text, whole.model) == ("hi", "llama-4")


async def test_openai_gets_its_own_names_for_limit_and_effort(standin: Standin, call: Call) -> None:
    url = standin.base_url("openai")
    await call(OpenAIModel("gpt-6-luna", api_key="k" * 20, base_url=url, effort="none"), request())
    await call(OpenAIModel("gpt-6-luna", api_key="k" * 20, base_url=url), request())
    first, second = (seen.body for seen in standin.requests)
    assert (first["max_completion_tokens"], first["reasoning_effort"]) == (256, "none")
    assert "reasoning_effort" not in second
    assert "max_tokens" not in first


@pytest.mark.parametrize("provider", [Provider.OPENROUTER, Provider.LOCAL])
async def test_compatible_servers_get_the_names_all_know(standin: Standin, call: Call, provider: Provider) -> None:
    await call(CompatibleModel(provider, "llama-4", api_key="k" * 20, base_url=standin.base_url("openai")), request())
    body = standin.requests[0].body
    assert body["max_tokens"] == 256
    assert not {"max_completion_tokens", "reasoning_effort"} & set(body)


async def test_openai_gets_the_schema_as_it_is_and_strict(standin: Standin, call: Call) -> None:
    model = OpenAIModel("gpt-6-luna", api_key="k" * 20, base_url=standin.base_url("openai"))
    await call(model, replace(request(), output_schema=READING_SCHEMA))
    sent = standin.requests[0].body["response_format"]["json_schema"]
    assert sent == {"name": "reading", "strict": True, "schema": READING_SCHEMA.schema}


async def test_anthropic_gets_the_bounds_as_words_and_every_key(standin: Standin, call: Call) -> None:
    model = AnthropicModel("claude-haiku-5-5", api_key="k" * 20, base_url=standin.base_url("anthropic"))
    await call(model, replace(request(), output_schema=READING_SCHEMA))
    schema = standin.requests[0].body["output_config"]["format"]["schema"]
    assert list(schema["$defs"]["Boundaries"]["properties"])[:2] == ["CD-SD", "CD-CuD"]
    assert "minimum: 0.0" in schema["$defs"]["Domains"]["properties"]["CuD"]["description"]
    assert schema["required"] == ["reasoning", "domains", "boundaries", "patterns"]


@pytest.mark.parametrize(
    ("model", "thinking", "effort"),
    [
        ("claude-haiku-5-5", {"type": "disabled"}, None),
        ("claude-sonnet-5-5", {"type": "between_tools"}, None),
        ("claude-opus-5-5", None, "low"),
        ("claude-opus-5", {"type": "disabled"}, None),
        ("claude-haiku-4-5", None, None),
    ],
)
async def test_anthropic_models_think_least_for_a_schema_each_in_its_way(
    standin: Standin, call: Call, model: str, thinking: dict[str, str] | None, effort: str | None
) -> None:
    client = AnthropicModel(model, api_key="k" * 20, base_url=standin.base_url("anthropic"))
    await call(client, replace(request(), output_schema=READING_SCHEMA))
    body = standin.requests[0].body
    assert (body.get("thinking"), body["output_config"].get("effort")) == (thinking, effort)


async def test_anthropic_thinks_as_it_likes_for_a_reply_unless_told_otherwise(standin: Standin, call: Call) -> None:
    url = standin.base_url("anthropic")
    await call(AnthropicModel("claude-haiku-5-5", api_key="k" * 20, base_url=url), request())
    await call(AnthropicModel("claude-haiku-5-5", api_key="k" * 20, base_url=url, effort="none"), request())
    await call(AnthropicModel("claude-haiku-5-5", api_key="k" * 20, base_url=url, effort="high"), request())
    bodies = [seen.body for seen in standin.requests]
    assert [body.get("thinking") for body in bodies] == [None, {"type": "disabled"}, None]
    assert [body.get("output_config") for body in bodies] == [None, None, {"effort": "high"}]


async def test_a_schema_the_provider_refuses_is_a_bad_request(standin: Standin, call: Call) -> None:
    loose = OutputSchema("loose", {"type": "object", "properties": {"a": {"type": "string"}}})
    model = OpenAIModel("gpt-6-luna", api_key="k" * 20, base_url=standin.base_url("openai"))
    with pytest.raises(BadRequestError, match="additionalProperties"):
        await call(model, replace(request(), output_schema=loose))


@pytest.mark.parametrize("kind", [OpenAIModel, AnthropicModel])
async def test_the_base_url_of_the_environment_is_honoured(
    standin: Standin, monkeypatch: pytest.MonkeyPatch, kind: type[OpenAIModel | AnthropicModel]
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", standin.base_url("openai"))
    monkeypatch.setenv("ANTHROPIC_BASE_URL", standin.base_url("anthropic"))
    await kind("some-model", api_key="k" * 20).complete(request())
    assert standin.requests[0].path in ("/v1/chat/completions", "/v1/messages")


async def test_a_local_server_never_sees_the_key_or_the_names_of_an_openai_account(
    standin: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, KEYS["openai"])
    await CompatibleModel(Provider.LOCAL, "llama-4", base_url=standin.base_url("openai")).complete(request())
    assert KEYS["openai"] not in str(standin.requests[0].headers)


async def test_the_key_goes_as_a_bearer_token(wire: Wire, call: Call) -> None:
    await call(wire.model, request())
    assert wire.standin.requests[0].headers["authorization"] == f"Bearer {wire.key}"


def test_openrouter_needs_no_base_url() -> None:
    assert OPENROUTER_BASE_URL == "https://openrouter.ai/api/v1"
    assert CompatibleModel(Provider.OPENROUTER, "meta/llama-4", api_key="k" * 20).provider is Provider.OPENROUTER


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: OpenAIModel("gpt-6-luna", api_key=" "), "'openai' is empty"),
        (lambda: AnthropicModel("claude-haiku-5-5", api_key="two words"), "'anthropic' holds spaces"),
        (
            lambda: AnthropicModel("claude-haiku-5-5", api_key="kéy"),
            "'anthropic' holds spaces or characters",
        ),
        (lambda: CompatibleModel(Provider.OPENROUTER, "m"), "'openrouter' is empty"),
        (lambda: CompatibleModel(Provider.LOCAL, "m"), "'local' has no base URL"),
        (lambda: CompatibleModel(Provider.LOCAL, "m", base_url="localhost:1"), "'localhost:1'; it must look like"),
        (lambda: CompatibleModel(Provider.LOCAL, "m", base_url="http://a:b"), "'http://a:b'; it must look like"),
        (lambda: CompatibleModel(Provider.OPENAI, "m", api_key="k"), "'openrouter' or 'local'"),
    ],
)
def test_settings_that_cannot_work_are_refused_before_anything_is_sent(make: object, complaint: str) -> None:
    assert callable(make)
    with pytest.raises(ConfigError, match=complaint):
        make()


def test_every_adapter_is_a_chat_model(wire: Wire) -> None:
    assert isinstance(wire.model, ChatModel)
