"""Restores a backup. It is looked at from end to end before the first row is written, and written as a whole."""

from __future__ import annotations

import asyncio
import hashlib
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO

from pydantic import ValidationError
from sqlalchemy import Connection, Table, bindparam, insert, select, tuple_, update

from vif.backup.checking import Checker, Key, key_of, name_of
from vif.backup.form import (
    LARGEST_MANIFEST,
    LARGEST_ROW,
    MANIFEST,
    TABLES,
    BackupError,
    Manifest,
    Member,
    RowError,
    RowValues,
    decoded,
    member_name,
)
from vif.store import Store

AT_ONCE = 200
"""Rows that are in memory at the same time."""

MOST_BYTES = 16 * 2**30
"""Of all rows, unpacked. They are never in memory together; the limit is one of patience."""

NAMED = 5
"""Conflicts that are named; the rest is counted."""

STAY = frozenset({"users", "favourites"})
"""Tables in which what is there already stays, because it only says when somebody did something last."""


@dataclass(slots=True)
class Restored:
    """How many rows were added, were there already and are the same or stay, and were replaced."""

    added: int = 0
    same: int = 0
    replaced: int = 0


async def restore(
    store: Store, source: Path | IO[bytes], *, replace: bool = False, most_bytes: int = MOST_BYTES
) -> Restored:
    """Put everything that is in a backup into the store, beside what is there; in one transaction.

    What is there already, exactly so, is passed over. What is there with another content is an error, or with
    `replace` becomes what the backup says; who was here last and favourites stay as they are in any case.

    Raises BackupError, with the reason in one line, for whatever is not a whole and sound backup; StoreError.
    """
    with ExitStack() as stack:
        if isinstance(source, Path):
            try:
                file: IO[bytes] = stack.enter_context(source.open("rb"))
            except OSError as error:
                raise BackupError(f"{str(source)!r} cannot be read: {error.strerror}") from None
        else:
            file = source
        archive = await asyncio.to_thread(_checked, file, most_bytes)
        return await store.write(partial(_write, archive=archive, replace=replace))


class _Archive:
    """The tables of a backup; they can be read any number of times."""

    def __init__(self, packed: zipfile.ZipFile, manifest: Manifest) -> None:
        self._packed, self._members = packed, {member.table: member for member in manifest.members}

    def rows(self, table: Table) -> Iterator[RowValues]:
        """Raises BackupError as soon as something is wrong; what the manifest says is true after the last one."""
        member = self._members[table.name]
        digest, number, size = hashlib.sha256(), 0, 0
        with _unpacking(), self._packed.open(member.name) as packed:
            # Reads in large pieces, and never more than asked for.
            unpacked = io.BufferedReader(packed, 2**16)  # type: ignore[type-var]  # it has what is needed
            while line := unpacked.readline(LARGEST_ROW + 1):
                number, size = number + 1, size + len(line)
                if len(line) > LARGEST_ROW:
                    raise BackupError(f"{member.name}, line {number}: it is larger than {LARGEST_ROW} bytes")
                if size > member.bytes or number > member.rows:
                    break
                digest.update(line)
                try:
                    row = decoded(table, line)
                except RowError as error:
                    raise BackupError(f"{member.name}, line {number}: {error}") from None
                yield row
        if (number, size, digest.hexdigest()) != (member.rows, member.bytes, member.sha256):
            raise BackupError(f"{member.name} is not what the manifest says: it was changed or damaged")


def _checked(file: IO[bytes], most_bytes: int) -> _Archive:
    """The archive, when every row of it may be in a store."""
    with _unpacking():
        packed = zipfile.ZipFile(file)
    archive = _Archive(packed, _manifest(packed, most_bytes))
    checker = Checker()
    for table in TABLES:
        for number, row in enumerate(archive.rows(table), 1):
            try:
                checker.check(table, row)
            except RowError as error:
                raise BackupError(f"{member_name(table.name)}, line {number}: {error}") from None
    return archive


