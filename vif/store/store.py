"""The store: many event loops, many threads and many processes may use one database at once."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from pydantic import SecretStr
from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from vif.interaction import Interaction
from vif.store import history, interactions
from vif.store.engine import empty_log, make_engine
from vif.store.history import EVERYTHING, Choices, Filter, Summary
from vif.store.info import Info, info
from vif.store.location import checked_url, default_url, shown
from vif.store.migrate import prepare
from vif.store.retention import Retention, expired
from vif.store.waiting import outcome
from vif.store.writer import Work, Writer, as_store_error

T = TypeVar("T")
Erased = TypeVar("Erased", bool, int)


class Store:
    """Keeps interactions. What is awaited here is committed, or has raised StoreError.

    One object serves any number of event loops and threads. Close it, or it closes itself at the end of the process.
    """

    def __init__(self, url: str, *, retention_days: float | None = None) -> None:
        """Open the database at `url`, brought to the form of this version first. Blocks for some milliseconds.

        With `retention_days`, interactions older than that are deleted now and daily, except favourites.

        Raises ConfigError when the address cannot be used or the database cannot be opened.
        """
        self._url: URL = checked_url(url)
        prepare(self._url)
        self._engine = make_engine(self._url)
        self._writer = Writer(self._engine)
        retention = None if retention_days is None else Retention(self._writer, self._engine, retention_days)
        self._finish = weakref.finalize(self, _finish, self._writer, self._engine, retention)

    def __repr__(self) -> str:
        return f"Store({self.where!r})"

    @property
    def where(self) -> str:
        """Its address for people, without a password."""
        return shown(self._url)

    async def save(
        self, interaction: Interaction, *, session: str | None = None, conversation: str | None = None
    ) -> None:
        """Return once the interaction is committed. One with the same id is replaced.

        Args:
            session: whose it is.
            conversation: an id of the caller's choice, up to 64 characters; a new one begins a conversation.

        Being cancelled ends the waiting, not the saving. Raises StoreError.
        """
        row = interactions.row_of(interaction, session, conversation)
        await self.write(partial(interactions.put, row=row))

    async def load(self, id: str) -> Interaction | None:
        """The interaction with this id, or None. Raises StoreError, also when this version cannot read it."""
        return await self.read(partial(interactions.get, id=id))

    async def recent(self, limit: int = 50, before: Summary | None = None, only: Filter = EVERYTHING) -> list[Summary]:
        """The newest first, `limit` at most; `before` is the last one of the page before."""
        return await self.read(partial(history.recent, only=only, limit=limit, before=before))

    async def count(self, only: Filter = EVERYTHING) -> int:
        """How many interactions `recent` would find in all."""
        return await self.read(partial(history.count, only=only))

    async def summary(self, id: str) -> Summary | None:
        """The line of history of one interaction, or None. It can be read even where the interaction itself cannot."""
        return await self.read(partial(history.summary, id=id))

    async def choices(self, only: Filter = EVERYTHING) -> Choices:
        """What occurs among those a filter finds: what it can be set to further."""
        return await self.read(partial(history.choices, only=only))

    async def favourite(self, owner: str, interaction_id: str, on: bool) -> bool:
        """Mark an interaction for somebody, or no longer. Whether it is marked now: False too when there is none."""
        if on:
            now = datetime.now(UTC)
            return await self.write(partial(history.put_favourite, owner=owner, interaction_id=interaction_id, now=now))
        await self.write(partial(history.remove_favourite, owner=owner, interaction_id=interaction_id))
        return False

    async def favourites(self, owner: str, ids: Collection[str]) -> frozenset[str]:
        """Those of `ids` that somebody has marked."""
        return await self.read(partial(history.favourites_among, owner=owner, ids=ids))

    async def delete(self, *ids: str, session: str | None = None) -> int:
        """Delete interactions for good; a conversation goes with its last. How many there were.

        With `session`, only those of this session.
        """
        return await self.erase(partial(history.remove, ids=ids, session=session))

    async def delete_conversation(self, id: str, session: str | None = None) -> bool:
        """Delete a conversation with all its interactions for good. False when there was none.

        With `session`, only the interactions of this session.
        """
        return await self.erase(partial(history.remove_conversation, id=id, session=session))

    async def delete_all(self, only: Filter, *, spare_favourites: bool = False) -> int:
        """Delete for good what a filter finds, but nothing anybody has marked if favourites are spared. How many.

        In portions: others get their turn in between, and what was deleted before a failure stays deleted.
        """
        gone = 0
        while some := await self.erase(partial(history.remove_some, only=only, spare_favourites=spare_favourites)):
            gone += some
        return gone

    async def delete_expired(self, days: float) -> int:
        """Delete for good what is older than so many days and nobody's favourite. How many there were."""
        return await self.delete_all(expired(days, datetime.now(UTC)), spare_favourites=True)

    async def info(self) -> Info:
        """What is in it, in figures."""
        return await self.read(info)

    async def write(self, work: Work[T]) -> T:
        """The result of `work(connection)`, once it is committed. It must bear being carried out twice."""
        return await outcome(self._writer.submit(work))

    async def erase(self, work: Work[Erased]) -> Erased:
        """As `write`, for work that deletes and says how much there was; nothing of it is left in the log."""
        found = await self.write(work)
        if found:
            await asyncio.to_thread(empty_log, self._engine)
        return found

    async def read(self, work: Callable[[Connection], T]) -> T:
        """The result of `work(connection)`, which only reads, in a thread."""
        return await asyncio.to_thread(self._read, work)

    def close(self) -> None:
        """Finish what is being written and let go of the database. Blocks; calling it twice is harmless."""
        self._finish()

    def _read(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._engine.connect() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            raise as_store_error(error) from None


def open_store(url: SecretStr | str | None = None, *, retention_days: float | None = None) -> Store:
    """The store at `url`; without one, this user's own (see `default_url`). The rest as for `Store`."""
    given = url.get_secret_value() if isinstance(url, SecretStr) else url
    return Store(given or default_url(), retention_days=retention_days)


def _finish(writer: Writer, engine: Engine, retention: Retention | None) -> None:
    if retention is not None:
        retention.stop()
    writer.close()
    engine.dispose()
