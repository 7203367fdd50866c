"""The commands as they are called: arguments and stdin in; stdout, stderr and exit status out."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import VIF, FakeModel, FakeRecogniser, Plan, Said, answer, wire_text
from vif.api import Keeper, VifApi
from vif.catalogue import CATALOGUE
from vif.cli import AT_ONCE, main
from vif.config import Access, DualLlmConfig
from vif.errors import AuthError, BadRequestError, ServerError
from vif.interaction import Interaction
from vif.llm.protocol import Provider, Usage
from vif.recognition.recogniser import Question, Read, Recogniser
from vif.telemetry.observer import NOBODY_LOOKS, Observer

SECRET = "sk-proj-Zq3vT8mWx1LrYb6NdKf0"
ESCAPES = "\x1b[31mred\x1b]0;title\x07 \x9b2J \u202eback\u2066"
"""A colour, a window title, a cleared screen, text that runs backwards."""


@dataclass(frozen=True)
class Done:
    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


class Terminal:
    """Calls the command in this process."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.patch = patch

    def __call__(self, *arguments: str, stdin: str | bytes = "") -> Done:
        given = stdin if isinstance(stdin, bytes) else stdin.encode()
        streams = [io.TextIOWrapper(io.BytesIO(content), encoding="ascii") for content in (given, b"", b"")]
        with self.patch.context() as patch:
            patch.setattr(sys, "argv", ["vif", *arguments])
            for name, stream in zip(("stdin", "stdout", "stderr"), streams, strict=True):
                patch.setattr(sys, name, stream)
            with pytest.raises(SystemExit) as ended:
                main()
        for stream in streams[1:]:
            stream.flush()
        out, err = (stream.buffer.getvalue().decode() for stream in streams[1:])
        assert isinstance(ended.value.code, int)
        return Done(ended.value.code, out, err)

    def with_models(self, llm1: Recogniser | FakeModel | Sequence[Any], *replies: Plan) -> Terminal:
        """From now on these models answer, whatever the settings name."""

        def connect(
            config: DualLlmConfig, access: Access, *, store: Keeper | None = None, observer: Observer = NOBODY_LOOKS
        ) -> VifApi:
            return VifApi.with_dual_llm(llm1, FakeModel(*replies), config, store=store, observer=observer)

        self.patch.setattr("vif.connection.connect", connect)
        return self

    def setting(self, **variables: str) -> Terminal:
        for name, value in variables.items():
            self.patch.setenv(name, value)
        return self


