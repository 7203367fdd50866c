"""Large suites at half the price: requests handed to a provider as one batch, which it answers within a day.

    job = open_batch(ModelRef("openai", "gpt-6-luna"), Access.from_environment())
    batch_id = await job.submit({custom_id("T1", "luna", 0): request, …})     # keep the id: it is all a restart needs
    await ended(job, batch_id, every_s=60.0)
    answers = await collected(job, batch_id, expected)

Requests and completions are those of every other call, so whoever reads an answer need not know how it was asked for.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from vif.catalogue import cost_usd, find
from vif.errors import ConfigError, ModelError, ServerError
from vif.llm.protocol import Completion, Provider, Request, Usage

if TYPE_CHECKING:
    from vif.config import Access, ModelRef

PRICE_FACTOR = 0.5
"""What a token costs in a batch, against the price of a call of its own; the same at both providers."""

MOST_FAILED_POLLS = 10

Phase = Literal["working", "cancelling", "ended"]
Outcome = Completion | ModelError


class Answer(NamedTuple):
    """What became of one request: its own id, and the completion or why there is none."""

    custom_id: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class BatchState:
    """How far a batch is, in requests.

    Attributes:
        status: the provider's own word.
        failed: those without an answer: refused, expired or cancelled. Anthropic counts only at the end.
        problem: why the provider took none of it; empty otherwise.
    """

    id: str
    phase: Phase
    status: str
    total: int
    succeeded: int
    failed: int
    problem: str = ""

    @property
    def left(self) -> int:
        return max(0, self.total - self.succeeded - self.failed)


class BatchJob(Protocol):
    """One model asked in batches. Calls raise only ModelError and InputError; nothing is kept between them."""

    @property
    def provider(self) -> Provider: ...

    @property
    def model(self) -> str: ...

    async def submit(self, requests: Mapping[str, Request]) -> str:
        """Hand over requests by custom id (up to 64 letters, digits, `_` and `-`); the id of the batch.

        Their `timeout_s` means nothing here: a batch has a day. Raises InputError for what no batch can hold.
        """
        ...

    async def poll(self, batch_id: str) -> BatchState:
        """How far it is."""
        ...

    async def results(self, batch_id: str) -> Sequence[Answer]:
        """What came back, in the provider's order. InputError before the end; ModelError when it took none of it."""
        ...

    async def cancel(self, batch_id: str) -> None:
        """Ask no more; what is answered already can be fetched once the batch has ended. One that has is left alone."""
        ...

    async def delete(self, batch_id: str) -> None:
        """Have the provider forget the messages and the answers of a batch that has ended."""
        ...

    async def aclose(self) -> None:
        """Release connections."""
        ...


def custom_id(case_id: str, subject: str, repeat: int) -> str:
    """The id of a request, the same after a restart: 40 hexadecimal digits, whatever the case is called."""
    return hashlib.sha256(json.dumps([case_id, subject, repeat]).encode()).hexdigest()[:40]


def batch_cost_usd(provider: Provider, model: str, usage: Usage) -> float | None:
    """The price of one answer in a batch; None when the model's is not known."""
    whole = cost_usd(provider, model, usage)
    return None if whole is None else whole * PRICE_FACTOR


def open_batch(reference: ModelRef, access: Access) -> BatchJob:
    """The batches of a model as LLM #1. ConfigError for a provider that has none."""
    provider, model = reference.provider, reference.model
    key, base_url = access.key(provider) or "", access.base_url(provider)
    entry = find(model)
    effort = entry.recogniser_effort if entry else None
    match provider:
        case Provider.OPENAI:
            from vif.evaluation.batch_openai import OpenAIBatch

            return OpenAIBatch(model, api_key=key, base_url=base_url, effort=effort)
        case Provider.ANTHROPIC:
            from vif.evaluation.batch_anthropic import AnthropicBatch

            return AnthropicBatch(model, api_key=key, base_url=base_url, effort=effort)
        case _:
            raise ConfigError(f"the provider {provider.value!r} takes no batches; 'openai' and 'anthropic' do")


async def ended(
    job: BatchJob,
    batch_id: str,
    *,
    every_s: float,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    tell: Callable[[BatchState], None] = lambda _: None,
) -> BatchState:
    """Wait for the end of a batch, asking every `every_s` seconds and telling of each answer.

    A poll that fails for a passing reason is tried again, at most ten times in a row. Giving up leaves the batch alone.
    """
    failed = 0
    while True:
        wait_s = every_s
        try:
            state = await job.poll(batch_id)
        except ModelError as error:
            failed += 1
            if not error.retryable or failed >= MOST_FAILED_POLLS:
                raise
            wait_s = max(every_s, error.retry_after_s or 0.0)
        else:
            failed = 0
            tell(state)
            if state.phase == "ended":
                return state
        await sleep(wait_s)


async def collected(job: BatchJob, batch_id: str, expected: Collection[str]) -> dict[str, Outcome]:
    """An outcome for each expected custom id, in that order; a request the results do not mention has failed."""
    answers = dict(await job.results(batch_id))
    lost = ServerError(f"{job.provider.value} {job.model}: the results of the batch do not mention this request")
    return {name: answers.get(name, lost) for name in expected}
