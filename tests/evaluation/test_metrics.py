"""What a run comes to, against values worked by hand, other people's statistics, and stand-ins of known bias."""

from __future__ import annotations

import pytest

from tests.evaluation.evaluating import FORMULA, a_run, formula_reading, four, reading
from vif.domains import Domain
from vif.evaluation.measures import METRICS, Metric, MetricName, Report
from vif.evaluation.metrics import evaluate
from vif.evaluation.suite import Case
from vif.evaluation.targets import MEASURES, TARGETS


def estimate(report: Report, name: MetricName, subject: int = 0) -> float | None:
    return report.subjects[subject].metrics[name].interval.estimate


def test_every_metric_is_explained_and_every_target_is_the_designs() -> None:
    assert tuple(MEASURES) == METRICS
    assert all(measure.label and measure.question for measure in MEASURES.values())
    assert {name: (target.kind, target.value) for name, target in TARGETS.items()} == {
        "schema_after": ("at least", 0.95),
        "range": ("at least", 0.98),
        "permeability": ("at least", 0.90),
        "status": ("at least", 0.95),
        "sd": ("below", 0.1),
        "latency_p95": ("below", 200),
        "cost": ("below", 0.002),
    }


def test_the_error_is_the_mean_over_cases_of_the_distance_from_what_is_expected() -> None:
    cases = [
        Case(id="a", message="a", ranges={Domain.CD: (0.2, 0.4)}, targets={Domain.ED: 0.9}),
        Case(id="b", message="b", targets={Domain.SD: 0.5}),
        Case(id="c", message="c"),
    ]
    results = [
        reading("a", four(0.5, 0, 0, 0.8)),  # |.5 − .3| and |.8 − .9|: mean .15
        reading("b", four(0, 0.1, 0, 0)),  # .4
        reading("c", four(1, 1, 1, 1)),  # nothing expected
    ]
    report = evaluate(a_run(cases), results)
    # (.15 + .4) / 2
    assert estimate(report, "mae") == pytest.approx(0.275)
    assert [one.error for one in report.subjects[0].cases] == [pytest.approx(0.15), pytest.approx(0.4), None]


def test_a_run_without_any_result_has_a_report_that_says_so() -> None:
    report = evaluate(a_run([Case(id="a", message="a", tags=("x",))], "luna", "formula", repeats=3), [])
    assert (report.done, report.front, report.comparisons) == (0, (), ())
    assert report.headline == "Not enough evidence: nothing was read yet. So far 0 of 6 readings are there."
    for subject in report.subjects:
        assert tuple(subject.metrics) == METRICS == tuple(subject.by_tag["x"])
        assert all(_says_why(metric) for metric in subject.metrics.values())
        assert (subject.cases[0].ok, subject.cases[0].missing, subject.cases[0].mean) == (False, 3, None)


def _says_why(metric: Metric) -> bool:
    return metric.interval.estimate is None and bool(metric.interval.reason) and metric.met is None


def test_a_run_of_the_formula_alone_has_no_targets() -> None:
    cases = [Case(id=str(number), message="m", targets=FORMULA | {Domain.CD: 0.24}) for number in range(6)]
    report = evaluate(a_run(cases, "formula"), [formula_reading(case.id) for case in cases])
    assert not report.missed
    assert all(metric.target is None for metric in report.subjects[0].metrics.values())
    # Only CD is off, by .44 − .24 = .2; a quarter of that.
    assert estimate(report, "mae") == pytest.approx(0.05)
    assert (estimate(report, "discrimination"), estimate(report, "cost")) == (0, 0)
    assert "no model" in report.subjects[0].metrics["schema_after"].interval.reason
    assert report.front == ("formula",)
    assert report.headline == "Not enough evidence: nobody but the Rust formula was asked."
