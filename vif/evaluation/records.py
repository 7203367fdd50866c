"""What an evaluation run is made of, and what is kept of it. Everything needed to repeat it is in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field

from vif.boundaries import Boundary, boundary_meters
from vif.domains import Domain
from vif.evaluation.suite import Case
from vif.interaction import Recognition
from vif.llm.protocol import Provider
from vif.notebook import Card, Radar, Shown, activations_in_short, counted, domain_meters, in_short


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class Subject(_Record):
    """Who reads: a preset or a model under a name. `settings` are those that differ from the defaults; no secret."""

    name: str
    settings: Mapping[str, object] = Field(default_factory=dict)
    formula: bool = False
    """The Rust formula itself, as a subject like any other."""


class Result(Shown, _Record):
    """One reading of one case by one subject. `repeat` counts from 0.

    Attributes:
        domains, boundaries: the reading; None when there was none (`error` says why).
        formula: what the Rust formula says, for comparison.
        recognition: how it came about, every attempt included. `source` "formula" means that LLM #1 failed.
        added_ms: time until the reading was there.
        batched: it was asked for in a batch, at the price of a batch. Nobody waited for it: `added_ms` and the
            latencies in `recognition` are 0 and measure nothing.
    """

    case_id: str
    subject: str
    repeat: int
    domains: Mapping[Domain, float] | None = None
    boundaries: tuple[Boundary, ...] = ()
    formula: Mapping[Domain, float] = Field(default_factory=dict)
    recognition: Recognition | None = None
    added_ms: float = 0.0
    batched: bool = False
    error: str | None = None
    at: datetime = Field(default_factory=lambda: datetime.now(UTC))

    @property
    def key(self) -> tuple[str, str, int]:
        """What a run has exactly one result of."""
        return self.case_id, self.subject, self.repeat

    @property
    def read(self) -> bool:
        """Whether the subject itself read: not a fallback to the formula, not a failure."""
        if self.domains is None or self.recognition is None:
            return False
        return self.recognition.source != "formula" or not self.recognition.attempts

    def _summary(self) -> str:
        read = in_short(self.error, 80) if self.error else "nothing" if self.domains is None else self._activations
        return f"{in_short(self.case_id)} by {in_short(self.subject)}, repeat {self.repeat}: {read}"

    @property
    def _activations(self) -> str:
        return activations_in_short(_by_name(self.domains or {}))

    def _card(self) -> Card:
        by_formula = self.recognition is not None and self.recognition.source == "formula"
        domains = None if self.domains is None or by_formula else _by_name(self.domains)
        formula = _by_name(self.formula)
        return Card(
            "Reading of a case",
            f"{self.case_id}, by {self.subject}",
            notices=[self.error] if self.error else [],
            radar=Radar(formula, domains),
            groups=[domain_meters(domains, formula), boundary_meters(self.boundaries)],
            facts=[f"repeat {self.repeat}", "in a batch" if self.batched else f"{self.added_ms:.0f} ms"],
        )


class Batch(_Record):
    """Readings of one subject that were handed over to a provider as one batch. `id` is the provider's.

    Attributes:
        readings: the id of the case and the repeat of each.
        collected: what came of it is kept; whatever is still missing can be asked again.
    """

    id: str
    subject: str
    provider: Provider
    readings: tuple[tuple[str, int], ...]
    collected: bool = False
    at: datetime = Field(default_factory=lambda: datetime.now(UTC))


class Run(Shown, _Record):
    """A run as it was planned. Its results are kept one by one, so that it can be taken up again."""

    id: str = Field(default_factory=lambda: uuid4().hex)
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    suite: str
    cases: tuple[Case, ...]
    subjects: tuple[Subject, ...]
    repeats: int = Field(1, ge=1, le=100)
    autonomy: float = Field(0.55, ge=0, le=1)
    versions: Mapping[str, str] = Field(default_factory=dict)
    """Of vif, of the prompt (a digest) and of the SDKs."""

    @property
    def total(self) -> int:
        return len(self.cases) * len(self.subjects) * self.repeats

    def _summary(self) -> str:
        names = ", ".join(subject.name for subject in self.subjects)
        return (
            f"{self.id[:8]} {in_short(self.suite)}: {len(self.cases):,} cases × {self.repeats} by {in_short(names, 80)}"
        )

    def _card(self) -> Card:
        return Card(
            "Planned evaluation",
            self.suite,
            passages=[("Who reads", "\n".join(subject.name for subject in self.subjects))],
            facts=[
                counted(len(self.cases), "case"),
                counted(self.repeats, "repeat"),
                counted(self.total, "reading"),
                f"run {self.id}",
            ],
        )


def _by_name(activations: Mapping[Domain, float]) -> dict[str, float]:
    return {domain.value: value for domain, value in activations.items()}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. `left_s` is an estimate from the pace so far; None at the start."""

    done: int
    total: int
    failed: int
    spent_usd: float
    left_s: float | None
