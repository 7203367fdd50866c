"""What a backup looks like: its manifest, and a row as a line of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal, NoReturn, TypeAlias

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Boolean, Column, Float, Integer, String, Table

from vif.errors import VifError
from vif.store.tables import UtcDateTime, metadata

MANIFEST = "manifest.json"
LARGEST_MANIFEST = 100_000
LARGEST_ROW = 64 * 2**20
"""Bytes of one row: nothing longer is ever held in memory."""

_INT = 2**31
"""The numbers PostgreSQL's INTEGER has."""

Value: TypeAlias = str | int | float | bool | datetime | None
RowValues: TypeAlias = dict[str, Value]
"""A row by the names of its columns."""

TABLES: tuple[Table, ...] = tuple(metadata.sorted_tables)
"""Each after those it refers to."""


class BackupError(VifError):
    """A backup cannot be written, or is not fit to be restored. Nothing was changed."""


class RowError(Exception):
    """What is wrong with a row; it says neither where nor what the row holds."""


class Member(BaseModel):
    """What the manifest says of a table: how many rows, in how many bytes, with which digest."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    table: str
    rows: Annotated[int, Field(ge=0)]
    bytes: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]

    @property
    def name(self) -> str:
        return member_name(self.table)


class Manifest(BaseModel):
    """What a backup says of itself.

    Attributes:
        version: of this form; another one cannot be read.
        vif, created_at: which version of vif wrote it, and when.
        members: one for each table, in the order in which they can be restored.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["vif backup"] = "vif backup"
    version: int = 1
    vif: Annotated[str, Field(max_length=100)]
    created_at: datetime
    members: tuple[Member, ...]


def member_name(table: str) -> str:
    return f"{table}.jsonl"


def encoded(row: Mapping[str, Value]) -> bytes:
    """A row as its line. Raises RowError for a number JSON does not have, and text UTF-8 does not."""
    plain = {
        name: value.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(value, datetime) else value
        for name, value in row.items()
    }
    try:
        return json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n"
    except ValueError:
        raise RowError("a value cannot be written as JSON") from None


def decoded(table: Table, line: bytes) -> RowValues:
    """The row of a line, each value fit for its column in every database. Raises RowError."""
    if not line.endswith(b"\n"):
        raise RowError("it does not end")
    try:
        given = json.loads(line, parse_constant=_refuse_constant, object_pairs_hook=_once)
    except UnicodeDecodeError:
        raise RowError("it is not UTF-8") from None
    except (ValueError, RecursionError):
        raise RowError("it is not JSON, or not as plain as a row is") from None
    if not isinstance(given, dict) or given.keys() != set(table.c.keys()):
        raise RowError(f"it must be an object with exactly {', '.join(table.c.keys())}")
    return {column.name: _value(column, given[column.name]) for column in table.c}


def check_values(table: Table, row: Mapping[str, Value]) -> None:
    """Raise RowError for what only one of the databases takes, as a text with NUL in SQLite."""
    for column in table.c:
        value = row[column.name]
        if isinstance(value, str):
            _text(column, value)


def _value(column: Column[object], value: object) -> Value:
    kind = column.type
    if value is None and column.nullable:
        return None
    if isinstance(kind, String) and isinstance(value, str):
        return _text(column, value)
    if isinstance(kind, UtcDateTime) and isinstance(value, str):
        return _moment(column, value)
    if isinstance(kind, Float) and type(value) in (int, float):
        return _float(column, value)
    if isinstance(kind, Boolean) and isinstance(value, bool):
        return value
    if isinstance(kind, Integer) and type(value) is int and -_INT <= value < _INT:
        return value
    raise RowError(f"{column.name} does not hold what it should")


def _text(column: Column[object], value: str) -> str:
    longest = column.type.length if isinstance(column.type, String) else None
    if longest is not None and len(value) > longest:
        raise RowError(f"{column.name} is longer than {longest} characters")
    if "\0" in value:
        raise RowError(f"{column.name} has a NUL in it")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise RowError(f"{column.name} has half a character in it")
    return value


def _float(column: Column[object], value: object) -> float:
    number = float(str(value))  # by way of text, because a huge integer is an error and not infinite
    if abs(number) == float("inf"):
        raise RowError(f"{column.name} is too large a number")
    return number


def _moment(column: Column[object], value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("no zone")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise RowError(f"{column.name} is not a moment with its zone, as 2026-11-22T06:30:00+00:00 is") from None


def _refuse_constant(_name: str) -> NoReturn:
    raise ValueError("not a number")


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found
