"""Interactions and conversations in the database: statements over one connection, and what they give back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import NamedTuple

from pydantic import ValidationError
from sqlalchemy import (
    ColumnElement,
    Connection,
    Insert,
    RowMapping,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from vif.interaction import Interaction, total_cost
from vif.store.errors import StoreError
from vif.store.tables import conversations, interactions

SQLValue = str | float | bool | datetime | None


@dataclass(frozen=True, slots=True)
class Summary:
    """One line of history: all that is stored of an interaction but its body.

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


def row_of(interaction: Interaction, session: str | None, conversation: str | None) -> dict[str, SQLValue]:
    """The columns of an interaction."""
    recognition, response = interaction.recognition, interaction.response
    return {
        "id": interaction.id,
        "created_at": interaction.created_at,
        "session": session or None,
        "conversation_id": conversation or None,
        "mode": interaction.mode,
        "preset": interaction.preset,
        "message": interaction.message.replace("\0", "\N{REPLACEMENT CHARACTER}"),  # PostgreSQL's text has no NUL
        "source": recognition.source,
        "llm1": _reference(recognition.provider, recognition.model),
        "llm2": _reference(response.provider, response.model) if response else None,
        "cost_usd": total_cost((recognition.cost_usd, response.cost_usd if response else 0.0)),
        "latency_ms": interaction.timings_ms.total,
        "failed": response is None or response.error is not None,
        "body": interaction.model_dump_json(),
    }


def put(connection: Connection, row: Mapping[str, SQLValue]) -> None:
    """Store an interaction, and its conversation if that is new. One that is there already is replaced."""
    statements = _put_statements(connection.dialect.name)
    if row["conversation_id"] is not None:
        connection.execute(statements.conversation, {"id": row["conversation_id"], "created_at": row["created_at"]})
    connection.execute(statements.interaction, dict(row))


def get(connection: Connection, id: str) -> Interaction | None:
    """The interaction with this id. Raises StoreError when this version cannot read it."""
    body: str | None = connection.scalar(select(interactions.c.body).where(interactions.c.id == id))
    if body is None:
        return None
    try:
        return Interaction.model_validate_json(body)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, fault["loc"])) or "its body"
        raise StoreError(
            f"the stored interaction {id!r} was written by another version of vif or is damaged: "
            f"{where}: {fault['msg']}; this version of vif cannot read it"
        ) from None


def recent(
    connection: Connection,
    limit: int,
    before: Summary | None = None,
    search: str = "",
    *,
    session: str | None = None,
    conversation: str | None = None,
) -> list[Summary]:
    """The newest first. `before` is the last one of the page before; the others narrow it down."""
    table = interactions.c
    columns = [column for column in interactions.c if column.name != "body"]
    query = select(*columns).where(*_conditions(search, session, conversation))
    if before is not None:
        same_moment = and_(table.created_at == before.created_at, table.id < before.id)
        query = query.where(or_(table.created_at < before.created_at, same_moment))
    query = query.order_by(table.created_at.desc(), table.id.desc()).limit(limit)
    return [_summary(row) for row in connection.execute(query).mappings()]


def count(
    connection: Connection, search: str = "", *, session: str | None = None, conversation: str | None = None
) -> int:
    """How many `recent` would find in all."""
    query = select(func.count()).select_from(interactions).where(*_conditions(search, session, conversation))
    return connection.scalar(query) or 0


def remove(connection: Connection, id: str) -> bool:
    """Delete an interaction, and its conversation if nothing else is in it. False when there is no such interaction."""
    conversation = connection.scalar(select(interactions.c.conversation_id).where(interactions.c.id == id))
    gone = connection.execute(delete(interactions).where(interactions.c.id == id)).rowcount > 0
    if conversation is not None:
        others = exists().where(interactions.c.conversation_id == conversation)
        connection.execute(delete(conversations).where(conversations.c.id == conversation, ~others))
    return gone


def remove_conversation(connection: Connection, id: str) -> bool:
    """Delete a conversation with all its interactions. False when there is no such conversation."""
    return connection.execute(delete(conversations).where(conversations.c.id == id)).rowcount > 0


def _conditions(search: str, session: str | None, conversation: str | None) -> list[ColumnElement[bool]]:
    table = interactions.c
    conditions: list[ColumnElement[bool]] = []
    if search:
        conditions.append(table.message.icontains(search, autoescape=True))
    if session is not None:
        conditions.append(table.session == session)
    if conversation is not None:
        conditions.append(table.conversation_id == conversation)
    return conditions


def _summary(row: RowMapping) -> Summary:
    values = dict(row)
    return Summary(conversation=values.pop("conversation_id"), **values)


def _reference(provider: str | None, model: str | None) -> str | None:
    return f"{provider}:{model}" if provider and model else None


class _PutStatements(NamedTuple):
    conversation: Insert
    interaction: Insert


@cache
def _put_statements(dialect: str) -> _PutStatements:
    """Made once: it takes longer than to carry them out. Each database has its own INSERT, and both read the same."""
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    interaction = insert(interactions)
    changed = {column.name: interaction.excluded[column.name] for column in interactions.c if not column.primary_key}
    return _PutStatements(
        insert(conversations).on_conflict_do_nothing(),
        interaction.on_conflict_do_update(index_elements=["id"], set_=changed),
    )
