"""What the page says about where a reading came from, and what an answer took."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import vif
from pages._text import plain
from vif.errors import Reason
from vif.interaction import Recognition, Response, Source


class Badge(NamedTuple):
    label: str
    icon: str
    colour: str


_SOURCES: Mapping[Source, Badge] = {
    "llm1": Badge("LLM #1", ":material/neurology:", "primary"),
    "cache": Badge("LLM #1, from the cache", ":material/history:", "primary"),
    "secondary": Badge("Second LLM #1", ":material/alt_route:", "orange"),
    "embedded": Badge("Embedded model", ":material/offline_bolt:", "primary"),
    "formula": Badge("Rust formula", ":material/function:", "gray"),
}

_FAILURES: Mapping[Reason, str] = {
    Reason.TIMEOUT: "LLM #1 timed out after {timeout:g} s",
    Reason.DEADLINE: "LLM #1 had no answer when its {deadline:g} s were over",
    Reason.CONNECTION: "LLM #1 could not be reached",
    Reason.AUTH: "LLM #1 did not accept the key",
    Reason.RATE_LIMIT: "LLM #1 has had too many requests",
    Reason.SERVER_ERROR: "LLM #1 had a fault of its own",
    Reason.INVALID_JSON: "LLM #1 sent something that is not a reading",
    Reason.SCHEMA: "LLM #1 sent a reading that breaks the rules",
    Reason.REFUSAL: "LLM #1 declined to read this message",
    Reason.TRUNCATED: "LLM #1 stopped before the end of its reading",
    Reason.CIRCUIT_OPEN: "LLM #1 failed several times and is given a rest",
    Reason.BUDGET: "the budget is used up",
    Reason.NOT_CONFIGURED: "LLM #1 cannot be used as it is set up",
}

_STAND_INS: Mapping[Source, str] = {
    "secondary": "so the second LLM #1 read the message",
    "embedded": "so the embedded model read the message",
    "formula": "so the formula's values are shown",
}

_FINISHES: Mapping[str, str] = {
    "stop": "complete",
    "length": "cut off at the length limit",
    "refusal": "declined",
    "cut": "ended early",
}


def source_badge(recognition: Recognition) -> Badge:
    """Who read; another colour when it was not who should have."""
    badge = _SOURCES[recognition.source]
    return badge._replace(colour="orange") if recognition.fallback_reason else badge


def fallback_in_words(recognition: Recognition, config: vif.DualLlmConfig) -> str | None:
    """Why somebody else read than should have, as a sentence; None when nobody did."""
    if recognition.fallback_reason is None:
        return None
    failure = _FAILURES[recognition.fallback_reason].format(
        timeout=config.llm1_timeout_ms / 1000, deadline=config.llm1_deadline_ms / 1000
    )
    sentence = f"{failure}, {_STAND_INS.get(recognition.source, 'so another reading is shown')}."
    return sentence[0].upper() + sentence[1:]


def seconds(milliseconds: float) -> str:
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


def dollars(cost: float | None) -> str:
    if cost is None:
        return "price not known"
    if cost == 0:
        return "free"
    return f"${cost:.4f}" if cost >= 0.0001 else "under $0.0001"


def reading_facts(recognition: Recognition) -> str:
    """Model, time and cost of a reading, as Markdown."""
    facts = [plain(recognition.model)] if recognition.model else []
    facts.append(seconds(recognition.latency_ms))
    if recognition.attempts:
        facts.append(dollars(recognition.cost_usd).replace("$", r"\$"))
    if len(recognition.attempts) > 1:
        facts.append(f"{len(recognition.attempts)} attempts")
    return " · ".join(facts)


def reply_facts(response: Response) -> str:
    """Model, first token, latency, tokens, cost and finish reason, as Markdown."""
    facts = [plain(response.model)]
    if response.first_token_ms is not None:
        facts.append(f"first word after {seconds(response.first_token_ms)}")
    facts.append(f"{seconds(response.latency_ms)} in all")
    if response.error is None or response.input_tokens or response.output_tokens:
        # A provider that failed at once has counted nothing; that is not the same as free.
        facts.append(f"{response.input_tokens:,} + {response.output_tokens:,} tokens")
        facts.append(dollars(response.cost_usd).replace("$", r"\$"))
    if response.finish_reason:
        facts.append(_FINISHES.get(response.finish_reason, plain(response.finish_reason)))
    return " · ".join(facts)
