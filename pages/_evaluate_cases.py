"""The cases of a run: which of them fail, where readers disagree, and the way into each one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from pages import _evaluate_case
from pages._evaluate_runs import Kept
from pages._evaluate_words import colours_of, counted, is_phone, names_of
from pages._theme import CHART_CONFIG, THEMED
from vif import figures
from vif.domains import DOMAINS, Domain
from vif.evaluation.measures import CaseReport, Report
from vif.evaluation.suite import Case

ALL, FAILURES, DISAGREEMENTS = "All", "Failures", "Disagreements"
APART = 0.2
"""Readers disagree on a case when their readings of one domain are further apart than this."""

TOLERANCE = 0.1
"""Around a target that is no range; as in the report's own verdict on a case."""

STRIPS = 25
LONGEST_MESSAGE = 200


@dataclass(frozen=True, slots=True)
class Row:
    """A case with what each subject made of it, in the run's order. `apart` is the largest distance of two readings."""

    case: Case
    reports: tuple[CaseReport, ...]
    apart: float
    fails: bool


def rows_of(report: Report) -> list[Row]:
    """Every case. The formula is the baseline: it can neither fail nor disagree, unless nobody else was asked."""
    formulas = {subject.name for subject in report.run.subjects if subject.formula}
    judged = [n for n, subject in enumerate(report.subjects) if subject.name not in formulas]
    judged = judged or list(range(len(report.subjects)))
    # With one model only, it is the formula that it can agree with.
    compared = judged if len(judged) > 1 else list(range(len(report.subjects)))
    found = []
    for place, case in enumerate(report.run.cases):
        reports = tuple(subject.cases[place] for subject in report.subjects)
        means = [reports[n].mean or {} for n in compared]
        gaps = [max(values) - min(values) for domain in DOMAINS if (values := [m[domain] for m in means if m])]
        found.append(Row(case, reports, max(gaps, default=0.0), any(reports[n].faults for n in judged)))
    return found


def chosen(rows: Sequence[Row], kind: str, tags: Sequence[str], words: str) -> list[Row]:
    """Those that pass the filters; disagreements with the largest first."""
    needle = " ".join(words.split()).casefold()
    found = [
        row
        for row in rows
        if (kind != FAILURES or row.fails)
        and (kind != DISAGREEMENTS or row.apart > APART)
        and (not tags or set(tags) & set(row.case.tags))
        and (not needle or needle in row.case.id.casefold() or needle in " ".join(row.case.message.split()).casefold())
    ]
    return sorted(found, key=lambda row: -row.apart) if kind == DISAGREEMENTS else found


def draw(kept: Kept, report: Report) -> None:
    """Filters, the matrix of cases and readers, and below it the case that is selected or a picture of all."""
    rows = rows_of(report)
    found = _draw_filters(report, rows)
    if not found:
        st.info("No case passes these filters.", icon=":material/filter_alt_off:")
        return
    names = names_of(report.run)
    selected = _draw_matrix(report, found, names)
    if selected is None:
        _draw_strips(report, found, names)
    else:
        _evaluate_case.draw(kept, selected.case, dict(zip(names, selected.reports, strict=True)))


def _draw_filters(report: Report, rows: Sequence[Row]) -> list[Row]:
    failing = sum(row.fails for row in rows)
    apart = sum(row.apart > APART for row in rows)
    labels = {ALL: f"All {len(rows):,}", FAILURES: f"Failures {failing:,}", DISAGREEMENTS: f"Disagreements {apart:,}"}
    tags = sorted({tag for case in report.run.cases for tag in case.tags})
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control(
            "Cases",
            list(labels),
            key="evaluate_cases",
            default=ALL,
            required=True,
            format_func=labels.__getitem__,
            help=f"Failures: a fault of a model. Disagreements: two readings of a domain more than {APART} apart.",
        )
        chosen_tags = st.multiselect("Tags", tags, key="evaluate_case_tags", placeholder="All tags") if tags else []
        words = st.text_input("Search", key="evaluate_search", placeholder="In message or id", max_chars=200)
    return chosen(rows, str(kind or ALL), [tag for tag in chosen_tags if tag in tags], words or "")


