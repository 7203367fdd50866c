"""What can be taken along of a run: everything as JSON and CSV, the report as a page or as Markdown, the suite."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages import _evaluate_list, _evaluate_suite
from pages._evaluate_runs import Kept
from pages._text import plain
from vif.evaluation.exported import report_json, results_csv
from vif.evaluation.html import report_html
from vif.evaluation.markdown import report_markdown
from vif.evaluation.measures import Report
from vif.evaluation.suite import Suite, to_csv


def draw(kept: Kept, report: Report, *, may_run: bool) -> None:
    """The files, made when they are asked for, and the link."""
    run, results = kept.run, kept.results
    suite = Suite(run.suite, run.cases)
    files: tuple[tuple[str, str, str, str, Callable[[], str]], ...] = (
        (
            "Report to hand on",
            "One page that needs nothing else, for screen and paper, light and dark.",
            "report.html",
            "text/html",
            lambda: report_html(report, results),
        ),
        (
            "Report as Markdown",
            "For a pull request or a wiki.",
            "report.md",
            "text/markdown",
            lambda: report_markdown(report),
        ),
        (
            "Every reading as CSV",
            "A row for each reading, safe to open in a spreadsheet.",
            "results.csv",
            "text/csv",
            lambda: results_csv(run, results),
        ),
        (
            "Everything as JSON",
            "Run, report and results, raw answers included.",
            "evaluation.json",
            "application/json",
            lambda: report_json(report, results),
        ),
        ("The suite as CSV", "To change it, or to run it elsewhere.", "suite.csv", "text/csv", lambda: to_csv(suite)),
    )
    with st.grid(3, min_column_width=240, gap="small"):
        for title, about, name, kind, make in files:
            with st.container(border=True, height="stretch"):
                st.markdown(f"**{title}**  \n{about}")
                st.download_button(
                    "Download",
                    make,
                    file_name=f"vif-{run.id[:8]}-{name}",
                    mime=kind,
                    key=f"evaluate_file_{name}",
                    on_click="ignore",
                    icon=":material/download:",
                )
        if may_run:
            with st.container(border=True, height="stretch"):
                st.markdown("**These cases again**  \nWith other readers, or edited in a table.")
                st.button(
                    "Use this suite",
                    key="evaluate_again",
                    icon=":material/replay:",
                    on_click=_use_again,
                    args=(suite,),
                )
    st.caption("The link to this run:")
    st.code(f"{(st.context.url or '').split('?')[0]}?run={run.id}", language=None)
    versions = " · ".join(f"{plain(name)} {plain(version)}" for name, version in run.versions.items())
    st.caption(f"Made with {versions} · autonomy {run.autonomy:g}")


def _use_again(suite: Suite) -> None:
    _evaluate_suite.use_again(suite)
    _evaluate_list.choose(None)
