"""`vif eval` as it is called: a real command against a stand-in over a real socket, kept in a real database."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import dev
from tests.conftest import without_provider_settings
from tests.evaluation.commands import HAIKU, KEY, LUNA, begin, count, ended, kept, settings, waited_for
from tests.evaluation.evaluating import a_run, cases_with_targets, stand_in
from tests.standin import READING, Latency, Mix, Plan, Standin, Tokens, fail, hang
from tests.wire.batches import BatchStandin
from vif.cli import main
from vif.cli_report import report_parts
from vif.cli_run import progress_words
from vif.evaluation import metrics
from vif.evaluation.records import Progress
from vif.evaluation.targets import TARGETS
from vif.store import StoreError

ESCAPES = "\x1b[31mred\x1b]0;title\x07\u202eback"
HEADING = "id,message,cd,tags\n"


@dataclass(frozen=True)
class Done:
    status: int
    out: str
    err: str

    @property
    def faults(self) -> list[str]:
        """The lines that tell what is wrong."""
        return [line for line in self.err.splitlines() if line.startswith("vif: ")]


class Terminal:
    """Calls the command in this process; the database is in `folder`."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._patch, self._capsys = folder, patch, capsys

    def __call__(self, *arguments: str | Path) -> Done:
        self._patch.setattr(sys, "argv", ["vif", "eval", *map(str, arguments)])
        self._patch.setattr(sys, "stdin", io.StringIO())
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = self._capsys.readouterr()
        assert "Traceback" not in err
        assert KEY not in out + err
        assert isinstance(ended.value.code, int)
        return Done(ended.value.code, out, err)

    def setting(self, **variables: str) -> None:
        for name, value in variables.items():
            self._patch.setenv(name, value)

    def suite(self, rows: int, name: str = "suite.csv") -> Path:
        """A suite of so many cases, every other one with the tag "even"."""
        lines = (f"c{row},the message of c{row},0.9,{'even' if row % 2 == 0 else 'odd'}\n" for row in range(rows))
        return self.file(HEADING + "".join(lines), name)

    def file(self, content: str | bytes, name: str = "suite.csv") -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    @property
    def nothing_was_begun(self) -> bool:
        return count(self.folder, "evaluation_runs") == 0


@pytest.fixture(scope="module")
def server() -> Iterator[Standin]:
    with Standin(key=KEY) as standin:
        yield standin


@pytest.fixture
def standin(server: Standin) -> Standin:
    server.reset()
    server.faults = None
    return server


@pytest.fixture
def vif(
    tmp_path: Path, standin: Standin, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Terminal:
    terminal = Terminal(tmp_path, monkeypatch, capsys)
    terminal.setting(**settings(tmp_path, standin), COLUMNS="100")
    # How busy the machine is that tests must not decide about an exit status.
    slower = {name: target for name, target in TARGETS.items() if name != "latency_p95"}
    monkeypatch.setattr(metrics, "TARGETS", slower)
    return terminal


# ── Exit statuses ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_configured_preset_and_the_formula_read_the_standard_suite_and_all_targets_are_met(
    vif: Terminal, standin: Standin
) -> None:
    done = vif("--repeats", "2")
    assert (done.status, done.faults) == (0, [])
    assert len(standin.requests) == 30
    for words in ("balanced reads 15 messages with an error of", "formula", "≥ 95 %", "100.0 % ✓ met", "Error"):
        assert words in " ".join(done.out.split())
    assert "missed" not in done.out
    ((run, results),) = kept(vif.folder)
    assert (run.suite, [subject.name for subject in run.subjects]) == ("standard", ["balanced", "formula"])
    assert len(results) == run.total == 60
    assert f"run {run.id}: 60 readings, 0 of them are there" in done.err


def test_with_one_key_only_the_model_that_would_read_is_asked(vif: Terminal, standin: Standin) -> None:
    vif.setting(OPENAI_API_KEY="")
    assert vif("--suite", vif.suite(2), "--repeats", "1").status == 0
    ((run, _),) = kept(vif.folder)
    assert [subject.name for subject in run.subjects] == [HAIKU, "formula"]
    assert {seen.api for seen in standin.requests} == {"anthropic"}


