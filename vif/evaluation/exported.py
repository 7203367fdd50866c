"""Runs, results and reports as files: JSON with everything, which can be read again, and CSV with a row per call.

text = run_json(run, results)
run, results = read_run_json(text)
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vif.boundaries import BOUNDARY_NAMES
from vif.domains import DOMAINS
from vif.errors import InputError
from vif.evaluation.measures import CaseReport, Metric, MetricName, Report, SubjectReport
from vif.evaluation.records import Result, Run
from vif.evaluation.suite import Case
from vif.evaluation.targets import MEASURES
from vif.prompt import well_formed
from vif.spreadsheet import neutralised
from vif.statistics.bootstrap import Interval
from vif.statistics.paired import PairedComparison

FORMAT = "vif.evaluation"
VERSION = 1

Cell = str | float | None


def run_json(run: Run, results: Sequence[Result]) -> str:
    """The run and its results; `read_run_json` gives the same again."""
    return _json(_run_part(run, results))


def report_json(report: Report, results: Sequence[Result]) -> str:
    """Everything: what `run_json` has, so that it can be read again, and the report. Keys are stable.

    A number that does not exist is null.
    """
    return _json(_run_part(report.run, results) | {"report": _report(report)})


def read_run_json(text: str) -> tuple[Run, tuple[Result, ...]]:
    """The run and its results from what `run_json` or `report_json` wrote.

    Raises InputError, which names the place, for anything else.
    """
    try:
        body = json.loads(text.lstrip("\ufeff"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON: {error}; it must be what an evaluation's JSON export wrote") from None
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        raise InputError(
            f"it is not an evaluation: it must be an object with the key 'format' and the value {FORMAT!r}"
        )
    if body.get("version") != VERSION:
        raise InputError(f"its version is {body.get('version')!r}; this version of vif reads {VERSION}")
    try:
        file = _File.model_validate({name: body[name] for name in ("run", "results") if name in body})
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, fault["loc"]))
        more = f" (and {error.error_count() - 1} more faults)" if error.error_count() > 1 else ""
        raise InputError(f"{where}: {fault['msg'].removeprefix('Value error, ')}{more}") from None
    _check(file.run, file.results)
    return file.run, file.results


def results_csv(run: Run, results: Sequence[Result]) -> str:
    """A row per call, in the given order. Text is safe in a spreadsheet (`vif.spreadsheet.restored` undoes it).

    Activations, permeabilities, milliseconds, tokens and dollars are numbers, as they were measured; empty when there
    is none. What models wrote word by word is in the JSON.
    """
    cases = {case.id: case for case in run.cases}
    out = io.StringIO(newline="")
    # The writer quotes only the line ends it writes itself: with "\n" alone, a "\r" in a message would end its row.
    writer = csv.DictWriter(out, _COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for result in results:
        row = _row(run, cases.get(result.case_id), result)
        writer.writerow({name: neutralised(cell) if isinstance(cell, str) else cell for name, cell in row.items()})
    return out.getvalue()


class _File(BaseModel):
    model_config = ConfigDict(frozen=True)

    run: Run
    results: tuple[Result, ...] = Field(max_length=10_000_000)


def _json(body: Mapping[str, Any]) -> str:
    return well_formed(json.dumps(_finite(body), ensure_ascii=False, indent=1, allow_nan=False))


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(one) for key, one in value.items()}
    return [_finite(one) for one in value] if isinstance(value, list | tuple) else value


def _no_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number of JSON")


# ── Reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _check(run: Run, results: Sequence[Result]) -> None:
    """Raise InputError for what no run can have written."""
    cases, subjects = [case.id for case in run.cases], [subject.name for subject in run.subjects]
    for what, names in (("case", cases), ("subject", subjects)):
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise InputError(f"run: the {what} {twice!r} is there twice")
    known_cases, known_subjects = set(cases), set(subjects)
    seen: set[tuple[str, str, int]] = set()
    for place, result in enumerate(results):
        if result.case_id not in known_cases:
            why = f"the run has no case {result.case_id!r}"
        elif result.subject not in known_subjects:
            why = f"the run has no subject {result.subject!r}"
        elif not 0 <= result.repeat < run.repeats:
            why = f"repeat is {result.repeat}; it must be from 0 to {run.repeats - 1}"
        elif result.key in seen:
            why = f"there is another of case {result.case_id!r} by {result.subject!r}, repeat {result.repeat}"
        else:
            why = _fault(result)
        if why:
            raise InputError(f"results.{place}: {why}")
        seen.add(result.key)


def _fault(result: Result) -> str:
    for name in ("domains", "formula"):
        activations = getattr(result, name)
        if activations is None or (name == "formula" and not activations):
            continue
        if missing := [domain for domain in DOMAINS if domain not in activations]:
            return f"{name} lacks {missing[0]}"
        if wrong := [domain for domain in DOMAINS if not 0 <= activations[domain] <= 1]:
            return f"{name}.{wrong[0]} is {activations[wrong[0]]!r}; it must be from 0 to 1"
    if not 0 <= result.added_ms < math.inf:
        return f"added_ms is {result.added_ms!r}; it must be 0 or more"
    return ""


# ── Writing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _run_part(run: Run, results: Sequence[Result]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "run": run.model_dump(mode="json"),
        "results": [result.model_dump(mode="json") for result in results],
    }


def _report(report: Report) -> dict[str, Any]:
    return {
        "headline": report.headline,
        "done": report.done,
        "total": report.run.total,
        "missed": {name: list(metrics) for name, metrics in report.missed.items()},
        "front": list(report.front),
        "subjects": [_subject(subject) for subject in report.subjects],
        "comparisons": [_comparison(one) for one in report.comparisons],
    }


def _subject(subject: SubjectReport) -> dict[str, Any]:
    return {
        "name": subject.name,
        "metrics": _metrics(subject.metrics),
        "by_tag": {tag: _metrics(metrics) for tag, metrics in subject.by_tag.items()},
        "cases": [_case(case) for case in subject.cases],
    }


def _metrics(metrics: Mapping[MetricName, Metric]) -> dict[str, Any]:
    return {name: _metric(metric) for name, metric in metrics.items()}


def _metric(metric: Metric) -> dict[str, Any]:
    target = metric.target
    return {
        **_interval(metric.interval),
        "unit": MEASURES[metric.name].unit,
        "target": None if target is None else {"kind": target.kind, "value": target.value},
        "met": metric.met,
        "sure": metric.sure,
    }


def _interval(interval: Interval) -> dict[str, Any]:
    return {
        "estimate": interval.estimate,
        "low": interval.low,
        "high": interval.high,
        "level": interval.level,
        "n_cases": interval.n_cases,
        "n_values": interval.n_values,
        "method": interval.method,
        "reason": interval.reason,
    }


def _case(case: CaseReport) -> dict[str, Any]:
    return {
        "case_id": case.case_id,
        "ok": case.ok,
        "faults": list(case.faults),
        "readings": [dict(reading) for reading in case.readings],
        "mean": None if case.mean is None else dict(case.mean),
        "sd": dict(case.sd),
        "error": case.error,
        "dominant_agreement": case.dominant_agreement,
        "latency_ms": case.latency_ms,
        "cost_usd": case.cost_usd,
        "missing": case.missing,
    }


def _comparison(one: PairedComparison) -> dict[str, Any]:
    return {
        "first": one.first,
        "second": one.second,
        "difference": _interval(one.difference),
        "p_value": one.p_value,
        "p_adjusted": one.p_adjusted,
        "exact": one.exact,
    }


_COLUMNS = (
    *("run", "suite", "case", "message", "tags", "subject", "repeat", "at", "read", "source", "error"),
    *DOMAINS,
    *(f"{domain} expected {end}" for domain in DOMAINS for end in ("from", "to")),
    *(f"{domain} formula" for domain in DOMAINS),
    *(f"{name} {what}" for name in BOUNDARY_NAMES for what in ("permeability", "status")),
    *("provider", "model", "attempts", "outcomes", "fallback", "corrections", "added ms", "batched"),
    *("input tokens", "output tokens", "cost usd", "reasoning"),
)


def _row(run: Run, case: Case | None, result: Result) -> dict[str, Cell]:
    boundaries = {boundary.name: boundary for boundary in result.boundaries}
    row: dict[str, Cell] = {
        "run": run.id,
        "suite": run.suite,
        "case": result.case_id,
        "message": case.message if case else None,
        "tags": " ".join(case.tags) if case else None,
        "subject": result.subject,
        "repeat": result.repeat,
        "at": result.at.isoformat(),
        "read": _yes(result.read),
        "error": result.error,
        "added ms": result.added_ms,
        "batched": _yes(result.batched),
    }
    for domain in DOMAINS:
        row[domain.value] = (result.domains or {}).get(domain)
        row[f"{domain} formula"] = result.formula.get(domain)
        target = case.targets.get(domain) if case else None
        low, high = (case.ranges.get(domain) if case else None) or (target, target)
        row[f"{domain} expected from"], row[f"{domain} expected to"] = low, high
    for name in BOUNDARY_NAMES:
        if boundary := boundaries.get(name):
            row[f"{name} permeability"], row[f"{name} status"] = boundary.permeability, boundary.status
    if (found := result.recognition) is not None:
        row |= {
            "source": found.source,
            "provider": found.provider,
            "model": found.model,
            "attempts": len(found.attempts),
            "outcomes": " ".join(attempt.outcome for attempt in found.attempts),
            "fallback": found.fallback_reason,
            "corrections": len(found.corrections),
            "input tokens": sum(attempt.input_tokens for attempt in found.attempts),
            "output tokens": sum(attempt.output_tokens for attempt in found.attempts),
            "cost usd": found.cost_usd,
            "reasoning": found.reasoning,
        }
    return row


def _yes(value: bool) -> str:
    return "yes" if value else "no"
