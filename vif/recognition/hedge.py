"""Hedging: when the primary is slower than usual the secondary is asked too, and the first good answer counts."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from vif.catalogue import cost_usd
from vif.errors import ModelError
from vif.interaction import Attempt
from vif.recognition.recogniser import Question, Read, Recogniser, RecogniserWrapper

SHARE = 0.05
"""At most this share of all requests is asked twice."""

BURST = 5
"""Second requests that may be saved up."""

KEPT = 200
NEEDED = 20
"""Latencies of the primary that are kept, and that are needed before anything is called slow."""

OUTPACED = "outpaced"
"""Outcome of the slower of two: it was ended, not failed."""


class HedgedRecogniser(RecogniserWrapper):
    """Asks `secondary` as well once the primary takes longer than the 95th percentile of its own latencies.

    Extra requests are at most 5 % of all. Fails with the primary's error, and only when both fail.
    """

    def __init__(
        self, inner: Recogniser, secondary: Recogniser, *, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        super().__init__(inner)
        self._secondary, self._clock = secondary, clock
        self._latencies_s: deque[float] = deque(maxlen=KEPT)
        self._allowance = 0.0

    async def read(self, question: Question, complaint: str | None, timeout_s: float) -> Read:
        self._allowance = min(self._allowance + SHARE, BURST)
        start = self._clock()
        first = asyncio.create_task(self._inner.read(question, complaint, timeout_s))
        second: asyncio.Task[Read] | None = None
        try:
            if await self._is_slow(first):
                begun = self._clock()
                second = asyncio.create_task(self._secondary.read(question, complaint, timeout_s))
                read = await self._faster(first, second, start, begun)
            else:
                read = await first
        finally:
            for task in (first, second):
                if task is not None:
                    task.cancel()
        # Also when the secondary was faster: the primary would have taken at least this long.
        self._latencies_s.append(self._clock() - start)
        return read

    async def _is_slow(self, first: asyncio.Task[Read]) -> bool:
        """Wait for the primary; True when it is late and a second request is allowed."""
        if len(self._latencies_s) < NEEDED:
            await asyncio.wait((first,))
            return False
        usual_s = statistics.quantiles(self._latencies_s, n=20)[-1]
        await asyncio.wait((first,), timeout=usual_s)
        while not first.done():
            if self._allowance >= 1.0:
                self._allowance -= 1.0
                return True
            # Others may leave an allowance behind, and whoever waits longest needs it most.
            await asyncio.wait((first,), timeout=usual_s / 4)
        return False

    async def _faster(self, first: asyncio.Task[Read], second: asyncio.Task[Read], start: float, begun: float) -> Read:
        """The first good answer, with the other one's attempt beside it; the primary's error when there is none."""
        await asyncio.wait((first, second), return_when=asyncio.FIRST_COMPLETED)
        if not first.done() and second.exception() is not None:
            await asyncio.wait((first,))
        if first.done() and first.exception() is not None:
            await asyncio.wait((second,))
        if first.done() and (first.exception() is None or second.exception() is not None):
            read = first.result()
            return replace(read, lost=(self._lost(self._secondary, second, begun, start), *read.lost))
        read = second.result()
        by = read.by or (self._secondary.provider, self._secondary.model)
        return replace(read, by=by, lost=(self._lost(self._inner, first, start, start), *read.lost))

    def _lost(self, rung: Recogniser, task: asyncio.Task[Read], since: float, start: float) -> Attempt:
        """The attempt that did not count. What it cost is not known when it was ended early."""
        outcome, error, raw_text, usage = OUTPACED, "the other model was faster", "", None
        if task.done() and isinstance(failure := task.exception(), ModelError):
            outcome, error, raw_text, usage = failure.reason.value, str(failure), failure.raw_text, failure.usage
        return Attempt(
            provider=rung.provider,
            model=rung.model,
            outcome=outcome,
            error=error,
            started_ms=max(since - start, 0.0) * 1000,
            latency_ms=max(self._clock() - since, 0.0) * 1000,
            input_tokens=usage.input_tokens if usage else 0,
            output_tokens=usage.output_tokens if usage else 0,
            cost_usd=cost_usd(rung.provider, rung.model, usage) if usage else (None if outcome == OUTPACED else 0.0),
            raw_text=raw_text,
        )
