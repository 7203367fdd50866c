"""How the two APIs write answers, streams and errors, and what they refuse."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.wire.plans import Api, Ending, Plan, Tokens, fail


class Dialect:
    """How one API writes requests it refuses, answers, streams and errors."""

    request_id: str
    broken: bytes

    def fault(self, body: Mapping[str, Any]) -> Plan | None:
        """The failure a real provider would answer this request with."""
        raise NotImplementedError

    def answer(self, plan: Plan, body: Mapping[str, Any]) -> dict[str, Any]:
        """The body of an answer at once."""
        raise NotImplementedError

    def events(self, plan: Plan, body: Mapping[str, Any]) -> tuple[list[bytes], list[bytes], list[bytes]]:
        """The events before, with and after the text."""
        raise NotImplementedError

    def error(self, status: int, message: str, kind: str) -> dict[str, Any]:
        """The body of an error."""
        raise NotImplementedError


class _OpenAI(Dialect):
    request_id = "x-request-id"
    broken = b'data: {"choices": [{"delta": \n\n'

    def fault(self, body: Mapping[str, Any]) -> Plan | None:
        model = str(body.get("model", ""))
        if model.startswith(("gpt-5", "gpt-6", "o3", "o4")) and "max_tokens" in body:
            return fail(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
        if not body.get("messages"):
            return fail(400, "'messages' must not be empty")
        wanted = body.get("response_format", {}).get("json_schema")
        fault = strict_fault(wanted.get("schema", {})) if wanted and wanted.get("strict") else None
        return fail(400, f"Invalid schema for response_format: {fault}") if fault else None

    def answer(self, plan: Plan, body: Mapping[str, Any]) -> dict[str, Any]:
        declined = plan.finish == "refusal"
        message = {
            "role": "assistant",
            "content": None if declined else plan.text,
            "refusal": plan.text if declined else None,
        }
        choice = {"index": 0, "message": message, "finish_reason": self._finish(plan)}
        answer = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": body["model"]}
        return answer | {"choices": [choice], **({"usage": self._usage(plan.tokens)} if plan.tokens else {})}

    def events(self, plan: Plan, body: Mapping[str, Any]) -> tuple[list[bytes], list[bytes], list[bytes]]:
        head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": body["model"]}
        name = "refusal" if plan.finish == "refusal" else "content"

        def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
            return sse(head | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

        after = [chunk({}, self._finish(plan))]
        if plan.tokens is not None and body.get("stream_options", {}).get("include_usage"):
            after.append(sse(head | {"choices": [], "usage": self._usage(plan.tokens)}))
        first = [chunk({"role": "assistant", "content": "", "refusal": None})]
        return first, [chunk({name: piece}) for piece in _pieces(plan.text)], [*after, b"data: [DONE]\n\n"]

    def error(self, status: int, message: str, kind: str) -> dict[str, Any]:
        return {"error": {"message": message, "type": kind or "api_error", "param": None, "code": None}}

    def _finish(self, plan: Plan) -> str | None:
        return None if plan.ending is Ending.EARLY else "stop" if plan.finish == "refusal" else plan.finish

    def _usage(self, tokens: Tokens) -> dict[str, Any]:
        whole = tokens.fresh + tokens.cache_read + tokens.cache_write
        details = {"cached_tokens": tokens.cache_read, "cache_write_tokens": tokens.cache_write}
        counted = {"prompt_tokens": whole, "completion_tokens": tokens.output, "total_tokens": whole + tokens.output}
        return counted | {"prompt_tokens_details": details}


class _Anthropic(Dialect):
    request_id = "request-id"
    broken = b'event: content_block_delta\ndata: {"type": "content_block_delta", "del\n\n'

    def fault(self, body: Mapping[str, Any]) -> Plan | None:
        if "max_tokens" not in body:
            return fail(400, "max_tokens: Field required")
        for removed in ("temperature", "top_p", "top_k"):
            if removed in body:
                return fail(400, f"{removed}: this parameter is not supported")
        messages = body.get("messages") or []
        if not messages or messages[-1]["role"] != "user":
            return fail(400, "messages: the last message must be of the user")
        system = body.get("system") or []
        if any(not block["text"] for block in system if isinstance(block, dict)):
            return fail(400, "system: text content blocks must be non-empty")
        thinking = (body.get("thinking") or {}).get("type", "adaptive")
        if thinking not in _thinking_types(body["model"]):
            return fail(400, f'"thinking.type.{thinking}" is not supported for this model.')
        schema = ((body.get("output_config") or {}).get("format") or {}).get("schema")
        fault = bounds_fault(schema) if schema is not None else None
        return fail(400, f"output_config.format.schema: {fault}") if fault else None

    def answer(self, plan: Plan, body: Mapping[str, Any]) -> dict[str, Any]:
        content = [{"type": "text", "text": plan.text}] if plan.text else []
        if _thinks(body):
            content.insert(0, {"type": "thinking", "thinking": "", "signature": "s"})
        usage = self._usage(plan.tokens or Tokens())
        return self._message(body) | {"content": content, "stop_reason": self._finish(plan), "usage": usage}

    def events(self, plan: Plan, body: Mapping[str, Any]) -> tuple[list[bytes], list[bytes], list[bytes]]:
        usage = self._usage(plan.tokens or Tokens())
        message = self._message(body) | {"usage": usage | {"output_tokens": 1}}
        before = [_event("message_start", message=message)]
        index = 0
        if _thinks(body):
            thought = {"type": "thinking", "thinking": "", "signature": ""}
            before += [
                _event("content_block_start", index=0, content_block=thought),
                _event("content_block_delta", index=0, delta={"type": "signature_delta", "signature": "s"}),
                _event("content_block_stop", index=0),
            ]
            index = 1
        before.append(_event("content_block_start", index=index, content_block={"type": "text", "text": ""}))
        before.append(_event("ping"))
        pieces = [
            _event("content_block_delta", index=index, delta={"type": "text_delta", "text": piece})
            for piece in _pieces(plan.text)
        ]
        after = [
            _event("content_block_stop", index=index),
            _event(
                "message_delta",
                delta={"stop_reason": self._finish(plan), "stop_sequence": None},
                usage={"output_tokens": usage["output_tokens"]},
            ),
            _event("message_stop"),
        ]
        return before, pieces, after

    def error(self, status: int, message: str, kind: str) -> dict[str, Any]:
        return {
            "type": "error",
            "error": {"type": kind or "api_error", "message": message},
            "request_id": "req_1",
        }

    def _message(self, body: Mapping[str, Any]) -> dict[str, Any]:
        head = {"id": "msg_1", "type": "message", "role": "assistant", "model": body["model"]}
        return head | {"content": [], "stop_reason": None, "stop_sequence": None}

    def _finish(self, plan: Plan) -> str | None:
        if plan.ending is Ending.EARLY:
            return None
        return {"stop": "end_turn", "length": "max_tokens"}.get(plan.finish, "refusal")

    def _usage(self, tokens: Tokens) -> dict[str, Any]:
        cached = {"cache_read_input_tokens": tokens.cache_read, "cache_creation_input_tokens": tokens.cache_write}
        return {"input_tokens": tokens.fresh, "output_tokens": tokens.output, **cached}


DIALECTS: Mapping[Api, Dialect] = {"openai": _OpenAI(), "anthropic": _Anthropic()}


def _thinking_types(model: str) -> tuple[str, ...]:
    if model.startswith(("claude-opus-5-5", "claude-fable", "claude-mythos")):
        return ("adaptive",)
    if model.startswith("claude-sonnet-5-5"):
        return ("adaptive", "between_tools")
    return ("adaptive", "disabled")


def _thinks(body: Mapping[str, Any]) -> bool:
    """Models of generation 5 think unless told not to."""
    thinking = (body.get("thinking") or {}).get("type", "adaptive")
    return thinking == "adaptive" and re.match(r"claude-[a-z]+-5(-|$)", body["model"]) is not None


def strict_fault(schema: Mapping[str, Any]) -> str | None:
    """What OpenAI's strict mode would refuse in a schema."""
    for path, node in _nodes(schema, "schema"):
        if node.get("type") == "object":
            properties = node.get("properties", {})
            if node.get("additionalProperties") is not False:
                return f"{path}: 'additionalProperties' is required to be supplied and to be false"
            if sorted(node.get("required", ())) != sorted(properties):
                return f"{path}: 'required' must include every key in properties"
        if "default" in node:
            return f"{path}: 'default' is not permitted"
    return None


