"""The set-up logic of dev.py, without a network and without touching this checkout's `.venv`."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import dev


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project folder that dev.py takes for its own."""
    (tmp_path / "requirements.lock").write_text("click==8.2.1\n")
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    venv = tmp_path / ".venv"
    for name, value in {
        "ROOT": tmp_path,
        "VENV": venv,
        "PYTHON": venv / "bin" / "python",
        "STAMP": venv / "set-up.json",
        "GUARD": venv / "set-up.lock",
        "LOCK": tmp_path / "requirements.lock",
        "PYPROJECT": tmp_path / "pyproject.toml",
    }.items():
        monkeypatch.setattr(dev, name, value)
    return tmp_path


class Installs:
    """Stands in for `dev.call`: makes an interpreter where a venv is asked for, and notes every command."""

    def __init__(self, *failing: str) -> None:
        self.commands: list[str] = []
        self.failing = failing

    def __call__(self, *command: str | Path, timeout_s: float | None = None) -> bool:
        line = " ".join(map(str, command))
        self.commands.append(line)
        if any(part in line for part in self.failing):
            return False
        if " venv " in line:
            dev.PYTHON.parent.mkdir(exist_ok=True)
            dev.PYTHON.write_text("")
        return True

    def count(self, part: str) -> int:
        return sum(part in line for line in self.commands)


@pytest.fixture
def installs(project: Path, monkeypatch: pytest.MonkeyPatch) -> Installs:
    fake = Installs()
    monkeypatch.setattr(dev, "call", fake)
    monkeypatch.setattr(dev, "can_make_venv", lambda: True)
    monkeypatch.setenv("PATH", "")  # no uv
    return fake


# ── When set-up is due ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_second_set_up_does_nothing(installs: Installs) -> None:
    dev.set_up()
    assert installs.count("--require-hashes") == 1
    before = len(installs.commands)
    dev.set_up()
    assert len(installs.commands) == before


def test_a_changed_lock_file_rebuilds_the_environment_from_nothing(installs: Installs) -> None:
    dev.set_up()
    leftover = dev.VENV / "lib" / "leftover.py"
    leftover.parent.mkdir()
    leftover.write_text("")
    dev.LOCK.write_text("click==8.3.0\n")
    dev.set_up()
    assert installs.count("--require-hashes") == 2
    assert not leftover.exists()


def test_a_changed_pyproject_installs_only_the_project_again(installs: Installs) -> None:
    dev.set_up()
    dev.PYPROJECT.write_text("[project]\nname = 'other'\n")
    dev.set_up()
    assert installs.count("--require-hashes") == 1
    assert installs.count("--no-build-isolation") == 2


def test_everything_is_done_again_when_the_project_alone_cannot_be_installed(installs: Installs) -> None:
    dev.set_up()
    dev.PYPROJECT.write_text("[project]\nname = 'other'\n")
    failures = iter([False])
    plain = dev.install_project
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dev, "install_project", lambda install: next(failures, True) and plain(install))
        dev.set_up()
    assert installs.count("--require-hashes") == 2


def test_an_interrupted_set_up_is_repaired_by_the_next(installs: Installs) -> None:
    dev.set_up()
    dev.LOCK.write_text("click==8.3.0\n")
    installs.failing = ("--require-hashes",)
    with pytest.raises(dev.DevError, match="set-up failed"):
        dev.set_up()
    # Even when the lock file goes back to what the last stamp said, the half-built environment is not trusted.
    dev.LOCK.write_text("click==8.2.1\n")
    installs.failing = ()
    dev.set_up()
    assert installs.count("--require-hashes") == 3
    assert dev.read_stamp(dev.STAMP) == dev.wanted_stamp(dev.ROOT)


@pytest.mark.parametrize("key", ["lock", "python", "folder"])
def test_another_lock_python_or_folder_makes_everything_due(key: str, project: Path) -> None:
    wanted = dev.wanted_stamp(project)
    assert dev.outdated(wanted | {key: "other"}, wanted) == "everything"
    assert dev.outdated(wanted | {key: "other", "project": "other"}, wanted) == "everything"


def test_a_moved_folder_is_noticed(installs: Installs, tmp_path_factory: pytest.TempPathFactory) -> None:
    dev.set_up()
    stamp = dev.read_stamp(dev.STAMP)
    moved = tmp_path_factory.mktemp("moved") / "project"
    dev.ROOT.rename(moved)
    assert dev.outdated(stamp, dev.wanted_stamp(moved)) == "everything"


def test_an_environment_whose_python_is_gone_is_made_again(installs: Installs) -> None:
    dev.set_up()
    dev.PYTHON.unlink()
    dev.PYTHON.symlink_to("/nowhere/python3")
    dev.set_up()
    assert installs.count("--require-hashes") == 2


@pytest.mark.parametrize("text", ["", "not json", "[1, 2]", "null"])
def test_an_unreadable_stamp_counts_as_none(text: str, tmp_path: Path) -> None:
    stamp = tmp_path / "set-up.json"
    stamp.write_text(text)
    assert dev.read_stamp(stamp) == {}
    assert dev.read_stamp(tmp_path / "absent.json") == {}


