"""Anthropic's messages."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING, cast

from vif.llm.protocol import Completion, Finish, OutputSchema, Provider, Request, Usage
from vif.llm.sse import json_events
from vif.llm.transport import CloudModel

if TYPE_CHECKING:
    import httpx2
    from anthropic import AsyncAnthropic
    from anthropic.types import Message, MessageParam, TextBlockParam

BASE_URL = "https://api.anthropic.com"

_FINISH: Mapping[str | None, Finish] = {
    None: Finish.CUT,
    "pause_turn": Finish.CUT,
    "max_tokens": Finish.LENGTH,
    "model_context_window_exceeded": Finish.LENGTH,
    "refusal": Finish.REFUSAL,
}

_LEAST_THINKING: tuple[tuple[str, dict[str, object]], ...] = (
    ("claude-sonnet-5-5", {"thinking": {"type": "between_tools"}}),
    ("claude-opus-5-5", {"output_config": {"effort": "low"}}),
    ("claude-fable-", {"output_config": {"effort": "low"}}),
    ("claude-mythos-", {"output_config": {"effort": "low"}}),
    ("claude-haiku-5", {"thinking": {"type": "disabled"}}),
    ("claude-sonnet-5", {"thinking": {"type": "disabled"}}),
    ("claude-opus-5", {"thinking": {"type": "disabled"}}),
)
"""Models that think unless told otherwise, the first prefix that fits; each refuses the others' way with a 400.

Earlier models do not think unless asked to.
"""


class AnthropicModel(CloudModel["AsyncAnthropic"]):
    """A model of Anthropic.

    Args:
        api_key: the key; ConfigError when it is empty.
        base_url: without `/v1`; by default `ANTHROPIC_BASE_URL`, else Anthropic's own.
        effort: "low" … "max", or "none" for as little thinking as the model allows; None leaves it to the model,
            except for answers with a schema, which are made with the least thinking.
    """

    sdk = "anthropic"

    def __init__(self, model: str, *, api_key: str, base_url: str | None = None, effort: str | None = None) -> None:
        super().__init__(
            Provider.ANTHROPIC,
            model,
            api_key=api_key,
            base_url=base_url or os.environ.get("ANTHROPIC_BASE_URL") or BASE_URL,
            effort=effort,
        )

    def _connect(self, http_client: httpx2.AsyncClient) -> AsyncAnthropic:
        from anthropic import AsyncAnthropic

        return AsyncAnthropic(
            api_key=self._api_key.get_secret_value(),
            base_url=self._base_url,
            timeout=http_client.timeout,
            max_retries=0,
            http_client=http_client,
        )

    async def _complete(self, client: AsyncAnthropic, request: Request) -> Completion:
        answer = await client.messages.create(
            model=self._model,
            max_tokens=request.max_tokens,
            system=_system(request),
            messages=_messages(request),
            extra_body=self._extra(request),
        )
        return self._completion(answer)

    def _completion(self, answer: Message | str) -> Completion:
        """What the API's answer says. Raises ModelError when it is none."""
        if isinstance(answer, str):  # what the SDK makes of a web page with status 200
            raise self.not_an_answer("a web page")
        if str(answer.type) != "message":
            raise self.error_event(answer.model_extra or "not a message")
        return Completion(
            # Block 0 can be thinking, and an unknown kind of block may come any day.
            text="".join(block.text for block in answer.content if block.type == "text"),
            model=answer.model or self._model,
            finish=_FINISH.get(answer.stop_reason, Finish.STOP),
            usage=_usage(answer.usage.model_dump()),
        )

    async def _events(self, client: AsyncAnthropic, request: Request) -> AsyncGenerator[str | Completion, None]:
        create = client.messages.with_streaming_response.create
        said: list[str] = []
        model, finish, usage = "", None, Usage()
        async with create(
            model=self._model,
            max_tokens=request.max_tokens,
            system=_system(request),
            messages=_messages(request),
            stream=True,
            extra_body=self._extra(request),
        ) as response:
            # Not the SDK's own events: making objects of them takes longer than everything else about a stream.
            async for event in json_events(response.iter_bytes()):
                match event:
                    case {"type": "content_block_delta", "delta": {"type": "text_delta", "text": str(piece)}}:
                        if piece:
                            said.append(piece)
                            yield piece
                    case {"type": "message_start", "message": dict(message)}:
                        model = str(message.get("model") or "")
                        usage = _usage(message.get("usage") or {})
                    case {"type": "message_delta", "delta": dict(delta)}:
                        finish = delta.get("stop_reason") or finish
                        usage = _usage(cast("Mapping[str, object]", event.get("usage") or {}), usage)
                    case {"type": "error"}:
                        raise self.error_event(event, "".join(said))
        content_type = response.headers.get("content-type", "")
        if not (model or said) and "event-stream" not in content_type:
            raise self.not_an_answer(content_type or "nothing")
        yield Completion("".join(said), model or self._model, _FINISH.get(finish, Finish.STOP), usage)

    def _body(self, request: Request) -> dict[str, object]:
        """All fields but the model."""
        fixed = {"max_tokens": request.max_tokens, "system": _system(request), "messages": _messages(request)}
        return fixed | self._extra(request)

    def _extra(self, request: Request) -> dict[str, object]:
        """How to think and what to answer with; as `extra_body` the SDK does not walk the schema on every call."""
        effort = self._effort or ("none" if request.output_schema is not None else None)
        fields: dict[str, object] = {}
        output: dict[str, object] = {}
        if effort == "none":
            fields = dict(next((least for prefix, least in _LEAST_THINKING if self._model.startswith(prefix)), {}))
            output = dict(cast("dict[str, object]", fields.pop("output_config", {})))
        elif effort is not None:
            output["effort"] = effort
        if request.output_schema is not None:
            output["format"] = {"type": "json_schema", "schema": _accepted(request.output_schema)}
        return fields | {"output_config": output} if output else fields


def _accepted(schema: OutputSchema) -> dict[str, object]:
    """The schema with bounds moved into descriptions: the API refuses `minimum` and its like."""
    from anthropic import transform_schema

    return transform_schema(dict(schema.schema))


def _system(request: Request) -> list[TextBlockParam]:
    """The fixed prompt as a block the provider may cache; an empty block would be refused."""
    if not request.system:
        return []
    return [{"type": "text", "text": request.system, "cache_control": {"type": "ephemeral"}}]


def _messages(request: Request) -> list[MessageParam]:
    return cast("list[MessageParam]", [{"role": turn.role, "content": turn.text} for turn in request.turns])


def _usage(counts: Mapping[str, object], before: Usage | None = None) -> Usage:
    """All input in one figure (the API counts cached input apart); `before` fills what a later report leaves out."""
    before = before or Usage()

    def count(name: str, otherwise: int) -> int:
        value = counts.get(name)
        return value if isinstance(value, int) else otherwise

    read = count("cache_read_input_tokens", before.cache_read_tokens)
    written = count("cache_creation_input_tokens", before.cache_write_tokens)
    fresh = count("input_tokens", before.input_tokens - before.cache_read_tokens - before.cache_write_tokens)
    return Usage(fresh + read + written, count("output_tokens", 0), read, written)
