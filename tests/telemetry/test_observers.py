"""Logs, spans and metrics of real interactions: what they say, and what never is in them."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families

from tests.fakes import FakeModel, Plan, Said, wire_text
from tests.standin import Standin, fail
from vif.api import VifApi
from vif.config import Access, DualLlmConfig
from vif.connection import connect
from vif.errors import AuthError, ServerError
from vif.flow import Stage
from vif.interaction import Interaction
from vif.llm.protocol import Caller
from vif.store import StoreError
from vif.telemetry.logs import ForwardHandler, LogObserver, digest
from vif.telemetry.metrics import Metrics
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
        llm2 = Said(("a private answer",))
        await watched(log.observer, wire_text(), llm2=llm2).process("a private question")
        assert ("a private question" in log.text) is messages
        assert ("a private answer" in log.text) is messages


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
    assert [line["error"] for line in log.lines("interaction ended early")] == ["GeneratorExit"]


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
    logger.warning("Redis cannot be used (%s)", "ConnectionError")
    logger.removeHandler(handler)
    line = json.loads(out.getvalue())
    assert (line["event"], line["level"], line["logger"]) == (
        "Redis cannot be used (ConnectionError)",
        "warning",
        "vif.test_forwarding",
    )


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


async def test_a_failed_reply_and_one_that_was_stopped_are_told_apart() -> None:
    metrics = Metrics()
    api = watched(metrics, *[wire_text()] * 2, llm2=ServerError("busy"))
    await api.process("one")
    events = api.stream("two")
    await anext(events)
    await events.aclose()
    found = values(metrics)
    assert found["vif_interactions_total{dual,llm2_failed,llm1}"] == 1
    assert found["vif_interactions_total{,stopped,}"] == 1


async def test_the_names_providers_answer_with_make_no_new_labels() -> None:
    metrics = Metrics()
    await watched(metrics, wire_text(), llm2=Said(("One.",), model="gpt-6-luna-build-93417")).process("Why?")
    assert "93417" not in metrics.exposition().decode()


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


async def test_an_observer_that_fails_harms_nobody_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Metrics):
        def begin(self, caller: Caller, begun: Begun) -> None:
            raise RuntimeError(KEY)

    metrics = Metrics()
    api = VifApi(FakeModel("One.", "Two."), observer=Observers([Broken(), metrics]))
    for _ in range(2):
        assert (await api.process("Why?")).response is not None
    assert values(metrics)["vif_latency_seconds_count{total}"] == 2
    assert [record.getMessage() for record in caplog.records] == ["Broken fails (RuntimeError)"]


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
