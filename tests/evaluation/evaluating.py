"""Runs and results made by hand, and stand-ins of known bias and noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from vif.boundaries import DEFAULT_BOUNDARIES, Boundary, dissolve
from vif.domains import DOMAINS, Domain, formula_activations
from vif.evaluation.records import Result, Run, Subject
from vif.evaluation.suite import Case
from vif.interaction import Attempt, Correction, Recognition, Source

FORMULA = {Domain(name): value for name, value in formula_activations(0.55).items()}
"""CD .44, SD .385, CuD .33, ED .495."""


def four(*values: float) -> dict[Domain, float]:
    return dict(zip(DOMAINS, values, strict=True))


def attempt(
    outcome: str = "ok",
    model: str = "luna",
    *,
    started_ms: float = 0.0,
    tokens: tuple[int, int] = (900, 100),
    cost_usd: float | None = 0.001,
    raw_text: str = "",
) -> Attempt:
    return Attempt(
        provider="openai",
        model=model,
        outcome=outcome,
        started_ms=started_ms,
        input_tokens=tokens[0],
        output_tokens=tokens[1],
        cost_usd=cost_usd,
        raw_text=raw_text,
    )


def reading(
    case_id: str,
    domains: Mapping[Domain, float],
    *,
    subject: str = "luna",
    repeat: int = 0,
    attempts: Sequence[Attempt] | None = None,
    source: Source = "llm1",
    corrections: Sequence[Correction] = (),
    boundaries: Sequence[Boundary] | None = None,
    added_ms: float = 100.0,
) -> Result:
    """A result of a model; its boundaries are those that belong to the activations."""
    fitting = dissolve(DEFAULT_BOUNDARIES, {domain.value: activation for domain, activation in domains.items()})
    asked = (attempt(),) if attempts is None else tuple(attempts)
    costs = [one.cost_usd for one in asked]
    return Result(
        case_id=case_id,
        subject=subject,
        repeat=repeat,
        domains=domains,
        boundaries=fitting if boundaries is None else tuple(boundaries),
        formula=FORMULA,
        recognition=Recognition(
            source=source,
            attempts=asked,
            corrections=tuple(corrections),
            cost_usd=None if None in costs else sum(cost for cost in costs if cost is not None),
            cache_hit=source == "cache",
        ),
        added_ms=added_ms,
    )


def formula_reading(case_id: str, *, subject: str = "formula", repeat: int = 0) -> Result:
    return reading(case_id, FORMULA, subject=subject, repeat=repeat, attempts=(), source="formula", added_ms=0.1)


def a_run(cases: Sequence[Case], *names: str, repeats: int = 1) -> Run:
    subjects = tuple(Subject(name=name, formula=name == "formula") for name in names or ("luna",))
    return Run(suite="by hand", cases=tuple(cases), subjects=subjects, repeats=repeats)


def cases_with_targets(n: int, rng: np.random.Generator, tags: Sequence[str] = ()) -> list[Case]:
    return [
        Case(id=f"c{number}", message=f"message {number}", targets=four(*rng.uniform(0.1, 0.9, 4)), tags=tuple(tags))
        for number in range(n)
    ]


def stand_in(
    name: str,
    cases: Sequence[Case],
    rng: np.random.Generator,
    *,
    bias: float = 0.0,
    noise: float = 0.0,
    repeats: int = 1,
) -> list[Result]:
    """A model that reads the targets, `bias` too high, with normal noise."""
    return [
        reading(
            case.id,
            four(*np.clip([case.targets[domain] + bias for domain in DOMAINS] + rng.normal(0, noise, 4), 0, 1)),
            subject=name,
            repeat=repeat,
            added_ms=float(rng.uniform(50, 150)),
        )
        for case in cases
        for repeat in range(repeats)
    ]
