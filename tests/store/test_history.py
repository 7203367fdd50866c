from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

import vif.store.engine
from tests.fakes import FakeModel
from tests.store.making import MIDNIGHT, copies, executed, made, on_disk
from vif.api import VifApi
from vif.errors import ServerError
from vif.interaction import Interaction
from vif.store import Filter, Store, StoreError
from vif.store.history import AT_ONCE, remove_some


async def ids(store: Store, only: Filter) -> list[str]:
    """What a filter finds, sorted by name; the count must agree."""
    found = [summary.id for summary in await store.recent(1_000_000, only=only)]
    assert await store.count(only) == len(found)
    return sorted(found)


# ── Finding ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_history_can_be_paged_through_without_gap_or_repeat(store: Store, interaction: Interaction) -> None:
    # Four of five share their moment: the id decides.
    same = [each.model_copy(update={"created_at": MIDNIGHT}) for each in copies(interaction, "a", "d", "b", "c")]
    (newest,) = copies(interaction, "0")
    later = newest.model_copy(update={"created_at": MIDNIGHT + timedelta(microseconds=1)})
    for each in (*same, later):
        await store.save(each)
    pages, last = [], None
    while page := await store.recent(2, last):
        pages.append([summary.id for summary in page])
        last = page[-1]
    assert pages == [["0", "d"], ["c", "b"], ["a"]]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("quick", ["1"]),
        ("QUICKSORT", ["1"]),
        ("äpfel", ["2"]),
        ("ÄPFEL", ["2"]),
        ("100%", ["3"]),
        ("100_", []),
        ("%", ["3"]),
        ("\\", []),
        ("'", []),
        ("\0", ["4"]),
        ("\ud83d", ["4"]),  # both were replaced by the same sign
        ("", ["1", "2", "3", "4"]),
    ],
)
async def test_search_finds_words_whatever_their_case_and_takes_no_sign_for_a_wildcard(
    store: Store, interaction: Interaction, text: str, found: list[str]
) -> None:
    for id, message in (("1", "Why quicksort?"), ("2", "Zwei Äpfel"), ("3", "100% sure"), ("4", "nul\0nul")):
        await store.save(*copies(interaction, id, message=message))
    assert await ids(store, Filter(text)) == found


async def test_search_finds_words_of_the_reply_and_none_that_are_in_neither(store: Store) -> None:
    interaction = await made("Why?", "Because Möbius\0said so.")
    await store.save(interaction)
    for text in ("MÖBIUS", "möbius\0said", "why"):
        assert await ids(store, Filter(text)) == [interaction.id]
    assert interaction.prompt
    assert await ids(store, Filter("developmental")) == []  # is in the prompt and in names of the body


async def test_every_filter_narrows_history_down(store: Store, interaction: Interaction) -> None:
    (first,) = copies(interaction.model_copy(update={"preset": "cheap"}), "dual")
    await store.save(first, session="mine", conversation="talk")
    formula = (await VifApi(FakeModel("Because.")).process("Why?")).model_copy(
        update={"id": "formula", "created_at": MIDNIGHT + timedelta(seconds=1), "preset": "fast"}
    )
    await store.save(formula, session="mine", conversation="talk")
    failed = (await made("Why?", ServerError("busy"))).model_copy(
        update={"id": "failed", "created_at": MIDNIGHT + timedelta(seconds=2)}
    )
    await store.save(failed, session="yours", conversation="chat")
    await store.favourite("me", "formula", on=True)

    assert await ids(store, Filter()) == ["dual", "failed", "formula"]
    for only, found in (
        (Filter(mode="dual"), ["dual", "failed"]),
        (Filter(mode="formula"), ["formula"]),
        (Filter(preset="cheap"), ["dual"]),
        (Filter(source="formula"), ["formula"]),
        (Filter(llm1="openai:gpt-6-luna"), ["dual", "failed"]),
        (Filter(llm2="openai:gpt-6-luna"), ["dual", "failed", "formula"]),
        (Filter(llm2="openai:"), []),
        (Filter(failed=True), ["failed"]),
        (Filter(failed=False), ["dual", "formula"]),
        (Filter(favourites_of="me"), ["formula"]),
        (Filter(favourites_of="you"), []),
        (Filter(since=MIDNIGHT + timedelta(seconds=1)), ["failed", "formula"]),
        (Filter(until=MIDNIGHT + timedelta(seconds=1)), ["dual"]),
        (Filter(session="mine"), ["dual", "formula"]),
        (Filter(conversation="chat"), ["failed"]),
        (Filter("why", session="mine", mode="dual"), []),
        (Filter("why", session="mine", mode="formula", failed=False, favourites_of="me"), ["formula"]),
    ):
        assert await ids(store, only) == found, only

    everything, mine = await store.choices(), await store.choices(Filter(session="mine"))
    assert everything.modes == ("dual", "formula")
    assert (mine.presets, mine.sources) == (("cheap", "fast"), ("formula", "llm1"))
    assert (mine.llm1, mine.llm2) == (("openai:gpt-6-luna",), ("openai:gpt-6-luna",))
    assert (everything.first, everything.last) == (MIDNIGHT, MIDNIGHT + timedelta(seconds=2))
    assert mine.last == MIDNIGHT + timedelta(seconds=1)


