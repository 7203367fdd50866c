"""Where a reading came from and what an answer took, in words."""

from __future__ import annotations

from typing import get_args

import pytest

from pages import _words
from vif.config import DualLlmConfig
from vif.errors import Reason
from vif.interaction import Attempt, Recognition, Response, Source

CONFIG = DualLlmConfig(llm1_timeout_ms=5_000, llm1_deadline_ms=12_000)


def test_a_time_out_is_told_with_its_length_and_its_consequence() -> None:
    recognition = Recognition(source="formula", fallback_reason=Reason.TIMEOUT)
    assert _words.fallback_in_words(recognition, CONFIG) == (
        "LLM #1 timed out after 5 s, so the formula's values are shown."
    )


def test_the_deadline_is_told_with_its_length() -> None:
    recognition = Recognition(source="embedded", fallback_reason=Reason.DEADLINE)
    assert _words.fallback_in_words(recognition, CONFIG) == (
        "LLM #1 had no answer when its 12 s were over, so the embedded model read the message."
    )


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("source", ["secondary", "embedded", "formula"])
def test_every_reason_has_a_sentence_for_every_stand_in(reason: Reason, source: Source) -> None:
    sentence = _words.fallback_in_words(Recognition(source=source, fallback_reason=reason), CONFIG)
    assert sentence is not None
    assert sentence.endswith(".")
    assert "{" not in sentence
    assert "another reading" not in sentence


def test_nothing_is_said_when_nothing_went_wrong() -> None:
    assert _words.fallback_in_words(Recognition(source="llm1"), CONFIG) is None


@pytest.mark.parametrize("source", get_args(Source))
def test_every_source_has_a_badge_and_a_fallback_another_colour(source: Source) -> None:
    assert _words.source_badge(Recognition(source=source)).label
    assert _words.source_badge(Recognition(source=source, fallback_reason=Reason.AUTH)).colour == "orange"


def test_the_facts_of_a_reply_hold_model_times_tokens_cost_and_finish() -> None:
    response = Response(
        provider="anthropic",
        model="claude-sonnet-5-5",
        first_token_ms=412,
        latency_ms=3_240,
        input_tokens=1_312,
        output_tokens=420,
        cost_usd=0.0102,
        finish_reason="length",
    )
    assert _words.reply_facts(response) == (
        r"claude\-sonnet\-5\-5 · first word after 412 ms · 3.2 s in all · 1,312 + 420 tokens · \$0.0102 · "
        "cut off at the length limit"
    )


def test_a_reply_that_failed_at_once_is_not_called_free() -> None:
    failed = Response(provider="anthropic", model="claude-sonnet-5-5", latency_ms=120.0, error="wrong key")
    assert _words.reply_facts(failed) == r"claude\-sonnet\-5\-5 · 120 ms in all"


def test_a_cost_is_never_shown_as_nothing_when_it_is_something() -> None:
    assert [_words.dollars(cost) for cost in (None, 0.0, 0.00002, 0.0123)] == [
        "price not known",
        "free",
        "under $0.0001",
        "$0.0123",
    ]


def test_the_facts_of_a_reading_count_its_attempts() -> None:
    attempts = tuple(Attempt(provider="openai", model="gpt-6-luna", outcome=o) for o in ("timeout", "ok"))
    recognition = Recognition(source="llm1", model="gpt-6-luna", latency_ms=640, cost_usd=0.0005, attempts=attempts)
    assert _words.reading_facts(recognition) == r"gpt\-6\-luna · 640 ms · \$0.0005 · 2 attempts"
