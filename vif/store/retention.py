"""How long interactions are kept. What is older than allowed is deleted for good, unless somebody has marked it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import Engine

from vif.store.engine import empty_log
from vif.store.errors import StoreError
from vif.store.history import Filter, remove_some
from vif.store.writer import Writer

DAY_S = 86_400.0

_logger = logging.getLogger(__name__)


def expired(days: float, now: datetime) -> Filter:
    """Those older than so many days."""
    return Filter(until=now - timedelta(days=days))


class Retention:
    """Deletes what has expired, at once and then daily, in a thread of its own.

    In portions, between which others write. A failure is logged, and the next day it is tried again.
    """

    def __init__(
        self,
        writer: Writer,
        engine: Engine,
        days: float,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        wait: Callable[[threading.Event, float], bool] = threading.Event.wait,
    ) -> None:
        self._writer, self._engine, self._days = writer, engine, days
        self._clock, self._wait = clock, wait
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="vif-store-retention", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the portion that is being deleted. Calling it twice is harmless."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self._delete()
            except StoreError as error:
                _logger.warning("expired interactions were not deleted: %s", error)
            if self._wait(self._ended, DAY_S):
                return

    def _delete(self) -> None:
        work = partial(remove_some, only=expired(self._days, self._clock()), spare_favourites=True)
        while not self._ended.is_set() and self._writer.submit(work).result():
            empty_log(self._engine)
