"""A run under way: how far it is, what it found so far, and the way to end it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages import _evaluate_list, _evaluate_runs, _words
from pages._evaluate_runs import Work
from pages._evaluate_words import counted, duration, money, names_of
from pages._text import plain

EVERY_S = 1.0


def draw(id: str, *, may_run: bool) -> None:
    """The run with this id, which is under way."""
    work = _evaluate_runs.work(id)
    if work is not None:
        _evaluate_list.draw_head(work.run, under_way=True)
        _follow(id, may_run)


@st.fragment(run_every=EVERY_S)
def _follow(id: str, may_run: bool) -> None:
    """Anew every second; when it is over the page is drawn with the results. The run does not need this page."""
    work = _evaluate_runs.work(id)
    if work is None or work.over:
        st.rerun()
    _draw_progress(work, may_run)
    _draw_so_far(work)


def _draw_progress(work: Work, may_run: bool) -> None:
    progress = work.progress
    total = work.run.total
    done = sum(tally.done for tally in work.tallies.values())
    words = [f"{done:,} of {counted(total, 'reading')}"]
    if progress is not None:
        words.append(f"{money(progress.spent_usd)} spent")
        if progress.failed:
            words.append(f"{progress.failed:,} not read")
        if progress.left_s is not None and done < total:
            words.append(f"about {duration(progress.left_s)} left")
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(width="stretch"):
            st.progress(min(done / total, 1.0) if total else 1.0, text=" · ".join(words))
        if may_run:
            st.button(
                "End it now" if work.stopping else "Cancel",
                key="evaluate_cancel",
                icon=":material/stop_circle:",
                on_click=work.stop,
                help="What has been read is kept, and the run can be taken up again.",
            )
    if work.stopping:
        st.caption("The calls under way are paid for, so they are waited for.")
    elif not done:
        st.caption(":shimmer[The readers are getting ready …]")
    else:
        st.caption("It goes on when you leave this page; its link leads back here.")


def _draw_so_far(work: Work) -> None:
    names = names_of(work.run)
    per_subject = work.run.total // max(len(work.tallies), 1)
    rows = []
    for name, tally in work.tallies.items():
        rows.append(
            {
                "Reader": f"**{plain(names[name], 60)}**",
                "Read": f"{tally.done:,} of {per_subject:,}",
                "Error so far": f"{sum(tally.errors) / len(tally.errors):.3f}" if tally.errors else "–",
                "As expected": f"{tally.inside / tally.checks:.0%}" if tally.checks else "–",
                "A reading takes": _words.seconds(tally.added_ms / tally.done) if tally.done else "–",
                "Spent": money(tally.spent_usd),
            }
        )
    st.table(
        pd.DataFrame(rows),
        border="horizontal",
        hide_index=True,
        alt="For each reader: how much is read, and how well so far",
    )
