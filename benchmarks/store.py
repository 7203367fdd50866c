"""What it costs to save an interaction, alone and 100 at once, and to read history; SQLite in a temporary folder.

python benchmarks/store.py [--json]

Beside it: the least this disk needs to make one small write last (write and fsync), without any database.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

from vif.api import VifApi
from vif.interaction import Interaction
from vif.llm.protocol import Completion, Finish, Provider, Request, Usage
from vif.store import Store

ROUNDS = 300
AT_ONCE, ROUNDS_AT_ONCE = 100, 20
PAGE = 50


class Echo:
    """Stands in for LLM #2: the figures are of the store alone."""

    provider, model = Provider.LOCAL, "echo"

    async def complete(self, request: Request) -> Completion:  # noqa: ARG002  # a model is asked like this
        return Completion("Because. " * 40, self.model, Finish.STOP, Usage(1200, 300))

    async def stream(self, request: Request) -> AsyncGenerator[str | Completion, None]:
        yield "Because. " * 40
        yield await self.complete(request)

    async def aclose(self) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args().json
    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(_measure(Path(folder)))
    if as_json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:<34} {value}")


async def _measure(folder: Path) -> dict[str, float]:
    url = f"sqlite:///{folder / 'vif.sqlite3'}"
    begun = time.perf_counter()
    store = Store(url)
    first_open_ms = _ms_since(begun)
    interaction = await VifApi(Echo()).process("How do I implement quicksort, and why does the pivot matter?")
    numbers = iter(range(10**9))

    def another() -> Interaction:
        return interaction.model_copy(update={"id": str(next(numbers))})

    async def save_one() -> None:
        await store.save(another(), session="mine", conversation="talk")

    async def save_many() -> None:
        await asyncio.gather(*(save_one() for _ in range(AT_ONCE)))

    alone = await _times_ms(save_one, ROUNDS)
    together = await _times_ms(save_many, ROUNDS_AT_ONCE)
    page = await _times_ms(lambda: store.recent(PAGE), ROUNDS)
    load = await _times_ms(lambda: store.load("1"), ROUNDS)
    stored = await store.count()
    store.close()
    begun = time.perf_counter()
    Store(url).close()
    return {
        "body_bytes": len(interaction.model_dump_json()),
        "first_open_ms": first_open_ms,
        "open_again_ms": _ms_since(begun),
        "save_alone_median_ms": round(statistics.median(alone), 3),
        "save_alone_p95_ms": _p95(alone),
        "saves_alone_per_s": round(1000 / statistics.mean(alone)),
        f"save_{AT_ONCE}_at_once_median_ms": round(statistics.median(together), 3),
        f"save_{AT_ONCE}_at_once_p95_ms": _p95(together),
        f"saves_{AT_ONCE}_at_once_per_s": round(1000 * AT_ONCE / statistics.mean(together)),
        "write_and_fsync_median_ms": round(statistics.median(_fsyncs_ms(folder / "plain")), 3),
        f"recent_{PAGE}_of_{stored}_median_ms": round(statistics.median(page), 3),
        "load_median_ms": round(statistics.median(load), 3),
    }


async def _times_ms(work: Callable[[], Awaitable[object]], rounds: int) -> list[float]:
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        await work()
        times.append((time.perf_counter() - begun) * 1000)
    return times


def _fsyncs_ms(path: Path) -> list[float]:
    times = []
    with path.open("wb", buffering=0) as file:
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            file.write(bytes(4096))
            os.fsync(file.fileno())
            times.append((time.perf_counter() - begun) * 1000)
    return times


def _p95(times: list[float]) -> float:
    return round(sorted(times)[int(0.95 * len(times))], 3)


def _ms_since(begun: float) -> float:
    return round((time.perf_counter() - begun) * 1000, 1)


if __name__ == "__main__":
    main()
