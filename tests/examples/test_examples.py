"""Every example, in an empty folder and without a key. They share this process, and with it the embedded model."""

from __future__ import annotations

import io
import json
import os
import runpy
import sys
from pathlib import Path

import pytest

import dev

EXAMPLES = dev.ROOT / "examples"
LONGEST = 60
SHOWN = {
    "read_a_message": (
        "“How do I implement quicksort?”, read by SmolLM2",
        "Computational  0.9",
        "formula 0.44",
        "CD-SD",
    ),
    "stream_a_reply": ("> Explain quantum entanglement simply.", "mostly scientific", "mostly experiential", " ms, "),
    "radar_as_html": (
        "more experiential",
        "Radar of the four domains as LLM #1 reads the message",
        "written to radar.html",
    ),
    "read_many": ('{"message": "Sort this list.", "domains": {"CD": 0.', '"source": "embedded"'),
    "ladder_and_errors": (
        "(embedded), because LLM #1 failed: connection",
        "  local:my-model connection",
        "  embedded:SmolLM2-135M-Instruct ok",
        "nobody could read it (connection)",
        "a setting that cannot work: llm1_timeout_ms",
        "an argument outside its range: autonomy is 1.5",
    ),
    "evaluate_two": ("## offline reads 15 messages with an error of 0.0", "| Metric | Target | offline | formula |"),
    "guard_a_prompt": ("as expected",),
    "own_models": ("CD 0.90, SD 0.20, CuD 0.20, ED 0.90 by llm1", "characters of structured prompt."),
}
"""What each of them must have said."""


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(sys, "stdin", io.StringIO())


def status_of(script: Path) -> str | int | None:
    """The exit status of a script that is run in this process."""
    try:
        runpy.run_path(str(script), run_name="__main__")
    except SystemExit as ended:
        return ended.code
    return 0


def test_each_example_is_listed_here_and_in_the_library_guide() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(SHOWN)
    guide = (dev.ROOT / "docs" / "library.md").read_text()
    assert [path.name for path in EXAMPLES.iterdir() if path.is_file() and f"examples/{path.name}" not in guide] == []


@pytest.mark.parametrize("name", SHOWN)
def test_an_example_runs_without_a_key_and_shows_what_it_promises(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = EXAMPLES / f"{name}.py"
    monkeypatch.setattr(sys, "argv", [str(path)])
    assert not status_of(path)
    said = capsys.readouterr().out
    assert [words for words in SHOWN[name] if words not in said] == [], said


@pytest.mark.parametrize("name", SHOWN)
def test_an_example_is_short_and_says_on_top_what_it_shows(name: str) -> None:
    source = (EXAMPLES / f"{name}.py").read_text()
    assert len(source.splitlines()) < LONGEST
    assert source.startswith('"""')
    assert f"python {name}.py" in source


def test_the_guard_fails_when_a_message_is_read_in_another_way(capsys: pytest.CaptureFixture[str]) -> None:
    Path("suite.csv").write_text("id,message,cd_min,cd_max\nsort,How do I implement quicksort?,0,0.1\n")
    assert status_of(EXAMPLES / "guard_a_prompt.py") == 1
    assert "sort: CD is .95, expected .00 to .10" in capsys.readouterr().out


def test_the_notebook_runs_from_top_to_bottom_and_every_result_can_be_drawn() -> None:
    notebook = json.loads((EXAMPLES / "first_steps.ipynb").read_text())
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell for cell in cells if cell["outputs"] or cell["execution_count"]] == []
    names: dict[str, object] = {}
    cards = 0
    for cell in cells:
        *statements, last = "".join(cell["source"]).rstrip().splitlines()
        exec("\n".join(statements), names)  # noqa: S102  # our own notebook
        shown = eval(last, names)  # noqa: S307
        assert shown is not None
        cards += '<div class="vif-card' in getattr(shown, "_repr_html_", str)()
    assert cards == 3
