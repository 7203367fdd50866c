"""Interactions as the real flow makes them, and a look past the store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from tests.fakes import FakeModel, FakeRecogniser, Plan, answer
from vif.api import VifApi
from vif.interaction import Interaction
from vif.store.engine import make_engine
from vif.store.location import checked_url

MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)


async def made(message: str, reply: Plan = "Because.") -> Interaction:
    """What comes of a message when LLM #1 reads it and LLM #2 says `reply`."""
    return await VifApi.with_dual_llm(FakeRecogniser(answer()), FakeModel(reply)).process(message)


def copies(interaction: Interaction, *ids: str, message: str | None = None) -> list[Interaction]:
    """The same under other ids, a second apart from midnight on."""
    changes = {} if message is None else {"message": message}
    return [
        interaction.model_copy(update={"id": id, "created_at": MIDNIGHT + timedelta(seconds=second), **changes})
        for second, id in enumerate(ids)
    ]


def executed(url: str, statement: str, **values: object) -> list[tuple[object, ...]]:
    """What a statement gives, carried out past the store."""
    engine = make_engine(checked_url(url))
    with engine.begin() as connection:
        result = connection.execute(text(statement), values)
        rows = [tuple(row) for row in result] if result.returns_rows else []
    engine.dispose()
    return rows


def is_sqlite(url: str) -> bool:
    return url.startswith("sqlite:")


def on_disk(path: Path) -> bytes:
    """All bytes of the database and the files beside it."""
    return b"".join(file.read_bytes() for file in path.parent.iterdir())
