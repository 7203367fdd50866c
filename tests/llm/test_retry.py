"""Asking again: when, how long after, and never after the first word. Time passes without waiting."""

from __future__ import annotations

import pytest

from tests.fakes import FakeClock, FakeModel, Plan, Said
from vif.errors import AuthError, ConnectError, ModelError, RateLimitError, SchemaError, ServerError
from vif.llm.protocol import Completion, Request, Turn
from vif.llm.retry import Retry, wait_s

REQUEST = Request("", (Turn("user", "Why?"),), 100, 10.0)


def retrying(clock: FakeClock, *plans: Plan, retries: int = 2) -> tuple[Retry, FakeModel]:
    """With a jitter of 0.5 the waits are 0.2 s, 0.4 s, 0.8 s …"""
    model = FakeModel(*plans)
    return Retry(model, retries, clock=clock, sleep=clock.sleep, jitter=lambda: 0.5), model


async def pieces(model: Retry) -> list[str | Completion]:
    return [item async for item in model.stream(REQUEST)]


@pytest.mark.parametrize(
    ("error", "number", "jitter", "wait"),
    [
        (ServerError(""), 0, 0.5, 0.2),  # 0.2 · 2⁰ · (0.5 + 0.5)
        (ServerError(""), 2, 0.5, 0.8),  # 0.2 · 2² · 1.0
        (ConnectError(""), 1, 0.0, 0.2),  # 0.2 · 2¹ · 0.5
        (ConnectError(""), 1, 1.0, 0.6),  # 0.2 · 2¹ · 1.5
        (RateLimitError("", retry_after_s=7.5), 3, 0.5, 7.5),
        (SchemaError(""), 1, 0.5, 0.0),
    ],
)
def test_the_wait_grows_and_a_provider_that_names_one_gets_it(
    error: ModelError, number: int, jitter: float, wait: float
) -> None:
    assert wait_s(error, number, jitter) == pytest.approx(wait)


async def test_what_may_pass_is_asked_again_and_told() -> None:
    clock = FakeClock()
    model, inner = retrying(clock, ServerError("down"), ConnectError("reset"), "hello")
    completion = await model.complete(REQUEST)
    assert completion.text == "hello"
    assert [str(failure) for failure in completion.failures] == ["down", "reset"]
    assert clock.slept == pytest.approx([0.2, 0.4])
    assert [request.timeout_s for request in inner.requests] == pytest.approx([10.0, 9.8, 9.4])


async def test_what_will_not_pass_is_raised_at_once() -> None:
    clock = FakeClock()
    model, inner = retrying(clock, AuthError("wrong key"))
    with pytest.raises(AuthError, match="wrong key"):
        await model.complete(REQUEST)
    assert (len(inner.requests), clock.slept) == (1, [])


async def test_the_last_failure_carries_those_before_it() -> None:
    model, _ = retrying(FakeClock(), ServerError("one"), ServerError("two"), ServerError("three"))
    with pytest.raises(ServerError, match="three") as raised:
        await model.complete(REQUEST)
    assert [str(error) for error in raised.value.earlier] == ["one", "two"]


async def test_a_wait_that_does_not_fit_is_not_begun() -> None:
    clock = FakeClock()
    model, _ = retrying(clock, RateLimitError("slow down", retry_after_s=10.0))
    with pytest.raises(RateLimitError):
        await model.complete(REQUEST)
    assert clock.slept == []


async def test_a_stream_is_begun_again_before_its_first_word() -> None:
    model, inner = retrying(FakeClock(), ServerError("down"), Said(("hel", "lo")))
    *words, completion = await pieces(model)
    assert words == ["hel", "lo"]
    assert isinstance(completion, Completion)
    assert [str(failure) for failure in completion.failures] == ["down"]
    assert len(inner.requests) == 2


async def test_a_stream_is_never_begun_again_after_its_first_word() -> None:
    model, inner = retrying(FakeClock(), Said(("hel",), then=ServerError("cut")), "hello")
    stream = model.stream(REQUEST)
    assert await anext(stream) == "hel"
    with pytest.raises(ServerError, match="cut"):
        await anext(stream)
    assert len(inner.requests) == 1


async def test_a_failure_says_how_long_it_took() -> None:
    clock = FakeClock()

    async def slowly(_request: Request) -> Said:
        clock.now += 3.0
        return Said(then=ServerError("down"))

    model, _ = retrying(clock, slowly, "hello")
    assert (await model.complete(REQUEST)).failures[0].took_s == pytest.approx(3.0)
