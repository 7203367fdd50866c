"""The seven stages. Pure: the same input gives the same numbers, and no model is called.

Numbers from the project's numeric specification, section 2. `read_formula` makes stages 1 and 2 from the autonomy; a
reading that comes from LLM #1 takes their place. Stages 3 to 5 (`shape`) need no reply, stages 6 and 7 (`conclude`) do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

from vif.boundaries import DEFAULT_BOUNDARIES, TRANSCENDENT_ABOVE, Boundary, Status, boundary_meters, dissolve
from vif.domains import emerging, formula_activations
from vif.interfaces import BoundaryActivation, Interface, activate, select
from vif.notebook import Card, Radar, Shown, activations_in_short, domain_meters
from vif.prompt import in_fixed_order, structured_prompt
from vif.qualities import MessageFeatures, Qualities, qualities_of

Mode = Literal["dual", "formula"]
"""Whether stages 1 and 2 come from LLM #1 or from the Rust formula."""

PATTERN_ABOVE = 0.5
"""A domain takes part in the pattern of stage 6 only above this."""


class Stage(StrEnum):
    """The seven stages, in order."""

    DOMAINS = "domain emergence"
    BOUNDARIES = "boundary dissolution"
    INTERFACES = "interface attention"
    QUALITIES = "quality emergence"
    INTEGRATION = "integration"
    CONTINUITY = "continuity"
    EVOLUTION = "evolution"

    @property
    def number(self) -> int:
        """1 to 7."""
        return list(Stage).index(self) + 1


class DevelopmentalStage(StrEnum):
    """Where stage 7 places the interaction, lowest first."""

    RECOGNITION = "Recognition"
    INTEGRATION = "Integration"
    GENERATION = "Generation"
    RECURSION = "Recursion"
    TRANSCENDENCE = "Transcendence"


@dataclass(frozen=True, slots=True, repr=False)
class Reading(Shown):
    """The result of stages 1 and 2, from the formula or from LLM #1.

    `domains` maps names to activations (an absent domain was not kept); `boundaries` carry permeability and status.
    """

    domains: Mapping[str, float]
    boundaries: tuple[Boundary, ...]

    def _summary(self) -> str:
        return activations_in_short(self.domains)

    def _card(self) -> Card:
        groups = [domain_meters(self.domains, None), boundary_meters(self.boundaries)]
        return Card("Reading", radar=Radar(None, self.domains), groups=groups)


@dataclass(frozen=True, slots=True)
class Anchor:
    """An identity anchor of stage 6: a Transcendent boundary above 0.8, with that permeability as its confidence."""

    boundary: str
    domains: tuple[str, ...]
    confidence: float


@dataclass(frozen=True, slots=True)
class EmergentQuality:
    """Stage 4: the boosted qualities of one Transcendent boundary."""

    boundary: str
    qualities: Qualities


@dataclass(frozen=True, slots=True)
class FlowContext:
    """What stages 3 to 5 made of a reading.

    Attributes:
        activated: strength, resonance and priority of every boundary, in boundary order.
        raw_qualities: the seven qualities of every boundary, in boundary order.
        interfaces: the boundaries that came forward, highest priority first.
        emergent: boosted qualities of the Transcendent boundaries, in boundary order.
        prompt: the structured prompt for LLM #2.
    """

    message: str
    reading: Reading
    activated: tuple[BoundaryActivation, ...]
    raw_qualities: tuple[Qualities, ...]
    interfaces: tuple[Interface, ...]
    emergent: tuple[EmergentQuality, ...]
    prompt: str


@dataclass(frozen=True, slots=True)
class Conclusion:
    """Stages 6 and 7. `pattern_domains` is empty when no pattern formed."""

    pattern_domains: tuple[str, ...]
    anchors: tuple[Anchor, ...]
    developmental_stage: DevelopmentalStage


def read_formula(autonomy: float, boundaries: Sequence[Boundary] = DEFAULT_BOUNDARIES) -> Reading:
    """Stages 1 and 2 from the Rust formula: weight × autonomy, kept above 0.3, then √(a·b)."""
    domains = emerging(formula_activations(autonomy))
    return Reading(domains, dissolve(boundaries, domains))


def shape(message: str, reading: Reading, done: Callable[[Stage], object] = lambda _: None) -> FlowContext:
    """Stages 3 to 5: interfaces, emergent qualities and the structured prompt. `done` is called after each."""
    features = MessageFeatures.of(message)
    boundaries = reading.boundaries
    activated = activate(boundaries, reading.domains)
    raw = tuple(qualities_of(boundary, features) for boundary in boundaries)
    interfaces = select(boundaries, activated, raw)
    done(Stage.INTERFACES)
    emergent = tuple(
        EmergentQuality(boundary.name, scores.boosted(1.0 + entry.activation_strength * 0.2))
        for boundary, scores, entry in zip(boundaries, raw, activated, strict=True)
        if boundary.status == Status.TRANSCENDENT
    )
    done(Stage.QUALITIES)
    prompt = structured_prompt(
        message, reading.domains, boundaries, interfaces, [(e.boundary, e.qualities) for e in emergent]
    )
    done(Stage.INTEGRATION)
    return FlowContext(message, reading, activated, raw, interfaces, emergent, prompt)


def conclude(context: FlowContext, reply: str, done: Callable[[Stage], object] = lambda _: None) -> Conclusion:
    """Stages 6 and 7. A pattern needs a reply that is not empty (a blank one counts). `done` is called after each."""
    engaged = [name for name, value in in_fixed_order(context.reading.domains).items() if value > PATTERN_ABOVE]
    anchors = tuple(
        Anchor(boundary.name, tuple(boundary.name.split("-")), boundary.permeability)
        for boundary in context.reading.boundaries
        if boundary.status == Status.TRANSCENDENT and boundary.permeability > TRANSCENDENT_ABOVE
    )
    done(Stage.CONTINUITY)
    developmental_stage = _developmental_stage(context)
    done(Stage.EVOLUTION)
    return Conclusion(tuple(engaged) if reply else (), anchors, developmental_stage)


class Rung(NamedTuple):
    """What a developmental stage needs: this many Transcendent boundaries, and a mean emergence above `emergence`."""

    boundaries: int
    emergence: float
    stage: DevelopmentalStage


RUNGS = (
    Rung(4, 0.8, DevelopmentalStage.TRANSCENDENCE),
    Rung(3, 0.7, DevelopmentalStage.RECURSION),
    Rung(2, 0.6, DevelopmentalStage.GENERATION),
    Rung(1, 0.5, DevelopmentalStage.INTEGRATION),
)
"""Highest first; Recognition needs nothing."""


def _developmental_stage(context: FlowContext) -> DevelopmentalStage:
    transcendent = sum(boundary.status == Status.TRANSCENDENT for boundary in context.reading.boundaries)
    mean = mean_emergence([entry.qualities for entry in context.emergent])
    for boundaries, quality, stage in RUNGS:
        if transcendent >= boundaries and mean > quality:
            return stage
    return DevelopmentalStage.RECOGNITION


def mean_emergence(emergent: Sequence[Qualities]) -> float:
    """Mean of clarity, depth, resonance and coherence over the Transcendent boundaries; 0.5 when there is none."""
    if not emergent:
        return 0.5
    total = 0.0
    for q in emergent:  # sum() would compensate rounding, the specification does not
        total += (q.clarity + q.depth + q.resonance + q.coherence) / 4
    return total / len(emergent)
