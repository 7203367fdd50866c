from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from pydantic import SecretStr

import vif.store.engine
from tests.fakes import FakeModel
from tests.store.making import copies, executed, is_sqlite, made, on_disk
from vif.api import VifApi
from vif.config import Access, DualLlmConfig
from vif.connection import connect
from vif.errors import ServerError
from vif.interaction import Interaction
from vif.store import Filter, Store, StoreError, open_store

# ── Saving and loading ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_interaction_comes_back_as_it_was_also_after_reopening(url: str, interaction: Interaction) -> None:
    store = Store(url)
    await store.save(interaction, session="mine", conversation="talk")
    assert await store.load(interaction.id) == interaction
    store.close()
    again = Store(url)
    assert await again.load(interaction.id) == interaction
    again.close()


@pytest.mark.parametrize("message", ["", "“Ünï” 🦊 'x'; DROP TABLE interactions; --", "nul\0nul", "line\nline\r\n\t"])
async def test_any_message_comes_back_as_it_was(store: Store, message: str) -> None:
    interaction = await made(message)
    await store.save(interaction)
    assert await store.load(interaction.id) == interaction


async def test_an_interaction_whose_reply_failed_is_kept_and_marked(store: Store) -> None:
    interaction = await made("Why?", ServerError("busy"))
    await store.save(interaction)
    (summary,) = await store.recent()
    assert summary.failed
    assert await store.load(interaction.id) == interaction


async def test_a_formula_interaction_names_no_reader(store: Store) -> None:
    interaction = await VifApi(FakeModel("Because.")).process("Why?")
    await store.save(interaction)
    (summary,) = await store.recent()
    assert (summary.mode, summary.source, summary.llm1, summary.failed) == ("formula", "formula", None, False)


async def test_a_summary_holds_what_history_shows(store: Store, interaction: Interaction) -> None:
    await store.save(interaction, session="mine", conversation="talk")
    (summary,) = await store.recent()
    assert (summary.id, summary.created_at) == (interaction.id, interaction.created_at)
    assert (summary.session, summary.conversation) == ("mine", "talk")
    assert (summary.mode, summary.source, summary.preset) == ("dual", "llm1", interaction.preset)
    assert (summary.message, summary.failed) == (interaction.message, False)
    assert (summary.llm1, summary.llm2) == ("openai:gpt-6-luna", "openai:gpt-6-luna")
    assert interaction.response is not None
    # The fake recogniser is free: all of it is LLM #2's.
    assert summary.cost_usd == interaction.response.cost_usd
    assert summary.latency_ms == interaction.timings_ms.total


async def test_a_moment_given_in_another_zone_is_the_same_moment(store: Store, interaction: Interaction) -> None:
    noon_in_delhi = datetime(2026, 11, 22, 12, tzinfo=timezone(timedelta(hours=5.5)))
    await store.save(interaction.model_copy(update={"created_at": noon_in_delhi}))
    (summary,) = await store.recent()
    # 12:00 at +05:30 is 06:30 in UTC.
    assert (summary.created_at, summary.created_at.tzinfo) == (datetime(2026, 11, 22, 6, 30, tzinfo=UTC), UTC)


async def test_saving_again_replaces(store: Store, interaction: Interaction) -> None:
    await store.save(interaction)
    changed = interaction.model_copy(update={"reply": "Another."})
    await store.save(changed, conversation="talk")
    assert await store.load(interaction.id) == changed
    assert (await store.count(), await store.count(Filter(conversation="talk"))) == (1, 1)


async def test_what_is_not_there_is_none(store: Store) -> None:
    assert await store.load("nothing") is None


# ── Many at once ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_hundred_concurrent_saves_are_all_there(store: Store, interaction: Interaction) -> None:
    many = copies(interaction, *(f"{number:03}" for number in range(100)))
    await asyncio.gather(*(store.save(each, conversation="talk") for each in many))
    assert await store.count() == 100
    assert [summary.id for summary in await store.recent(100)] == [f"{number:03}" for number in reversed(range(100))]


async def test_one_store_serves_several_event_loops(store: Store, interaction: Interaction) -> None:
    async def save(name: str) -> None:
        many = copies(interaction, *(f"{name}-{number}" for number in range(25)))
        await asyncio.gather(*(store.save(each, session=name) for each in many))
        assert await store.count(Filter(session=name)) == 25

    await asyncio.gather(*(asyncio.to_thread(asyncio.run, save(name)) for name in ("a", "b", "c", "d")))
    assert await store.count() == 100


async def test_a_save_nobody_waits_for_any_more_is_still_carried_out(store: Store, interaction: Interaction) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def hold(_connection: object) -> None:
        begun.set()
        go_on.wait()

    holding = asyncio.create_task(store.write(hold))
    await asyncio.to_thread(begun.wait)
    saving = asyncio.create_task(store.save(interaction))
    await asyncio.sleep(0)  # lets it hand its work over
    saving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await saving
    go_on.set()
    await holding
    await store.write(lambda _connection: None)  # comes after it
    assert await store.load(interaction.id) == interaction


