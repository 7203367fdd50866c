"""`kill -9` in the middle of a run: what was read is there, and nobody is asked for it again."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

from tests.evaluation.commands import HAIKU, KEY, LUNA, begin, count, ended, kept, waited_for
from tests.standin import Latency, Standin

CASES = tuple(f"c{number:02}" for number in range(15))
REPEATS, CONCURRENCY = 3, 4
TOTAL = len(CASES) * 2 * REPEATS


def asked(standin: Standin) -> Counter[tuple[str, str]]:
    """How often each provider was sent each case."""
    found: Counter[tuple[str, str]] = Counter()
    for seen in standin.requests:
        (case,) = re.findall(r"message of (c\d\d)", json.dumps(seen.body["messages"]))
        found[seen.api, case] += 1
    return found


def test_a_killed_run_is_taken_up_again_and_no_finished_call_is_repeated(tmp_path: Path) -> None:
    suite = tmp_path / "suite.csv"
    suite.write_text("id,message,cd\n" + "".join(f"{case},the message of {case},0.5\n" for case in CASES))
    at_once = ("--concurrency", str(CONCURRENCY))
    with Standin(llm1=Latency(0.05, 0.15), key=KEY) as standin:
        arguments = ("--suite", str(suite), "--model", LUNA, "--model", HAIKU, "--repeats", str(REPEATS))
        process = begin(tmp_path, standin, *arguments, *at_once)
        waited_for(lambda: count(tmp_path) >= TOTAL // 2, process, "half of the results were kept")
        process.kill()
        process.communicate()
        ((run, before),) = kept(tmp_path)
        assert TOTAL // 2 <= len(before) < TOTAL
        # What was under way is lost: as many as may be asked at once, and as many on their way into the database.
        assert 0 <= asked(standin).total() - len(before) <= 2 * CONCURRENCY

        standin.requests.clear()
        status, _, err = ended(begin(tmp_path, standin, "--resume", run.id, *at_once))
        asked_again = asked(standin)
    assert status in {0, 1}, err  # how fast the machine is decides about a target
    assert f"{TOTAL} readings, {len(before)} of them are there" in err
    ((again, after),) = kept(tmp_path)
    assert again == run
    keys = {(case, name, repeat) for case in CASES for name in (LUNA, HAIKU) for repeat in range(REPEATS)}
    assert {result.key for result in after} == keys
    assert len(after) == TOTAL
    there = {result.key for result in before}
    assert [result for result in after if result.key in there] == list(before)
    assert asked_again == Counter((name.partition(":")[0], case) for case, name, _ in keys - there)
