"""The audit of `make check`, against an advisory service of our own on a real socket."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

import dev
from tests.conftest import free_port

LOCK = """\
click==8.2.1 \\
    --hash=sha256:27c491cc05d968d271d5a1db13e3b5a184636d9d930f148c50b038f0d0646202
jinja2==2.4.1 \\
    --hash=sha256:27c491cc05d968d271d5a1db13e3b5a184636d9d930f148c50b038f0d0646202
"""
FLAW = {
    "id": "GHSA-test-0001",
    "summary": "it breaks out of its sandbox",
    "aliases": ["CVE-2016-0001"],
    "affected": [
        {
            "package": {"name": "jinja2", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.8.1"}]}],
        }
    ],
}


class Advisories(HTTPServer):
    """Knows the flaws that are in `flaws` by the name of the package."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.flaws: dict[str, object] = {}
        self.asked: list[str] = []
        self.body: bytes | None = None
        self.status = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1/query"


class _Answering(BaseHTTPRequestHandler):
    server: Advisories

    def do_POST(self) -> None:  # the base class calls it so
        name = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["package"]["name"]
        self.server.asked.append(name)
        known = self.server.flaws.get(name)
        body = self.server.body or json.dumps({"vulns": [known]} if known else {}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def advisories(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Advisories]:
    (tmp_path / "requirements.lock").write_text(LOCK)
    monkeypatch.setattr(dev, "LOCK", tmp_path / "requirements.lock")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    with Advisories() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setattr(dev, "OSV_URL", server.url)
        yield server
        server.shutdown()
        thread.join()


def checked(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Status and words of `make check` with every other check passed."""
    for name, nothing in {"set_up": lambda: None, "call": lambda *_: True, "lock_problems": lambda *_: []}.items():
        monkeypatch.setattr(dev, name, nothing)
    return dev.check([]), capfd.readouterr().err


def test_a_known_vulnerability_fails_the_check_and_is_named(
    advisories: Advisories, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    advisories.flaws["jinja2"] = FLAW
    status, said = checked(monkeypatch, capfd)
    assert status == 1
    assert "dev.py: jinja2 2.4.1 has CVE-2016-0001; fixed in 2.8.1\n" in said
    assert said.endswith("dev.py: failed: dependencies\n")
    assert sorted(advisories.asked) == ["click", "jinja2"]


def test_without_one_the_check_passes_in_silence(
    advisories: Advisories, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    status, said = checked(monkeypatch, capfd)
    assert status == 0
    assert "NOT audited" not in said
    assert len(advisories.asked) == 2


@pytest.mark.parametrize("why", ["nobody answers", "an error", "a web page"])
def test_a_service_that_cannot_be_asked_is_said_in_one_line_and_the_check_goes_on(
    why: str, advisories: Advisories, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    if why == "nobody answers":
        monkeypatch.setattr(dev, "OSV_URL", f"http://127.0.0.1:{free_port()}/v1/query")
    advisories.status = 503 if why == "an error" else 200
    advisories.body = b"<html>not found</html>"
    status, said = checked(monkeypatch, capfd)
    assert status == 0
    lines = [line for line in said.splitlines() if "NOT audited" in line]
    assert lines == [
        f"dev.py: dependencies were NOT audited: {dev.OSV_URL} cannot be asked, or does not answer as it should"
    ]
    assert said.endswith("dev.py: all checks passed\n")


def test_a_service_that_does_not_end_is_not_waited_for(advisories: Advisories, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev, "AUDIT_LIMIT_S", 0.001)
    assert dev.audit() == ([], f"{dev.OSV_URL} took more than 0 s")
