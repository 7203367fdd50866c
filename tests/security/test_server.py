"""The running server, asked past the browser: what a foreign page, a foreign name and a stranger get of it."""

from __future__ import annotations

import socket
import tomllib
from urllib.parse import urlsplit

import pytest

import dev

WEB_SOCKET = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def ask(address: str, path: str, headers: dict[str, str], method: str = "GET") -> tuple[int, str]:
    """Status, and everything else up to the end of the body or of the handshake."""
    found = urlsplit(address)
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    with socket.create_connection((found.hostname or "", found.port or 0), timeout=30) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = connection.makefile("rb")
        status = int(answer.readline().split()[1])
        if status == 101:
            return status, ""
        return status, answer.read().decode("utf-8", "replace")


def own(address: str) -> dict[str, str]:
    return {"Host": urlsplit(address).netloc, "Connection": "close"}


def test_a_web_socket_opens_for_our_own_page_and_for_no_other(dashboard: str) -> None:
    headers = own(dashboard) | WEB_SOCKET
    assert ask(dashboard, "/_stcore/stream", headers | {"Origin": dashboard})[0] == 101
    for foreign in ("https://evil.example", "http://localhost:3000", "null"):
        assert ask(dashboard, "/_stcore/stream", headers | {"Origin": foreign})[0] == 403


def test_a_foreign_name_for_this_machine_gets_nothing(dashboard: str) -> None:
    name = {"Host": f"evil.example:{urlsplit(dashboard).port}"}
    status, body = ask(dashboard, "/", own(dashboard) | name)
    assert status == 421
    assert "this server has another name" in body
    assert "content-security-policy" in body.lower()
    opened = own(dashboard) | WEB_SOCKET | name | {"Origin": f"http://{name['Host']}"}
    assert ask(dashboard, "/_stcore/stream", opened)[0] == 403


def test_the_figures_of_all_are_not_for_who_comes_through_a_proxy(dashboard: str) -> None:
    assert ask(dashboard, "/metrics", own(dashboard))[0] == 200
    status, body = ask(dashboard, "/metrics", own(dashboard) | {"X-Forwarded-For": "203.0.113.7"})
    assert status == 403
    assert "vif_" not in body.replace("VIF_", "")


def test_a_file_cannot_be_sent_by_a_foreign_page(dashboard: str) -> None:
    sent = own(dashboard) | {"Origin": "https://evil.example", "Content-Length": "0"}
    status, body = ask(dashboard, "/_stcore/upload_file/some-session/some-file", sent, "PUT")
    assert status == 403
    assert "XSRF" in body


def test_no_program_is_let_in_beside_the_browser(dashboard: str) -> None:
    sent = own(dashboard) | {"Content-Length": "2", "Content-Type": "application/json"}
    assert ask(dashboard, "/_stcore/agent/interact", sent, "POST")[0] in (403, 404)


@pytest.mark.parametrize("path", ["/..%2f..%2fetc/passwd", "/static/..%2f..%2fapp.py", "/media/../app.py", "//evil/x"])
def test_no_path_leads_out_of_what_is_served(path: str, dashboard: str) -> None:
    status, body = ask(dashboard, path, own(dashboard))
    assert status == 400 or "root:" not in body
    assert "SafeHeaders" not in body


def test_what_is_safe_is_the_default() -> None:
    settings = tomllib.loads((dev.ROOT / ".streamlit" / "config.toml").read_text("utf-8"))
    assert settings["server"]["address"] == "127.0.0.1"
    assert settings["browser"]["gatherUsageStats"] is False, "nobody is told how the dashboard is used"
    assert settings["client"]["showErrorDetails"] == "type", "an error shows its kind and no more"
    assert settings["client"]["toolbarMode"] == "viewer"
    for weakened in (
        "enableCORS",
        "enableXsrfProtection",
        "enableAgentApi",
        "enableStaticServing",
        "trustedUserHeaders",
    ):
        assert weakened not in settings["server"], "the default is the safe one"
