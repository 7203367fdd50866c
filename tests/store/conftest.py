"""Databases of the test, and interactions made by the real flow. Nobody's own data is ever touched.

A test that asks for `url` or `store` runs on SQLite and on PostgreSQL; one that asks for `path`, `sqlite_url` or
`sqlite_store` is about the file.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.store.making import made
from vif.interaction import Interaction
from vif.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "vif.sqlite3"


@pytest.fixture
def sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.fixture
def url(database_url: str) -> str:
    return database_url


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    store = Store(url)
    yield store
    store.close()


@pytest.fixture
async def sqlite_store(sqlite_url: str) -> AsyncIterator[Store]:
    store = Store(sqlite_url)
    yield store
    store.close()


@pytest.fixture
async def interaction() -> Interaction:
    return await made("How do I implement quicksort?")