def _draw_matrix(report: Report, rows: Sequence[Row], names: Mapping[str, str]) -> Row | None:
    frame = pd.DataFrame(
        {
            "Case": [row.case.id for row in rows],
            "Message": [" ".join(row.case.message[: 2 * LONGEST_MESSAGE].split())[:LONGEST_MESSAGE] for row in rows],
            **{
                name: [mark(row.reports[number]) for row in rows]
                for number, name in enumerate(_distinct(list(names.values())))
            },
            "Apart": [row.apart for row in rows],
        }
    )
    readers = [name for name in frame.columns if name not in {"Case", "Message", "Apart"}]
    found = st.dataframe(
        frame,
        hide_index=True,
        # On a narrow screen the verdicts come before the words.
        column_order=["Case", *readers, "Apart", "Message"] if is_phone() else None,
        height=min(38 + 35 * len(rows), 330),
        column_config={
            "Case": st.column_config.TextColumn(width="small", pinned=not is_phone()),
            "Message": st.column_config.TextColumn(width="large"),
            "Apart": st.column_config.NumberColumn(
                format="%.2f", width="small", help="The largest distance of two readings of one domain."
            ),
        },
        on_select="rerun",
        selection_mode="single-row",
        # Another choice of rows is another table: a selection is a row's number, which would mean another case.
        key=f"evaluate_matrix_{report.run.id[:8]}_{hash(tuple(row.case.id for row in rows)) & 0xFFFFFF}",
        alt="Each case with the verdict on every reader: a mark and the error",
    )
    picked = found.selection.rows
    if picked and picked[0] < len(rows):
        return rows[picked[0]]
    st.caption("✓ as expected · ✗ a fault · behind it the error. **Select a row to open the case.**")
    return None


def mark(report: CaseReport) -> str:
    """A case of one reader in a cell."""
    if not report.readings:
        return "… not yet" if report.missing and not report.faults else "✗ not read"
    symbol = "✗" if report.faults else "✓"
    return f"{symbol} {report.error:.3f}" if report.error is not None else symbol


def _distinct(names: Sequence[str]) -> list[str]:
    """Two columns of a table cannot have the same name, nor that of another column."""
    taken = {"Case", "Message", "Apart"}
    found = []
    for name in names:
        while name in taken:
            name += " "  # noqa: PLW2901
        taken.add(name)
        found.append(name)
    return found


def _draw_strips(report: Report, rows: Sequence[Row], names: Mapping[str, str]) -> None:
    pages = -(-len(rows) // STRIPS)
    place = st.empty()
    number = 1
    if pages > 1:
        number = min(st.pagination(pages, key="evaluate_page"), pages)
    shown = rows[(number - 1) * STRIPS : number * STRIPS]
    labels = list(names.values())
    strips = [strip_of(row, labels) for row in shown]
    place.plotly_chart(
        figures.strips(strips, labels, palette=THEMED, colours=colours_of(report.run), compact=is_phone()),
        config=CHART_CONFIG,
        key=f"evaluate_strips_{report.run.id[:8]}",
        alt=figures.describe_strips(strips, labels),
    )
    st.caption(
        f"{counted(len(rows), 'case')}. Bars: what is expected. Filled: as expected, hollow: not. "
        "Of repeats the mean is shown."
    )


def strip_of(row: Row, labels: Sequence[str]) -> figures.Strip:
    return figures.Strip(
        row.case.id,
        expected_ranges(row.case),
        {label: one.mean for label, one in zip(labels, row.reports, strict=True) if one.mean},
        " ".join(row.case.message[:120].split()),
    )


def strips_of(report: Report) -> list[figures.Strip]:
    """Every case as a strip."""
    labels = list(names_of(report.run).values())
    return [strip_of(row, labels) for row in rows_of(report)]


def expected_ranges(case: Case) -> dict[Domain, tuple[float, float]]:
    """Each range, or what is close enough to a target."""
    near = {
        domain: (max(target - TOLERANCE, 0.0), min(target + TOLERANCE, 1.0)) for domain, target in case.targets.items()
    }
    return near | dict(case.ranges)
