"""An answer that has come already, read as if LLM #1 had just given it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from vif.config import DualLlmConfig
from vif.domains import DOMAINS
from vif.errors import ModelError
from vif.evaluation.batch import PRICE_FACTOR, Outcome
from vif.evaluation.suite import Case
from vif.flow import Reading
from vif.interaction import Recognition, total_cost
from vif.llm.protocol import Completion, Provider, Request
from vif.recognition.ladder import Ladder
from vif.recognition.reading import read_message
from vif.recognition.recogniser import ChatRecogniser, Question, reading_request


def request_of(case: Case, config: DualLlmConfig) -> Request:
    """What LLM #1 is asked about a case, at its first attempt."""
    return reading_request(_question(case, config), None, config.llm1_timeout_ms / 1000)


async def read_outcome(
    case: Case, config: DualLlmConfig, outcome: Outcome, provider: Provider, model: str
) -> tuple[Reading, Recognition]:
    """The reading that comes of an outcome of a batch: one attempt, at the price of a batch, that took no time."""
    rung = ChatRecogniser(_Replay(outcome, provider, model), attempts=1)
    ladder = Ladder([rung], config, clock=lambda: 0.0)
    reading, recognition = await read_message(
        ladder, _question(case, config), config.autonomy, fallback_to_formula=config.fallback_to_formula
    )
    attempts = tuple(
        attempt.model_copy(update={"cost_usd": None if attempt.cost_usd is None else attempt.cost_usd * PRICE_FACTOR})
        for attempt in recognition.attempts
    )
    cost = total_cost(attempt.cost_usd for attempt in attempts)
    return reading, recognition.model_copy(update={"attempts": attempts, "cost_usd": cost})


def _question(case: Case, config: DualLlmConfig) -> Question:
    before = case.previous or {}
    previous = {domain.value: before[domain] for domain in DOMAINS if domain in before}
    return Question(case.message, previous or None, oscillation=config.llm1_oscillation)


@dataclass(frozen=True, slots=True)
class _Replay:
    """A chat model that has said what it will say."""

    outcome: Outcome
    provider: Provider
    model: str

    async def complete(self, request: Request) -> Completion:  # noqa: ARG002  # the protocol asks for it
        if isinstance(self.outcome, ModelError):
            raise self.outcome
        return self.outcome

    async def stream(self, request: Request) -> AsyncGenerator[str | Completion, None]:
        """LLM #1 is never streamed; the same for completeness."""
        yield await self.complete(request)

    async def aclose(self) -> None:
        """Nothing to release."""
