"""Figures for Prometheus. `docs/operations.md` says what each means and what to do when it moves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from vif.events import Event, Finished, Recognised
from vif.flow import Mode
from vif.interaction import Attempt, Interaction, Recognition, Source
from vif.llm.protocol import Caller
from vif.llm.stack import READER, RESPONDER
from vif.telemetry.failures import NOT_FAILED, NOT_SENT, OK, OUTPACED
from vif.telemetry.observer import Begun, stopped

CONTENT_TYPE: str = CONTENT_TYPE_LATEST

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 20.0, 40.0)
"""Upper bounds of the latency buckets: fine where LLM #1 should be, coarse where only LLM #2 is."""

_CIRCUITS = {"closed": 0, "half-open": 1, "open": 2}


@dataclass(slots=True)
class _UnderWay:
    mode: Mode
    source: Source | Literal[""] = ""


class Metrics:
    """Counts every interaction. Models are labelled as they are configured, so labels stay few."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._under_way: dict[str, _UnderWay] = {}
        counter = self._counter
        self._interactions = counter("vif_interactions", "Interactions that ended", "mode", "source", "outcome")
        self._calls = counter("vif_llm_calls", "Requests to models", "role", "provider", "model", "outcome")
        self._failures = counter("vif_failures", "Failed requests by reason", "role", "provider", "model", "reason")
        self._fallbacks = counter("vif_fallbacks", "Readings by a stand-in", "rung", "reason")
        self._hits = counter("vif_cache_hits", "Readings that were remembered")
        self._misses = counter("vif_cache_misses", "Readings a model had to give")
        self._hedges = counter("vif_hedges", "Requests to LLM #1 that a second one was sent beside")
        self._tokens = counter("vif_tokens", "Tokens", "role", "provider", "model", "kind")
        self._cost = counter("vif_cost_usd", "US dollars", "role", "provider", "model")
        self._unstored = counter("vif_store_failures", "Finished interactions that could not be stored")
        self._latency = Histogram(
            "vif_latency_seconds", "Seconds each part took", ["part"], registry=self.registry, buckets=SECONDS
        )
        running = Gauge("vif_interactions_running", "Interactions under way", registry=self.registry)
        running.set_function(lambda: len(self._under_way))
        self._circuit = Gauge(
            "vif_circuit_state",
            "0 closed, 1 half-open, 2 open",
            ["role", "provider", "model"],
            registry=self.registry,
        )

    def begin(self, caller: Caller, begun: Begun) -> None:
        self._under_way[caller.interaction] = _UnderWay(begun.mode)

    def see(self, caller: Caller, event: Event) -> None:
        if isinstance(event, Recognised):
            self._under_way[caller.interaction].source = event.recognition.source
            self._count_reading(event.recognition)
        elif isinstance(event, Finished):
            self._count(event.interaction)

    def end(self, caller: Caller, error: BaseException | None) -> None:
        known = self._under_way.pop(caller.interaction)
        if error is not None:
            outcome = "stopped" if stopped(error) else "error"
            self._interactions.labels(known.mode, known.source, outcome).inc()

    def circuit(self, role: str, provider: str, model: str, state: str) -> None:
        self._circuit.labels(role, provider, model).set(_CIRCUITS[state])

    def not_stored(self, caller: Caller) -> None:  # noqa: ARG002  # the interface
        self._unstored.inc()

    def exposition(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self.registry)

    def _count_reading(self, recognition: Recognition) -> None:
        if not (recognition.attempts or recognition.cache_hit):
            return  # the formula was asked to read
        (self._hits if recognition.cache_hit else self._misses).inc()
        if recognition.fallback_reason is not None:
            self._fallbacks.labels(recognition.source, recognition.fallback_reason.value).inc()
        self._hedges.inc(sum(attempt.outcome == OUTPACED for attempt in recognition.attempts))
        for attempt in recognition.attempts:
            if not attempt.shared:
                self._count_attempt(READER, attempt)

    def _count(self, interaction: Interaction) -> None:
        response, timings = interaction.response, interaction.timings_ms
        failed = response is not None and response.error is not None
        outcome = "llm2_failed" if failed else "ok"
        self._interactions.labels(interaction.mode, interaction.recognition.source, outcome).inc()
        for part in ("recognise", "flow", "respond", "total", "store"):
            if part == "recognise" and interaction.mode == "formula":
                continue  # no model has read
            if milliseconds := getattr(timings, part):
                self._latency.labels(part).observe(milliseconds / 1000)
        if response is None:
            return
        for attempt in response.failed_attempts:
            self._count_attempt(RESPONDER, attempt)
        if response.first_token_ms is not None:
            self._latency.labels("first_token").observe(response.first_token_ms / 1000)
        if not failed:
            # The name the provider answers with is its own business; ours is bounded by the settings.
            self._count_attempt(
                RESPONDER,
                Attempt(
                    provider=response.provider,
                    model=response.asked or response.model,
                    outcome=OK,
                    input_tokens=response.input_tokens,
                    output_tokens=response.output_tokens,
                    cost_usd=response.cost_usd,
                ),
            )

    def _count_attempt(self, role: str, attempt: Attempt) -> None:
        who = (role, attempt.provider, attempt.model)
        self._calls.labels(*who, _call_outcome(attempt.outcome)).inc()
        if attempt.outcome not in NOT_FAILED:
            self._failures.labels(*who, attempt.outcome).inc()
        self._tokens.labels(*who, "input").inc(attempt.input_tokens)
        self._tokens.labels(*who, "output").inc(attempt.output_tokens)
        self._cost.labels(*who).inc(attempt.cost_usd or 0.0)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(name, meaning, labels, registry=self.registry)


def _call_outcome(outcome: str) -> str:
    """Few words for the label; why it failed is in `vif_failures_total`."""
    if outcome in NOT_FAILED:
        return outcome
    return "not_sent" if outcome in NOT_SENT else "failed"


@cache
def metrics() -> Metrics:
    """Those of this process."""
    return Metrics()
