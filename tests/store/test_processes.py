"""What only several processes can show: they write at once, open at once, and are killed."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import islice
from pathlib import Path

import pytest

import dev
from tests.store.saver import AT_ONCE
from vif.store import Store


@contextmanager
def saver(url: str, name: str, rounds: int) -> Iterator[subprocess.Popen[str]]:
    """A process of `tests.store.saver` that waits for its sign to begin; ended at the latest when the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.store.saver", url, name, str(rounds)],
        cwd=dev.ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def begin(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def is_whole(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as connection:
        faults = connection.execute("PRAGMA foreign_key_check").fetchall()
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)] and not faults


async def ids_in(url: str) -> set[str]:
    """The ids of all interactions that can be loaded."""
    store = Store(url)
    ids = {summary.id for summary in await store.recent(1_000_000)}
    assert None not in [await store.load(id) for id in ids]
    store.close()
    return ids


@pytest.mark.parametrize("after", [1, 30, 99, 250, 600])
async def test_whatever_was_reported_finished_before_a_kill_is_in_the_database(
    url: str, path: Path, after: int
) -> None:
    with saver(url, "victim", rounds=0) as process:
        begin(process)
        assert process.stdout is not None
        assert process.stderr is not None
        reported = list(islice(process.stdout, after))
        process.send_signal(signal.SIGKILL)
        reported += process.stdout.readlines()
        errors = process.stderr.read()
    assert (process.returncode, errors) == (-signal.SIGKILL, "")
    # A last line without its end was cut by the kill, and says nothing.
    finished = {line.rstrip("\n") for line in reported if line.endswith("\n")}
    assert len(finished) >= after
    assert finished <= await ids_in(url)
    assert is_whole(path)


async def test_processes_that_open_a_new_database_and_write_at_once_lose_nothing(url: str, path: Path) -> None:
    names, rounds = ("a", "b", "c"), 2
    with ExitStack() as stack:
        processes = [stack.enter_context(saver(url, name, rounds)) for name in names]
        for process in processes:
            begin(process)
        outcomes = [process.communicate() for process in processes]
    assert [(process.returncode, errors) for process, (_, errors) in zip(processes, outcomes, strict=True)] == [
        (0, "") for _ in names
    ]
    reported = {line for output, _ in outcomes for line in output.splitlines()}
    assert len(reported) == len(names) * AT_ONCE * rounds
    assert await ids_in(url) == reported
    assert is_whole(path)


LEAVES_IT_OPEN = """
import asyncio, sys
from tests.store.making import made
from vif.store import Store

async def main():
    interaction = await made("Why?")
    saving = asyncio.create_task(store.save(interaction))
    await asyncio.sleep(0)  # lets it hand its work over
    print(interaction.id)

store = Store(sys.argv[1])
asyncio.run(main())
"""


def test_a_process_that_ends_without_closing_its_store_still_writes_what_it_was_given(url: str) -> None:
    command = [sys.executable, "-W", "error", "-c", LEAVES_IT_OPEN, url]
    done = subprocess.run(command, cwd=dev.ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert asyncio.run(ids_in(url)) == {done.stdout.strip()}
