"""Which cases are read: a suite that is shipped, a file of one's own, or a table that is edited here."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, cast

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from pages._evaluate_words import counted, shortened
from pages._text import plain
from vif.domains import DOMAINS
from vif.evaluation.plan import read_suite
from vif.evaluation.suite import Fault, Suite, SuiteError, parse_jsonl, shipped, to_csv

Source = Literal["standard", "broad", "upload", "own", "again"]

SOURCES: dict[Source, str] = {
    "standard": "Standard",
    "broad": "Broad",
    "upload": "Upload",
    "own": "Write my own",
}
ABOUT: dict[Source, str] = {
    "standard": "The 15 cases of the design, each with a range for every activation.",
    "broad": "Our own, larger: many kinds and languages, edge cases and injection attempts among them.",
    "upload": "CSV or JSON lines with `id` and `message`, ranges (`cd_min`, `cd_max` …) or targets (`cd` …) for each "
    "domain, the reading before (`previous_cd` …) and `tags`.",
    "own": "A table to fill in: messages, and what a good reading of them looks like.",
    "again": "The cases of an earlier run.",
}
LARGEST_MB = 100
MOST_FAULTS = 200
TEXTS = ("id", "message", "tags", "note")
RANGES = tuple(f"{domain.value.lower()}_{end}" for domain in DOMAINS for end in ("min", "max"))
TARGETS = tuple(domain.value.lower() for domain in DOMAINS)
PREVIOUS = tuple(f"previous_{name}" for name in TARGETS)
NUMBERS = (*RANGES, *TARGETS, *PREVIOUS)

_STATE = "evaluate_suites"


@dataclass(slots=True)
class _Table:
    """A suite that is edited: what the editor began with, what it says now, and how often it was begun anew."""

    base: pd.DataFrame
    now: pd.DataFrame
    generation: int = 0


@dataclass(slots=True)
class _State:
    """Of this session. Widgets forget when they are not drawn; this does not."""

    tables: dict[Source, _Table] = field(default_factory=dict)
    upload: tuple[str, Suite | SuiteError] | None = None
    again: Suite | None = None


def choose() -> Suite | None:
    """The suite that is chosen; None, and what is wrong with it, when it cannot be used."""
    state = _state()
    sources = [*SOURCES, *(["again"] if state.again else [])]
    source = cast(
        Source,
        st.segmented_control(
            "Suite",
            sources,
            key="evaluate_suite",
            default="standard",
            required=True,
            format_func=lambda name: SOURCES.get(name) or plain(state.again.name if state.again else "", 40),
            help="What is read: messages, each with what a good reading of it looks like.",
        )
        or "standard",
    )
    st.caption(ABOUT[source])
    base = _base(state, source)
    if isinstance(base, SuiteError):
        draw_faults(base.faults)
        return None
    if base is None:
        return None
    return _edited(state, source, base)


def use_again(suite: Suite) -> None:
    """Offer the cases of a run for another one. A callback."""
    state = _state()
    state.again = suite
    state.tables.pop("again", None)
    st.session_state["evaluate_suite"] = "again"


def draw_faults(faults: Sequence[Fault]) -> None:
    """Every row that is wrong, and why."""
    number = len(faults)
    st.error(
        f"This suite cannot be used yet: {counted(number, 'row is', 'rows are')} wrong. Nothing was read.",
        icon=":material/rule:",
    )
    st.dataframe(
        pd.DataFrame([{"Row": fault.row, "What is wrong": shortened(fault.why)} for fault in faults[:MOST_FAULTS]]),
        hide_index=True,
        column_config={"Row": st.column_config.NumberColumn(width="small", format="%d")},
        key="evaluate_faults",
        alt="Each row of the suite that is wrong, and why",
    )
    if number > MOST_FAULTS:
        st.caption(f"And {number - MOST_FAULTS:,} more.")


def _state() -> _State:
    found: _State = st.session_state.setdefault(_STATE, _State())
    return found


def _base(state: _State, source: Source) -> Suite | SuiteError | None:
    match source:
        case "standard" | "broad":
            return shipped(source)
        case "own":
            return Suite("my own suite", ())
        case "again":
            return state.again
        case "upload":
            return _uploaded(state)


def _uploaded(state: _State) -> Suite | SuiteError | None:
    file = st.file_uploader(
        "A suite as CSV or JSON lines",
        type=["csv", "jsonl", "ndjson", "txt"],
        key="evaluate_upload",
        max_upload_size=LARGEST_MB,
        label_visibility="collapsed",
    )
    if file is not None and (state.upload is None or state.upload[0] != file.file_id):
        state.tables.pop("upload", None)
        try:
            state.upload = file.file_id, read_suite(plain_name(file.name), file.getvalue())
        except SuiteError as error:
            state.upload = file.file_id, error
    if state.upload is None:
        st.download_button(
            "The standard suite as a pattern",
            lambda: to_csv(shipped("standard")),
            "standard.csv",
            "text/csv",
            key="evaluate_pattern",
            on_click="ignore",
            type="tertiary",
            icon=":material/download:",
        )
        return None
    return state.upload[1]


def plain_name(name: str) -> str:
    """A file's name that can stand in a list: one line of printable characters."""
    return "".join(character for character in name if character.isprintable())[:100] or "a suite"