def test_two_set_ups_at_once_install_once(installs: Installs, monkeypatch: pytest.MonkeyPatch) -> None:
    second_waits = threading.Event()
    first_installs = threading.Event()
    monkeypatch.setattr(dev, "say", lambda text: second_waits.set() if "waiting" in text else None)

    def slow_call(*command: str | Path, timeout_s: float | None = None) -> bool:
        first_installs.set()
        assert second_waits.wait(30)
        return installs(*command)

    monkeypatch.setattr(dev, "call", slow_call)
    first = threading.Thread(target=dev.set_up)
    first.start()
    assert first_installs.wait(30)
    second = threading.Thread(target=dev.set_up)
    second.start()
    for thread in (first, second):
        thread.join(30)
    assert installs.count("--require-hashes") == 1


# ── How it installs ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_packages_are_hash_checked_and_never_resolved(installs: Installs) -> None:
    dev.set_up()
    (packages,) = (line for line in installs.commands if "--require-hashes" in line)
    assert "--no-deps" in packages
    assert str(dev.LOCK) in packages


def test_no_command_names_a_registry(installs: Installs) -> None:
    dev.set_up()
    assert not re.search(r"index|find-links|://", " ".join(installs.commands))


def test_pip_takes_over_where_uv_fails(installs: Installs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "tools"
    folder.mkdir()
    uv = folder / "uv"
    uv.write_text("#!/bin/sh\n")
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    installs.failing = (f"{uv} pip",)
    dev.set_up()
    with_hashes = [line for line in installs.commands if "--require-hashes" in line]
    assert [line.startswith(str(uv)) for line in with_hashes] == [True, False]


def test_without_ensurepip_and_root_one_line_says_what_to_install(
    installs: Installs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dev, "can_make_venv", lambda: False)
    monkeypatch.setattr(dev, "is_root_on_debian", lambda: False)
    assert dev.main(["setup"]) == 1
    last_line = capsys.readouterr().err.splitlines()[-1]
    assert f"install python3.{sys.version_info.minor}-venv" in last_line


def test_without_ensurepip_root_on_debian_gets_the_package(installs: Installs, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = f"python3.{sys.version_info.minor}-venv"
    monkeypatch.setattr(dev, "can_make_venv", lambda: installs.count(wanted) > 0)
    monkeypatch.setattr(dev, "is_root_on_debian", lambda: True)
    monkeypatch.setattr(sys, "base_prefix", "/usr")
    dev.set_up()
    assert installs.count(wanted) == 1
    assert dev.STAMP.exists()


def test_a_python_that_is_not_debians_gets_no_debian_package(
    installs: Installs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dev, "can_make_venv", lambda: False)
    monkeypatch.setattr(dev, "is_root_on_debian", lambda: True)
    monkeypatch.setattr(sys, "base_prefix", "/opt/python")
    with pytest.raises(dev.DevError, match="no ensurepip"):
        dev.set_up()
    assert installs.count("apt-get") == 0


# ── Python ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_dev_py_parses_on_python_3_6() -> None:
    ast.parse(Path(dev.__file__).read_text(encoding="utf-8"), feature_version=(3, 6))


def fake_python(folder: Path, name: str, status: int) -> Path:
    program = folder / name
    program.write_text(f"#!/bin/sh\nexit {status}\n")
    program.chmod(0o755)
    return program


def test_a_newer_python_on_the_path_is_chosen(tmp_path: Path) -> None:
    fake_python(tmp_path, "python3.10", 0)
    expected = fake_python(tmp_path, "python3.12", 0)
    assert dev.newer_python(str(tmp_path)) == str(expected)


def test_a_newer_python_that_does_not_start_is_passed_over(tmp_path: Path) -> None:
    fake_python(tmp_path, "python3.13", 127)
    expected = fake_python(tmp_path, "python3.11", 0)
    assert dev.newer_python(str(tmp_path)) == str(expected)


def test_no_newer_python_is_none(tmp_path: Path) -> None:
    fake_python(tmp_path, "python3.9", 0)
    assert dev.newer_python(str(tmp_path)) is None


# ── The lock file ───────────────────────────────────────────────────────────────────────────────────────────────────

PYPROJECT = """
[build-system]
requires = ["hatchling>=1.27"]
[project]
dependencies = ["Rich_Text[extra]>=14; python_version < '3.15'"]
[project.optional-dependencies]
weights = ["some.weights==1"]
[dependency-groups]
dev = ["pytest"]
"""
GOOD_LOCK = """# This file was autogenerated
hatchling==1.33.0 \\
    --hash=sha256:aa \\
    --hash=sha256:ab
    # via vif (pyproject.toml)
pytest==9.2.0 \\
    --hash=sha256:bb
rich-text==14.0.0 ; python_full_version < '3.15' \\
    --hash=sha256:cc
some-weights==1 \\
    --hash=sha256:dd
"""


def test_a_complete_lock_file_has_no_problem() -> None:
    assert dev.lock_problems(PYPROJECT, GOOD_LOCK) == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("hatchling==1.33.0", "other==1.33.0", "'hatchling>=1.27' of pyproject.toml is not in requirements.lock"),
        ("rich-text==14.0.0 ", "rich-texts==14.0.0 ", "Rich_Text"),
        ("some-weights==1", "weights==1", "'some.weights==1'"),
        ("pytest==9.2.0", "pytest>=9.2.0", "is not a pin"),
        ("pytest==9.2.0", "pytest==9.*; x", "is not a pin"),
        ("    --hash=sha256:bb", "    --hash=md5:bb", "'pytest==9.2.0' in requirements.lock has no hash"),
        ("# This", "--index-url https://packages.example\n# This", "line 1 of requirements.lock holds an address"),
        ("# via vif", "# from file:///wheels", "line 5 of requirements.lock holds an address"),
    ],
)
def test_a_faulty_lock_file_is_explained(old: str, new: str, problem: str) -> None:
    assert old in GOOD_LOCK
    assert any(problem in found for found in dev.lock_problems(PYPROJECT, GOOD_LOCK.replace(old, new)))