async def test_an_empty_history_offers_no_choices(store: Store) -> None:
    nothing = await store.choices()
    assert (nothing.modes, nothing.llm1, nothing.first, nothing.last) == ((), (), None, None)


async def test_one_line_can_be_asked_for_by_its_id(store: Store, interaction: Interaction) -> None:
    await store.save(interaction, session="mine", conversation="talk")
    assert [await store.summary(interaction.id)] == await store.recent()
    assert await store.summary("nothing") is None


# ── Favourites ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_favourite_is_somebodys_own_and_marking_twice_is_marking_once(
    store: Store, interaction: Interaction
) -> None:
    for each in copies(interaction, "1", "2"):
        await store.save(each)
    for _ in range(2):
        assert await store.favourite("me", "1", on=True)
    assert not await store.favourite("me", "nothing", on=True)
    assert await store.favourites("me", ["1", "2", "nothing"]) == {"1"}
    assert await store.favourites("you", ["1", "2"]) == frozenset()
    for _ in range(2):
        assert not await store.favourite("me", "1", on=False)
    assert await store.favourites("me", ["1", "2"]) == frozenset()


async def test_an_interaction_that_is_saved_again_stays_a_favourite(store: Store, interaction: Interaction) -> None:
    await store.save(interaction)
    await store.favourite("me", interaction.id, on=True)
    await store.save(interaction.model_copy(update={"reply": "Another."}))
    assert await store.favourites("me", [interaction.id]) == {interaction.id}
    assert await ids(store, Filter("another")) == [interaction.id]


# ── Deleting ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_deleting_a_conversation_leaves_no_trace_of_it_on_the_disk(
    sqlite_store: Store, sqlite_url: str, path: Path, interaction: Interaction
) -> None:
    kept = copies(interaction, "2", message="plugh")[0]
    gone = copies(interaction.model_copy(update={"reply": "frobozz-secret"}), "1", message="xyzzy-secret")[0]
    await sqlite_store.save(gone, conversation="talk-secret")
    await sqlite_store.save(kept, conversation="chat")
    for id in ("1", "2"):
        await sqlite_store.favourite("me", id, on=True)
    for secret in (b"xyzzy-secret", b"frobozz-secret", b"talk-secret"):
        assert secret in on_disk(path)
    assert await sqlite_store.delete_conversation("talk-secret")
    for secret in (b"xyzzy-secret", b"frobozz-secret", b"talk-secret"):
        assert secret not in on_disk(path)
    assert b"plugh" in on_disk(path)
    assert (await sqlite_store.load("1"), await sqlite_store.load("2")) == (None, kept)
    assert executed(sqlite_url, "SELECT id FROM conversations") == [("chat",)]
    assert executed(sqlite_url, "SELECT interaction_id FROM favourites") == [("2",)]


async def test_deleting_an_interaction_leaves_no_trace_of_it_on_the_disk(
    sqlite_store: Store, path: Path, interaction: Interaction
) -> None:
    await sqlite_store.save(*copies(interaction, "1", message="xyzzy-secret"))
    assert await sqlite_store.delete("1") == 1
    assert b"xyzzy-secret" not in on_disk(path)
    assert await sqlite_store.count() == 0


