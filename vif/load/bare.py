"""The same calls without this package: the SDKs as their documentation shows them, one client each, all defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vif.catalogue import find
from vif.config import Access, ModelRef
from vif.llm.protocol import OutputSchema, Provider

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from openai import AsyncOpenAI


@dataclass(frozen=True, slots=True)
class Prompt:
    """What one call asks: with a schema for the whole answer at once, without for a stream."""

    system: str
    text: str
    max_tokens: int
    schema: OutputSchema | None = None


class BareSdks:
    """One shared client per provider; the embedded model has no SDK."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._openai: dict[Provider, AsyncOpenAI] = {}
        self._anthropic: AsyncAnthropic | None = None

    async def ask(self, reference: ModelRef, prompt: Prompt) -> str:
        """The text that came back. Whatever the SDK raises escapes."""
        if reference.provider is Provider.ANTHROPIC:
            return await self._messages(reference.model, prompt)
        return await self._chat(reference.provider, reference.model, prompt)

    async def aclose(self) -> None:
        for client in self._openai.values():
            await client.close()
        if self._anthropic is not None:
            await self._anthropic.close()

    def new_openai(self, api_key: str, base_url: str | None) -> AsyncOpenAI:
        from openai import AsyncOpenAI

        return AsyncOpenAI(api_key=api_key, base_url=base_url)

    def new_anthropic(self, api_key: str, base_url: str | None) -> AsyncAnthropic:
        from anthropic import AsyncAnthropic

        return AsyncAnthropic(api_key=api_key, base_url=base_url)

    def fields(self, **fields: Any) -> dict[str, Any]:
        """The arguments of a call beside model, messages and `stream`."""
        return fields

    async def _chat(self, provider: Provider, model: str, prompt: Prompt) -> str:
        client = self._openai.get(provider)
        if client is None:
            key, url = self._access.key(provider) or "none", self._access.base_url(provider)
            client = self._openai[provider] = self.new_openai(key, url)
        create: Any = client.chat.completions.create
        limit = {"max_completion_tokens" if provider is Provider.OPENAI else "max_tokens": prompt.max_tokens}
        messages = [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.text}]
        if prompt.schema is not None:
            wanted = {"name": prompt.schema.name, "strict": True, "schema": dict(prompt.schema.schema)}
            entry = find(model)
            effort = {"reasoning_effort": entry.recogniser_effort} if entry and entry.recogniser_effort else {}
            fields = self.fields(response_format={"type": "json_schema", "json_schema": wanted}, **effort, **limit)
            answer = await create(model=model, messages=messages, **fields)
            return str(answer.choices[0].message.content)
        fields = self.fields(stream_options={"include_usage": True}, **limit)
        stream = await create(model=model, messages=messages, stream=True, **fields)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])

    async def _messages(self, model: str, prompt: Prompt) -> str:
        if self._anthropic is None:
            key, url = self._access.key(Provider.ANTHROPIC) or "none", self._access.base_url(Provider.ANTHROPIC)
            self._anthropic = self.new_anthropic(key, url)
        from anthropic import transform_schema

        create: Any = self._anthropic.messages.create
        call = {
            "model": model,
            "max_tokens": prompt.max_tokens,
            "messages": [{"role": "user", "content": prompt.text}],
        }
        if prompt.schema is not None:
            schema = transform_schema(dict(prompt.schema.schema))
            fields = self.fields(
                system=prompt.system, output_config={"format": {"type": "json_schema", "schema": schema}}
            )
            answer = await create(**call, **fields)
            return "".join(block.text for block in answer.content if block.type == "text")
        stream = await create(**call, stream=True, **self.fields(system=prompt.system))
        events = [event async for event in stream]
        deltas = (event.delta for event in events if event.type == "content_block_delta")
        return "".join(delta.text for delta in deltas if delta.type == "text_delta")
