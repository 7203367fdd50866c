"""A real PostgreSQL for the tests: a cluster in a temporary folder, on a free loopback port, safe as in production."""

from __future__ import annotations

import itertools
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import psycopg
from psycopg import sql

START_LIMIT_S = 60.0
USER = "vif"


class PostgresServer:
    """Runs while a `with` block lasts; `programs` is the folder of initdb and postgres."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._password = secrets.token_hex(8)
        self._folder = Path(tempfile.mkdtemp(prefix="vif-postgres-"))
        self._data, self._log = self._folder / "data", self._folder / "log"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port: int = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        self._names = (f"test{number}" for number in itertools.count())

    def __enter__(self) -> Self:
        secret = self._folder / "password"
        secret.write_text(self._password)
        # PostgreSQL refuses to run as root: root lends the folder to somebody who owns nothing else.
        somebody = _somebody()
        if somebody is not None:
            for path in (self._folder, secret):
                os.chown(path, somebody.pw_uid, somebody.pw_gid)
        identity: dict[str, Any] = (
            {} if somebody is None else {"user": somebody.pw_uid, "group": somebody.pw_gid, "extra_groups": []}
        )
        try:
            # Bytes sort like Python's strings; letters of all languages have their case.
            words = ["--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256", "--no-sync", f"--username={USER}"]
            subprocess.run(
                [self._programs / "initdb", *words, f"--pwfile={secret}", f"--pgdata={self._data}"],
                check=True,
                cwd=self._folder,
                stdout=subprocess.DEVNULL,
                **identity,
            )
            options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "on"}
            settings = [f"--{name}={value}" for name, value in options.items()]
            with self._log.open("wb") as log:
                self._process = subprocess.Popen(
                    [self._programs / "postgres", "-D", self._data, "-p", str(self._port), *settings],
                    cwd=self._folder,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    **identity,
                )
            self._wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def url(self, database: str) -> str:
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{self._port}/{database}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """The address of an empty database, there while the block lasts."""
        name = sql.Identifier(next(self._names))
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
            yield self.url(name.as_string().strip('"'))
            # Those who did not close their connections are sent away.
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))

    def stop(self) -> None:
        """End it, and remove its folder."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)  # at once: nothing of it is needed any more
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _wait(self) -> None:
        assert self._process is not None
        give_up_at = time.monotonic() + START_LIMIT_S
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > give_up_at:
                    raise RuntimeError(f"PostgreSQL did not start:\n{self._log.read_text(errors='replace')}") from None
                time.sleep(0.05)
            else:
                return


def _somebody() -> pwd.struct_passwd | None:
    """Who runs the server in place of root; None for oneself."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None
