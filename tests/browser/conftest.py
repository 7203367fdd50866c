"""A busy machine may take its time: what is waited for is an event, not a duration."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.conftest import served
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
    access = {"NO_PROXY": "127.0.0.1"}
    for api in ("openai", "anthropic"):
        access[f"{api.upper()}_BASE_URL"] = provider.base_url(api)
        access[f"{api.upper()}_API_KEY"] = "a-key-of-nobody"
    with served(tmp_path_factory.mktemp("keyed"), environment=access) as address:
        yield address


@pytest.fixture
def standin(provider: Standin) -> Standin:
    """The provider, with nothing planned."""
    provider.reset()
    return provider
