"""The shared state: the same behaviour in this process and in a real Redis, and a Redis that goes away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from tests.fakes import FakeClock, FakeModel, FakeRecogniser, Plan, Said, answer
from tests.redis_server import RedisServer
from vif.config import DualLlmConfig
from vif.errors import CircuitOpenError, ConfigError, ServerError
from vif.llm.breaker import CircuitBreaker
from vif.llm.budget import Purse
from vif.llm.protocol import Caller, Request, Turn
from vif.recognition.cache import CachedRecogniser
from vif.recognition.recogniser import Question
from vif.state import PREFIX, REDIS_PAUSE_S, MemoryState, RedisState, State, shared_state

LONG = 3_600.0


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.needs("redis_server"))])
async def state(request: pytest.FixtureRequest) -> AsyncIterator[State]:
    if request.param == "memory":
        yield MemoryState()
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    server.flush()
    redis = RedisState(server.url, MemoryState())
    yield redis
    await redis.aclose()


async def test_what_is_remembered_is_recalled(state: State) -> None:
    await state.remember("a", b"\x00\xff", LONG)
    assert (await state.recall("a"), await state.recall("b")) == (b"\x00\xff", None)


async def test_numbers_begin_at_zero_and_are_forgotten_on_request(state: State) -> None:
    assert await state.add("spent", 0.25, LONG) == 0.25
    assert await state.add("spent", 0.5, LONG) == 0.75
    assert await state.read("spent", "other") == (0.75, None)
    await state.forget("spent", "other")
    assert await state.read("spent") == (None,)


async def test_of_many_who_claim_one_gets_it(state: State) -> None:
    claims = await asyncio.gather(*(state.claim("probe", LONG) for _ in range(100)))
    assert sum(claims) == 1
    await state.forget("probe")
    assert await state.claim("probe", LONG)


async def test_no_addition_is_lost(state: State) -> None:
    await asyncio.gather(*(state.add("spent", 1.0, LONG) for _ in range(100)))
    assert await state.read("spent") == (100.0,)


async def test_a_number_tells_how_long_it_lasts(state: State) -> None:
    await state.claim("open", 30.0)
    left = await state.left_s("open")
    assert left is not None
    assert 0 < left <= 30.0
    assert await state.left_s("nothing") is None


async def test_the_first_addition_sets_the_end_and_later_ones_keep_it() -> None:
    clock = FakeClock()
    state = MemoryState(clock=clock)
    await state.add("failures", 1, 60)
    clock.now = 59.0
    assert await state.add("failures", 1, 60) == 2
    clock.now = 60.0
    assert await state.add("failures", 1, 60) == 1


async def test_the_end_in_redis_is_kept_too(redis_server: RedisServer) -> None:
    redis_server.flush()
    state = RedisState(redis_server.url, MemoryState())
    await state.add("failures", 1, 60)
    await state.add("failures", 1, 6_000)
    left = await state.left_s("failures")
    assert left is not None
    assert left <= 60
    await state.remember("reading", b"x", 60)
    assert 0 < int(redis_server.ask("PTTL", PREFIX + "reading")) <= 60_000
    await state.aclose()


async def test_the_least_recently_used_memory_goes_first_and_numbers_stay() -> None:
    state = MemoryState(max_entries=2)
    await state.add("spent", 1.0, LONG)
    for key in ("a", "b"):
        await state.remember(key, b"x", LONG)
    await state.recall("a")
    await state.remember("c", b"x", LONG)
    assert [await state.recall(key) is not None for key in ("a", "b", "c")] == [True, False, True]
    assert await state.read("spent") == (1.0,)


async def test_ended_numbers_do_not_pile_up() -> None:
    clock = FakeClock()
    state = MemoryState(clock=clock)
    for number in range(10_000):
        clock.now += 1.0
        await state.add(f"session {number}", 1.0, 60.0)
    assert len(state._numbers) < 1_200


# ── Two replicas ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_two_replicas_share_circuit_budget_and_readings(redis_server: RedisServer) -> None:
    redis_server.flush()
    one, two = (RedisState(redis_server.url, MemoryState()) for _ in range(2))
    request = Request("", (Turn("user", "Why?"),), 100, 10.0)
    failing = CircuitBreaker(FakeModel(ServerError("down")), one, failures=1, reset_s=30.0)
    other = CircuitBreaker(FakeModel("hello"), two, failures=1, reset_s=30.0)
    with pytest.raises(ServerError):
        await failing.complete(request)
    with pytest.raises(CircuitOpenError):
        await other.complete(request)

    await Purse(one, per_day=1.0).take(Caller("", "a"), 0.25)
    assert (await Purse(two, per_day=1.0).spent("b")).day == 0.25

    reading = answer()
    await CachedRecogniser(FakeRecogniser(reading), one, LONG).read(Question("Why?"), None, 1.0)
    read = await CachedRecogniser(FakeRecogniser(), two, LONG).read(Question("Why?"), None, 1.0)
    assert (read.answer, read.cached) == (reading, True)
    for state in (one, two):
        await state.aclose()


async def test_of_two_replicas_exactly_one_probes(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vif.state.REDIS_TIMEOUT_S", 30.0)  # on a busy machine either would go on alone
    redis_server.flush()
    states = [RedisState(redis_server.url, MemoryState()) for _ in range(2)]
    models = [FakeModel(ServerError("down")), FakeModel()]
    breakers = [CircuitBreaker(m, s, failures=1, reset_s=LONG) for m, s in zip(models, states, strict=True)]
    request = Request("", (Turn("user", "Why?"),), 100, 10.0)
    with pytest.raises(ServerError):
        await breakers[0].complete(request)
    redis_server.ask("DEL", f"{PREFIX}circuit::openai:gpt-6-luna:open")  # the pause is over
    for model in models:
        model.plans.extend(["hello"] * 50)
    # The probe is answered only when all others have been told to wait.
    answers: list[object] = []
    release = asyncio.Event()
    for model in models:
        model.plans[0] = _held(release)

    async def ask(breaker: CircuitBreaker) -> None:
        try:
            answers.append(await breaker.complete(request))
        except CircuitOpenError as error:
            answers.append(error)
        if len(answers) == 99:
            release.set()

    await asyncio.gather(*(ask(breaker) for breaker in breakers * 50))
    assert sum(isinstance(one, CircuitOpenError) for one in answers) == 99
    assert sum(len(model.requests) for model in models) == 2  # the failure, and the probe
    for state in states:
        await state.aclose()


def _held(release: asyncio.Event) -> Plan:
    async def held(_request: Request) -> Said:
        await release.wait()
        return Said(("hello",))

    return held


# ── Redis goes away ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_redis_going_away_is_not_an_error_and_its_return_is_noticed(
    own_redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    clock = FakeClock()
    state = RedisState(own_redis_server.url, MemoryState(), clock=clock)
    await state.add("spent", 1.0, LONG)
    own_redis_server.kill()
    with caplog.at_level(logging.WARNING):
        assert await state.add("spent", 1.0, LONG) == 2.0  # this process's own share
        await state.remember("reading", b"x", LONG)
        assert await state.recall("reading") == b"x"
        assert await state.claim("probe", LONG)
        assert not await state.claim("probe", LONG)
    assert len(caplog.records) == 1  # one warning, then it is left alone
    own_redis_server.start()
    clock.now += REDIS_PAUSE_S
    await state.remember("shared", b"y", LONG)
    assert own_redis_server.ask("GET", PREFIX + "shared") == b"y"
    await state.aclose()


async def test_a_redis_that_was_never_there_is_not_an_error() -> None:
    state = RedisState("redis://user:hunter2secret@127.0.0.1:1/0", MemoryState())
    await state.remember("a", b"x", LONG)
    assert await state.recall("a") == b"x"


def test_the_password_is_not_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        await RedisState("redis://user:hunter2secret@127.0.0.1:1/0", MemoryState()).recall("a")

    with caplog.at_level(logging.DEBUG):
        asyncio.run(main())
    assert "cannot be used" in caplog.text
    assert "hunter2secret" not in caplog.text


def test_what_is_no_redis_url_is_one_clear_line_without_the_url() -> None:
    with pytest.raises(ConfigError, match=r"^redis_url \(VIF_REDIS_URL\) must begin with redis://") as raised:
        shared_state("http://user:hunter2secret@host", 10)
    assert "hunter2secret" not in str(raised.value)


def test_a_process_has_one_state() -> None:
    assert shared_state(None, 10) is shared_state(None, 10)
    assert DualLlmConfig().redis_url is None
