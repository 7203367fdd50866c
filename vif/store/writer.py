"""One thread that writes. Whatever is waiting goes into one transaction: a hundred saves cost about one."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from weakref import WeakValueDictionary

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from vif.store.engine import explained, writing
from vif.store.errors import StoreError

LARGEST_BATCH = 500
"""Writes in one transaction, so that other processes get their turn."""

_turns: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()
_counting = threading.Lock()

T = TypeVar("T")
Work = Callable[[Connection], T]
"""What is to be done in a transaction. It may be carried out a second time, after the first was rolled back."""


@dataclass(frozen=True, slots=True)
class _Job(Generic[T]):
    work: Work[T]
    done: Future[T] = field(default_factory=Future)


class Writer:
    """Carries out work in the order it was given; a future is resolved after the commit."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turn = _turn(engine)
        self._jobs: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="vif-store-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Work[T]) -> Future[T]:
        """A future of the result. It fails with StoreError when the database fails, else with what `work` raised."""
        job = _Job(work)
        with self._closing:  # nothing may come after the end
            if self._closed:
                raise StoreError("the store is closed")
            self._jobs.put(job)
        return job.done

    def close(self) -> None:
        """Finish what was submitted, then end the thread. Calling it twice is harmless."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        ended = False
        while not ended:
            waiting = [self._jobs.get()]
            while len(waiting) < LARGEST_BATCH and not self._jobs.empty():
                waiting.append(self._jobs.get())
            ended = waiting[-1] is None
            batch = [job for job in waiting if job is not None]
            if batch:
                self._write(batch)

    def _write(self, batch: list[_Job[Any]]) -> None:
        try:
            with self._turn, writing(self._engine) as connection, connection.begin():
                results = [job.work(connection) for job in batch]
        except Exception as error:  # noqa: BLE001  # told to those who wait
            self._tell(batch, error)
        else:
            for job, result in zip(batch, results, strict=True):
                job.done.set_result(result)

    def _tell(self, batch: list[_Job[Any]], error: Exception) -> None:
        # Locked, full, gone: that is so for all of them. Anything else may be the fault of one.
        if len(batch) > 1 and not isinstance(error, OperationalError):
            for job in batch:
                self._write([job])
            return
        for job in batch:
            job.done.set_exception(as_store_error(error) if isinstance(error, SQLAlchemyError) else error)


def _turn(engine: Engine) -> AbstractContextManager[object]:
    """What the writers of this process to one SQLite file take turns by.

    SQLite lets those who wait try again by chance: of many, one would in the end have waited for too long.
    """
    if engine.dialect.name != "sqlite":
        return nullcontext()
    with _counting:
        return _turns.setdefault(str(engine.url.database), threading.Lock())


def as_store_error(error: SQLAlchemyError) -> StoreError:
    """The same failure without the statement and its values."""
    told = StoreError(f"the database failed: {explained(error)}")
    told.__suppress_context__ = True
    return told