def test_a_missed_target_is_exit_status_1_and_named(vif: Terminal, standin: Standin) -> None:
    wrong = {name: {"permeability": 0.9, "status": "Transcendent"} for name in READING["boundaries"]}  # type: ignore[attr-defined]
    standin.reading = {**READING, "boundaries": wrong}
    done = vif("--suite", vif.suite(8), "--model", LUNA, "--repeats", "2")
    assert done.status == 1
    assert done.faults == [f"vif: targets missed by {LUNA}: Permeabilities near √(a·b)"]
    assert re.search(r"Permeabilities near √\(a·b\) +≥ 90 % +0\.0 % ✗ missed", done.out)


def test_a_model_that_never_reads_is_exit_status_3(vif: Terminal, standin: Standin) -> None:
    standin.faults = Mix(1.0, ("prose",))
    vif.setting(VIF_LLM1_MAX_RETRIES="0")
    done = vif("--suite", vif.suite(3), "--model", LUNA, "--formula", "--repeats", "1")
    assert done.status == 3
    (fault,) = done.faults
    assert fault.startswith("vif: nothing could be read; ")
    assert "not JSON" in fault
    assert "✗ missed" in done.out


def test_a_refused_key_is_exit_status_3_and_says_how_to_go_on(vif: Terminal, standin: Standin) -> None:
    standin.expected_key = "another"
    done = vif("--suite", vif.suite(3), "--model", LUNA, "--repeats", "1", "--concurrency", "1")
    (fault,) = done.faults
    ((run, results),) = kept(vif.folder)
    assert (done.status, results, len(standin.requests)) == (3, (), 1)
    assert fault.startswith(f"vif: nothing could be read; stopped at 0 of 3 readings: {LUNA} cannot be asked: ")
    assert fault.endswith(f"; go on with: vif eval --resume {run.id}")


def test_the_formula_alone_reads_without_a_key_or_a_call(vif: Terminal, standin: Standin) -> None:
    vif.setting(OPENAI_API_KEY="", ANTHROPIC_API_KEY="")
    done = vif("--formula", "--repeats", "1")
    assert (done.status, done.faults, standin.requests) == (0, [], [])
    assert "nobody but the Rust formula was asked" in done.out


def test_a_budget_that_runs_out_is_exit_status_2_and_what_was_read_is_reported(vif: Terminal, standin: Standin) -> None:
    # Half a million tokens an answer, which nobody could foresee.
    standin.plan("openai", *[Plan(tokens=Tokens(500_000, 500_000))] * 4)
    arguments = ("--suite", vif.suite(4), "--model", LUNA, "--repeats", "1", "--concurrency", "1")
    done = vif(*arguments, "--budget", "0.01")
    ((run, results),) = kept(vif.folder)
    assert (done.status, len(results)) == (2, 1)
    (fault,) = done.faults
    assert fault.startswith("vif: stopped at 1 of 4 readings: the budget of $0.0100 does not cover another call")
    assert fault.endswith(f"vif eval --resume {run.id}")
    assert "So far 1 of 4 readings are there." in " ".join(done.out.split())


# ── Wrong use ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--repeats", "0"), "0 is not in the range"),
        (("--concurrency", "0"), "0 is not in the range"),
        (("--budget", "-1"), "-1.0 is not in the range"),
        (("--preset", "turbo"), "preset is 'turbo'; it should be 'balanced'"),
        (("--model", "gpt"), "--model 'gpt' must be written provider:model"),
        (
            ("--model", "closedai:gpt"),
            "--model 'closedai:gpt' must be written provider:model, with provider one of openai",
        ),
        (("--model", LUNA, "--model", LUNA), "is named twice"),
        (("--model", "openrouter:some/model"), "OPENROUTER_API_KEY is not set"),
        (("--model", LUNA, "--budget", "0.000001"), "raise the budget"),
        (("--model", "openai:nobody-knows", "--budget", "1"), "the price of 'openai:nobody-knows' is not known"),
        (("--tag", "nowhere"), "no case of the suite has the tag 'nowhere'; it has even, odd"),
        (("--formula", "--batch"), "nobody who reads can be asked in batches"),
        (("--resume", "0" * 32), "--suite belongs to a new run"),
    ],
)
def test_wrong_use_is_one_line_and_exit_status_2_before_anybody_is_asked(
    vif: Terminal, standin: Standin, arguments: tuple[str, ...], words: str
) -> None:
    done = vif("--suite", vif.suite(2), *arguments)
    assert (done.status, done.out) == (2, "")
    assert done.err.count("\n") == 1
    (fault,) = done.faults
    assert words in fault
    assert standin.requests == []
    assert vif.nothing_was_begun