async def test_a_conversation_goes_with_its_last_interaction_and_favourites_with_theirs(
    store: Store, url: str, interaction: Interaction
) -> None:
    for each in copies(interaction, "1", "2"):
        await store.save(each, conversation="talk")
        await store.favourite("me", each.id, on=True)
    await store.delete("1")
    assert executed(url, "SELECT id FROM conversations") == [("talk",)]
    assert executed(url, "SELECT interaction_id FROM favourites") == [("2",)]
    await store.delete("2")
    assert executed(url, "SELECT id FROM conversations") == []
    assert executed(url, "SELECT interaction_id FROM favourites") == []


async def test_many_are_deleted_at_once_and_what_is_not_there_is_not_counted(
    store: Store, interaction: Interaction
) -> None:
    for each in copies(interaction, "1", "2", "3"):
        await store.save(each)
    assert await store.delete("1", "3", "nothing") == 2
    assert await ids(store, Filter()) == ["2"]
    assert await store.delete() == 0


async def test_deleting_for_a_session_takes_nothing_of_others(store: Store, url: str, interaction: Interaction) -> None:
    first, second, third = copies(interaction, "1", "2", "3")
    await store.save(first, session="mine", conversation="talk")
    await store.save(second, session="yours", conversation="talk")
    await store.save(third, session="yours", conversation="chat")
    assert await store.delete("1", "2", session="yours") == 1
    assert not await store.delete_conversation("chat", session="mine")
    assert not await store.delete_conversation("talk", session="yours")
    assert await ids(store, Filter()) == ["1", "3"]
    assert await store.delete_conversation("talk", session="mine")
    assert executed(url, "SELECT id FROM conversations") == [("chat",)]


async def test_all_that_a_filter_finds_can_be_deleted_and_favourites_be_spared(
    store: Store, interaction: Interaction
) -> None:
    for each in copies(interaction, "1", "2", "3", "4"):
        await store.save(each)
    await store.favourite("somebody", "2", on=True)
    last = Filter(until=MIDNIGHT + timedelta(seconds=3))
    assert await store.delete_all(last, spare_favourites=True) == 2
    assert await ids(store, Filter()) == ["2", "4"]
    assert await store.delete_all(last) == 1
    assert await ids(store, Filter()) == ["4"]


async def test_much_is_deleted_in_portions_the_oldest_first(store: Store, interaction: Interaction) -> None:
    for each in copies(interaction, "1", "2", "3", "4", "5"):
        await store.save(each)
    gone = await store.erase(lambda connection: remove_some(connection, Filter(), spare_favourites=False, limit=2))
    assert gone == 2
    assert await ids(store, Filter()) == ["3", "4", "5"]
    assert AT_ONCE > 2


async def test_deleting_what_is_not_there_says_so(store: Store) -> None:
    assert await store.delete("nothing") == 0
    assert not await store.delete_conversation("nothing")


async def test_many_who_delete_at_once_all_leave_no_trace(
    sqlite_url: str, path: Path, interaction: Interaction
) -> None:
    stores = [Store(sqlite_url) for _ in range(10)]
    many = copies(interaction, *(f"{number}" for number in range(50)))
    for each in many:
        await stores[0].save(each.model_copy(update={"message": f"xyzzy-secret-{each.id}"}))
    assert b"xyzzy-secret-7" in on_disk(path)

    await asyncio.gather(*(stores[number % 10].delete(each.id) for number, each in enumerate(many)))
    assert b"xyzzy-secret" not in on_disk(path)
    for store in stores:
        store.close()


async def test_a_reader_that_does_not_end_is_told_of_and_what_is_left_goes_with_the_next_deletion(
    sqlite_url: str, path: Path, interaction: Interaction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vif.store.engine, "BUSY_TIMEOUT_S", 0.0)
    store = Store(sqlite_url)
    for each in copies(interaction, "1", "2", message="xyzzy-secret"):
        await store.save(each)
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM interactions").fetchone()
        with pytest.raises(StoreError, match="deleted, but a copy is left in the log until nobody reads any more"):
            await store.delete("1")
        assert await store.count() == 1
        assert b"xyzzy-secret" in on_disk(path)
    await store.delete("2")
    assert b"xyzzy-secret" not in on_disk(path)
    store.close()
