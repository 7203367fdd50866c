"""How a comparison looks: a card for each column, what they took, what they answered.

What is drawn twice in one run keeps its number of elements, as in `pages/_reading.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from pages import _words
from pages._columns import Column
from pages._text import plain
from pages._theme import CHART_CONFIG, THEMED
from vif import figures
from vif.interaction import total_cost

NO_BREAK = "\N{NO-BREAK SPACE}"
MEASURED = ("Reading", "First word", "Reply", "Tokens")


def state(column: Column) -> str:
    """How far a column is, in a word; another word means that its card has to be drawn anew."""
    turn = column.turn
    if turn is None:
        return "problem"
    if turn.stopped:
        return "stopped"
    if turn.broken:
        return "broken"
    if column.over:
        return "failed" if turn.failure else "done"
    if turn.recognition is None:
        return "reading" if turn.formula else "waiting"
    return "writing" if turn.responder else "read"


def draw_card(column: Column, number: int, index: int) -> None:
    """Who reads, the small radar, and the reading in words: always four elements."""
    turn = column.turn
    st.markdown(f"**{plain(column.name, 60)}**  \n:small[:gray[{_models(column)}]]")
    if turn is None:
        st.warning(plain(column.problem or ""), icon=":material/key_off:")
        st.empty()
        st.empty()
        return
    st.markdown(_state_badge(column))
    formula = turn.formula_domains
    reading = turn.reading.domains if turn.reading is not None and turn.read_by_model else None
    if formula:
        st.plotly_chart(
            figures.small_radar(formula, reading, palette=THEMED),
            config=CHART_CONFIG,
            key=f"compared_{number}_{index}_{state(column)}",
            alt=figures.describe_small_radar(column.name, formula, reading),
        )
    else:
        st.skeleton(height=figures.SMALL_RADAR_HEIGHT)
    if turn.recognition is not None and (why := _words.fallback_in_words(turn.recognition, turn.config)):
        st.markdown(f":small[:orange[:material/info: {why}]]")  # a caption would be too faint for a colour
    elif reading is not None:
        st.caption(f"{figures.difference_in_words(reading, formula).capitalize()}.")
    elif turn.recognition is not None:
        st.caption("The formula's own shape, whatever the message says.")
    else:
        st.empty()


def progress(columns: Sequence[Column], *, quick: bool) -> tuple[float, str]:
    """How much is done, 0 to 1, and in words. A reading is one step, a reply another."""
    steps = 1 if quick else 2
    taken = sum(steps if column.over else int(bool(column.turn and column.turn.recognition)) for column in columns)
    over = sum(column.over for column in columns)
    return min(taken / (steps * len(columns)), 1.0), f"{over} of {len(columns)} columns are done"


def agreement(columns: Sequence[Column]) -> str | None:
    """Where the readings agree and differ, as Markdown; None until all have read, or when fewer than two could."""
    if any(column.turn is not None and not column.over and column.turn.recognition is None for column in columns):
        return None
    return figures.agreement_in_words(
        {
            plain(c.name, 60): c.turn.reading.domains
            for c in columns
            if c.turn is not None and c.turn.reading is not None
        }
    )


def draw_table(columns: Sequence[Column], *, quick: bool) -> None:
    """Source, times, tokens and cost, one row for each column; below, what went wrong: always two elements."""
    rows = []
    for column in columns:
        row = {"": f"**{plain(column.name, 60)}**"} | dict.fromkeys(_heads(quick), "–")
        turn = column.turn
        if turn is not None and turn.recognition is not None:
            row["Read by"] = _words.source_badge(turn.recognition).label
            row["Reading"] = _words.seconds(turn.recognition.latency_ms)
            row["Cost"] = _cost(turn.recognition.cost_usd)
        response = turn.interaction.response if turn is not None and turn.interaction is not None else None
        if turn is not None and turn.recognition is not None and response is not None and not quick:
            if response.first_token_ms is not None:
                row["First word"] = _words.seconds(response.first_token_ms)
            if turn.reply:
                row["Reply"] = _words.seconds(response.latency_ms)
            row["Tokens"] = f"{response.input_tokens:,} + {response.output_tokens:,}"
            row["Cost"] = _cost(total_cost((turn.recognition.cost_usd, response.cost_usd)))
        rows.append({head: value.replace(" ", NO_BREAK) if head in MEASURED else value for head, value in row.items()})
    st.table(
        pd.DataFrame(rows),
        border="horizontal",
        hide_index=True,
        alt="For each column: who read, how long reading and reply took, tokens and cost",
    )
    remarks = [f"- **{plain(column.name, 60)}**: {remark}" for column in columns if (remark := _remark(column))]
    if remarks:
        st.markdown("\n".join(remarks))
    else:
        st.empty()


def _heads(quick: bool) -> tuple[str, ...]:
    return ("Read by", "Reading", "Cost") if quick else ("Read by", "Reading", "First word", "Reply", "Tokens", "Cost")


def _models(column: Column) -> str:
    turn = column.turn
    if turn is None:
        return "not set up"
    reader = plain(turn.config.llm1.model) if turn.mode == "dual" else "the formula"
    responder = plain(turn.config.llm2.model)
    return f"{reader} for both" if reader == responder else f"{reader} → {responder}"


def _state_badge(column: Column) -> str:
    turn = column.turn
    match state(column):
        case "waiting" | "reading":
            return ":shimmer[LLM #1 is reading …]"
        case "stopped":
            return ":gray-badge[:material/stop_circle: Stopped]"
        case "broken":
            return ":red-badge[:material/error: Failed]"
    if turn is None or turn.recognition is None:
        return ""
    badge = _words.source_badge(turn.recognition)
    shown = f":{badge.colour}-badge[{badge.icon} {badge.label}]"
    match state(column):
        case "read":
            return f"{shown} :shimmer[waits for its turn …]"
        case "writing":
            return f"{shown} :shimmer[is answered …]"
        case "failed":
            return f"{shown} :red-badge[:material/error: No reply]"
    return shown


def _remark(column: Column) -> str:
    turn = column.turn
    if turn is None:
        return plain(column.problem or "")
    if turn.failure:
        return plain(turn.failure)
    if turn.recognition is not None and (why := _words.fallback_in_words(turn.recognition, turn.config)):
        return why
    return "Stopped" if turn.stopped else ""


def _cost(cost: float | None) -> str:
    return _words.dollars(cost).replace("$", r"\$")
