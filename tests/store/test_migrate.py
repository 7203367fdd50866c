from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Index, Integer, MetaData, inspect

import dev
import vif.store.engine
from tests.fakes import FakeClock
from tests.store.making import copies, executed, made
from vif.errors import ConfigError
from vif.interaction import Interaction
from vif.store import Filter, Store
from vif.store.engine import make_engine, writing
from vif.store.location import checked_url
from vif.store.migrate import SCRIPTS, _use_write_ahead_log, migrate, revision_of
from vif.store.tables import REVISION, metadata


def described(url: str) -> dict[str, object]:
    """Everything the database itself says of its tables."""
    engine = make_engine(checked_url(url))
    inspector = inspect(engine)
    found: dict[str, object] = {}
    for table in sorted(set(inspector.get_table_names()) - {"alembic_version"}):
        columns = sorted(({**column, "type": repr(column["type"])} for column in inspector.get_columns(table)), key=str)
        found[table] = {
            "columns": columns,
            "primary key": inspector.get_pk_constraint(table),
            "foreign keys": sorted(inspector.get_foreign_keys(table), key=str),
            "indexes": sorted(inspector.get_indexes(table), key=str),
            "unique": sorted(inspector.get_unique_constraints(table), key=str),
            "checks": sorted(inspector.get_check_constraints(table), key=str),
        }
    engine.dispose()
    return found


def described_tables(url: str, wanted: MetaData) -> dict[str, object]:
    """The same of an emptied database in which SQLAlchemy has made the tables."""
    engine = make_engine(checked_url(url))
    with writing(engine) as connection, connection.begin():
        metadata.drop_all(connection)
        wanted.create_all(connection)
    engine.dispose()
    return described(url)


def schema(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2").fetchall()


def test_the_migrations_lead_to_the_tables_the_code_uses(url: str) -> None:
    Store(url).close()
    found = described(url)
    assert found.keys() == metadata.tables.keys()
    assert found == described_tables(url, metadata)


@pytest.mark.parametrize("slip", ["a column", "a primary key", "a deletion that does not cascade", "an index"])
def test_the_comparison_shows_what_a_migration_forgot(url: str, slip: str) -> None:
    Store(url).close()
    found = described(url)
    wanted = MetaData(naming_convention=metadata.naming_convention)
    for table in metadata.tables.values():
        table.to_metadata(wanted)
    favourites = wanted.tables["favourites"]
    match slip:
        case "a column":
            favourites.append_column(Column("stars", Integer))
        case "a primary key":
            favourites.append_column(Column("stars", Integer, primary_key=True))
        case "a deletion that does not cascade":
            (key,) = favourites.foreign_key_constraints
            key.ondelete = None
        case "an index":
            Index(None, favourites.c.created_at)
    assert found != described_tables(url, wanted)


def test_there_is_one_line_of_migrations_and_the_newest_is_the_one_named() -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]


def test_opening_again_changes_nothing(sqlite_url: str, path: Path) -> None:
    Store(sqlite_url).close()
    before = schema(path)
    Store(sqlite_url).close()
    assert schema(path) == before
    engine = make_engine(checked_url(sqlite_url))
    with engine.connect() as connection:
        assert revision_of(connection) == REVISION
    engine.dispose()


def test_a_database_of_a_newer_version_is_refused_and_left_alone(url: str) -> None:
    Store(url).close()
    executed(url, "UPDATE alembic_version SET version_num = 'r9999'")
    with pytest.raises(ConfigError, match=r"written by a newer version of vif.*'r9999'.*update vif"):
        Store(url)
    assert executed(url, "SELECT version_num FROM alembic_version") == [("r9999",)]


async def test_a_migration_that_fails_leaves_nothing_half_made(url: str, interaction: Interaction) -> None:
    executed(url, "CREATE TABLE interactions (id TEXT)")  # somebody else's
    before = described(url)
    with pytest.raises(ConfigError, match=r'cannot be opened: (table|relation) "?interactions"? already exists'):
        Store(url)
    assert described(url) == before
    executed(url, "DROP TABLE interactions")
    store = Store(url)
    await store.save(interaction)
    store.close()


