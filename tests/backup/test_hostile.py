"""Files that are no sound backup, by accident or on purpose: refused with the reason in one line, nothing changed."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Connection

from tests.backup.filling import content, fill
from vif.backup import BackupError, back_up, restore
from vif.backup.form import LARGEST_ROW, TABLES
from vif.store import Store

Lines = list[bytes]


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The members of a sound backup."""

    async def made() -> io.BytesIO:
        store, memory = Store(f"sqlite:///{tmp_path_factory.mktemp('store') / 'full.sqlite3'}"), io.BytesIO()
        await fill(store)
        await back_up(store, memory)
        store.close()
        return memory

    with zipfile.ZipFile(asyncio.run(made())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def mine(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'mine.sqlite3'}")
    yield store
    store.close()


def packed(members: dict[str, bytes], *, manifest: bool = True, way: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip file; by default with a manifest that agrees with what is in it."""
    if manifest:
        said = json.loads(members["manifest.json"])
        for member in said["members"]:
            data = members[f"{member['table']}.jsonl"]
            digest = hashlib.sha256(data).hexdigest()
            member |= {"rows": len(data.split(b"\n")) - data.endswith(b"\n"), "bytes": len(data), "sha256": digest}
        members = members | {"manifest.json": json.dumps(said).encode()}
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", way) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return memory.getvalue()


def refusal(store: Store, data: bytes, **limits: int) -> str:
    """Why it is refused; it is so in one line, and the store is as it was."""
    before = asyncio.run(content(store))
    with pytest.raises(BackupError) as caught:
        asyncio.run(restore(store, io.BytesIO(data), replace=True, **limits))
    assert asyncio.run(content(store)) == before
    reason = str(caught.value)
    assert "\n" not in reason
    assert len(reason) < 600
    return reason


def row(backup: dict[str, bytes], name: str, number: int = 0) -> dict[str, object]:
    found: dict[str, object] = json.loads(backup[name].splitlines()[number])
    return found


def changed(backup: dict[str, bytes], table: str, **values: object) -> dict[str, bytes]:
    """The backup with other values in a row of a table, which now is the first."""
    name = f"{table}.jsonl"
    lines = backup[name].splitlines(keepends=True)
    first, *rest = sorted(lines, key=lambda line: b'"body":null' in line)
    line = json.dumps(json.loads(first) | values).encode() + b"\n"
    return backup | {name: b"".join([line, *rest])}


def restored(data: bytes, folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """What is in a new store after restoring it."""
    store = Store(f"sqlite:///{folder / 'restored.sqlite3'}")
    asyncio.run(restore(store, io.BytesIO(data)))
    found = asyncio.run(content(store))
    store.close()
    return found


def test_what_the_other_tests_spoil_is_sound_before(backup: dict[str, bytes], tmp_path: Path) -> None:
    assert all(restored(packed(backup), tmp_path).values())


# ── The zip file ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("data", [b"", b"PK", b"Dear diary, " * 1000, b"PK\5\6" + b"\0" * 18])
def test_what_is_no_backup_is_refused(data: bytes, mine: Store) -> None:
    assert refusal(mine, data).startswith(("it is not a whole zip file", "it has no manifest.json"))


def test_a_file_that_is_cut_short_anywhere_is_refused(backup: dict[str, bytes], mine: Store) -> None:
    data = packed(backup)
    for length in range(0, len(data), max(1, len(data) // 40)):
        refusal(mine, data[:length])


def test_a_file_with_spoilt_bytes_is_refused_or_means_the_same(
    backup: dict[str, bytes], mine: Store, tmp_path: Path
) -> None:
    data, random, refused = packed(backup), Random(3), 0
    sound = restored(data, tmp_path)
    for _ in range(150):
        spoilt = bytearray(data)
        for _ in range(random.choice((1, 1, 8))):
            spoilt[random.randrange(len(spoilt))] = random.randrange(256)
        try:
            asyncio.run(restore(mine, io.BytesIO(bytes(spoilt))))
        except BackupError as error:
            assert "\n" not in str(error)  # noqa: PT017  # most are refused, some bytes of a zip file mean nothing
            refused += 1
            continue
        assert asyncio.run(content(mine)) == sound
    assert refused > 100


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "interactions.jsonl/", "secrets.jsonl", "..\\x"])
def test_a_name_that_leads_elsewhere_is_refused(name: str, backup: dict[str, bytes], mine: Store) -> None:
    assert "does not belong into a backup" in refusal(mine, packed(backup | {name: b"x"}))


def test_a_member_that_is_there_twice_is_refused(backup: dict[str, bytes], mine: Store) -> None:
    memory = io.BytesIO(packed(backup))
    with zipfile.ZipFile(memory, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("users.jsonl", backup["users.jsonl"])
    assert refusal(mine, memory.getvalue()) == "'users.jsonl' is in it twice"


def test_another_way_of_packing_is_refused(backup: dict[str, bytes], mine: Store) -> None:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_LZMA) as archive:
        for name, data in backup.items():
            archive.writestr(name, data)
    assert "packed in a way backups are not" in refusal(mine, memory.getvalue())


def test_an_encrypted_member_is_refused(backup: dict[str, bytes], mine: Store) -> None:
    data = bytearray(packed(backup))
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(signature) + offset] |= 1
    assert "not a whole zip file" in refusal(mine, bytes(data))


# ── Sizes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_member_that_claims_a_gigabyte_is_refused(backup: dict[str, bytes], mine: Store) -> None:
    said = json.loads(backup["manifest.json"])
    member = next(member for member in said["members"] if member["table"] == "users")
    true, member["bytes"] = member["bytes"], 2**30
    data = packed(backup | {"manifest.json": json.dumps(said).encode()}, manifest=False)
    assert refusal(mine, data).startswith("users.jsonl is not what the manifest says")
    # The directory of the zip file says so too, in which a member's size stands behind its packed size.
    directory = bytearray(data)
    place = data.rindex(b"users.jsonl") - 46 + 24
    assert struct.unpack_from("<I", directory, place) == (true,)
    struct.pack_into("<I", directory, place, 2**30)
    assert refusal(mine, bytes(directory)) == "users.jsonl is not what the manifest says: it was changed or damaged"
    assert "more than 1000000 are not unpacked" in refusal(mine, bytes(directory), most_bytes=1_000_000)


def test_a_bomb_is_never_unpacked_into_memory(
    backup: dict[str, bytes], mine: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vif.backup.reading.LARGEST_ROW", 2**20)
    bomb = packed(backup | {"users.jsonl": b"0" * (64 * 2**20) + b"\n"})
    assert len(bomb) < 200_000
    assert refusal(mine, bomb) == "users.jsonl, line 1: it is larger than 1048576 bytes"
    assert LARGEST_ROW < 100_000_000


def test_a_huge_manifest_is_refused(backup: dict[str, bytes], mine: Store) -> None:
    spoilt = backup | {"manifest.json": backup["manifest.json"] + b" " * 10_000_000}
    assert "larger than a manifest is" in refusal(mine, packed(spoilt, manifest=False))


# ── The manifest ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": 2}, "it is of version 2; this version of vif reads version 1"),
        ({"format": "another"}, "manifest.json is not a manifest: format: Input should be 'vif backup'"),
        ({"evil": 1}, "manifest.json is not a manifest: evil: Extra inputs are not permitted"),
        ({"members": []}, "it must hold each table exactly once: it was changed or damaged"),
        (
            {"members": [{"table": "../x", "rows": 1, "bytes": 1, "sha256": "0" * 64}]},
            "it must hold each table exactly",
        ),
        ({"members": [{"table": "x", "rows": -1, "bytes": 1, "sha256": "0" * 64}]}, "manifest.json is not a manifest"),
    ],
)
def test_a_manifest_that_is_not_one_is_refused(
    change: dict[str, object], reason: str, backup: dict[str, bytes], mine: Store
) -> None:
    said = json.loads(backup["manifest.json"]) | change
    assert reason in refusal(mine, packed(backup | {"manifest.json": json.dumps(said).encode()}, manifest=False))


@pytest.mark.parametrize("text", [b"", b"[]", b"\xff", b"[" * 90_000, b'{"format": "vif backup"'])
def test_a_manifest_that_cannot_be_read_is_refused(text: bytes, backup: dict[str, bytes], mine: Store) -> None:
    assert "is not a manifest" in refusal(mine, packed(backup | {"manifest.json": text}, manifest=False))


def test_a_zip_file_without_a_manifest_or_a_table_is_refused(backup: dict[str, bytes], mine: Store) -> None:
    for name, reason in (("manifest.json", "it has no manifest.json"), ("users.jsonl", "each table exactly once")):
        less = {other: data for other, data in backup.items() if other != name}
        assert reason in refusal(mine, packed(less, manifest=False))


def test_rows_that_were_changed_added_or_taken_away_behind_the_manifests_back_are_refused(
    backup: dict[str, bytes], mine: Store
) -> None:
    users = backup["users.jsonl"]
    for spoilt in (users.replace(b"Lena", b"Lisa"), users + users, users[: users.index(b"\n") + 1], b""):
        data = packed(backup | {"users.jsonl": spoilt}, manifest=False)
        assert refusal(mine, data) == "users.jsonl is not what the manifest says: it was changed or damaged"


# ── Rows ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def deep(text: str) -> str:
    return text * 100_000


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"\n", "it is not JSON"),
        (b"[]\n", "it must be an object with exactly id, name"),
        (b"{}\n", "it must be an object with exactly id, name"),
        (b'{"id": "\xff"}\n', "it is not UTF-8"),
        (b'{"id": "\0"}\n', "it is not JSON"),
        (b"{}", "it does not end"),
        (deep("[").encode() + b"\n", "it is not JSON, or not as plain as a row is"),
        (deep('{"a":').encode() + b"\n", "it is not JSON, or not as plain as a row is"),
        (b'{"id": "a", "id": "b"}\n', "it is not JSON, or not as plain as a row is"),
        (b'{"id": NaN}\n', "it is not JSON, or not as plain as a row is"),
        (b'{"id": ' + b"9" * 10_000 + b"}\n", "it is not JSON, or not as plain as a row is"),
    ],
    ids=range(11),
)
def test_a_line_that_is_no_row_is_refused(line: bytes, reason: str, backup: dict[str, bytes], mine: Store) -> None:
    said = refusal(mine, packed(backup | {"users.jsonl": line}))
    assert said.startswith(f"users.jsonl, line 1: {reason}")


@pytest.mark.parametrize(
    ("table", "values", "reason"),
    [
        ("users", {"id": None}, "id does not hold what it should"),
        ("users", {"id": 1}, "id does not hold what it should"),
        ("users", {"id": ["a"]}, "id does not hold what it should"),
        ("users", {"id": "x" * 129}, "id is longer than 128 characters"),
        ("users", {"name": "a\0b"}, "name has a NUL in it"),
        ("users", {"name": "\ud83d"}, "name has half a character in it"),
        ("users", {"role": "god"}, "role must be viewer, rater, admin or nothing"),
        ("users", {"created_at": "yesterday"}, "created_at is not a moment with its zone"),
        ("users", {"created_at": "2026-11-22T00:00:00"}, "created_at is not a moment with its zone"),
        ("users", {"created_at": "0001-01-01T00:00:00+14:00"}, "created_at is not a moment with its zone"),
        ("users", {"extra": 1}, "it must be an object with exactly"),
        ("interactions", {"failed": 1}, "failed does not hold what it should"),
        ("interactions", {"latency_ms": "1"}, "latency_ms does not hold what it should"),
        ("interactions", {"latency_ms": 10**400}, "latency_ms is too large a number"),
        ("interactions", {"conversation_id": "nowhere"}, "what it belongs to is not among conversations"),
        ("interactions", {"id": "i1"}, "id does not agree with the record in body"),
        ("interactions", {"mode": "x"}, "mode does not agree with the record in body"),
        ("interactions", {"body": "{}"}, "body.message: Field required"),
        ("interactions", {"body": deep("[")}, "body: Invalid JSON: recursion limit exceeded"),
        ("interactions", {"body": "x"}, "body: Invalid JSON"),
        ("favourites", {"interaction_id": "nothing"}, "what it belongs to is not among interactions"),
        ("evaluation_runs", {"total": 2**31}, "total does not hold what it should"),
        ("evaluation_runs", {"total": True}, "total does not hold what it should"),
        ("evaluation_runs", {"total": 7}, "total does not agree with the record in body"),
        ("evaluation_runs", {"subjects": deep("[")}, "subjects does not agree with the record in body"),
        ("evaluation_results", {"case_id": "b"}, "case_id does not agree with the record in body"),
        ("evaluation_batches", {"body": "[]"}, "body: Input should be an object"),
        ("review_campaigns", {"name": None}, "name does not hold what it should"),
        ("review_campaigns", {"kind": "reply"}, "kind does not agree with the record in body"),
        ("review_ratings", {"state": "won"}, "state must be open, skipped or rated"),
        ("review_ratings", {"item_id": "nothing"}, "item_id does not agree with the record in body"),
        ("review_ratings", {"rater": "somebody"}, "rater does not agree with the record in body"),
        ("review_ratings", {"draft": '{"choice": "me"}'}, "draft.choice: Input should be"),
        ("review_ratings", {"body": None}, "body is missing, and state says that there was an answer"),
        ("review_ratings", {"body": None, "state": "open", "item_id": "x"}, "item_id is not in the campaign"),
    ],
    ids=str,
)
def test_a_row_that_may_not_be_there_is_refused(
    table: str, values: dict[str, object], reason: str, backup: dict[str, bytes], mine: Store
) -> None:
    assert refusal(mine, packed(changed(backup, table, **values))).startswith(f"{table}.jsonl, line 1: {reason}")


@pytest.mark.parametrize("table", [table.name for table in TABLES])
def test_a_row_that_is_there_twice_is_refused(table: str, backup: dict[str, bytes], mine: Store) -> None:
    name = f"{table}.jsonl"
    twice = backup[name] + backup[name].splitlines(keepends=True)[0]
    number = twice.count(b"\n")
    assert refusal(mine, packed(backup | {name: twice})) == f"{name}, line {number}: another row has the same key"


def test_a_file_that_changes_between_being_looked_at_and_being_written_is_refused(
    backup: dict[str, bytes], mine: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = backup | {"users.jsonl": backup["users.jsonl"].replace(b"Lena", b"Lisa")}
    file, later = (io.BytesIO(packed(members, way=zipfile.ZIP_STORED)) for members in (backup, other))
    assert len(file.getvalue()) == len(later.getvalue())
    write = mine.write

    async def write_something_else(work: Callable[[Connection], object]) -> object:
        file.seek(0)
        file.write(later.getvalue())
        return await write(work)

    monkeypatch.setattr(mine, "write", write_something_else)
    with pytest.raises(BackupError, match=r"users\.jsonl is not what the manifest says|not a whole zip"):
        asyncio.run(restore(mine, file))
    assert not any(asyncio.run(content(mine)).values())
