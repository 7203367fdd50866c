"""Which wrappers a model gets, from the inside out. Read a stack as the way of a request from the right to the left."""

from __future__ import annotations

from dataclasses import dataclass, field

from vif.config import DualLlmConfig
from vif.llm.breaker import Circuit, CircuitBreaker, OnChange
from vif.llm.budget import Budgeted, Purse
from vif.llm.deadline import Deadline
from vif.llm.protocol import ChatModel, Provider
from vif.llm.rate import Rate
from vif.llm.retry import Retry
from vif.state import State

READER, RESPONDER = "llm1", "llm2"


@dataclass(frozen=True, slots=True)
class Guards:
    """What the wrappers of one API share."""

    config: DualLlmConfig
    state: State
    on_circuit_change: OnChange | None = None
    counts: State | None = None
    """Where money and requests are counted, when that is not `state`."""
    breakers: list[CircuitBreaker] = field(default_factory=list)
    """Those that were made so far."""

    @property
    def purse(self) -> Purse:
        return Purse(
            self.counts or self.state,
            per_session=self.config.budget_usd_per_session,
            per_day=self.config.budget_usd_per_day,
            per_person=self.config.budget_usd_per_person_per_day,
        )

    @property
    def rate(self) -> Rate:
        return Rate(self.counts or self.state, self.config.requests_per_minute)

    def reader(self, model: ChatModel) -> ChatModel:
        """LLM #1: the ladder retries it and keeps its time."""
        return self._budgeted(self.breaker(model, READER)) if _costs(model) else model

    def responder(self, model: ChatModel) -> ChatModel:
        """LLM #2."""
        guarded = self._budgeted(self.breaker(model, RESPONDER)) if _costs(model) else model
        return Deadline(Retry(guarded, self.config.llm2_max_retries))

    def breaker(self, model: ChatModel, role: str) -> CircuitBreaker:
        made = CircuitBreaker(
            model,
            self.state,
            role=role,
            failures=self.config.breaker_failures,
            reset_s=self.config.breaker_reset_s,
            on_change=self.on_circuit_change,
        )
        self.breakers.append(made)
        return made

    async def circuits(self) -> tuple[Circuit, ...]:
        """How the circuit of each model in each role stands."""
        by_name = {breaker.name: breaker for breaker in self.breakers}
        found = [await breaker.circuit() for breaker in by_name.values()]
        return tuple(sorted(found, key=lambda circuit: circuit.role))

    def _budgeted(self, model: ChatModel) -> ChatModel:
        purse = self.purse
        return Budgeted(model, purse) if purse.limited else model


def _costs(model: ChatModel) -> bool:
    """The embedded model is in this process: it has no circuit and no price."""
    return model.provider is not Provider.EMBEDDED
