"""One time limit over many waits."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self


class Alarm:
    """Ends the wait it is around, with TimeoutError, once its time is over; between waits it disturbs nobody.

    For a stream: a timeout around a `yield` would cancel the consumer's code, and one around each wait would set a
    timer for every piece. Waits may be in different tasks, one at a time. `stop` when there are no more.
    """

    def __init__(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._ring)
        self._rung = self._ended_it = False
        self._waiting: asyncio.Task[object] | None = None
        self._cancelling = 0

    def stop(self) -> None:
        self._timer.cancel()

    def _ring(self) -> None:
        self._rung = True
        if self._waiting is not None:
            self._ended_it = True
            self._waiting.cancel()

    def __enter__(self) -> Self:
        if self._rung:
            raise TimeoutError
        self._waiting = task = asyncio.current_task()
        self._cancelling = task.cancelling() if task else 0
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        task, self._waiting = self._waiting, None
        # As asyncio.timeout does it: somebody else may have cancelled the task too, and that counts for more.
        if self._ended_it and task is not None:
            self._ended_it = False
            if task.uncancel() <= self._cancelling and kind is not None and issubclass(kind, asyncio.CancelledError):
                raise TimeoutError
