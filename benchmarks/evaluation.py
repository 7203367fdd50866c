"""75 calls at 100 ms, 16 at once: how far from the ideal a run is, and how far promptfoo is on the same endpoint.

The standard suite, 15 messages, five times each, read by one model of a stand-in in a process of its own. The ideal is
⌈75 / 16⌉ · 100 ms = 500 ms. Every round has new connections and nothing remembered.

- runner: `Runner.run()` from its first to its last event, every result committed to a SQLite file.
- vif eval: the whole command, from the start of Python to the printed report.
- promptfoo: the duration it states itself, and its whole command. The same prompts and schema; no assertion.

They take turns, round by round, so that a noisy moment meets all of them. Figures are medians of the rounds; the best
round is closest to what an idle machine would show.

python benchmarks/evaluation.py [--rounds 5] [--promptfoo PATH] [--json]

PATH is promptfoo's program, as in `npm install --prefix /tmp/promptfoo promptfoo` and
`--promptfoo /tmp/promptfoo/node_modules/.bin/promptfoo`.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import aclosing, closing
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.standin_process import ROOT, StandinProcess, standin_process
from vif import connect
from vif.evaluation.keeping import EvaluationStore
from vif.evaluation.plan import config_of, make_run
from vif.evaluation.runner import Runner, Stopped
from vif.evaluation.suite import shipped
from vif.llm.protocol import Provider
from vif.recognition.prompt import system_prompt, user_turn
from vif.recognition.recogniser import MAX_TOKENS
from vif.recognition.schema import output_schema
from vif.state import MemoryState
from vif.store import Store

MODEL = "gpt-6-luna"
SUBJECT = f"openai:{MODEL}"
REPEATS, CONCURRENCY, CALL_MS = 5, 16, 100
CASES = shipped("standard").cases
CALLS = len(CASES) * REPEATS
IDEAL_MS = math.ceil(CALLS / CONCURRENCY) * CALL_MS
GOAL = 1.25

Way = Callable[[Path], Mapping[str, float]]
"""One round in an empty folder; milliseconds by what was measured."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--promptfoo", type=Path, metavar="PATH", help="promptfoo's program; left out without it")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with standin_process("--llm1-ms", str(CALL_MS)) as server:
        ways: list[Way] = [lambda folder: runner(server, folder), lambda folder: command(server, folder)]
        if options.promptfoo:
            program = options.promptfoo.resolve(strict=True)
            ways.append(lambda folder: promptfoo(program, server, folder))
        rounds = measured(ways, options.rounds)
    figures = summary(rounds)
    if options.json:
        print(json.dumps({"ideal_ms": IDEAL_MS, "medians": figures, "rounds": rounds}))
        return
    print(f"{CALLS} calls at {CALL_MS} ms, {CONCURRENCY} at once: ideal {IDEAL_MS} ms, {options.rounds} rounds\n")
    for name, figure in figures.items():
        print(
            f"{name:<24} {figure['ms']:>8.0f} ms, {figure['against_ideal']:>5.2f} × the ideal; "
            f"best round {figure['best_ms']:>6.0f} ms, {figure['best_against_ideal']:>5.2f} ×"
        )
    print(f"\nwithin {GOAL} of the ideal: {'yes' if figures['runner']['against_ideal'] <= GOAL else 'no'}")
    if options.promptfoo:
        for ours, theirs in (("runner", "promptfoo, as it says"), ("vif eval, whole", "promptfoo, whole")):
            ratio = statistics.median(one[theirs] / one[ours] for one in rounds)
            print(f"{theirs} against {ours}: {ratio:.1f} × the time (median of the rounds)")


def measured(ways: list[Way], rounds: int) -> list[dict[str, float]]:
    """What each round gave. One round before them does not count: caches of files are warm then."""
    found: list[dict[str, float]] = []
    for turn in range(rounds + 1):
        first = turn % len(ways)
        times: dict[str, float] = {}
        for way in (*ways[first:], *ways[:first]):
            with TemporaryDirectory() as folder:
                times |= way(Path(folder))
        found.append(times)
    return found[1:]


