"""What the tour shows, in which order, and what whoever gives it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pages import _tour_numbers, _tour_steps
from pages._sidebar import Settings


@dataclass(frozen=True, slots=True)
class Step:
    """One idea. `notes` are for the speaker, as Markdown; the same stand in docs/tour.md."""

    name: str
    title: str
    notes: str
    draw: Callable[[Settings], None]


STEPS = (
    Step(
        "Problem",
        "The formula reads every message alike",
        "Quicksort, a flood myth, a late grandmother: one and the same shape. Ask the room for a message and type it. "
        "Nothing moves. Whatever is built on this reading cannot know what it was asked.",
        _tour_steps.draw_problem,
    ),
    Step(
        "Reading",
        "A language model reads each one",
        "These are live calls. Point at the leading domain of each: computational, cultural, experiential. The dotted "
        "shape is the formula from before, on the same scale.",
        _tour_steps.draw_reading,
    ),
    Step(
        "Boundaries",
        "Where domains meet, boundaries open",
        "The same question as before, and half a sentence more. Press Play, then Spread out: a boundary is not a wall, "
        "it swings, and the flow works with that. What comes forward first goes into the prompt.",
        _tour_steps.draw_boundaries,
    ),
    Step(
        "Answer",
        "The reading shapes the answer",
        "Left: the prompt, made from the reading, with nothing hidden. Right: the second model, streaming. Below it: "
        "model, first word, time, tokens, price. Offline it is a very small model; it writes simply.",
        _tour_steps.draw_answer,
    ),
    Step(
        "Outage",
        "LLM #1 fails, and the answer still comes",
        "We break LLM #1 on purpose, in this session only. It is asked again, then the next one down the ladder reads, "
        "at last the formula, and the page says why. No failure of LLM #1 is ever an error for the user.",
        _tour_steps.draw_outage,
    ),
    Step(
        "Cost",
        "What it costs, and how long it takes",
        "The upper row was measured in the last minutes, here. The same message again comes from the cache: no call, "
        "no cost. The table is the price list: choose a preset by what you need.",
        _tour_numbers.draw_cost,
    ),
    Step(
        "Verdict",
        "Is it better?",
        "Two kinds of evidence: people who judge blind, and labelled messages. Where nobody has judged yet the page "
        "says so. An error of 0.1 means a tenth of the scale off, on average.",
        _tour_numbers.draw_verdict,
    ),
    Step(
        "Your turn",
        "Your turn",
        "Leave the presenter view with P and hand over the keyboard. Explore for the curious, Evaluate for engineers, "
        "Rate for everybody.",
        _tour_numbers.draw_end,
    ),
)
