"""Each row of LLM #1's outcome table, through the command line and the real SDKs, on both providers."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.standin import READING, REPLY, Api, Ending, Plan, Standin, fail, fenced, hang, page, refuse, say, truncated
from tests.wire.calls import KEYS
from vif.cli import cli

MESSAGE = "How do I implement quicksort?"
MODELS = {"openai": "gpt-6-luna", "anthropic": "claude-haiku-5-5"}


@dataclass(frozen=True)
class Ran:
    """What one `vif run --json` printed and asked for."""

    status: int
    interaction: dict[str, Any]
    questions: list[str]
    output: str

    @property
    def recognition(self) -> dict[str, Any]:
        found: dict[str, Any] = self.interaction["recognition"]
        return found

    @property
    def outcomes(self) -> list[str]:
        return [attempt["outcome"] for attempt in self.recognition["attempts"]]


Run = Callable[..., Ran]


@pytest.fixture(params=["openai", "anthropic"])
def api(request: pytest.FixtureRequest) -> Api:
    name: Api = request.param
    return name


@pytest.fixture
def run(api: Api, standin: Standin, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command with both roles on one provider; only LLM #1's requests take from the plans."""

    def carry_out(*plans: Plan, **settings: object) -> Ran:
        standin.reset()
        standin.expected_key = KEYS[api]
        standin.plan(api, *plans)
        defaults = {"llm1_provider": api, "llm1_model": MODELS[api], "llm2_provider": api, "llm2_model": MODELS[api]}
        for name, value in (defaults | {"llm1_max_retries": 1} | settings).items():
            monkeypatch.setenv(f"VIF_{name.upper()}", str(value))
        monkeypatch.setenv(f"{api.upper()}_API_KEY", KEYS[api])
        monkeypatch.setenv(f"{api.upper()}_BASE_URL", standin.base_url(api))
        status = cli.main(["run", "--json", MESSAGE], standalone_mode=False)
        printed = capsys.readouterr()
        assert KEYS[api] not in printed.out + printed.err
        questions = [json.dumps(seen.body, ensure_ascii=False) for seen in standin.requests if seen.has_schema]
        return Ran(status, json.loads(printed.out), questions, printed.out + printed.err)

    return carry_out


def changed(change: Callable[[Any], object]) -> Plan:
    reading = copy.deepcopy(dict(READING))
    change(reading)
    return say(json.dumps(reading))


def test_a_valid_reading_is_used_and_the_reply_streams(run: Run) -> None:
    ran = run()
    assert ran.status == 0
    assert ran.recognition["source"] == "llm1"
    assert ran.recognition["fallback_reason"] is None
    assert ran.interaction["domains"] == READING["domains"]
    assert ran.interaction["reply"] == REPLY
    assert ran.interaction["response"]["finish_reason"] == "stop"
    assert ran.recognition["cost_usd"] > 0


def test_a_markdown_fence_is_taken_off(run: Run) -> None:
    ran = run(fenced())
    assert ran.outcomes == ["ok"]
    assert ran.interaction["domains"] == READING["domains"]


UNUSABLE = {
    "prose": (say("It is mostly computational, I think."), "invalid_json", "not JSON"),
    "empty": (say(""), "invalid_json", "the answer was empty"),
    "cut at the token limit": (truncated(json.dumps(READING)[:80]), "truncated", "token limit"),
    "refusal": (refuse(), "refusal", "declined"),
    "missing domain": (changed(lambda r: r["domains"].pop("SD")), "schema", "domains.SD is missing"),
    "missing boundary": (changed(lambda r: r["boundaries"].pop("SD-ED")), "schema", "boundaries.SD-ED is missing"),
    "NaN": (changed(lambda r: r["domains"].update(CD=float("nan"))), "schema", "domains.CD is NaN"),
    "above 1": (changed(lambda r: r["domains"].update(CD=1.5)), "schema", "domains.CD is 1.5"),
    "below 0": (
        changed(lambda r: r["boundaries"]["CD-SD"].update(permeability=-0.1)),
        "schema",
        "boundaries.CD-SD.permeability is -0.1",
    ),
}


@pytest.mark.parametrize("row", UNUSABLE)
def test_an_unusable_answer_is_asked_for_again_with_the_fault_named(run: Run, row: str) -> None:
    plan, outcome, complaint = UNUSABLE[row]
    ran = run(plan)
    assert ran.outcomes == [outcome, "ok"]
    assert ran.recognition["source"] == "llm1"
    assert ran.recognition["fallback_reason"] is None
    assert complaint not in ran.questions[0]
    assert complaint in ran.questions[1]
    assert complaint in ran.recognition["attempts"][0]["error"]


@pytest.mark.parametrize("row", UNUSABLE)
def test_answers_that_stay_unusable_lead_to_the_formula_and_its_reason(run: Run, row: str) -> None:
    plan, outcome, _ = UNUSABLE[row]
    ran = run(plan, plan)
    assert ran.status == 0
    assert ran.outcomes == [outcome, outcome]
    assert (ran.recognition["source"], ran.recognition["fallback_reason"]) == ("formula", outcome)
    assert ran.interaction["domains"]["CD"] == pytest.approx(0.44)
    assert ran.interaction["reply"] == REPLY
    assert all(attempt["raw_text"] or row == "empty" for attempt in ran.recognition["attempts"])
    assert ran.recognition["cost_usd"] > 0, "failed attempts cost money too"


