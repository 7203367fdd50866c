from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.store.making import MIDNIGHT, copies, executed, on_disk
from vif.interaction import Interaction
from vif.store import Store, StoreError, open_later
from vif.store.engine import make_engine
from vif.store.location import checked_url
from vif.store.retention import DAY_S, Retention
from vif.store.writer import Writer


async def aged(store: Store, interaction: Interaction, *days: float) -> None:
    """Interactions so many days old, under these numbers."""
    for number in days:
        moment = datetime.now(UTC) - timedelta(days=number)
        await store.save(interaction.model_copy(update={"id": f"{number}", "created_at": moment}))


async def test_what_is_older_than_allowed_is_deleted_and_a_favourite_is_kept(
    store: Store, interaction: Interaction
) -> None:
    await aged(store, interaction, 1, 29.9, 30.1, 31, 400)
    await store.favourite("somebody", "400", on=True)
    assert await store.delete_expired(30) == 2
    assert sorted(summary.id for summary in await store.recent()) == ["1", "29.9", "400"]
    await store.favourite("somebody", "400", on=False)
    assert await store.delete_expired(30) == 1


async def test_nothing_of_what_has_expired_is_left_on_the_disk(
    sqlite_store: Store, path: Path, interaction: Interaction
) -> None:
    old = copies(interaction.model_copy(update={"reply": "frobozz-secret"}), "1", message="xyzzy-secret")[0]
    await sqlite_store.save(old.model_copy(update={"created_at": MIDNIGHT.replace(year=2020)}))
    assert b"xyzzy-secret" in on_disk(path)
    assert await sqlite_store.delete_expired(30) == 1
    assert b"xyzzy-secret" not in on_disk(path)
    assert b"frobozz-secret" not in on_disk(path)


async def test_opening_deletes_what_has_expired_meanwhile(url: str, interaction: Interaction) -> None:
    store = Store(url)
    await aged(store, interaction, 1, 31)
    store.close()
    later = open_later(url, retention_days=30)
    again = await later.store()
    for _ in range(10_000):  # in the background, so that nobody waits for it
        if await again.count() == 1:
            break
    assert [summary.id for summary in await again.recent()] == ["1"]
    later.close()


async def test_without_a_limit_nothing_is_ever_deleted(url: str, interaction: Interaction) -> None:
    store = Store(url)
    await aged(store, interaction, 20_000)
    store.close()
    again = Store(url)
    again.close()
    assert len(executed(url, "SELECT id FROM interactions")) == 1


class Days:
    """Waits in no time for as many days as are allowed, and calls something in each of them."""

    def __init__(self, last: int, daily: Callable[[int], None]) -> None:
        self.waited: list[float] = []
        self._last, self._daily = last, daily
        self.over = threading.Event()

    def __call__(self, _ended: threading.Event, seconds: float) -> bool:
        self.waited.append(seconds)
        self._daily(len(self.waited))
        if len(self.waited) < self._last:
            return False
        self.over.set()
        return True

    @property
    def now(self) -> datetime:
        return MIDNIGHT + timedelta(seconds=sum(self.waited))


def retained(url: str, days: Days) -> None:
    """Let a limit of two days be kept for as many days as are allowed."""
    engine = make_engine(checked_url(url))
    writer = Writer(engine)
    retention = Retention(writer, engine, 2, clock=lambda: days.now, wait=days)
    days.over.wait()
    retention.stop()
    retention.stop()
    writer.close()
    engine.dispose()


async def test_a_server_that_runs_on_deletes_every_day(store: Store, url: str, interaction: Interaction) -> None:
    for number in range(4):
        moment = MIDNIGHT - timedelta(days=number, seconds=1)
        await store.save(interaction.model_copy(update={"id": f"{number}", "created_at": moment}))
    left: list[int] = []
    days = Days(4, lambda _day: left.append(len(executed(url, "SELECT id FROM interactions"))))
    retained(url, days)
    # At first those of 2 and 3 days and a second ago are older than two days; a day later that of 1 day, then the last.
    assert left == [2, 1, 0, 0]
    assert days.waited == [DAY_S] * 4


async def test_a_day_on_which_it_fails_is_logged_and_the_next_tries_again(
    store: Store, url: str, interaction: Interaction, caplog: pytest.LogCaptureFixture
) -> None:
    (old,) = copies(interaction, "1")
    await store.save(old.model_copy(update={"created_at": MIDNIGHT.replace(year=2020)}))
    executed(url, "ALTER TABLE interactions RENAME TO away")

    def mend(day: int) -> None:
        if day == 1:
            executed(url, "ALTER TABLE away RENAME TO interactions")

    days = Days(2, mend)
    with caplog.at_level(logging.WARNING):
        retained(url, days)
    assert "expired interactions were not deleted: the database failed" in caplog.text
    assert len(caplog.records) == 1
    assert executed(url, "SELECT id FROM interactions") == []


async def test_a_store_says_what_is_in_it(store: Store, interaction: Interaction) -> None:
    empty = await store.info()
    assert (set(empty.rows.values()), empty.first, empty.last) == ({0}, None, None)
    for each in copies(interaction, "1", "2"):
        await store.save(each, conversation="talk")
    found = await store.info()
    assert (found.rows["interactions"], found.rows["conversations"], found.rows["users"]) == (2, 1, 0)
    assert (found.first, found.last) == (MIDNIGHT, MIDNIGHT + timedelta(seconds=1))
    assert found.bytes > 10_000


async def test_a_log_that_others_hold_is_an_error_that_says_what_may_be_left(
    sqlite_store: Store, interaction: Interaction, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sqlite_store.save(interaction)

    def held(*_: object) -> None:
        raise sqlite3.OperationalError("database table is locked")

    monkeypatch.setattr("vif.store.engine.pragma", held)
    with pytest.raises(StoreError, match="deleted, but a copy may be left in the log: database table is locked"):
        await sqlite_store.delete(interaction.id)
