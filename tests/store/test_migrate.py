from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import closing
from importlib import import_module
from io import StringIO
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Column, Integer, MetaData, Table
from sqlalchemy.schema import CreateIndex, CreateTable

import dev
import vif.store.engine
from tests.fakes import FakeClock
from vif.errors import ConfigError
from vif.interaction import Interaction
from vif.store import Store
from vif.store.engine import make_engine, writing
from vif.store.location import checked_url
from vif.store.migrate import SCRIPTS, _use_write_ahead_log, migrate, revision_of
from vif.store.tables import REVISION, metadata


def differences(url: str, wanted: MetaData) -> list[object]:
    """What a migration would have to change for the database to look as wanted."""
    engine = make_engine(checked_url(url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        found: list[object] = compare_metadata(context, wanted)
    engine.dispose()
    return found


def schema(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2").fetchall()


def test_the_migrations_lead_to_the_tables_the_code_uses(url: str) -> None:
    Store(url).close()
    assert differences(url, metadata) == []


def test_the_comparison_would_show_a_column_that_no_migration_makes(url: str) -> None:
    Store(url).close()
    wanted = MetaData()
    for table in metadata.tables.values():
        table.to_metadata(wanted)
    Table("interactions", wanted, Column("stars", Integer), extend_existing=True)
    assert [difference[0] for difference in differences(url, wanted) if isinstance(difference, tuple)] == ["add_column"]


def test_there_is_one_line_of_migrations_and_the_newest_is_the_one_named() -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]


def test_opening_again_changes_nothing(url: str, path: Path) -> None:
    Store(url).close()
    before = schema(path)
    Store(url).close()
    assert schema(path) == before
    engine = make_engine(checked_url(url))
    with engine.connect() as connection:
        assert revision_of(connection) == REVISION
    engine.dispose()


def test_a_database_of_a_newer_version_is_refused_and_left_alone(url: str, path: Path) -> None:
    Store(url).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = 'r9999'")
    with pytest.raises(ConfigError, match=r"written by a newer version of vif.*'r9999'.*update vif"):
        Store(url)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("r9999",)]


async def test_a_migration_that_fails_leaves_nothing_half_made(url: str, path: Path, interaction: Interaction) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE interactions (id TEXT)")  # somebody else's
    before = schema(path)
    with pytest.raises(ConfigError, match="cannot be opened: table interactions already exists"):
        Store(url)
    assert schema(path) == before
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE interactions")
    store = Store(url)
    await store.save(interaction)
    store.close()


# ── Others at the same file ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def held(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite3.Connection]:
    """A connection that keeps everybody else out of a new database, in which nobody waits for locks."""
    monkeypatch.setattr(vif.store.engine, "BUSY_TIMEOUT_S", 0.0)
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield connection


def test_the_write_ahead_log_is_asked_for_until_the_others_are_done(held: sqlite3.Connection, url: str) -> None:
    clock = FakeClock()
    engine = make_engine(checked_url(url))

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


def test_a_file_that_stays_locked_is_given_up_after_ten_seconds(held: sqlite3.Connection, url: str) -> None:
    clock = FakeClock()
    engine = make_engine(checked_url(url))

    def sleep(seconds: float) -> None:
        clock.now += seconds

    with pytest.raises(sqlite3.OperationalError, match="database is locked"):
        _use_write_ahead_log(engine, clock, sleep)
    assert clock.now == pytest.approx(10, abs=0.02)
    engine.dispose()


def test_a_writer_keeps_other_writers_out_from_its_first_moment_and_a_reader_nobody(url: str, path: Path) -> None:
    Store(url).close()
    engine = make_engine(checked_url(url))
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
    assert differences(url, metadata) == []


# ── PostgreSQL and wheels ───────────────────────────────────────────────────────────────────────────────────────────


def test_on_postgresql_the_migrations_make_the_tables_the_code_uses() -> None:
    written = StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": written, "target_metadata": metadata}
    )
    with Operations.context(context):
        for file in sorted((SCRIPTS / "versions").glob("r*.py")):
            import_module(f"vif.store.migrations.versions.{file.stem}").upgrade()
    dialect = URL.create("postgresql").get_dialect()()
    wanted = [str(CreateTable(table).compile(dialect=dialect)) for table in metadata.sorted_tables]
    indexes = sorted((index for table in metadata.sorted_tables for index in table.indexes), key=lambda i: str(i.name))
    wanted += [str(CreateIndex(index).compile(dialect=dialect)) for index in indexes]
    assert sorted(_lines(written.getvalue())) == sorted(_lines(";".join(wanted)))


def _lines(statements: str) -> list[str]:
    """The statements, each with its lines in one order: that of constraints means nothing."""
    found = [statement.strip() for statement in statements.split(";")]
    return [
        "\n".join(sorted(re.sub(r"[\s,]+$", "", line).strip() for line in statement.splitlines()))
        for statement in found
        if statement
    ]


def test_an_installed_wheel_brings_its_migrations(tmp_path: Path, url: str, path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(build, cwd=dev.ROOT, check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    code = "import sys, vif.store.store as s; s.Store(sys.argv[1]).close(); print(s.__file__)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, url],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(site)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert Path(done.stdout.strip()).is_relative_to(site)
    assert {name for kind, name, _ in schema(path) if kind == "table"} == {*metadata.tables, "alembic_version"}
