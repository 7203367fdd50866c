"""One case: the message, what was expected, what each reader read, and how that came about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

import vif
from pages import _words
from pages._evaluate_runs import Kept
from pages._evaluate_words import counted, names_of
from pages._text import plain
from pages._theme import CHART_CONFIG, THEMED, coloured
from vif import figures
from vif.domains import DOMAINS, formula_activations
from vif.evaluation.measures import CaseReport
from vif.evaluation.plan import config_of
from vif.evaluation.records import Result
from vif.evaluation.suite import Case
from vif.interaction import Attempt

TALL = 260
LONG = 1200


def draw(kept: Kept, case: Case, reports: Mapping[str, CaseReport]) -> None:
    """A case, with the reports of all subjects by their name in the run."""
    names = names_of(kept.run)
    with st.container(border=True):
        tags = " ".join(f":gray-badge[{plain(tag, 30)}]" for tag in case.tags)
        st.markdown(f"**{plain(case.id)}** {tags}" + (f"  \n:gray[{plain(case.note, 400)}]" if case.note else ""))
        if case.message:
            st.code(
                case.message, language=None, wrap_lines=True, height=TALL if len(case.message) > LONG else "content"
            )
        else:
            st.caption("The message is empty.")
        if case.previous:
            st.caption(f"The reading before: {_values(case.previous)}")
        with st.grid(min(len(reports), 4), min_column_width=232):
            for subject, report in reports.items():
                with st.container():
                    _draw_subject(kept, case, subject, report)
        _draw_values(case, {names[subject]: report for subject, report in reports.items()})
        _draw_how(kept, case, names)


def _draw_subject(kept: Kept, case: Case, subject: str, report: CaseReport) -> None:
    formula, name = formula_activations(kept.run.autonomy), names_of(kept.run)[subject]
    st.markdown(f"**{plain(name, 60)}**")
    if report.mean is None:
        st.caption("Not read yet." if report.missing and not report.faults else "Not read.")
    else:
        is_formula = any(one.formula and one.name == subject for one in kept.run.subjects)
        reading = None if is_formula else {domain.value: value for domain, value in report.mean.items()}
        st.plotly_chart(
            figures.small_radar(formula, reading, palette=THEMED),
            config=CHART_CONFIG,
            key=f"evaluate_radar_{case.id}_{name}",
            alt=figures.describe_small_radar(name, formula, reading),
        )
    if report.faults:
        st.markdown("  \n".join(f":small[:red[✗] {plain(fault, 300)}]" for fault in report.faults))
    if not report.faults and report.readings:
        st.markdown(":small[:green[✓] as expected]")


def _draw_values(case: Case, reports: Mapping[str, CaseReport]) -> None:
    rows = []
    for domain in DOMAINS:
        row = {"": coloured(domain), "Expected": _expected(case, domain)}
        for name, report in reports.items():
            shown = "–"
            if report.mean is not None:
                shown = f"**{report.mean[domain]:.2f}**"
                if domain in report.sd:
                    shown += f" :small[:gray[± {report.sd[domain]:.2f}]]"
            row[plain(name, 60)] = shown
        rows.append(row)
    st.table(pd.DataFrame(rows), border="horizontal", hide_index=True, alt="Each domain: what is expected and was read")
    st.caption("Solid, round: the reader · dashed, diamonds: the Rust formula · ±: standard deviation over repeats")


def _draw_how(kept: Kept, case: Case, names: Mapping[str, str]) -> None:
    """Prompt, attempts and raw answers of one reading."""
    results = [result for result in kept.results if result.case_id == case.id]
    by_subject = {name: sorted((r for r in results if r.subject == name), key=lambda r: r.repeat) for name in names}
    formulas = {subject.name for subject in kept.run.subjects if subject.formula}
    asked = [name for name, found in by_subject.items() if found and name not in formulas]
    if not asked:
        return
    st.markdown("**How it was read**")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        subject = asked[0]
        if len(asked) > 1:
            subject = st.selectbox("Reader", asked, key="evaluate_how", format_func=names.__getitem__)
        found = by_subject[subject]
        number = 0
        if len(found) > 1:
            number = st.segmented_control(
                "Repeat",
                range(len(found)),
                key=f"evaluate_repeat_{case.id}_{subject}",
                default=0,
                required=True,
                format_func=lambda place: str(found[place].repeat + 1),
            )
    draw_result(kept, case, found[int(number or 0)])


def draw_result(kept: Kept, case: Case, result: Result) -> None:
    """One reading, down to the raw answer of each attempt."""
    recognition = result.recognition
    if result.domains is not None:
        st.markdown(f"Read as {_values(result.domains)} · {_words.seconds(result.added_ms)}")
    if result.error:
        st.warning(plain(result.error, 400), icon=":material/error:")
    if recognition is None:
        return
    if recognition.reasoning:
        st.markdown("**What the model gave as its reason**")
        _draw_text(recognition.reasoning)
    _draw_attempts(recognition.attempts)
    for number, attempt in enumerate(recognition.attempts, 1):
        if attempt.raw_text:
            st.markdown(f"**Raw answer** of attempt {number}, {plain(attempt.model)}")
            _draw_text(attempt.raw_text, "json")
    if recognition.corrections:
        corrected = "; ".join(
            f"{plain(figures.boundary_label(one.boundary))}, {one.field}: {plain(str(one.given), 40)} → "
            f"{plain(str(one.used))} ({plain(one.why)})"
            for one in recognition.corrections
        )
        st.caption(f"{counted(len(recognition.corrections), 'correction')}: {corrected}")
    _draw_prompts(kept, case, result)


def _draw_prompts(kept: Kept, case: Case, result: Result) -> None:
    subject = next(one for one in kept.run.subjects if one.name == result.subject)
    if result.recognition is None:
        return
    previous = {domain.value: value for domain, value in (case.previous or {}).items()} or None
    oscillation = config_of(kept.run, subject).llm1_oscillation
    made = vif.recognition_prompts(case.message, result.recognition, previous, oscillation=oscillation)
    prompts = [prompt for prompt in made if prompt]
    if not prompts:
        st.caption("The embedded model gets no prompt: a trained head reads its hidden states of the message itself.")
        return
    folded = st.expander("Prompt", icon=":material/description:", key=f"evaluate_prompt_{case.id}", on_change="rerun")
    if folded.open:
        with folded:
            st.markdown("**System prompt**")
            _draw_text(prompts[0].system)
            for text in dict.fromkeys(prompt.turn for prompt in prompts):
                st.markdown("**Turn**")
                _draw_text(text)


def _draw_attempts(attempts: Sequence[Attempt]) -> None:
    if not attempts:
        return
    rows = [
        {
            "Attempt": f"{number}. {plain(attempt.model)}",
            "Outcome": _outcome(attempt),
            "Took": _words.seconds(attempt.latency_ms),
            "Tokens": f"{attempt.input_tokens:,} + {attempt.output_tokens:,}",
            "Cost": _words.dollars(attempt.cost_usd).replace("$", r"\$"),
        }
        for number, attempt in enumerate(attempts, 1)
    ]
    st.table(pd.DataFrame(rows), border="horizontal", hide_index=True, alt="Every request to a model")


def _outcome(attempt: Attempt) -> str:
    if attempt.outcome == "ok":
        return ":green[:material/check:] answered"
    shown = plain(attempt.outcome.replace("_", " "))
    return f":orange[:material/close:] {shown}" + (f"  \n:small[{plain(attempt.error, 300)}]" if attempt.error else "")


def _draw_text(text: str, language: str | None = None) -> None:
    st.code(text, language=language, wrap_lines=True, height=TALL if len(text) > LONG else "content")


def _expected(case: Case, domain: vif.Domain) -> str:
    if domain in case.ranges:
        low, high = case.ranges[domain]
        return f"{low:.2f} to {high:.2f}"
    return f"{case.targets[domain]:.2f}" if domain in case.targets else "–"


def _values(domains: Mapping[vif.Domain, float]) -> str:
    return " · ".join(f"{coloured(domain)} {domains[domain]:.2f}" for domain in DOMAINS if domain in domains)
