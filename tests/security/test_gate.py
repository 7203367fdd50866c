"""Who may speak with the server: names, origins, neighbours, figures. The server itself is asked in test_server.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamlit import config

from pages import _gate

OWN = "127.0.0.1:8501"


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(OPTIONS, "server.address", "127.0.0.1")
    monkeypatch.setattr(config, "get_option", lambda name: OPTIONS[name])
    monkeypatch.setattr(config, "is_manually_set", lambda name: OPTIONS[name] is not None)
    _gate._admission.cache_clear()
    yield
    _gate._admission.cache_clear()


OPTIONS: dict[str, object] = {
    "server.address": "127.0.0.1",
    "server.enableCORS": True,
    "server.corsAllowedOrigins": ["https://allowed.example"],
    "server.allowedHosts": [],
    "browser.serverAddress": None,
}


def asked(
    kind: str = "websocket", client: str = "127.0.0.1", path: str = "/_stcore/stream", **headers: str
) -> dict[str, object]:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": kind, "path": path, "client": (client, 50_000), "headers": raw}


@pytest.mark.parametrize("host", [OWN, "localhost:8501", "[::1]:8501", "127.0.0.2", "vif.localhost"])
def test_a_page_of_this_machine_gets_through(host: str) -> None:
    assert _gate.refusal(asked(host=host, origin=f"http://{host}")) is None
    assert _gate.refusal(asked("http", host=host)) is None


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8501", "localhost.evil.example", "[::1", "192.168.0.9"])
def test_a_foreign_name_that_leads_to_this_machine_does_not(host: str) -> None:
    for kind in ("http", "websocket"):
        assert "another name" in (_gate.refusal(asked(kind, host=host, origin=f"http://{host}")) or "")


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://127.0.0.1:3000",
        "http://localhost:8501",
        "null",
        "",
        "http://127.0.0.1:8501.evil.example",
    ],
)
def test_a_page_of_another_origin_opens_no_web_socket(origin: str) -> None:
    assert _gate.refusal(asked(host=OWN, origin=origin)) == "a page of another origin asked"


def test_an_origin_or_a_name_its_owner_has_listed_gets_through(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _gate.refusal(asked(host=OWN, origin="https://allowed.example")) is None
    monkeypatch.setitem(OPTIONS, "browser.serverAddress", "vif.example")
    assert _gate.refusal(asked(host="vif.example", origin="https://vif.example:8443")) is None
    monkeypatch.setitem(OPTIONS, "browser.serverAddress", None)
    monkeypatch.setitem(OPTIONS, "server.allowedHosts", ["other.example"])
    assert _gate.refusal(asked("http", host="other.example")) is None, "Streamlit compares them"


def test_a_proxy_that_says_for_whom_it_asks_may_use_any_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _gate.refusal(asked(host="vif.example", origin="https://vif.example", x_forwarded_for="203.0.113.7")) is None
    monkeypatch.setenv("VIF_PUBLIC", "true")
    _gate._admission.cache_clear()
    assert _gate.refusal(asked(host="vif.example", origin="https://vif.example")) is None


def test_another_machine_is_not_taken_for_this_one_whatever_the_server_was_started_with() -> None:
    # As with `uvicorn app:app --host 0.0.0.0`: Streamlit's own setting still says 127.0.0.1.
    assert "only its own machine" in (_gate.refusal(asked("http", client="192.168.0.9", host=OWN)) or "")
    assert _gate.refusal(asked("http", client="192.168.0.9", host=OWN, x_forwarded_for="192.168.0.9")) is None
    assert _gate.refusal(asked("http", client="192.168.0.9", path="/healthz")) is None


def test_a_server_for_other_machines_answers_them_by_whatever_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OPTIONS, "server.address", "0.0.0.0")
    assert _gate.refusal(asked(client="192.168.0.9", host="vif.lan", origin="http://vif.lan")) is None
    assert _gate.refusal(asked(client="192.168.0.9", host="vif.lan", origin="http://evil.lan")) is not None


def test_the_figures_of_all_are_for_this_machine_or_for_who_has_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _gate.may_see_metrics(asked("http"))
    assert not _gate.may_see_metrics(asked("http", client="192.168.0.9"))
    assert not _gate.may_see_metrics(asked("http", x_forwarded_for="203.0.113.7"))
    monkeypatch.setenv("VIF_METRICS_TOKEN", "a-long-word")
    _gate._admission.cache_clear()
    assert not _gate.may_see_metrics(asked("http"))
    assert not _gate.may_see_metrics(asked("http", authorization="Bearer a-long"))
    assert _gate.may_see_metrics(asked("http", client="192.168.0.9", authorization="Bearer a-long-word"))


def test_settings_that_cannot_be_read_leave_the_strictest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIF_PUBLIC", "perhaps")
    assert _gate.only_this_machine()
