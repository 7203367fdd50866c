"""Budgets: money a session, and all sessions of a day, may spend. Counted in the shared state, in US dollars."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime

from vif.catalogue import cost_usd
from vif.errors import BudgetError, ModelError
from vif.llm.protocol import ChatModel, Completion, Request, Usage
from vif.llm.wrapper import Wrapper
from vif.state import State

DAY_S = 86_400.0
SESSION_TTL_S = 7 * DAY_S

CHARACTERS_PER_TOKEN = 4
USUAL_OUTPUT_TOKENS = 300
"""What a call is taken to cost until it is known: nobody may start a hundred calls on the last cent."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What was spent, and what may be; None where there is no limit. In US dollars."""

    session: float
    day: float
    session_limit: float | None
    day_limit: float | None


class Purse:
    """The budgets, and what was spent of them. `clock` is in seconds since the epoch; a day ends at midnight UTC."""

    def __init__(
        self,
        state: State,
        *,
        per_session: float | None = None,
        per_day: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._state, self._per_session, self._per_day, self._clock = state, per_session, per_day, clock

    @property
    def limited(self) -> bool:
        return self._per_session is not None or self._per_day is not None

    async def spent(self, session: str) -> Spent:
        """What this session and this day have cost so far, calls under way included."""
        own, day = await self._state.read(self._session_key(session), self._day_key())
        return Spent(own or 0.0, day or 0.0, self._per_session, self._per_day)

    async def take(self, session: str, dollars: float) -> None:
        """Set money aside for a call. Raises BudgetError, and takes nothing, when a budget is used up."""
        spent = await self.spent(session)
        for what, used, limit, remedy in (
            (
                "this session",
                spent.session,
                self._per_session,
                "begin a new session or raise VIF_BUDGET_USD_PER_SESSION",
            ),
            ("today", spent.day, self._per_day, "wait until midnight UTC or raise VIF_BUDGET_USD_PER_DAY"),
        ):
            if limit is not None and used >= limit:
                raise BudgetError(f"the budget for {what} is used up (${used:.4f} of ${limit:.4f}); {remedy}")
        await self.correct(session, dollars)

    async def correct(self, session: str, dollars: float) -> None:
        """Add to what was spent; a negative amount gives money back that was set aside."""
        if dollars:
            await self._state.add(self._session_key(session), dollars, SESSION_TTL_S)
            await self._state.add(self._day_key(), dollars, DAY_S)

    def _session_key(self, session: str) -> str:
        return f"budget:session:{session}"

    def _day_key(self) -> str:
        return f"budget:day:{datetime.fromtimestamp(self._clock(), UTC).date().isoformat()}"


class Budgeted(Wrapper):
    """Asks the model only while there is money left, and counts what it cost. Raises BudgetError.

    A model without a known price is not limited. A call that its user stops is counted at its estimate.
    """

    def __init__(self, inner: ChatModel, purse: Purse) -> None:
        super().__init__(inner)
        self._purse = purse

    async def complete(self, request: Request) -> Completion:
        aside = self._estimate(request)
        await self._purse.take(request.caller.session, aside)
        try:
            completion = await self._inner.complete(request)
        except ModelError as error:
            await self._settle(request, aside, error.usage or Usage())
            raise
        await self._settle(request, aside, completion.usage)
        return completion

    async def stream(self, request: Request) -> AsyncGenerator[str | Completion, None]:
        aside = self._estimate(request)
        await self._purse.take(request.caller.session, aside)
        try:
            async with aclosing(self._inner.stream(request)) as items:
                async for item in items:
                    if isinstance(item, Completion):
                        await self._settle(request, aside, item.usage)
                    yield item
        except ModelError as error:
            await self._settle(request, aside, error.usage or Usage())
            raise

    def _estimate(self, request: Request) -> float:
        characters = len(request.system) + sum(len(turn.text) for turn in request.turns)
        return self._price(
            Usage(characters // CHARACTERS_PER_TOKEN, min(request.max_tokens, USUAL_OUTPUT_TOKENS)),
        )

    async def _settle(self, request: Request, aside: float, usage: Usage) -> None:
        await self._purse.correct(request.caller.session, self._price(usage) - aside)

    def _price(self, usage: Usage) -> float:
        return cost_usd(self.provider, self.model, usage) or 0.0
