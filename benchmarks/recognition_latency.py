"""What reading with LLM #1 adds, and what takes it away again: cache, embedded reader, hedging, open circuit.

Everything goes through `VifApi` over a socket to a stand-in in its own process; the embedded reader runs in this one.

python benchmarks/recognition_latency.py [--only cache,embedded,hedging,hit,circuit] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.standin_process import standin_process
from vif import VifApi, connect
from vif.config import Access, DualLlmConfig
from vif.interaction import Recognition
from vif.load.messages import load_messages
from vif.state import MemoryState

Figures = dict[str, float]
T = TypeVar("T")

CLOUD: dict[str, Any] = {"llm1_provider": "openai", "llm2_provider": "anthropic"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(SCENARIOS), help="which, separated by commas (%(default)s)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    report: dict[str, Figures] = {}
    for name in options.only.split(","):
        for what, figures in SCENARIOS[name]().items():
            report[what] = {key: round(value, 3) for key, value in figures.items()}
            if not options.json:
                print(f"{what}: " + ", ".join(f"{key} {value:g}" for key, value in report[what].items()), flush=True)
    if options.json:
        print(json.dumps(report))


def warm_cache() -> dict[str, Figures]:
    """LLM #1 50 to 150 ms, every fifth message read before: total time at P95 against formula mode."""
    report = {}
    for llm2_ms in (300, 1000):
        with standin_process("--llm1-ms", "50-150", "--llm2-ms", str(llm2_ms)) as server:
            config = DualLlmConfig(**CLOUD)
            messages = fifth_known(400)
            dual = asyncio.run(total_ms(config, server.access, "dual", messages, at_once=10, known=KNOWN))
            formula = asyncio.run(total_ms(config, server.access, "formula", messages, at_once=10))
        report[f"20 % from the cache, LLM #2 {llm2_ms} ms"] = added(dual, formula)
    return report


def embedded() -> dict[str, Figures]:
    """The embedded reader before an LLM #2 of one second."""
    with standin_process("--llm2-ms", "1000") as server:
        config = DualLlmConfig(llm1_provider="embedded", llm2_provider="anthropic", enable_caching=False)
        # Without the number that makes each of them new: it takes as long to read as a third of the message.
        messages = [message.partition(" (case")[0] for message in islice(load_messages(3), 30)]
        dual = asyncio.run(total_ms(config, server.access, "dual", messages, known=KNOWN[:2]))
        formula = asyncio.run(total_ms(config, server.access, "formula", messages, known=KNOWN[:2]))
    return {"embedded reader, LLM #2 1000 ms": added(dual, formula)}


def hedging() -> dict[str, Figures]:
    """A primary of 100 ms with 1 % of its calls 10 times slower. P99 lies on the edge of that 1 %, P99.5 within it."""
    report = {}
    for secondary_ms in (100, 60):
        slow = standin_process("--llm1-ms", "100,0.01x10", "--seed", "11")
        steady = standin_process("--llm1-ms", str(secondary_ms))
        with slow as primary, steady as secondary:
            access = primary.access.model_copy(update={"anthropic_base_url": secondary.access.anthropic_base_url})
            found: dict[bool, list[Recognition]] = {}
            for hedged in (False, True):
                config = DualLlmConfig(
                    **CLOUD, llm1_secondary="anthropic:claude-haiku-5-5", llm1_hedging=hedged, enable_caching=False
                )
                messages = list(islice(load_messages(5), 4_000))
                found[hedged] = asyncio.run(recognitions(config, access, messages, at_once=10))
        plain, with_hedge = ([one.latency_ms for one in found[hedged]] for hedged in (False, True))
        calls = sum(len(one.attempts) for one in found[True]) - len(found[True])
        report[f"hedging, secondary {secondary_ms} ms"] = {
            "P99 without, ms": percentile(plain, 99),
            "P99 with, ms": percentile(with_hedge, 99),
            "P99 ratio": percentile(plain, 99) / percentile(with_hedge, 99),
            "P99.5 without, ms": percentile(plain, 99.5),
            "P99.5 with, ms": percentile(with_hedge, 99.5),
            "P99.5 ratio": percentile(plain, 99.5) / percentile(with_hedge, 99.5),
            "mean of the slowest 1 %, ratio": slowest(plain) / slowest(with_hedge),
            "more calls, %": 100 * calls / len(with_hedge),
        }
    return report


