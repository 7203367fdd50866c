"""What only several processes can show: they write at once, open at once, and are killed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from random import Random

import dev
from tests.store.making import executed, is_sqlite
from tests.store.saver import AT_ONCE
from vif.store import Store


@contextmanager
def saver(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A process of `tests.store.saver`, ended at the latest when the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.store.saver", *arguments],
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


def tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def is_whole(url: str) -> bool:
    """Whether a SQLite file is undamaged; PostgreSQL looks after itself."""
    if not is_sqlite(url):
        return True
    return executed(url, "PRAGMA integrity_check") == [("ok",)] and not executed(url, "PRAGMA foreign_key_check")


async def ids_in(url: str) -> set[str]:
    """The ids of all interactions that can be loaded."""
    store = Store(url)
    ids = {summary.id for summary in await store.recent(1_000_000)}
    assert None not in [await store.load(id) for id in ids]
    store.close()
    return ids


def killed(process: subprocess.Popen[str], name: str, after: int) -> set[str]:
    """The ids a child reported finished that is killed when it has reported `after`, or with 0 as soon as it is."""
    assert process.stdout is not None
    tell(process, name)
    child, finished = None, set[str]()
    for line in process.stdout:
        match line.split():
            case ["pid", number]:
                child = int(number)
            case ["ended", status]:
                assert int(status) == -signal.SIGKILL
                break
            case [id]:
                finished.add(id)
        if child is not None and len(finished) >= after:
            os.kill(child, signal.SIGKILL)
            child, after = None, sys.maxsize
    return finished


async def test_fifty_kills_while_it_writes_lose_nothing_that_was_reported_finished(url: str) -> None:
    random, finished = Random(6), set[str]()
    with saver(url) as process:
        for kill in range(50):
            after = random.choice((0, 1, random.randrange(2, 100), random.randrange(100, 250)))
            now = killed(process, f"victim{kill}", after)
            assert len(now) >= after
            finished |= now
            kept = executed(url, "SELECT id FROM interactions") if finished else []
            assert finished <= {id for (id,) in kept}
        output, errors = process.communicate()
    assert (process.returncode, output, errors) == (0, "", "")
    assert is_whole(url)
    assert finished <= await ids_in(url)


async def test_fifty_writers_of_five_processes_that_begin_at_once_lose_and_double_nothing(url: str) -> None:
    names, stores, rounds = ("a", "b", "c", "d", "e"), 10, 2
    with ExitStack() as stack:
        processes = [stack.enter_context(saver(url, name, str(stores), str(rounds))) for name in names]
        for process in processes:
            tell(process, "begin")
        with ThreadPoolExecutor(len(processes)) as threads:
            outcomes = list(threads.map(lambda process: process.communicate(), processes))
    assert [(process.returncode, errors) for process, (_, errors) in zip(processes, outcomes, strict=True)] == [
        (0, "") for _ in names
    ]
    reported = [line for output, _ in outcomes for line in output.splitlines()]
    assert len(reported) == len(names) * AT_ONCE * rounds
    kept = [str(id) for (id,) in executed(url, "SELECT id FROM interactions")]
    assert sorted(kept) == sorted(reported)
    assert await ids_in(url) == set(reported)
    assert is_whole(url)


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
