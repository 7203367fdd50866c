"""Compare: one message through several presets, models or autonomy values at once."""

from __future__ import annotations

from datetime import date

import streamlit as st

import vif
from pages import _choices, _columns, _compared, _comparison, _follow, _sidebar
from pages._columns import Column
from pages._comparison import By, Comparison, Request
from pages._sidebar import Settings
from pages._text import plain
from pages._theme import CHART_CONFIG, THEMED
from vif import figures

BY: dict[By, str] = {"models": "Presets and models", "autonomy": "Autonomy values"}
SERIES = ("0.2", "0.55", "1.0")
EXAMPLES: tuple[tuple[str, str, str, By, tuple[str, ...]], ...] = (
    (
        "A model against the formula",
        ":material/balance:",
        "How do I implement quicksort, and why does it feel so elegant?",
        "models",
        ("offline", _choices.FORMULA),
    ),
    (
        "The autonomy turned up",
        ":material/tune:",
        "What does it feel like to understand something deeply?",
        "autonomy",
        SERIES,
    ),
    (
        "All five presets",
        ":material/view_column:",
        "Why do so many cultures tell a story of a great flood?",
        "models",
        tuple(vif.PRESETS),
    ),
)
# Title, icon, message, what is compared, the columns. Not a docstring: Streamlit draws a string that stands alone.

# State

settings = _sidebar.sidebar()
state = st.session_state
for key, usual in (
    ("compare_by", "models"),
    ("compare_columns", _choices.usual(settings.access)),
    ("compare_autonomy", list(SERIES)),
):
    if key not in state and key not in st.query_params:  # what stands in the address counts more
        state[key] = usual


def ask(settings: Settings) -> None:
    """Compare what the page says now. A callback: a rerun compares nothing again."""
    by: By = state["compare_by"]
    choices = tuple(state["compare_columns" if by == "models" else "compare_autonomy"])
    message = (state["compare_message"] or "").strip()
    if message and len(choices) >= _choices.FEWEST:
        _comparison.begin(Request(message, by, choices, state["compare_quick"]), settings)


def try_example(message: str, by: By, choices: tuple[str, ...], settings: Settings) -> None:
    """Fill in an example and compare it. A callback."""
    state["compare_message"], state["compare_by"] = message, by
    state["compare_columns" if by == "models" else "compare_autonomy"] = list(choices)
    ask(settings)


# Layout

st.title("Compare", anchor=False)
st.markdown(
    "**One message, several readers, side by side:** how each reads it, what it answers, how long that takes and "
    "what it costs."
)
chosen = st.segmented_control(
    "Compare by",
    list(BY),
    key="compare_by",
    bind="query-params",
    required=True,
    format_func=BY.__getitem__,
    label_visibility="collapsed",
)
by: By = chosen or "models"
with st.form("compare_form", border=True):
    message = st.text_area(
        "Message",
        key="compare_message",
        bind="query-params",
        height=80,
        max_chars=4_000,
        placeholder="What should all of them read?",
    )
    if by == "models":
        choices = st.multiselect(
            "Columns",
            _choices.options(settings.access, date.today()),  # noqa: DTZ011  # the day where the reader sits
            key="compare_columns",
            bind="query-params",
            format_func=_choices.label,
            max_selections=_choices.MOST,
            accept_new_options=True,
            placeholder="Presets, models, or provider:model",
            help="Two to six. Listed are the presets and the models your keys allow; any other model can be "
            "written as provider:model, for example openrouter:vendor/name.",
        )
    else:
        choices = st.multiselect(
            "Autonomy of each column",
            _choices.AUTONOMIES,
            key="compare_autonomy",
            bind="query-params",
            max_selections=_choices.MOST,
            accept_new_options=True,
            placeholder="Numbers from 0 to 1",
            help="Two to six numbers from 0 to 1. The models are those of the sidebar.",
        )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.form_submit_button(
            "Compare", key="compare_ask", type="primary", icon=":material/compare:", on_click=ask, args=(settings,)
        )
        quick = st.toggle(
            "Readings only", key="compare_quick", bind="query-params", help="No replies: quick, and nearly free."
        )
found = _comparison.comparison()
# Places that stay where they are, so that a comparison does not come to stand among what was there before it.
hint, welcome, notice = st.empty(), st.empty(), st.empty()
if by == "autonomy" and settings.mode == "dual":
    hint.caption(
        ":material/lightbulb: The autonomy moves the formula alone: LLM #1 reads the message the same each time. "
        "With “Rust formula” in the sidebar the replies follow the autonomy too."
    )


