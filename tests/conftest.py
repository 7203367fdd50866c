"""What all tests share: an environment without anybody's keys, a running dashboard, a browser."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, sync_playwright
from pydantic_settings import BaseSettings

import dev
import vif.config
from tests.postgres_server import PostgresServer
from tests.redis_server import RedisServer
from vif.state import shared_state

PROVIDER_VARIABLES = ("OPENAI_", "ANTHROPIC_", "OPENROUTER_", "VIF_")
START_LIMIT_S = 60.0

# How long an example takes says something of the machine, not of the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",  # as root Chromium starts only without its sandbox
    "--disable-dev-shm-usage",  # containers have a small /dev/shm
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def on_ci() -> bool:
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


# ── Collection and summary ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark browser tests and run them last; without Chromium, skip them on a private machine and let CI fail."""
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)
    # Last, because Playwright's event loop counts as running from its first test on, and pytest-asyncio
    # cannot run another one in the same thread.
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)
    needed: list[tuple[set[str], Callable[[], str | None], Callable[[], str]]] = [
        ({"chromium"}, lambda: dev.find_chromium(sys.executable), dev.no_chromium),
        ({"redis_server", "own_redis_server"}, dev.find_redis, dev.no_redis),
        ({"postgres_server"}, lambda: str(dev.find_postgres() or "") or None, dev.no_postgres),
        ({"nginx"}, dev.find_nginx, dev.no_nginx),
    ]
    for fixtures, find, what in needed:
        if not on_ci() and any(fixtures & set(_fixtures(item)) for item in items) and find() is None:
            _skip(items, fixtures, what())


def _fixtures(item: pytest.Item) -> tuple[str, ...]:
    """What a test uses, also when it asks for it by name in a parametrised fixture."""
    needs = item.get_closest_marker("needs")
    return (*getattr(item, "fixturenames", ()), *(needs.args if needs else ()))


def _skip(items: Sequence[pytest.Item], fixtures: set[str], why: str) -> None:
    """Skip the tests that use one of these fixtures."""
    for item in items:
        if fixtures & set(_fixtures(item)):
            item.add_marker(pytest.mark.skip(reason=why))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    # From the reports, because with several workers it is they who collect and skip.
    wanted = {dev.no_chromium(), dev.no_redis(), dev.no_postgres(), dev.no_nginx()}
    reasons = Counter(
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple)
    )
    missing = {reason: count for reason, count in reasons.items() if reason in wanted}
    if missing:
        terminalreporter.section("SOME TESTS DID NOT RUN", sep="!", red=True, bold=True)
        for reason, count in missing.items():
            terminalreporter.line(f"{count} skipped: {reason}.", red=True)
        terminalreporter.line("With CI=true this is a failure.", red=True)


# ── Environment ─────────────────────────────────────────────────────────────────────────────────────────────────────


def without_provider_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """A copy of an environment in which no key, address or setting of this project is left."""
    return {name: value for name, value in environment.items() if not name.upper().startswith(PROVIDER_VARIABLES)}


@pytest.fixture(scope="session", autouse=True)
def _clean_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep a developer's keys out of every test, whether they are exported or stand in `.env`, and tests out of
    the developer's own database.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        for name in os.environ.keys() - without_provider_settings(os.environ).keys():
            patch.delenv(name)
        for found in vars(vif.config).values():
            if isinstance(found, type) and issubclass(found, BaseSettings) and found is not BaseSettings:
                patch.setitem(found.model_config, "env_file", None)
        yield


@pytest.fixture(autouse=True)
def _own_state() -> None:
    """No test finds the open circuits or the remembered readings of another one."""
    shared_state.cache_clear()


# ── Redis ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One Redis for the whole session; a test that needs it empty flushes it."""
    yield from _redis(tmp_path_factory.mktemp("redis"))


@pytest.fixture
def own_redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """One the test may kill."""
    yield from _redis(tmp_path)


def _redis(folder: Path) -> Iterator[RedisServer]:
    server = RedisServer(folder)
    server.start()
    yield server
    server.kill()


# ── Databases ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One PostgreSQL for the whole session."""
    programs = dev.find_postgres()
    if programs is None:
        pytest.fail(dev.no_postgres(), pytrace=False)
    with PostgresServer(programs) as server:
        yield server


@pytest.fixture(scope="session")
def nginx() -> str:
    """The path of nginx."""
    path = dev.find_nginx()
    if path is None:
        pytest.fail(dev.no_nginx(), pytrace=False)
    return path


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgres_server"))])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database: a SQLite file that is not there yet, and one on a real PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'folder' / 'vif.sqlite3'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.database() as url:
        yield url


# ── Browser and dashboard ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium that starts."""
    path = dev.find_chromium(sys.executable)
    if path is None:
        pytest.fail(dev.no_chromium(), pytrace=False)
    return path


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """One headless Chromium for a module. A test opens a context of its own in it.

    Not for the session: while Playwright is open, its event loop counts as running in this process, and every
    asynchronous test after it would fail.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_ARGUMENTS))
        yield browser
        browser.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _is_healthy(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as response:  # noqa: S310  # our own address
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _wait_for_health(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    give_up_at = time.monotonic() + START_LIMIT_S
    while not _is_healthy(address):
        if server.poll() is not None or time.monotonic() > give_up_at:
            state = f"ended with status {server.returncode}" if server.poll() is not None else "did not answer in time"
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-40:])
            pytest.fail(f"the dashboard {state}; the end of its log:\n{tail}", pytrace=False)
        time.sleep(0.05)


def _end_group(server: subprocess.Popen[bytes]) -> None:
    """End the server and whatever it has started."""
    for kind in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, kind)
            server.wait(timeout=10)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


@contextmanager
def served(
    home: Path,
    script: Path = dev.ROOT / "app.py",
    environment: Mapping[str, str] = MappingProxyType({}),
    *,
    port: int | None = None,
) -> Iterator[str]:
    """The address of a running server for `script`, which has no keys but those given, and `home` as its home folder.

    Streamlit's secrets are `secrets.toml` in `home`, if that is there.

    Fails with the end of the server's log when it does not start, and at the end when the log has a traceback.
    """
    port = port or free_port()
    command = [
        *(sys.executable, "-m", "streamlit", "run", str(script)),
        *("--server.port", str(port), "--server.headless", "true", "--server.fileWatcherType", "none"),
        *("--secrets.files", str(home / "secrets.toml")),
    ]
    with running(command, f"http://127.0.0.1:{port}", home, {"PYTHONPATH": str(dev.ROOT), **environment}) as address:
        yield address


@contextmanager
def running(command: Sequence[str], address: str, home: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """The address, once the dashboard answers there that `command` starts in `home`, with `home` as its home folder.

    Fails with the end of the server's log when it does not start, and at the end when the log has a traceback.
    """
    log = home / "server.log"
    inherited = {
        name: value
        for name, value in without_provider_settings(os.environ).items()
        if not name.startswith(("STREAMLIT_", "XDG_"))
    }
    with log.open("wb") as output:
        server = subprocess.Popen(
            command,
            cwd=home,  # away from a developer's .env
            env={**inherited, "HOME": str(home), **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_for_health(server, address, log)
        yield address
    finally:
        _end_group(server)
    text = log.read_text(errors="replace")
    # One word only: Streamlit draws its tracebacks with colours between the words.
    assert "Traceback" not in text, f"the dashboard's log has a traceback:\n{text[-8000:]}"


@pytest.fixture(scope="session")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running dashboard that has no keys."""
    with served(tmp_path_factory.mktemp("dashboard")) as address:
        yield address
