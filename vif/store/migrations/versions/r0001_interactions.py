"""Interactions and conversations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("title", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_conversations"),
    )
    op.create_table(
        "interactions",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("session", sa.String(128)),
        sa.Column("conversation_id", sa.String(64)),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("preset", sa.String(32)),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("llm1", sa.Text),
        sa.Column("llm2", sa.Text),
        sa.Column("cost_usd", sa.Float),
        sa.Column("latency_ms", sa.Float, nullable=False),
        sa.Column("failed", sa.Boolean, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_interactions"),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name="fk_interactions_conversation_id_conversations",
            ondelete="CASCADE",
        ),
    )
    for first in ("created_at", "session", "conversation_id"):
        columns = list(dict.fromkeys((first, "created_at", "id")))
        op.create_index(f"ix_interactions_{'_'.join(columns)}", "interactions", columns)
