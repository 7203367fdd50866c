"""What is in a store, in figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, text

from vif.store.tables import interactions, metadata


@dataclass(frozen=True, slots=True)
class Info:
    """The size of a store. `rows` by the names of the tables; `first` and `last` are of interactions."""

    rows: Mapping[str, int]
    bytes: int
    first: datetime | None
    last: datetime | None


def info(connection: Connection) -> Info:
    """Count everything. `bytes` is what the database takes on its disk, without its log."""
    rows = {
        table.name: connection.scalar(select(func.count()).select_from(table)) or 0 for table in metadata.sorted_tables
    }
    size = (
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        if connection.dialect.name == "sqlite"
        else "SELECT pg_database_size(current_database())"
    )
    created = interactions.c.created_at
    first, last = connection.execute(select(func.min(created), func.max(created))).one()
    return Info(rows, connection.scalar(text(size)) or 0, first, last)
