"""A busy machine may take its time: what is waited for is an event, not a duration."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

import dev
from tests.conftest import _end_group, _free_port, _wait_for_health, without_provider_settings
from tests.standin import Standin

expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
def provider() -> Iterator[Standin]:
    """Both cloud providers behind a real socket."""
    with Standin() as standin:
        yield standin


@pytest.fixture(scope="session")
def keyed_dashboard(tmp_path_factory: pytest.TempPathFactory, provider: Standin) -> Iterator[str]:
    """The address of a dashboard with keys, whose cloud models are `provider`."""
    home = tmp_path_factory.mktemp("keyed")
    log = home / "server.log"
    port = _free_port()
    environment = without_provider_settings(os.environ) | {"HOME": str(home), "NO_PROXY": "127.0.0.1"}
    for api in ("openai", "anthropic"):
        environment[f"{api.upper()}_BASE_URL"] = provider.base_url(api)
        environment[f"{api.upper()}_API_KEY"] = "a-key-of-nobody"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "streamlit", "run", str(dev.ROOT / "app.py")),
                *("--server.port", str(port), "--server.headless", "true", "--server.fileWatcherType", "none"),
                *("--secrets.files", str(home / "no-secrets.toml")),
            ],
            cwd=home,  # away from a developer's .env
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for_health(server, address, log)
        yield address
    finally:
        _end_group(server)
    text = log.read_text(errors="replace")
    assert "Traceback" not in text, f"the dashboard's log has a traceback:\n{text[-8000:]}"


@pytest.fixture
def standin(provider: Standin) -> Standin:
    """The provider, with nothing planned."""
    provider.reset()
    return provider
