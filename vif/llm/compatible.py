"""Servers that speak OpenAI's API: OpenRouter, and any local one (Ollama, llama.cpp, vLLM)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vif.errors import ConfigError
from vif.llm.openai import ChatCompletionsModel
from vif.llm.protocol import Provider, Request

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI

OPENROUTER_BASE_URL = "https://openrouter.ai/api/v1"

_NO_KEY = "no-key-needed"
"""Without a key the SDK would send OPENAI_API_KEY to a server that is not OpenAI's."""


class CompatibleModel(ChatCompletionsModel):
    """A model behind an OpenAI-compatible server.

    Args:
        provider: OPENROUTER or LOCAL; ConfigError for others.
        api_key: needed by OpenRouter; a local server needs none.
        base_url: with `/v1`; needed for LOCAL, OpenRouter's own by default.
    """

    def __init__(
        self, provider: Provider, model: str, *, api_key: str | None = None, base_url: str | None = None
    ) -> None:
        if provider is Provider.OPENROUTER:
            base_url, api_key = base_url or OPENROUTER_BASE_URL, api_key or ""
        elif provider is Provider.LOCAL:
            api_key = api_key or _NO_KEY
        else:
            raise ConfigError(f"the provider is {provider!r}; an OpenAI-compatible one is 'openrouter' or 'local'")
        if not base_url:
            raise ConfigError("the provider 'local' has no base URL; set one such as http://localhost:11434/v1")
        super().__init__(provider, model, api_key=api_key, base_url=base_url)

    def _connect(self, http_client: httpx2.AsyncClient) -> AsyncOpenAI:
        client = super()._connect(http_client)
        # The SDK reads these from OPENAI_ORG_ID and OPENAI_PROJECT_ID; they are nobody else's business.
        client.organization = client.project = None
        return client

    def _limits(self, request: Request) -> dict[str, object]:
        return {"max_tokens": request.max_tokens}
