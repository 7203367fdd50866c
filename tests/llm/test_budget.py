"""Budgets: who may still ask, what a call is counted at, and when a day ends."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.fakes import FakeModel, Said, in_virtual_time
from vif.errors import BudgetError, ServerError
from vif.llm.budget import Budgeted, Purse
from vif.llm.protocol import Caller, Completion, Provider, Request, Turn, Usage
from vif.state import MemoryState

CALL = 0.00027
"""gpt-6-luna: 1200 tokens in and 300 out, what every call of a FakeModel uses."""

NOON = 1_795_348_800.0  # 2026-11-22 12:00 UTC


def request(session: str = "s", *counted_as: str) -> Request:
    """4,800 characters are taken for 1,200 tokens, so the estimate is the price of `CALL` as well."""
    return Request("x" * 4_800, (Turn("user", ""),), 1_024, 10.0, caller=Caller("i", session, None, counted_as))


def budgeted(*plans: Any, clock: Any = lambda: NOON, state: Any = None, **limits: float) -> tuple[Budgeted, Purse]:
    purse = Purse(state or MemoryState(), clock=clock, **limits)
    return Budgeted(FakeModel(*plans), purse), purse


async def test_a_session_may_spend_its_budget_and_no_more() -> None:
    model, purse = budgeted("a", "b", per_session=2 * CALL)
    for _ in range(2):
        await model.complete(request())
    with pytest.raises(BudgetError, match=r"the budget for this session is used up \(\$0\.0005 of \$0\.0005\)"):
        await model.complete(request())
    spent = await purse.spent("s")
    assert (spent.session, spent.day) == pytest.approx((2 * CALL, 2 * CALL))


async def test_another_session_has_a_budget_of_its_own_and_shares_the_days() -> None:
    model, _ = budgeted("a", "b", per_session=CALL, per_day=2 * CALL)
    await model.complete(request("one"))
    await model.complete(request("two"))
    with pytest.raises(BudgetError, match=r"the budget for today is used up .* midnight UTC"):
        await model.complete(request("three"))


async def test_a_new_day_begins_at_midnight_utc() -> None:
    now = [NOON]
    model, _ = budgeted("a", "b", clock=lambda: now[0], per_day=CALL)
    await model.complete(request())
    now[0] += 12 * 3600 - 1
    with pytest.raises(BudgetError):
        await model.complete(request())
    now[0] += 1
    assert (await model.complete(request())).text == "b"


async def test_a_person_has_a_budget_for_the_day_that_a_new_session_does_not_refill() -> None:
    now = [NOON + 60 * 48]
    model, _ = budgeted("a", "b", "c", clock=lambda: now[0], per_person=CALL)
    await model.complete(request("one", "guest 1", "address"))
    with pytest.raises(BudgetError) as refused:
        await model.complete(request("two", "guest 2", "address"))
    # From 12:48 to midnight.
    assert str(refused.value) == (
        "the budget for one person today is used up ($0.0003 of $0.0003); it is full again at midnight UTC, "
        "in 11 h 12 min (VIF_BUDGET_USD_PER_PERSON_PER_DAY)"
    )
    await model.complete(request("three", "guest 3", "another address"))
    now[0] += 12 * 3600
    await model.complete(request("four", "guest 2", "address"))


async def test_a_call_that_is_refused_takes_nothing_from_any_budget() -> None:
    model, purse = budgeted("a", per_session=1.0, per_day=1.0, per_person=CALL)
    await model.complete(request("s", "lena"))
    with pytest.raises(BudgetError):
        await model.complete(request("s", "lena"))
    assert (await purse.spent("s")).session == pytest.approx(CALL)
    assert (await purse.spent("s")).day == pytest.approx(CALL)


async def test_a_budget_of_zero_lets_nobody_ask() -> None:
    model, _ = budgeted(per_session=0.0)
    with pytest.raises(BudgetError):
        await model.complete(request())


async def test_a_failure_gives_back_what_it_did_not_cost() -> None:
    model, purse = budgeted(ServerError("down"), ServerError("prose", usage=Usage(1200, 300)), per_session=1.0)
    with pytest.raises(ServerError):
        await model.complete(request())
    assert (await purse.spent("s")).session == pytest.approx(0.0)
    with pytest.raises(ServerError):
        await model.complete(request())
    assert (await purse.spent("s")).session == pytest.approx(CALL)


def test_calls_under_way_count_so_that_a_hundred_do_not_start_on_the_last_cent() -> None:
    async def slowly(_request: Request) -> Said:
        await asyncio.sleep(1.0)
        return Said(("hello",))

    async def main() -> int:
        model, _ = budgeted(*[slowly] * 100, per_day=3 * CALL)
        answers = await asyncio.gather(*(model.complete(request()) for _ in range(100)), return_exceptions=True)
        return sum(isinstance(answer, Completion) for answer in answers)

    assert in_virtual_time(main) == 3


async def test_a_stream_costs_what_its_end_says() -> None:
    model, purse = budgeted(Said(("a",), usage=Usage(2400, 600)), per_session=1.0)
    assert [item async for item in model.stream(request()) if isinstance(item, str)] == ["a"]
    assert (await purse.spent("s")).session == pytest.approx(2 * CALL)


async def test_a_stream_its_reader_stops_costs_its_estimate() -> None:
    model, purse = budgeted(Said(("a", "b")), per_session=1.0)
    stream = model.stream(request())
    await anext(stream)
    await stream.aclose()
    assert (await purse.spent("s")).session == pytest.approx(CALL)


async def test_what_has_no_price_is_not_limited() -> None:
    purse = Purse(MemoryState(), per_session=CALL, clock=lambda: NOON)
    model = Budgeted(FakeModel("a", "b", provider=Provider.LOCAL, model="mine"), purse)
    for _ in range(2):
        await model.complete(request())
    assert (await purse.spent("s")).session == 0.0


def test_a_purse_knows_whether_there_is_a_limit() -> None:
    assert not Purse(MemoryState()).limited
    assert Purse(MemoryState(), per_day=0.0).limited
    assert Purse(MemoryState(), per_person=0.0).limited
