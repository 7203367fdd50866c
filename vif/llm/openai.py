"""OpenAI's chat completions, and the wire code other servers of the same API share."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING

from vif.llm.protocol import Completion, Finish, Provider, Request, Usage
from vif.llm.transport import CloudModel

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI
    from openai.types.chat import ChatCompletion
    from openai.types.completion_usage import CompletionUsage

BASE_URL = "https://api.openai.com/v1"

_FINISH: Mapping[str | None, Finish] = {
    None: Finish.CUT,
    "abort": Finish.CUT,
    "length": Finish.LENGTH,
    "content_filter": Finish.REFUSAL,
}


class ChatCompletionsModel(CloudModel["AsyncOpenAI"]):
    """A model behind `POST {base_url}/chat/completions`."""

    sdk = "openai"

    @abstractmethod
    def _limits(self, request: Request) -> dict[str, object]:
        """The fields that bound the answer; their names differ between servers."""

    def _connect(self, http_client: httpx2.AsyncClient) -> AsyncOpenAI:
        from openai import AsyncOpenAI

        return AsyncOpenAI(
            api_key=self._api_key.get_secret_value(),
            base_url=self._base_url,
            timeout=http_client.timeout,
            max_retries=0,
            http_client=http_client,
        )

    async def _complete(self, client: AsyncOpenAI, request: Request) -> Completion:
        answer = await client.chat.completions.create(model=self._model, messages=(), extra_body=self._body(request))
        return self._completion(answer)

    def _completion(self, answer: ChatCompletion | str) -> Completion:
        """What the API's answer says. Raises ModelError when it is none."""
        if isinstance(answer, str):  # what the SDK makes of a web page with status 200
            raise self.not_an_answer("a web page")
        if not answer.choices:
            raise self.error_event(answer.model_extra or "an answer without choices")
        choice = answer.choices[0]
        if str(choice.finish_reason) == "error":
            raise self.error_event(choice.model_extra or "the model failed")
        message = choice.message
        return Completion(
            text=message.content or message.refusal or "",
            model=answer.model or self._model,
            finish=Finish.REFUSAL if message.refusal else _FINISH.get(choice.finish_reason, Finish.STOP),
            usage=_usage(answer.usage),
        )

    async def _events(self, client: AsyncOpenAI, request: Request) -> AsyncGenerator[str | Completion, None]:
        body = self._body(request) | {"stream_options": {"include_usage": True}}
        stream = await client.chat.completions.create(model=self._model, messages=(), stream=True, extra_body=body)
        said: list[str] = []
        model, finish, refused, usage = "", None, False, Usage()
        async with stream:
            async for chunk in stream:
                model = chunk.model or model
                if chunk.usage is not None:
                    usage = _usage(chunk.usage)
                for choice in chunk.choices or ():
                    if str(choice.finish_reason) == "error":
                        raise self.error_event(choice.model_extra or chunk.model_extra or "the model failed")
                    finish = choice.finish_reason or finish
                    refused = refused or bool(choice.delta.refusal)
                    piece = choice.delta.content or choice.delta.refusal
                    if piece:
                        said.append(piece)
                        yield piece
        content_type = stream.response.headers.get("content-type", "")
        if not (model or said) and "event-stream" not in content_type:
            raise self.not_an_answer(content_type or "nothing")
        reason = Finish.REFUSAL if refused else _FINISH.get(finish, Finish.STOP)
        yield Completion("".join(said), model or self._model, reason, usage)

    def _body(self, request: Request) -> dict[str, object]:
        """All fields but the model. As `extra_body`, which comes last and counts, the SDK does not walk through them:
        it would compare every message and every node of the schema with every type they could have."""
        fields = self._limits(request) | {"messages": _messages(request)}
        if request.output_schema is not None:
            fields["response_format"] = {
                "type": "json_schema",
                "json_schema": {
                    "name": request.output_schema.name,
                    "strict": True,
                    "schema": request.output_schema.schema,
                },
            }
        return fields


class OpenAIModel(ChatCompletionsModel):
    """A model of OpenAI.

    Args:
        api_key: the key; ConfigError when it is empty.
        base_url: with `/v1`; by default `OPENAI_BASE_URL`, else OpenAI's own.
        effort: `reasoning_effort` of the API ("none" … "max"); None leaves it to the model.
    """

    def __init__(self, model: str, *, api_key: str, base_url: str | None = None, effort: str | None = None) -> None:
        super().__init__(
            Provider.OPENAI,
            model,
            api_key=api_key,
            base_url=base_url or os.environ.get("OPENAI_BASE_URL") or BASE_URL,
            effort=effort,
        )

    def _limits(self, request: Request) -> dict[str, object]:
        limits: dict[str, object] = {"max_completion_tokens": request.max_tokens}
        if self._effort is not None:
            limits["reasoning_effort"] = self._effort
        return limits


def _messages(request: Request) -> list[dict[str, str]]:
    messages = [{"role": "system", "content": request.system}] if request.system else []
    return messages + [{"role": turn.role, "content": turn.text} for turn in request.turns]


def _usage(usage: CompletionUsage | None) -> Usage:
    """Zeros from servers that report none."""
    if usage is None:
        return Usage()
    details = usage.prompt_tokens_details
    return Usage(
        input_tokens=usage.prompt_tokens or 0,
        output_tokens=usage.completion_tokens or 0,
        cache_read_tokens=(details.cached_tokens or 0) if details else 0,
        cache_write_tokens=(details.cache_write_tokens or 0) if details else 0,
    )
