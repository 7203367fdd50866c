"""Asking again: how long to wait first, and a wrapper that does it for a call that never changes.

LLM #1 has a loop of its own in the ladder, with the same waits: there the next request names the last one's fault.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace

from vif.errors import ModelError, OutputError
from vif.llm.protocol import ChatModel, Completion, Request
from vif.llm.wrapper import Wrapper

BACKOFF_S = 0.2
"""Wait before the first retry; it doubles each time, times a random factor from 0.5 to 1.5."""


def wait_s(error: ModelError, number: int, jitter: float) -> float:
    """Seconds to wait after the failure `number` (from 0). `jitter` is 0 to 1.

    A provider that says how long gets what it asks for. After an unusable answer there is nothing to wait for.
    """
    if isinstance(error, OutputError):
        return 0.0
    if error.retry_after_s is not None:
        return error.retry_after_s
    return BACKOFF_S * 2.0**number * (0.5 + jitter)


class Retry(Wrapper):
    """Asks again after a failure that may pass, at most `retries` times, and never after the first word.

    `request.timeout_s` is for all attempts and the waits between them; a wait that does not fit is not begun. What
    failed on the way is in `Completion.failures`, or in `ModelError.earlier` of the last one.
    """

    def __init__(
        self,
        inner: ChatModel,
        retries: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        super().__init__(inner)
        self._retries = retries
        self._clock, self._sleep, self._jitter = clock, sleep, jitter

    async def complete(self, request: Request) -> Completion:
        attempts = _Attempts(self, request)
        while True:
            try:
                completion = await self._inner.complete(attempts.request())
            except ModelError as error:
                await attempts.failed(error)
            else:
                return attempts.told(completion)

    async def stream(self, request: Request) -> AsyncGenerator[str | Completion, None]:
        attempts = _Attempts(self, request)
        begun = False
        while True:
            try:
                async with aclosing(self._inner.stream(attempts.request())) as items:
                    async for item in items:
                        begun = True
                        yield attempts.told(item) if isinstance(item, Completion) else item
                return
            except ModelError as error:
                if begun:
                    raise
                await attempts.failed(error)


class _Attempts:
    """One call's failures and what is left of its time."""

    def __init__(self, retry: Retry, request: Request) -> None:
        self.failures: list[ModelError] = []
        self._retry, self._request = retry, request
        self._start = self._began = retry._clock()
        self._end = self._start + request.timeout_s

    def request(self) -> Request:
        self._began = self._retry._clock()
        if not self.failures:
            return self._request
        return replace(self._request, timeout_s=max(self._end - self._began, 0.0))

    def told(self, completion: Completion) -> Completion:
        """The completion with what failed before it."""
        return replace(completion, failures=tuple(self.failures)) if self.failures else completion

    async def failed(self, error: ModelError) -> None:
        """Wait until the next attempt; raise `error` when there is to be none."""
        number = len(self.failures)
        error.began_s = self._began - self._start
        error.took_s = self._retry._clock() - self._began
        wait = wait_s(error, number, self._retry._jitter())
        if not error.retryable or number >= self._retry._retries or self._retry._clock() + wait >= self._end:
            error.earlier = tuple(self.failures)
            raise error
        self.failures.append(error)
        if wait:
            await self._retry._sleep(wait)
