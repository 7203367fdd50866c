"""OpenTelemetry spans with the GenAI names. Without a tracer provider they cost next to nothing and go nowhere."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, TracerProvider

from vif.events import Event, Finished, Recognised, ReplyStarted, StageFinished, StageStarted
from vif.flow import Stage
from vif.interaction import Attempt, Interaction, Recognition
from vif.llm.protocol import Caller
from vif.telemetry.observer import Begun


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
            self._request(known, attempt, began)

    def _responded(self, known: _Open, interaction: Interaction, began: int) -> None:
        response = interaction.response
        if response is None:
            return
        for attempt in response.failed_attempts:
            self._request(known, attempt, began)
        if response.error is not None:
            known.root.set_status(Status(StatusCode.ERROR))
            return
        attributes: dict[str, str | int | float | list[str]] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": response.provider,
            "gen_ai.request.model": response.asked or response.model,
            "gen_ai.response.model": response.model,
            "gen_ai.usage.input_tokens": response.input_tokens,
            "gen_ai.usage.output_tokens": response.output_tokens,
            "gen_ai.response.finish_reasons": [response.finish_reason or ""],
        }
        if response.first_token_ms is not None:
            attributes["gen_ai.response.time_to_first_chunk"] = response.first_token_ms / 1000
        if response.cost_usd is not None:
            attributes["vif.cost_usd"] = response.cost_usd
        end = began + _ns(response.latency_ms)
        self._span(known, f"chat {response.asked or response.model}", began, end, attributes, kind=SpanKind.CLIENT)

    def _request(self, known: _Open, attempt: Attempt, began: int) -> None:
        start = began + _ns(attempt.started_ms)
        attributes: dict[str, str | int | float | list[str]] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": attempt.provider,
            "gen_ai.request.model": attempt.model,
            "gen_ai.usage.input_tokens": attempt.input_tokens,
            "gen_ai.usage.output_tokens": attempt.output_tokens,
        }
        if attempt.cost_usd is not None:
            attributes["vif.cost_usd"] = attempt.cost_usd
        failed = attempt.outcome != "ok"
        if failed:
            attributes["error.type"] = attempt.outcome
        end = start + _ns(attempt.latency_ms)
        self._span(known, f"chat {attempt.model}", start, end, attributes, kind=SpanKind.CLIENT, failed=failed)

    def _span(
        self,
        known: _Open,
        name: str,
        start: int,
        end: int,
        attributes: dict[str, str | int | float | list[str]] | dict[str, str],
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        failed: bool = False,
    ) -> None:
        context = trace.set_span_in_context(known.root)
        span = self._tracer.start_span(name, context, kind=kind, attributes=attributes, start_time=start)
        if failed:
            span.set_status(Status(StatusCode.ERROR))
        span.end(end)


def _ns(milliseconds: float) -> int:
    return int(milliseconds * 1_000_000)
