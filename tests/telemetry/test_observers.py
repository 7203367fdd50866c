"""Logs, spans and metrics of real interactions: what they say, and what never is in them."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from prometheus_client.parser import text_string_to_metric_families

import dev
from tests.fakes import FakeModel, FakeRecogniser, Plan, Said, answer, wire_text
from tests.standin import Standin, fail
from vif.api import VifApi
from vif.config import Access, DualLlmConfig
from vif.connection import connect
from vif.errors import AuthError, RecognitionError, ServerError
from vif.events import Event, ReplyDelta
from vif.flow import Stage
from vif.interaction import Attempt, Interaction
from vif.llm.protocol import Caller, Provider
from vif.recognition.recogniser import Read
from vif.store import StoreError
from vif.telemetry.live import LiveBoard
from vif.telemetry.logs import ForwardHandler, LogObserver, digest, without_secrets
from vif.telemetry.metrics import CONTENT_TYPE, Metrics
from vif.telemetry.metrics import metrics as process_metrics
from vif.telemetry.observer import Begun, Observer, Observers
from vif.telemetry.spans import SpanObserver

KEY = "sk-proj-Zq3vT8mWx1LrYb6NdKf0"


def watched(observer: Observer, *llm1: Plan, llm2: Plan = "One.", **settings: Any) -> VifApi:
    config = DualLlmConfig(**({"llm2_max_retries": 0} | settings))
    return VifApi.with_dual_llm(FakeModel(*llm1), FakeModel(*[llm2] * 10), config, observer=Observers([observer]))


# ── Logs ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Log:
    """A log observer and the lines it wrote."""

    def __init__(self, level: str = "debug", *, messages: bool = False) -> None:
        self._out = io.StringIO()
        self.observer = LogObserver(level, messages=messages, stream=self._out)

    @property
    def text(self) -> str:
        return self._out.getvalue()

    def lines(self, event: str | None = None) -> list[dict[str, Any]]:
        found = [json.loads(line) for line in self.text.splitlines()]
        return [line for line in found if event in (None, line["event"])]


async def test_every_line_is_json_with_the_interactions_id_and_every_stage_has_one() -> None:
    log = Log()
    interaction = await watched(log.observer, wire_text()).process("Why?", session="mine")
    lines = log.lines()
    assert {line["interaction"] for line in lines} == {interaction.id}
    assert {line["session"] for line in lines} == {digest("mine")}
    stages = [line["stage"] for line in log.lines("stage finished")]
    assert stages == [stage.value for stage in Stage]
    assert all(line["duration_ms"] >= 0 for line in log.lines("stage finished"))
    (finished,) = log.lines("interaction finished")
    assert (finished["responder"], finished["reply_characters"]) == ("gpt-6-luna", 4)


async def test_a_failed_request_is_a_warning_with_its_reason() -> None:
    log = Log("warning")
    await watched(log.observer, AuthError("wrong key"), breaker_failures=1).process("Why?")
    changed, failed = log.lines("circuit changed")[0], log.lines("request failed")[0]
    assert (changed["model"], changed["state"]) == ("gpt-6-luna", "open")
    assert (failed["level"], failed["outcome"], failed["error"]) == ("warning", "auth", "wrong key")


async def test_the_text_of_messages_is_logged_only_when_it_may() -> None:
    for messages in (False, True):
        log = Log(messages=messages)
        # What LLM #1 says of a message quotes it, and so does the complaint about an answer that breaks the contract.
        unusable = wire_text(patterns="a private matter")
        readings = (unusable, wire_text(reasoning="asks for a private reason"))
        llm2 = Said(("a private answer",))
        await watched(log.observer, *readings, llm2=llm2).process("a private question")
        for text in ("a private question", "a private answer", "a private reason", "a private matter"):
            assert (text in log.text) is messages, text
        (failed,) = log.lines("request failed")
        assert failed["error"].startswith("patterns is")


async def test_what_llm1_said_is_logged_at_debug_level_only() -> None:
    debug, info = Log("debug", messages=True), Log("info", messages=True)
    for log in (debug, info):
        await watched(log.observer, wire_text(reasoning="because of this")).process("Why?")
    assert "because of this" in debug.lines("raw answer")[0]["raw_text"]
    assert not info.lines("raw answer")


async def test_an_interaction_that_ends_early_says_so() -> None:
    log = Log()
    events = watched(log.observer, wire_text()).stream("Why?")
    await anext(events)
    await events.aclose()
    (line,) = log.lines("interaction ended early")
    assert (line["error"], line["level"]) == ("GeneratorExit", "info")


async def test_an_interaction_that_ends_by_an_error_is_a_warning() -> None:
    log = Log("warning")
    api = watched(log.observer, AuthError("wrong key"), fallback_to_formula=False)
    with pytest.raises(RecognitionError):
        await api.process("Why?")
    assert [line["error"] for line in log.lines("interaction ended early")] == ["RecognitionError"]


def test_of_two_secrets_one_of_which_begins_with_the_other_nothing_is_left() -> None:
    clean = without_secrets(["plainlooking", "plainlookingsecret"])
    assert clean(None, "info", {"message": "it is plainlookingsecret"}) == {"message": "it is [key]"}


def test_keys_that_stand_only_in_the_dotenv_file_are_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("VIF_LOCAL_API_KEY=plainlookingsecret\n")
    monkeypatch.setitem(Access.model_config, "env_file", str(dotenv))
    log = Log(messages=True)
    log.observer.begin(Caller("i", "s"), Begun("it is plainlookingsecret", "dual"))
    assert log.lines()[0]["message"] == "it is [key]"


def test_keys_are_taken_out_of_every_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "plainlookingsecret")
    monkeypatch.setenv("VIF_REDIS_URL", "redis://:hunter2secret@host/0")
    log = Log(messages=True)
    hostile = f"{KEY} plainlookingsecret redis://:hunter2secret@host/0"
    log.observer.begin(Caller("i", "s"), Begun(hostile, "dual"))
    (line,) = log.lines()
    assert line["message"].count("[key]") == 3
    for secret in (KEY, "plainlookingsecret", "hunter2secret"):
        assert secret not in log.text


def test_warnings_of_our_modules_come_as_the_same_lines() -> None:
    out = io.StringIO()
    logger = logging.getLogger("vif.test_forwarding")
    handler = ForwardHandler("warning", out)
    logger.addHandler(handler)
    try:
        logger.warning("Redis cannot be used (%s)", "ConnectionError")
    finally:
        logger.removeHandler(handler)
    line = json.loads(out.getvalue())
    assert (line["event"], line["level"], line["logger"]) == (
        "Redis cannot be used (ConnectionError)",
        "warning",
        "vif.test_forwarding",
    )


def test_a_log_nobody_can_write_to_ends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    gone = io.StringIO()
    handler = ForwardHandler("warning", gone)
    gone.close()
    handler.handle(logging.makeLogRecord({"name": "vif.x", "levelno": logging.WARNING, "msg": "Redis is gone"}))
    assert "Redis is gone" in capsys.readouterr().err


QUIET = """
import asyncio, logging
from tests.fakes import FakeModel
from vif.api import VifApi
from vif.errors import AuthError

