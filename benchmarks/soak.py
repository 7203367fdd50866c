"""Whether memory stays flat: interactions without end against a stand-in with faults, everything switched on.

Cache, circuits, budget, database, metrics, live figures and logs are as in the dashboard. Memory is this process's
resident set; the slope is of a straight line through the samples after the first fifth of the time.

python benchmarks/soak.py [--minutes 10] [--concurrency 50] [--faults 0.2] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.standin_process import standin_process
from vif import VifApi, connect
from vif.config import DualLlmConfig
from vif.load.messages import load_messages
from vif.state import MemoryState
from vif.store import open_store
from vif.telemetry.live import LiveBoard
from vif.telemetry.logs import LogObserver
from vif.telemetry.metrics import Metrics
from vif.telemetry.observer import Observers

SAMPLE_S = 2.0


@dataclass(slots=True)
class Soaked:
    """What a soak gave. Samples are (seconds since the start, MiB)."""

    interactions: int = 0
    failures: int = 0
    without_reason: int = 0
    sources: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    samples: list[tuple[float, float]] = field(default_factory=list)


def resident_mib() -> float:
    """Memory of this process that is in use now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def soak(api: VifApi, seconds: float, concurrency: int) -> Soaked:
    """Keep `concurrency` interactions going for so long."""
    result = Soaked()
    messages = load_messages(7)
    start = time.monotonic()

    async def user(number: int) -> None:
        while time.monotonic() - start < seconds:
            interaction = await api.process(next(messages), session=f"session {number}-{result.interactions // 500}")
            result.interactions += 1
            recognition, response = interaction.recognition, interaction.response
            result.failures += response is None or response.error is not None
            result.sources[recognition.source] += 1
            if recognition.source not in ("llm1", "cache"):
                result.without_reason += recognition.fallback_reason is None
                result.reasons[str(recognition.fallback_reason)] += 1

    async def sampler() -> None:
        while True:
            result.samples.append((time.monotonic() - start, resident_mib()))
            await asyncio.sleep(SAMPLE_S)

    sampling = asyncio.create_task(sampler())
    await asyncio.gather(*(user(number) for number in range(concurrency)))
    sampling.cancel()
    result.samples.append((time.monotonic() - start, resident_mib()))
    return result


def report(result: Soaked) -> dict[str, object]:
    seconds, mib = np.array(result.samples).T
    later = seconds >= seconds[-1] / 5
    slope = float(np.polyfit(seconds[later] / 60, mib[later], 1)[0])
    return {
        "minutes": round(float(seconds[-1]) / 60, 2),
        "interactions": result.interactions,
        "user_facing_failures": result.failures,
        "fallbacks_without_reason": result.without_reason,
        "sources": dict(result.sources),
        "reasons": dict(result.reasons),
        "mib_after_a_fifth": round(float(mib[later][0]), 1),
        "mib_at_the_end": round(float(mib[-1]), 1),
        "mib_per_minute": round(slope, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--concurrency", type=int, default=50)
    parser.add_argument("--faults", type=float, default=0.2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    config = DualLlmConfig(
        llm1_provider="openai",
        llm2_provider="anthropic",
        llm1_timeout_ms=1_000,
        breaker_reset_s=2.0,
        budget_usd_per_day=1_000_000.0,
    )
    with (
        standin_process("--llm1-ms", "50-150", "--llm2-ms", "300", "--faults", str(options.faults)) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        store = open_store(f"sqlite:///{folder}/soak.sqlite3")
        logs = LogObserver("warning", stream=_Nowhere())
        observers = Observers([Metrics(), LiveBoard(), logs])

        async def run() -> Soaked:
            api = connect(config, server.access, state=MemoryState(), store=store, observer=observers)
            try:
                return await soak(api, options.minutes * 60, options.concurrency)
            finally:
                await api.aclose()

        found = report(asyncio.run(run()))
        store.close()
    if options.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:26} {value}")


class _Nowhere(io.StringIO):
    """Takes lines and keeps none."""

    def write(self, text: str) -> int:
        return len(text)


if __name__ == "__main__":
    main()
