"""`vif load` as it is called, against the stand-in; and the figures it makes of what it measured."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import without_provider_settings
from tests.standin import Latency, Mix, Standin
from tests.wire.plans import fail
from vif.cli import main
from vif.config import Access, DualLlmConfig
from vif.load.messages import load_messages
from vif.load.report import load_report, load_table
from vif.load.runner import LoadPlan, Measured, PipelineMeasured, asks_others, estimated_cost_usd

KEY = "sk-proj-Zq3vT8mWx1LrYb6NdKf0"


@pytest.fixture
def standin() -> Iterator[Standin]:
    with Standin(llm1=Latency(0.01, 0.02), llm2=Latency(0.02, 0.02), key=KEY) as standin:
        yield standin


def load(folder: Path, standin: Standin, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, away from a developer's settings."""
    code = "from vif.cli import main; main()"
    environment = without_provider_settings(os.environ) | {
        "OPENAI_API_KEY": KEY,
        "ANTHROPIC_API_KEY": KEY,
        "OPENAI_BASE_URL": standin.base_url("openai"),
        "ANTHROPIC_BASE_URL": standin.base_url("anthropic"),
        "NO_PROXY": "127.0.0.1",
        **settings,
    }
    return subprocess.run(
        [sys.executable, "-c", code, "load", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def report_of(done: subprocess.CompletedProcess[str]) -> Mapping[str, Any]:
    assert done.stderr == ""
    report: Mapping[str, Any] = json.loads(done.stdout)
    return report


def test_every_message_is_read_and_answered_and_all_of_it_is_in_the_report(tmp_path: Path, standin: Standin) -> None:
    done = load(tmp_path, standin, "--requests", "40", "--concurrency", "10", "--seed", "5", "--json")
    report = report_of(done)
    assert done.returncode == 0
    assert (report["requests"], report["concurrency"], report["failures"]) == (40, 10, 0)
    assert report["sources"] == {"llm1": 1.0}
    assert report["fallback_reasons"] == {}
    assert report["llm1_calls"] == 40
    assert report["cost_usd"] > 0
    assert 10 <= report["llm1_ms"]["p50"] <= report["llm1_ms"]["p99"] <= report["total_ms"]["p99"]
    assert report["total_ms"]["p50"] >= 30
    assert len(standin.requests) == 80
    assert KEY not in done.stdout
    assert report["throughput_per_s"] == pytest.approx(40 / report["seconds"], rel=0.01)


def test_failing_readers_fail_nobody_and_the_reasons_are_counted(tmp_path: Path, standin: Standin) -> None:
    standin.faults = Mix(0.5, ("prose", "range", "401"))
    report = report_of(
        load(tmp_path, standin, "--requests", "60", "--seed", "5", "--json", VIF_BREAKER_FAILURES="1000")
    )
    assert report["failures"] == 0
    # A 401 is given up at once: one message in six at the first attempt. Most others end well at a later attempt.
    assert 0 < report["fallback_reasons"]["auth"] < 40
    assert report["sources"]["formula"] == pytest.approx(sum(report["fallback_reasons"].values()) / 60, abs=1e-4)
    assert report["llm1_calls"] > 60


def test_repeated_messages_are_remembered(tmp_path: Path, standin: Standin) -> None:
    arguments = ("--requests", "40", "--concurrency", "1", "--repeat-share", "0.5", "--seed", "5", "--json")
    report = report_of(load(tmp_path, standin, *arguments))
    different = len(set(islice(load_messages(5, 0.5), 40)))
    assert 10 < different < 30
    assert report["sources"] == {"llm1": round(different / 40, 4), "cache": round(1 - different / 40, 4)}
    assert sum(seen.has_schema for seen in standin.requests) == different


def test_the_bare_sdks_are_asked_the_same(tmp_path: Path, standin: Standin) -> None:
    report = report_of(load(tmp_path, standin, "--requests", "5", "--concurrency", "1", "--bare", "--json"))
    assert report["bare"]["failures"] == 0
    ratio = report["throughput_per_s"] / report["bare"]["throughput_per_s"]
    assert report["bare"]["throughput_ratio"] == pytest.approx(ratio, rel=0.02)
    pipeline, bare = standin.requests[:10], standin.requests[10:]
    assert len(bare) == 10
    for ours, theirs in zip(pipeline, bare, strict=True):
        assert theirs.path == ours.path
        for name in ("model", "messages", "response_format", "reasoning_effort", "max_completion_tokens", "max_tokens"):
            assert theirs.body.get(name) == ours.body.get(name)
        if ours.api == "anthropic":
            assert theirs.body["system"] == ours.body["system"][0]["text"]


def test_a_table_says_it_to_people(tmp_path: Path, standin: Standin) -> None:
    done = load(tmp_path, standin, "--requests", "3", "--bare")
    assert done.returncode == 0
    for words in ("3 messages, 100 at once", "failures that reached the user", "llm1 100.0%", "against them"):
        assert words in done.stdout


def test_an_answer_that_failed_is_exit_status_3(tmp_path: Path, standin: Standin) -> None:
    standin.plan("anthropic", fail(400))
    done = load(tmp_path, standin, "--requests", "4", "--concurrency", "1", "--json")
    assert done.returncode == 3
    assert done.stderr == "vif: 1 of 4 messages got no answer: LLM #2 failed\n"
    report = json.loads(done.stdout)
    assert (report["failures"], report["failure_reasons"]) == (1, {"not_configured": 1})


# ── Wrong use, in this process ──────────────────────────────────────────────────────────────────────────────────────


def refused(patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line on stderr."""
    patch.setattr(sys, "argv", ["vif", "load", *arguments])
    patch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert err.startswith("vif: ")
    assert err.count("\n") == 1
    return err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--concurrency", "0"), "0 is not in the range"),
        (("--requests", "many"), "'many' is not a valid integer"),
        (("--repeat-share", "1.5"), "1.5 is not in the range"),
        (("--preset", "turbo"), "preset is 'turbo'"),
        (("--preset", "offline", "--bare"), "has no SDK to compare with"),
        (("--preset", "balanced"), "OPENAI_API_KEY is not set"),
    ],
)
def test_wrong_use_is_one_line_and_exit_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    assert words in refused(monkeypatch, capsys, *arguments)


def test_real_providers_are_not_asked_without_consent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    # 100 calls of claude-sonnet-5-5 at $0.0054; gpt-6-luna would be asked on this machine.
    assert refused(monkeypatch, capsys, "--requests", "100") == (
        "vif: 100 messages go to real providers, for about $0.54; say --yes when that is meant\n"
    )


# ── The pieces ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_a_plan_costs_is_known_before() -> None:
    config = DualLlmConfig.preset("balanced")
    # A call of 1200 tokens in and 300 out: gpt-6-luna $0.00027, claude-sonnet-5-5 $0.0054; together $0.00567.
    assert estimated_cost_usd(config, Access(), LoadPlan(100)) == pytest.approx(0.567)
    assert estimated_cost_usd(config, Access(), LoadPlan(100, bare=True)) == pytest.approx(1.134)
    assert estimated_cost_usd(DualLlmConfig(), Access(), LoadPlan(100)) == 0.0
    unknown = config.with_(llm2_model="claude-of-tomorrow")
    assert estimated_cost_usd(unknown, Access(), LoadPlan(100)) is None


@pytest.mark.parametrize(
    ("url", "others"),
    [
        ("http://127.0.0.1:8123/v1", False),
        ("http://localhost:8123/v1", False),
        ("http://[::1]:8123/v1", False),
        ("https://api.example/v1", True),
        ("http://10.0.0.7/v1", True),
        (None, True),
    ],
)
def test_only_loopback_is_this_machine(url: str | None, others: bool) -> None:
    config = DualLlmConfig(llm1_provider="openai", llm2_provider="openai")
    assert asks_others(config, Access(openai_base_url=url)) is others


def test_messages_differ_except_for_the_share_that_repeats() -> None:
    fresh = list(islice(load_messages(1), 2_000))
    assert len(set(fresh)) == 2_000
    assert fresh == list(islice(load_messages(1), 2_000))
    assert set(fresh).isdisjoint(islice(load_messages(2), 2_000))
    some = Counter(islice(load_messages(1, 0.2), 2_000))
    # 400 of 2,000 are expected to repeat; the standard deviation is √(2,000 · 0.2 · 0.8) = 18.
    assert 330 <= 2_000 - len(some) <= 470


def test_the_report_compares_rates_and_medians() -> None:
    pipeline = PipelineMeasured(seconds=2.0, total_ms=[400.0, 410.0, 420.0, 430.0], sources=Counter(llm1=3, cache=1))
    bare = Measured(seconds=4.0, total_ms=[400.0, 400.0, 405.0, 500.0])
    report = load_report(DualLlmConfig(), LoadPlan(4, 2, bare=True), pipeline, bare)
    assert report.throughput_per_s == 2.0
    assert report.sources == {"llm1": 0.75, "cache": 0.25}
    assert report.bare is not None
    # 2.0/s against 1.0/s; the medians are 415 and 402.5.
    assert (report.bare.throughput_ratio, report.bare.added_ms) == (2.0, 12.5)


def test_a_table_can_be_made_of_nothing() -> None:
    report = load_report(DualLlmConfig(), LoadPlan(1), PipelineMeasured(cost_usd=None))
    assert load_table(report).row_count == 10