def bounds_fault(schema: Mapping[str, Any]) -> str | None:
    """What Anthropic would refuse in a schema."""
    unsupported = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "maxItems")
    for path, node in _nodes(schema, "schema"):
        for name in (*unsupported, "minLength", "maxLength"):
            if name in node:
                return f"{path}: For '{node.get('type')}' type, property '{name}' is not supported"
        if node.get("minItems", 0) not in (0, 1):
            return f"{path}: 'minItems' values other than 0 or 1 are not supported"
        if node.get("type") == "object" and node.get("additionalProperties") is not False:
            return f"{path}: For 'object' type, 'additionalProperties' must be explicitly set to false"
    return None


def _nodes(schema: Mapping[str, Any], path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield path, schema
    for group in ("properties", "$defs"):
        for name, child in schema.get(group, {}).items():
            yield from _nodes(child, f"{path}.{name}")
    if "items" in schema:
        yield from _nodes(schema["items"], f"{path}[]")
    for group in ("anyOf", "allOf"):
        for child in schema.get(group, ()):
            yield from _nodes(child, f"{path}.{group}")


def _pieces(text: str | None) -> list[str]:
    """The text in pieces of about a token and a half."""
    text = text or ""
    return [text[start : start + 6] for start in range(0, len(text), 6)]


def sse(data: Mapping[str, Any], event: str = "") -> bytes:
    return (f"event: {event}\n" if event else "").encode() + b"data: " + json.dumps(data).encode() + b"\n\n"


def _event(kind: str, **data: Any) -> bytes:
    return sse({"type": kind, **data}, kind)
