from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.evaluation.evaluating import a_run
from tests.evaluation.reports import HOSTILE, a_failing_subject, evaluated, hostile, told_apart
from vif.errors import InputError
from vif.evaluation.exported import read_run_json, report_json, results_csv, run_json
from vif.evaluation.records import Run, Subject
from vif.evaluation.suite import Case
from vif.spreadsheet import restored


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def changed(change: Callable[[dict[str, Any]], None]) -> str:
    body = json.loads(run_json(*told_apart(6, 1)))
    change(body)
    return json.dumps(body)


@pytest.mark.parametrize("make", [told_apart, a_failing_subject])
def test_what_was_exported_is_read_again_as_it_was(make: Callable[[], Any]) -> None:
    run, results = make()
    assert read_run_json(run_json(run, results)) == (run, tuple(results))


def test_the_report_in_json_can_be_read_as_a_run_too_and_gives_the_same_report() -> None:
    run, results = told_apart()
    report = evaluated(run, results)
    again = read_run_json("\ufeff" + report_json(report, results))
    assert again == (run, tuple(results))
    assert evaluated(*again) == report


def test_hostile_text_survives_the_json() -> None:
    run, results = hostile()
    assert read_run_json(run_json(run, results)) == (run, tuple(results))


def test_half_a_character_in_a_setting_does_not_spoil_the_file() -> None:
    run = Run(suite="s", cases=(Case(id="a", message="b"),), subjects=(Subject(name="x", settings={"k": "\ud83d"}),))
    run_json(run, []).encode()


def test_the_report_has_stable_keys() -> None:
    body = json.loads(report_json(evaluated(*told_apart()), []))
    assert list(body) == ["format", "version", "run", "results", "report"]
    report = body["report"]
    assert list(report) == ["headline", "done", "total", "missed", "front", "subjects", "comparisons"]
    good = report["subjects"][1]
    assert list(good) == ["name", "metrics", "by_tag", "cases"]
    assert set(good["by_tag"]) == {"code", "en"}
    assert list(good["metrics"]["sd"]) == [
        *("estimate", "low", "high", "level", "n_cases", "n_values", "method", "reason"),
        *("unit", "target", "met", "sure"),
    ]
    assert good["metrics"]["sd"]["target"] == {"kind": "below", "value": 0.1}
    assert list(good["cases"][0]) == [
        *("case_id", "ok", "faults", "readings", "mean", "sd", "error"),
        *("dominant_agreement", "latency_ms", "cost_usd", "missing"),
    ]
    assert list(report["comparisons"][0]) == ["first", "second", "difference", "p_value", "p_adjusted", "exact"]


def test_a_run_without_results_is_a_file_too() -> None:
    run = a_run([Case(id="a", message="b")], "luna")
    body = json.loads(report_json(evaluated(run, []), []))
    assert body["report"]["subjects"][0]["metrics"]["mae"]["estimate"] is None
    assert read_run_json(json.dumps(body)) == (run, ())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"format": "vif.evaluation", "version": 1, "results": [NaN]}', "NaN is not a number of JSON"),
        ("[]", "must be an object with the key 'format'"),
        ('{"format": "other"}', "must be an object with the key 'format'"),
        ('{"format": "vif.evaluation", "version": 2}', "its version is 2; this version of vif reads 1"),
        ('{"format": "vif.evaluation", "version": 1, "results": []}', "run: Field required"),
    ],
)
def test_another_file_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        read_run_json(text)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda body: body.pop("results"), "results: Field required"),
        (lambda body: body["run"].update(repeats=0), "run.repeats: Input should be greater than or equal to 1"),
        (lambda body: body["run"].update(secret="x"), "run.secret: Extra inputs are not permitted"),
        (lambda body: body["run"]["cases"][2].update(message=5), "run.cases.2.message: "),
        (lambda body: body["run"]["cases"].append(body["run"]["cases"][0]), "the case 'c0' is there twice"),
        (lambda body: body["run"]["subjects"].append({"name": "good"}), "the subject 'good' is there twice"),
        (lambda body: body["results"][3].update(case_id="zz"), "results.3: the run has no case 'zz'"),
        (lambda body: body["results"][3].update(subject="zz"), "results.3: the run has no subject 'zz'"),
        (lambda body: body["results"][3].update(repeat=1), "results.3: repeat is 1; it must be from 0 to 0"),
        (lambda body: body["results"].append(body["results"][0]), "results.18: there is another of case 'c0'"),
        (lambda body: body["results"][3]["domains"].update(SD=1.7), "results.3: domains.SD is 1.7; it must be from 0"),
        (lambda body: body["results"][3]["domains"].pop("ED"), "results.3: domains lacks ED"),
        (lambda body: body["results"][3].update(added_ms=-1), "results.3: added_ms is -1.0"),
    ],
)
def test_a_damaged_file_is_refused_with_the_place(change: Callable[[dict[str, Any]], None], why: str) -> None:
    with pytest.raises(InputError) as caught:
        read_run_json(changed(change))
    assert why in str(caught.value)


def test_the_csv_has_a_row_per_call_with_numbers_as_they_were_measured() -> None:
    run, results = told_apart(3, 2)
    rows = rows_of(results_csv(run, results))
    assert len(rows) == 3 * 3 * 2
    for row, result in zip(rows, results, strict=True):
        assert (row["case"], row["subject"], int(row["repeat"])) == result.key
        assert result.domains is not None
        assert {name: float(row[name]) for name in result.domains} == result.domains
        assert float(row["CD-SD permeability"]) == result.boundaries[0].permeability
    good = rows[6]
    assert (good["source"], good["attempts"], good["outcomes"], good["cost usd"]) == ("llm1", "1", "ok", "0.001")
    assert (good["input tokens"], good["output tokens"], good["CD formula"]) == ("900", "100", "0.44000000000000006")
    assert good["tags"] == "code en"


def test_a_call_that_failed_has_empty_cells_and_the_error() -> None:
    run, results = a_failing_subject()
    far, lost = rows_of(results_csv(run, results))
    assert (far["CD expected from"], far["CD expected to"], far["SD expected from"]) == ("0.3", "0.6", "")
    assert (lost["read"], lost["CD"], lost["source"], lost["error"]) == ("no", "", "", "the provider took too long")


def test_no_cell_of_the_csv_is_a_formula_and_every_text_can_be_had_back() -> None:
    run, results = hostile()
    rows = rows_of(results_csv(run, results))
    for row in rows:
        assert not [cell for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))]
    assert [restored(row["message"]) for row in rows[: len(HOSTILE)]] == [case.message for case in run.cases]


def test_negative_numbers_stay_numbers_in_the_csv() -> None:
    run, results = told_apart(1, 1)
    odd = results[0].model_copy(update={"added_ms": -0.5})
    assert rows_of(results_csv(run, [odd]))[0]["added ms"] == "-0.5"
