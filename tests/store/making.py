"""Interactions as the real flow makes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.fakes import FakeModel, FakeRecogniser, Plan, answer
from vif.api import VifApi
from vif.interaction import Interaction

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
