"""The list: what was found, one line each, and what can be done with the chosen ones and with all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

import streamlit as st

from pages import _history_export, _history_filters, _history_kept, _history_open
from pages._history_kept import History, Kept
from pages._history_words import OTHER, PARAMETER, facts, when
from pages._text import plain
from vif.store.history import Filter, Summary

PER_PAGE = 50
LONGEST_LINE = 140
PASSING = (
    ":material/visibility_off: Nobody but you sees this, and you only until you close or reload this page: "
    "without sign-in a server cannot tell who comes back. Export what you want to keep."
)
_KEY = "history_place"


@dataclass(slots=True)
class _Place:
    """Which page of what; `before` holds the last line of every page that lies before it."""

    only: Filter
    before: list[Summary] = field(default_factory=list)


def draw(history: History, zone: tzinfo) -> None:
    """Search, filters and one page of what they find."""
    choices = history.choices()
    if choices.first is None:
        _draw_nothing_yet(history)
        return
    if history.passing:
        st.caption(PASSING)
    only = _history_filters.draw(choices, zone)
    seen_at = _history_kept.now()
    number = history.count(only)
    if not number:
        st.info("Nothing is found.", icon=":material/search_off:")
        return
    place = _place(only)
    found = history.page(only, PER_PAGE, place.before[-1] if place.before else None)
    if not found and place.before:  # what was on this page has been deleted
        place.before.clear()
        found = history.page(only, PER_PAGE)
    _draw_actions(only, number, found, seen_at)
    with st.container(gap="xsmall"):
        for kept in found:
            _draw_line(kept, when(kept.row.created_at, zone, seen_at))
    _draw_paging(place, found, number)


def _place(only: Filter) -> _Place:
    place: _Place | None = st.session_state.get(_KEY)
    if place is None or place.only != only:
        place = st.session_state[_KEY] = _Place(only)
    return place


def _draw_nothing_yet(history: History) -> None:
    with st.container(border=True):
        st.subheader("Nothing here yet", anchor=False)
        st.markdown(
            "Every message you send is kept with its reading, its reply and all seven stages. Here "
            "you find it again, open it as it was, compare it with another one, take it along, or delete it for good."
        )
        if history.passing:
            st.caption(PASSING)
        st.page_link("explore.py", label="Send your first message", icon=":material/explore:")


def _draw_line(kept: Kept, moment: str) -> None:
    row = kept.row
    with st.container(border=True, horizontal=True, wrap=False, vertical_alignment="center", gap="small"):
        st.checkbox(f"Choose {plain(row.message, 60)}", key=_pick(row.id), label_visibility="collapsed")
        with st.container(gap=None):
            # Not a link: the browser would begin a new session with it, and a guest's history ends with their session.
            st.button(
                f"**{plain(row.message, LONGEST_LINE) or 'An empty message'}**",
                key=f"history_open_{row.id}",
                type="tertiary",
                wrap=False,
                on_click=_history_open.open_one,
                args=(row.id,),
            )
            st.markdown(f":small[{facts(kept, moment)}]")
        st.button(
            ":orange[★]" if kept.favourite else ":gray[☆]",
            key=f"history_star_{row.id}",
            help="No longer a favourite" if kept.favourite else "Make it a favourite",
            type="tertiary",
            on_click=_history_open.mark,
            args=(row.id, not kept.favourite),
        )


def _draw_actions(only: Filter, number: int, found: Sequence[Kept], seen_at: datetime) -> None:
    chosen = [kept.row.id for kept in found if st.session_state.get(_pick(kept.row.id))]
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**{_counted(number)}**" + (f" · {len(chosen)} chosen" if chosen else ""), width="content")
        with st.container(horizontal=True, horizontal_alignment="right", width="content"):
            if chosen:
                _draw_for_chosen(chosen)
            else:
                _draw_for_all(only, number, seen_at)


def _draw_for_chosen(chosen: Sequence[str]) -> None:
    st.button(
        "Compare",
        key="history_compare",
        icon=":material/compare_arrows:",
        disabled=len(chosen) != 2,
        help="Two next to each other." if len(chosen) == 2 else "Choose exactly two.",
        on_click=_compare,
        args=tuple(chosen[:2]) if len(chosen) == 2 else ("", ""),
    )
    with st.popover("Delete", icon=":material/delete:", key=f"history_delete_{len(chosen)}"):
        st.markdown(f"Delete **{_counted(len(chosen))}** for good? It cannot be undone.")
        st.button("Delete them", key="history_delete_chosen", type="primary", on_click=_delete, args=(list(chosen),))
    st.button("Choose none", key="history_none", type="tertiary", on_click=_choose_none, args=(list(chosen),))


def _draw_for_all(only: Filter, number: int, seen_at: datetime) -> None:
    history = _history_kept.history()
    with st.popover("Export", icon=":material/download:"):
        st.caption(f"What is found: {_counted(number)}.")
        st.download_button(
            "JSON lines: everything there is",
            lambda: _history_export.as_json_lines(history.all(only)),
            file_name="vif-history.jsonl",
            mime="application/jsonl",
            key="history_jsonl",
            icon=":material/data_object:",
            on_click="ignore",
            width="stretch",
        )
        st.download_button(
            "CSV: a table for a spreadsheet",
            lambda: _history_export.as_table(history.all(only)),
            file_name="vif-history.csv",
            mime="text/csv",
            key="history_csv",
            icon=":material/table:",
            on_click="ignore",
            width="stretch",
        )
    with st.popover("Delete all", icon=":material/delete_sweep:", key=f"history_sweep_{number}"):
        st.markdown(f"Delete **everything that is found: {_counted(number)}**, for good? It cannot be undone.")
        st.toggle("Keep favourites", True, key="history_spare")
        st.button(
            f"Delete {_counted(number)}",
            key="history_delete_found",
            type="primary",
            on_click=_delete_found,
            args=(only, seen_at),
        )


def _draw_paging(place: _Place, found: Sequence[Kept], number: int) -> None:
    start = len(place.before) * PER_PAGE
    if number <= PER_PAGE:
        return
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="center"):
        st.button("Newer", key="history_newer", icon=":material/chevron_left:", disabled=not start, on_click=_newer)
        st.markdown(f"{start + 1:,} to {start + len(found):,} of {number:,}", width="content")
        st.button(
            "Older",
            key="history_older",
            icon=":material/chevron_right:",
            icon_position="right",
            disabled=start + len(found) >= number,
            on_click=_older,
            args=(found[-1].row,),
        )


# Callbacks


def _newer() -> None:
    place: _Place = st.session_state[_KEY]
    del place.before[-1:]


def _older(last: Summary) -> None:
    place: _Place = st.session_state[_KEY]
    place.before.append(last)


def _compare(first: str, second: str) -> None:
    st.query_params[PARAMETER], st.query_params[OTHER] = first, second


def _choose_none(ids: Sequence[str]) -> None:
    for id in ids:
        st.session_state[_pick(id)] = False


def _delete(ids: Sequence[str]) -> None:
    if _history_open.delete(lambda: _history_kept.history().delete(ids)):
        _choose_none(ids)


def _delete_found(only: Filter, seen_at: datetime) -> None:
    spare = bool(st.session_state["history_spare"])
    history = _history_kept.history()
    _history_open.delete(lambda: history.delete_found(only, seen_at=seen_at, spare_favourites=spare))


def _pick(id: str) -> str:
    return f"history_pick_{id}"


def _counted(number: int) -> str:
    return f"{number:,} interaction{'' if number == 1 else 's'}"
