"""OpenTelemetry spans with the GenAI names. Without a tracer provider they cost next to nothing and go nowhere."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, TracerProvider

from vif.events import Event, Finished, Recognised, ReplyStarted, StageFinished, StageStarted
from vif.flow import Stage
from vif.interaction import Attempt, Interaction, Recognition, Response
from vif.llm.protocol import Caller
from vif.llm.stack import READER, RESPONDER
from vif.telemetry.failures import NOT_FAILED, NOT_SENT, OK
from vif.telemetry.observer import Begun

Attributes = dict[str, str | int | float | list[str]]


@dataclass(slots=True)
class _Open:
    """An interaction's span, and when its parts began, in nanoseconds since the epoch."""

    root: Span
    began: dict[str, int] = field(default_factory=dict)


class SpanObserver:
    """A span per interaction, per stage and per request to a model. No text of messages is in them.

    A request's span is made when its outcome is known, with the times at which it began and ended.
    """

    def __init__(self, provider: TracerProvider | None = None) -> None:
        self._tracer: Tracer = trace.get_tracer("vif", tracer_provider=provider)
        self._open: dict[str, _Open] = {}

    def begin(self, caller: Caller, begun: Begun) -> None:
        root = self._tracer.start_span(
            "vif.interaction",
            attributes={
                "vif.interaction.id": caller.interaction,
                "vif.mode": begun.mode,
                "vif.preset": begun.preset or "",
            },
        )
        self._open[caller.interaction] = _Open(root)

    def see(self, caller: Caller, event: Event) -> None:
        known = self._open.get(caller.interaction)
        if known is None:
            return
        now = time.time_ns()
        match event:
            case StageStarted(Stage.DOMAINS):
                known.began["recognise"] = now
            case Recognised(_, recognition):
                self._recognised(known, recognition, known.began.get("recognise", now))
            case StageFinished(stage, _, duration_ms):
                self._span(known, f"vif.stage {stage.value}", now - _ns(duration_ms), now, {"vif.stage": stage.value})
            case ReplyStarted():
                known.began["respond"] = now
            case Finished(interaction):
                self._responded(known, interaction, known.began.get("respond", now))

    def end(self, caller: Caller, error: BaseException | None) -> None:
        known = self._open.pop(caller.interaction, None)
        if known is None:
            return
        if error is not None:
            known.root.set_attribute("error.type", type(error).__name__)
        known.root.end()

    def circuit(self, role: str, provider: str, model: str, state: str) -> None:
        """A circuit belongs to no interaction."""

    def not_stored(self, caller: Caller) -> None:
        if known := self._open.get(caller.interaction):
            known.root.set_attribute("vif.stored", False)

    def _recognised(self, known: _Open, recognition: Recognition, began: int) -> None:
        known.root.set_attributes(
            {
                "vif.source": recognition.source,
                "vif.cache_hit": recognition.cache_hit,
                "vif.fallback_reason": recognition.fallback_reason.value if recognition.fallback_reason else "",
            }
        )
        for attempt in recognition.attempts:
            self._request(known, READER, attempt, began + _ns(attempt.started_ms))

    def _responded(self, known: _Open, interaction: Interaction, began: int) -> None:
        response = interaction.response
        if response is None:
            return
        end = began + _ns(response.latency_ms)
        free = began  # LLM #2 is asked by one request at a time
        for attempt in response.failed_attempts:
            start = min(max(began + _ns(attempt.started_ms), free), end)
            free = self._request(known, RESPONDER, attempt, start, end)
        if response.error is not None:
            known.root.set_status(Status(StatusCode.ERROR))
            return
        model = response.asked or response.model
        attributes: Attributes = {
            **_asked(RESPONDER, response.provider, model, response),
            "gen_ai.response.model": response.model,
            "gen_ai.response.finish_reasons": [response.finish_reason or ""],
        }
        if response.first_token_ms is not None:
            first = began + _ns(response.first_token_ms)
            attributes["gen_ai.response.time_to_first_chunk"] = max(first - free, 0) / 1e9
        self._span(known, f"chat {model}", free, end, attributes, kind=SpanKind.CLIENT)

    def _request(self, known: _Open, role: str, attempt: Attempt, start: int, latest: int | None = None) -> int:
        """A span for this request, which ended at `latest` at the latest; returns when it ended."""
        if attempt.outcome in NOT_SENT:
            told = {"vif.role": role, "gen_ai.request.model": attempt.model, "error.type": attempt.outcome}
            known.root.add_event("vif.not_sent", told, start)
            return start
        end = start + _ns(attempt.latency_ms)
        if latest is not None:
            end = min(end, latest)
        attributes = _asked(role, attempt.provider, attempt.model, attempt)
        failed = attempt.outcome not in NOT_FAILED
        if attempt.outcome != OK:
            attributes["error.type" if failed else "vif.outcome"] = attempt.outcome
        self._span(known, f"chat {attempt.model}", start, end, attributes, kind=SpanKind.CLIENT, failed=failed)
        return end

    def _span(
        self,
        known: _Open,
        name: str,
        start: int,
        end: int,
        attributes: Attributes,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        failed: bool = False,
    ) -> None:
        context = trace.set_span_in_context(known.root)
        span = self._tracer.start_span(name, context, kind=kind, attributes=attributes, start_time=start)
        if failed:
            span.set_status(Status(StatusCode.ERROR))
        span.end(end)


def _asked(role: str, provider: str, model: str, used: Attempt | Response) -> Attributes:
    """What is known of every request."""
    attributes: Attributes = {
        "vif.role": role,
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": model,
        "gen_ai.usage.input_tokens": used.input_tokens,
        "gen_ai.usage.output_tokens": used.output_tokens,
    }
    if used.cost_usd is not None:
        attributes["vif.cost_usd"] = used.cost_usd
    return attributes


def _ns(milliseconds: float) -> int:
    return int(milliseconds * 1_000_000)
