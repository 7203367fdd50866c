"""How often one person may ask."""

from __future__ import annotations

import asyncio

import pytest

from tests.fakes import FakeClock
from vif.errors import TooManyRequestsError
from vif.llm.rate import Rate
from vif.state import MemoryState


def rate(per_minute: int | None, clock: FakeClock) -> Rate:
    return Rate(MemoryState(clock=clock), per_minute)


async def test_so_many_requests_a_minute_and_then_it_says_when_again() -> None:
    clock = FakeClock()
    limited = rate(2, clock)
    await limited.admit(("lena",))
    clock.now = 20.5
    await limited.admit(("lena",))
    with pytest.raises(TooManyRequestsError) as refused:
        await limited.admit(("lena",))
    # The minute began with the first request: 60 - 20.5 = 39.5, told as the next whole second.
    assert str(refused.value) == (
        "at most 2 requests a minute are answered here (VIF_REQUESTS_PER_MINUTE); ask again in 40 s"
    )
    assert refused.value.free_in_s == 40
    clock.now = 60.0
    await limited.admit(("lena",))


async def test_another_person_has_a_share_of_their_own() -> None:
    limited = rate(1, FakeClock())
    await limited.admit(("lena",))
    await limited.admit(("ben",))


async def test_each_id_of_a_guest_must_have_room_so_a_new_session_from_the_same_address_has_none() -> None:
    limited = rate(1, FakeClock())
    await limited.admit(("session 1", "address"))
    with pytest.raises(TooManyRequestsError):
        await limited.admit(("session 2", "address"))
    with pytest.raises(TooManyRequestsError):
        await limited.admit(("session 1", "another address"))


async def test_who_is_refused_uses_up_nobody_elses_room() -> None:
    limited = rate(2, FakeClock())
    for _ in range(2):
        await limited.admit(("noisy", "noisy's address"))
    for _ in range(5):
        with pytest.raises(TooManyRequestsError):
            await limited.admit(("noisy", "office"))
    for _ in range(2):
        await limited.admit(("quiet", "office"))


async def test_without_a_limit_or_without_somebody_to_count_nobody_is_refused() -> None:
    for limited, who in ((rate(None, FakeClock()), ("lena",)), (rate(1, FakeClock()), ())):
        for _ in range(3):
            await limited.admit(who)


class Unpunctual(MemoryState):
    """Several ask before any is told, and additions take so many turns, in the order they are begun."""

    def __init__(self, *turns: int) -> None:
        super().__init__()
        self._turns = iter(turns)

    async def read(self, *keys: str) -> tuple[float | None, ...]:
        found = await super().read(*keys)
        await asyncio.sleep(0)
        return found

    async def add(self, key: str, amount: float, ttl_s: float) -> float:
        for _ in range(next(self._turns, 0)):
            await asyncio.sleep(0)
        return await super().add(key, amount, ttl_s)


async def test_of_two_who_ask_at_once_for_the_last_place_one_gets_it() -> None:
    # The first is counted at the session, then late at the address: the other one must not be before it there.
    rate = Rate(Unpunctual(0, 5), 1)
    told = await asyncio.gather(*(rate.admit(("session", "address")) for _ in range(2)), return_exceptions=True)
    assert [type(one) for one in told] == [type(None), TooManyRequestsError]


async def test_who_is_refused_at_one_id_is_not_counted_at_the_other() -> None:
    state = Unpunctual()
    rate = Rate(state, 1)
    told = await asyncio.gather(rate.admit(("one", "address")), rate.admit(("two", "address")), return_exceptions=True)
    assert sorted(isinstance(one, TooManyRequestsError) for one in told) == [False, True]
    one, two, address = await state.read("rate:one", "rate:two", "rate:address")
    assert {one, two} == {0, 1}
    assert address == 1
