"""What is kept of one message: the `Interaction` and its parts. Keys are a stable contract; more may be added."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import uuid4

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from vif.boundaries import Boundary
from vif.errors import Reason
from vif.flow import Anchor, DevelopmentalStage, EmergentQuality, Mode, Reading
from vif.interfaces import Interface
from vif.prompt import well_formed

Source = Literal["llm1", "cache", "secondary", "embedded", "formula"]
"""Where a reading came from."""

Milliseconds = Annotated[float, Field(ge=0)]
Text = Annotated[str, AfterValidator(well_formed)]
"""What a model or a provider wrote; always well formed."""

Dollars = Annotated[float, Field(ge=0)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class DomainActivations(_Record):
    """The four activations, 0 to 1, keyed CD, SD, CuD, ED."""

    CD: float
    SD: float
    CuD: float
    ED: float


class BoundaryQualities(_Record):
    """The seven emergent qualities of one boundary."""

    boundary: str
    clarity: float
    depth: float
    openness: float
    precision: float
    fluidity: float
    resonance: float
    coherence: float

    @classmethod
    def of(cls, entry: EmergentQuality) -> BoundaryQualities:
        return cls(boundary=entry.boundary, **entry.qualities._asdict())


class FormulaReading(_Record):
    """What the Rust formula says: all four domains unfiltered, boundaries as stage 2 has them."""

    domains: DomainActivations
    boundaries: tuple[Boundary, ...]


class Attempt(_Record):
    """One request to one model, failed or not. `outcome` is "ok" or the reason it failed.

    "outpaced" is the slower one of two that were asked at once. `started_ms` counts from the first attempt's beginning.
    `shared`: somebody else's request for the same message at the same time, counted and paid there.
    """

    provider: str
    model: str
    outcome: str
    error: Text | None = None
    started_ms: Milliseconds = 0.0
    latency_ms: Milliseconds = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: Dollars | None = None
    raw_text: Text = ""
    shared: bool = False


class Correction(_Record):
    """A value of LLM #1 that was replaced, and why."""

    boundary: str
    field: Literal["permeability", "status"]
    given: float | Text
    used: float | str
    why: str


class Recognition(_Record):
    """How the reading came about. `cost_usd` is None when a price is not known."""

    source: Source
    provider: str | None = None
    model: str | None = None
    reasoning: Text = ""
    patterns: tuple[Text, ...] = ()
    corrections: tuple[Correction, ...] = ()
    fallback_reason: Reason | None = None
    attempts: tuple[Attempt, ...] = ()
    latency_ms: Milliseconds = 0.0
    cost_usd: Dollars | None = 0.0
    cache_hit: bool = False
    shifts: dict[str, float] = Field(default_factory=dict)
    """Domains that moved by more than 0.3 since the previous interaction, with the change."""


class Response(_Record):
    """LLM #2's metadata. `finish_reason` is "stop", "length", "refusal" or "cut"; None when it never finished.

    `model` is what the provider says it was, `asked` what the settings name.
    """

    provider: str
    model: Text
    asked: str = ""
    latency_ms: Milliseconds = 0.0
    first_token_ms: Milliseconds | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: Dollars | None = 0.0
    finish_reason: str | None = None
    error: Text | None = None
    system: str = ""
    prompt: str = ""
    """What this model was really sent; an embedded one gets a compact prompt."""
    failed_attempts: tuple[Attempt, ...] = ()
    """Responders that were asked in vain, this one among them when there is an `error`."""


class Timings(_Record):
    """Milliseconds of each part. `flow` is stages 3 to 7 and the formula; `store` is 0 when nothing is stored."""

    recognise: Milliseconds = 0.0
    flow: Milliseconds = 0.0
    respond: Milliseconds = 0.0
    store: Milliseconds = 0.0
    total: Milliseconds = 0.0


class Interaction(_Record):
    """One message with everything that was computed for it."""

    id: str = Field(default_factory=lambda: uuid4().hex)
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    message: str
    mode: Mode
    preset: str | None = None
    autonomy: float
    domains: dict[str, float]
    boundaries: tuple[Boundary, ...]
    formula: FormulaReading
    interfaces: tuple[Interface, ...]
    qualities: tuple[BoundaryQualities, ...]
    patterns: tuple[str, ...] = ()
    anchors: tuple[Anchor, ...] = ()
    developmental_stage: DevelopmentalStage
    prompt: str
    reply: Text = ""
    recognition: Recognition
    response: Response | None = None
    timings_ms: Timings = Field(default_factory=Timings)

    @property
    def reading(self) -> Reading:
        """Domains and boundaries as stages 3 to 7 used them."""
        return Reading(self.domains, self.boundaries)


def total_cost(costs: Iterable[float | None]) -> float | None:
    """The sum, or None as soon as one of them is not known."""
    total = 0.0
    for cost in costs:
        if cost is None:
            return None
        total += cost
    return total
