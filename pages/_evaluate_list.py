"""The runs there are: open one, go on with it, delete it."""

from __future__ import annotations

import streamlit as st

from pages import _evaluate_runs
from pages._clock import moment
from pages._evaluate_words import PARAMETER, counted, listed
from pages._sidebar import Settings
from pages._text import plain
from vif.errors import VifError
from vif.evaluation.records import Run
from vif.store.evaluations import RunRow

FEW = 6
_PROBLEM = "evaluate_problem"


def choose(id: str | None) -> None:
    """Look at a run, or at none. A callback."""
    if id is None:
        st.query_params.pop(PARAMETER, None)
    else:
        st.query_params[PARAMETER] = id


def draw_head(run: Run, *, under_way: bool = False) -> None:
    """Which run this is, and the way back."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Evaluations",
            key="evaluate_back",
            type="tertiary",
            icon=":material/arrow_back:",
            on_click=choose,
            args=(None,),
        )
        repeats = f" × {counted(run.repeats, 'repeat')}" if run.repeats > 1 else ""
        badge = ":primary-badge[:material/sync: under way] " if under_way else ""
        st.markdown(
            f"{badge}:gray[**{plain(run.suite, 80)}** · {counted(len(run.cases), 'case')}{repeats} · "
            f"{moment(run.created_at)}]",
        )


def draw_missing() -> None:
    """The address names a run that is not there."""
    st.info("There is no such run: it was deleted, or the link is not whole.", icon=":material/search_off:")
    st.button("Evaluations", key="evaluate_back", icon=":material/arrow_back:", on_click=choose, args=(None,))


def draw(settings: Settings) -> None:
    """Earlier runs, the newest first; what an evaluation is good for, when there are none."""
    if problem := st.session_state.pop(_PROBLEM, None):
        st.warning(plain(problem), icon=":material/error:")
    found = _evaluate_runs.rows()
    if not found:
        _draw_welcome()
        return
    st.subheader("Earlier evaluations", anchor=False)
    everything = len(found) > FEW and st.session_state.get("evaluate_all", False)
    for row in found if everything else found[:FEW]:
        _draw_row(row, settings)
    if len(found) > FEW:
        st.toggle(f"Show all {len(found)}", key="evaluate_all")


def resume_button(id: str, settings: Settings, *, kind: str = "secondary") -> None:
    """Go on with what is missing of a run."""
    st.button(
        "Go on",
        key=f"evaluate_resume_{id}",
        type="primary" if kind == "primary" else "secondary",
        icon=":material/resume:",
        on_click=_resume,
        args=(id, settings),
        help="Only what is not read yet is read.",
    )


def _draw_welcome() -> None:
    st.subheader("What you will find out", anchor=False)
    with st.grid(3, min_column_width=240, gap="small"):
        for icon, title, text in (
            (
                ":material/target:",
                "Who reads better?",
                "The error of each reader on the same messages, with the interval chance leaves, and whether a "
                "difference could be luck.",
            ),
            (
                ":material/checklist:",
                "Is it good enough?",
                "Every target of the design, met or missed: answers that keep the contract, spread over repeats, time, "
                "price.",
            ),
            (
                ":material/search:",
                "Where does it fail?",
                "Each case with what was expected and what was read, down to the raw answer of every attempt.",
            ),
        ):
            with st.container(border=True, height="stretch"):
                st.markdown(f"{icon} **{title}**  \n{text}")


def _draw_row(row: RunRow, settings: Settings) -> None:
    going = _evaluate_runs.under_way(row.id)
    complete = row.done >= row.total
    if going:
        badge = ":primary-badge[:material/sync: under way]"
    elif complete:
        badge = ":green-badge[:material/check: complete]"
    else:
        badge = ":orange-badge[:material/pause: unfinished]"
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"evaluate_row_{row.id}"):
        with st.container(width="stretch"):
            st.markdown(f"**{plain(row.suite, 80)}** {badge}  \n{listed(row.subjects)}")
            st.caption(f"{moment(row.created_at)} · {row.done:,} of {counted(row.total, 'reading')}")
        st.button(
            "Open", key=f"evaluate_open_{row.id}", icon=":material/open_in_full:", on_click=choose, args=(row.id,)
        )
        if not complete and not going:
            resume_button(row.id, settings)
        with st.popover("Delete", icon=":material/delete:", type="tertiary"):
            st.markdown(f"Delete this run of **{plain(row.suite, 80)}** with its {row.done:,} readings for good?")
            st.button(
                "Delete it",
                key=f"evaluate_delete_{row.id}",
                type="primary",
                on_click=_delete,
                args=(row.id,),
            )


def _delete(id: str) -> None:
    try:
        _evaluate_runs.delete(id)
    except VifError as error:
        st.session_state[_PROBLEM] = str(error)


def _resume(id: str, settings: Settings) -> None:
    """A callback: with the keys and the terms the page has now."""
    state = st.session_state
    try:
        kept = _evaluate_runs.load(id)
        if kept is not None:
            _evaluate_runs.begin(
                kept.run, settings.access, int(state.get("evaluate_concurrency", 8)), state.get("evaluate_budget")
            )
            choose(id)
    except VifError as error:
        state[_PROBLEM] = str(error)