def summary(rounds: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Of each way the median and the best of its rounds."""
    figures: dict[str, dict[str, float]] = {}
    for name in sorted(rounds[0]):
        times = [one[name] for one in rounds]
        middle, best = statistics.median(times), min(times)
        figures[name] = {
            "ms": round(middle, 1),
            "against_ideal": round(middle / IDEAL_MS, 3),
            "best_ms": round(best, 1),
            "best_against_ideal": round(best / IDEAL_MS, 3),
        }
    return figures


def runner(server: StandinProcess, folder: Path) -> Mapping[str, float]:
    run = make_run(shipped("standard"), [SUBJECT], repeats=REPEATS)

    async def carry_out(store: Store) -> float:
        config = config_of(run, run.subjects[0])
        api = connect(config, server.access, state=MemoryState(config.cache_max_entries))
        keeper = EvaluationStore(store)
        gc.collect()
        start = time.perf_counter()
        async with aclosing(Runner(run, {SUBJECT: api}, keeper, concurrency=CONCURRENCY).run()) as events:
            async for event in events:
                assert not isinstance(event, Stopped), event
        took = time.perf_counter() - start
        results = await keeper.results(run.id)
        assert len(results) == CALLS
        assert all(result.read for result in results)
        await api.aclose()
        return took

    with closing(Store(f"sqlite:///{folder / 'vif.sqlite3'}")) as store:
        return {"runner": asyncio.run(carry_out(store)) * 1000}


def command(server: StandinProcess, folder: Path) -> Mapping[str, float]:
    code = "from vif.cli import main; main()"
    arguments = ["--model", SUBJECT, "--repeats", str(REPEATS), "--concurrency", str(CONCURRENCY)]
    access = server.access
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "OPENAI_API_KEY": access.key(Provider.OPENAI) or "",
        "OPENAI_BASE_URL": access.base_url(Provider.OPENAI) or "",
        "VIF_DATABASE_URL": f"sqlite:///{folder / 'vif.sqlite3'}",
    }
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, "eval", *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    took = time.perf_counter() - start
    assert done.returncode in {0, 1}, done.stderr  # 1: a target missed, of the latency perhaps
    return {"vif eval, whole": took * 1000}


def promptfoo(program: Path, server: StandinProcess, folder: Path) -> Mapping[str, float]:
    schema = output_schema(oscillation=False)
    settings = {
        "apiBaseUrl": server.access.base_url(Provider.OPENAI),
        "apiKey": server.access.key(Provider.OPENAI),
        "omitDefaults": True,
        "max_completion_tokens": MAX_TOKENS,
        "reasoning_effort": "none",
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": schema.name, "strict": True, "schema": schema.schema},
        },
    }
    prompt = [{"role": "system", "content": system_prompt(oscillation=False)}, {"role": "user", "content": "{{turn}}"}]
    (folder / "prompt.json").write_text(json.dumps(prompt))
    config = {
        "prompts": [f"file://{folder / 'prompt.json'}"],
        "providers": [{"id": f"openai:chat:{MODEL}", "config": settings}],
        "tests": [{"vars": {"turn": user_turn(case.message, None, None)}} for case in CASES],
    }
    (folder / "config.json").write_text(json.dumps(config))
    arguments = ["eval", "-c", "config.json", "--no-cache", "--no-table", "--no-progress-bar", "-o", "out.json"]
    environment = {
        **os.environ,
        "PROMPTFOO_CONFIG_DIR": str(folder / "promptfoo"),
        "PROMPTFOO_DISABLE_TELEMETRY": "1",
        "PROMPTFOO_DISABLE_UPDATE": "1",
    }
    start = time.perf_counter()
    done = subprocess.run(
        [str(program), *arguments, "-j", str(CONCURRENCY), "--repeat", str(REPEATS)],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    took = time.perf_counter() - start
    assert done.returncode == 0, done.stdout + done.stderr
    stats = json.loads((folder / "out.json").read_text())["results"]["stats"]
    assert (stats["successes"], stats["failures"], stats["errors"]) == (CALLS, 0, 0)
    return {"promptfoo, as it says": float(stats["durationMs"]), "promptfoo, whole": took * 1000}


if __name__ == "__main__":
    main()
