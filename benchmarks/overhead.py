"""What the pipeline adds to bare SDK calls: LLM #1 100 ms, LLM #2 300 ms to its first token, side by side in one run.

One interaction is a structured OpenAI call, then a streamed Anthropic call, over a socket to the stand-in.

- bare: one shared client of each SDK with all its defaults.
- leanest: the SDKs over aiohttp with one SSL context, schemas in `extra_body`, idle connections kept.
- vif: `VifApi`, everything included.

The three take turns, round by round, so that a noisy moment meets all of them; ratios are medians of the rounds.

python benchmarks/overhead.py [--rounds 5] [--requests 300] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import ssl
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.standin_process import StandinProcess, standin_process
from vif import VifApi, connect
from vif.config import Access, DualLlmConfig
from vif.load.bare import BareSdks, Prompt
from vif.load.messages import load_messages
from vif.recognition.prompt import system_prompt, user_turn
from vif.recognition.recogniser import MAX_TOKENS
from vif.recognition.schema import output_schema
from vif.state import MemoryState

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from openai import AsyncOpenAI

Way = Callable[[str], Awaitable[None]]
WAYS = ("bare", "leanest", "vif")


class LeanestSdks(BareSdks):
    """The fastest way to use the SDKs that was found."""

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        self._ssl = ssl.create_default_context()

    def new_openai(self, api_key: str, base_url: str | None) -> AsyncOpenAI:
        from openai import AsyncOpenAI, DefaultAioHttpClient

        return AsyncOpenAI(
            api_key=api_key, base_url=base_url, max_retries=0, http_client=DefaultAioHttpClient(**self._options())
        )

    def new_anthropic(self, api_key: str, base_url: str | None) -> AsyncAnthropic:
        from anthropic import AsyncAnthropic, DefaultAioHttpClient

        return AsyncAnthropic(
            api_key=api_key, base_url=base_url, max_retries=0, http_client=DefaultAioHttpClient(**self._options())
        )

    def fields(self, **fields: Any) -> dict[str, Any]:
        return {"extra_body": fields}  # not walked by the SDK

    def _options(self) -> dict[str, Any]:
        import httpx2

        limits = httpx2.Limits(max_connections=1000, max_keepalive_connections=1000, keepalive_expiry=300.0)
        return {"verify": self._ssl, "limits": limits}


@dataclass(slots=True)
class Measured:
    """One way at one concurrency: a value per round, and the times of all interactions in milliseconds."""

    per_s: list[float] = field(default_factory=list)
    client_cpu_ms: list[float] = field(default_factory=list)
    server_cpu_ms: list[float] = field(default_factory=list)
    total_ms: list[list[float]] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=300, help="interactions per round and way at 100 at once")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with standin_process("--llm1-ms", "100", "--llm2-ms", "300") as server:
        found = asyncio.run(measure(server, options.rounds, options.requests))
    report = {str(concurrency): summary(ways) for concurrency, ways in found.items()}
    if options.json:
        print(json.dumps(report))
        return
    for concurrency, ways in report.items():
        print(f"\n{concurrency} at once{'':<8} interactions/s   client CPU   server CPU   median   p95")
        for name in WAYS:
            row = ways[name]
            print(
                f"{name:<22} {row['per_s']:>8.1f} {row['client_cpu_ms']:>12.2f} ms {row['server_cpu_ms']:>9.2f} ms "
                f"{row['p50_ms']:>8.1f} {row['p95_ms']:>8.1f}"
            )
        for name in ("bare", "leanest"):
            row = ways[f"vif against {name}"]
            print(f"vif against {name:<10} {row['throughput']:>8.2f} ×   {row['added_ms']:+.1f} ms in the median")


def summary(ways: Mapping[str, Measured]) -> dict[str, dict[str, float]]:
    report: dict[str, dict[str, float]] = {}
    for name, measured in ways.items():
        times = [time_ms for round_ms in measured.total_ms for time_ms in round_ms]
        cuts = statistics.quantiles(times, n=20, method="inclusive")
        report[name] = {
            "per_s": statistics.median(measured.per_s),
            "client_cpu_ms": statistics.median(measured.client_cpu_ms),
            "server_cpu_ms": statistics.median(measured.server_cpu_ms),
            "p50_ms": cuts[9],
            "p95_ms": cuts[18],
        }
    for name in ("bare", "leanest"):
        vif, other = ways["vif"], ways[name]
        report[f"vif against {name}"] = {
            "throughput": statistics.median(a / b for a, b in zip(vif.per_s, other.per_s, strict=True)),
            "added_ms": statistics.median(
                statistics.median(a) - statistics.median(b) for a, b in zip(vif.total_ms, other.total_ms, strict=True)
            ),
        }
    return {name: {key: round(value, 3) for key, value in row.items()} for name, row in report.items()}


async def measure(server: StandinProcess, rounds: int, requests: int) -> dict[int, dict[str, Measured]]:
    config = DualLlmConfig.preset("balanced")
    api = connect(config, server.access, state=MemoryState(config.cache_max_entries))
    sdks = {"bare": BareSdks(server.access), "leanest": LeanestSdks(server.access)}
    await api.warm_up()
    ways: dict[str, Way] = {name: bare_way(one, config, await prompt_of(api)) for name, one in sdks.items()}
    ways["vif"] = vif_way(api)
    messages = load_messages(seed=1)
    found: dict[int, dict[str, Measured]] = {}
    for concurrency, number in ((1, 12), (100, requests)):
        found[concurrency] = {name: Measured() for name in WAYS}
        for name in WAYS:  # connections are made and code is warm before anything counts
            await run(ways[name], messages, max(concurrency, 3), concurrency)
        for turn in range(rounds):
            for name in (*WAYS[turn % 3 :], *WAYS[: turn % 3]):
                gc.collect()
                measured, server_cpu, cpu = found[concurrency][name], server.cpu_s(), time.process_time()
                start = time.perf_counter()
                measured.total_ms.append(await run(ways[name], messages, number, concurrency))
                measured.per_s.append(number / (time.perf_counter() - start))
                measured.client_cpu_ms.append((time.process_time() - cpu) / number * 1000)
                measured.server_cpu_ms.append((server.cpu_s() - server_cpu) / number * 1000)
    await api.aclose()
    for one in sdks.values():
        await one.aclose()
    return found


async def run(way: Way, messages: Iterator[str], number: int, concurrency: int) -> list[float]:
    """The times of so many interactions, so many at once."""
    times: list[float] = []
    jobs = islice(messages, number)

    async def work() -> None:
        for message in jobs:
            start = time.perf_counter()
            await way(message)
            times.append((time.perf_counter() - start) * 1000)

    await asyncio.gather(*(work() for _ in range(concurrency)))
    return times


def vif_way(api: VifApi) -> Way:
    async def carry_out(message: str) -> None:
        interaction = await api.process(message)
        assert interaction.recognition.source == "llm1"
        assert interaction.response is not None
        assert interaction.response.error is None

    return carry_out


def bare_way(sdks: BareSdks, config: DualLlmConfig, answering: Prompt) -> Way:
    """Prompts as `VifApi` makes them, made beforehand as far as they do not depend on the message."""
    system, schema = system_prompt(oscillation=False), output_schema(oscillation=False)

    async def carry_out(message: str) -> None:
        assert await sdks.ask(config.llm1, Prompt(system, user_turn(message, None, None), MAX_TOKENS, schema))
        assert await sdks.ask(config.llm2, answering)

    return carry_out


async def prompt_of(api: VifApi) -> Prompt:
    """What LLM #2 is sent for a message of this kind."""
    response = (await api.process("How do I explain quicksort for a child of ten?")).response
    assert response is not None
    return Prompt(response.system, response.prompt, api.config.llm2_max_tokens)


if __name__ == "__main__":
    main()