@pytest.fixture
def vif(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal(monkeypatch)


def one_line(done: Done) -> str:
    """What went wrong: one line on stderr, nothing on stdout."""
    assert done.out == ""
    assert done.err.startswith("vif: ")
    assert done.err.count("\n") == 1
    assert "Traceback" not in done.err
    return done.err.removeprefix("vif: ").strip()


# ── Wrong use and configuration ─────────────────────────────────────────────────────────────────────────────────────

WRONG = {
    "unknown preset": (
        ("run", "--preset", "turbo", "Why?"),
        {},
        "preset is 'turbo'; it should be 'balanced', 'fast', 'cheap', 'reliable' or 'offline'",
    ),
    "time-out 0": (
        ("run", "Why?"),
        {"VIF_LLM1_TIMEOUT_MS": "0"},
        "llm1_timeout_ms (VIF_LLM1_TIMEOUT_MS) is '0'; it should be greater than 0",
    ),
    "unknown provider": (
        ("recognise", "Why?"),
        {"VIF_LLM1_PROVIDER": "closedai"},
        "llm1_provider (VIF_LLM1_PROVIDER) is 'closedai'; "
        "it should be 'openai', 'anthropic', 'openrouter', 'local' or 'embedded'",
    ),
    "missing key": (
        ("run", "--preset", "balanced", "Why?"),
        {},
        "OPENAI_API_KEY is not set, and the preset 'balanced' uses openai:gpt-6-luna; set it, or choose the preset "
        "'offline', which needs no key",
    ),
    "missing key for a chosen provider": (
        ("run", "Why?"),
        {"VIF_LLM2_PROVIDER": "anthropic"},
        "ANTHROPIC_API_KEY is not set, and the configuration uses anthropic:claude-sonnet-5-5; set it, or choose the "
        "provider 'embedded', which needs no key",
    ),
    "missing address": (
        ("run", "Why?"),
        {"VIF_LLM2_PROVIDER": "local", "VIF_LLM2_MODEL": "llama"},
        "VIF_LOCAL_BASE_URL is not set, and the configuration uses local:llama; set it, or choose the provider "
        "'embedded', which needs no key",
    ),
    "missing model": (
        ("run", "Why?"),
        {"VIF_LLM1_PROVIDER": "local", "VIF_LOCAL_BASE_URL": "http://127.0.0.1:1/v1"},
        "llm1_model must be named for the provider 'local'",
    ),
    "missing weights": (
        ("run", "Why?"),
        {"VIF_GGUF_PATH": "/nowhere/model.gguf"},
        "VIF_GGUF_PATH is '/nowhere/model.gguf', which does not exist; it must be a readable GGUF model file",
    ),
    "autonomy out of range": (
        ("run", "--autonomy", "2", "Why?"),
        {},
        "autonomy is 2.0; it must be a number from 0 to 1",
    ),
    "autonomy no number": (
        ("run", "--autonomy", "much", "Why?"),
        {},
        "Invalid value for '--autonomy': 'much' is not a valid float.",
    ),
    "unknown command": (("walk",), {}, "No such command 'walk'."),
    "unknown option": (("run", "--quickly", "Why?"), {}, "No such option '--quickly'."),
    "no message": (("run",), {}, "Missing argument 'MESSAGE'."),
    "two messages": (("run", "How?", "Why?"), {}, "Got unexpected extra argument (Why?)"),
    "neither message nor lines": (("recognise",), {}, "give either MESSAGE or --jsonl with lines on stdin"),
    "message and lines": (("recognise", "--jsonl", "Why?"), {}, "give either MESSAGE or --jsonl with lines on stdin"),
    "half a character": (
        ("run", "ab\udcff"),
        {},
        "the message is not valid text: character 3 is half a character",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_use_is_one_line_and_status_2(vif: Terminal, name: str) -> None:
    arguments, variables, message = WRONG[name]
    done = vif.setting(**variables)(*arguments)
    assert (one_line(done), done.status) == (message, 2)


def test_weights_that_are_no_gguf_are_named(vif: Terminal, tmp_path: Path) -> None:
    weights = tmp_path / "model.gguf"
    weights.write_bytes(b"<html>not found</html>")
    done = vif.setting(VIF_GGUF_PATH=str(weights))("recognise", "Why?")
    assert done.status == 2
    assert str(weights) in one_line(done)
    assert "is not a GGUF file" in done.err


def test_a_key_that_cannot_be_one_is_not_shown(vif: Terminal) -> None:
    key = f"{SECRET} {SECRET}"
    done = vif.setting(OPENAI_API_KEY=key, VIF_LLM2_PROVIDER="openai")("run", "Why?")
    assert done.status == 2
    assert "the API key for 'openai'" in one_line(done)
    assert SECRET not in done.err


def test_wrong_settings_end_a_real_process_without_a_traceback() -> None:
    environment = {"VIF_PRESET": "turbo", "PATH": "", "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run([*VIF, "run", "Why?"], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "vif: preset is 'turbo'; it should be 'balanced', 'fast', 'cheap', 'reliable' or 'offline'\n"


def test_without_a_command_the_help_is_shown(vif: Terminal) -> None:
    done = vif()
    assert (done.status, done.out) == (2, "")
    assert "Commands:\n" in done.err


def test_help_and_version_are_no_failures(vif: Terminal) -> None:
    helped, version = vif("run", "-h"), vif("--version")
    assert (helped.status, version.status) == (0, 0)
    assert "--autonomy A" in helped.out
    assert version.out.startswith("vif 0.")


def test_an_unknown_variable_is_a_warning(vif: Terminal) -> None:
    done = vif.with_models(FakeRecogniser(answer()), "Because.").setting(VIF_LLM1_TIMEOUT="1")("run", "Why?")
    assert done.status == 0
    assert done.err == (
        "vif: warning: VIF_LLM1_TIMEOUT is not a setting of this version; did you mean VIF_LLM1_TIMEOUT_MS?\n"
    )


def test_a_retired_model_is_a_warning_with_its_successor(vif: Terminal) -> None:
    vif.setting(OPENAI_API_KEY=SECRET, VIF_LLM1_MODEL="gpt-3.5-turbo", VIF_LLM2_PROVIDER="openai")
    done = vif.with_models(FakeRecogniser(answer()), "Because.")("run", "Why?")
    assert done.status == 0
    assert done.err == (
        "vif: warning: gpt-3.5-turbo was shut down on 2026-10-23: calls to it fail; use gpt-6-luna instead\n"
    )


# ── vif run ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_run_shows_the_reading_the_reply_and_what_it_took(vif: Terminal) -> None:
    usage = Usage(1200, 300)
    done = vif.with_models(FakeRecogniser(answer(CD=0.9)), Said(("Because ", "so."), usage=usage))("run", "Why?")
    assert (done.status, done.err) == (0, "")
    reading, reply, metadata = done.out.split("\n\n")
    assert reading.splitlines() == [
        "read by gpt-6-luna (llm1)",
        "  Computational ██████████████████   0.90",
        "  Scientific    ████████             0.40",
        "  Cultural      ██                   0.10",
        "  Experiential  ████                 0.20",
    ]
    assert reply == "Because so."
    assert metadata.startswith("gpt-6-luna, first token ")
    assert metadata.endswith("1200 + 300 tokens, $0.00027, finished: stop\n")


def test_run_says_why_the_formula_reads(vif: Terminal) -> None:
    done = vif.with_models(FakeRecogniser(AuthError("wrong key")), "Because.")("run", "Why?")
    assert done.status == 0
    assert done.out.startswith("read by the Rust formula, because LLM #1 failed: auth\n  Computational █████████ ")


def test_run_as_json_prints_one_interaction(vif: Terminal) -> None:
    done = vif.with_models(FakeRecogniser(answer()), "Because.")("run", "--json", "--autonomy", "0.25", "Why?")
    assert (done.status, done.err, done.out.count("\n")) == (0, "", 1)
    interaction = Interaction.model_validate_json(done.out)
    assert (interaction.message, interaction.reply, interaction.autonomy) == ("Why?", "Because.", 0.25)
    assert interaction.preset == "offline"


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_failure_of_llm_2_is_status_3_with_everything_else_there(vif: Terminal, options: tuple[str, ...]) -> None:
    vif.with_models(FakeRecogniser(answer()), Said(("Half a ",), then=ServerError("openai gpt-6-luna: HTTP 529")))
    done = vif("run", *options, "Why?")
    assert done.status == 3
    assert done.err == "vif: LLM #2 failed: openai gpt-6-luna: HTTP 529\n"
    if options:
        interaction = Interaction.model_validate_json(done.out)
        assert (interaction.reply, interaction.domains["CD"]) == ("Half a ", 0.9)
    else:
        assert "read by gpt-6-luna" in done.out
        assert "Half a " in done.out


@pytest.mark.parametrize("command", [("run", "Why?"), ("run", "--json", "Why?"), ("recognise", "Why?")])
def test_without_the_formula_to_fall_back_to_a_failure_of_llm_1_is_status_3(
    vif: Terminal, command: tuple[str, ...]
) -> None:
    vif.setting(VIF_FALLBACK_TO_FORMULA="false").with_models(FakeRecogniser(AuthError("wrong key")), "Because.")
    done = vif(*command)
    assert (one_line(done), done.status) == ("LLM #1 gave no reading: wrong key", 3)


def test_an_interrupt_is_quiet(vif: Terminal) -> None:
    async def interrupted() -> Read:
        raise KeyboardInterrupt

    done = vif.with_models(FakeRecogniser(interrupted), "Because.")("run", "Why?")
    assert (done.status, done.out, done.err.strip()) == (130, "", "")


# ── The log ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_asks_for_a_log_gets_json_lines_on_stderr(vif: Terminal) -> None:
    vif.setting(VIF_LOG_LEVEL="info")
    done = vif.with_models(FakeRecogniser(answer()), "Because.")("run", "Why?")
    events = [json.loads(line)["event"] for line in done.err.splitlines()]
    assert events[0] == "interaction begun"
    assert events[-1] == "interaction finished"
    assert "Why?" not in done.err


# ── The database ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_was_run_is_in_the_database(vif: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "kept.sqlite3"
    vif.setting(VIF_DATABASE_URL=f"sqlite:///{file}")
    done = vif.with_models(FakeRecogniser(answer()), "Because.")("run", "--json", "Why?")
    with contextlib.closing(sqlite3.connect(file)) as database:
        assert database.execute("SELECT id, message FROM interactions").fetchall() == [
            (json.loads(done.out)["id"], "Why?")
        ]


def test_a_database_that_cannot_be_used_is_said_before_anybody_is_asked(vif: Terminal) -> None:
    vif.setting(VIF_DATABASE_URL="mysql://me:hunter2secret@host/db")
    done = vif.with_models(FakeRecogniser(), "Because.")("run", "Why?")
    assert done.status == 2
    assert "database_url (VIF_DATABASE_URL) names 'mysql'" in one_line(done)
    assert "hunter2secret" not in done.err


def test_a_home_that_cannot_be_written_to_is_only_mentioned(
    vif: Terminal, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = tmp_path / "a file"
    nowhere.touch()
    vif.setting(XDG_DATA_HOME=str(nowhere))
    done = vif.with_models(FakeRecogniser(answer()), "Because.")("run", "Why?")
    assert done.status == 0
    assert "Because." in done.out
    assert "was not stored" in caplog.text


# ── Text of others ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_escape_sequence_of_a_model_reaches_the_terminal(vif: Terminal) -> None:
    pieces = Said(("One \x1b", f"[2J{ESCAPES}", "\r\n\ttwo"), model=f"m{ESCAPES}")
    done = vif.with_models(FakeRecogniser(answer(), model=f"r{ESCAPES}"), pieces)("run", "Why?")
    assert done.status == 0
    assert not set(done.out) & set("\x1b\x07\x9b\r\u202e\u2066")
    assert "One [2J[31mred]0;title 2J back\n\ttwo" in done.out


def test_no_escape_sequence_in_an_error_reaches_the_terminal(vif: Terminal) -> None:
    done = vif.with_models(FakeRecogniser(answer()), BadRequestError(f"HTTP 400: {ESCAPES}"))("run", "Why?")
    assert done.err == "vif: LLM #2 failed: HTTP 400: [31mred]0;title 2J back\n"


@pytest.mark.parametrize("command", [("run", "--json", ESCAPES), ("recognise", ESCAPES)])
def test_json_has_them_escaped_and_whole(vif: Terminal, command: tuple[str, ...]) -> None:
    done = vif.with_models(FakeModel(wire_text(reasoning=ESCAPES)), ESCAPES)(*command)
    assert not set(done.out) & set("\x1b\x07\x9b\u202e\u2066")
    found = json.loads(done.out)
    assert found["message"] == ESCAPES
    assert found["recognition"]["reasoning"] == ESCAPES
    assert found.get("reply", ESCAPES) == ESCAPES


@pytest.mark.parametrize(
    "text", ["Bonjour\u202f!", "a\u00a0b", "量子\u3000力学", "👩\u200d💻", "می\u200cخواهم", "ﬁ\u0301"]
)
def test_text_of_any_language_is_shown_as_it_is(vif: Terminal, text: str) -> None:
    assert text in vif.with_models(FakeRecogniser(answer()), text)("run", "Why?").out


# ── vif recognise ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_recognise_prints_the_reading_beside_the_formulas(vif: Terminal) -> None:
    done = vif.with_models(FakeRecogniser(answer(CD=0.9)))("recognise", "Why?")
    assert (done.status, done.err) == (0, "")
    found = json.loads(done.out)
    assert list(found) == ["message", "domains", "boundaries", "formula", "recognition"]
    assert (found["message"], found["domains"]["CD"], found["formula"]["domains"]["CD"]) == ("Why?", 0.9, 0.8 * 0.55)
    assert list(found["boundaries"][0]) == ["name", "permeability", "status", "frequency", "amplitude", "phase"]
    assert found["recognition"]["source"] == "llm1"


def test_recognise_of_one_message_fails_like_any_other_command(vif: Terminal) -> None:
    done = vif.with_models(FakeRecogniser())("recognise", "x" * 200_001)
    assert done.status == 2
    assert "the message has 200,001 characters" in one_line(done)


class Careful:
    """A recogniser whose first reading is ready last: it waits until as many as may be asked at once were asked."""

    provider, model, attempts = Provider.LOCAL, "careful", None

    def __init__(self, together: int) -> None:
        self.together = together
        self.under_way = self.most = self.begun = 0
        self.all_there: asyncio.Event | None = None

    async def read(self, question: Question, complaint: str | None, timeout_s: float) -> Read:
        self.all_there = self.all_there or asyncio.Event()
        self.under_way += 1
        self.begun += 1
        self.most = max(self.most, self.under_way)
        if self.begun >= self.together:
            self.all_there.set()
        if question.message == "0":
            await self.all_there.wait()
        await asyncio.sleep(0)
        self.under_way -= 1
        return Read(answer(CD=int(question.message) / 100))

    async def aclose(self) -> None:
        return None


def test_recognise_reads_lines_together_and_answers_in_order(vif: Terminal) -> None:
    careful = Careful(AT_ONCE)
    lines = "".join(f'{{"message": "{number}"}}\n' for number in range(30))
    done = vif.with_models(careful)("recognise", "--jsonl", stdin=lines)
    assert (done.status, done.err) == (0, "")
    assert [line["message"] for line in done.lines] == [str(number) for number in range(30)]
    assert [line["domains"]["CD"] for line in done.lines] == [number / 100 for number in range(30)]
    assert 1 < careful.most <= AT_ONCE


def test_recognise_reports_a_bad_line_in_its_place(vif: Terminal) -> None:
    lines = b"\n".join(
        [
            b'\xef\xbb\xbf{"message": "first"}',
            b"not JSON",
            b"",
            b"[1]",
            b'{"massage": "typo"}',
            b'{"message": 7}',
            b'{"message": "caf\xe9"}',
            b'{"message": "\\ud800"}',
            b"[" * 100_000,
            json.dumps({"message": "x" * 200_001}).encode(),
            '{"message": "é😀", "id": 3}'.encode(),
        ]
    )
    done = vif.with_models(FakeRecogniser(answer(), answer()))("recognise", "--jsonl", stdin=lines)
    assert done.status == 2
    assert done.err == "vif: 8 of the lines could not be read; each error is in its place\n"
    assert [line.get("error", line.get("message")) for line in done.lines] == [
        "first",
        "line 2 is not JSON",
        'line 4 has no "message" that is a text',
        'line 5 has no "message" that is a text',
        'line 6 has no "message" that is a text',
        "line 7: the message is not valid text: character 4 is half a character",
        "line 8: the message is not valid text: character 1 is half a character",
        "line 9 is not JSON",
        "line 10: the message has 200,001 characters; at most 200,000 can be read",
        "é😀",
    ]


def test_recognise_of_nothing_prints_nothing(vif: Terminal) -> None:
    assert vif.with_models(FakeRecogniser())("recognise", "--jsonl", stdin=b"\n \n") == Done(0, "", "")


def test_a_failure_in_the_middle_is_told_in_its_place_and_by_the_status(vif: Terminal) -> None:
    vif.setting(VIF_FALLBACK_TO_FORMULA="false")
    rung = FakeRecogniser(answer(), AuthError("wrong key"), *[answer() for _ in range(8)])
    done = vif.with_models(rung)(
        "recognise", "--jsonl", stdin="".join(f'{{"message": "{number}"}}\n' for number in range(10))
    )
    assert done.status == 3
    assert [line.get("error", line.get("message")) for line in done.lines] == [
        "0",
        "line 2: LLM #1 gave no reading: wrong key",
        *"23456789",
    ]
    assert done.err == "vif: 1 of the lines could not be read; each error is in its place\n"


def test_a_line_is_answered_before_the_next_one_comes() -> None:
    command = [sys.executable, "-c", "from vif.cli import main; main()", "recognise", "--jsonl", "--preset", "offline"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for message in ("How do I sort a list?", "Thank you so much!"):
            process.stdin.write(json.dumps({"message": message}) + "\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["message"] == message
        process.stdin.close()
        assert process.wait() == 0


# ── vif flow ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_flow_reports_a_bad_line_in_its_place(vif: Terminal) -> None:
    lines = b"\n".join(
        [
            b'{"message": "Why?"}',
            b"not JSON",
            b"",
            b'{"message": 7}',
            b'{"message": "", "boundaries": [{"permeability": 1}]}',
            b'{"message": "caf\xe9"}',
            b'{"message": "", "boundaries": [{"name": "A", "phase": 1e308}, {"name": "B", "phase": -1e308}]}',
            b'{"message": "Why?"}',
        ]
    )
    done = vif("flow", stdin=lines)
    assert done.status == 2
    assert done.err == "vif: 5 of the lines could not be computed; each error is in its place\n"
    found = done.lines
    assert found[0] == found[-1]
    assert found[0]["stage"] == "Recognition"
    errors = [line["error"] for line in found[1:-1]]
    assert errors[0].startswith("line 2: the line: Invalid JSON")
    assert errors[1] == "line 4: message: Input should be a valid string"
    assert errors[2] == "line 5: boundaries.0.name: Field required"
    assert errors[3].startswith("line 6: the line: ")
    assert errors[4].startswith("line 7: a number is out of the range the formulas are defined for")


def test_flow_asks_no_model_and_needs_no_setting(vif: Terminal) -> None:
    assert vif.setting(VIF_PRESET="turbo")("flow", stdin='{"message": "Why?"}').status == 0


def test_a_reader_that_goes_away_is_not_a_failure(tmp_path: Path) -> None:
    lines = tmp_path / "lines.jsonl"
    lines.write_text('{"message": "Why?"}\n' * 500)  # some megabytes of output, more than any pipe holds
    with (
        lines.open() as given,
        subprocess.Popen([*VIF, "flow"], stdin=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process,
    ):
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["stage"] == "Recognition"
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


# ── vif models ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_models_lists_role_price_and_lifecycle(vif: Terminal) -> None:
    done = vif("models")
    assert (done.status, done.err) == (0, "")
    head, *rows = done.out.splitlines()
    assert head.split() == ["PROVIDER", "MODEL", "ROLE", "USD", "LIFECYCLE"]
    assert [row.split()[1] for row in rows] == [entry.model for entry in CATALOGUE]
    by_model = {row.split()[1]: " ".join(row.split()) for row in rows}
    assert by_model["gpt-6-luna"] == "openai gpt-6-luna LLM #1 and LLM #2 0.000270 current"
    assert by_model["SmolLM2-135M-Instruct"] == "embedded SmolLM2-135M-Instruct LLM #1 and LLM #2 free current"
    retired = by_model["gpt-3.5-turbo"]
    assert retired == "openai gpt-3.5-turbo - 0.001050 retired 2026-10-23, use gpt-6-luna"