def test_the_lock_file_of_this_project_has_no_problem() -> None:
    assert dev.lock_problems(dev.PYPROJECT.read_text(), dev.LOCK.read_text()) == []


def test_every_pin_of_this_project_lies_in_the_declared_range() -> None:
    declared = tomllib.loads(dev.PYPROJECT.read_text())
    pins = dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", dev.LOCK.read_text(), flags=re.MULTILINE))
    requirements = [
        Requirement(text)
        for text in [
            *declared["build-system"]["requires"],
            *declared["project"]["dependencies"],
            *declared["project"]["optional-dependencies"]["weights"],
            *declared["dependency-groups"]["dev"],
        ]
    ]
    assert requirements
    outside = [
        f"{requirement} is pinned to {pins[canonicalize_name(requirement.name)]}"
        for requirement in requirements
        if not requirement.specifier.contains(pins[canonicalize_name(requirement.name)])
    ]
    assert outside == []


def test_the_lock_file_was_made_by_the_command_that_makes_it() -> None:
    assert f"#    {dev._COMPILE}\n" in dev.LOCK.read_text()


# ── Chromium ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_chromium_path_is_used_when_it_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = fake_python(tmp_path, "my-chromium", 0)
    monkeypatch.setenv("CHROMIUM_PATH", str(program))
    assert dev.find_chromium() == str(program)


@pytest.mark.parametrize("status", [1, 127])
def test_a_chosen_chromium_that_does_not_start_is_not_replaced_in_silence(
    status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHROMIUM_PATH", str(fake_python(tmp_path, "my-chromium", status)))
    assert dev.find_chromium() is None


# ── PostgreSQL ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_postgresql_is_found_behind_a_link_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs, linked = tmp_path / "programs", tmp_path / "linked"
    programs.mkdir()
    linked.mkdir()
    for name in ("initdb", "postgres"):
        fake_python(programs, name, 0)
    (linked / "initdb").symlink_to(programs / "initdb")  # Debian and Homebrew link some of them only
    monkeypatch.setenv("PATH", str(linked))
    assert dev.find_postgres() == programs


# ── Commands ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert dev.main(["--help"]) == 0
    text = capsys.readouterr().out
    assert [name for name in dev.COMMANDS if not re.search(rf"^  {name} +\w", text, re.MULTILINE)] == []


def test_an_unknown_command_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert dev.main(["tset"]) == 2
    assert "'tset' is not a command" in capsys.readouterr().err


def test_the_makefile_knows_every_command() -> None:
    makefile = Path(dev.__file__).with_name("Makefile").read_text()
    (commands,) = re.findall(r"^COMMANDS := (.*)$", makefile, re.MULTILINE)
    assert commands.split() == list(dev.COMMANDS)


def test_a_folder_that_cannot_be_written_is_one_clear_line(
    installs: Installs, capsys: pytest.CaptureFixture[str]
) -> None:
    dev.VENV.write_text("a file where the folder should be")
    assert dev.main(["setup"]) == 1
    error = capsys.readouterr().err
    assert ".venv" in error
    assert "Traceback" not in error


def test_run_hands_signals_to_the_dashboard_by_becoming_it(tmp_path: Path) -> None:
    # In a process of its own, as exec replaces it: the process id before and after is the same.
    code = "import dev, os, sys; print(os.getpid(), flush=True); dev.become('/bin/sh', '-c', 'echo $$')"
    done = subprocess.run([sys.executable, "-c", code], cwd=dev.ROOT, capture_output=True, text=True, check=True)
    before, after = done.stdout.split()
    assert before == after
    assert os.getpid() != int(before)


def test_a_package_starts_no_server_of_the_system_and_the_rule_that_was_there_stays(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    with dev.no_services(policy):
        assert subprocess.run([policy, "nginx", "start"], check=False).returncode == 101  # forbidden
    assert not policy.exists()
    policy.write_text("mine")
    with dev.no_services(policy):
        assert policy.read_text() == "mine"
    assert policy.read_text() == "mine"
