"""Two runs: what got better, what got worse, and whether chance could do that."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from pages import _choices, _evaluate_runs
from pages._clock import moment
from pages._evaluate_words import counted, listed
from pages._text import plain
from vif.evaluation.compare import compare_runs
from vif.evaluation.measures import METRICS, Change, Report
from vif.evaluation.shown import ends, number, p_words, signed
from vif.evaluation.targets import MEASURES, TARGETS
from vif.store.evaluations import RunRow

MOST_CASES = 12
_BADGES = {
    "better": ":green-badge[:material/trending_down: better]",
    "worse": ":red-badge[:material/trending_up: worse]",
}


def draw(report: Report) -> None:
    """The run that is open against one that is chosen here."""
    rows = [row for row in _evaluate_runs.rows() if row.id != report.run.id and row.done]
    if not rows:
        st.info(
            "There is no other run yet. Change a prompt, a model or a setting, run the same suite again, and see here "
            "what that did.",
            icon=":material/compare_arrows:",
        )
        return
    # The one with the same suite is what somebody most likely means.
    rows.sort(key=lambda row: row.suite != report.run.suite)
    row = st.selectbox("Compare with", rows, key=f"evaluate_with_{report.run.id[:8]}", format_func=_label)
    kept = _evaluate_runs.load_once(row.id, row.done)
    if kept is None:
        st.info("That run was deleted just now.")
        return
    other = _evaluate_runs.report(kept)
    before, after = sorted((report, other), key=lambda one: one.run.created_at)
    changes = compare_runs(before, after)
    st.caption(
        f"Before: {plain(before.run.suite, 60)}, {moment(before.run.created_at)} · "
        f"after: {plain(after.run.suite, 60)}, {moment(after.run.created_at)}"
    )
    if not changes:
        st.info("The two runs have no reader in common.", icon=":material/group_off:")
    for change in changes:
        _draw_change(change, before, after)


def _label(row: RunRow) -> str:
    return f"{row.suite} · {moment(row.created_at)} · {', '.join(_choices.label(name) for name in row.subjects)}"


def _draw_change(change: Change, before: Report, after: Report) -> None:
    with st.container(border=True):
        badge = _BADGES.get(
            change.words, ":gray-badge[:material/drag_handle: no difference that chance could not make]"
        )
        name = listed([change.after])
        if change.before != change.after:
            name = f"{listed([change.before])} → {name}"
        st.markdown(f"**{name}** {badge}")
        between = change.error.difference
        if between.estimate is None:
            st.caption(plain(between.reason) or "No case was read in both runs.")
            return
        shown = f"Error **{signed(between.estimate)}**"
        if between.low is not None and between.high is not None:
            shown += f" (95 % interval {signed(between.low)} to {signed(between.high)}"
            shown += f", {p_words(change.error.p_adjusted)})".replace("<", r"\<")
        st.markdown(f"{shown} on {counted(between.n_cases, 'case')} that both runs have; below 0 is better.")
        with st.grid(2, min_column_width=260):
            with st.container():
                _draw_cases("Better", "green", change.better, before)
            with st.container():
                _draw_cases("Worse", "red", change.worse, after)
        _draw_measures(change)


def _draw_cases(title: str, colour: str, cases: Sequence[tuple[str, float]], report: Report) -> None:
    messages = {case.id: case.message for case in report.run.cases}
    st.markdown(f":{colour}[**{title}: {counted(len(cases), 'case')}**]")
    for id, by in cases[:MOST_CASES]:
        st.markdown(f"{signed(by)} · **{plain(id, 30)}** {plain(messages.get(id, ''), 70)}")
    if len(cases) > MOST_CASES:
        st.caption(f"and {len(cases) - MOST_CASES:,} more")
    if not cases:
        st.caption("None by more than 0.05.")


def _draw_measures(change: Change) -> None:
    folded = st.expander(
        "Every measure before and after",
        icon=":material/checklist:",
        key=f"evaluate_change_{change.before}_{change.after}",
        on_change="rerun",
    )
    if not folded.open:
        return
    rows = []
    for name in sorted(METRICS, key=lambda name: name not in TARGETS):
        unit = MEASURES[name].unit
        old, new = (metric.interval for metric in change.metrics[name])
        rows.append(
            {
                "Measure": MEASURES[name].label,
                "Before": f"{number(old.estimate, unit)} :small[:gray[{ends(old, unit)}]]".replace("$", r"\$"),
                "After": f"{number(new.estimate, unit)} :small[:gray[{ends(new, unit)}]]".replace("$", r"\$"),
            }
        )
    with folded:
        st.table(pd.DataFrame(rows), border="horizontal", hide_index=True, alt="Every measure before and after")
