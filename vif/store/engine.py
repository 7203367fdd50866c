"""The engine: how SQLite and PostgreSQL are set up so that the same code is safe on both."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from vif.store.errors import StoreError
from vif.store.location import create_file

BUSY_TIMEOUT_S = 10.0
"""How long a writer waits for one of another process, and a connection for its server."""

WRITES = "vif_writes"
"""Execution option of a connection that is going to write."""


def make_engine(url: URL, *, foreign_keys: bool = True) -> Engine:
    """An engine for a checked address. Makes a SQLite file that is not there; connects to nothing.

    Statements' values stay out of its error messages. `foreign_keys` False is for migrations, which may replace a
    table, and must not thereby delete what refers to it.
    """
    if url.get_backend_name() != "sqlite":
        return create_engine(
            url, hide_parameters=True, pool_pre_ping=True, connect_args={"connect_timeout": round(BUSY_TIMEOUT_S)}
        )
    create_file(Path(str(url.database)))
    # Transactions are begun by `_begin`: the driver's own way would begin them too late.
    engine = create_engine(url, hide_parameters=True, connect_args={"isolation_level": None, "timeout": BUSY_TIMEOUT_S})

    def set_up(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
        connection.execute("PRAGMA synchronous=FULL")  # a commit survives a power cut, not only a killed process
        connection.execute("PRAGMA secure_delete=ON")  # what is deleted is overwritten
        connection.execute(f"PRAGMA foreign_keys={'ON' if foreign_keys else 'OFF'}")
        # SQLite's own knows the case of ASCII letters only, and search is for all languages.
        connection.create_function("lower", 1, _lower, deterministic=True)

    event.listen(engine, "connect", set_up)
    event.listen(engine, "begin", _begin)
    return engine


def writing(engine: Engine) -> Connection:
    """A connection that is going to write."""
    return engine.connect().execution_options(**{WRITES: True})


def pragma(engine: Engine, statement: str) -> list[tuple[object, ...]]:
    """What one of SQLite's pragmas says, carried out outside any transaction. Raises sqlite3.Error."""
    # Past SQLAlchemy, which begins a transaction before the first statement.
    with closing(engine.raw_connection()) as connection:
        found: list[tuple[object, ...]] = connection.cursor().execute(f"PRAGMA {statement}").fetchall()
        return found


def empty_log(
    engine: Engine, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Let nothing of what was deleted be left in SQLite's log. Blocks while others read or write. Raises StoreError."""
    if engine.dialect.name != "sqlite":
        return
    give_up_at = clock() + BUSY_TIMEOUT_S
    while True:
        # Into the database, and cut to nothing: the log still holds pages from before the deletion.
        try:
            ((busy, *_),) = pragma(engine, "wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            raise StoreError(f"deleted, but a copy may be left in the log: {explained(error)}") from None
        if not busy:
            return
        # SQLite waits for readers and writers, but not for another one that does the same.
        if clock() >= give_up_at:
            raise StoreError("deleted, but a copy is left in the log until nobody reads any more")
        sleep(0.01)


def explained(error: BaseException) -> str:
    """What the database said, in one line, without the statement and its values."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    lines = str(cause).strip().splitlines()
    return lines[0] if lines else type(cause).__name__


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another process has the SQLite file."""
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _begin(connection: Connection) -> None:
    # A transaction that reads first and then writes fails when another process wrote in between: writers queue up at
    # once, and readers never wait.
    writes = connection.get_execution_options().get(WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _lower(text: str | float | bytes | None) -> str | float | bytes | None:
    return text.lower() if isinstance(text, str) else text
