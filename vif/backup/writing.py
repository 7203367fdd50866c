"""Writes a backup."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, Table, select

from vif import __version__
from vif.backup.checking import Checker, name_of
from vif.backup.form import (
    LARGEST_ROW,
    MANIFEST,
    TABLES,
    BackupError,
    Manifest,
    Member,
    RowError,
    check_values,
    encoded,
    member_name,
)
from vif.store import Store

AT_ONCE = 200
"""Rows that are in memory at the same time."""


@dataclass(frozen=True, slots=True)
class BackedUp:
    """What came of it. `left_out` names rows this version cannot read, and so could not restore, with the reason."""

    manifest: Manifest
    left_out: tuple[str, ...]

    @property
    def rows(self) -> int:
        return sum(member.rows for member in self.manifest.members)


async def back_up(store: Store, to: Path | IO[bytes]) -> BackedUp:
    """Write everything that is in the store at this moment, while others may go on writing to the store.

    A file is there when it is whole, and only its owner can read it. Raises StoreError, and BackupError when the file
    is there already or cannot be written.
    """
    if not isinstance(to, Path):
        return await store.read(partial(_write, file=to))

    def work(connection: Connection) -> BackedUp:
        with _new_file(to) as file:
            return _write(connection, file)

    return await store.read(work)


@contextmanager
def _new_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that gets its name when the block has ended well."""
    if path.exists():
        raise BackupError(f"{str(path)!r} is there already; name a new file")
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False) as file:
            unnamed = Path(file.name)
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                unnamed.replace(path)
            finally:
                unnamed.unlink(missing_ok=True)
    except OSError as error:
        raise BackupError(f"{str(path)!r} cannot be written: {error.strerror or error}") from None


def _write(connection: Connection, file: IO[bytes]) -> BackedUp:
    if connection.dialect.name == "postgresql":  # all tables as of one moment; SQLite's transactions are so anyway
        connection = connection.execution_options(isolation_level="REPEATABLE READ")
    checker, left_out = Checker(), list[str]()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        members = tuple(_write_table(connection, archive, table, checker, left_out) for table in TABLES)
        manifest = Manifest(vif=__version__, created_at=datetime.now(UTC), members=members)
        archive.writestr(MANIFEST, manifest.model_dump_json(indent=1))
    return BackedUp(manifest, tuple(left_out))


def _write_table(
    connection: Connection, archive: zipfile.ZipFile, table: Table, checker: Checker, left_out: list[str]
) -> Member:
    digest, rows, size = hashlib.sha256(), 0, 0
    found = connection.execution_options(yield_per=AT_ONCE).execute(select(table).order_by(*table.primary_key))
    with archive.open(member_name(table.name), "w", force_zip64=True) as member:
        for values in found.mappings():
            row = dict(values)
            try:
                check_values(table, row)
                line = encoded(row)
                if len(line) > LARGEST_ROW:
                    raise RowError(f"it is larger than {LARGEST_ROW} bytes")
                checker.check(table, row)
            except RowError as error:
                left_out.append(f"{name_of(table, row)}: {error}")
                continue
            member.write(line)
            digest.update(line)
            rows, size = rows + 1, size + len(line)
    return Member(table=table.name, rows=rows, bytes=size, sha256=digest.hexdigest())
