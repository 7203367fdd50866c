from __future__ import annotations

import asyncio
import io
import json
import stat
import zipfile
from functools import partial
from pathlib import Path

import pytest

from tests.backup.filling import MESSAGES, content
from tests.store.making import MIDNIGHT, copies, executed, made
from vif import __version__
from vif.backup import BackupError, Manifest, Restored, back_up, restore
from vif.backup.checking import CHECKS
from vif.backup.form import TABLES
from vif.store import Filter, Store, StoreError
from vif.store.people import UserRow, put_user
from vif.store.tables import metadata


async def test_everything_comes_back_as_it_was_on_either_database(full: Store, empty: Store, file: Path) -> None:
    before = await content(full)
    assert all(before.values())  # there is something in every table
    done = await back_up(full, file)
    assert done.left_out == ()
    restored = await restore(empty, file)
    assert restored == Restored(added=done.rows)
    assert await content(empty) == before
    loaded = await empty.load("i1")
    assert loaded is not None
    assert loaded.message == MESSAGES[1]
    assert await empty.count(Filter(favourites_of="anna")) == 1


async def test_the_way_to_postgresql_and_back_changes_nothing(
    full: Store, on_postgres: Store, file: Path, tmp_path: Path
) -> None:
    await back_up(full, file)
    await restore(on_postgres, file)
    again = tmp_path / "again.zip"
    await back_up(on_postgres, again)
    home = Store(f"sqlite:///{tmp_path / 'home.sqlite3'}")
    await restore(home, again)
    assert await content(home) == await content(full)
    home.close()
    with zipfile.ZipFile(file) as one, zipfile.ZipFile(again) as other:
        for name in set(one.namelist()) - {"manifest.json"}:
            assert one.read(name) == other.read(name)


async def test_restoring_twice_adds_nothing(full: Store, empty: Store, file: Path) -> None:
    rows = (await back_up(full, file)).rows
    await restore(empty, file)
    before = await content(empty)
    assert await restore(empty, file) == Restored(same=rows)
    assert await content(empty) == before


async def test_restoring_puts_it_beside_what_is_there(full: Store, empty: Store, file: Path) -> None:
    rows = (await back_up(full, file)).rows
    (another,) = copies(await made("Mine."), "another")
    await empty.save(another, conversation="mine")
    assert (await restore(empty, file)).added == rows
    assert await empty.load("another") == another


async def test_other_content_under_the_same_id_is_refused_by_name_and_replaced_on_request(
    full: Store, empty: Store, file: Path
) -> None:
    rows = (await back_up(full, file)).rows
    await restore(empty, file)
    for id in ("i0", "i1"):
        mine = await empty.load(id)
        assert mine is not None
        await empty.save(mine.model_copy(update={"reply": "Mine."}), session="anna")
    before = await content(empty)
    with pytest.raises(BackupError, match=r"under the same ids: interactions 'i0', interactions 'i1'; nothing was"):
        await restore(empty, file)
    assert await content(empty) == before
    assert await restore(empty, file, replace=True) == Restored(same=rows - 2, replaced=2)
    assert await content(empty) == await content(full)


async def test_many_conflicts_are_counted(full: Store, empty: Store, file: Path) -> None:
    for each in copies(await made("Why?"), *(f"x{number}" for number in range(8))):
        await full.save(each)
    await back_up(full, file)
    for each in copies(await made("Other."), *(f"x{number}" for number in range(8))):
        await empty.save(each)
    with pytest.raises(BackupError, match=r"'x4' and 3 more; nothing was restored"):
        await restore(empty, file)
    assert await empty.count() == 8


async def test_who_was_here_last_stays_whatever_the_backup_says(full: Store, empty: Store, file: Path) -> None:
    await back_up(full, file)
    now = MIDNIGHT.replace(year=2027)
    await empty.write(partial(put_user, row=UserRow("anna", "Anna", None, "admin", now, now)))
    await restore(empty, file, replace=True)
    names = {row[:2] for row in (await content(empty))["users"]}
    assert names == {("anna", "Anna"), ("lead", "Lena")}


async def test_a_backup_is_of_one_moment_while_others_write(full: Store, file: Path) -> None:
    many = copies(await made("Why?"), *(f"x{number}" for number in range(200)))
    await asyncio.gather(back_up(full, file), *(full.save(each, conversation=each.id) for each in many))
    again = Store(f"sqlite:///{file.parent / 'again.sqlite3'}")
    await restore(again, file)  # no interaction without its conversation, or it would be refused
    again.close()