@pytest.mark.parametrize(
    ("content", "faults"),
    [
        (
            "id,message,cd_min,cd_max\na,one,0.9,0.1\nb,two,0.1,\nc,three,2,3\nd,four,0.1,0.2\nd,five,,\n",
            [
                "row 2: cd_min is 0.9, above cd_max, 0.1",
                "row 3: cd_min and cd_max go together; one of them is empty",
                "row 4: cd_min is '2'; it must be a number from 0 to 1",
                "row 6: the id 'd' is the one of row 5 too",
            ],
        ),
        ("id,message,colour\na,one,red\n", ["row 1: the column 'colour' is not known; use id, message, "]),
        (b"id,message\na,caf\xe9\n", ["row 2: byte 6 of the line is 0xe9, which is not UTF-8; save the file as UTF-8"]),
        (f"id,message\na,{'x' * 1_000_000}\nb,fine\n", ["row 2: message: "]),
        (f"id,message,cd\na,one,{'9' * 1_000_000}\n", ["row 2: cd is '99"]),
        ('{"id": "a", "message": "one"}\n{"id": "b"\n', ["row 2: not JSON: "]),
        (f"id,message,cd\na,one,{ESCAPES}\n", ["row 2: cd is '"]),
        ("", ["row 1: the column 'id' is missing"]),
    ],
    ids=["many", "column", "encoding", "megabyte", "long number", "json", "escapes", "empty"],
)
def test_a_bad_suite_is_refused_and_every_faulty_row_has_a_line(
    vif: Terminal, standin: Standin, content: str | bytes, faults: Sequence[str]
) -> None:
    path = vif.file(content)
    before = path.read_bytes()
    done = vif("--suite", path)
    assert (done.status, done.out) == (2, "")
    assert len(done.faults) == done.err.count("\n") == len(faults)
    for line, fault in zip(done.faults, faults, strict=True):
        assert line.startswith(f"vif: {path}: {fault}")
        assert len(line) < 600
        assert "\x1b" not in line
    assert standin.requests == []
    assert vif.nothing_was_begun
    assert path.read_bytes() == before


def test_no_faulty_row_is_left_out(vif: Terminal) -> None:
    path = vif.file(HEADING + "".join(f"c{row},message,many,\n" for row in range(300)))
    assert [line.split(": ")[2] for line in vif("--suite", path).faults] == [f"row {row}" for row in range(2, 302)]


@pytest.mark.parametrize(
    "name", [ESCAPES, "two\nlines.csv", "=cmd()", "--yes", "~", "%s{0}[red]", "a" * 300, "not\udcffutf8", "nul\0"]
)
def test_a_suite_that_is_not_there_is_one_clean_line_whatever_its_name(vif: Terminal, name: str) -> None:
    done = vif(f"--suite={name}")
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert "cannot be read" in done.err
    assert not set("\x1b\x07\u202e\0") & set(done.err)


@pytest.mark.parametrize("name", [ESCAPES.replace("/", ""), "two\nlines.csv", "=1+1.csv", "[red]", "not\udcffutf8"])
def test_a_suite_may_be_called_anything(vif: Terminal, name: str) -> None:
    done = vif(f"--suite={vif.suite(1, name)}", "--formula", "--repeats", "1")
    assert done.status == 0
    ((run, _),) = kept(vif.folder)
    assert not set("\x1b\x07\u202e\udcff") & set(run.suite + done.out + done.err)
    listed = vif("--list")
    assert listed.out.count("\n") == 1
    assert not set("\x1b\x07\u202e") & set(listed.out)


