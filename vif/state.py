"""What replicas may share: remembered readings, circuits, budgets. In this process, or in Redis when there is a URL.

Redis going away is not an error for anybody: until it is back, each process goes on with a state of its own.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import cache
from typing import TYPE_CHECKING, Protocol, TypeVar
from urllib.parse import urlsplit

from cachetools import TLRUCache

from vif.errors import ConfigError

if TYPE_CHECKING:
    from redis.asyncio import Redis

PREFIX = "vif:"

REDIS_TIMEOUT_S = 0.25
"""Redis is asked on the way of every message: when it is slower than this, it is as good as gone."""

REDIS_PAUSE_S = 5.0
"""How long Redis is left alone after a failure."""

T = TypeVar("T")

_log = logging.getLogger(__name__)


class State(Protocol):
    """Small values with an end. `recall` and `remember` may forget early, the others do not."""

    async def recall(self, key: str) -> bytes | None:
        """What was remembered, or None."""
        ...

    async def remember(self, key: str, value: bytes, ttl_s: float) -> None: ...

    async def read(self, *keys: str) -> tuple[float | None, ...]:
        """The numbers under these keys; None for each that is not there or has ended."""
        ...

    async def add(self, key: str, amount: float, ttl_s: float) -> float:
        """Add to a number that begins at 0, in one step for all; the sum. The first addition sets its end."""
        ...

    async def claim(self, key: str, ttl_s: float) -> bool:
        """Write 1 when nothing is there. Of all who ask at once, exactly one gets True."""
        ...

    async def left_s(self, key: str) -> float | None:
        """Seconds until a number ends; None when it is not there."""
        ...

    async def forget(self, *keys: str) -> None: ...

    async def aclose(self) -> None: ...


class MemoryState:
    """The state of this process. `clock` is in seconds."""

    def __init__(self, max_entries: int = 1_000, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._memories: TLRUCache[str, tuple[bytes, float]] = TLRUCache(
            max_entries, ttu=lambda _key, value, now: now + value[1], timer=clock
        )
        self._numbers: dict[str, tuple[float, float]] = {}

    async def recall(self, key: str) -> bytes | None:
        kept = self._memories.get(key)
        return kept[0] if kept else None

    async def remember(self, key: str, value: bytes, ttl_s: float) -> None:
        self._memories[key] = (value, ttl_s)

    async def read(self, *keys: str) -> tuple[float | None, ...]:
        return tuple(self._number(key) for key in keys)

    async def add(self, key: str, amount: float, ttl_s: float) -> float:
        before = self._number(key)
        end = self._clock() + ttl_s if before is None else self._numbers[key][1]
        self._sweep()
        self._numbers[key] = ((before or 0.0) + amount, end)
        return self._numbers[key][0]

    async def claim(self, key: str, ttl_s: float) -> bool:
        if self._number(key) is not None:
            return False
        self._numbers[key] = (1.0, self._clock() + ttl_s)
        return True

    async def left_s(self, key: str) -> float | None:
        return None if self._number(key) is None else self._numbers[key][1] - self._clock()

    async def forget(self, *keys: str) -> None:
        for key in keys:
            self._numbers.pop(key, None)

    async def aclose(self) -> None:
        """Nothing to release."""

    def _number(self, key: str) -> float | None:
        value, end = self._numbers.get(key, (0.0, 0.0))
        if end <= self._clock():
            return None
        return value

    def _sweep(self) -> None:
        """Drop what has ended, once there is much of it: sessions come and go."""
        if len(self._numbers) >= 1_000 and len(self._numbers) % 100 == 0:
            now = self._clock()
            self._numbers = {key: kept for key, kept in self._numbers.items() if kept[1] > now}


class RedisState:
    """The state of all processes that have the same Redis; `local` takes over while it cannot be reached.

    Raises ConfigError when the URL is not one of a Redis; the message does not show it.
    """

    def __init__(self, url: str, local: MemoryState, *, clock: Callable[[], float] = time.monotonic) -> None:
        if urlsplit(url).scheme not in ("redis", "rediss", "unix"):
            raise ConfigError("redis_url (VIF_REDIS_URL) must begin with redis://, rediss:// or unix://")
        self._url, self._local, self._clock = url, local, clock
        self._clients: dict[asyncio.AbstractEventLoop, Redis] = {}
        self._paused_until = 0.0

    async def recall(self, key: str) -> bytes | None:
        async def ask(redis: Redis) -> bytes | None:
            found = await redis.get(PREFIX + key)
            return found if isinstance(found, bytes) else None

        return await self._either(ask, lambda: self._local.recall(key))

    async def remember(self, key: str, value: bytes, ttl_s: float) -> None:
        async def ask(redis: Redis) -> None:
            await redis.set(PREFIX + key, value, px=_ms(ttl_s))

        await self._either(ask, lambda: self._local.remember(key, value, ttl_s))

    async def read(self, *keys: str) -> tuple[float | None, ...]:
        async def ask(redis: Redis) -> tuple[float | None, ...]:
            found = await redis.mget([PREFIX + key for key in keys])
            return tuple(None if value is None else float(value) for value in found)

        return await self._either(ask, lambda: self._local.read(*keys))

    async def add(self, key: str, amount: float, ttl_s: float) -> float:
        # Kept here as well: when Redis goes, this process knows at least its own share.
        own = await self._local.add(key, amount, ttl_s)

        async def ask(redis: Redis) -> float:
            async with redis.pipeline(transaction=True) as pipeline:
                pipeline.incrbyfloat(PREFIX + key, amount)
                pipeline.pexpire(PREFIX + key, _ms(ttl_s), nx=True)
                return float((await pipeline.execute())[0])

        async def known() -> float:
            return own

        return await self._either(ask, known)

    async def claim(self, key: str, ttl_s: float) -> bool:
        async def ask(redis: Redis) -> bool:
            return bool(await redis.set(PREFIX + key, 1, nx=True, px=_ms(ttl_s)))

        return await self._either(ask, lambda: self._local.claim(key, ttl_s))

    async def left_s(self, key: str) -> float | None:
        async def ask(redis: Redis) -> float | None:
            left = int(await redis.pttl(PREFIX + key))
            return left / 1000 if left >= 0 else None

        return await self._either(ask, lambda: self._local.left_s(key))

    async def forget(self, *keys: str) -> None:
        await self._local.forget(*keys)

        async def ask(redis: Redis) -> None:
            await redis.delete(*(PREFIX + key for key in keys))

        async def done() -> None:
            return None

        await self._either(ask, done)

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()

    async def _either(self, ask: Callable[[Redis], Awaitable[T]], otherwise: Callable[[], Awaitable[T]]) -> T:
        if self._clock() < self._paused_until:
            return await otherwise()
        from redis.exceptions import RedisError

        try:
            return await ask(self._client())
        except (RedisError, OSError, TimeoutError, ValueError) as error:
            self._paused_until = self._clock() + REDIS_PAUSE_S
            # Its text can hold the address with its password; its type does not.
            _log.warning("Redis cannot be used (%s); this process goes on alone", type(error).__name__)
            return await otherwise()

    def _client(self) -> Redis:
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            from redis.asyncio import Redis
            from redis.asyncio.retry import Retry
            from redis.backoff import NoBackoff

            for other in [known for known in self._clients if known.is_closed()]:
                del self._clients[other]
            client = self._clients[loop] = Redis.from_url(
                self._url,
                socket_timeout=REDIS_TIMEOUT_S,
                socket_connect_timeout=REDIS_TIMEOUT_S,
                retry=Retry(NoBackoff(), 0),
            )
        return client


@cache
def shared_state(redis_url: str | None, max_entries: int) -> State:
    """The one state of this process for these settings. Raises ConfigError as `RedisState` does."""
    local = MemoryState(max_entries)
    return RedisState(redis_url, local) if redis_url else local


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))
