"""How fast the embedded model is: loading, recognition, prompt and generation.

python benchmarks/embedded.py [--json] [--repeats 5]
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import statistics
import time
from collections.abc import Coroutine
from pathlib import Path

from vif.llm.embedded import EmbeddedModel
from vif.llm.protocol import Completion, Request, Turn
from vif.recognition.embedded import EmbeddedReader

CASES = Path(__file__).resolve().parent.parent / "tests" / "data" / "cases.csv"
PROMPT = "The quick brown fox jumps over the lazy dog while the old man reads his paper near the river. " * 11
GENERATED_TOKENS = 120


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--repeats", type=int, default=5, help="rounds over the cases, and replies")
    options = parser.parse_args()
    with CASES.open(encoding="utf-8", newline="") as file:
        messages = [row["message"] for row in csv.DictReader(file) if row["message"]]
    model = EmbeddedModel()
    reader = EmbeddedReader(model)
    result = {"first_reading_ms": await _milliseconds(reader.read(messages[0])), "load_rest_ms": await _load(model)}
    readings = [await _milliseconds(reader.read(text)) for _ in range(options.repeats) for text in messages]
    replies = [await _reply(model, number) for number in range(options.repeats)]
    result |= {
        "recognition_median_ms": statistics.median(readings),
        "recognition_p95_ms": statistics.quantiles(readings, n=20)[-1],
        "prompt_tokens": statistics.median(tokens for tokens, _, _ in replies),
        "first_token_ms": statistics.median(first for _, first, _ in replies),
        "prompt_tokens_per_s": statistics.median(1000 * tokens / first for tokens, first, _ in replies),
        "generated_tokens_per_s": statistics.median(speed for _, _, speed in replies),
    }
    rounded = {name: round(value, 1) for name, value in result.items()}
    print(json.dumps(rounded) if options.json else "\n".join(f"{name:<26} {rounded[name]}" for name in rounded))


async def _milliseconds(work: Coroutine[object, object, object]) -> float:
    started = time.perf_counter()
    await work
    return (time.perf_counter() - started) * 1000


async def _load(model: EmbeddedModel) -> float:
    return await _milliseconds(model.prepare())


async def _reply(model: EmbeddedModel, number: int) -> tuple[int, float, float]:
    """Prompt tokens, milliseconds to the first token, tokens per second after it. No two prompts begin alike."""
    request = Request("", (Turn("user", f"{number} {PROMPT} Go on with this story."),), GENERATED_TOKENS, 120.0)
    started = time.perf_counter()
    first_at = 0.0
    async for part in model.stream(request):
        if isinstance(part, Completion):
            rest_s = time.perf_counter() - first_at
            return (
                part.usage.input_tokens - part.usage.cache_read_tokens,
                (first_at - started) * 1000,
                (part.usage.output_tokens - 1) / rest_s,
            )
        first_at = first_at or time.perf_counter()
    raise RuntimeError("the embedded model gave no reply")


if __name__ == "__main__":
    asyncio.run(main())
