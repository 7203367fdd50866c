"""Reports to write down: of a formula and two stand-ins, of one that fails, of foreign text that means harm."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.evaluation.evaluating import a_run, attempt, cases_with_targets, formula_reading, four, reading, stand_in
from vif.domains import Domain
from vif.evaluation.measures import Report
from vif.evaluation.metrics import evaluate
from vif.evaluation.records import Result, Run, Subject
from vif.evaluation.suite import Case

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><style>*{display:none}",
    '=HYPERLINK("http://evil.example","click")',
    "+1+cmd|' /C calc'!A0",
    "\tlooks | like | cells |\n| --- |",
    "nul \0 bell \a escape \x1b[31m delete \x7f next \x85",
    "\u202egnp.exe \u2066isolated",
    "@everyone see #12 at https://evil.example and www.evil.example ![x](http://evil.example/p.png)",
    "`code` *bold* [link](javascript:alert(1)) $x^2$ ~~no~~",
    "&amp; &#60; ]]> --> <!--",
    "שלום עולם, مرحبا",
)


def evaluated(run: Run, results: Sequence[Result]) -> Report:
    return evaluate(run, results, resamples=100)


def told_apart(n: int = 12, repeats: int = 2, message: str = "") -> tuple[Run, list[Result]]:
    """The formula, one that reads well, one that reads all domains .2 too high."""
    rng = np.random.default_rng(7)
    cases = cases_with_targets(n, rng, tags=("code", "en"))
    if message:
        cases = [case.model_copy(update={"message": message}) for case in cases]
    run = a_run(cases, "formula", "good", "biased", repeats=repeats)
    results = [formula_reading(case.id, repeat=repeat) for case in cases for repeat in range(repeats)]
    results += stand_in("good", cases, rng, noise=0.01, repeats=repeats)
    results += stand_in("biased", cases, rng, bias=0.2, noise=0.02, repeats=repeats)
    return run, results


def hostile() -> tuple[Run, list[Result]]:
    """Every name, message, tag, error and version a person, a file or a provider can choose."""
    cases = [
        Case(id=f"{number} {text}"[:100], message=text, targets=four(0.1, 0.1, 0.1, 0.1), tags=(text,), note=text)
        for number, text in enumerate(HOSTILE)
    ]
    run = Run(
        id="run" + HOSTILE[0],
        suite=HOSTILE[1],
        cases=tuple(cases),
        subjects=(Subject(name=HOSTILE[0], settings={HOSTILE[1]: HOSTILE[2]}), Subject(name=HOSTILE[8])),
        versions={HOSTILE[0]: HOSTILE[1], "vif": HOSTILE[2]},
    )
    results = [
        reading(case.id, four(0.9, 0.9, 0.9, 0.9), subject=HOSTILE[0], attempts=(attempt(raw_text=case.message),))
        for case in cases
    ]
    results += [Result(case_id=case.id, subject=HOSTILE[8], repeat=0, error=case.message) for case in cases]
    return run, results


def a_failing_subject() -> tuple[Run, list[Result]]:
    """Two cases: one is read far off, the other not at all."""
    cases = [
        Case(id="far", message="How do I sort a list?", ranges={Domain.CD: (0.3, 0.6)}),
        Case(id="lost", message="Thanks!", ranges={Domain.ED: (0.4, 0.6)}),
    ]
    run = a_run(cases, "luna")
    return run, [
        reading("far", four(0.82, 0.3, 0.1, 0.2), added_ms=900.0),
        Result(case_id="lost", subject="luna", repeat=0, error="the provider took too long"),
    ]
