"""The ladder of LLM #1: cache, then rung after rung. It never raises; above it the Rust formula is the last rung.

The only retry loop of the package is here. Time is divided so that no rung can use up what the later ones need: a rung
that may be asked over the network gets an equal share of what is left, and a little is kept for the embedded one.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from vif.catalogue import cost_usd
from vif.config import DualLlmConfig
from vif.errors import DeadlineError, ModelError, ModelTimeoutError, OutputError, Reason, ServerError
from vif.interaction import Attempt, Recognition, Source, total_cost
from vif.llm.protocol import Provider, Usage
from vif.llm.retry import wait_s
from vif.recognition.recogniser import Question, Read, Recogniser
from vif.recognition.schema import Answer

EMBEDDED_RESERVE = 0.1
"""Share of the deadline kept for an embedded rung at the end of the ladder."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """What the ladder found: an answer, or none and the reason, and how it went."""

    answer: Answer | None
    recognition: Recognition


class Ladder:
    """Recognisers from the top, asked until one gives a usable answer.

    `clock`, `sleep` and `jitter` (0 to 1) are passed in so that tests need no waiting.
    """

    def __init__(
        self,
        rungs: Sequence[Recogniser],
        config: DualLlmConfig,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._rungs = tuple(rungs)
        self._config = config
        self._clock, self._sleep, self._jitter = clock, sleep, jitter

    async def recognise(self, question: Question) -> Recognised:
        """Read the message, or say why that was not possible."""
        start = self._clock()
        climb = _Climb(self, question, start)
        found = await climb.run()
        answer = found[1].answer if found else None
        provider, model = _answered(*found) if found else (None, None)
        reason = climb.first_failure
        recognition = Recognition(
            source=self._source(*found) if found else "formula",
            provider=provider,
            model=model,
            reasoning=answer.reasoning if answer else "",
            patterns=answer.patterns if answer else (),
            corrections=answer.corrections if answer else (),
            fallback_reason=reason if found else reason or Reason.NOT_CONFIGURED,
            attempts=tuple(climb.attempts),
            latency_ms=(self._clock() - start) * 1000,
            cost_usd=total_cost(attempt.cost_usd for attempt in climb.attempts),
            cache_hit=found is not None and found[1].cached,
        )
        return Recognised(answer, recognition)

    def _source(self, rung: Recogniser, read: Read) -> Source:
        if read.cached:
            return "cache"
        if _answered(rung, read)[0] is Provider.EMBEDDED:
            return "embedded"
        return "llm1" if rung is self._rungs[0] and read.by is None else "secondary"

    @property
    def rungs(self) -> tuple[Recogniser, ...]:
        """From the top."""
        return self._rungs

    async def aclose(self) -> None:
        for rung in self._rungs:
            await rung.aclose()


def _answered(rung: Recogniser, read: Read) -> tuple[Provider, str]:
    return read.by or (rung.provider, rung.model)


class _Climb:
    """One question on its way up the ladder; keeps the record of every attempt."""

    def __init__(self, ladder: Ladder, question: Question, start: float) -> None:
        self.attempts: list[Attempt] = []
        self.first_failure: Reason | None = None
        """Why the first rung was given up."""
        self._ladder, self._question, self._start = ladder, question, start
        self._config = ladder._config
        self._deadline = start + self._config.llm1_deadline_ms / 1000

    async def run(self) -> tuple[Recogniser, Read] | None:
        rungs = self._ladder.rungs
        for position, rung in enumerate(rungs):
            if read := await self._try(rung, self._end_of(rungs[position:])):
                return rung, read
            if self.first_failure is None:
                self.first_failure = self._why()
        return None

    def _why(self) -> Reason:
        """Why the last rung was given up: that time ran out matters only when nothing else had gone wrong before."""
        outcomes = [attempt.outcome for attempt in self.attempts]
        return Reason(next((o for o in reversed(outcomes) if o != Reason.DEADLINE), outcomes[-1]))

    def _end_of(self, remaining: Sequence[Recogniser]) -> float:
        """When the first of the remaining rungs has to be done."""
        distant = sum(rung.provider is not Provider.EMBEDDED for rung in remaining)
        if remaining[0].provider is Provider.EMBEDDED:
            return self._deadline
        reserve = EMBEDDED_RESERVE * self._config.llm1_deadline_ms / 1000 if distant < len(remaining) else 0.0
        now = self._ladder._clock()
        return now + max(self._deadline - reserve - now, 0.0) / distant

    async def _try(self, rung: Recogniser, end: float) -> Read | None:
        """Ask one rung, as often as its failures allow and its time lasts."""
        complaint: str | None = None
        tries = rung.attempts or self._config.llm1_max_retries + 1
        for number in range(tries):
            try:
                return await self._ask(rung, complaint, end)
            except ModelError as error:
                if not error.retryable or number + 1 == tries:
                    return None
                complaint = str(error) if isinstance(error, OutputError) else None
                wait = wait_s(error, number, self._ladder._jitter())
                if self._ladder._clock() + wait >= end:
                    return None
                if wait:
                    await self._ladder._sleep(wait)
        return None

    async def _ask(self, rung: Recogniser, complaint: str | None, end: float) -> Read:
        start = self._ladder._clock()
        per_attempt = self._config.llm1_timeout_ms / 1000
        allowed = min(per_attempt, end - start)
        try:
            async with asyncio.timeout(max(allowed, 0.0)):
                read = await rung.read(self._question, complaint, allowed)
        except (ModelTimeoutError, TimeoutError):
            if allowed < per_attempt:
                self._record(rung, start, Reason.DEADLINE, f"{rung.model} had {allowed:.1f} s left and gave no answer")
                raise DeadlineError("the time for all attempts is over") from None
            error = ModelTimeoutError(f"{rung.model} gave no answer within {per_attempt:g} s")
            self._record(rung, start, Reason.TIMEOUT, str(error))
            raise error from None
        except ModelError as error:
            self._record(rung, start, error.reason, str(error), usage=error.usage, raw_text=error.raw_text)
            raise
        except Exception as error:  # noqa: BLE001
            # Whatever it is, it must not reach the user. Its text might hold a key, its type does not.
            fault = ServerError(f"{rung.model} failed unexpectedly ({type(error).__name__})")
            self._record(rung, start, Reason.SERVER_ERROR, str(fault))
            raise fault from None
        began_ms = max(start - self._start, 0.0) * 1000
        self.attempts += [lost.model_copy(update={"started_ms": began_ms + lost.started_ms}) for lost in read.lost]
        if not read.cached:
            self._record(rung, start, "ok", by=read.by, usage=read.usage, raw_text=read.raw_text, shared=read.shared)
        return read

    def _record(
        self,
        rung: Recogniser,
        start: float,
        outcome: str,
        error: str | None = None,
        *,
        by: tuple[Provider, str] | None = None,
        usage: Usage | None = None,
        raw_text: str = "",
        shared: bool = False,
    ) -> None:
        provider, model = by or (rung.provider, rung.model)
        self.attempts.append(
            Attempt(
                provider=provider,
                model=model,
                outcome=outcome,
                error=error,
                started_ms=max(start - self._start, 0.0) * 1000,
                latency_ms=max(self._ladder._clock() - start, 0.0) * 1000,
                input_tokens=usage.input_tokens if usage else 0,
                output_tokens=usage.output_tokens if usage else 0,
                cost_usd=cost_usd(provider, model, usage) if usage else 0.0,
                raw_text=raw_text,
                shared=shared,
            )
        )
