from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import dev
import vif
from vif.cli_dashboard import address, dashboard, server_script
from vif.errors import ConfigError


class Started(Exception):
    """Instead of turning into the server."""

    def __init__(self, command: Sequence[str]) -> None:
        self.command = list(command)


@pytest.fixture(autouse=True)
def _not_really(monkeypatch: pytest.MonkeyPatch) -> None:
    def execv(program: str, command: Sequence[str]) -> None:
        assert program == command[0]
        raise Started(command)

    monkeypatch.setattr(os, "execv", execv)


def called(*arguments: str) -> Result:
    return CliRunner().invoke(dashboard, arguments)


def command_of(result: Result) -> list[str]:
    assert isinstance(result.exception, Started), result.output
    return result.exception.command


def options_of(result: Result) -> dict[str, str]:
    return dict(option.removeprefix("--").split("=", 1) for option in command_of(result)[6:])


def test_it_is_this_checkouts_server_and_nothing_of_the_folder_one_is_in_is_imported() -> None:
    expected = [sys.executable, "-P", "-m", "streamlit", "run", str(dev.ROOT / "app.py")]
    assert command_of(called())[:6] == expected


def test_unless_asked_otherwise_only_this_machine_reaches_it() -> None:
    result = called()
    assert options_of(result)["server.address"] == "127.0.0.1"
    assert options_of(result)["server.port"] == "8501"
    assert options_of(result)["server.baseUrlPath"] == ""
    assert result.stderr == "vif: the dashboard will be at http://127.0.0.1:8501/; Ctrl+C ends it\n"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "dashboard.example"])
def test_a_host_that_others_reach_is_used_when_asked_for_with_one_line_of_warning(host: str) -> None:
    result = called("--host", host)
    assert options_of(result)["server.address"] == host
    warning, where = result.stderr.splitlines()
    assert warning.startswith(f"vif: warning: other machines can reach {host},")
    assert all(name in warning for name in ("VIF_ADMINS", "VIF_RATERS", "VIF_VIEWERS", "VIF_PUBLIC"))
    assert where.startswith("vif: the dashboard will be at http://")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.5", "::1"])
def test_a_host_that_only_this_machine_reaches_needs_no_warning(host: str) -> None:
    result = called("--host", host)
    assert options_of(result)["server.address"] == host
    assert "warning" not in result.stderr


@pytest.mark.parametrize("host", ["", "  "])
def test_an_empty_host_is_refused_because_it_would_mean_every_address(host: str) -> None:
    result = called("--host", host)
    assert result.exit_code == 2
    assert "--host is empty" in result.stderr


@pytest.mark.parametrize(
    ("given", "used"),
    [("vif", "vif"), ("/vif/", "vif"), ("/team/vif", "team/vif"), ("/", ""), ("a.b/c_d~e-1", "a.b/c_d~e-1")],
)
def test_a_base_path_may_have_slashes_around_it(given: str, used: str) -> None:
    assert options_of(called("--base-path", given))["server.baseUrlPath"] == used


@pytest.mark.parametrize("given", ["a//b", "../up", "a/./b", "a b", "a?b", "vïf", "https://host/vif", "a\nb"])
def test_a_base_path_no_address_has_is_refused(given: str) -> None:
    result = called("--base-path", given)
    assert result.exit_code == 2
    assert "--base-path is" in result.stderr


@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    assert called("--port", port).exit_code == 2


@pytest.mark.parametrize(
    ("host", "path", "shown"),
    [
        ("127.0.0.1", "", "http://127.0.0.1:8600/"),
        ("0.0.0.0", "team/vif", "http://127.0.0.1:8600/team/vif/"),
        ("::", "", "http://[::1]:8600/"),
        ("dashboard.example", "", "http://dashboard.example:8600/"),
    ],
)
def test_the_address_shown_is_one_a_browser_here_can_open(host: str, path: str, shown: str) -> None:
    assert address(host, 8600, path) == shown


def test_an_installed_dashboard_comes_before_anything_that_lies_beside_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vif, "__file__", str(tmp_path / "vif" / "__init__.py"))
    with pytest.raises(ConfigError, match="holds no dashboard; install the wheel"):
        server_script()
    (tmp_path / "app.py").touch()
    assert server_script() == tmp_path / "app.py"
    (tmp_path / "vif_dashboard").mkdir()
    (tmp_path / "vif_dashboard" / "app.py").touch()
    assert server_script() == tmp_path / "vif_dashboard" / "app.py"
