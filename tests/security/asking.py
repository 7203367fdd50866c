"""A process that asks as fast as it can: `asking.py URL TIMES ID …`. Prints how often it was let."""

from __future__ import annotations

import asyncio
import sys

import vif.state
from tests.fakes import FakeModel, Said
from vif.api import VifApi
from vif.config import DualLlmConfig
from vif.errors import BudgetError, TooManyRequestsError
from vif.llm.budget import Budgeted, Purse
from vif.llm.protocol import Caller, Request, Turn, Usage
from vif.state import MemoryState, RedisState

REQUESTS, CALLS = 5, 3
CALL = 0.00027
"""gpt-6-luna: 1200 tokens in and 300 out."""


async def main(url: str, times: int, counted_as: tuple[str, ...]) -> None:
    vif.state.REDIS_TIMEOUT_S = 30.0  # a busy machine is not to look like a Redis that is gone
    state = RedisState(url, MemoryState())
    config = DualLlmConfig(requests_per_minute=REQUESTS)
    api = VifApi(FakeModel(*["Hello."] * times), config, state=state)
    told = await asyncio.gather(
        *(api.process(str(number), counted_as=counted_as) for number in range(times)), return_exceptions=True
    )
    answered = sum(not isinstance(one, TooManyRequestsError) for one in told)

    model = Budgeted(FakeModel(*[Said(("a",), usage=Usage(1200, 300))] * times), Purse(state, per_person=CALLS * CALL))
    request = Request("x" * 4_800, (Turn("user", ""),), 1_024, 10.0, caller=Caller("i", "s", None, counted_as))
    paid = await asyncio.gather(*(model.complete(request) for _ in range(times)), return_exceptions=True)
    print(answered, sum(not isinstance(one, BudgetError) for one in paid))  # noqa: T201
    await state.aclose()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), tuple(sys.argv[3:])))
