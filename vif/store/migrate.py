"""Brings a database to the form this version works with; safe when many processes open it at once."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from vif.errors import ConfigError
from vif.store.engine import BUSY_TIMEOUT_S, explained, is_busy, make_engine, pragma, writing
from vif.store.location import shown
from vif.store.tables import REVISION

SCRIPTS = Path(__file__).parent / "migrations"

_POSTGRESQL_LOCK = 0x766966  # "vif"; any number, as long as it is always the same

_alembic = threading.Lock()
"""Alembic keeps what it is working on in module globals."""


def prepare(url: URL) -> None:
    """Migrate the database at a checked address; make its tables when it has none.

    Raises ConfigError when it cannot be opened, is not a database, or was written by a newer version.
    """
    engine = make_engine(url, foreign_keys=False)
    try:
        if url.get_backend_name() == "sqlite":
            _use_write_ahead_log(engine)
        with engine.connect() as connection:
            current = revision_of(connection) == REVISION
        if not current:
            with writing(engine) as connection, connection.begin():
                migrate(connection)
    except (SQLAlchemyError, sqlite3.Error) as error:
        reason = explained(error)
        if url.password:
            reason = reason.replace(str(url.password), "…")
        raise ConfigError(f"the database {shown(url)!r} cannot be opened: {reason}") from None
    finally:
        engine.dispose()


def migrate(connection: Connection) -> None:
    """Carry out what is missing, in the transaction that is open on `connection`."""
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    if connection.dialect.name == "postgresql":  # on SQLite the transaction itself keeps others out
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _POSTGRESQL_LOCK})
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    found = revision_of(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise ConfigError(
            f"the database {shown(connection.engine.url)!r} was written by a newer version of vif (its form is "
            f"{found!r}, this version knows up to {REVISION!r}); update vif, or name another database"
        )
    with _alembic:
        command.upgrade(config, "head")


def revision_of(connection: Connection) -> str | None:
    """The migration a database is at; None when it has none of our tables."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _use_write_ahead_log(
    engine: Engine, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Readers then never wait for writers. Kept in the file.

    SQLite refuses the change at once, without waiting, while another process makes it: hence the retries.
    """
    give_up_at = clock() + BUSY_TIMEOUT_S
    while True:
        try:
            pragma(engine, "journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if not is_busy(error) or clock() >= give_up_at:
                raise
        sleep(0.01)