def test_a_folder_and_a_file_without_end_are_no_suites(vif: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vif.cli_eval.LARGEST_SUITE", 1_000)
    for name, why in ((str(vif.folder), "Is a directory"), ("/dev/zero", "is larger than 1,000 bytes")):
        done = vif("--suite", name)
        assert (done.status, done.err.count("\n")) == (2, 1)
        assert why in done.err


# ── Output ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_json_is_one_object_and_nothing_else_is_on_stdout(vif: Terminal) -> None:
    done = vif("--suite", vif.suite(2), "--model", LUNA, "--repeats", "1", "--json")
    report: Any = json.loads(done.out)
    ((run, _),) = kept(vif.folder)
    assert done.status == 0
    assert run.id in done.out
    assert isinstance(report, dict)


def test_files_are_written_with_what_was_asked_for(vif: Terminal) -> None:
    paths = {kind: vif.folder / f"-report é.{kind}" for kind in ("markdown", "html", "csv")}
    asked = [f"--{kind}={path}" for kind, path in paths.items()]
    done = vif("--suite", vif.suite(3), "--model", LUNA, "--formula", "--repeats", "2", *asked)
    assert done.status == 0
    texts = {kind: path.read_text("utf-8") for kind, path in paths.items()}
    assert all(LUNA in text for text in texts.values())
    assert texts["html"].lower().lstrip().startswith("<!doctype html>")
    assert texts["csv"].count("\n") == 1 + 3 * 2 * 2


def test_a_file_that_cannot_be_written_is_refused_before_anybody_is_asked(vif: Terminal, standin: Standin) -> None:
    suite, there = vif.suite(2), vif.folder / "r.html"
    wrong: list[tuple[str | Path, ...]] = [
        ("--html", vif.folder / "nowhere" / "r.html"),
        ("--csv", vif.folder),
        ("--csv", suite),
        ("--csv", vif.folder / "." / "suite.csv"),
        ("--html", there, "--markdown", there),
        ("--markdown", vif.folder / ESCAPES / "r.md"),
    ]
    before = suite.read_bytes()
    for arguments in wrong:
        done = vif("--suite", suite, *arguments)
        assert (done.status, done.err.count("\n")) == (2, 1), arguments
        assert "\x1b" not in done.err
    assert suite.read_bytes() == before
    assert (standin.requests, there.exists()) == ([], False)
    assert vif.nothing_was_begun


def test_runs_are_listed_the_newest_first(vif: Terminal) -> None:
    assert vif("--list").out == ""
    for rows in (1, 2):
        vif("--suite", vif.suite(rows, f"{rows}.csv"), "--formula", "--repeats", "1")
    newest, oldest = vif("--list").out.splitlines()
    assert re.fullmatch(r"[0-9a-f]{32}  \d{4}-\d\d-\d\d \d\d:\d\d  2/2  2\.csv  formula", newest)
    assert "1/1  1.csv" in oldest
    rows = json.loads(vif("--list", "--json").out)
    assert [(row["suite"], row["done"], row["total"]) for row in rows] == [("2.csv", 2, 2), ("1.csv", 1, 1)]
    assert rows[0]["id"] == newest.split()[0]


# ── What is read ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_only_cases_with_one_of_the_tags_are_read(vif: Terminal, standin: Standin) -> None:
    done = vif("--suite", vif.suite(5), "--model", LUNA, "--repeats", "1", "--tag", "even")
    assert done.status == 0
    ((run, _),) = kept(vif.folder)
    assert [case.id for case in run.cases] == ["c0", "c2", "c4"]
    assert run.suite == "suite.csv, even"
    assert len(standin.requests) == 3


def test_real_providers_are_not_asked_without_consent(vif: Terminal) -> None:
    vif.setting(OPENAI_BASE_URL="http://provider.invalid/v1")
    done = vif("--suite", vif.suite(1_000), "--model", LUNA, "--model", HAIKU, "--repeats", "2", "--formula")
    # HAIKU is asked on this machine. LUNA: $0.1 and $0.5 a million tokens in and out are at least 300 × 0.5 a call.
    found = re.fullmatch(
        r"vif: 2000 messages go to real providers, for about \$(\d+\.\d\d); say --yes when that is meant\n", done.err
    )
    assert done.status == 2
    assert found
    assert 0.3 < float(found[1]) < 3
    assert vif.nothing_was_begun


def test_a_run_that_stopped_is_taken_up_again_and_nothing_is_asked_twice(vif: Terminal, standin: Standin) -> None:
    standin.plan("openai", *[Plan()] * 5, fail(401))
    arguments = ("--suite", vif.suite(6), "--model", LUNA, "--repeats", "2", "--concurrency", "1")
    assert vif(*arguments).status == 2
    ((run, before),) = kept(vif.folder)
    assert len(before) == 5
    standin.requests.clear()
    done = vif("--resume", run.id)
    assert done.status == 0
    assert f"run {run.id}: 12 readings, 5 of them are there" in done.err
    assert len(standin.requests) == 7
    ((_, after),) = kept(vif.folder)
    assert after[:5] == before
    assert len({result.key for result in after}) == 12


def test_a_finished_run_is_reported_again_without_a_key_or_a_call(vif: Terminal, standin: Standin) -> None:
    first = vif("--suite", vif.suite(2), "--model", LUNA, "--repeats", "2")
    ((run, _),) = kept(vif.folder)
    standin.requests.clear()
    vif.setting(OPENAI_API_KEY="", ANTHROPIC_API_KEY="")
    again = vif("--resume", run.id)
    assert (again.status, again.out, again.err) == (first.status, first.out, "")
    assert standin.requests == []


@pytest.mark.parametrize("id", ["0" * 32, ESCAPES, "x" * 5_000, "' OR 1=1 --", "nul\0", "half\udcff"])
def test_a_run_that_is_not_there_is_one_line(vif: Terminal, id: str) -> None:
    done = vif(f"--resume={id}")
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert "there is no run" in done.err
    assert "\x1b" not in done.err
    assert len(done.err) < 1_000


# ── Ctrl-C ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_ctrl_c_finishes_what_is_under_way_keeps_it_and_says_how_to_go_on(tmp_path: Path) -> None:
    with Standin(llm1=Latency(0.1, 0.2), key=KEY) as standin:
        process = begin(tmp_path, standin, "--model", LUNA, "--repeats", "3", "--concurrency", "3")
        waited_for(lambda: count(tmp_path) >= 5, process, "a few results were kept")
        process.send_signal(signal.SIGINT)
        status, out, err = ended(process)
        ((run, results),) = kept(tmp_path)
        assert (status, out) == (130, "")
        assert err.splitlines()[1:] == [
            "finishing the calls under way; once more to leave now",
            f"vif: interrupted; {len(results)} of 45 readings are kept; go on with: vif eval --resume {run.id}",
        ]
        assert 5 <= len(results) == len(standin.requests) < 45


def test_ctrl_c_twice_does_not_wait_for_an_answer_that_does_not_come(tmp_path: Path) -> None:
    with Standin(key=KEY) as standin:
        standin.plan("openai", Plan(), *[hang()] * 50)
        errors = tmp_path / "stderr"
        with errors.open("w") as stderr:
            process = begin(tmp_path, standin, "--model", LUNA, "--concurrency", "2", stderr=stderr)
            waited_for(lambda: count(tmp_path) == 1 and len(standin.requests) == 3, process, "a call was under way")
            process.send_signal(signal.SIGINT)
            waited_for(lambda: "once more" in errors.read_text(), process, "the first Ctrl-C was answered")
            process.send_signal(signal.SIGINT)
            status, out, _ = ended(process)
    assert (status, out) == (130, "")
    assert "vif: interrupted; 1 of 75 readings are kept; go on with: vif eval --resume " in errors.read_text()
    assert "Traceback" not in errors.read_text()


def test_progress_is_drawn_on_a_terminal_with_what_is_spent(tmp_path: Path) -> None:
    with Standin(llm1=Latency(0.1, 0.1), key=KEY) as standin:
        ours, theirs = pty.openpty()
        with os.fdopen(theirs, "w") as terminal:
            process = begin(
                tmp_path,
                standin,
                "--model",
                LUNA,
                "--repeats",
                "1",
                "--concurrency",
                "1",
                stderr=terminal,
                TERM="xterm",
            )
        drawn = b""
        while True:
            try:
                drawn += os.read(ours, 65_536)
            except OSError:  # nobody has it open any more
                break
        os.close(ours)
        ended(process)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn.decode())
    assert re.search(r"\d+/15 \$0\.\d{4} spent, 0:0\d left", text)


