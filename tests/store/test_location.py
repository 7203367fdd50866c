from __future__ import annotations

import importlib.machinery
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from vif.errors import ConfigError
from vif.interaction import Interaction
from vif.store import Store, default_url
from vif.store.location import checked_url, create_file, shown

PSYCOPG = "vif.store.location.find_spec"


def without_psycopg(_name: str) -> None:
    return None


def with_psycopg(name: str) -> importlib.machinery.ModuleSpec:
    return importlib.machinery.ModuleSpec(name, None)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_default_is_a_file_in_the_data_folder_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_data_dir", lambda name, **_: str(tmp_path / name))
    assert default_url() == f"sqlite:///{tmp_path}/vif/vif.sqlite3"
    assert not (tmp_path / "vif").exists()


async def test_a_new_database_is_readable_by_its_owner_only(
    sqlite_url: str, path: Path, interaction: Interaction
) -> None:
    store = Store(sqlite_url)
    await store.save(interaction)
    assert mode_of(path.parent) == 0o700
    assert {file.name: mode_of(file) for file in path.parent.iterdir()} == {
        "vif.sqlite3": 0o600,
        "vif.sqlite3-wal": 0o600,
        "vif.sqlite3-shm": 0o600,
    }
    store.close()


def test_a_database_that_is_there_keeps_its_mode(sqlite_url: str, path: Path) -> None:
    Store(sqlite_url).close()
    path.chmod(0o640)  # shared with a group on purpose
    Store(sqlite_url).close()
    assert mode_of(path) == 0o640


def test_a_path_may_begin_with_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert checked_url("sqlite:///~/mine.sqlite3").database == str(tmp_path / "mine.sqlite3")


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("nonsense hunter2", "cannot be read"),
        ("postgresql://me:hunter2@host:port/db", "cannot be read"),
        ("mysql://me:hunter2@host/db", "names 'mysql'"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:///file:hunter2?mode=memory&uri=true", "names no file"),
        ("sqlite+aiosqlite:///hunter2.db", "driver 'sqlite\\+aiosqlite'; leave it out: sqlite://"),
        ("postgresql+asyncpg://me:hunter2@host/db", "driver 'postgresql\\+asyncpg'; leave it out: postgresql://"),
        ("postgresql://me:hunter2@host/db", "psycopg is not installed; install it with: pip install 'psycopg"),
        ("postgresql+psycopg://me:hunter2@host/db?password=hunter2", "psycopg is not installed"),
    ],
)
def test_an_address_that_cannot_work_is_one_clear_line_without_its_password(
    url: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PSYCOPG, without_psycopg)
    with pytest.raises(ConfigError, match=problem) as caught:
        Store(url)
    assert "database_url (VIF_DATABASE_URL)" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_postgresql_is_reached_through_psycopg_and_shown_without_user_and_password(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PSYCOPG, with_psycopg)
    url = checked_url(f"{scheme}://me:hunter2@db.example:5433/vif?password=hunter2")
    assert (url.drivername, url.password) == ("postgresql+psycopg", "hunter2")
    assert shown(url) == "postgresql://db.example:5433/vif"


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"file/below/vif\.sqlite3' cannot be opened: Not a directory"):
        Store(f"sqlite:///{tmp_path}/file/below/vif.sqlite3")


def test_a_file_that_is_no_database_is_a_clear_error_and_stays_as_it_is(tmp_path: Path) -> None:
    diary = tmp_path / "diary.txt"
    diary.write_text("Dear diary, " * 100)
    with pytest.raises(ConfigError, match=r"diary\.txt' cannot be opened: file is not a database"):
        Store(f"sqlite:///{diary}")
    assert diary.read_text() == "Dear diary, " * 100


def test_opening_a_second_store_leaves_the_locks_of_the_first_alone(sqlite_url: str, path: Path) -> None:
    Store(sqlite_url).close()
    writes = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('BEGIN IMMEDIATE')"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")  # its locks are on the file itself
        connection.execute("BEGIN EXCLUSIVE")
        create_file(path)
        other = subprocess.run([sys.executable, "-c", writes, path], capture_output=True, text=True, check=False)
    assert "database is locked" in other.stderr
