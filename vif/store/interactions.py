"""Interactions in the database: how they are written and read back. Statements over one connection."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import NamedTuple

from sqlalchemy import Connection, Insert, select
from sqlalchemy.dialects import postgresql, sqlite

from vif.interaction import Interaction, total_cost
from vif.store.bodies import read_body
from vif.store.history import searchable
from vif.store.tables import conversations, interactions

SQLValue = str | float | bool | datetime | None


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
        "message": searchable(interaction.message),
        "reply": searchable(interaction.reply),
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
    return read_body(Interaction, body, f"interaction {id!r}")


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
