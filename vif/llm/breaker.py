"""The circuit breaker: a model that keeps failing is left alone for a while, then tried with a single request.

    closed ── failures in a row ──► open ── after `reset_s` ──► half-open ── the probe succeeds ──► closed
                                      ▲                             └────── the probe fails ──┐
                                      └───────────────────────────────────────────────────────┘
Libraries for this let everybody through when half-open, who then wait for the same dead provider at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from enum import StrEnum

from vif.errors import BadRequestError, BudgetError, CircuitOpenError, ModelError, ModelTimeoutError, OutputError
from vif.llm.protocol import ChatModel, Completion, Request, circuit_of
from vif.llm.wrapper import Wrapper
from vif.state import State

TRIPPED_TTL_S = 7 * 86_400.0
FAILURES_TTL_S = 3_600.0
"""Failures that lie an hour apart are not "in a row"."""


NEARLY = 0.95
"""Share of a request's time after which being cancelled means that its time was over."""


class CircuitState(StrEnum):
    """Closed lets every request through, open none, half-open one."""

    CLOSED = "closed"
    HALF_OPEN = "half-open"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Circuit:
    """How a model's circuit stands. `opens_again_s` are the seconds until the probe, when it is open."""

    role: str
    provider: str
    model: str
    state: CircuitState
    failures: int = 0
    opens_again_s: float | None = None


OnChange = Callable[[str, str, str, CircuitState], None]
"""Told role, provider, model and new state."""


class CircuitBreaker(Wrapper):
    """Opens after `failures` in a row and lets one probe through after `reset_s`. Raises CircuitOpenError.

    What is the request's own fault, and an answer that merely cannot be used, shows that the provider is well. The
    circuit belongs to the model in one role, its address and its key, and is shared by all who share the `state`. In
    one role, because LLM #2 has to answer also when the same model keeps failing to read.
    """

    def __init__(
        self,
        inner: ChatModel,
        state: State,
        *,
        role: str = "",
        failures: int,
        reset_s: float,
        on_change: OnChange | None = None,
    ) -> None:
        super().__init__(inner)
        self._state, self._limit, self._reset_s, self._on_change = state, failures, reset_s, on_change
        self._role = role
        self._not_closed = False
        self.name = f"circuit:{role}:{circuit_of(inner)}"
        self._failures, self._tripped = f"{self.name}:failures", f"{self.name}:tripped"
        self._open, self._probe = f"{self.name}:open", f"{self.name}:probe"

    async def circuit(self) -> Circuit:
        """How it stands now."""
        failures, tripped, is_open = await self._state.read(self._failures, self._tripped, self._open)
        left = await self._state.left_s(self._open) if is_open else None
        state = CircuitState.CLOSED if not tripped else CircuitState.OPEN if is_open else CircuitState.HALF_OPEN
        return Circuit(self._role, self.provider, self.model, state, int(failures or 0), left)

    async def complete(self, request: Request) -> Completion:
        passage = await self._enter(request)
        try:
            completion = await self._inner.complete(request)
        except ModelError as error:
            await passage.failed(error)
            raise
        except asyncio.CancelledError:
            await passage.ended()
            raise
        else:
            await passage.succeeded()
            return completion
        finally:
            await passage.leave()

    async def stream(self, request: Request) -> AsyncGenerator[str | Completion, None]:
        passage = await self._enter(request)
        try:
            async with aclosing(self._inner.stream(request)) as items:
                async for item in items:
                    if passage.probing:
                        await passage.succeeded()  # at the first word: the others need not wait for the last one
                    yield item
            await passage.succeeded()
        except ModelError as error:
            await passage.failed(error)
            raise
        except asyncio.CancelledError:
            await passage.ended()
            raise
        finally:
            await passage.leave()

    async def _enter(self, request: Request) -> _Passage:
        tripped, is_open = await self._state.read(self._tripped, self._open)
        if not tripped:
            return _Passage(self, request, probing=False)
        self._not_closed = True
        if is_open or not await self._state.claim(self._probe, request.timeout_s + 1.0):
            left = await self._state.left_s(self._open)
            when = f"in {left:.0f} s" if left else "just now, with another request"
            raise CircuitOpenError(f"{self.model} failed too often and is left alone; it is tried again {when}")
        if (await self._state.read(self._open))[0]:
            # Another probe failed between our two looks.
            await self._state.forget(self._probe)
            raise CircuitOpenError(f"{self.model} failed too often and is left alone")
        self._changed(CircuitState.HALF_OPEN)
        return _Passage(self, request, probing=True)

    def _changed(self, state: CircuitState) -> None:
        self._not_closed = state is not CircuitState.CLOSED
        if self._on_change is not None:
            self._on_change(self._role, self.provider, self.model, state)


class _Passage:
    """One request through the breaker; it gives the probe back in any case."""

    def __init__(self, breaker: CircuitBreaker, request: Request, *, probing: bool) -> None:
        self.probing = probing
        self._breaker = breaker
        self._late = asyncio.get_running_loop().time() + NEARLY * request.timeout_s

    async def succeeded(self) -> None:
        # Also a late success of a request from before it opened closes it: when many ask at once, refusals come back
        # sooner than answers, and then five of them are "in a row" although the provider is well.
        b = self._breaker
        await b._state.forget(b._failures, b._tripped, b._open)
        if b._not_closed:
            b._changed(CircuitState.CLOSED)
        await self.leave()

    async def failed(self, error: ModelError) -> None:
        b = self._breaker
        if isinstance(error, BudgetError):
            return  # nobody was asked
        if isinstance(error, BadRequestError | OutputError):
            await self.succeeded()
        elif self.probing or await b._state.add(b._failures, 1, FAILURES_TTL_S) >= b._limit:
            await self._trip()

    async def ended(self) -> None:
        """Somebody cancelled the request: because its time was over, which is a failure, or for another reason."""
        if asyncio.get_running_loop().time() >= self._late:
            await self.failed(ModelTimeoutError("no answer in time"))

    async def _trip(self) -> None:
        b = self._breaker
        newly = await b._state.claim(b._open, b._reset_s)
        await b._state.claim(b._tripped, TRIPPED_TTL_S)
        if newly:
            b._changed(CircuitState.OPEN)

    async def leave(self) -> None:
        """Also when the request was cancelled: the next one may probe."""
        if self.probing:
            self.probing = False
            await self._breaker._state.forget(self._breaker._probe)