async def test_replies_of_a_database_of_the_version_before_can_be_searched_for(url: str) -> None:
    store = Store(url)
    interaction = await made("Why?", 'Because M\N{LATIN SMALL LETTER O WITH DIAERESIS}bius\0said "so".')
    many = copies(interaction, *map(str, range(450)))  # more than are converted at once
    for each in many:
        await store.save(each, conversation="talk")
    await store.favourite("me", "7", on=True)
    store.close()
    executed(url, "UPDATE interactions SET body = 'damaged' WHERE id = '8'")
    executed(url, "ALTER TABLE interactions DROP COLUMN reply")
    executed(url, "UPDATE alembic_version SET version_num = 'r0003'")
    store = Store(url)
    assert await store.count(Filter('möbius\0said "so"')) == 449
    assert await store.load("7") == many[7]
    assert await store.favourites("me", ["7"]) == {"7"}
    store.close()
    assert described(url) == described_tables(url, metadata)


# ── Others at the same file ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def held(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite3.Connection]:
    """A connection that keeps everybody else out of a new database, in which nobody waits for locks."""
    monkeypatch.setattr(vif.store.engine, "BUSY_TIMEOUT_S", 0.0)
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield connection


def test_the_write_ahead_log_is_asked_for_until_the_others_are_done(held: sqlite3.Connection, sqlite_url: str) -> None:
    clock = FakeClock()
    engine = make_engine(checked_url(sqlite_url))

    def sleep(seconds: float) -> None:
        clock.now += seconds
        clock.slept.append(seconds)
        if len(clock.slept) == 3:
            held.execute("COMMIT")

    _use_write_ahead_log(engine, clock, sleep)
    assert clock.slept == [0.01] * 3
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    engine.dispose()


def test_a_file_that_stays_locked_is_given_up_after_ten_seconds(held: sqlite3.Connection, sqlite_url: str) -> None:
    clock = FakeClock()
    engine = make_engine(checked_url(sqlite_url))

    def sleep(seconds: float) -> None:
        clock.now += seconds

    with pytest.raises(sqlite3.OperationalError, match="database is locked"):
        _use_write_ahead_log(engine, clock, sleep)
    assert clock.now == pytest.approx(10, abs=0.02)
    engine.dispose()


def test_a_writer_keeps_other_writers_out_from_its_first_moment_and_a_reader_nobody(
    sqlite_url: str, path: Path
) -> None:
    Store(sqlite_url).close()
    engine = make_engine(checked_url(sqlite_url))
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as other:
        with engine.connect() as connection:
            assert revision_of(connection) == REVISION
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")
        with writing(engine) as connection, connection.begin():
            assert revision_of(connection) == REVISION
            with pytest.raises(sqlite3.OperationalError, match="database is locked"):
                other.execute("BEGIN IMMEDIATE")
    engine.dispose()


def test_what_was_migrated_while_one_waited_for_the_lock_is_not_migrated_again(url: str) -> None:
    Store(url).close()
    engine = make_engine(checked_url(url))
    with writing(engine) as connection, connection.begin():
        migrate(connection)  # as a process does that saw the database still empty
    engine.dispose()
    assert executed(url, "SELECT version_num FROM alembic_version") == [(REVISION,)]


# ── Wheels ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_installed_wheel_brings_its_migrations(tmp_path: Path, sqlite_url: str, path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(build, cwd=dev.ROOT, check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    code = "import sys, vif.store.store as s; s.Store(sys.argv[1]).close(); print(s.__file__)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, sqlite_url],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(site)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert Path(done.stdout.strip()).is_relative_to(site)
    assert {name for kind, name, _ in schema(path) if kind == "table"} == {*metadata.tables, "alembic_version"}
