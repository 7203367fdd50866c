"""Ends a call when its time is over, whatever the client beneath does with its time-out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from vif.errors import DeadlineError
from vif.llm.protocol import Completion, Request
from vif.llm.wrapper import Wrapper


class Deadline(Wrapper):
    """`request.timeout_s` bounds everything beneath: waits between retries too. Raises DeadlineError."""

    async def complete(self, request: Request) -> Completion:
        try:
            async with asyncio.timeout(request.timeout_s):
                return await self._inner.complete(request)
        except TimeoutError:
            raise self._error(request) from None

    async def stream(self, request: Request) -> AsyncGenerator[str | Completion, None]:
        end = asyncio.get_running_loop().time() + request.timeout_s
        async with aclosing(self._inner.stream(request)) as items:
            while True:
                # Around the waiting only: a timeout around the `yield` would cancel the consumer's code.
                try:
                    async with asyncio.timeout_at(end):
                        item = await anext(items, None)
                except TimeoutError:
                    raise self._error(request) from None
                if item is None:
                    return
                yield item

    def _error(self, request: Request) -> DeadlineError:
        return DeadlineError(f"{self.model} had {request.timeout_s:g} s in all and was not done")