def _manifest(packed: zipfile.ZipFile, most_bytes: int) -> Manifest:
    sizes: dict[str, int] = {}
    for entry in packed.infolist():
        if entry.filename in sizes:
            raise BackupError(f"{entry.filename[:80]!r} is in it twice")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise BackupError(f"{entry.filename[:80]!r} is packed in a way backups are not")
        sizes[entry.filename] = entry.file_size
    if MANIFEST not in sizes:
        raise BackupError(f"it has no {MANIFEST}: it is not a backup of vif")
    if sizes[MANIFEST] > LARGEST_MANIFEST:
        raise BackupError(f"{MANIFEST} is larger than a manifest is")
    with _unpacking(), packed.open(MANIFEST) as member:
        text = member.read(LARGEST_MANIFEST + 1)
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, fault["loc"]))[:80]
        raise BackupError(
            f"{MANIFEST} is not a manifest: {where + ': ' if where else ''}{fault['msg'][:200]}"
        ) from None
    known = Manifest.model_fields["version"].default
    if manifest.version != known:
        raise BackupError(f"it is of version {manifest.version}; this version of vif reads version {known}")
    _check_members(manifest.members, sizes, most_bytes)
    return manifest


def _check_members(members: tuple[Member, ...], sizes: dict[str, int], most_bytes: int) -> None:
    wanted = {member_name(table.name) for table in TABLES}
    if strange := sizes.keys() - wanted - {MANIFEST}:
        raise BackupError(f"{min(strange)[:80]!r} does not belong into a backup")
    if sorted(member.name for member in members) != sorted(wanted) or wanted - sizes.keys():
        raise BackupError("it must hold each table exactly once: it was changed or damaged")
    for member in members:
        if sizes[member.name] != member.bytes:
            raise BackupError(f"{member.name} is not what the manifest says: it was changed or damaged")
    claimed = sum(sizes.values())
    if claimed > most_bytes:
        raise BackupError(f"it says that it holds {claimed} bytes; more than {most_bytes} are not unpacked")


@contextmanager
def _unpacking() -> Iterator[None]:
    """Everything that can be wrong with a zip file, as BackupError."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, struct.error, RuntimeError, ValueError):
        raise BackupError("it is not a whole zip file, as a backup of vif is") from None


# ── Writing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _write(connection: Connection, archive: _Archive, replace: bool) -> Restored:
    merging = _Merging(connection, replace)
    for table in TABLES:
        rows = archive.rows(table)
        while some := list(islice(rows, AT_ONCE)):
            merging.add(table, some)
    return merging.finish()


class _Merging:
    """Puts rows beside those that are there."""

    def __init__(self, connection: Connection, replace: bool) -> None:
        self._connection, self._replace = connection, replace
        self._restored = Restored()
        self._conflicts: list[str] = []

    def add(self, table: Table, rows: list[RowValues]) -> None:
        there = self._there(table, [key_of(table, row) for row in rows])
        new, changed = [], []
        for row in rows:
            before = there.get(key_of(table, row))
            if before is None:
                new.append(row)
            elif before == row or table.name in STAY:
                self._restored.same += 1
            elif self._replace:
                changed.append(row)
            else:
                self._conflicts.append(name_of(table, row))
        if self._conflicts:  # all will be undone: only to find the other conflicts it goes on
            return
        if new:
            self._connection.execute(insert(table), new)
        if changed:
            self._change(table, changed)
        self._restored.added += len(new)
        self._restored.replaced += len(changed)

    def finish(self) -> Restored:
        """Raise BackupError when there were conflicts."""
        if self._conflicts:
            named, more = ", ".join(self._conflicts[:NAMED]), len(self._conflicts) - NAMED
            raise BackupError(
                f"the store holds others under the same ids: {named}{f' and {more} more' if more > 0 else ''}; "
                "nothing was restored; ask for them to be replaced if the backup is right"
            )
        return self._restored

    def _there(self, table: Table, keys: list[Key]) -> dict[Key, RowValues]:
        """Those rows that are in the store, by their keys."""
        found = self._connection.execute(select(table).where(tuple_(*table.primary_key).in_(keys)))
        rows = (dict(row) for row in found.mappings())
        return {key_of(table, row): row for row in rows}

    def _change(self, table: Table, rows: list[RowValues]) -> None:
        # Whatever is in a row under the name of a column is what that column becomes.
        named = [{f"old_{column.name}": row[column.name] for column in table.primary_key} | row for row in rows]
        place = [column == bindparam(f"old_{column.name}") for column in table.primary_key]
        self._connection.execute(update(table).where(*place), named)