def draw_welcome() -> None:
    """What this is for, before the first comparison."""
    with st.grid(3, min_column_width=240, gap="small"):
        for number, (title, icon, text, kind, columns) in enumerate(EXAMPLES):
            with st.container(border=True, height="stretch"):
                st.markdown(f"**{title}**  \n{plain(text)}")
                st.caption(" · ".join(plain(_comparison.name_of(kind, choice)) for choice in columns))
                st.button(
                    "Try it",
                    key=f"compare_example_{number}",
                    icon=icon,
                    on_click=try_example,
                    args=(text, kind, columns, settings),
                )
    st.caption("The Rust formula gives every message the same shape; the autonomy only changes its size. What differs?")
    with st.grid(3, min_column_width=232):
        for value in SERIES:
            formula = vif.formula_reading(float(value)).domains.model_dump()
            with st.container():
                st.plotly_chart(
                    figures.small_radar(formula, palette=THEMED),
                    config=CHART_CONFIG,
                    key=f"compare_welcome_{value}",
                    alt=figures.describe_small_radar(f"Autonomy {value}", formula),
                )
                st.caption(f"Autonomy {value}", text_alignment="center")


def is_phone() -> bool:
    """Whether the browser calls itself one: tabs there, columns elsewhere."""
    return "Mobi" in (st.context.headers.get("User-Agent") or "")


def _per_row(columns: int) -> int:
    """Cards in a row: all of them up to four, else two rows of three."""
    return columns if columns <= 4 else 3


def draw(found: Comparison) -> None:
    """The comparison as far as it is, and on to its end."""
    request, group = found.request, found.group
    with st.chat_message("user", avatar=":material/person:"):
        st.text(request.message)
    with st.container(horizontal=True, vertical_alignment="center"):
        bar, control = st.container(width="stretch").empty(), st.empty()
    with st.grid(_per_row(len(group.columns)), min_column_width=232):
        cards = [st.container(border=True, height="stretch").empty() for _ in group.columns]
    st.caption("Solid, round: LLM #1 · dashed, diamonds: the Rust formula · all radars from 0 to 1")
    words, table = st.empty(), st.empty()
    replies = {}
    begun = [] if request.quick else [index for index, column in enumerate(group.columns) if column.turn is not None]
    names = [plain(group.columns[index].name, 40) for index in begun]
    if begun and is_phone():
        replies = {index: tab.empty() for index, tab in zip(begun, st.tabs(names), strict=True)}
    elif begun:
        with st.grid(_per_row(len(begun)), min_column_width=232, gap="medium"):
            for index, name in zip(begun, names, strict=True):
                with st.container():
                    st.markdown(f"**{name}**")
                    replies[index] = st.empty()

    def draw_columns(columns: tuple[Column, ...], before: tuple[Column, ...] | None = None) -> None:
        states = [_compared.state(column) for column in columns]
        seen = [_compared.state(column) for column in before] if before else [None] * len(columns)
        for index, column in enumerate(columns):
            if states[index] != seen[index]:
                with cards[index].container():
                    _compared.draw_card(column, found.number, index)
            if index in replies and (before is None or before[index] is not column):
                with replies[index].container():
                    _columns.draw_reply(column, "Answered as soon as the message has been read …")
        if states == seen:
            return
        over = all(column.over for column in columns)
        if over:
            bar.empty()
            control.empty()
        else:
            share, text = _compared.progress(columns, quick=request.quick)
            bar.progress(share, text=text)
            if before is None:
                control.button("Stop", key="compare_stop", icon=":material/stop_circle:", on_click=_comparison.stop)
        if agreed := _compared.agreement(columns):
            words.markdown(agreed)
        with table.container():
            _compared.draw_table(columns, quick=request.quick)

    if group.over:
        draw_columns(group.columns)
    else:
        _follow.follow(group, draw_columns)


# Drawing

if message.strip() and len(choices) < _choices.FEWEST:
    notice.info("Choose at least two columns.", icon=":material/view_column:")
if found is None:
    with welcome.container():
        draw_welcome()
else:
    if _comparison.changed_since(found, message.strip(), by, choices, quick):
        notice.caption(":material/edit: Below is the last comparison; press Compare for what is above.")
    draw(found)
