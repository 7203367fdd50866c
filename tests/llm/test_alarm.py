"""One time limit over many waits; the loop's clock is moved on by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from vif.llm.alarm import Alarm

Later = Callable[[float], None]


@pytest.fixture
async def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """Moves the clock of the running loop on by so many seconds."""
    loop = asyncio.get_running_loop()
    real, passed = loop.time, [0.0]
    monkeypatch.setattr(loop, "time", lambda: real() + passed[0])

    def move(seconds: float) -> None:
        passed[0] += seconds

    return move


async def turns() -> None:
    """Let the loop run what is due."""
    for _ in range(3):
        await asyncio.sleep(0)


async def test_a_wait_that_is_done_in_time_goes_on() -> None:
    alarm = Alarm(60.0)
    with alarm:
        await asyncio.sleep(0)
    with alarm:
        await asyncio.sleep(0)
    alarm.stop()


async def test_a_wait_that_lasts_too_long_is_a_timeout_and_no_cancellation(later: Later) -> None:
    alarm, task = Alarm(60.0), asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().call_soon(later, 61.0)
    with pytest.raises(TimeoutError), alarm:
        await asyncio.Event().wait()
    assert task.cancelling() == 0
    await asyncio.sleep(0)  # nothing is left to be cancelled


async def test_what_is_done_between_waits_is_not_disturbed_but_the_next_wait_does_not_begin(later: Later) -> None:
    alarm = Alarm(60.0)
    with alarm:
        await asyncio.sleep(0)
    later(61.0)
    await turns()
    with pytest.raises(TimeoutError), alarm:
        pytest.fail("the wait began")


async def test_a_stopped_alarm_does_not_ring(later: Later) -> None:
    alarm = Alarm(60.0)
    alarm.stop()
    later(61.0)
    with alarm:
        await turns()


async def test_waits_may_be_in_different_tasks(later: Later) -> None:
    alarm = Alarm(60.0)

    async def wait(forever: bool) -> None:
        with alarm:
            await (asyncio.Event().wait() if forever else asyncio.sleep(0))

    await asyncio.create_task(wait(forever=False))
    second = asyncio.create_task(wait(forever=True))
    await asyncio.sleep(0)
    later(61.0)
    with pytest.raises(TimeoutError):
        await second


async def test_a_cancellation_by_somebody_else_stays_one(later: Later) -> None:
    alarm = Alarm(60.0)

    async def wait() -> None:
        with alarm:
            await asyncio.Event().wait()

    plain = asyncio.create_task(wait())
    await asyncio.sleep(0)
    plain.cancel()
    with pytest.raises(asyncio.CancelledError):
        await plain

    both = asyncio.create_task(wait())
    await asyncio.sleep(0)
    both.cancel()
    later(61.0)
    alarm._ring()  # in the same turn of the loop
    with pytest.raises(asyncio.CancelledError):
        await both
    alarm.stop()


async def test_an_error_of_the_wait_itself_is_raised(later: Later) -> None:
    alarm = Alarm(60.0)
    with pytest.raises(ValueError, match="its own"), alarm:
        raise ValueError("its own")
    alarm.stop()
