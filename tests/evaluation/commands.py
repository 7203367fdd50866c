"""`vif eval` in a process of its own, against a stand-in and with a database in the test's folder."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import IO

import dev
from tests.conftest import without_provider_settings
from tests.standin import Standin
from vif.evaluation.keeping import EvaluationStore
from vif.evaluation.records import Result, Run
from vif.store import Store

KEY = "sk-proj-Zq3vT8mWx1LrYb6NdKf0"
LUNA, HAIKU = "openai:gpt-6-luna", "anthropic:claude-haiku-5-5"
PATIENCE_S = 60.0


def settings(folder: Path, standin: Standin) -> dict[str, str]:
    """Keys and addresses of the stand-in, and a database in the folder."""
    return {
        "OPENAI_API_KEY": KEY,
        "ANTHROPIC_API_KEY": KEY,
        "OPENAI_BASE_URL": standin.base_url("openai"),
        "ANTHROPIC_BASE_URL": standin.base_url("anthropic"),
        "VIF_DATABASE_URL": database(folder),
        "NO_PROXY": "127.0.0.1",
    }


def database(folder: Path) -> str:
    return f"sqlite:///{folder / 'vif.sqlite3'}"


def begin(
    folder: Path, standin: Standin, *arguments: str, stderr: int | IO[str] = subprocess.PIPE, **more: str
) -> subprocess.Popen[str]:
    """The command, under way."""
    environment = {**without_provider_settings(os.environ), "PYTHONPATH": str(dev.ROOT), **settings(folder, standin)}
    return subprocess.Popen(
        [sys.executable, "-c", "from vif.cli import main; main()", "eval", *arguments],
        cwd=folder,
        env={**environment, **more},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit status, stdout and stderr, once it has ended."""
    out, err = process.communicate(timeout=PATIENCE_S)
    return process.returncode, out, err or ""


def waited_for(happened: Callable[[], bool], process: subprocess.Popen[str], what: str) -> None:
    """Return once it has happened; the process must be running until then."""
    give_up_at = time.monotonic() + PATIENCE_S
    while not happened():
        assert process.poll() is None, f"ended before {what}: {process.communicate()}"
        assert time.monotonic() < give_up_at, f"not in time: {what}"
        time.sleep(0.02)


def kept(folder: Path) -> list[tuple[Run, tuple[Result, ...]]]:
    """The runs in the database, the newest first, with their results."""

    async def read(keeper: EvaluationStore) -> list[tuple[Run, tuple[Result, ...]]]:
        found = []
        for row in await keeper.runs():
            run = await keeper.run(row.id)
            assert run is not None
            found.append((run, await keeper.results(run.id)))
        return found

    with closing(Store(database(folder))) as store:
        return asyncio.run(read(EvaluationStore(store)))


def count(folder: Path, table: str = "evaluation_results") -> int:
    """Rows of a table, of whatever run; 0 while there is no such table."""
    try:
        with closing(sqlite3.connect(f"file:{folder / 'vif.sqlite3'}?mode=ro", uri=True)) as connection:
            (rows,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608  # names of ours
    except sqlite3.OperationalError:
        return 0
    return int(rows)