# ── Batches ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_batch_outlives_the_command_and_is_fetched_when_the_run_is_taken_up(tmp_path: Path) -> None:
    (tmp_path / "suite.csv").write_text("id,message,cd\n" + "".join(f"c{row},message {row},0.9\n" for row in range(6)))
    with BatchStandin() as standin:
        process = begin(tmp_path, standin, "--suite", "suite.csv", "--model", LUNA, "--repeats", "2", "--batch")
        waited_for(lambda: count(tmp_path, "evaluation_batches") == 1, process, "the batch was remembered")
        process.send_signal(signal.SIGINT)
        status, _, err = ended(process)
        ((run, results),) = kept(tmp_path)
        assert (status, results) == (130, ())
        (held,) = standin.batches.values()
        assert len(held.requests) == 12
        assert held.status == "in_progress"

        standin.end(held.id)
        status, out, err = ended(begin(tmp_path, standin, "--resume", run.id))  # with batches, as it was begun
        assert status == 0, err
        ((_, results),) = kept(tmp_path)
        assert len(results) == 12
        assert all(result.batched for result in results)
        assert "$" in out
        assert list(standin.batches) == [held.id]
        assert standin.requests == []


# ── The pieces ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom vif.cli import cli\n"
        "for arguments in (['--help'], ['eval', '--help']):\n"
        "    cli.main(arguments, standalone_mode=False)\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} | set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=dev.ROOT,
        env=without_provider_settings(os.environ),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--resume RUN_ID" in done.stdout
    loaded = set(re.findall(r"'([^']+)'", done.stderr))
    assert {"vif", "click", "vif.cli_eval"} <= loaded
    heavy = {
        "pydantic",
        "rich",
        "numpy",
        "sqlalchemy",
        "openai",
        "anthropic",
        "aiohttp",
        "vif.config",
        "vif.evaluation",
    }
    assert not heavy & loaded