def test_unknown_keys_are_ignored(run: Run) -> None:
    ran = run(changed(lambda r: r.update(mood="sunny") or r["domains"].update(XD=7)))
    assert ran.outcomes == ["ok"]
    assert set(ran.interaction["domains"]) == {"CD", "SD", "CuD", "ED"}


def test_a_far_permeability_and_a_wrong_status_are_replaced_and_recorded(run: Run) -> None:
    def change(reading: Any) -> None:
        reading["boundaries"]["CD-SD"] = {"permeability": 0.9, "status": "Transcendent"}
        reading["boundaries"]["CD-ED"]["status"] = "Transitional"

    ran = run(changed(change))
    boundaries = {boundary["name"]: boundary for boundary in ran.interaction["boundaries"]}
    assert boundaries["CD-SD"]["permeability"] == pytest.approx((0.95 * 0.3) ** 0.5)
    assert boundaries["CD-SD"]["status"] == boundaries["CD-ED"]["status"] == "Maintained"
    corrections = [(c["boundary"], c["field"]) for c in ran.recognition["corrections"]]
    assert corrections == [("CD-SD", "permeability"), ("CD-SD", "status"), ("CD-ED", "status")]


@pytest.mark.parametrize(
    ("status", "reason"), [(401, "auth"), (403, "auth"), (404, "not_configured"), (400, "not_configured")]
)
def test_what_asking_again_cannot_mend_is_not_asked_again(run: Run, status: int, reason: str) -> None:
    ran = run(fail(status))
    assert ran.status == 0
    assert ran.outcomes == [reason]
    assert (ran.recognition["source"], ran.recognition["fallback_reason"]) == ("formula", reason)
    assert str(status) in ran.recognition["attempts"][0]["error"]


def test_a_rate_limit_waits_as_long_as_it_was_told_when_that_fits(run: Run) -> None:
    ran = run(fail(429, headers={"retry-after": "0.01"}))
    assert ran.outcomes == ["rate_limit", "ok"]
    assert ran.recognition["source"] == "llm1"


def test_a_rate_limit_that_outlasts_the_deadline_goes_to_the_next_rung(run: Run) -> None:
    ran = run(fail(429, headers={"retry-after": "500"}))
    assert ran.outcomes == ["rate_limit"]
    assert ran.recognition["fallback_reason"] == "rate_limit"


BROKEN = {
    "500": (fail(500), "server_error"),
    "503": (fail(503), "server_error"),
    "529": (fail(529), "server_error"),
    "reset": (say("{", ending=Ending.RESET), "connection"),
    "web page": (page(), "server_error"),
}


@pytest.mark.parametrize("row", BROKEN)
def test_a_broken_provider_is_asked_again(run: Run, row: str) -> None:
    plan, outcome = BROKEN[row]
    ran = run(plan)
    assert ran.outcomes == [outcome, "ok"]
    assert ran.recognition["source"] == "llm1"


@pytest.mark.parametrize("row", BROKEN)
def test_a_provider_that_stays_broken_leads_to_the_formula(run: Run, row: str) -> None:
    plan, outcome = BROKEN[row]
    ran = run(plan, plan)
    assert ran.status == 0
    assert ran.outcomes == [outcome, outcome]
    assert (ran.recognition["source"], ran.recognition["fallback_reason"]) == ("formula", outcome)


def test_a_hanging_provider_times_out_and_leads_to_the_formula(run: Run) -> None:
    ran = run(hang(), llm1_timeout_ms=50, llm1_max_retries=0)
    assert ran.outcomes == ["timeout"]
    assert (ran.recognition["source"], ran.recognition["fallback_reason"]) == ("formula", "timeout")
    assert ran.interaction["reply"] == REPLY


def test_the_deadline_ends_the_ladder(run: Run) -> None:
    ran = run(hang(), llm1_deadline_ms=60)
    assert ran.outcomes == ["deadline"]
    assert (ran.recognition["source"], ran.recognition["fallback_reason"]) == ("formula", "deadline")


def test_the_ladder_goes_from_the_primary_over_the_secondary_to_the_embedded_model(
    standin: Standin, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, key in (("openai", KEYS["openai"]), ("anthropic", KEYS["anthropic"])):
        monkeypatch.setenv(f"{name.upper()}_API_KEY", key)
    monkeypatch.setenv("OPENAI_BASE_URL", standin.base_url("openai"))
    monkeypatch.setenv("ANTHROPIC_BASE_URL", standin.base_url("anthropic"))

    standin.plan("openai", fail(401))
    cli.main(["run", "--json", "--preset", "reliable", MESSAGE], standalone_mode=False)
    recognition = json.loads(capsys.readouterr().out)["recognition"]
    assert (recognition["source"], recognition["model"]) == ("secondary", "claude-haiku-5-5")
    assert recognition["fallback_reason"] == "auth"

    standin.plan("openai", fail(401))
    standin.plan("anthropic", fail(403))
    cli.main(["run", "--json", "--preset", "reliable", MESSAGE], standalone_mode=False)
    recognition = json.loads(capsys.readouterr().out)["recognition"]
    assert recognition["source"] == "embedded"
    assert [attempt["outcome"] for attempt in recognition["attempts"]] == ["auth", "auth", "ok"]


def test_a_failing_responder_is_told_and_keeps_the_reading(
    run: Run, api: Api, standin: Standin, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VIF_LLM2_TIMEOUT_MS", "20000")
    ran = run(say(json.dumps(READING)), fail(500, "out of order"), fail(500, "out of order"))
    assert ran.status == 3
    assert ran.recognition["source"] == "llm1"
    assert "out of order" in ran.interaction["response"]["error"]
    assert "LLM #2 failed" in ran.output
