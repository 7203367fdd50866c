"""The history one person may see: every question to the store goes through here, and asks whose it is.

An interaction of somebody else is as good as none: nothing told of it, nothing done to it, whatever id was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar

from sqlalchemy import Connection

from pages import _identity, _runtime
from vif.interaction import Interaction
from vif.store import Store, StoreError
from vif.store.history import Choices, Filter, Summary, favourites_among, recent
from vif.store.interactions import get

T = TypeVar("T")

WAIT_S = 30.0
AT_ONCE = 200
"""Interactions read at once for an export."""

ALONE = "local"
"""Whose favourites they are where nobody signs in and everything is seen."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A line of history and what it stands for; `interaction` is None when this version cannot read it."""

    row: Summary
    interaction: Interaction | None
    favourite: bool


@dataclass(frozen=True, slots=True)
class History:
    """The interactions of `owner`; of everybody when that is None.

    Methods block, for Streamlit's threads. They raise StoreError when the store fails.

    Attributes:
        passing: it ends with the browser session, because nobody knows whose it is afterwards.
    """

    owner: str | None
    passing: bool = False

    @property
    def marker(self) -> str:
        """Whose favourites."""
        return self.owner or ALONE

    def within(self, only: Filter) -> Filter:
        """A filter that finds nothing of anybody else; favourites, whoever's it names, are theirs."""
        theirs = None if only.favourites_of is None else self.marker
        return replace(only, session=self.owner, favourites_of=theirs)

    def count(self, only: Filter) -> int:
        return _ask(lambda store: store.count(self.within(only)))

    def choices(self) -> Choices:
        """What this history can be filtered by."""
        return _ask(lambda store: store.choices(self.within(Filter())))

    def page(self, only: Filter, limit: int, before: Summary | None = None) -> list[Kept]:
        """The newest first; `before` is the last line of the page before."""
        found = self.within(only)

        def work(connection: Connection) -> list[Kept]:
            rows = recent(connection, found, limit, before)
            marked = favourites_among(connection, self.marker, [row.id for row in rows])
            return [Kept(row, _readable(connection, row.id), row.id in marked) for row in rows]

        return _ask(lambda store: store.read(work))

    def all(self, only: Filter) -> Iterator[Kept]:
        """Everything a filter finds, the newest first, read in portions."""
        before: Summary | None = None
        while some := self.page(only, AT_ONCE, before):
            yield from some
            before = some[-1].row

    def opened(self, id: str) -> Kept | None:
        """One interaction; None when there is none, or it is not theirs."""

        async def work(store: Store) -> Kept | None:
            row = await store.summary(id)
            if row is None or not self._sees(row):
                return None
            favourites = await store.favourites(self.marker, [id])
            return Kept(row, await store.read(lambda connection: _readable(connection, id)), id in favourites)

        return _ask(work)

    def favourite(self, id: str, on: bool) -> bool:
        """Mark one, or no longer; whether it is marked now."""

        async def work(store: Store) -> bool:
            row = await store.summary(id)
            return row is not None and self._sees(row) and await store.favourite(self.marker, id, on)

        return _ask(work)

    def delete(self, ids: Sequence[str]) -> int:
        """Delete for good those of them that are theirs. How many."""
        return _ask(lambda store: store.delete(*ids, session=self.owner))

    def delete_conversation(self, id: str) -> int:
        """Delete for good what is theirs of a conversation. How many interactions."""

        async def work(store: Store) -> int:
            number = await store.count(self.within(Filter(conversation=id)))
            return number if await store.delete_conversation(id, self.owner) else 0

        return _ask(work)

    def delete_found(self, only: Filter, *, seen_at: datetime, spare_favourites: bool) -> int:
        """Delete for good what a filter finds, but nothing that came after `seen_at`. How many."""
        found = self.within(only)
        until = min(found.until or seen_at, seen_at)
        return _ask(lambda store: store.delete_all(replace(found, until=until), spare_favourites=spare_favourites))

    def _sees(self, row: Summary) -> bool:
        return self.owner is None or row.session == self.owner


def history() -> History:
    """That of whoever is at this browser."""
    return History(_identity.owner(), passing=_identity.way() == "guest")


def now() -> datetime:
    return datetime.now(UTC)


def _readable(connection: Connection, id: str) -> Interaction | None:
    try:
        return get(connection, id)
    except StoreError:
        return None


def _ask(work: Callable[[Store], Coroutine[object, object, T]]) -> T:
    async def carry_out() -> T:
        return await work(await _runtime.store().store())

    return _runtime.event_loop().submit(carry_out()).result(WAIT_S)