def hit_and_miss() -> dict[str, Figures]:
    """A reading from the cache against one of an LLM #1 of 100 ms."""
    with standin_process("--llm1-ms", "100") as server:
        messages = list(islice(load_messages(7), 60))
        found = asyncio.run(recognitions(DualLlmConfig(**CLOUD), server.access, [*messages, *messages]))
    misses, hits = ([one.latency_ms for one in found if one.cache_hit is hit] for hit in (False, True))
    assert (len(misses), len(hits)) == (60, 60)
    miss, hit = statistics.median(misses), statistics.median(hits)
    return {"cache": {"miss, ms": miss, "hit, ms": hit, "times faster": miss / hit}}


def open_circuit() -> dict[str, Figures]:
    """What a message waits for a model whose circuit is open."""
    with standin_process("--llm1-ms", "100", "--faults", "1", "--fault-kinds", "401") as server:
        messages = list(islice(load_messages(9), 205))
        found = asyncio.run(recognitions(DualLlmConfig(**CLOUD), server.access, messages))
    times = [one.latency_ms for one in found if one.fallback_reason == "circuit_open"]
    assert len(times) >= 200
    return {"open circuit": {"median, ms": statistics.median(times), "slowest, ms": max(times)}}


SCENARIOS: dict[str, Callable[[], dict[str, Figures]]] = {
    "cache": warm_cache,
    "embedded": embedded,
    "hedging": hedging,
    "hit": hit_and_miss,
    "circuit": open_circuit,
}

KNOWN = list(islice(load_messages(1), 20))


def fifth_known(number: int) -> list[str]:
    """Every fifth message is one of `KNOWN`."""
    new = load_messages(2)
    return [KNOWN[place // 5 % len(KNOWN)] if place % 5 == 0 else next(new) for place in range(number)]


async def total_ms(
    config: DualLlmConfig,
    access: Access,
    mode: Literal["dual", "formula"],
    messages: Sequence[str],
    *,
    at_once: int = 1,
    known: Sequence[str] = (),
) -> list[float]:
    """The time of each whole interaction, after those of `known`."""
    api = await ready(config, access, mode)

    async def carry_out(message: str) -> float:
        start = time.perf_counter()
        interaction = await api.process(message)
        assert interaction.response is not None
        assert interaction.response.error is None
        assert mode == "formula" or interaction.recognition.source != "formula"
        return (time.perf_counter() - start) * 1000

    await each(carry_out, known or messages[:at_once], at_once)
    times = await each(carry_out, messages, at_once)
    await api.aclose()
    return times


async def recognitions(
    config: DualLlmConfig, access: Access, messages: Sequence[str], *, at_once: int = 1
) -> list[Recognition]:
    """Readings only, in the order of the messages."""
    api = await ready(config, access, "dual")

    async def read(message: str) -> Recognition:
        return (await api.recognise(message))[1]

    await each(read, [f"warming up {number}" for number in range(at_once)], at_once)
    found = await each(read, messages, at_once)
    await api.aclose()
    return found


async def ready(config: DualLlmConfig, access: Access, mode: Literal["dual", "formula"]) -> VifApi:
    api = connect(config, access, mode=mode, state=MemoryState(config.cache_max_entries))
    await api.warm_up()
    return api


async def each(work: Callable[[str], Awaitable[T]], messages: Iterable[str], at_once: int) -> list[T]:
    places = asyncio.Semaphore(at_once)

    async def one(message: str) -> T:
        async with places:
            return await work(message)

    return await asyncio.gather(*map(one, messages))


def added(dual: Sequence[float], formula: Sequence[float]) -> Figures:
    return {
        "P95 formula, ms": percentile(formula, 95),
        "P95 dual, ms": percentile(dual, 95),
        "added at P95, %": 100 * (percentile(dual, 95) / percentile(formula, 95) - 1),
        "added in the median, %": 100 * (percentile(dual, 50) / percentile(formula, 50) - 1),
    }


def percentile(values: Sequence[float], percent: float) -> float:
    """By linear interpolation between the two nearest."""
    ordered = sorted(values)
    place = percent / 100 * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def slowest(values: Sequence[float]) -> float:
    """The mean of the slowest hundredth."""
    return statistics.fmean(sorted(values)[-len(values) // 100 :])


if __name__ == "__main__":
    main()
