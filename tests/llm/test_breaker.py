"""The circuit breaker: when it opens, who may probe, and whose circuit it is. Time passes without waiting."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from tests.fakes import FakeClock, FakeModel, Said, in_virtual_time
from vif.errors import (
    AuthError,
    BadRequestError,
    BudgetError,
    CircuitOpenError,
    ModelError,
    ServerError,
)
from vif.llm.breaker import CircuitBreaker, CircuitState
from vif.llm.protocol import Completion, Request, Turn
from vif.state import MemoryState, State

REQUEST = Request("", (Turn("user", "Why?"),), 100, 10.0)


class Watched:
    """A breaker over a model with plans, on a clock that stands still."""

    def __init__(self, *plans: Any, state: State | None = None, clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()
        self.changes: list[CircuitState] = []
        self.model = FakeModel(*plans)
        self.breaker = CircuitBreaker(
            self.model,
            state or MemoryState(clock=self.clock),
            failures=5,
            reset_s=30.0,
            on_change=lambda _role, _provider, _model, state: self.changes.append(state),
        )

    async def fail(self, times: int, error: type[ModelError] = ServerError) -> None:
        self.model.plans.extendleft([error("down")] * times)
        for _ in range(times):
            with pytest.raises(error):
                await self.breaker.complete(REQUEST)

    async def ask(self) -> str:
        return (await self.breaker.complete(REQUEST)).text

    async def state(self) -> CircuitState:
        return (await self.breaker.circuit()).state


async def test_five_failures_in_a_row_open_it_and_then_nobody_is_asked() -> None:
    watched = Watched()
    await watched.fail(4)
    assert await watched.state() is CircuitState.CLOSED
    await watched.fail(1)
    with pytest.raises(CircuitOpenError, match=r"gpt-6-luna failed too often and is left alone; .* in 30 s"):
        await watched.ask()
    assert len(watched.model.requests) == 5
    circuit = await watched.breaker.circuit()
    assert (circuit.state, circuit.opens_again_s, circuit.failures) == (CircuitState.OPEN, 30.0, 5)
    assert watched.changes == [CircuitState.OPEN]


async def test_a_success_between_failures_begins_the_count_anew() -> None:
    watched = Watched("hello")
    await watched.fail(4)
    assert await watched.ask() == "hello"
    await watched.fail(4)
    assert await watched.state() is CircuitState.CLOSED


async def test_after_the_pause_a_probe_that_succeeds_closes_it() -> None:
    watched = Watched("hello", "again")
    await watched.fail(5)
    watched.clock.now += 30.0
    assert await watched.state() is CircuitState.HALF_OPEN
    assert await watched.ask() == "hello"
    assert await watched.ask() == "again"
    assert watched.changes == [CircuitState.OPEN, CircuitState.HALF_OPEN, CircuitState.CLOSED]


async def test_a_probe_that_fails_opens_it_for_another_pause() -> None:
    watched = Watched("hello")
    await watched.fail(5)
    watched.clock.now += 30.0
    await watched.fail(1)
    watched.clock.now += 29.0
    with pytest.raises(CircuitOpenError):
        await watched.ask()
    watched.clock.now += 1.0
    assert await watched.ask() == "hello"


def test_of_a_hundred_callers_exactly_one_probes() -> None:
    async def slowly(_request: Request) -> Said:
        await asyncio.sleep(1.0)
        return Said(("hello",))

    async def main() -> tuple[int, list[str], int]:
        clock = FakeClock()
        watched = Watched(clock=clock)
        await watched.fail(5)
        clock.now += 30.0
        watched.model.plans.append(slowly)
        answers = await asyncio.gather(*(watched.ask() for _ in range(100)), return_exceptions=True)
        refused = sum(isinstance(one, CircuitOpenError) for one in answers)
        return len(watched.model.requests), [one for one in answers if isinstance(one, str)], refused

    assert in_virtual_time(main) == (6, ["hello"], 99)


async def test_a_probe_that_is_cancelled_lets_the_next_one_probe() -> None:
    asked = asyncio.Event()

    async def forever(_request: Request) -> Said:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    watched = Watched()
    await watched.fail(5)
    watched.clock.now += 30.0
    watched.model.plans.extend([forever, "hello"])
    task = asyncio.create_task(watched.ask())
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await watched.ask() == "hello"


def test_a_hanging_model_opens_it_although_somebody_else_ends_the_call() -> None:
    async def forever(_request: Request) -> Said:
        await asyncio.Event().wait()
        raise AssertionError

    async def main(patience_s: float) -> CircuitState:
        watched = Watched(*[forever] * 5)
        for _ in range(5):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience_s):
                    await watched.ask()
        return await watched.state()

    assert in_virtual_time(lambda: main(REQUEST.timeout_s)) is CircuitState.OPEN
    assert in_virtual_time(lambda: main(REQUEST.timeout_s / 2)) is CircuitState.CLOSED


@pytest.mark.parametrize("error", [BadRequestError, BudgetError])
async def test_what_is_not_the_providers_fault_does_not_open_it(error: type[ModelError]) -> None:
    watched = Watched()
    await watched.fail(10, error)
    assert await watched.state() is CircuitState.CLOSED


async def test_wrong_keys_open_it_too() -> None:
    watched = Watched()
    await watched.fail(5, AuthError)
    assert await watched.state() is CircuitState.OPEN


async def test_a_stream_counts_and_a_probing_one_closes_it_at_its_first_word() -> None:
    watched = Watched(Said(("hel", "lo")))
    await watched.fail(5)
    watched.clock.now += 30.0
    stream = watched.breaker.stream(REQUEST)
    assert await anext(stream) == "hel"
    assert await watched.state() is CircuitState.CLOSED
    assert [item async for item in stream if isinstance(item, str)] == ["lo"]


async def test_a_stream_that_keeps_breaking_after_its_first_word_opens_it() -> None:
    watched = Watched(*[Said(("hel",), then=ServerError("cut")) for _ in range(5)])
    for _ in range(5):
        with pytest.raises(ServerError):
            [item async for item in watched.breaker.stream(REQUEST)]
    assert await watched.state() is CircuitState.OPEN


def test_an_answer_to_an_earlier_request_closes_it_for_the_provider_is_well() -> None:
    async def slowly(_request: Request) -> Said:
        await asyncio.sleep(1.0)
        return Said(("late",))

    async def main() -> tuple[CircuitState, CircuitState, list[CircuitState]]:
        watched = Watched(slowly)
        early = asyncio.create_task(watched.ask())
        await asyncio.sleep(0.5)
        await watched.fail(5)
        opened = await watched.state()
        assert await early == "late"
        return opened, await watched.state(), watched.changes

    expected = CircuitState.OPEN, CircuitState.CLOSED, [CircuitState.OPEN, CircuitState.CLOSED]
    assert in_virtual_time(main) == expected


def test_refusals_that_come_back_sooner_than_answers_do_not_shut_out_a_provider_that_is_well() -> None:
    async def slowly(_request: Request) -> Said:
        await asyncio.sleep(0.1)
        return Said(("hello",))

    async def quickly(_request: Request) -> Said:
        await asyncio.sleep(0.01)
        return Said(then=ServerError("busy"))

    async def main() -> list[bool]:
        # Of a hundred at once every fifth is refused after 0.01 s; the others take 0.1 s. Then a hundred more.
        watched = Watched(*[quickly if n % 5 == 0 else slowly for n in range(100)], *[slowly] * 100)
        first = await asyncio.gather(*(watched.ask() for _ in range(100)), return_exceptions=True)
        second = await asyncio.gather(*(watched.ask() for _ in range(100)), return_exceptions=True)
        return [sum(one == "hello" for one in first) == 80, all(one == "hello" for one in second)]

    assert in_virtual_time(main) == [True, True]


async def test_the_circuit_is_shared_by_those_who_share_the_state_and_the_key() -> None:
    class Keyed(FakeModel):
        identity = "openai:gpt-6-luna@host"

        def __init__(self, account: str) -> None:
            super().__init__()
            self.account = account

    clock = FakeClock()
    state = MemoryState(clock=clock)
    breakers = [CircuitBreaker(Keyed(key), state, failures=1, reset_s=30.0) for key in ("a", "a", "b")]
    inner = breakers[0]._inner
    assert isinstance(inner, FakeModel)
    inner.plans.append(ServerError("down"))
    with pytest.raises(ServerError):
        await breakers[0].complete(REQUEST)
    states = [(await breaker.circuit()).state for breaker in breakers]
    assert states == [CircuitState.OPEN, CircuitState.OPEN, CircuitState.CLOSED]


async def test_it_passes_on_what_it_wraps() -> None:
    watched = Watched("hello")
    assert isinstance(await watched.breaker.complete(REQUEST), Completion)
    await watched.breaker.aclose()
    assert watched.model.closed == 1
    assert (watched.breaker.provider, watched.breaker.model) == ("openai", "gpt-6-luna")
