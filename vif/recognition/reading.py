"""Stages 1 and 2 of a message: what the ladder found, or the Rust formula in its place."""

from __future__ import annotations

from collections.abc import Mapping

from vif.domains import DOMAINS
from vif.errors import RecognitionError
from vif.flow import Reading, read_formula
from vif.interaction import Recognition
from vif.recognition.ladder import Ladder
from vif.recognition.recogniser import Question

SHIFT_ABOVE = 0.3
"""A change of a domain since the previous interaction that is worth reporting."""


async def read_message(
    ladder: Ladder, question: Question, autonomy: float, *, fallback_to_formula: bool
) -> tuple[Reading, Recognition]:
    """The reading, and how it came about. RecognitionError when there is none and the formula may not stand in."""
    found = await ladder.recognise(question)
    recognition = found.recognition
    if found.answer:
        reading = Reading(found.answer.domains, found.answer.boundaries)
    elif fallback_to_formula:
        reading = read_formula(autonomy, question.boundaries)
    else:
        last = recognition.attempts[-1].error if recognition.attempts else "no recogniser is configured"
        raise RecognitionError(f"LLM #1 gave no reading: {last}", recognition.fallback_reason)
    return reading, recognition.model_copy(update={"shifts": shifts(question.previous, reading.domains)})


def shifts(before: Mapping[str, float] | None, now: Mapping[str, float]) -> dict[str, float]:
    """The domains that moved by more than 0.3 since the previous interaction, with the change."""
    if not before:
        return {}
    # Rounded: in binary 0.9 − 0.6 is a little more than 0.3.
    changes = {domain.value: round(now.get(domain, 0.0) - before.get(domain, 0.0), 9) for domain in DOMAINS}
    return {name: change for name, change in changes.items() if abs(change) > SHIFT_ABOVE}