def test_a_file_is_whole_or_not_there_and_for_its_owner_only(full: Store, file: Path) -> None:
    asyncio.run(back_up(full, file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    with pytest.raises(BackupError, match="is there already; name a new file"):
        asyncio.run(back_up(full, file))
    assert file.read_bytes() == before
    with pytest.raises(BackupError, match="cannot be written: No such file or directory"):
        asyncio.run(back_up(full, file.parent / "nowhere" / "vif.zip"))
    with pytest.raises(BackupError, match="cannot be read: No such file or directory"):
        asyncio.run(restore(full, file.parent / "nothing.zip"))
    executed(f"sqlite:///{file.parent / 'full.sqlite3'}", "DROP TABLE favourites")
    with pytest.raises(StoreError, match="no such table: favourites"):
        asyncio.run(back_up(full, file.parent / "other.zip"))
    assert not [path for path in file.parent.iterdir() if "other" in path.name]


async def test_a_backup_can_be_written_to_and_read_from_memory(full: Store, empty: Store) -> None:
    memory = io.BytesIO()
    done = await back_up(full, memory)
    assert (await restore(empty, memory)).added == done.rows


async def test_the_manifest_says_what_is_in_it(full: Store, file: Path) -> None:
    done = await back_up(full, file)
    with zipfile.ZipFile(file) as archive:
        manifest = Manifest.model_validate_json(archive.read("manifest.json"))
        lines = {name: archive.read(name).count(b"\n") for name in archive.namelist() if name.endswith(".jsonl")}
    assert manifest == done.manifest
    assert (manifest.vif, manifest.version) == (__version__, 1)
    assert {member.name: member.rows for member in manifest.members} == lines
    assert lines["interactions.jsonl"] == len(MESSAGES) + 1


async def test_a_row_this_version_cannot_read_is_left_out_by_name_with_all_that_belongs_to_it(
    full: Store, empty: Store, file: Path, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'full.sqlite3'}"
    body = json.loads((await content(full))["evaluation_runs"][0][-1])  # type: ignore[arg-type]
    executed(url, "UPDATE evaluation_runs SET body = :body", body=json.dumps({**body, "dreams": "of sheep"}))
    executed(url, "UPDATE interactions SET body = 'hush' WHERE id = 'i1'")
    executed(url, "UPDATE users SET name = 'nul' || char(0) WHERE id = 'lead'")
    done = await back_up(full, file)
    assert sorted(done.left_out) == [
        "evaluation_batches 'run' 'batch_1': what it belongs to is not among evaluation_runs",
        "evaluation_results 'run' 'a' 'luna' 0: what it belongs to is not among evaluation_runs",
        "evaluation_runs 'run': body.dreams: Extra inputs are not permitted",
        "favourites 'anna' 'i1': what it belongs to is not among interactions",
        "interactions 'i1': body: Invalid JSON: expected value at line 1 column 1",
        "users 'lead': name has a NUL in it",
    ]
    await restore(empty, file)
    assert await empty.count() == len(MESSAGES)


async def test_a_row_that_no_backup_can_hold_is_left_out_by_name(
    full: Store, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'full.sqlite3'}"
    executed(url, "UPDATE interactions SET cost_usd = 9e999 WHERE id = 'i0'")
    executed(url, "UPDATE conversations SET title = :title WHERE id = 'chat'", title="x" * 50_000)
    monkeypatch.setattr("vif.backup.writing.LARGEST_ROW", 50_000)
    done = await back_up(full, file)
    assert done.left_out == (
        "conversations 'chat': it is larger than 50000 bytes",
        "interactions 'failed': what it belongs to is not among conversations",
        "interactions 'i0': a value cannot be written as JSON",
    )


async def test_an_empty_store_makes_an_empty_backup(empty: Store, full: Store, file: Path) -> None:
    before = await content(full)
    assert (await back_up(empty, file)).rows == 0
    assert await restore(full, file) == Restored()
    assert await content(full) == before


def test_every_table_is_backed_up_and_looked_at() -> None:
    assert {table.name for table in TABLES} == CHECKS.keys() == metadata.tables.keys()
