"""Runs a load test: so many messages, so many at once, and what each of them took."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from ipaddress import ip_address
from itertools import islice
from urllib.parse import urlsplit

from vif.api import VifApi
from vif.catalogue import COMPARED_USAGE, cost_usd
from vif.config import Access, DualLlmConfig
from vif.errors import ConfigError, VifError
from vif.interaction import Interaction, total_cost
from vif.llm.protocol import Provider
from vif.load.bare import BareSdks, Prompt
from vif.load.messages import load_messages
from vif.recognition.prompt import system_prompt, user_turn
from vif.recognition.recogniser import MAX_TOKENS
from vif.recognition.schema import output_schema

OnDone = Callable[[str, int], None]
"""Told what is running ("pipeline" or "bare SDKs") and how many are done."""


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """What to run. `repeat_share`, 0 to 1, of the messages were said before; `bare` runs the bare SDKs too."""

    requests: int = 500
    concurrency: int = 100
    repeat_share: float = 0.0
    seed: int = 0
    bare: bool = False


@dataclass(slots=True)
class Measured:
    """What one way of carrying out the plan gave. Times are in milliseconds, one per message."""

    seconds: float = 0.0
    total_ms: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class PipelineMeasured(Measured):
    """The same for the pipeline, with what it says about itself."""

    llm1_ms: list[float] = field(default_factory=list)
    first_token_ms: list[float] = field(default_factory=list)
    sources: Counter[str] = field(default_factory=Counter)
    fallbacks: Counter[str] = field(default_factory=Counter)
    llm1_calls: int = 0
    cost_usd: float | None = 0.0
    prompts: list[tuple[Prompt, Prompt]] = field(default_factory=list)
    """Of LLM #1 and LLM #2, for the bare SDKs; empty when they are not run."""


async def carry_out(
    api: VifApi, access: Access, plan: LoadPlan, on_done: OnDone
) -> tuple[PipelineMeasured, Measured | None]:
    """The plan through the pipeline and, when it says so, through the bare SDKs."""
    pipeline = await run_pipeline(api, plan, on_done)
    if not plan.bare:
        return pipeline, None
    async with aclosing(BareSdks(access)) as sdks:
        return pipeline, await run_bare(api.config, sdks, pipeline.prompts, plan.concurrency, on_done)


def check_bare(config: DualLlmConfig) -> None:
    """Raise ConfigError when a model has no SDK to compare with."""
    for role, model in (("LLM #1", config.llm1), ("LLM #2", config.llm2)):
        if model.provider is Provider.EMBEDDED:
            raise ConfigError(f"{role} is {model}, which has no SDK to compare with; choose a preset with providers")


async def run_pipeline(
    api: VifApi, plan: LoadPlan, on_done: OnDone, *, clock: Callable[[], float] = time.perf_counter
) -> PipelineMeasured:
    """Carry out the plan. Nothing that fails is raised: it is counted as a failure that reached the user."""
    measured = PipelineMeasured()

    async def process(message: str) -> None:
        try:
            interaction = await api.process(message)
        except VifError as error:
            measured.failures[type(error).__name__] += 1
            return
        _count(measured, interaction)
        if plan.bare:
            measured.prompts.append(_prompts(api.config, interaction))

    await api.warm_up()
    messages = islice(load_messages(plan.seed, plan.repeat_share), plan.requests)
    jobs = (lambda message=message: process(message) for message in messages)
    await _run(jobs, plan.concurrency, measured, lambda done: on_done("pipeline", done), clock)
    return measured


async def run_bare(
    config: DualLlmConfig,
    sdks: BareSdks,
    prompts: Sequence[tuple[Prompt, Prompt]],
    concurrency: int,
    on_done: OnDone,
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> Measured:
    """The same prompts through the bare SDKs: LLM #1, then LLM #2. What the SDKs raise is counted."""
    measured = Measured()

    async def ask(pair: tuple[Prompt, Prompt]) -> None:
        try:
            await sdks.ask(config.llm1, pair[0])
            await sdks.ask(config.llm2, pair[1])
        except Exception as error:  # noqa: BLE001  # two SDKs, two families of exceptions
            measured.failures[type(error).__name__] += 1

    jobs = (lambda pair=pair: ask(pair) for pair in prompts)
    await _run(jobs, concurrency, measured, lambda done: on_done("bare SDKs", done), clock)
    return measured


def estimated_cost_usd(config: DualLlmConfig, access: Access, plan: LoadPlan) -> float | None:
    """What the plan will cost at 1200 tokens in and 300 out a call; 0 for models of one's own, None when not known."""
    used = [model for model in (config.llm1, config.llm2) if not _is_own(model.provider, access)]
    each = total_cost(cost_usd(model.provider, model.model, COMPARED_USAGE) for model in used)
    return None if each is None else each * plan.requests * (2 if plan.bare else 1)


def asks_others(config: DualLlmConfig, access: Access) -> bool:
    """Whether the messages go to somebody who may charge for them."""
    return any(not _is_own(model.provider, access) for model in (*config.recognisers, *config.responders))


def _is_own(provider: Provider, access: Access) -> bool:
    """Models of this machine, or a server of one's own."""
    if provider in (Provider.EMBEDDED, Provider.LOCAL):
        return True
    host = urlsplit(access.base_url(provider) or "").hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


async def _run(
    jobs: Iterator[Callable[[], Awaitable[None]]],
    concurrency: int,
    measured: Measured,
    on_done: Callable[[int], None],
    clock: Callable[[], float],
) -> None:
    async def work() -> None:
        for job in jobs:  # all workers take from the same
            start = clock()
            await job()
            measured.total_ms.append((clock() - start) * 1000)
            on_done(len(measured.total_ms))

    start = clock()
    async with asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(work())
    measured.seconds = clock() - start


def _count(measured: PipelineMeasured, interaction: Interaction) -> None:
    recognition, response = interaction.recognition, interaction.response
    measured.llm1_ms.append(recognition.latency_ms)
    measured.sources[recognition.source] += 1
    measured.llm1_calls += len(recognition.attempts)
    if recognition.fallback_reason is not None:
        measured.fallbacks[recognition.fallback_reason] += 1
    costs = [measured.cost_usd, recognition.cost_usd]
    if response is not None:
        # When the reply failed, the last attempt is the response itself.
        in_vain = response.failed_attempts[:-1] if response.error else response.failed_attempts
        costs += [response.cost_usd, *(attempt.cost_usd for attempt in in_vain)]
        if response.first_token_ms is not None:
            measured.first_token_ms.append(response.first_token_ms)
        if response.error:
            reason = response.failed_attempts[-1].outcome if response.failed_attempts else "unknown"
            measured.failures[reason] += 1
    measured.cost_usd = total_cost(costs)


def _prompts(config: DualLlmConfig, interaction: Interaction) -> tuple[Prompt, Prompt]:
    oscillation, response = config.llm1_oscillation, interaction.response
    reading = Prompt(
        system_prompt(oscillation),
        user_turn(interaction.message, None, None),
        MAX_TOKENS,
        output_schema(oscillation),
    )
    answering = Prompt(response.system if response else "", response.prompt if response else "", config.llm2_max_tokens)
    return reading, answering
