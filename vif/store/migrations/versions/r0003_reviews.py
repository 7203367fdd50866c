"""People, favourites, review campaigns and their ratings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0003"
down_revision = "r0002"


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("email", sa.Text),
        sa.Column("role", sa.String(16)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
    )
    op.create_table(
        "favourites",
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("interaction_id", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("owner", "interaction_id", name="pk_favourites"),
        sa.ForeignKeyConstraint(
            ["interaction_id"],
            ["interactions.id"],
            name="fk_favourites_interaction_id_interactions",
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "review_campaigns",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(128), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("closed", sa.Boolean, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_review_campaigns"),
    )
    op.create_index("ix_review_campaigns_created_at_id", "review_campaigns", ["created_at", "id"])
    op.create_table(
        "review_ratings",
        sa.Column("campaign_id", sa.String(64), nullable=False),
        sa.Column("item_id", sa.String(64), nullable=False),
        sa.Column("rater", sa.String(128), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("swapped", sa.Boolean, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("draft", sa.Text),
        sa.Column("body", sa.Text),
        sa.PrimaryKeyConstraint("campaign_id", "item_id", "rater", name="pk_review_ratings"),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["review_campaigns.id"],
            name="fk_review_ratings_campaign_id_review_campaigns",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_review_ratings_campaign_id_state", "review_ratings", ["campaign_id", "state"])
