"""The fault drill: LLM #1 misbehaves on purpose, so that everybody can see that the answers keep coming.

What is simulated is the provider; everything above it is the real thing: validation, retries, circuit, fallback.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from enum import StrEnum

from vif.boundaries import BOUNDARY_NAMES
from vif.errors import AuthError, ModelTimeoutError, RateLimitError, ServerError
from vif.llm.protocol import ChatModel, Completion, Finish, Provider, Request
from vif.llm.stack import READER, Guards
from vif.recognition.recogniser import Question, Read, Recogniser, RecogniserWrapper
from vif.recognition.schema import checked_answer

TIME_OUT_S = 1.0
RETRY_AFTER_S = 60.0
WORKS_EVERY = 3
"""A flapping model answers every third request."""


class Fault(StrEnum):
    """What LLM #1 does in a drill."""

    TIME_OUT = "time-out"
    HANG = "hang"
    AUTH = "401"
    RATE_LIMIT = "429"
    SERVER_ERROR = "500"
    PROSE = "prose"
    OUT_OF_RANGE = "CD = 1.5"
    FLAPPING = "flapping"

    @property
    def meaning(self) -> str:
        """One sentence for people."""
        return _MEANINGS[self]


_MEANINGS = {
    Fault.TIME_OUT: "The connection times out after one second, every time.",
    Fault.HANG: "It takes the request and never answers.",
    Fault.AUTH: "It refuses the key.",
    Fault.RATE_LIMIT: "Too many requests: it asks to wait a minute.",
    Fault.SERVER_ERROR: "It reports an error of its own.",
    Fault.PROSE: "It answers in prose instead of JSON.",
    Fault.OUT_OF_RANGE: "It says that an activation is 1.5, where 1 is the most.",
    Fault.FLAPPING: "Two requests fail, the third works, and so on.",
}

_PROSE = "What a lovely message! It sounds mostly computational to me, with a touch of culture."
_OUT_OF_RANGE = json.dumps(
    {
        "reasoning": "Very computational.",
        "domains": {"CD": 1.5, "SD": 0.3, "CuD": 0.1, "ED": 0.2},
        "boundaries": {name: {"permeability": 0.3, "status": "Maintained"} for name in BOUNDARY_NAMES},
        "patterns": ["enthusiasm"],
    }
)


def drilled(rung: Recogniser, fault: Fault, guards: Guards) -> Recogniser:
    """The rung with a provider that has this fault, behind a circuit breaker like any other."""
    return _Drilled(rung, fault, guards)


class _Drilled(RecogniserWrapper):
    def __init__(self, inner: Recogniser, fault: Fault, guards: Guards) -> None:
        super().__init__(inner)
        self._fault = fault
        self._line: ChatModel = guards.breaker(_Provider(inner, fault), READER)

    @property
    def attempts(self) -> int | None:
        return None

    async def read(self, question: Question, complaint: str | None, timeout_s: float) -> Read:
        completion = await self._line.complete(Request("", (), 1, timeout_s, caller=question.caller))
        if self._fault in (Fault.PROSE, Fault.OUT_OF_RANGE):
            answer = checked_answer(completion, question.six_boundaries)
            return Read(answer, completion.usage, completion.text)
        return await self._inner.read(question, complaint, timeout_s)


class _Provider:
    """A provider with a fault, where the rung's own would be."""

    def __init__(self, rung: Recogniser, fault: Fault) -> None:
        self._rung, self._fault, self._asked = rung, fault, 0

    @property
    def provider(self) -> Provider:
        return self._rung.provider

    @property
    def model(self) -> str:
        return self._rung.model

    async def complete(self, request: Request) -> Completion:  # noqa: ARG002  # the protocol asks for it
        self._asked += 1
        match self._fault:
            case Fault.TIME_OUT:
                await asyncio.sleep(TIME_OUT_S)
                raise ModelTimeoutError("drill: the connection timed out")
            case Fault.HANG:
                await asyncio.Event().wait()
            case Fault.AUTH:
                raise AuthError("drill: HTTP 401: the key is not valid")
            case Fault.RATE_LIMIT:
                raise RateLimitError("drill: HTTP 429: too many requests", retry_after_s=RETRY_AFTER_S)
            case Fault.SERVER_ERROR:
                raise ServerError("drill: HTTP 500: internal server error")
            case Fault.FLAPPING if self._asked % WORKS_EVERY:
                raise ServerError("drill: HTTP 503: overloaded")
        text = {Fault.PROSE: _PROSE, Fault.OUT_OF_RANGE: _OUT_OF_RANGE}.get(self._fault, "")
        return Completion(text, self.model, Finish.STOP)

    async def stream(self, request: Request) -> AsyncGenerator[str | Completion, None]:
        """LLM #1 is never streamed; the same for completeness."""
        yield await self.complete(request)

    async def aclose(self) -> None:
        """Nothing to release."""
