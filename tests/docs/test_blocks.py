"""Every code block of README and docs/ does what it says: run as it stands, or covered by a named test."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

import dev
from tests.conftest import without_provider_settings
from tests.docs.blocks import BLOCKS, COMMANDS, FILES, WITH_PROVIDERS, Block, blocks_of, pages
from tests.standin import Standin

PARSERS: Mapping[str, Callable[[str], object]] = {"toml": tomllib.loads, "json": json.loads, "yaml": yaml.safe_load}
ALL = [block for page in pages() for block in blocks_of(page)]
PYTHON_PAGES = list(dict.fromkeys(block.page for block in ALL if block.language == "python"))
SHELL = [block for block in ALL if block.language == "sh" and block.to_run]
DATA = [block for block in ALL if block.language in PARSERS]
_ASSIGNMENT = re.compile(r"[A-Z][A-Z0-9_]*=\S*( [A-Z][A-Z0-9_]*=\S*)*")
ACCEPTED = (
    "from vif.config import Admission, DualLlmConfig, unknown_variables;"
    "DualLlmConfig(); Admission(); assert unknown_variables() == [], unknown_variables()"
)
"""Does every setting of the environment exist, with a value it may have?"""


@pytest.fixture(scope="module")
def providers() -> Iterator[dict[str, str]]:
    """What leads to stand-ins for the providers that have a key for everybody."""
    with Standin() as standin:
        yield {
            name: value
            for api in ("openai", "anthropic")
            for name, value in {
                f"{api.upper()}_API_KEY": "k",
                f"{api.upper()}_BASE_URL": standin.base_url(api),
            }.items()
        }


@pytest.mark.parametrize(
    ("page", "keys"), [*((page, False) for page in PYTHON_PAGES), *((page, True) for page in sorted(WITH_PROVIDERS))]
)
def test_the_python_of_a_page_runs_from_top_to_bottom_in_an_empty_folder(
    page: str, keys: bool, providers: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VIF_LLM2_MAX_TOKENS", "24")  # short replies: two cores write ten words a second
    for name, value in (providers if keys else {}).items():
        monkeypatch.setenv(name, value)
    names: dict[str, object] = {"__name__": page}
    for block in ALL:
        if (block.page, block.language) == (page, "python"):
            # Lines are counted as in the page, for whoever reads a traceback.
            code = compile("\n" * (block.line - 1) + block.text, dev.ROOT / page, "exec", dont_inherit=True)
            exec(code, names)  # noqa: S102  # our own documentation


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_the_commands_of_a_block_run_in_an_empty_folder_with_an_empty_home(block: Block, tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "folder"
    home.mkdir()
    folder.mkdir()
    (folder / ".venv").symlink_to(dev.VENV)
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    environment = {
        "HOME": str(home),
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
        "VIF_LLM2_MAX_TOKENS": "24",
    }
    kept = {name: value for name, value in without_provider_settings(os.environ).items() if name in ("LANG", "TMPDIR")}
    script = [f'set -euo pipefail; exec < /dev/null; python() {{ {sys.executable} "$@"; }}']
    for command in block.to_run:
        if _ASSIGNMENT.fullmatch(command):
            script.append(f'set -a; {command}; set +a; python -P -c "{ACCEPTED}"')
        else:
            # 1: a target was missed, by how busy this machine is for example.
            measured = command.removeprefix(".venv/bin/").startswith("vif eval")
            script.append(f"{command} || test $? -eq 1" if measured else command)
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        check=False,
        cwd=folder,
        env=kept | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("block", DATA, ids=str)
def test_a_block_of_data_is_what_it_says_it_is(block: Block) -> None:
    assert PARSERS[block.language](block.text)


def test_every_block_is_run_or_read_or_covered_by_a_named_test() -> None:
    tried = {"python", "sh", *PARSERS}
    assert [
        str(block) for block in ALL if block.language not in tried and (block.page, block.language) not in BLOCKS
    ] == []


def test_nothing_is_listed_that_no_page_says() -> None:
    assert set(BLOCKS) - {(block.page, block.language) for block in ALL} == set()
    said = Counter(command for block in ALL if block.language == "sh" for command in block.commands)
    assert [command for command in COMMANDS if not said[command]] == []
    assert {page for page in WITH_PROVIDERS if page not in PYTHON_PAGES} == set()


def test_the_tests_that_cover_blocks_exist() -> None:
    for named in {*BLOCKS.values(), *COMMANDS.values()}:
        path, _, name = named.partition("::")
        tree = ast.parse((dev.ROOT / path).read_text("utf-8"))
        defined = {one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert name.startswith("test_"), named
        assert name in defined, named


def test_a_block_without_end_or_language_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text("# A\n\n```\nx\n```\n\n- one\n\n  ```sh\n  vif models  # all\n  ```\n\n```python\n1 / 0\n")
    assert [(b.language, b.text, b.line) for b in blocks_of(page)] == [
        ("", "x\n", 4),
        ("sh", "vif models  # all\n", 10),
        ("python", "1 / 0\n", 14),
    ]
    assert blocks_of(page)[1].commands == ["vif models"]
