from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import OperationalError

from vif.store import StoreError
from vif.store.engine import make_engine
from vif.store.location import checked_url
from vif.store.writer import Writer


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = make_engine(checked_url(url))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE numbers (number INTEGER PRIMARY KEY)"))
    yield engine
    engine.dispose()


@pytest.fixture
def writer(engine: Engine) -> Iterator[Writer]:
    writer = Writer(engine)
    yield writer
    writer.close()


def add(connection: Connection, number: int) -> int:
    connection.execute(text("INSERT INTO numbers VALUES (:number)"), {"number": number})
    return number


def numbers(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        return list(connection.scalars(text("SELECT number FROM numbers ORDER BY number")))


class Gate:
    """Work that holds the writer up until it is let go."""

    def __init__(self, writer: Writer) -> None:
        self._begun, self._go_on = threading.Event(), threading.Event()
        self.done = writer.submit(self._hold)
        self._begun.wait()

    def open(self) -> None:
        self._go_on.set()

    def _hold(self, _connection: Connection) -> None:
        self._begun.set()
        self._go_on.wait()


def test_whatever_is_waiting_goes_into_one_transaction(writer: Writer, engine: Engine) -> None:
    commits: list[Connection] = []
    event.listen(engine, "commit", commits.append)
    gate = Gate(writer)
    waiting = [writer.submit(partial(add, number=number)) for number in range(100)]
    gate.open()
    assert [future.result() for future in waiting] == list(range(100))
    assert len(commits) == 2  # the gate's and that of all the others
    assert numbers(engine) == list(range(100))


def test_a_result_is_told_only_after_the_commit(writer: Writer, engine: Engine) -> None:
    seen: list[bool] = []
    gate = Gate(writer)
    future = writer.submit(partial(add, number=1))
    event.listen(engine, "commit", lambda _connection: seen.append(future.done()))
    gate.open()
    assert future.result() == 1
    assert seen == [False, False]


def test_one_that_fails_takes_none_of_the_others_with_it(writer: Writer, engine: Engine) -> None:
    reason = {
        "sqlite": r"UNIQUE constraint failed: numbers\.number",
        "postgresql": 'duplicate key value violates unique constraint "numbers_pkey"',
    }[engine.dialect.name]
    gate = Gate(writer)
    futures = [writer.submit(partial(add, number=number)) for number in (1, 2, 1, 3)]
    gate.open()
    assert [futures[place].result() for place in (0, 1, 3)] == [1, 2, 3]
    with pytest.raises(StoreError, match=f"^the database failed: {reason}$"):
        futures[2].result()
    assert numbers(engine) == [1, 2, 3]


def test_what_work_itself_raises_comes_back_and_its_writes_are_undone(writer: Writer, engine: Engine) -> None:
    def change_of_mind(connection: Connection) -> None:
        add(connection, 1)
        raise LookupError("no such campaign")

    with pytest.raises(LookupError, match="no such campaign"):
        writer.submit(change_of_mind).result()
    assert numbers(engine) == []


def test_a_failure_of_the_database_itself_is_not_tried_again_for_each(writer: Writer) -> None:
    tried: list[int] = []

    def full(_connection: Connection) -> None:
        tried.append(1)
        raise OperationalError("INSERT", {}, RuntimeError("database or disk is full"))

    gate = Gate(writer)
    futures: list[Future[None]] = [writer.submit(full) for _ in range(10)]
    gate.open()
    for future in futures:
        with pytest.raises(StoreError, match=r"^the database failed: database or disk is full$"):
            future.result()
    assert len(tried) == 1


def test_closing_carries_out_what_was_submitted_and_refuses_more(writer: Writer, engine: Engine) -> None:
    gate = Gate(writer)
    futures = [writer.submit(partial(add, number=number)) for number in range(1200)]
    gate.open()
    writer.close()
    assert all(future.done() for future in futures)
    assert len(numbers(engine)) == 1200
    with pytest.raises(StoreError, match="the store is closed"):
        writer.submit(partial(add, number=-1))


def test_writers_to_one_file_take_turns_and_those_to_another_do_not_wait(tmp_path: Path) -> None:
    engines = [make_engine(checked_url(f"sqlite:///{tmp_path}/{name}.sqlite3")) for name in ("one", "one", "other")]
    first, second, elsewhere = map(Writer, engines)
    gate = Gate(first)
    waiting = second.submit(lambda _connection: "then")
    assert elsewhere.submit(lambda _connection: "at once").result() == "at once"
    assert not waiting.done()
    gate.open()
    assert (gate.done.result(), waiting.result()) == (None, "then")
    for writer, engine in zip((first, second, elsewhere), engines, strict=True):
        writer.close()
        engine.dispose()
