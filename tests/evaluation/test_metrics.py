"""What a run comes to, against values worked by hand, other people's statistics, and stand-ins of known bias."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.multitest import multipletests

from tests.evaluation.evaluating import (
    FORMULA,
    a_run,
    attempt,
    cases_with_targets,
    formula_reading,
    four,
    reading,
    stand_in,
)
from vif.boundaries import Boundary
from vif.domains import DOMAINS, Domain
from vif.errors import InputError, Reason
from vif.evaluation._clustered import discrimination_of, icc_of, quantiles_of, share
from vif.evaluation.measures import METRICS, Metric, MetricName, Report
from vif.evaluation.metrics import evaluate, metric_of
from vif.evaluation.records import Result, Run, Subject
from vif.evaluation.suite import Case
from vif.evaluation.targets import MEASURES, TARGETS
from vif.interaction import Attempt, Correction
from vif.statistics.agreement import IccForm, intraclass_correlation
from vif.statistics.bootstrap import Interval, bootstrap_each, quantile_interval
from vif.statistics.correlation import discrimination
from vif.statistics.proportions import share_interval


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


# The contract of LLM #1.


def only_metric(name: MetricName, *results: Result, repeats: int | None = None, **settings: object) -> Metric:
    """The metric of one subject over results of cases that expect nothing."""
    cases = [Case(id=id, message=id) for id in dict.fromkeys(one.case_id for one in results)]
    run = Run(
        suite="by hand",
        cases=tuple(cases),
        subjects=(Subject(name="luna", settings=settings),),
        repeats=repeats or 1 + max(one.repeat for one in results),
    )
    return evaluate(run, results, resamples=100).subjects[0].metrics[name]


def value(metric: Metric) -> float:
    assert metric.interval.estimate is not None, metric.interval.reason
    return metric.interval.estimate


SOME = four(0.9, 0.4, 0.1, 0.2)

PLAIN = reading("plain", SOME)
RETRIED = reading("retried", SOME, attempts=[attempt("schema"), attempt(started_ms=100)])
SECOND = reading(
    "second", SOME, source="secondary", attempts=[attempt("timeout"), attempt(model="haiku", started_ms=5000)]
)
FAILED = reading("failed", FORMULA, source="formula", attempts=[attempt("timeout"), attempt("refusal", started_ms=50)])
BROKEN = Result(case_id="broken", subject="luna", repeat=0, error="no reading")
FASTER_SECOND = reading(
    "overtaken", SOME, source="secondary", attempts=[attempt("outpaced"), attempt(model="haiku", started_ms=0)]
)
FASTER_FIRST = reading("kept ahead", SOME, attempts=[attempt("outpaced", "haiku", started_ms=80), attempt()])
REMEMBERED = reading("remembered", SOME, source="cache", attempts=[], added_ms=1)
EVERYTHING = (PLAIN, RETRIED, SECOND, FAILED, BROKEN, FASTER_SECOND, FASTER_FIRST, REMEMBERED)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # Of the first attempts of luna: yes, no, no, no, no, (overtaken: not known), yes, (remembered: none).
        ("schema_first", 2 / 6),
        # In the end: yes, yes, no, no, no, not known, yes, none.
        ("schema_after", 3 / 6),
        # Read by another, or by nobody: no, no, yes, yes, yes, yes, no, none.
        ("fallbacks", 4 / 7),
        # One model asked twice: no, yes, no, yes, (not known what was asked), no, no, none.
        ("retries", 2 / 6),
        # 1000 for each attempt: 1, 2, 2, 2, (not known), 2, 2, none: 11 of 6 calls.
        ("tokens", 11_000 / 6),
        ("cost", 0.011 / 6),
    ],
)
def test_attempts_by_hand(name: MetricName, expected: float) -> None:
    assert value(only_metric(name, *EVERYTHING)) == pytest.approx(expected)


def test_a_model_that_nobody_could_ask_has_not_read() -> None:
    nobody = reading("a", FORMULA, source="formula", attempts=[])
    assert value(only_metric("schema_after", nobody)) == 0
    assert value(only_metric("fallbacks", nobody)) == 1
    assert only_metric("discrimination", nobody).interval.reason == "nothing was read"


def test_one_call_without_a_price_makes_the_cost_unknown() -> None:
    metric = only_metric("cost", PLAIN, reading("b", SOME, attempts=[attempt(cost_usd=None)]))
    assert (metric.interval.estimate, metric.met) == (None, None)
    assert metric.interval.reason == "the price of 1 of 2 calls is not known"


def raw(domains: object, **boundaries: object) -> Attempt:
    named = {name.replace("_", "-"): boundary for name, boundary in boundaries.items()}
    return attempt("schema", raw_text=f"Here it is: {json.dumps({'domains': domains, 'boundaries': named})}")


def test_ranges_are_counted_in_the_raw_answers_rejected_ones_included() -> None:
    # The rejected answer: CD in; SD 1.5, CuD "high" and ED NaN out; CD-SD 1 in; CD-CuD −.1 out; a frequency nobody
    # asked for and a domain nobody knows do not count: 2 of 6. The accepted one: 4 + 6 of 10. Together 12 of 16.
    rejected = raw(
        {"CD": 0, "SD": 1.5, "CuD": "high", "ED": float("nan"), "XD": 7},
        CD_SD={"permeability": 1, "frequency": 9},
        CD_CuD={"permeability": -0.1},
        CD_ED="open",
    )
    result = reading("a", SOME, attempts=[rejected, attempt(started_ms=10)])
    assert value(only_metric("range", result)) == pytest.approx(12 / 16)
    # With oscillation the frequency counts too, and the accepted answer has 4 + 6·4 numbers: 2 + 28 of 7 + 28.
    assert value(only_metric("range", result, llm1_oscillation=True)) == pytest.approx(30 / 35)


@pytest.mark.parametrize("text", ["", "no JSON", "{broken", "}{", '["CD"]', '{"domains": [1]}', "{" * 100_000 + "}"])
def test_an_answer_without_numbers_is_the_schemas_matter(text: str) -> None:
    result = reading("a", FORMULA, source="formula", attempts=[attempt("invalid_json", raw_text=text)])
    assert only_metric("range", result).interval.reason == "there is no answer with numbers"


def test_permeability_and_status_are_judged_as_the_model_gave_them() -> None:
    # √(.64·.36) = .48, 15 % of it .072. All six boundaries are CD .64 or SD .36 in the first, of which we know:
    domains = four(0.64, 0.36, 0.64, 0.36)  # CD-SD .48, CD-CuD .64, CD-ED .48, SD-CuD .48, SD-ED .36, CuD-ED .48
    given = [
        Boundary("CD-SD", 0.552, "Maintained"),  # .072 away: just within
        Boundary("CD-CuD", 0.70, "Transitional"),
        Boundary("CD-ED", 0.48, "Maintained"),  # corrected: the model said .9, Transcendent, which went together
        Boundary("SD-CuD", 0.48, "Maintained"),  # corrected: the model said "open"
        Boundary("SD-ED", 0.415, "Maintained"),  # .055 away, more than .054
        Boundary("CuD-ED", 0.48, "Maintained"),
    ]
    corrections = [
        Correction(boundary="CD-ED", field="permeability", given=0.9, used=0.48, why="far"),
        Correction(boundary="CD-ED", field="status", given="Transcendent", used="Maintained", why="other"),
        Correction(boundary="SD-CuD", field="status", given="open", used="Maintained", why="unknown"),
    ]
    result = reading("a", domains, boundaries=given, corrections=corrections)
    # Too far: CD-ED and SD-ED. Statuses: all but "open".
    assert value(only_metric("permeability", result)) == pytest.approx(4 / 6)
    assert value(only_metric("status", result)) == pytest.approx(5 / 6)
    faults = evaluate(a_run([Case(id="a", message="a")]), [result]).subjects[0].cases[0].faults
    assert faults == (
        "2 of 6 permeabilities are more than 15 % away from √(a·b)",
        "1 of 6 statuses do not fit their permeability",
    )


def test_boundaries_of_another_model_say_nothing_of_the_first() -> None:
    assert "the first model gave no boundaries" in only_metric("permeability", SECOND, FAILED).interval.reason


# What was read.


def test_activations_inside_their_ranges_by_hand() -> None:
    case = Case(id="a", message="a", ranges={Domain.CD: (0.2, 0.4), Domain.ED: (0.3, 0.3)})
    other = Case(id="b", message="b", ranges={Domain.SD: (0, 1)})
    # In 0.1 + 0.2 there is a little more than 0.3, which is forgiven. Repeats: 2 of 2, 1 of 2 (CD .41): 3/4; b: 1.
    results = [
        reading("a", four(0.4, 0, 0, 0.1 + 0.2)),
        reading("a", four(0.41, 0, 0, 0.3), repeat=1),
        reading("b", four(0, 0.5, 0, 0)),
    ]
    report = evaluate(a_run([case, other], repeats=2), results)
    assert estimate(report, "in_range") == pytest.approx((0.75 + 1) / 2)
    first, second = report.subjects[0].cases
    assert first.faults == ("CD is .41, expected .20 to .40 (1 of 2 readings)",)
    assert (first.ok, second.faults, second.ok, second.missing) == (False, (), False, 1)


def test_faults_name_what_is_wrong() -> None:
    cases = [
        Case(id="range", message="m", ranges={Domain.CD: (0.3, 0.6)}),
        Case(id="close", message="m", ranges={Domain.CD: (0.3, 0.6)}),
        Case(id="target", message="m", targets={Domain.CD: 0.5, Domain.SD: 0.35}),
        Case(id="failed", message="m"),
        Case(id="broken", message="m"),
        Case(id="fine", message="m", ranges={Domain.CD: (0.9, 1)}),
    ]
    assert FAILED.recognition
    why = FAILED.recognition.model_copy(update={"fallback_reason": Reason.TIMEOUT})
    results = [
        reading("range", four(0.82, 0.4, 0.1, 0.2)),
        reading("close", four(0.601, 0.4, 0.1, 0.2)),
        reading("target", four(0.82, 0.45, 0.1, 0.2)),
        FAILED.model_copy(update={"recognition": why}),
        BROKEN,
        reading("fine", four(1, 0, 0, 0)),
    ]
    report = evaluate(a_run(cases), results)
    assert [one.faults for one in report.subjects[0].cases] == [
        ("CD is .82, expected .30 to .60",),
        ("CD is .601, expected .30 to .60",),
        ("CD is .82, expected .50",),
        ("not read: timeout",),
        ("not read: no reading",),
        (),
    ]
    assert [one.ok for one in report.subjects[0].cases] == [False] * 5 + [True]


def test_a_case_is_reported_with_its_readings() -> None:
    results = [
        reading("a", four(0.9, 0.4, 0.1, 0.2), added_ms=100),
        reading("a", four(0.7, 0.4, 0.1, 0.8), repeat=2, added_ms=300),
        reading("a", FORMULA, source="formula", attempts=[attempt("timeout")], repeat=1, added_ms=5000),
    ]
    (case,) = evaluate(a_run([Case(id="a", message="a")], repeats=4), results).subjects[0].cases
    assert case.readings == (four(0.9, 0.4, 0.1, 0.2), four(0.7, 0.4, 0.1, 0.8))
    assert case.mean == pytest.approx(four(0.8, 0.4, 0.1, 0.5))
    # .9 and .7 are .1 from their mean: √((.01 + .01) / 1) = √.02; .2 and .8: √.18.
    assert case.sd == pytest.approx(four(0.02**0.5, 0, 0, 0.18**0.5))
    # CD, then ED: each is the strongest of one of two.
    assert case.dominant_agreement == 0.5
    assert (case.latency_ms, case.missing, case.error) == (300, 1, None)
    assert case.cost_usd == pytest.approx(0.001)


def test_the_correlation_with_the_formula_is_over_cases_and_domains() -> None:
    # The formula ranks ED .495, CD .44, SD .385, CuD .33: equal steps, 3 2 1 0. Readings 3 2 1 0 tenths, and 0 1 2 3.
    # Pooled: deviations of x from .15 cancel between the two cases, so r = 0; of the first case alone r = 1.
    along, against = reading("a", four(0.2, 0.1, 0, 0.3)), reading("b", four(0.1, 0.2, 0.3, 0))
    assert value(only_metric("formula_correlation", along)) == pytest.approx(1)
    assert value(only_metric("formula_correlation", against)) == pytest.approx(-1)
    assert value(only_metric("formula_correlation", along, against)) == pytest.approx(0, abs=1e-12)


def test_there_is_no_correlation_with_a_formula_that_says_one_thing() -> None:
    zero = PLAIN.model_copy(update={"formula": four(0, 0, 0, 0)})
    assert "the formula says the same of all four" in only_metric("formula_correlation", zero).interval.reason
    flat = reading("a", four(0.5, 0.5, 0.5, 0.5))
    assert "the subject says the same" in only_metric("formula_correlation", flat).interval.reason
    unknown = PLAIN.model_copy(update={"formula": {}})
    assert "was not kept" in only_metric("formula_correlation", unknown).interval.reason


def repeated(*readings: Sequence[float]) -> list[Result]:
    """Cases a, b, …; of each the CD of its repeats. SD does the same at a tenth, CuD and ED stay."""
    return [
        reading("abcdefgh"[number], four(cd, cd / 10, 0.5, 0.5), repeat=repeat)
        for number, of_case in enumerate(readings)
        for repeat, cd in enumerate(of_case)
    ]


def test_the_spread_over_repeats_by_hand() -> None:
    # CD: .1, .3: scatter .02 with 1 degree; .4, .4, .7: .06 with 2. √(.08/3) = .163299; SD a tenth; CuD, ED 0.
    results = repeated([0.1, 0.3], [0.4, 0.4, 0.7], [0.9])
    assert value(only_metric("sd", *results)) == pytest.approx(0.163299 * 1.1 / 4, abs=1e-6)
    assert only_metric("sd", *repeated([0.1], [0.2])).interval.reason == "no case was read twice"


def test_discrimination_and_reliability_by_hand() -> None:
    # CD (.1 .3) (.5 .7): means .2 and .6; between 2 (.2² + .2²) / 1 = .16; within (.02 + .02) / 2 = .02.
    # From the message (.16 − .02) / 2 = .07: √.07 = .264575; SD a tenth; CuD and ED 0. Over four domains.
    results = repeated([0.1, 0.3], [0.5, 0.7])
    assert value(only_metric("discrimination", *results)) == pytest.approx(0.264575 * 1.1 / 4, abs=1e-6)
    # ICC(1) = (.16 − .02) / (.16 + .02) = 7/9 of CD and SD alike; in the other two nothing ever differs.
    assert value(only_metric("icc", *results)) == pytest.approx(7 / 9)


def test_chance_alone_is_no_discrimination() -> None:
    # Means .2 and .3, between 2 (.05² + .05²) = .01, within (.02 + .02) / 2 = .02: less than chance makes.
    assert value(only_metric("discrimination", *repeated([0.1, 0.3], [0.2, 0.4]))) == 0


def test_without_repeats_discrimination_has_chance_in_it_and_says_so() -> None:
    # CD .1, .3, .5: standard deviation .2; SD .02.
    metric = only_metric("discrimination", *repeated([0.1], [0.3], [0.5]))
    assert value(metric) == pytest.approx(0.22 / 4)
    assert (metric.interval.low, metric.interval.reason) == (None, "no case was repeated, so chance is still in it")
    assert "two or more cases" in only_metric("discrimination", PLAIN).interval.reason


def test_the_dominant_domain_of_repeats_by_hand() -> None:
    cd, ed = four(0.9, 0, 0, 0.1), four(0.1, 0, 0, 0.9)
    # a: two of three; b: both; c was read once and does not count. (2/3 + 1) / 2.
    a = [reading("a", domains, repeat=repeat) for repeat, domains in enumerate([cd, ed, cd])]
    b = [reading("b", ed, repeat=repeat) for repeat in range(2)]
    assert value(only_metric("dominant_agreement", *a, *b, reading("c", cd))) == pytest.approx((2 / 3 + 1) / 2)


def test_continuity_forgives_a_move_the_case_expects() -> None:
    before = four(0.5, 0.5, 0.5, 0.5)
    cases = [
        Case(id="within", message="m", previous=before),
        Case(id="beyond", message="m", previous=before),
        Case(id="expected", message="m", previous=before, targets={Domain.CD: 0.9}),
        Case(id="other way", message="m", previous=before, targets={Domain.CD: 0.9}),
        Case(id="unknown", message="m", previous={Domain.SD: 0.5}),
        Case(id="first", message="m"),
    ]
    results = [
        reading("within", four(0.8, 0.2, 0.5, 0.5)),  # in binary .8 − .5 is a little more than .3
        reading("beyond", four(0.81, 0.5, 0.5, 0.5)),
        reading("expected", four(0.95, 0.5, 0.5, 0.5)),
        reading("other way", four(0.1, 0.5, 0.5, 0.5)),
        reading("unknown", four(1, 0.5, 0, 1)),
        reading("first", four(1, 1, 1, 1)),
    ]
    report = evaluate(a_run(cases), results)
    # Of five follow-ups two shift without being asked to.
    assert estimate(report, "continuity") == pytest.approx(3 / 5)
    by_id = {case.case_id: case for case in report.subjects[0].cases}
    assert by_id["beyond"].faults == ("CD moves by more than .3 from the reading before",)
    assert any("CD moves" in fault for fault in by_id["other way"].faults)


def test_latency_has_fallbacks_in_it_but_nothing_remembered_and_no_batch() -> None:
    times = [
        reading("a", SOME, added_ms=100),
        reading("b", SOME, added_ms=200),
        reading("c", FORMULA, source="formula", attempts=[attempt("timeout")], added_ms=1200),
        reading("in a batch", SOME, added_ms=0),
        REMEMBERED,
        BROKEN,
    ]
    assert value(only_metric("latency_p50", *times)) == 200
    # Place 0.95 · 2 = 1.9: 200 + .9 · 1000.
    assert value(only_metric("latency_p95", *times)) == pytest.approx(1100)
    assert only_metric("latency_p95", times[3]).interval.reason == "nobody waited for a reading"


# Other people's statistics.


@pytest.fixture(scope="module")
def noisy() -> tuple[Run, list[Result], Report]:
    rng = np.random.default_rng(7)
    cases = cases_with_targets(30, rng)
    run = a_run(cases, repeats=4)
    results = stand_in("luna", cases, rng, bias=0.05, noise=0.08, repeats=4)
    return run, results, evaluate(run, results)


def values_of(results: Sequence[Result]) -> NDArray[np.float64]:
    """Cases × repeats × domains; results come case by case."""
    flat = [[(one.domains or {})[domain] for domain in DOMAINS] for one in results]
    return np.array(flat).reshape(-1, 4, len(DOMAINS))


def test_metrics_agree_with_numpy_scipy_and_statsmodels(noisy: tuple[Run, list[Result], Report]) -> None:
    run, results, report = noisy
    values = values_of(results)
    targets = np.array([[case.targets[domain] for domain in DOMAINS] for case in run.cases])
    assert estimate(report, "mae") == pytest.approx(np.abs(values - targets[:, None]).mean())
    assert estimate(report, "sd") == pytest.approx(np.sqrt(values.var(axis=1, ddof=1).mean(axis=0)).mean())
    means = values.mean(axis=1)
    formula = np.tile(list(FORMULA.values()), len(means))
    correlation = stats.pearsonr(means.ravel(), formula).statistic
    assert estimate(report, "formula_correlation") == pytest.approx(correlation)
    latencies = [one.added_ms for one in results]
    assert estimate(report, "latency_p95") == pytest.approx(np.quantile(latencies, 0.95))
    assert estimate(report, "latency_p50") == pytest.approx(np.median(latencies))
    spreads, reliabilities = [], []
    for column in values.reshape(-1, 4).T:
        long = pd.DataFrame({"y": column, "case": np.repeat(np.arange(30), 4)})
        between, within = anova_lm(ols("y ~ C(case)", long).fit())["mean_sq"]
        spreads.append(np.sqrt((between - within) / 4))
        reliabilities.append((between - within) / (between + 3 * within))
    assert estimate(report, "discrimination") == pytest.approx(np.mean(spreads))
    assert estimate(report, "icc") == pytest.approx(np.mean(reliabilities))


def test_intervals_are_those_of_our_statistics(noisy: tuple[Run, list[Result], Report]) -> None:
    _, results, report = noisy
    metrics, values = report.subjects[0].metrics, values_of(results)
    of_each = [intraclass_correlation(values[:, :, domain], IccForm.ONE_SINGLE).value.estimate for domain in range(4)]
    assert metrics["icc"].interval.estimate == pytest.approx(np.mean(np.array(of_each, dtype=float)))
    strongest = values.argmax(axis=2)
    modal = stats.mode(strongest, axis=1, keepdims=True).mode
    expected = share_interval((strongest == modal) * 1.0)
    found = metrics["dominant_agreement"].interval
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.method == expected.method
    # The same draws: the very same ends.
    latencies = np.array([one.added_ms for one in results]).reshape(-1, 4)
    for probability in (0.5, 0.95):
        rng = np.random.default_rng(3)
        ours = bootstrap_each(
            quantiles_of(latencies.ravel(), np.repeat(np.arange(30), 4), [probability]), 30, rng=rng, resamples=300
        )[0]
        theirs = quantile_interval(latencies, probability, rng=np.random.default_rng(3), resamples=300)
        assert (ours.estimate, ours.low, ours.high) == pytest.approx((theirs.estimate, theirs.low, theirs.high))


def test_cases_of_different_size_are_weighed_as_in_our_statistics() -> None:
    rng = np.random.default_rng(16)
    cases = [
        rng.normal(mean, 0.1, size) for mean, size in zip(rng.uniform(size=20), rng.integers(2, 7, 20), strict=True)
    ]
    counts = np.array([len(case) * 1.0 for case in cases])
    means = np.array([[case.mean()] for case in cases])
    scatter = np.array([[((case - case.mean()) ** 2).sum()] for case in cases])
    everyone = np.ones((1, 20))
    ours = icc_of(counts, means, scatter)(everyone)[0]
    found = discrimination(cases, rng=rng, resamples=100)
    assert ours == pytest.approx(found.share.estimate)
    # The share is d² / (d² + within²), d the deviation between cases without chance.
    assert found.within_sd is not None
    expected = found.within_sd * np.sqrt(ours / (1 - ours))
    assert discrimination_of(counts, means, scatter)(everyone)[0] == pytest.approx(expected)


@pytest.mark.parametrize("failures", [0, 1, 9, 30])
def test_shares_have_the_interval_of_our_statistics_also_when_cases_differ_in_size(failures: int) -> None:
    rng = np.random.default_rng(failures)
    groups = [(rng.uniform(size=size) > failures / 30) * 1.0 for size in rng.integers(1, 6, 12)]
    ours = share(np.array([group.sum() for group in groups]), np.array([len(group) * 1.0 for group in groups]), "")
    assert ours == share_interval(groups)


def test_an_interval_of_cases_is_wider_than_one_that_takes_repeats_for_cases() -> None:
    rng = np.random.default_rng(8)
    cases = cases_with_targets(20, rng)
    biased = [stand_in("luna", [case], rng, bias=float(rng.uniform(-0.3, 0.3)), repeats=5) for case in cases]
    results = [one for of_case in biased for one in of_case]
    together = evaluate(a_run(cases, repeats=5), results).subjects[0].metrics["mae"].interval
    alone = [case.model_copy(update={"id": f"{case.id} {repeat}"}) for case in cases for repeat in range(5)]
    apart = [one.model_copy(update={"case_id": f"{one.case_id} {one.repeat}", "repeat": 0}) for one in results]
    naive = evaluate(a_run(alone), apart).subjects[0].metrics["mae"].interval
    assert (together.n_cases, together.n_values, naive.n_cases) == (20, 100, 100)
    assert together.estimate == pytest.approx(naive.estimate)
    # √5 times as wide, as repeats say nothing new; a little more as 20 cases want more caution.
    assert width(together) > 1.8 * width(naive)


def width(interval: Interval) -> float:
    assert interval.low is not None
    assert interval.high is not None
    return interval.high - interval.low


# Who is better, and is that sure?


def test_two_equal_stand_ins_are_told_apart_as_seldom_as_chance_may_and_a_biased_one_is() -> None:
    rng = np.random.default_rng(9)
    wrong = found = 0
    for _ in range(100):
        cases = cases_with_targets(15, rng)
        names = {"one": 0.0, "other": 0.0, "biased": 0.12}
        results = [
            one for name, bias in names.items() for one in stand_in(name, cases, rng, bias=bias, noise=0.08, repeats=2)
        ]
        report = evaluate(a_run(cases, *names, repeats=2), results, resamples=100)
        p_values = {(one.first, one.second): one.p_value for one in report.comparisons}
        wrong += p_values["one", "other"] < 0.05
        found += p_values["one", "biased"] < 0.05
    # Of 100 at 5 %: more than 11 has a probability below 0.005.
    assert wrong <= 11
    assert found >= 95


def test_comparisons_are_made_on_the_cases_both_have_read_with_holms_correction() -> None:
    rng = np.random.default_rng(10)
    cases = cases_with_targets(12, rng)
    names = ("one", "two", "three")
    results = [one for name in names for one in stand_in(name, cases, rng, noise=0.1)]
    results = [one for one in results if one.subject != "two" or one.case_id != "c3"]
    report = evaluate(a_run(cases, *names), results)
    assert [(one.first, one.second) for one in report.comparisons] == [
        ("one", "two"),
        ("one", "three"),
        ("two", "three"),
    ]
    assert [one.difference.n_cases for one in report.comparisons] == [11, 12, 11]
    adjusted = multipletests([one.p_value for one in report.comparisons], method="holm")[1]
    assert [one.p_adjusted for one in report.comparisons] == pytest.approx(list(adjusted))
    errors = {
        (one.case_id, one.subject): np.mean(
            [abs((one.domains or {})[d] - cases[int(one.case_id[1:])].targets[d]) for d in DOMAINS]
        )
        for one in results
    }
    expected = np.mean([errors[case.id, "one"] - errors[case.id, "three"] for case in cases])
    assert report.comparisons[1].difference.estimate == pytest.approx(expected)
    assert (report.done, report.subjects[1].cases[3].missing) == (35, 1)


def test_without_expectations_nobody_is_compared_and_the_headline_says_why() -> None:
    cases = [Case(id=str(number), message="m") for number in range(6)]
    results = [reading(case.id, SOME, subject=name) for case in cases for name in ("a", "b")]
    report = evaluate(a_run(cases, "a", "b"), results)
    assert (report.comparisons, report.front) == ((), ())
    assert report.headline == "Not enough evidence: no message that was read says what a good reading of it is."


def test_the_front_has_those_not_beaten_in_error_time_and_price() -> None:
    case = Case(id="a", message="a", targets={Domain.CD: 0.5})

    def of(name: str, cd: float, added_ms: float, cost: float | None) -> Result:
        return reading("a", four(cd, 0, 0, 0), subject=name, added_ms=added_ms, attempts=[attempt(cost_usd=cost)])

    results = [
        of("good", 0.5, 500, 0.01),
        of("quick", 0.7, 50, 0.01),
        of("beaten", 0.7, 600, 0.01),
        of("unpriced", 0.5, 1, None),
    ]
    assert evaluate(a_run([case], *(one.subject for one in results)), results).front == ("good", "quick")


def test_a_target_is_surely_met_only_when_the_whole_interval_is_on_its_side() -> None:
    def metric(
        estimate: float | None, low: float | None = None, high: float | None = None, formula: bool = False
    ) -> Metric:
        interval = Interval(estimate, low, high, 0.95, 10, 10)
        return metric_of("schema_after", interval, Subject(name="luna", formula=formula))

    # At least .95; an end at the target itself meets it.
    judged = [metric(0.97, 0.95, 0.99), metric(0.97, 0.94, 0.99), metric(0.9, 0.8, 0.94), metric(0.9, 0.8, 0.95)]
    assert [(one.met, one.sure) for one in judged] == [(True, True), (True, False), (False, True), (False, False)]
    assert [(one.met, one.sure) for one in (metric(0.97), metric(None))] == [(True, None), (None, None)]
    assert metric(0.1, 0, 0.2, formula=True).target is None
    # Below 200 ms: 200 itself is not.
    assert metric_of("latency_p95", Interval(200.0, 190.0, 210.0, 0.95, 9, 9), Subject(name="x")).met is False


def test_missed_targets_are_named_by_subject() -> None:
    report = evaluate(a_run([Case(id="plain", message="m")]), [PLAIN.model_copy(update={"added_ms": 250.0})])
    assert report.missed == {"luna": ("latency_p95",)}


# Headlines.


def headline_of(cases: Sequence[Case], *names: str, seed: int = 11, noise: float = 0.05, bias: float = 0.0) -> str:
    rng = np.random.default_rng(seed)
    results = []
    for name in names:
        if name == "formula":
            results += [formula_reading(case.id) for case in cases]
        else:
            results += stand_in(name, cases, rng, noise=noise, bias=bias)
    return evaluate(a_run(cases, *names), results).headline


@pytest.mark.parametrize("names", [("balanced", "formula"), ("formula", "balanced"), ("balanced",)])
def test_a_model_that_is_better_than_the_formula_is_quoted(names: tuple[str, ...]) -> None:
    cases = cases_with_targets(40, np.random.default_rng(12))
    assert re.fullmatch(
        r"balanced reads 40 messages with an error of 0\.04, 0\.1\d less than the Rust formula "
        r"\(95 % interval 0\.1\d to 0\.2\d\)\.",
        headline_of(cases, *names),
    )


def test_a_model_that_is_worse_than_the_formula_is_quoted_too() -> None:
    cases = [Case(id=f"c{number}", message="m", targets=FORMULA) for number in range(20)]
    assert re.match(
        r"balanced reads 20 messages with an error of 0\.30, 0\.30 more than the Rust formula \(95 %",
        headline_of(cases, "balanced", "formula", bias=0.3),
    )


def test_a_difference_that_chance_can_make_is_not_enough_evidence() -> None:
    targets = {domain: activation + 0.1 for domain, activation in FORMULA.items()}
    cases = [Case(id=f"c{number}", message="m", targets=targets) for number in range(20)]
    assert re.match(
        r"Not enough evidence that balanced and the Rust formula differ: balanced reads 20 messages with an error of "
        r"0\.\d\d, 0\.0\d (less|more) than the Rust formula \(95 % interval −0\.0\d to 0\.0\d\)\.",
        headline_of(cases, "balanced", "formula", noise=0.125),
    )


def test_of_several_models_the_one_with_the_smallest_error_is_quoted() -> None:
    rng = np.random.default_rng(15)
    cases = cases_with_targets(20, rng)
    results = [*stand_in("rough", cases, rng, noise=0.1), *stand_in("fine", cases, rng, noise=0.02)]
    assert evaluate(a_run(cases, "rough", "fine"), results).headline.startswith("fine reads 20 messages with an error")


def test_five_cases_are_not_enough() -> None:
    cases = cases_with_targets(5, np.random.default_rng(13))
    assert headline_of(cases, "balanced", "formula").endswith(", and 5 messages can be compared, 6 are needed.")


# What does not belong to the run.


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"case_id": "z"}, "the result of case 'z' by 'luna', repeat 0, does not belong .* has no such case"),
        ({"subject": "z"}, "by 'z', repeat 0, does not belong .* has no such subject"),
        ({"repeat": 2}, "repeat 2, does not belong .* whose repeats are 0 to 1"),
    ],
)
def test_a_result_of_something_else_is_refused(changes: dict[str, object], message: str) -> None:
    run = a_run([Case(id="plain", message="m")], repeats=2)
    with pytest.raises(InputError, match=message):
        evaluate(run, [PLAIN.model_copy(update=changes)])


def test_a_result_that_is_there_twice_is_refused() -> None:
    with pytest.raises(InputError, match="case 'plain' by 'luna', repeat 0, is there twice"):
        evaluate(a_run([Case(id="plain", message="m")]), [PLAIN, PLAIN])
    with pytest.raises(InputError, match="resamples is 99; it must be 100 or more"):
        evaluate(a_run([Case(id="plain", message="m")]), [PLAIN], resamples=99)


def test_the_report_does_not_depend_on_the_order_of_results(noisy: tuple[Run, list[Result], Report]) -> None:
    run, results, report = noisy
    shuffled = [results[place] for place in np.random.default_rng(14).permutation(len(results))]
    assert evaluate(run, shuffled) == report
    assert evaluate(run, results, rng_seed=1) != report


def test_tags_have_the_metrics_of_their_cases() -> None:
    cases = [
        Case(id="a", message="a", targets={Domain.CD: 0.5}, tags=("de", "code")),
        Case(id="b", message="b", targets={Domain.CD: 0.5}, tags=("de",)),
    ]
    results = [reading("a", four(0.6, 0, 0, 0)), reading("b", four(0.9, 0, 0, 0))]
    by_tag = evaluate(a_run(cases), results).subjects[0].by_tag
    assert list(by_tag) == ["code", "de"]
    assert value(by_tag["code"]["mae"]) == pytest.approx(0.1)
    assert value(by_tag["de"]["mae"]) == pytest.approx(0.25)
