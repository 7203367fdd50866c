"""What both providers' batches share: what is checked before anything is sent, and how a call fails."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from vif.errors import InputError, ModelError
from vif.evaluation.batch import BatchState
from vif.llm.protocol import Request

CALL_TIMEOUT_S = 300.0
"""For one HTTP call: a file of requests or of results can be hundreds of megabytes."""

_CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_ANY_CALL = Request(system="", turns=(), max_tokens=1, timeout_s=CALL_TIMEOUT_S)

T = TypeVar("T")


def check_requests(requests: Mapping[str, Request], most: int) -> None:
    if not 0 < len(requests) <= most:
        raise InputError(f"the batch has {len(requests):,} requests; it must have 1 to {most:,}")
    for name in requests:
        if not _CUSTOM_ID.fullmatch(name):
            raise InputError(f"the custom id is {name!r}; it must be 1 to 64 letters, digits, '_' and '-'")


def check_size(size: int, most_mb: int) -> None:
    if size > most_mb * 1_000_000:
        raise InputError(f"the batch is {size / 1_000_000:,.0f} MB; it must be at most {most_mb} MB, so split it")


def check_ended(state: BatchState) -> None:
    if state.phase != "ended":
        raise InputError(f"the batch {state.id!r} is {state.status!r}; its results can be fetched once it has ended")


async def asked(call: Awaitable[T], failure: Callable[[Exception, Request], ModelError]) -> T:
    """What the SDK's call gives. What goes wrong is an error of ours, without the SDK's, which can quote the key."""
    try:
        async with asyncio.timeout(CALL_TIMEOUT_S):
            return await call
    except Exception as error:  # noqa: BLE001  # the protocol: nothing else escapes
        problem = failure(error, _ANY_CALL)
    raise problem.with_traceback(None)
