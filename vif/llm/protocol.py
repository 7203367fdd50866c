"""The one interface every model client has, and every wrapper around one keeps."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from vif.errors import ModelError


class Provider(StrEnum):
    """Who runs a model: a company, a server of one's own (`local`), or this process (`embedded`)."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    OPENROUTER = "openrouter"
    LOCAL = "local"
    EMBEDDED = "embedded"


class Finish(StrEnum):
    """Why a model stopped, in one vocabulary for all providers."""

    STOP = "stop"
    LENGTH = "length"
    REFUSAL = "refusal"
    CUT = "cut"  # the stream ended without saying why: the reply may be incomplete


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier turn of the conversation, or the present message."""

    role: str  # "user" or "assistant"
    text: str


@dataclass(frozen=True, slots=True)
class OutputSchema:
    """A JSON schema the answer must follow (the provider's native structured output)."""

    name: str
    schema: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose behalf a model is asked. It counts for budgets and logs and is never sent to a model.

    Attributes:
        interaction: id of the interaction.
        session: who has a budget of their own: a browser's session, or a run of the command line.
        conversation: what the interaction is kept with; None when it stands alone.
        counted_as: whose share of the limits it uses: a person, or a guest's session and address; () for nobody's.
    """

    interaction: str = ""
    session: str = ""
    conversation: str | None = None
    counted_as: tuple[str, ...] = ()


NOBODY = Caller()


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a model.

    `system` never changes between messages, so that providers can cache it; everything that does goes into `turns`.
    `timeout_s` bounds the whole call, streaming included.
    """

    system: str
    turns: tuple[Turn, ...]
    max_tokens: int
    timeout_s: float
    output_schema: OutputSchema | None = None
    caller: Caller = field(default=NOBODY, compare=False)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call. `input_tokens` counts all input, cached or not."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole answer. `model` is the name the provider answered with; `failures` came before it."""

    text: str
    model: str
    finish: Finish
    usage: Usage = field(default_factory=Usage)
    failures: tuple[ModelError, ...] = ()


@runtime_checkable
class Preparable(Protocol):
    """A model with something slow to do before its first call."""

    async def prepare(self) -> None:
        """Import or load it now, without asking the model anything. Raises what the first call would raise."""
        ...


@runtime_checkable
class Identified(Protocol):
    """A model that others can be told from.

    Attributes:
        identity: equal for two clients that ask the same model at the same address in the same way; no secret in it.
            What follows the first space says in which way.
        account: equal for two clients with the same key; a digest, of no use to anyone who sees it.
    """

    @property
    def identity(self) -> str: ...

    @property
    def account(self) -> str: ...


def identity_of(model: ChatModel) -> str:
    return model.identity if isinstance(model, Identified) else f"{model.provider}:{model.model}"


def account_of(model: ChatModel) -> str:
    return model.account if isinstance(model, Identified) else ""


def circuit_of(model: ChatModel) -> str:
    """The name of the circuit this model is on: the failures of one key or address are not those of another."""
    account = account_of(model)
    return identity_of(model).partition(" ")[0] + (f"#{account}" if account else "")


@runtime_checkable
class ChatModel(Protocol):
    """A model that answers a request.

    Both calls raise only `vif.errors.ModelError` subclasses and `asyncio.CancelledError`.
    A refusal or a truncated answer is not an error here: `Completion.finish` says so, and the caller decides.
    """

    @property
    def provider(self) -> Provider: ...

    @property
    def model(self) -> str: ...

    async def complete(self, request: Request) -> Completion:
        """The whole answer at once."""
        ...

    def stream(self, request: Request) -> AsyncGenerator[str | Completion, None]:
        """The answer as non-empty pieces of text, then exactly one `Completion` with all of it.

        Closing the generator early stops the model.
        """
        ...

    async def aclose(self) -> None:
        """Release connections. Calling it twice is harmless."""
        ...