def _edited(state: _State, source: Source, base: Suite) -> Suite | None:
    """The suite as it was edited, or as it is."""
    own = source == "own"
    if own:
        _begin_editing(source, base)
    with st.container(horizontal=True, vertical_alignment="center"):
        editing = own or st.toggle(
            "See and edit the cases",
            key=f"evaluate_editing_{source}",
            on_change=_begin_editing,
            args=(source, base),
        )
        table = state.tables.get(source)
        place = st.empty()
    if table is None:
        return base
    if editing:
        table.now = _editor(source, table)
    changed = not table.now.equals(frame_of(base))
    if not changed:
        return base if base.cases else None
    name = base.name if base.name.endswith(EDITED) or own else f"{base.name}{EDITED}"
    try:
        suite = suite_of(name, table.now)
    except SuiteError as error:
        draw_faults(error.faults)
        return None
    with place.container(horizontal=True):
        st.download_button(
            "Save as CSV",
            to_csv(suite),
            f"{name}.csv",
            "text/csv",
            key="evaluate_save",
            on_click="ignore",
            type="tertiary",
            icon=":material/download:",
        )
        if not own:
            st.button(
                "Undo my changes",
                key="evaluate_undo",
                type="tertiary",
                icon=":material/undo:",
                on_click=_undo,
                args=(source, base),
            )
    return suite


EDITED = ", edited"


def _begin_editing(source: Source, base: Suite) -> None:
    """The editor keeps changes against what it began with, and forgets them when it is not drawn. A callback."""
    state = _state()
    table = state.tables.get(source)
    if table is None:
        frame = frame_of(base)
        state.tables[source] = _Table(frame, frame)
    elif source != "own" or f"evaluate_table_own_{table.generation}" not in st.session_state:
        table.base = table.now
        table.generation += 1


def _undo(source: Source, base: Suite) -> None:
    frame = frame_of(base)
    table = _state().tables[source]
    table.base = table.now = frame
    table.generation += 1


def _editor(source: Source, table: _Table) -> pd.DataFrame:
    used = [name for name in (*TARGETS, *PREVIOUS) if source == "own" or table.base[name].notna().any()]
    return st.data_editor(
        table.base,
        num_rows="dynamic",
        column_order=["id", "message", *RANGES, *used, "tags", "note"],
        column_config={
            "id": st.column_config.TextColumn("id", pinned=True, max_chars=100, width="small"),
            "message": st.column_config.TextColumn("message", width="large"),
            **{name: _unit(name) for name in NUMBERS},
            "tags": st.column_config.TextColumn("tags", help="Separated by blanks."),
        },
        key=f"evaluate_table_{source}_{table.generation}",
        height=360 if len(table.base) > 8 else "auto",
        alt="The cases of the suite, to be edited",
    )


def _unit(name: str) -> ColumnConfig:
    return st.column_config.NumberColumn(name, min_value=0.0, max_value=1.0, step=0.01, format="%.2f", width="small")


def frame_of(suite: Suite) -> pd.DataFrame:
    """A suite as a table: a row for each case, named as in its CSV."""
    rows = list(csv.DictReader(io.StringIO(to_csv(suite), newline="")))
    frame = pd.DataFrame(rows, columns=["id", "message", *NUMBERS, "tags", "note"])
    for name in NUMBERS:
        frame[name] = pd.to_numeric(frame[name]).astype(float)
    for name in TEXTS:
        frame[name] = frame[name].astype(object)
    return frame


def suite_of(name: str, frame: pd.DataFrame) -> Suite:
    """The suite a table stands for; rows are counted from 1, empty ones left out. Raises SuiteError."""
    lines = []
    for row in frame.to_dict("records"):
        cells = {str(column): value for column, value in row.items() if not _is_empty(value)}
        # An empty message is a case as well; a row with nothing in it is none.
        lines.append(json.dumps({"message": "", **cells}) if cells else "")
    return parse_jsonl(name, "\n".join(lines))


def _is_empty(value: object) -> bool:
    return value is None or value == "" or (isinstance(value, float) and value != value)  # noqa: PLR0124  # NaN
