"""One turn of the conversation as far as it has come: a fold over the events of `VifApi.stream`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from vif.config import DualLlmConfig
from vif.events import Event, Finished, FormulaRead, Recognised, ReplyDelta, ReplyFailed, ReplyStarted, StageFinished
from vif.flow import Mode, Reading, Stage
from vif.interaction import FormulaReading, Interaction, Recognition


@dataclass(frozen=True, slots=True)
class Turn:
    """What a page shows of a message. Parts are None until they arrive.

    Attributes:
        config: the settings it was sent with.
        failure: why there is no (whole) reply, fit to be shown.
        stage_ms: how long each stage took; those that are over.
        stopped: the user ended it; what had arrived stays.
        follows: what it followed, of a turn that is not of this session's conversation.
    """

    number: int
    message: str
    mode: Mode
    config: DualLlmConfig
    formula: FormulaReading | None = None
    reading: Reading | None = None
    recognition: Recognition | None = None
    responder: str | None = None
    reply: str = ""
    failure: str | None = None
    interaction: Interaction | None = None
    stage_ms: Mapping[Stage, float] = field(default_factory=dict)
    stopped: bool = False
    broken: bool = False
    follows: Interaction | None = None

    @property
    def over(self) -> bool:
        return self.interaction is not None or self.stopped or self.broken

    @property
    def formula_domains(self) -> Mapping[str, float]:
        """The formula's four activations; empty before it has read."""
        return self.formula.domains.model_dump() if self.formula else {}

    @property
    def read_by_model(self) -> bool:
        """Whether the reading came from a model, not from the formula."""
        return self.recognition is not None and self.recognition.source != "formula"

    def after(self, event: Event) -> Turn:
        """This turn with one more event; once it is over nothing changes any more."""
        if self.over:
            return self
        match event:
            case FormulaRead(formula):
                return replace(self, formula=formula)
            case Recognised(reading, recognition):
                return replace(self, reading=reading, recognition=recognition)
            case StageFinished(stage, _, duration_ms):
                return replace(self, stage_ms={**self.stage_ms, stage: duration_ms})
            case ReplyStarted(_, model):
                return replace(self, responder=model)
            case ReplyDelta(text):
                return replace(self, reply=self.reply + text)
            case ReplyFailed(message):
                return replace(self, failure=message)
            case Finished(interaction):
                return replace(self, interaction=interaction, reply=interaction.reply)
            case _:
                return self

    def cut_short(self) -> Turn:
        """The turn as the user left it."""
        return self if self.over else replace(self, stopped=True)

    def failed(self, why: str) -> Turn:
        """The turn after something that is not a failure of LLM #1 or LLM #2."""
        return self if self.over else replace(self, failure=why, broken=True)
