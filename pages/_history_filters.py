"""What is looked for: the search, the filters, and how they are taken back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from typing import TypeVar

import streamlit as st

from pages._history_words import source_label
from pages._sidebar import READERS
from vif.store.history import Choices, Filter

T = TypeVar("T")

LONGEST_SEARCH = 200
SEARCH_WIDTH = 440
"""Pixels: on a phone it takes a line of its own."""

WHOLE, FAILED = "Whole", "Failed or missing"

_TEXT, _STARRED = "history_text", "history_starred"
_MODE, _PRESET, _SOURCE = "history_mode", "history_preset", "history_source"
_LLM1, _LLM2, _REPLY = "history_llm1", "history_llm2", "history_reply"
_SINCE, _UNTIL = "history_since", "history_until"
_FOLDED = (_MODE, _PRESET, _SOURCE, _LLM1, _LLM2, _REPLY, _SINCE, _UNTIL)


def draw(choices: Choices, zone: tzinfo) -> Filter:
    """The widgets, and what they say."""
    state = st.session_state
    with st.container(horizontal=True, vertical_alignment="center"):
        text = st.text_input(
            "Search",
            key=_TEXT,
            placeholder="Search in messages and replies",
            icon=":material/search:",
            max_chars=LONGEST_SEARCH,
            label_visibility="collapsed",
            persist_state="session",
            width=SEARCH_WIDTH,
        )
        active = sum(state.get(key) is not None for key in _FOLDED)
        with st.popover(f"Filter ({active})" if active else "Filter", icon=":material/tune:", key="history_filter"):
            mode, preset = _two(
                lambda: _choose("Read by", _MODE, choices.modes, _reader),
                lambda: _choose("Preset", _PRESET, choices.presets, str.capitalize),
            )
            llm1, llm2 = _two(
                lambda: _choose("LLM #1", _LLM1, choices.llm1),
                lambda: _choose("LLM #2", _LLM2, choices.llm2),
            )
            source, reply = _two(
                lambda: _choose("The reading came from", _SOURCE, choices.sources, source_label),
                lambda: _choose("Reply", _REPLY, (WHOLE, FAILED)),
            )
            since, until = _two(lambda: _day("From", _SINCE), lambda: _day("To", _UNTIL))
        starred = st.toggle("Favourites", key=_STARRED, persist_state="session")
        if active or text or starred:
            st.button("Clear", key="history_clear", type="tertiary", icon=":material/filter_alt_off:", on_click=clear)
    if since and until and since > until:
        since, until = until, since
    return Filter(
        text=text.strip(),
        mode=mode,
        preset=preset,
        source=source,
        llm1=llm1,
        llm2=llm2,
        failed=None if reply is None else reply == FAILED,
        favourites_of="" if starred else None,
        since=_midnight(since, zone) if since else None,
        until=_midnight(until + timedelta(days=1), zone) if until else None,
    )


def clear() -> None:
    """Look for everything again. A callback."""
    st.session_state[_TEXT] = ""
    st.session_state[_STARRED] = False
    for key in _FOLDED:
        st.session_state[key] = None


def _two(left: Callable[[], T], right: Callable[[], T]) -> tuple[T, T]:
    """Next to each other; on a phone one right below the other."""
    first, second = st.columns(2)
    with first:
        found = left()
    with second:
        return found, right()


def _reader(mode: str) -> str:
    return next((label for name, label in READERS.items() if name == mode), mode)


def _choose(label: str, key: str, options: Sequence[str], format_func: Callable[[str], str] = str) -> str | None:
    if st.session_state.get(key) not in (None, *options):
        st.session_state[key] = None  # what was chosen has been deleted meanwhile
    return st.selectbox(
        label,
        options,
        index=None,
        key=key,
        placeholder="Any",
        format_func=format_func,
        disabled=not options,
        persist_state="session",
    )


def _day(label: str, key: str) -> date | None:
    if key not in st.session_state:
        st.session_state[key] = None
    found: date | None = st.date_input(label, None, key=key, format="YYYY-MM-DD", persist_state="session")
    return found


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone)
