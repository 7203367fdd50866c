"""How often one person may ask. Counted in the shared state, so that every process knows."""

from __future__ import annotations

from math import ceil

from vif.errors import TooManyRequestsError
from vif.state import State

WINDOW_S = 60.0


class Rate:
    """So many requests in a minute that begins with somebody's first one; None for any number."""

    def __init__(self, state: State, per_minute: int | None) -> None:
        self._state, self._per_minute = state, per_minute

    async def admit(self, counted_as: tuple[str, ...]) -> None:
        """Count one request of somebody, who may be known by several ids: each has to have room.

        Raises TooManyRequestsError.
        """
        limit = self._per_minute
        if limit is None or not counted_as:
            return
        keys = [f"rate:{one}" for one in counted_as]
        # Who is refused is not counted: asking on and on does not keep anybody out who shares an address.
        before = await self._state.read(*keys)
        full = [key for key, count in zip(keys, before, strict=True) if (count or 0) >= limit]
        if not full:
            full = await self._count(keys, limit)
        if full:
            left = [await self._state.left_s(key) or 0.0 for key in full]
            free_in_s = max(1, ceil(max(left)))
            raise TooManyRequestsError(
                f"at most {limit} requests a minute are answered here (VIF_REQUESTS_PER_MINUTE); "
                f"ask again in {free_in_s} s",
                free_in_s,
            )

    async def _count(self, keys: list[str], limit: int) -> list[str]:
        """Count one request for each of these, or for none; the one that had no room.

        One after the other: of many who ask at the same moment, only those with room at the first id touch the next.
        """
        counted: list[str] = []
        for key in keys:
            counted.append(key)
            if await self._state.add(key, 1, WINDOW_S) > limit:
                for one in counted:
                    await self._state.add(one, -1, WINDOW_S)
                return [key]
        return []