async def test_an_event_loop_that_is_gone_does_not_disturb_the_others(store: Store, interaction: Interaction) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def hold(_connection: object) -> None:
        begun.set()
        go_on.wait()

    holding = asyncio.create_task(store.write(hold))
    await asyncio.to_thread(begun.wait)

    async def leave() -> None:
        saving = asyncio.create_task(store.save(interaction))
        await asyncio.sleep(0)
        saving.cancel()

    await asyncio.to_thread(asyncio.run, leave())
    go_on.set()
    await holding
    await store.write(lambda _connection: None)
    assert await store.load(interaction.id) == interaction


# ── Failures ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_unknown_key_of_a_later_version_is_named_and_history_still_works(
    store: Store, url: str, interaction: Interaction
) -> None:
    await store.save(interaction)
    body = json.dumps({**json.loads(interaction.model_dump_json()), "dreams": "of electric sheep"})
    executed(url, "UPDATE interactions SET body = :body", body=body)
    with pytest.raises(StoreError, match=f"'{interaction.id}' was written by another version.*dreams: Extra") as caught:
        await store.load(interaction.id)
    assert "sheep" not in str(caught.value)
    assert [summary.id for summary in await store.recent()] == [interaction.id]


async def test_a_damaged_body_is_an_error_that_names_the_interaction(
    store: Store, url: str, interaction: Interaction
) -> None:
    await store.save(interaction)
    executed(url, "UPDATE interactions SET body = :body", body='{"message": "hush')
    with pytest.raises(StoreError, match=f"'{interaction.id}'.*damaged") as caught:
        await store.load(interaction.id)
    assert "hush" not in str(caught.value)


async def test_a_failing_database_is_a_store_error_without_statement_and_values(
    store: Store, url: str, interaction: Interaction
) -> None:
    executed(url, "DROP TABLE favourites")
    executed(url, "DROP TABLE interactions")
    reason = "no such table: interactions" if is_sqlite(url) else 'relation "interactions" does not exist'
    with pytest.raises(StoreError, match=f"^the database failed: {reason}$") as caught:
        await store.save(interaction)
    assert caught.value.__suppress_context__
    with pytest.raises(StoreError, match=f"^the database failed: {reason}$"):
        await store.recent()


async def test_a_database_held_by_another_process_fails_every_waiting_save_and_works_afterwards(
    sqlite_url: str, path: Path, interaction: Interaction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vif.store.engine, "BUSY_TIMEOUT_S", 0.0)
    store = Store(sqlite_url)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        saves = (store.save(each) for each in copies(interaction, "1", "2", "3"))
        outcomes = await asyncio.gather(*saves, return_exceptions=True)
        assert [str(outcome) for outcome in outcomes] == ["the database failed: database is locked"] * 3
        assert await store.count() == 0  # reading never waits
    await store.save(interaction)
    assert await store.load(interaction.id) == interaction
    store.close()


async def test_a_closed_store_refuses_and_can_be_closed_again(url: str, interaction: Interaction) -> None:
    store = Store(url)
    store.close()
    store.close()
    with pytest.raises(StoreError, match="the store is closed"):
        await store.save(interaction)


# ── Secrets ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_no_key_reaches_the_database(sqlite_store: Store, path: Path) -> None:
    key = "sk-proj-1234567890abcdef"
    access = Access(openai_api_key=SecretStr(key), openai_base_url="http://127.0.0.1:1/v1")
    config = DualLlmConfig(
        llm1_provider="openai", llm2_provider="openai", llm1_max_retries=0, llm2_max_retries=0, enable_caching=False
    )
    api = connect(config, access)
    interaction = await api.process("Why?")
    await api.aclose()
    assert interaction.recognition.fallback_reason  # the provider was really asked
    await sqlite_store.save(interaction, session="mine", conversation="talk")
    assert key.encode() not in on_disk(path)


# ── Opening ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_without_an_address_the_store_is_in_the_data_folder_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interaction: Interaction
) -> None:
    monkeypatch.setattr("platformdirs.user_data_dir", lambda name, **_: str(tmp_path / name))
    store = open_store()
    await store.save(interaction)
    store.close()
    kept = executed(f"sqlite:///{tmp_path}/vif/vif.sqlite3", "SELECT id FROM interactions")
    assert kept == [(interaction.id,)]


async def test_a_secret_address_is_opened_and_not_shown(url: str, path: Path) -> None:
    store = open_store(SecretStr(url))
    where = str(path) if is_sqlite(url) else re.sub("//.*@", "//", url)
    assert repr(store) == f"Store({where!r})"
    store.close()
