"""A busy machine may take its time: what is waited for is an event, not a duration."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import wraps
from typing import ParamSpec, TypeVar

import pytest
from playwright.sync_api import Error, Locator, expect
from playwright.sync_api._generated import LocatorAssertions

from tests.conftest import served
from tests.standin import Standin

P = ParamSpec("P")
R = TypeVar("R")
PATIENCE_S = 30.0

expect.set_options(timeout=PATIENCE_S * 1000)


def patient(method: Callable[P, R]) -> Callable[P, R]:
    """`method`, called again while it finds more elements than one.

    While Streamlit draws a page anew, what moved is there twice for a moment; Playwright then gives up at once.
    """

    @wraps(method)
    def called_again(*args: P.args, **kwargs: P.kwargs) -> R:
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                return method(*args, **kwargs)
            except (Error, AssertionError) as error:
                if "strict mode violation" not in str(error) or time.monotonic() > end:
                    raise

    return called_again


for _class in (Locator, LocatorAssertions):
    for _name, _method in list(vars(_class).items()):
        if callable(_method) and not _name.startswith("_"):
            setattr(_class, _name, patient(_method))


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
