"""The rungs of the ladder: each reads a message into an `Answer`, whatever kind of model is behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from vif.boundaries import BOUNDARY_NAMES, DEFAULT_BOUNDARIES, Boundary, dissolve
from vif.interaction import Attempt
from vif.llm.protocol import (
    NOBODY,
    Caller,
    ChatModel,
    Completion,
    Preparable,
    Provider,
    Request,
    Turn,
    Usage,
    account_of,
    identity_of,
)
from vif.recognition.prompt import system_prompt, user_turn
from vif.recognition.schema import Answer, checked_answer, output_schema

if TYPE_CHECKING:
    from vif.llm.embedded import EmbeddedModel
    from vif.recognition.embedded import EmbeddedReader
    from vif.recognition.glosses import Gloss

MAX_TOKENS = 1_024
"""Room for the JSON several times over; a model that needs more has lost its way."""

GLOSS_SHOWN = 160
"""Characters of a gloss that the reasoning quotes."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be read.

    Attributes:
        message: the user's text.
        previous: activations of the interaction before, when there is one.
        boundaries: give the oscillation, as long as LLM #1 is not asked for it.
        oscillation: whether LLM #1 is asked for frequency, amplitude and phase too.
    """

    message: str
    previous: Mapping[str, float] | None = None
    boundaries: tuple[Boundary, ...] = DEFAULT_BOUNDARIES
    oscillation: bool = False
    caller: Caller = field(default=NOBODY, compare=False)

    @property
    def six_boundaries(self) -> tuple[Boundary, ...]:
        """All six in order, with the oscillation given for them or the default."""
        given = {boundary.name: boundary for boundary in self.boundaries}
        return tuple(given.get(name, Boundary(name)) for name in BOUNDARY_NAMES)

    @property
    def key(self) -> Hashable:
        """Equal for two questions that must have the same answer."""
        previous = tuple(sorted(self.previous.items())) if self.previous else None
        return self.message, previous, self.boundaries, self.oscillation


@dataclass(frozen=True, slots=True)
class Read:
    """A usable answer and what it took.

    Attributes:
        by: provider and model, when it was not the rung itself that answered.
        cached: nobody was asked: the answer was remembered.
        shared: the answer to the same question of somebody else.
        lost: attempts at the same time that did not count.
    """

    answer: Answer
    usage: Usage = field(default_factory=Usage)
    raw_text: str = ""
    by: tuple[Provider, str] | None = None
    cached: bool = False
    shared: bool = False
    lost: tuple[Attempt, ...] = ()


class Recogniser(Protocol):
    """One rung.

    `attempts` bounds how often it may be asked about one message; None leaves that to the settings.
    """

    @property
    def provider(self) -> Provider: ...

    @property
    def model(self) -> str: ...

    @property
    def attempts(self) -> int | None: ...

    async def read(self, question: Question, complaint: str | None, timeout_s: float) -> Read:
        """Read the message; `complaint` says what was wrong with the last answer. Raises ModelError."""
        ...

    async def aclose(self) -> None: ...


class RecogniserWrapper:
    """Passes everything on, being a rung itself; a subclass changes how a message is read."""

    def __init__(self, inner: Recogniser) -> None:
        self._inner = inner

    @property
    def provider(self) -> Provider:
        return self._inner.provider

    @property
    def model(self) -> str:
        return self._inner.model

    @property
    def attempts(self) -> int | None:
        return self._inner.attempts

    @property
    def identity(self) -> str:
        """Equal for rungs that ask the same model in the same way, with the same key: nobody reads on another's."""
        inner = self._inner
        if isinstance(inner, ChatRecogniser):
            return f"{identity_of(inner.chat)}#{account_of(inner.chat)}"
        return inner.identity if isinstance(inner, RecogniserWrapper) else f"{inner.provider}:{inner.model}"

    async def read(self, question: Question, complaint: str | None, timeout_s: float) -> Read:
        return await self._inner.read(question, complaint, timeout_s)

    async def prepare(self) -> None:
        if isinstance(self._inner, Preparable):
            await self._inner.prepare()

    async def aclose(self) -> None:
        await self._inner.aclose()


def reading_request(question: Question, complaint: str | None, timeout_s: float) -> Request:
    """What a chat model is asked as LLM #1; `complaint` says what was wrong with its last answer."""
    return Request(
        system=system_prompt(question.oscillation),
        turns=(Turn("user", user_turn(question.message, question.previous, complaint)),),
        max_tokens=MAX_TOKENS,
        timeout_s=timeout_s,
        output_schema=output_schema(question.oscillation),
        caller=question.caller,
    )


@dataclass(frozen=True, slots=True)
class ChatRecogniser:
    """LLM #1 as a chat model with structured output."""

    chat: ChatModel
    attempts: int | None = None

    @property
    def provider(self) -> Provider:
        return self.chat.provider

    @property
    def model(self) -> str:
        return self.chat.model

    async def read(self, question: Question, complaint: str | None, timeout_s: float) -> Read:
        completion: Completion = await self.chat.complete(reading_request(question, complaint, timeout_s))
        answer = checked_answer(completion, question.six_boundaries, oscillation=question.oscillation)
        return Read(answer, completion.usage, completion.text)

    async def prepare(self) -> None:
        if isinstance(self.chat, Preparable):
            await self.chat.prepare()

    async def aclose(self) -> None:
        await self.chat.aclose()


@dataclass(frozen=True, slots=True)
class EmbeddedRecogniser:
    """LLM #1 on this machine: hidden states of the embedded model and a trained head. Permeabilities are √(a·b)."""

    embedded: EmbeddedModel
    reader: EmbeddedReader
    attempts: int | None = 1  # it is deterministic: asking again gives the same

    @property
    def provider(self) -> Provider:
        return Provider.EMBEDDED

    @property
    def model(self) -> str:
        return self.embedded.model

    async def read(self, question: Question, complaint: str | None, timeout_s: float) -> Read:  # noqa: ARG002
        # Neither counts here: it gives no unusable answer, and the ladder ends it when its time is over.
        reading = await self.reader.read(question.message)
        likeliest = [(kind, share) for kind, share in reading.kinds[:3] if share >= 0.1]
        answer = Answer(
            domains=reading.activations,
            boundaries=dissolve(question.six_boundaries, reading.activations),
            reasoning=_reasoning(likeliest, reading.gloss),
            patterns=tuple(f"{share:.0%} like {kind}" for kind, share in likeliest),
        )
        return Read(answer)

    async def prepare(self) -> None:
        await asyncio.gather(self.embedded.prepare(), self.reader.prepare())

    async def aclose(self) -> None:
        await self.embedded.aclose()


def _reasoning(likeliest: list[tuple[str, float]], gloss: Gloss | None) -> str:
    said = []
    if gloss:
        text = gloss.text if len(gloss.text) <= GLOSS_SHOWN else f"{gloss.text[:GLOSS_SHOWN]}…"
        said.append(f"The message is {gloss.language}; word for word it is read as «{text}».")
    if likeliest:
        said.append("To the embedded model this reads like " + " and ".join(kind for kind, _ in likeliest[:2]) + ".")
    else:
        said.append("Nothing in the message points to one kind of message more than to another.")
    return " ".join(said)
