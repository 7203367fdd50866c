from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.backup.filling import fill
from tests.postgres_server import PostgresServer
from vif.store import Store


@pytest.fixture
async def full(tmp_path: Path) -> AsyncIterator[Store]:
    """A store in a file, with something of everything in it."""
    store = Store(f"sqlite:///{tmp_path / 'full.sqlite3'}")
    await fill(store)
    yield store
    store.close()


@pytest.fixture
def empty(database_url: str) -> Iterator[Store]:
    """A store without anything, in a file and on PostgreSQL."""
    store = Store(database_url)
    yield store
    store.close()


@pytest.fixture
def on_postgres(postgres_server: PostgresServer) -> Iterator[Store]:
    with postgres_server.database() as url:
        store = Store(url)
        yield store
        store.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "vif.zip"
