"""What is kept of one message: the `Interaction` and its parts. Keys are a stable contract; more may be added."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import uuid4

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from vif.boundaries import Boundary, boundary_meters
from vif.errors import Reason
from vif.flow import Anchor, DevelopmentalStage, EmergentQuality, Mode, Reading
from vif.interfaces import Interface
from vif.notebook import Card, Radar, Shown, activations_in_short, counted, domain_meters, in_short
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


class FormulaReading(Shown, _Record):
    """What the Rust formula says: all four domains unfiltered, boundaries as stage 2 has them."""

    domains: DomainActivations
    boundaries: tuple[Boundary, ...]

    def _summary(self) -> str:
        return activations_in_short(self.domains.model_dump())

    def _card(self) -> Card:
        domains = self.domains.model_dump()
        groups = [domain_meters(None, domains), boundary_meters(self.boundaries, accent="formula")]
        return Card("The Rust formula, of every message", radar=Radar(domains, None), groups=groups)


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


class Recognition(Shown, _Record):
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

    @property
    def in_words(self) -> str:
        """Who read, and when it was not LLM #1, why: "read by smollm2 (embedded)"."""
        who = f"{self.model} ({self.source})" if self.model else "the Rust formula"
        return f"read by {who}" + (f", because LLM #1 failed: {self.fallback_reason}" if self.fallback_reason else "")

    def _summary(self) -> str:
        return f"{self.in_words[:200]}, {counted(len(self.attempts), 'attempt')}, {self.latency_ms:.0f} ms"

    def _card(self) -> Card:
        attempts = [
            f"{one.provider}:{one.model} {one.outcome}, {one.latency_ms:.0f} ms"
            + (f": {one.error}" if one.error else "")
            for one in self.attempts
        ]
        corrections = [
            f"{one.boundary} {one.field}: {one.given} became {one.used}, {one.why}" for one in self.corrections
        ]
        passages = [
            ("Reasoning", self.reasoning),
            ("Patterns", "\n".join(self.patterns)),
            ("Attempts", "\n".join(attempts)),
            ("Corrections", "\n".join(corrections)),
        ]
        return Card("Recognition", _sentence(self.in_words), passages=passages, facts=self._facts())

    def _facts(self) -> list[str]:
        return [f"{self.latency_ms:.0f} ms", dollars_in_words(self.cost_usd)]


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


class MessageReading(Shown, _Record):
    """How one message was read, without a reply: `vif.read`. A domain the formula did not keep is not in `domains`."""

    message: str
    domains: dict[str, float]
    boundaries: tuple[Boundary, ...]
    formula: FormulaReading
    recognition: Recognition

    def _summary(self) -> str:
        return f"{in_short(self.message)}: {_compared(self)}"

    def _card(self) -> Card:
        return _reading_card("Reading", self, [("Reasoning", self.recognition.reasoning)], [])


class Interaction(Shown, _Record):
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

    def _summary(self) -> str:
        response = self.response
        reply = f"reply of {len(self.reply):,} characters" if self.reply else "no reply"
        failed = f", failed: {in_short(response.error, 80)}" if response and response.error else ""
        return f"{in_short(self.message)}: {_compared(self)}; {reply}{failed}, {self.timings_ms.total:.0f} ms"

    def _card(self) -> Card:
        response, facts = self.response, [f"stage {self.developmental_stage}", f"autonomy {self.autonomy:g}"]
        if response:
            facts += [] if response.error else [f"answered by {response.model}"]
            facts += [f"{self.timings_ms.total:.0f} ms in all"]
            cost = total_cost([self.recognition.cost_usd, response.cost_usd])
            facts.append(dollars_in_words(cost))
        passages = [("Reasoning", self.recognition.reasoning), ("Reply", self.reply)]
        failed = [f"LLM #2 failed: {response.error}"] if response and response.error else []
        return _reading_card("Interaction", self, passages, facts, failed)


def total_cost(costs: Iterable[float | None]) -> float | None:
    """The sum, or None as soon as one of them is not known."""
    total = 0.0
    for cost in costs:
        if cost is None:
            return None
        total += cost
    return total


def dollars_in_words(cost_usd: float | None) -> str:
    """ "$0.00027", "free"; a price that is not known is not free."""
    if cost_usd is None:
        return "cost not known"
    return f"${cost_usd:.5f}" if cost_usd else "free"


# ── Cards ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _compared(read: Interaction | MessageReading) -> str:
    """Who read what, for a `repr`."""
    who = "the Rust formula" if read.recognition.model is None else read.recognition.source
    return f"{activations_in_short(read.domains)} by {who}"


def _reading_card(
    kind: str,
    read: Interaction | MessageReading,
    passages: Sequence[tuple[str, str]],
    facts: Sequence[str],
    notices: Sequence[str] = (),
) -> Card:
    """The radar of LLM #1 over the formula; of the formula alone where LLM #1 did not read."""
    formula, recognition = read.formula.domains.model_dump(), read.recognition
    by_model = recognition.source != "formula"
    domains = read.domains if by_model else None
    fallback = [_sentence(recognition.in_words)] if recognition.fallback_reason else []
    return Card(
        kind,
        read.message or "(an empty message)",
        quoted=bool(read.message),
        notices=[*fallback, *notices],
        radar=Radar(formula, domains),
        groups=[
            domain_meters(domains, formula),
            boundary_meters(read.boundaries, read.formula.boundaries)
            if by_model
            else boundary_meters(read.boundaries, accent="formula"),
        ],
        passages=passages,
        facts=[recognition.in_words, *facts] if not fallback else facts,
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