api = VifApi.with_dual_llm(FakeModel(AuthError("wrong key")), FakeModel("One."))
asyncio.run(api.process("Why?"))
assert not logging.getLogger("vif").handlers
"""


def test_importing_and_using_the_library_writes_nothing() -> None:
    # In a process of its own: the dashboard, which does log, may have run in this one.
    done = subprocess.run([sys.executable, "-c", QUIET], cwd=dev.ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# ── Spans ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Spans:
    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.observer = SpanObserver(provider)

    def named(self, beginning: str = "") -> list[ReadableSpan]:
        return [span for span in self._exporter.get_finished_spans() if span.name.startswith(beginning)]


async def test_an_interaction_is_a_span_with_its_stages_and_requests_in_it() -> None:
    spans = Spans()
    interaction = await watched(spans.observer, ServerError("busy"), wire_text()).process("Why?")
    (root,) = spans.named("vif.interaction")
    inside = root.get_span_context()
    assert inside is not None
    assert root.attributes is not None
    assert root.attributes["vif.interaction.id"] == interaction.id
    assert root.attributes["vif.source"] == "llm1"
    assert len(spans.named("vif.stage")) == 7
    failed, read, answered = spans.named("chat gpt-6-luna")
    assert failed.attributes is not None
    assert failed.attributes["error.type"] == "server_error"
    assert read.attributes is not None
    assert read.attributes["gen_ai.usage.input_tokens"] == 1200
    assert answered.attributes is not None
    assert answered.attributes["gen_ai.response.finish_reasons"] == ("stop",)
    assert answered.attributes["gen_ai.operation.name"] == "chat"
    for span in (*spans.named("vif.stage"), failed, read, answered):
        assert span.parent is not None
        assert span.parent.span_id == inside.span_id
    assert failed.end_time is not None
    assert read.start_time is not None
    assert failed.end_time <= read.start_time, "the retry began when the failure was over"


def attributes(span: ReadableSpan) -> dict[str, Any]:
    assert span.attributes is not None
    return dict(span.attributes)


async def test_the_request_that_answered_begins_when_the_one_before_it_had_failed() -> None:
    spans = Spans()
    api = VifApi(
        FakeModel(ServerError("busy", retry_after_s=0.0), Said(("One.",))),
        DualLlmConfig(llm2_max_retries=1),
        observer=spans.observer,
    )
    interaction = await api.process("Why?")
    failed, answered = spans.named("chat")
    assert failed.start_time is not None
    assert failed.end_time is not None
    assert answered.start_time is not None
    assert answered.end_time is not None
    assert failed.start_time <= failed.end_time == answered.start_time <= answered.end_time
    first_s = attributes(answered)["gen_ai.response.time_to_first_chunk"]
    response = interaction.response
    assert response is not None
    assert response.first_token_ms is not None
    (attempt,) = response.failed_attempts
    # From the failure on: the reader waited longer, but not for this request.
    assert first_s * 1000 == pytest.approx(response.first_token_ms - attempt.started_ms - attempt.latency_ms, abs=1e-4)


async def test_a_request_that_was_never_sent_is_no_request() -> None:
    spans, metrics = Spans(), Metrics()
    api = watched(Observers([spans.observer, metrics]), AuthError("wrong key"), breaker_failures=1)
    for message in ("one", "two"):
        await api.process(message)
    assert len(spans.named("chat")) == 3, "a reading that failed, and two replies"
    _, second = spans.named("vif.interaction")
    (event,) = second.events
    assert (event.name, dict(event.attributes or {})["error.type"]) == ("vif.not_sent", "circuit_open")
    found = values(metrics)
    assert found["vif_llm_calls_total{gpt-6-luna,not_sent,openai,llm1}"] == 1
    assert found["vif_llm_calls_total{gpt-6-luna,failed,openai,llm1}"] == 1


async def test_being_outpaced_is_no_failure_anywhere() -> None:
    log, spans, metrics, board = Log(), Spans(), Metrics(), LiveBoard()
    lost = Attempt(provider="openai", model="slow", outcome="outpaced", error="the other model was faster")
    rung = FakeRecogniser(Read(answer(), by=(Provider.ANTHROPIC, "quick"), lost=(lost,)))
    everyone = Observers([log.observer, spans.observer, metrics, board])
    await VifApi.with_dual_llm(rung, FakeModel("One."), observer=everyone).process("Why?")
    assert [line["level"] for line in log.lines("request outpaced")] == ["info"]
    (slow,) = spans.named("chat slow")
    assert slow.status.status_code is StatusCode.UNSET
    assert attributes(slow)["vif.outcome"] == "outpaced"
    found = values(metrics)
    assert found["vif_hedges_total{}"] == 1
    assert found["vif_llm_calls_total{slow,outpaced,openai,llm1}"] == 1
    assert not any(name.startswith("vif_failures_total") for name in found)
    assert board.process.snapshot().failures == ()


async def test_no_span_stays_open_when_the_user_leaves() -> None:
    spans = Spans()
    events = watched(spans.observer, wire_text()).stream("Why?")
    await anext(events)
    await events.aclose()
    (root,) = spans.named()
    assert root.attributes is not None
    assert root.attributes["error.type"] == "GeneratorExit"
    assert not spans.observer._open


# ── Metrics ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def values(metrics: Metrics) -> dict[str, float]:
    """Every sample as `name{label values}`, the values by the alphabet of their labels."""
    families = text_string_to_metric_families(metrics.exposition().decode())
    return {
        f"{sample.name}{{{','.join(value for _, value in sorted(sample.labels.items()))}}}": sample.value
        for family in families
        for sample in family.samples
    }


async def test_calls_failures_fallbacks_tokens_and_cost_are_counted() -> None:
    metrics = Metrics()
    api = watched(metrics, wire_text(), AuthError("wrong key"), breaker_failures=1)
    for message in ("one", "one", "two", "three"):
        await api.process(message)
    found = values(metrics)
    assert found["vif_interactions_total{dual,ok,llm1}"] == 1
    assert found["vif_interactions_total{dual,ok,cache}"] == 1
    assert found["vif_interactions_total{dual,ok,formula}"] == 2
    assert found["vif_cache_hits_total{}"] == 1
    assert found["vif_cache_misses_total{}"] == 3
    assert found["vif_fallbacks_total{auth,formula}"] == 1
    assert found["vif_fallbacks_total{circuit_open,formula}"] == 1
    assert found["vif_failures_total{gpt-6-luna,openai,auth,llm1}"] == 1
    assert found["vif_llm_calls_total{gpt-6-luna,ok,openai,llm1}"] == 1
    assert found["vif_llm_calls_total{gpt-6-luna,ok,openai,llm2}"] == 4
    assert found["vif_circuit_state{gpt-6-luna,openai,llm1}"] == 2
    assert found["vif_tokens_total{input,gpt-6-luna,openai,llm1}"] == 1200
    assert found["vif_cost_usd_total{gpt-6-luna,openai,llm2}"] == pytest.approx(4 * 0.00027)
    assert found["vif_latency_seconds_count{total}"] == 4
    assert found["vif_interactions_running{}"] == 0


async def test_a_request_shared_by_several_is_counted_once() -> None:
    metrics = Metrics()
    api = watched(metrics, wire_text())
    await asyncio.gather(*(api.process("the same") for _ in range(5)))
    assert values(metrics)["vif_llm_calls_total{gpt-6-luna,ok,openai,llm1}"] == 1


async def test_a_failed_reply_and_one_that_was_stopped_are_told_apart() -> None:
    metrics = Metrics()
    api = watched(metrics, *[wire_text()] * 2, llm2=ServerError("busy"))
    await api.process("one")
    events = api.stream("two")
    await anext(events)
    await events.aclose()
    found = values(metrics)
    assert found["vif_interactions_total{dual,llm2_failed,llm1}"] == 1
    assert found["vif_interactions_total{dual,stopped,}"] == 1


async def test_the_names_providers_answer_with_make_no_new_labels() -> None:
    metrics = Metrics()
    await watched(metrics, wire_text(), llm2=Said(("One.",), model="gpt-6-luna-build-93417")).process("Why?")
    assert "93417" not in metrics.exposition().decode()


async def test_an_interaction_whose_reader_fails_without_a_stand_in_is_an_error() -> None:
    metrics = Metrics()
    with pytest.raises(RecognitionError):
        await watched(metrics, AuthError("wrong key"), fallback_to_formula=False).process("Why?")
    assert values(metrics)["vif_interactions_total{dual,error,}"] == 1
    assert values(metrics)["vif_interactions_running{}"] == 0


async def test_what_the_formula_took_does_not_count_as_reading() -> None:
    metrics = Metrics()
    await VifApi(FakeModel("One."), observer=metrics).process("Why?")
    found = values(metrics)
    assert found["vif_latency_seconds_count{total}"] == 1
    assert "vif_latency_seconds_count{recognise}" not in found


async def test_the_server_serves_the_metrics_of_its_process() -> None:
    import httpx2

    from app import app

    process_metrics.cache_clear()
    await watched(process_metrics(), wire_text()).process("Why?")
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://127.0.0.1") as client:
        page = await client.get("/metrics")
    process_metrics.cache_clear()
    assert page.status_code == 200
    assert page.headers["content-type"] == CONTENT_TYPE
    samples = {
        sample.name: sample.value
        for family in text_string_to_metric_families(page.text)
        for sample in family.samples
        if sample.labels in ({}, {"mode": "dual", "source": "llm1", "outcome": "ok"})
    }
    assert samples["vif_interactions_total"] == 1
    assert samples["vif_cache_misses_total"] == 1


async def test_what_could_not_be_stored_is_counted() -> None:
    class BrokenStore:
        async def save(
            self, interaction: Interaction, *, session: str | None = None, conversation: str | None = None
        ) -> None:
            raise StoreError("the disk is full")

    metrics = Metrics()
    await VifApi(FakeModel("One."), store=BrokenStore(), observer=Observers([metrics])).process("Why?")
    assert values(metrics)["vif_store_failures_total{}"] == 1


# ── All of them ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_observers_are_told_of_every_event_but_the_pieces_of_a_reply() -> None:
    class Seen(Metrics):
        def see(self, caller: Caller, event: Event) -> None:
            told.append(event)

    told: list[Event] = []
    api = watched(Seen(), wire_text(), llm2=Said(("One ",) * 50))
    yielded = [event async for event in api.stream("Why?")]
    assert told == [event for event in yielded if not isinstance(event, ReplyDelta)]
    assert len(yielded) == len(told) + 50


async def test_an_observer_that_fails_harms_nobody_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Metrics):
        def begin(self, caller: Caller, begun: Begun) -> None:
            raise RuntimeError(KEY)

    metrics = Metrics()
    api = VifApi(FakeModel("One.", "Two."), observer=Observers([Broken(), metrics]))
    for _ in range(2):
        assert (await api.process("Why?")).reply
    assert values(metrics)["vif_latency_seconds_count{total}"] == 2
    assert [record.getMessage() for record in caplog.records] == ["Broken fails (RuntimeError)"]


async def test_nor_does_an_observer_that_looks_on_alone(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Metrics):
        def see(self, caller: Caller, event: Event) -> None:
            raise BrokenPipeError

        def circuit(self, role: str, provider: str, model: str, state: str) -> None:
            raise BrokenPipeError

    reader, config = FakeModel(AuthError("wrong key")), DualLlmConfig(breaker_failures=1)
    api = VifApi.with_dual_llm(reader, FakeModel("One."), config, observer=Broken())
    assert (await api.process("Why?")).reply == "One."
    assert [record.getMessage() for record in caplog.records] == ["Broken fails (BrokenPipeError)"]


@pytest.fixture(scope="module")
def standin() -> Iterator[Standin]:
    with Standin() as server:
        yield server


async def test_no_key_is_in_logs_spans_or_metrics_even_when_the_provider_quotes_it(
    standin: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    standin.reset()
    standin.expected_key = "another-key"  # so that every answer is a 401 that quotes ours
    standin.plan("openai", fail(500, f"internal error for {KEY}"))
    log, spans, metrics = Log(messages=True), Spans(), Metrics()
    access = Access(openai_api_key=KEY, openai_base_url=standin.base_url("openai"))
    config = DualLlmConfig(llm1_provider="openai", llm2_provider="openai")
    api = connect(config, access, observer=Observers([log.observer, spans.observer, metrics]))
    interaction = await api.process("Why?")
    await api.aclose()
    assert interaction.recognition.fallback_reason is not None
    everything = log.text + metrics.exposition().decode() + "".join(span.to_json() for span in spans.named())
    assert "auth" in everything
    assert KEY not in everything
    assert KEY[8:20] not in everything
