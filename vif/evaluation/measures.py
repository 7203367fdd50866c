"""What an evaluation comes to: the report's vocabulary. `metrics.evaluate` makes it, pages and files only show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from vif.domains import Domain
from vif.evaluation.records import Run
from vif.notebook import Card, Group, Meter, Shown, counted, in_short
from vif.statistics.bootstrap import Interval
from vif.statistics.paired import PairedComparison

MetricName = Literal[
    "schema_first",
    "schema_after",
    "range",
    "permeability",
    "status",
    "in_range",
    "mae",
    "formula_correlation",
    "discrimination",
    "sd",
    "dominant_agreement",
    "icc",
    "continuity",
    "latency_p50",
    "latency_p95",
    "tokens",
    "cost",
    "fallbacks",
    "retries",
]
METRICS: tuple[MetricName, ...] = get_args(MetricName)

Unit = Literal["share", "activation", "coefficient", "ms", "tokens", "usd"]
"""share: 0 to 1, shown in percent. activation: a distance of activations, 0 to 1. coefficient: −1 to 1."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What a metric is, in words for people."""

    name: MetricName
    label: str
    question: str
    unit: Unit
    better: Literal["more", "less", "neither"]


@dataclass(frozen=True, slots=True)
class Target:
    """What the design asks of a metric: at least or below `value`, in the metric's own unit."""

    kind: Literal["at least", "below"]
    value: float

    def met_by(self, estimate: float) -> bool:
        return estimate >= self.value if self.kind == "at least" else estimate < self.value


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of one subject, over all cases or those of a tag.

    Attributes:
        interval: the estimate, and where the truth may be; clustered by case.
        met: whether the estimate meets the target; None without a target or an estimate.
        sure: whether the whole interval is on the same side of the target as the estimate; None when that is not known.
    """

    name: MetricName
    interval: Interval
    target: Target | None = None
    met: bool | None = None
    sure: bool | None = None


@dataclass(frozen=True, slots=True)
class CaseReport:
    """One case as one subject read it.

    Attributes:
        ok: read every time, and nothing in `faults`.
        faults: what is wrong, in short sentences: "CD is .82, expected .30 to .60".
        readings: one per repeat that was read by the subject itself, in order.
        mean, sd: over those readings, by domain; None and empty without any.
        error: mean absolute difference from what is expected, 0 to 1; None without an expectation or a reading.
        dominant_agreement: share of readings whose strongest domain is the most frequent one.
        latency_ms: median. cost_usd: mean of a call; None when the price is not known.
        missing: planned repeats there is no result of yet.
    """

    case_id: str
    ok: bool
    faults: tuple[str, ...] = ()
    readings: tuple[Mapping[Domain, float], ...] = ()
    mean: Mapping[Domain, float] | None = None
    sd: Mapping[Domain, float] = field(default_factory=dict)
    error: float | None = None
    dominant_agreement: float | None = None
    latency_ms: float | None = None
    cost_usd: float | None = None
    missing: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class SubjectReport(Shown):
    """One subject: `metrics` over all cases, `by_tag` over those of a tag, `cases` in the run's order."""

    name: str
    metrics: Mapping[MetricName, Metric]
    by_tag: Mapping[str, Mapping[MetricName, Metric]]
    cases: tuple[CaseReport, ...]

    @property
    def missed(self) -> tuple[MetricName, ...]:
        """Targets that are missed."""
        return tuple(name for name, metric in self.metrics.items() if metric.met is False)

    @property
    def targets(self) -> tuple[int, int]:
        """How many are met, of those the subject has."""
        aimed = [metric for metric in self.metrics.values() if metric.target]
        return sum(metric.met is True for metric in aimed), len(aimed)

    def _summary(self) -> str:
        return f"{in_short(self.name)}: {_error_words(self)}; {_target_words(self)}"

    def _card(self) -> Card:
        return Card("How a suite was read", self.name, groups=[_errors([self])], facts=[_target_words(self)])


