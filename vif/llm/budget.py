"""Budgets: money a session, and all sessions of a day, may spend. Counted in the shared state, in US dollars."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil

from vif.catalogue import cost_usd
from vif.errors import BudgetError, ModelError
from vif.llm.protocol import Caller, ChatModel, Completion, Request, Usage
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


@dataclass(frozen=True, slots=True)
class _Budget:
    """One of the budgets a call is charged to. `remedy` says what to do when it is used up."""

    what: str
    key: str
    ttl_s: float
    limit: float | None
    remedy: str

    def check(self, used: float) -> None:
        """Raise BudgetError when nothing is left."""
        # Sums of cents in binary: a millionth of a cent more or less is nobody's money.
        if self.limit is not None and used >= self.limit - 1e-9:
            raise BudgetError(
                f"the budget for {self.what} is used up (${used:.4f} of ${self.limit:.4f}); {self.remedy}"
            )


class Purse:
    """The budgets, and what was spent of them. `clock` is in seconds since the epoch; a day ends at midnight UTC."""

    def __init__(
        self,
        state: State,
        *,
        per_session: float | None = None,
        per_day: float | None = None,
        per_person: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Limits in US dollars: of a session, of all on one day, of one person on one day."""
        self._state, self._per_session, self._per_day, self._clock = state, per_session, per_day, clock
        self._per_person = per_person

    @property
    def limited(self) -> bool:
        return any(limit is not None for limit in (self._per_session, self._per_day, self._per_person))

    async def spent(self, session: str) -> Spent:
        """What this session and this day have cost so far, calls under way included."""
        own, day = await self._state.read(self._session_key(session), self._day_key())
        return Spent(own or 0.0, day or 0.0, self._per_session, self._per_day)

    async def take(self, caller: Caller, dollars: float) -> None:
        """Set money aside for a call. Raises BudgetError, and takes nothing, when a budget is used up."""
        budgets = self._budgets(caller)
        used = await self._state.read(*(budget.key for budget in budgets))
        for budget, before in zip(budgets, used, strict=True):
            budget.check(before or 0.0)
        if not dollars:
            return
        taken: list[_Budget] = []
        try:
            for budget in budgets:
                after = await self._state.add(budget.key, dollars, budget.ttl_s)
                taken.append(budget)
                # Again, now that it is ours: of many who looked at the same moment, the sum tells who came first.
                budget.check(after - dollars)
        except BudgetError:
            for budget in taken:
                await self._state.add(budget.key, -dollars, budget.ttl_s)
            raise

    async def correct(self, caller: Caller, dollars: float) -> None:
        """Add to what was spent; a negative amount gives money back that was set aside."""
        if dollars:
            for budget in self._budgets(caller):
                await self._state.add(budget.key, dollars, budget.ttl_s)

    def _budgets(self, caller: Caller) -> tuple[_Budget, ...]:
        session = _Budget(
            "this session",
            self._session_key(caller.session),
            SESSION_TTL_S,
            self._per_session,
            "begin a new session or raise VIF_BUDGET_USD_PER_SESSION",
        )
        day = _Budget(
            "today", self._day_key(), DAY_S, self._per_day, "wait until midnight UTC or raise VIF_BUDGET_USD_PER_DAY"
        )
        left_min = ceil((DAY_S - self._clock() % DAY_S) / 60)
        persons = tuple(
            _Budget(
                "one person today",
                f"{self._day_key()}:{one}",
                DAY_S,
                self._per_person,
                f"it is full again at midnight UTC, in {left_min // 60} h {left_min % 60} min "
                "(VIF_BUDGET_USD_PER_PERSON_PER_DAY)",
            )
            for one in (caller.counted_as if self._per_person is not None else ())
        )
        return (session, day, *persons)

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
        await self._purse.take(request.caller, aside)
        try:
            completion = await self._inner.complete(request)
        except ModelError as error:
            await self._settle(request, aside, error.usage or Usage())
            raise
        await self._settle(request, aside, completion.usage)
        return completion

    async def stream(self, request: Request) -> AsyncGenerator[str | Completion, None]:
        aside = self._estimate(request)
        await self._purse.take(request.caller, aside)
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
        await self._purse.correct(request.caller, self._price(usage) - aside)

    def _price(self, usage: Usage) -> float:
        return cost_usd(self.provider, self.model, usage) or 0.0
