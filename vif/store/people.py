"""Who was here, and with which role: statements over one connection."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, select

from vif.store.inserting import insert_into
from vif.store.tables import users


class UserRow(NamedTuple):
    """Somebody who was here. `role` is the one they had then; None for somebody without one."""

    id: str
    name: str
    email: str | None
    role: str | None
    created_at: datetime
    last_seen_at: datetime


def put_user(connection: Connection, row: UserRow) -> None:
    """Keep who was here; of somebody known, everything but `created_at` is renewed."""
    statement = insert_into(connection, users).values(row._asdict())
    renewed = {name: getattr(statement.excluded, name) for name in ("name", "email", "role", "last_seen_at")}
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=renewed))


def list_users(connection: Connection) -> list[UserRow]:
    """By name."""
    return [UserRow(**row._mapping) for row in connection.execute(select(users).order_by(users.c.name, users.c.id))]


def names_of(connection: Connection, ids: set[str]) -> dict[str, str]:
    """Names by id, of those that are known."""
    query = select(users.c.id, users.c.name).where(users.c.id.in_(ids))
    return {row.id: row.name for row in connection.execute(query)}


def remove_user(connection: Connection, id: str) -> bool:
    """Forget somebody; what they rated stays, under their id. False when nobody has this id."""
    return connection.execute(delete(users).where(users.c.id == id)).rowcount > 0
