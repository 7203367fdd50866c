"""Two replicas behind nginx with one PostgreSQL, one Redis and sign-in: all of it real, on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import dev
from tests.browser.oidc import SignIn
from tests.conftest import without_provider_settings
from tests.nginx_server import Nginx, for_replicas, free_port, nginx_server
from tests.postgres_server import PostgresServer
from tests.redis_server import RedisServer

BASE_PATH = "vif"
NAMES = {"one": 8501, "two": 8502}
"""What the documented configuration calls the replicas, and their ports there."""

START_LIMIT_S = 60.0


class Replica:
    """One `vif dashboard` process; it may be killed and started again."""

    def __init__(self, home: Path, environment: Mapping[str, str]) -> None:
        self.port = free_port()
        self.log = home / "server.log"
        self._home = home
        kept = {
            name: value
            for name, value in without_provider_settings(os.environ).items()
            if not name.startswith(("STREAMLIT_", "XDG_"))
        }
        self._environment = {**kept, "HOME": str(home), **environment}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin to start it."""
        program = str(Path(sys.executable).with_name("vif"))
        command = [program, "dashboard", "--port", str(self.port), "--base-path", BASE_PATH]
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                cwd=self._home,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait(self) -> None:
        """Until it says that it is well."""
        give_up_at = time.monotonic() + START_LIMIT_S
        while not self._is_well():
            if (self._process and self._process.poll() is not None) or time.monotonic() > give_up_at:
                raise RuntimeError(f"a replica did not start:\n{self.log.read_text(errors='replace')[-4000:]}")
            time.sleep(0.05)

    def restart(self) -> None:
        """Start it once more, and wait until it is well."""
        self.start()
        self.wait()

    def end(self, kind: signal.Signals) -> None:
        """End it with a signal, and wait until it is gone; nothing when it is gone already."""
        if self._process is not None:
            self._process.send_signal(kind)
            self._process.wait(timeout=30)
            self._process = None

    def kill(self) -> None:
        """As when its machine dies."""
        self.end(signal.SIGKILL)

    def terminate(self) -> None:
        """As `systemctl restart` ends it."""
        self.end(signal.SIGTERM)

    def _is_well(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=2) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False


@dataclass(frozen=True, slots=True)
class Deployment:
    """What runs; `address` is where people see it."""

    address: str
    replicas: Mapping[str, Replica]
    nginx: Nginx
    sign_in: SignIn
    database_url: str


@contextmanager
def deployment(folder: Path, nginx: str, database_url: str, access: Mapping[str, str]) -> Iterator[Deployment]:
    """Everything, on an empty database, as docs/deployment.md describes it; `access` holds the providers' variables."""
    with ExitStack() as stack:
        redis_folder = folder / "redis"
        redis_folder.mkdir()
        redis = RedisServer(redis_folder)
        redis.start()
        stack.callback(redis.kill)
        sign_in = stack.enter_context(SignIn())
        port = free_port()
        address = f"https://127.0.0.1:{port}/{BASE_PATH}"
        secrets = sign_in.secrets(address)
        replicas = {}
        for name in NAMES:
            home = folder / name
            (home / ".streamlit").mkdir(parents=True)
            (home / ".streamlit" / "secrets.toml").write_text(secrets)
            environment = {
                "VIF_DATABASE_URL": database_url,
                "VIF_REDIS_URL": redis.url,
                "VIF_VIEWERS": "*",
                "STREAMLIT_SERVER_COOKIE_SECRET": "one-text-for-both",
                "NO_PROXY": "127.0.0.1",
                **access,
            }
            replicas[name] = Replica(home, environment)
            stack.callback(replicas[name].kill)
            replicas[name].start()
        for replica in replicas.values():
            replica.wait()
        ports = {documented: replicas[name].port for name, documented in NAMES.items()}
        front = stack.enter_context(nginx_server(nginx, folder / "nginx", for_replicas(), ports, port))
        yield Deployment(address, replicas, front, sign_in, database_url)


@contextmanager
def everything(folder: Path, access: Mapping[str, str]) -> Iterator[Deployment]:
    """The same with a PostgreSQL of its own. Raises RuntimeError where a program is missing."""
    nginx, programs = dev.find_nginx(), dev.find_postgres()
    for found, what in ((nginx, dev.no_nginx()), (programs, dev.no_postgres()), (dev.find_redis(), dev.no_redis())):
        if not found:
            raise RuntimeError(what)
    assert nginx
    assert programs
    with (
        PostgresServer(programs) as server,
        server.database() as url,
        deployment(folder, nginx, url, access) as running,
    ):
        yield running
