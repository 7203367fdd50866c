"""Where the database is: its address, checked, and never shown with a password."""

from __future__ import annotations

import os
import threading
from importlib.util import find_spec
from pathlib import Path

import platformdirs
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from vif.errors import ConfigError

SETTING = "database_url (VIF_DATABASE_URL)"
ALLOWED = "it must be sqlite:///path/of/a/file or postgresql://user:password@host/database"

_creating = threading.Lock()


def default_url() -> str:
    """The address of this user's own database, a SQLite file in the data folder of the platform."""
    path = Path(platformdirs.user_data_dir("vif", appauthor=False)) / "vif.sqlite3"
    return f"sqlite:///{path}"


def checked_url(text: str) -> URL:
    """The address as SQLAlchemy takes it, with the driver we use.

    Raises ConfigError, which never shows a password, for what cannot work: no address, another database, a SQLite
    database in memory, a driver that is not installed.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ConfigError(f"{SETTING} cannot be read; {ALLOWED}") from None
    backend = url.get_backend_name()
    if url.drivername in ("sqlite", "sqlite+pysqlite"):
        return url.set(drivername="sqlite+pysqlite", database=_checked_path(url))
    if url.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        if find_spec("psycopg") is None:
            raise ConfigError(
                f"{SETTING} names a PostgreSQL database, and the package psycopg is not installed; "
                "install it with: pip install 'psycopg[binary]'"
            )
        return url.set(drivername="postgresql+psycopg")
    if backend in ("sqlite", "postgresql", "postgres"):
        raise ConfigError(f"{SETTING} asks for the driver {url.drivername!r}; leave it out: {backend}://…")
    raise ConfigError(f"{SETTING} names {backend!r}; {ALLOWED}")


def shown(url: URL) -> str:
    """The address for people: without user, password and options."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    port = f":{url.port}" if url.port else ""
    return f"postgresql://{url.host or ''}{port}/{url.database or ''}"


def create_file(path: Path) -> None:
    """Make an empty database file that only its owner can read, and its folder. What is there stays as it is.

    SQLite gives its side files the mode of the database.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A file that is there is not opened: closing it would release the locks SQLite holds on it in this process.
        with _creating:
            if not path.exists():
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:  # another process was quicker
        pass
    except OSError as error:
        raise ConfigError(f"the database {str(path)!r} cannot be opened: {error.strerror}") from None


def _checked_path(url: URL) -> str:
    database = url.database or ""
    if database in ("", ":memory:") or database.startswith("file:"):
        raise ConfigError(f"{SETTING} names no file; {ALLOWED}")
    try:
        return str(Path(database).expanduser().absolute())
    except RuntimeError:
        raise ConfigError(f"{SETTING} names {database!r}, whose home folder is not known") from None
