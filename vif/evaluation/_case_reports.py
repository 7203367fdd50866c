"""Each case as one subject read it, with what is wrong in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median

import numpy as np

from vif.domains import DOMAINS, Domain
from vif.evaluation._calls import is_reading, is_remembered, is_timed, unexpected_shifts
from vif.evaluation._table import Table
from vif.evaluation.measures import CaseReport, MetricName
from vif.evaluation.records import Result, Run
from vif.evaluation.suite import Case
from vif.interaction import total_cost
from vif.recognition.schema import ROUNDING

TARGET_TOLERANCE = 0.1
"""An activation further from a target, where there is no range, is a fault."""


def case_reports(run: Run, table: Table) -> tuple[CaseReport, ...]:
    """In the run's order."""
    return tuple(_case_report(run, table, place, case) for place, case in enumerate(run.cases))


def _case_report(run: Run, table: Table, place: int, case: Case) -> CaseReport:
    results, readings = table.results[place], table.readings[place]
    n = len(readings)
    domains = tuple(one.domains for one in readings if one.domains is not None)
    called = [one for one in results if one.recognition is not None and not is_remembered(one)]
    times = [one.added_ms for one in results if is_timed(one)]
    cost = total_cost(one.recognition.cost_usd for one in called if one.recognition is not None)
    error, shares = float(table.error[place]), table
    agreement = shares.trials["dominant_agreement"][place]
    faults = _faults(table, place, case)
    spread = np.sqrt(table.scatter[place] / (n - 1)) if n > 1 else ()
    return CaseReport(
        case.id,
        ok=not faults and n == run.repeats,
        faults=faults,
        readings=domains,
        mean=dict(zip(DOMAINS, table.means[place].tolist(), strict=True)) if n else None,
        sd={domain: float(sd) for domain, sd in zip(DOMAINS, spread, strict=False)},
        error=error if np.isfinite(error) else None,
        dominant_agreement=float(shares.passes["dominant_agreement"][place] / agreement) if agreement else None,
        latency_ms=median(times) if times else None,
        cost_usd=cost / len(called) if called and cost is not None else None,
        missing=run.repeats - len(results),
    )


def _faults(table: Table, place: int, case: Case) -> tuple[str, ...]:
    results, readings = table.results[place], table.readings[place]
    return (
        *_not_read(results, [one for one in results if not is_reading(one, table.subject)]),
        *_not_expected(readings, case),
        *_shifts(readings, case),
        *_boundaries(table, place),
    )


def _not_read(results: Sequence[Result], failed: Sequence[Result]) -> list[str]:
    if not failed:
        return []
    whys = Counter(_why(one) for one in failed)
    return [f"not read{_of(len(failed), len(results))}: {'; '.join(whys)}"]


def _why(result: Result) -> str:
    if result.error:
        return result.error
    reason = result.recognition.fallback_reason if result.recognition else None
    return str(reason or "it is not known why")


def _of(some: int, whole: int) -> str:
    return f" {some} of {whole} times" if whole > 1 else ""


def _not_expected(readings: Sequence[Result], case: Case) -> list[str]:
    """One sentence per domain, of the reading that is furthest off."""
    faults = []
    for domain in DOMAINS:
        target = case.targets.get(domain)
        if domain in case.ranges:
            low, high = case.ranges[domain]
        elif target is not None:
            low, high = target - TARGET_TOLERANCE, target + TARGET_TOLERANCE
        else:
            continue
        values = [one.domains[domain] for one in readings if one.domains is not None]
        outside = [value for value in values if not low - ROUNDING <= value <= high + ROUNDING]
        if outside:
            worst = max(outside, key=lambda value: max(low - value, value - high))
            expected = f"{_short(low)} to {_short(high)}" if domain in case.ranges else _short(target or 0.0)
            shown = _short(worst) if _short(worst) not in expected else f"{worst:.3f}".removeprefix("0")
            often = f" ({len(outside)} of {len(values)} readings)" if len(values) > 1 else ""
            faults.append(f"{domain} is {shown}, expected {expected}{often}")
    return faults


def _shifts(readings: Sequence[Result], case: Case) -> list[str]:
    shifted: Counter[Domain] = Counter()
    for one in readings:
        if one.domains is not None:
            shifted.update(unexpected_shifts(one.domains, case))
    return [
        f"{domain} moves by more than .3 from the reading before{_of(shifted[domain], len(readings))}"
        for domain in DOMAINS
        if shifted[domain]
    ]


def _boundaries(table: Table, place: int) -> list[str]:
    whats: dict[MetricName, str] = {
        "permeability": "permeabilities are more than 15 % away from √(a·b)",
        "status": "statuses do not fit their permeability",
    }
    faults = []
    for name, what in whats.items():
        of = int(table.trials[name][place])
        if wrong := of - int(table.passes[name][place]):
            faults.append(f"{wrong} of {of} {what}")
    return faults


def _short(value: float) -> str:
    """An activation as people write it: .82, 1.00."""
    return f"{value:.2f}".removeprefix("0")
