"""Hedging: when the secondary is asked too, who wins, and how often at most. Time passes without waiting."""

from __future__ import annotations

import asyncio
import random
import statistics
from collections.abc import Sequence
from typing import Any

import pytest

from tests.fakes import FakeRecogniser, answer, in_virtual_time, loop_time, takes
from vif.config import DualLlmConfig
from vif.errors import ModelError, ServerError
from vif.llm.protocol import Provider, Usage
from vif.recognition.hedge import OUTPACED, HedgedRecogniser
from vif.recognition.ladder import Ladder
from vif.recognition.recogniser import Question, Read

PRIMARY, SECONDARY = answer(CD=0.9), answer(CD=0.1)


def failing(seconds: float, words: str) -> Any:
    async def fail() -> Read:
        await asyncio.sleep(seconds)
        raise ServerError(words)

    return fail


def hedged(first: Sequence[Any], second: Sequence[Any] = ()) -> tuple[HedgedRecogniser, FakeRecogniser]:
    """After twenty readings of 0.1 s each, so that 0.1 s is what is usual and one second request is allowed."""
    primary = FakeRecogniser(*[takes(0.1, PRIMARY)] * 20, *first)
    secondary = FakeRecogniser(*second, provider=Provider.ANTHROPIC, model="claude-haiku-5-5")
    return HedgedRecogniser(primary, secondary, clock=loop_time), secondary


async def warmed(rung: HedgedRecogniser) -> HedgedRecogniser:
    for number in range(20):
        await rung.read(Question(str(number)), None, 5)
    return rung


def test_the_secondary_is_not_asked_while_the_primary_is_as_quick_as_usual() -> None:
    async def main() -> int:
        rung, secondary = hedged([takes(0.09, PRIMARY)] * 10)
        await warmed(rung)
        for _ in range(10):
            assert (await rung.read(Question("Why?"), None, 5)).answer is PRIMARY
        return len(secondary.questions)

    assert in_virtual_time(main) == 0


def test_a_late_primary_is_overtaken_and_ended() -> None:
    async def main() -> tuple[Read, float]:
        rung, _ = hedged([takes(60.0, PRIMARY)], [takes(0.2, Read(SECONDARY, Usage(10, 5)))])
        await warmed(rung)
        start = loop_time()
        return await rung.read(Question("Why?"), None, 90), loop_time() - start

    read, took = in_virtual_time(main)
    assert took == pytest.approx(0.3, abs=0.01)  # 0.1 s as usual, then 0.2 s for the other
    assert (read.answer, read.by) == (SECONDARY, (Provider.ANTHROPIC, "claude-haiku-5-5"))
    (lost,) = read.lost
    assert (lost.model, lost.outcome, lost.cost_usd) == ("gpt-6-luna", OUTPACED, None)
    assert lost.latency_ms == pytest.approx(300, abs=10)


def test_a_late_primary_that_is_still_first_counts() -> None:
    async def main() -> Read:
        rung, _ = hedged([takes(0.3, PRIMARY)], [takes(5.0, SECONDARY)])
        return await (await warmed(rung)).read(Question("Why?"), None, 90)

    read = in_virtual_time(main)
    assert (read.answer, read.by) == (PRIMARY, None)
    assert [lost.model for lost in read.lost] == ["claude-haiku-5-5"]


@pytest.mark.parametrize("first_s", [0.15, 1.0])
def test_when_one_fails_the_other_is_waited_for(first_s: float) -> None:
    async def main() -> tuple[Read, Read]:
        rung, _ = hedged([failing(first_s, "down")], [takes(0.5, SECONDARY)])
        one = await (await warmed(rung)).read(Question("Why?"), None, 90)
        rung, _ = hedged([takes(first_s, PRIMARY)], [failing(0.01, "down")])
        return one, await (await warmed(rung)).read(Question("Why?"), None, 90)

    saved, kept = in_virtual_time(main)
    assert saved.answer is SECONDARY
    assert kept.answer is PRIMARY
    assert [(lost.outcome, lost.error) for lost in kept.lost] == [("server_error", "down")]


def test_only_when_both_fail_it_fails_with_the_primarys_error() -> None:
    async def main() -> None:
        rung, _ = hedged([failing(0.5, "the primary")], [failing(0.1, "the secondary")])
        await (await warmed(rung)).read(Question("Why?"), None, 90)

    with pytest.raises(ModelError, match="the primary"):
        in_virtual_time(main)


def test_a_quick_failure_is_the_ladders_business() -> None:
    async def main() -> int:
        rung, secondary = hedged([failing(0.01, "down")])
        with pytest.raises(ServerError):
            await (await warmed(rung)).read(Question("Why?"), None, 90)
        return len(secondary.questions)

    assert in_virtual_time(main) == 0


def test_nothing_is_called_slow_before_there_is_something_usual() -> None:
    async def main() -> int:
        secondary = FakeRecogniser()
        rung = HedgedRecogniser(FakeRecogniser(takes(60.0, PRIMARY)), secondary, clock=loop_time)
        await rung.read(Question("Why?"), None, 90)
        return len(secondary.questions)

    assert in_virtual_time(main) == 0


def test_at_most_one_request_in_twenty_is_asked_twice_even_when_all_are_slow() -> None:
    async def main() -> int:
        rung, secondary = hedged([takes(1.0, PRIMARY)] * 80, [takes(0.01, SECONDARY)] * 80)
        await warmed(rung)
        await asyncio.gather(*(rung.read(Question(str(number)), None, 90) for number in range(80)))
        return len(secondary.questions)

    assert in_virtual_time(main) <= 5  # 100 requests in all


def test_a_heavy_tail_is_cut() -> None:
    async def main(hedging: bool) -> tuple[float, int]:
        draw = random.Random(7)
        latencies = [draw.uniform(0.05, 0.15) * (10 if draw.random() < 0.015 else 1) for _ in range(4_000)]
        primary = FakeRecogniser(*(takes(seconds, PRIMARY) for seconds in latencies))
        secondary = FakeRecogniser(*(takes(draw.uniform(0.05, 0.15), SECONDARY) for _ in range(300)))
        rung = HedgedRecogniser(primary, secondary, clock=loop_time) if hedging else primary
        took = []
        for number in range(4_000):
            start = loop_time()
            await rung.read(Question(str(number)), None, 90)
            took.append(loop_time() - start)
        return statistics.quantiles(took, n=100)[-1], len(secondary.questions)

    without, _ = in_virtual_time(lambda: main(False))
    with_it, extra = in_virtual_time(lambda: main(True))
    assert extra <= 200
    assert with_it < without / 3


def test_the_ladder_names_who_answered_and_keeps_both_attempts() -> None:
    async def main() -> Any:
        rung, secondary = hedged([takes(60.0, PRIMARY)], [takes(0.2, Read(SECONDARY, Usage(1200, 300)))])
        await warmed(rung)
        return await Ladder((rung, secondary), DualLlmConfig(), clock=loop_time).recognise(Question("Why?"))

    recognition = in_virtual_time(main).recognition
    assert (recognition.source, recognition.provider, recognition.model) == (
        "secondary",
        "anthropic",
        "claude-haiku-5-5",
    )
    assert recognition.fallback_reason is None
    assert [(a.model, a.outcome) for a in recognition.attempts] == [
        ("gpt-6-luna", OUTPACED),
        ("claude-haiku-5-5", "ok"),
    ]
