"""Replies in a column of their own, to be searched."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "r0004"
down_revision = "r0003"

AT_ONCE = 200


def upgrade() -> None:
    connection = op.get_bind()
    # Before the body, which SQLite would otherwise have to read to come to it. PostgreSQL keeps bodies elsewhere.
    sqlite = connection.dialect.name == "sqlite"
    with op.batch_alter_table("interactions", recreate="always" if sqlite else "never") as batch:
        batch.add_column(sa.Column("reply", sa.Text), insert_after="message" if sqlite else None)
    interactions = sa.table("interactions", sa.column("id"), sa.column("body"), sa.column("reply"))
    table, last = interactions.c, ""
    while rows := connection.execute(
        sa.select(table.id, table.body).where(table.id > last).order_by(table.id).limit(AT_ONCE)
    ).all():
        last = rows[-1].id
        replies = [{"row": row.id, "text": _reply(row.body)} for row in rows]
        connection.execute(
            sa.update(interactions).where(table.id == sa.bindparam("row")).values(reply=sa.bindparam("text")), replies
        )
    with op.batch_alter_table("interactions") as batch:
        batch.alter_column("reply", nullable=False)


def _reply(body: str) -> str:
    try:
        found = json.loads(body)["reply"]
    except (ValueError, KeyError, TypeError):  # damaged: no reason to keep everybody from the rest
        return ""
    text = str(found).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
