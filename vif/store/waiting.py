"""Waiting on an event loop for what another thread does."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def outcome(future: Future[T]) -> T:
    """Wait for a future of another thread. Being cancelled leaves it alone."""
    loop = asyncio.get_running_loop()
    waiting: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        if not waiting.done():
            waiting.set_result(None)

    def done(_future: Future[T]) -> None:
        with suppress(RuntimeError):  # the loop is closed, and nobody waits
            loop.call_soon_threadsafe(wake)

    future.add_done_callback(done)
    await waiting
    return future.result()
