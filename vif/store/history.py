"""History: finding, marking and deleting interactions. Statements over one connection, and what they give back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
)

from vif.prompt import well_formed
from vif.store.inserting import insert_into
from vif.store.tables import UtcDateTime, conversations, favourites, interactions

AT_ONCE = 500
"""Ids in one statement: databases take only so many."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One line of history: what is stored of an interaction but its body and its reply.

    `llm1` and `llm2` are written "provider:model"; `llm1` is None when the formula read. `cost_usd` is of both models
    together, None when a price is not known. `failed` says that LLM #2 did not finish its reply.
    """

    id: str
    created_at: datetime
    session: str | None
    conversation: str | None
    mode: str
    preset: str | None
    message: str
    source: str
    llm1: str | None
    llm2: str | None
    cost_usd: float | None
    latency_ms: float
    failed: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """Which interactions; None does not narrow anything down.

    Attributes:
        text: looked for in message and reply, whatever its case.
        favourites_of: only those this person has marked.
        since, until: from the one moment to just before the other; both aware.
        session: whose they are.
    """

    text: str = ""
    mode: str | None = None
    preset: str | None = None
    source: str | None = None
    llm1: str | None = None
    llm2: str | None = None
    failed: bool | None = None
    favourites_of: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    session: str | None = None
    conversation: str | None = None


EVERYTHING = Filter()


@dataclass(frozen=True, slots=True)
class Choices:
    """What occurs in a history, each sorted: what a filter can sensibly be set to."""

    modes: tuple[str, ...]
    presets: tuple[str, ...]
    sources: tuple[str, ...]
    llm1: tuple[str, ...]
    llm2: tuple[str, ...]
    first: datetime | None
    last: datetime | None


def recent(connection: Connection, only: Filter, limit: int, before: Summary | None = None) -> list[Summary]:
    """The newest first. `before` is the last one of the page before."""
    table = interactions.c
    query = select(*_SUMMARISED).where(*_conditions(only))
    if before is not None:
        same_moment = and_(table.created_at == before.created_at, table.id < before.id)
        query = query.where(or_(table.created_at < before.created_at, same_moment))
    query = query.order_by(table.created_at.desc(), table.id.desc()).limit(limit)
    return [_summary(row) for row in connection.execute(query).mappings()]


def count(connection: Connection, only: Filter) -> int:
    """How many `recent` would find in all."""
    return connection.scalar(select(func.count()).select_from(interactions).where(*_conditions(only))) or 0


def summary(connection: Connection, id: str) -> Summary | None:
    """The line of one interaction; None when there is no such interaction."""
    row = connection.execute(select(*_SUMMARISED).where(interactions.c.id == id)).mappings().one_or_none()
    return None if row is None else _summary(row)


def choices(connection: Connection, only: Filter) -> Choices:
    """What occurs among those a filter finds."""
    table = interactions.c
    columns = (table.mode, table.preset, table.source, table.llm1, table.llm2)
    # All in one go through the table: few of them differ.
    found = connection.execute(
        select(*columns, func.min(table.created_at).label("first"), func.max(table.created_at).label("last"))
        .where(*_conditions(only))
        .group_by(*columns)
    ).all()

    def occurring(name: str) -> tuple[str, ...]:
        return tuple(sorted({value for row in found if (value := row._mapping[name]) is not None}))

    return Choices(
        modes=occurring("mode"),
        presets=occurring("preset"),
        sources=occurring("source"),
        llm1=occurring("llm1"),
        llm2=occurring("llm2"),
        first=min((row.first for row in found), default=None),
        last=max((row.last for row in found), default=None),
    )


# ── Favourites ──────────────────────────────────────────────────────────────────────────────────────────────────────


def put_favourite(connection: Connection, owner: str, interaction_id: str, now: datetime) -> bool:
    """Mark it; marking twice is marking once. False when there is no such interaction."""
    chosen = select(literal(owner), interactions.c.id, literal(now, UtcDateTime)).where(
        interactions.c.id == interaction_id
    )
    insert = insert_into(connection, favourites)
    connection.execute(insert.from_select(["owner", "interaction_id", "created_at"], chosen).on_conflict_do_nothing())
    return bool(favourites_among(connection, owner, [interaction_id]))


def remove_favourite(connection: Connection, owner: str, interaction_id: str) -> bool:
    """False when it was not marked."""
    table = favourites.c
    gone = delete(favourites).where(table.owner == owner, table.interaction_id == interaction_id)
    return connection.execute(gone).rowcount > 0


def favourites_among(connection: Connection, owner: str, ids: Iterable[str]) -> frozenset[str]:
    """Those of `ids` that somebody has marked."""
    table = favourites.c
    return frozenset(
        id
        for some in _pieces(ids)
        for id in connection.scalars(
            select(table.interaction_id).where(table.owner == owner, table.interaction_id.in_(some))
        )
    )


# ── Deleting ────────────────────────────────────────────────────────────────────────────────────────────────────────


def remove(connection: Connection, ids: Iterable[str], session: str | None = None) -> int:
    """Delete interactions, and conversations nothing is left of. How many there were; with `session`, only theirs."""
    mine = [] if session is None else [interactions.c.session == session]
    return sum(_remove(connection, interactions.c.id.in_(some), *mine) for some in _pieces(ids))


def remove_conversation(connection: Connection, id: str, session: str | None = None) -> bool:
    """Delete a conversation with all its interactions. False when there was none; `session`: only theirs."""
    mine = [] if session is None else [interactions.c.session == session]
    found = _remove(connection, interactions.c.conversation_id == id, *mine)
    # One that had no interactions at all belongs to nobody.
    alone = 0 if session is not None else _remove_empty(connection, [id])
    return found + alone > 0


def remove_some(connection: Connection, only: Filter, *, spare_favourites: bool, limit: int = AT_ONCE) -> int:
    """Delete the oldest of those a filter finds, `limit` at most, but none that anybody has marked if those are spared.

    How many there were; 0 when nothing is left to delete.
    """
    table = interactions.c
    conditions = _conditions(only)
    if spare_favourites:
        conditions.append(~exists().where(favourites.c.interaction_id == table.id))
    oldest = select(table.id).where(*conditions).order_by(table.created_at, table.id).limit(limit)
    return remove(connection, connection.scalars(oldest).all())


def _remove(connection: Connection, *conditions: ColumnElement[bool]) -> int:
    table = interactions.c
    touched = select(table.conversation_id).where(*conditions, table.conversation_id.is_not(None)).distinct()
    among = connection.scalars(touched).all()
    gone = connection.execute(delete(interactions).where(*conditions)).rowcount
    for some in _pieces(among):
        _remove_empty(connection, some)
    return gone


def _remove_empty(connection: Connection, ids: Sequence[str | None]) -> int:
    """Delete those conversations among `ids` that nothing is in."""
    table = conversations.c
    left = exists().where(interactions.c.conversation_id == table.id)
    return connection.execute(delete(conversations).where(table.id.in_(ids), ~left)).rowcount


# ── Parts of queries ────────────────────────────────────────────────────────────────────────────────────────────────


_SUMMARISED = [column for column in interactions.c if column.name not in ("body", "reply")]


def _conditions(only: Filter) -> list[ColumnElement[bool]]:
    table = interactions.c
    columns: tuple[tuple[Column[str], str | None], ...] = (
        (table.mode, only.mode),
        (table.preset, only.preset),
        (table.source, only.source),
        (table.llm1, only.llm1),
        (table.llm2, only.llm2),
        (table.session, only.session),
        (table.conversation_id, only.conversation),
    )
    conditions: list[ColumnElement[bool]] = [column == value for column, value in columns if value is not None]
    if only.text:
        text = searchable(only.text)
        conditions.append(
            or_(table.message.icontains(text, autoescape=True), table.reply.icontains(text, autoescape=True))
        )
    if only.failed is not None:
        conditions.append(table.failed.is_(only.failed))
    if only.favourites_of is not None:
        mark = favourites.c
        conditions.append(exists().where(mark.interaction_id == table.id, mark.owner == only.favourites_of))
    if only.since is not None:
        conditions.append(table.created_at >= only.since)
    if only.until is not None:
        conditions.append(table.created_at < only.until)
    return conditions


def searchable(text: str) -> str:
    """As a column has it: PostgreSQL's text has no NUL."""
    return well_formed(text).replace("\0", "\N{REPLACEMENT CHARACTER}")


def _summary(row: RowMapping) -> Summary:
    values = dict(row)
    return Summary(conversation=values.pop("conversation_id"), **values)


def _pieces(ids: Iterable[str | None]) -> Iterator[list[str | None]]:
    rest = iter(ids)
    while some := list(islice(rest, AT_ONCE)):
        yield some
