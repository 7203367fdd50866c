"""Finished interactions are kept before they are told to be finished, and never lost because they could not be."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tests.fakes import FakeModel, wire_text
from vif.api import VifApi
from vif.errors import ConfigError
from vif.events import Finished
from vif.interaction import Interaction
from vif.store import Filter, LaterStore, Store, StoreError, open_later


class BrokenStore:
    async def save(
        self, interaction: Interaction, *, session: str | None = None, conversation: str | None = None
    ) -> None:
        raise StoreError("the disk is full")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/kept.sqlite3"


async def test_an_interaction_is_in_the_database_when_it_is_told_to_be_finished(url: str) -> None:
    store = Store(url)
    api = VifApi.with_dual_llm(FakeModel(wire_text()), FakeModel("One."), store=store)
    async for event in api.stream("Why?", session="mine", conversation="talk"):
        if isinstance(event, Finished):
            kept = await store.load(event.interaction.id)
            assert kept is not None
            assert kept.reply == "One."
            assert event.interaction.timings_ms.store > 0
    (summary,) = await store.recent(only=Filter(session="mine", conversation="talk"))
    assert summary.message == "Why?"
    store.close()


async def test_an_answer_given_again_is_kept_as_one_of_its_own(url: str) -> None:
    store = Store(url)
    api = VifApi.with_dual_llm(FakeModel(wire_text()), FakeModel("One.", "Two."), store=store)
    first = await api.process("Why?")
    async for _ in api.answer_again(first):
        pass
    assert await store.count() == 2
    store.close()


async def test_a_store_that_fails_takes_nothing_from_the_user(caplog: pytest.LogCaptureFixture) -> None:
    api = VifApi(FakeModel("One."), store=BrokenStore())
    with caplog.at_level(logging.WARNING):
        interaction = await api.process("Why?")
    assert interaction.reply == "One."
    assert f"interaction {interaction.id} was not stored: the disk is full" in caplog.text


async def test_a_store_can_be_opened_when_it_is_first_needed(url: str, tmp_path: Path) -> None:
    later = open_later(url)
    assert not (tmp_path / "kept.sqlite3").exists()
    api = VifApi(FakeModel("One."), store=later)
    interaction = await api.process("Why?")
    assert await (await later.store()).load(interaction.id) is not None
    later.close()
    later.close()


async def test_warming_up_opens_it(url: str, tmp_path: Path) -> None:
    later = open_later(url)
    await VifApi(FakeModel(), store=later).warm_up()
    assert (tmp_path / "kept.sqlite3").exists()
    later.close()


async def test_a_store_that_cannot_be_opened_is_tried_again(url: str) -> None:
    tries: list[int] = []

    def open_it() -> Store:
        tries.append(1)
        if len(tries) == 1:
            raise ConfigError("no such folder")
        return Store(url)

    later = LaterStore(open_it)
    interaction = await VifApi(FakeModel("One.")).process("Why?")
    with pytest.raises(StoreError, match="no such folder"):
        await later.save(interaction)
    await later.save(interaction)
    assert await (await later.store()).count() == 1
    later.close()
