"""The tables as the newest migration leaves them."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

REVISION = "r0004"
"""The newest migration. Known without reading the migrations, so that opening an up-to-date database is quick."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, aware, in UTC. SQLite keeps it without a zone, in a form that sorts by time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


metadata = MetaData(
    # Named, because a later migration can only change what has a name.
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("title", Text),
)

interactions = Table(
    "interactions",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
    # Whose it is: a browser session, or the id of somebody who signed in.
    Column("session", String(128)),
    Column("conversation_id", String(64), ForeignKey("conversations.id", ondelete="CASCADE")),
    Column("mode", String(16), nullable=False),
    Column("preset", String(32)),
    Column("message", Text, nullable=False),
    # Kept apart from the body to be searched.
    Column("reply", Text, nullable=False),
    Column("source", String(16), nullable=False),
    Column("llm1", Text),
    Column("llm2", Text),
    Column("cost_usd", Float),
    Column("latency_ms", Float, nullable=False),
    Column("failed", Boolean, nullable=False),
    # The whole Interaction as JSON. Text, so that it comes back as it was written.
    Column("body", Text, nullable=False),
    Index(None, "created_at", "id"),
    Index(None, "session", "created_at", "id"),
    Index(None, "conversation_id", "created_at", "id"),
)

evaluation_runs = Table(
    "evaluation_runs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
    # As the session of an interaction.
    Column("owner", String(128)),
    Column("suite", Text, nullable=False),
    # Their names, as a JSON list.
    Column("subjects", Text, nullable=False),
    Column("total", Integer, nullable=False),
    # The whole Run as JSON.
    Column("body", Text, nullable=False),
    Index(None, "created_at", "id"),
)

evaluation_results = Table(
    "evaluation_results",
    metadata,
    Column("run_id", String(64), ForeignKey("evaluation_runs.id", ondelete="CASCADE"), primary_key=True),
    Column("case_id", String(100), primary_key=True),
    Column("subject", String(200), primary_key=True),
    Column("repeat", Integer, primary_key=True),
    # The whole Result as JSON.
    Column("body", Text, nullable=False),
)

evaluation_batches = Table(
    "evaluation_batches",
    metadata,
    Column("run_id", String(64), ForeignKey("evaluation_runs.id", ondelete="CASCADE"), primary_key=True),
    # The provider's name for it.
    Column("id", String(200), primary_key=True),
    # The whole Batch as JSON.
    Column("body", Text, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("name", Text, nullable=False),
    Column("email", Text),
    Column("role", String(16)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_seen_at", UtcDateTime, nullable=False),
)

favourites = Table(
    "favourites",
    metadata,
    Column("owner", String(128), primary_key=True),
    Column("interaction_id", String(64), ForeignKey("interactions.id", ondelete="CASCADE"), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
)

review_campaigns = Table(
    "review_campaigns",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(128), nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("total", Integer, nullable=False),
    Column("closed", Boolean, nullable=False),
    # The whole Campaign as JSON.
    Column("body", Text, nullable=False),
    Index(None, "created_at", "id"),
)

review_ratings = Table(
    "review_ratings",
    metadata,
    Column("campaign_id", String(64), ForeignKey("review_campaigns.id", ondelete="CASCADE"), primary_key=True),
    Column("item_id", String(64), primary_key=True),
    Column("rater", String(128), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("swapped", Boolean, nullable=False),
    # "open": given to the rater, with a draft perhaps; "skipped"; "rated".
    Column("state", String(16), nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    # The Answer that is being written, as JSON, as far as it goes.
    Column("draft", Text),
    # The whole Rating as JSON, once there is one.
    Column("body", Text),
    Index(None, "campaign_id", "state"),
)
