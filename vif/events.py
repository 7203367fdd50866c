"""What `VifApi.stream` yields, in this order:

    FormulaRead
    StageStarted 1, 2 → Recognised → StageFinished 1, 2
    StageFinished 3, 4, 5
    ReplyStarted → ReplyDelta … → ReplyFailed, when LLM #2 failed
    StageFinished 6, 7
    Finished

`Finished` always comes last, with whatever there is. Stages 1 and 2 take long, so their start is told; the others are
over within a fraction of a millisecond.
"""

from __future__ import annotations

from dataclasses import dataclass

from vif.flow import Conclusion, FlowContext, Reading, Stage
from vif.interaction import FormulaReading, Interaction, Recognition


@dataclass(frozen=True, slots=True)
class FormulaRead:
    """The Rust formula's reading: there at once, before any model is asked."""

    formula: FormulaReading


@dataclass(frozen=True, slots=True)
class StageStarted:
    stage: Stage


@dataclass(frozen=True, slots=True)
class Recognised:
    """Stages 1 and 2 are done: the reading that counts, and how it came about."""

    reading: Reading
    recognition: Recognition


@dataclass(frozen=True, slots=True)
class StageFinished:
    """A stage is done.

    Stages 1 and 2 come with the `Reading`; LLM #1 does both at once, so both have the duration of its reading.
    Stages 3 to 5 share one `FlowContext`, 6 and 7 one `Conclusion`.
    """

    stage: Stage
    data: FlowContext | Conclusion | Reading
    duration_ms: float


@dataclass(frozen=True, slots=True)
class ReplyStarted:
    """LLM #2 is being asked."""

    provider: str
    model: str


@dataclass(frozen=True, slots=True)
class ReplyDelta:
    text: str


@dataclass(frozen=True, slots=True)
class ReplyFailed:
    """LLM #2 gave no usable reply; `message` is fit to be shown."""

    message: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event, always."""

    interaction: Interaction


Event = FormulaRead | StageStarted | Recognised | StageFinished | ReplyStarted | ReplyDelta | ReplyFailed | Finished
