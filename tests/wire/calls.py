"""Models that talk to the stand-in, and the two ways of asking them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.standin import Api, Standin
from vif.llm.anthropic import AnthropicModel
from vif.llm.compatible import CompatibleModel
from vif.llm.openai import OpenAIModel
from vif.llm.protocol import ChatModel, Completion, Provider, Request, Turn

KEYS = {
    "openai": "sk-proj-Zq3vT8mWx1LrYb6NdKf0",
    "anthropic": "sk-ant-api03-Hs7Qe2Vu9PoCj4XgRt5",
    "openrouter": "or7Bn5Gt1Mz8Kw3Vy6Dp9Lq2Xs4",
    "local": "local-Jf6Ra2Wc8Eu0Ti4Hy7",
}


@dataclass(frozen=True)
class Wire:
    """A model, the stand-in it talks to, and the API they speak."""

    standin: Standin
    api: Api
    model: ChatModel
    key: str


def request(message: str = "How do I implement quicksort?", *, timeout_s: float = 10.0) -> Request:
    """A plain request, patient enough for a busy machine."""
    turns = (Turn("user", "Hello"), Turn("assistant", "Hello."), Turn("user", message))
    return Request(system="You answer in one line.", turns=turns, max_tokens=256, timeout_s=timeout_s)


Call = Callable[[ChatModel, Request], Awaitable[Completion]]


async def complete(model: ChatModel, what: Request) -> Completion:
    """The answer at once."""
    return await model.complete(what)


async def stream(model: ChatModel, what: Request) -> Completion:
    """The completion that ends a stream; every piece before it is a part of its text."""
    *pieces, completion = [item async for item in model.stream(what)]
    assert isinstance(completion, Completion)
    assert all(isinstance(piece, str) and piece for piece in pieces)
    assert "".join(str(piece) for piece in pieces) == completion.text
    return completion


def build(provider: str, standin: Standin) -> ChatModel:
    """A model of this provider that talks to the stand-in."""
    key, url = KEYS[provider], standin.base_url("anthropic" if provider == "anthropic" else "openai")
    match provider:
        case "openai":
            return OpenAIModel("gpt-6-luna", api_key=key, base_url=url, effort="none")
        case "anthropic":
            return AnthropicModel("claude-haiku-5-5", api_key=key, base_url=url)
        case _:
            return CompatibleModel(Provider(provider), "llama-4", api_key=key, base_url=url)
