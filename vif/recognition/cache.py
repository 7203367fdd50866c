"""Readings that were made before, and readings that are being made: the same message is not paid for twice."""

from __future__ import annotations

import asyncio
import copy
import hashlib
import json
from collections.abc import Hashable
from dataclasses import dataclass, replace
from functools import cache

from pydantic import TypeAdapter, ValidationError

from vif import __version__
from vif.llm.protocol import Usage
from vif.recognition.prompt import system_prompt
from vif.recognition.recogniser import Question, Read, Recogniser, RecogniserWrapper
from vif.recognition.schema import Answer
from vif.state import State

_ANSWER: TypeAdapter[Answer] = TypeAdapter(Answer)


class CachedRecogniser(RecogniserWrapper):
    """Gives the reading it has given before, while it is remembered.

    A reading is remembered for the message also when a clarified prompt was needed for it. One that another model gave
    is not: it would hide that this one is back.
    """

    def __init__(self, inner: Recogniser, state: State, ttl_s: float) -> None:
        super().__init__(inner)
        self._state, self._ttl_s = state, ttl_s
        self._who = self.identity

    async def read(self, question: Question, complaint: str | None, timeout_s: float) -> Read:
        key = f"reading:{self._digest(question)}"
        if complaint is None and (kept := await self._state.recall(key)) is not None:
            try:
                return Read(_ANSWER.validate_json(kept), cached=True)
            except ValidationError:
                pass  # written by another version
        read = await self._inner.read(question, complaint, timeout_s)
        if read.by is None:
            await self._state.remember(key, _ANSWER.dump_json(read.answer), self._ttl_s)
        return read

    def _digest(self, question: Question) -> str:
        """Of everything that can change the answer."""
        previous = sorted(question.previous.items()) if question.previous else None
        swings = [(b.name, b.frequency, b.amplitude, b.phase) for b in question.six_boundaries]
        parts = (__version__, self._who, _told(question.oscillation), question.message, previous, swings)
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@cache
def _told(oscillation: bool) -> str:
    """What LLM #1 is told beside the message, in short."""
    return hashlib.sha256(system_prompt(oscillation).encode()).hexdigest()


@dataclass(slots=True)
class _Flight:
    task: asyncio.Task[Read]
    waiting: int = 0


class SingleFlight(RecogniserWrapper):
    """Identical questions at the same time are one call; its tokens count for the one who came first.

    The call goes on as long as anybody waits for it.
    """

    def __init__(self, inner: Recogniser) -> None:
        super().__init__(inner)
        self._flights: dict[Hashable, _Flight] = {}

    async def read(self, question: Question, complaint: str | None, timeout_s: float) -> Read:
        # A future belongs to its loop, and one API object may serve several.
        key = (asyncio.get_running_loop(), question.key, complaint)
        flight = self._flights.get(key)
        leading = flight is None
        if flight is None:
            task = asyncio.create_task(self._inner.read(question, complaint, timeout_s))
            flight = self._flights[key] = _Flight(task)
            task.add_done_callback(lambda _task: self._flights.pop(key, None))
        flight.waiting += 1
        try:
            read = await asyncio.shield(flight.task)
        except Exception as error:
            if leading:
                raise
            raise _without_usage(error) from None
        finally:
            flight.waiting -= 1
            if not flight.waiting:
                self._flights.pop(key, None)
                flight.task.cancel()
        return read if leading else replace(read, usage=Usage(), lost=(), shared=True)


def _without_usage(error: Exception) -> Exception:
    """The same failure for another waiter: his own to raise, and not paid again."""
    own = copy.copy(error).with_traceback(None)
    if hasattr(own, "usage"):
        own.usage = None
    return own
