"""A provider stand-in for the whole run, each provider in turn, and both ways of asking."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.standin import Api, Standin
from tests.wire.calls import KEYS, Call, Wire, build, complete, stream


@pytest.fixture(scope="session")
def server() -> Iterator[Standin]:
    with Standin() as standin:
        yield standin


@pytest.fixture
def standin(server: Standin, monkeypatch: pytest.MonkeyPatch) -> Standin:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")  # a developer's proxy cannot reach this machine's loopback
    server.reset()
    return server


@pytest.fixture(params=["openai", "anthropic", "openrouter", "local"])
def wire(request: pytest.FixtureRequest, standin: Standin) -> Wire:
    """Each provider in turn; the stand-in accepts only its key."""
    standin.expected_key = KEYS[request.param]
    api: Api = "anthropic" if request.param == "anthropic" else "openai"
    return Wire(standin, api, build(request.param, standin), KEYS[request.param])


@pytest.fixture(params=[complete, stream])
def call(request: pytest.FixtureRequest) -> Call:
    """Both ways of asking."""
    way: Call = request.param
    return way
