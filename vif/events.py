"""What `VifApi.stream` yields, in this order:

    FormulaRead → StageStarted/Recognised → StageStarted/StageFinished (3, 4, 5) → ReplyStarted → ReplyDelta …
    → StageStarted/StageFinished (6, 7) → Finished

`ReplyFailed` takes the place of the rest of the reply when LLM #2 fails; `Finished` comes all the same, with what there is.
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
    """A stage is done. Stages 3 to 5 share one `FlowContext`, 6 and 7 one `Conclusion`."""

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
