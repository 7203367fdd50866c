"""What a run came to: the sentence first, then who did how, then every measure, then the evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import streamlit as st

from pages import _evaluate_cases, _evaluate_changes, _evaluate_files, _evaluate_list, _evaluate_runs, _evaluate_versus
from pages._evaluate_runs import Kept
from pages._evaluate_words import names_of
from pages._sidebar import Settings
from pages._text import plain
from vif.evaluation.measures import Metric, MetricName, Report, SubjectReport
from vif.evaluation.shown import ends, number, score, target_words, verdict
from vif.evaluation.targets import MEASURES, TARGETS

GROUPS: Mapping[str, tuple[MetricName, ...]] = {
    "Does it read well?": ("mae", "in_range", "discrimination", "formula_correlation", "continuity"),
    "Does it keep the contract?": ("schema_first", "schema_after", "range", "permeability", "status"),
    "Does it read alike again?": ("sd", "dominant_agreement", "icc"),
    "What does it take?": ("latency_p50", "latency_p95", "tokens", "cost", "fallbacks", "retries"),
}
MOST_CARDS = 4
NO_BREAK = "\N{NO-BREAK SPACE}"
BOARD: tuple[MetricName, ...] = ("mae", "in_range", "latency_p95", "cost")


def draw(kept: Kept, settings: Settings, *, may_run: bool) -> None:
    """A run that is not under way."""
    report = _evaluate_runs.report(kept)
    _evaluate_list.draw_head(kept.run)
    _draw_unfinished(kept, settings, may_run=may_run)
    st.header(plain(report.headline), anchor=False)
    _draw_board(report)
    _draw_tabs(
        {
            "Measures": (":material/checklist:", lambda: draw_measures(report)),
            "Cases": (":material/view_list:", lambda: _evaluate_cases.draw(kept, report)),
            "Reader against reader": (":material/balance:", lambda: _evaluate_versus.draw_against(report)),
            "Quality, speed, price": (":material/speed:", lambda: _evaluate_versus.draw_offers(report)),
            "By tag": (":material/sell:", lambda: _evaluate_versus.draw_tags(report)),
            "Two runs": (":material/compare_arrows:", lambda: _evaluate_changes.draw(report)),
            "Files": (":material/download:", lambda: _evaluate_files.draw(kept, report, may_run=may_run)),
        }
    )


def _draw_tabs(tabs: Mapping[str, tuple[str, Callable[[], None]]]) -> None:
    """Only the open one is worked out."""
    drawn = st.tabs([f"{icon} {label}" for label, (icon, _) in tabs.items()], key="evaluate_tab", on_change="rerun")
    for tab, (_, draw_tab) in zip(drawn, tabs.values(), strict=True):
        if tab.open:
            with tab:
                draw_tab()


def _draw_unfinished(kept: Kept, settings: Settings, *, may_run: bool) -> None:
    if kept.complete:
        return
    work = _evaluate_runs.work(kept.run.id)
    why = f": {plain(work.why, 300)}" if work and work.why else ""
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.markdown(
            f":orange-badge[:material/pause: unfinished] {len(kept.results):,} of {kept.run.total:,} readings are "
            f"there{why}.",
            width="stretch",
        )
        if may_run:
            _evaluate_list.resume_button(kept.run.id, settings, kind="primary")


def _draw_board(report: Report) -> None:
    """A card for each of a few readers, a row for each of many."""
    names = names_of(report.run)
    if len(report.subjects) > MOST_CARDS:
        _draw_board_table(report, names)
        return
    with st.grid(len(report.subjects), min_column_width=230, gap="small"):
        for subject in report.subjects:
            with st.container(border=True, height="stretch"):
                _draw_subject(subject, names[subject.name])


def _draw_board_table(report: Report, names: Mapping[str, str]) -> None:
    rows = []
    for subject in sorted(report.subjects, key=lambda one: _or_last(one.metrics["mae"].interval.estimate)):
        row = {"Reader": f"**{plain(names[subject.name], 60)}**"}
        row |= {MEASURES[name].label: _value(subject.metrics[name]) for name in BOARD}
        met, of = score(iter(subject.metrics.values()))
        row["Targets"] = _targets(met, of) if of else ":gray[the baseline]"
        rows.append(row)
    st.table(pd.DataFrame(rows), border="horizontal", hide_index=True, alt="Each reader, the smallest error first")


def _or_last(value: float | None) -> float:
    return float("inf") if value is None else value


def _targets(met: int, of: int) -> str:
    colour, icon = ("green", "check_circle") if met == of else ("orange", "rule")
    return f":{colour}-badge[:material/{icon}: {met} of {of} targets met]"


def _draw_subject(subject: SubjectReport, name: str) -> None:
    """One reader's figures: the error large, the others in a line."""
    metrics = subject.metrics
    st.markdown(f"**{plain(name, 60)}**")
    error = metrics["mae"].interval
    between = ends(error, "activation")
    st.metric(
        "Error",
        number(error.estimate, "activation"),
        f"95 %: {between}" if between else error.reason or None,
        delta_color="off",
        delta_arrow="off",
        help=MEASURES["mae"].question,
    )
    facts = (
        f"{number(metrics['in_range'].interval.estimate, 'share')} as expected",
        f"P95 {number(metrics['latency_p95'].interval.estimate, 'ms')}",
        f"{number(metrics['cost'].interval.estimate, 'usd')} a call",
    )
    st.caption(" · ".join(facts).replace("$", r"\$"))
    met, of = score(iter(metrics.values()))
    if of:
        st.markdown(_targets(met, of))
    else:
        st.caption("The baseline: it has no targets.")


def draw_measures(report: Report) -> None:
    """Every measure of every reader, with the interval and whether its target is met."""
    explained = st.toggle("What does each of them ask?", key="evaluate_explained")
    names = names_of(report.run)
    for title, group in GROUPS.items():
        st.markdown(f"**{title}**")
        rows = [_row(name, report, names, explained=explained) for name in group]
        st.table(pd.DataFrame(rows), border="horizontal", hide_index=True, alt=f"{title} Measures of each reader")
    st.caption("Small: the 95 % interval, by resampling whole cases. – : nothing to measure it by.")


def _row(name: MetricName, report: Report, names: Mapping[str, str], *, explained: bool) -> dict[str, str]:
    measure, target = MEASURES[name], TARGETS.get(name)
    label = f"**{measure.label}**"
    if target:
        label += f"  \n:small[:gray[{_marked(target_words(target, measure.unit))}]]"
    if explained:
        label += f"  \n:small[{plain(measure.question)}]"
    return {"Measure": label} | {
        plain(names[subject.name], 60): cell(subject.metrics[name]) for subject in report.subjects
    }


def cell(metric: Metric) -> str:
    """A measure as Markdown: the estimate, the interval, and the verdict as a symbol and a word."""
    shown = _value(metric)
    symbol, words = verdict(metric)
    if metric.met is not None:
        shown += f"  \n:{'green' if metric.met else 'red'}[{_whole(f'{symbol} {words}')}]"
    return shown


def _value(metric: Metric) -> str:
    """The estimate and below it the interval; neither is broken where a table is narrow."""
    unit = MEASURES[metric.name].unit
    if metric.interval.estimate is None:
        return ":gray[–]"
    shown = f"**{_whole(number(metric.interval.estimate, unit))}**"
    between = ends(metric.interval, unit)
    return f"{shown}  \n:small[:gray[{_whole(between)}]]" if between else shown


def _whole(text: str) -> str:
    return _marked(text).replace(" ", NO_BREAK)


def _marked(text: str) -> str:
    return text.replace("$", r"\$")
