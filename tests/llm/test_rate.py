"""How often one person may ask."""

from __future__ import annotations

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
