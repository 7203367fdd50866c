"""From a model's name to a client for it. Clients are cheap: nothing is imported or connected before the first call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vif.catalogue import find
from vif.llm.protocol import ChatModel, Provider

if TYPE_CHECKING:
    from vif.config import Access, ModelRef


def open_model(reference: ModelRef, access: Access, *, recogniser: bool = False) -> ChatModel:
    """A client for this model. As LLM #1 a model that can think is asked not to: reading must be quick."""
    provider, model = reference.provider, reference.model
    key, base_url = access.key(provider) or "", access.base_url(provider)
    entry = find(model)
    effort = entry.recogniser_effort if entry and recogniser else None
    match provider:
        case Provider.OPENAI:
            from vif.llm.openai import OpenAIModel

            return OpenAIModel(model, api_key=key, base_url=base_url, effort=effort)
        case Provider.ANTHROPIC:
            from vif.llm.anthropic import AnthropicModel

            return AnthropicModel(model, api_key=key, base_url=base_url, effort=effort)
        case Provider.OPENROUTER | Provider.LOCAL:
            from vif.llm.compatible import CompatibleModel

            return CompatibleModel(provider, model, api_key=key or None, base_url=base_url)
        case Provider.EMBEDDED:
            from vif.llm.embedded import EmbeddedModel

            return EmbeddedModel(access.gguf_path)