def test_progress_in_words() -> None:
    assert progress_words(Progress(0, 10, 0, 0.0, None)) == "$0.0000 spent"
    assert progress_words(Progress(3, 10, 2, 0.0123, 65.4)) == "$0.0123 spent, 2 failed, 1:05 left"
    assert progress_words(Progress(10, 10, 0, 1.5, 0.0)) == "$1.5000 spent"


def test_the_terminal_shows_who_errs_less_and_no_escape_of_a_name() -> None:
    rng = np.random.default_rng(1)
    cases = cases_with_targets(20, rng)
    run = a_run(cases, "good", f"bad{ESCAPES}[red]")
    results = [
        *stand_in("good", cases, rng, noise=0.01),
        *stand_in(run.subjects[1].name, cases, rng, bias=0.3, noise=0.01),
    ]
    console = Console(width=80, file=io.StringIO(), highlight=False)
    for part in report_parts(metrics.evaluate(run, results), 80):
        console.print(part)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "good errs less (error −0." in " ".join(text.split())
    assert "bad␛[31mred␛]0;title␇�back[red]" in "".join(text.split())
    assert not set("\x1b\x07\u202e") & set(text)
    assert max(map(len, text.splitlines())) <= 80


def test_a_database_that_fails_is_one_line(vif: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr("vif.evaluation.keeping.EvaluationStore.add_result", full)
    done = vif("--suite", vif.suite(2), "--formula", "--repeats", "1", "--concurrency", "1")
    assert (done.status, done.faults) == (2, ["vif: the disk is full"])
