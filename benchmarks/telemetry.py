"""What it costs to be looked at: logs, spans, metrics and live figures of one interaction, in milliseconds.

python benchmarks/telemetry.py [--json]

The events of one real interaction (both models answer from memory, the reply comes in 200 pieces) are told again and
again, to each observer alone and to all as the server has them: logging at `warning`, no OpenTelemetry SDK.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import statistics
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from vif.api import VifApi
from vif.boundaries import BOUNDARY_NAMES
from vif.events import Event
from vif.llm.protocol import Caller, Completion, Finish, Provider, Request, Usage
from vif.telemetry.live import LiveBoard
from vif.telemetry.logs import LogObserver
from vif.telemetry.metrics import Metrics
from vif.telemetry.observer import NOBODY_LOOKS, Begun, Observer, Observers
from vif.telemetry.spans import SpanObserver

TARGET_MS = 0.5
PIECES = 200
ROUNDS, INTERACTIONS = 15, 40
MESSAGE = "How do I implement quicksort, and why does the pivot matter?"
READING = json.dumps(
    {
        "reasoning": "Asks how.",
        "domains": dict.fromkeys(("CD", "SD", "CuD", "ED"), 0.25),
        "boundaries": {name: {"permeability": 0.25, "status": "Maintained"} for name in BOUNDARY_NAMES},
        "patterns": ["a question"],
    }
)


class Memory:
    """Stands in for both models."""

    provider, model = Provider.OPENAI, "gpt-6-luna"

    async def complete(self, request: Request) -> Completion:  # noqa: ARG002  # a model is asked like this
        return Completion(READING, self.model, Finish.STOP, Usage(1200, 300))

    async def stream(self, request: Request) -> AsyncGenerator[str | Completion, None]:
        for _ in range(PIECES):
            yield "word "
        yield replace(await self.complete(request), text="word " * PIECES)

    async def aclose(self) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args().json
    events = asyncio.run(_events())
    observers: dict[str, Observer] = {
        "nobody": NOBODY_LOOKS,
        "metrics": Observers([Metrics()]),
        "live figures": Observers([LiveBoard()]),
        "logs at warning": Observers([LogObserver("warning", stream=io.StringIO())]),
        "logs at info": Observers([LogObserver("info", stream=io.StringIO())]),
        "spans without an SDK": Observers([SpanObserver()]),
        "all as in the server": Observers(
            [Metrics(), LiveBoard(), LogObserver("warning", stream=io.StringIO()), SpanObserver()]
        ),
    }
    result = {name: round(_cost_ms(observer, events), 4) for name, observer in observers.items()}
    if as_json:
        print(json.dumps({"ms_per_interaction": result, "events": len(events), "target_ms": TARGET_MS}))
        return
    for name, value in result.items():
        print(f"{name:<24} {value:8.4f} ms")
    print(f"target for the server    {TARGET_MS:8.4f} ms")


async def _events() -> list[Event]:
    async with aclosing(VifApi.with_dual_llm(Memory(), Memory()).stream(MESSAGE)) as events:
        return [event async for event in events]


def _cost_ms(observer: Observer, events: list[Event]) -> float:
    """The median over rounds of what one interaction takes."""
    rounds = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        for number in range(INTERACTIONS):
            caller = Caller(f"interaction-{number}", "a-session")
            observer.begin(caller, Begun(MESSAGE, "dual", "balanced"))
            for event in events:
                observer.see(caller, event)
            observer.end(caller, None)
        rounds.append((time.perf_counter() - begun) / INTERACTIONS * 1000)
    return statistics.median(rounds)


if __name__ == "__main__":
    main()