@dataclass(frozen=True, slots=True, repr=False)
class Report(Shown):
    """What a run came to.

    Attributes:
        subjects: in the run's order.
        comparisons: every pair of subjects on the error of the same cases, with Holm's correction.
        front: names of those not beaten in error, latency and cost together.
        done: results there are, of `run.total`.
        headline: one sentence a stakeholder can quote; it says so when the evidence is not enough.
    """

    run: Run
    subjects: tuple[SubjectReport, ...]
    comparisons: tuple[PairedComparison, ...]
    front: tuple[str, ...]
    done: int
    headline: str

    @property
    def missed(self) -> Mapping[str, tuple[MetricName, ...]]:
        """Missed targets by the subject's name; subjects that miss none are not in it. The formula has no targets."""
        return {subject.name: subject.missed for subject in self.subjects if subject.missed}

    def _summary(self) -> str:
        return f"{self.done:,} of {self.run.total:,} readings: {in_short(self.headline, 300)[1:-1]}"

    def _card(self) -> Card:
        shown = self.subjects[:_MOST_ON_A_CARD]
        run = self.run
        facts = [
            f"{run.suite}: {counted(len(run.cases), 'case')} × {run.repeats}",
            f"{self.done:,} of {run.total:,} readings",
        ]
        if more := len(self.subjects) - len(shown):
            facts.append(f"{more} more subjects")
        return Card(
            "Evaluation",
            self.headline,
            groups=[_errors(shown)] if shown else [],
            passages=[("Targets", "\n".join(f"{one.name}: {_target_words(one)}" for one in shown))],
            facts=facts,
        )


@dataclass(frozen=True, slots=True)
class Change:
    """One subject in two runs.

    Attributes:
        before, after: names of the subject in the two runs.
        error: after − before of the error on the cases both runs have; below 0 is better.
        words: the verdict: "better", "worse" or "no difference that chance could not make".
        better, worse: cases whose error changed by more than 0.05, with the change, the largest first.
        metrics: name to (before, after).
    """

    before: str
    after: str
    error: PairedComparison
    words: str
    better: tuple[tuple[str, float], ...]
    worse: tuple[tuple[str, float], ...]
    metrics: Mapping[MetricName, tuple[Metric, Metric]]


# ── Cards ───────────────────────────────────────────────────────────────────────────────────────────────────────────

_MOST_ON_A_CARD = 8


def _error_words(subject: SubjectReport) -> str:
    error = subject.metrics["mae"].interval if "mae" in subject.metrics else None
    if error is None or error.estimate is None:
        return "error not known"
    between = "" if error.low is None or error.high is None else f" ({error.low:.3f} to {error.high:.3f})"
    return f"error {error.estimate:.3f}{between}"


def _errors(subjects: Sequence[SubjectReport]) -> Group:
    """On a scale that reaches as far as the largest of them, since errors are small."""
    found = [subject.metrics["mae"].interval for subject in subjects if "mae" in subject.metrics]
    most = max((end for one in found for end in (one.estimate, one.high) if end), default=1.0)
    return Group("Error; less is better", [_error_meter(subject, most) for subject in subjects])


def _error_meter(subject: SubjectReport, most: float) -> Meter:
    interval = subject.metrics["mae"].interval if "mae" in subject.metrics else None
    value, low, high = (interval.estimate, interval.low, interval.high) if interval else (None, None, None)
    return Meter(
        subject.name,
        None if value is None else value / most,
        _error_words(subject).removeprefix("error "),
        ends=None if low is None or high is None else (low / most, high / most),
        accent="llm1" if subject.targets[1] else "formula",
    )


def _target_words(subject: SubjectReport) -> str:
    met, aimed = subject.targets
    missed = f"; missed: {', '.join(subject.missed).replace('_', ' ')}" if subject.missed else ""
    return f"{met} of {aimed} targets met{missed}" if aimed else "no targets"
