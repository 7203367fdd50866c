"""The oscillation lab: how the six boundaries swing, and what that does to the answer.

What follows the finger is computed and drawn in the browser (`lab/`); the server hears of it when the finger rests.
Then everything up to the prompt is computed anew, without asking a model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

import vif
from pages import _columns, _conversation, _difference, _lab_matrices, _lab_state, _layout, _runtime, _sidebar
from pages._columns import Column, Group, Job
from pages._lab_state import Asked, Lab, Settings
from pages._text import plain
from pages._theme import coloured
from pages._turn import Turn
from vif import figures
from vif.boundaries import Boundary
from vif.flow import FlowContext, Reading, shape
from vif.interaction import Interaction
from vif.oscillation import (
    HIGHEST_FREQUENCY,
    HIGHEST_PHASE,
    STARTING_POINTS,
    Oscillation,
    swinging,
)

SECONDS = 4
LONGEST_NAME = 40
CODE_HEIGHT = 300
HEADLINES = 2

# A user's text cannot hold a tag: it is escaped.
_INTERFACE = re.compile(r'^    <interface boundary="([^"]*)">\n(.*?)^    </interface>\n', re.DOTALL | re.MULTILINE)

_FOLDER = Path(__file__).parent / "lab"
_COMPONENT = st.components.v2.component(
    "vif_oscillation_lab",
    html=(_FOLDER / "lab.html").read_text("utf-8"),
    css=(_FOLDER / "lab.css").read_text("utf-8"),
    js="".join((_FOLDER / name).read_text("utf-8") for name in ("wave.js", "lab.js")),
)


def draw(turn: Turn) -> None:
    """The lab for a finished turn; nothing for one that did not come to an end of its own."""
    if turn.interaction is not None:
        _draw(turn, turn.interaction)


def prompt_difference(before: str, after: str) -> str:
    """The changed lines of the prompt, those of each interface together, whatever place it has now.

    "- " the line as it was, "+ " as it is. Empty when only the order is another, or nothing.
    """
    were, are = dict(_INTERFACE.findall(before)), dict(_INTERFACE.findall(after))
    parts = [(name, _difference.changed_lines(were.get(name, ""), are.get(name, ""))) for name in (were | are)]
    parts.append(("other parts", _difference.changed_lines(_INTERFACE.sub("", before), _INTERFACE.sub("", after))))
    return "\n".join(f"@@ {name} @@\n{lines}" for name, lines in parts if lines)


def stop() -> None:
    """End the other answer, if it is under way; what has arrived stays. A callback as well."""
    asked = _lab_state.lab().asked
    if asked is not None:
        asked.group.stop()


# ── The page ────────────────────────────────────────────────────────────────────────────────────────────────────────


@st.fragment
def _draw(turn: Turn, interaction: Interaction) -> None:
    _lab_state.follow_address()
    lab = _lab_state.lab()
    if lab.asked is not None and lab.asked.of != interaction.id:
        stop()
        lab.asked = None
    own = tuple(Oscillation(b.frequency, b.amplitude, b.phase) for b in interaction.boundaries)
    settings = lab.settings or own
    if lab.problem:
        st.warning(plain(lab.problem), icon=":material/link_off:")
    else:
        st.empty()
    _COMPONENT(
        key=_lab_state.KEY,
        data=_for_browser(interaction.boundaries, settings, lab.revision),
        on_settings_change=_lab_state.moved,
    )
    _draw_keeping(lab, settings)
    before = shape(interaction.message, interaction.reading)
    boundaries = swinging(interaction.boundaries, settings)
    after = shape(interaction.message, Reading(interaction.domains, boundaries))
    _draw_interfaces(before, after)
    _lab_matrices.draw(before, after)
    _draw_prompt(before.prompt, after.prompt)
    _draw_answers(turn, lab, settings)


def _draw_keeping(lab: Lab, settings: Settings) -> None:
    """Named settings, back to the start, and what was just done with them."""
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.popover("Saved settings", icon=":material/bookmarks:", key="lab_saved"):
            with st.form("lab_save", border=False, clear_on_submit=True):
                st.text_input("Name of these settings", key=_lab_state.NAME_KEY, max_chars=LONGEST_NAME)
                st.form_submit_button("Save", key="lab_save_button", on_click=_lab_state.save, args=(settings,))
            for name in lab.saved:
                with st.container(horizontal=True, vertical_alignment="center"):
                    st.button(
                        plain(name),
                        key=f"lab_use_{name}",
                        on_click=_lab_state.use,
                        args=(name,),
                        width="stretch",
                        type="tertiary",
                    )
                    st.button(
                        "Delete",
                        key=f"lab_delete_{name}",
                        icon=":material/delete:",
                        type="tertiary",
                        on_click=_lab_state.delete,
                        args=(name,),
                    )
        st.button("Reset", key="lab_reset", icon=":material/restart_alt:", on_click=_lab_state.reset)
        st.caption(lab.notice or "The address of this page holds the settings: copy it to share them.")


def _draw_interfaces(before: FlowContext, after: FlowContext) -> None:
    st.subheader("What it changes", anchor=False, help="Computed by the flow. No model is asked.")
    moved = figures.moves(before, after)
    changed = sorted((move for move in moved if move.in_words()), key=lambda move: -move.distance)
    if changed:
        headline = " · ".join(f"**{move.in_words()}**" for move in changed[:HEADLINES])
        more = len(changed) - HEADLINES
        st.markdown(f"{headline} · and {more} more" if more > 0 else headline)
    elif before.prompt != after.prompt or before.raw_qualities != after.raw_qualities:
        st.markdown("The same interfaces, in the same order.")
    else:
        st.markdown("Nothing yet: the boundaries swing as they did for the answer. Move a slider.")
    rows = [_row(move) for move in moved]
    if rows:
        st.table(
            pd.DataFrame(rows),
            border="horizontal",
            hide_index=True,
            alt="The interfaces in their order, with priority, rhythm and primary quality, before and now",
        )
    else:
        st.caption("No boundary comes forward as an interface.")


def _draw_prompt(before: str, after: str) -> None:
    changes = prompt_difference(before, after)
    if not changes:
        kept = "stays as it is, word for word" if before == after else "has the same lines in another order"
        st.markdown(f"**The prompt for LLM #2** &nbsp; :gray[:small[{kept}]]")
        st.empty()
        return
    lines = sum(line.startswith(("+", "-")) for line in changes.splitlines())
    st.markdown(f"**The prompt for LLM #2** &nbsp; :gray[:small[{lines} lines differ: “-” before, “+” now]]")
    st.code(changes, language="diff", wrap_lines=True, height=CODE_HEIGHT)


# ── Another answer ──────────────────────────────────────────────────────────────────────────────────────────────────


def _draw_answers(turn: Turn, lab: Lab, settings: Settings) -> None:
    asked = lab.asked
    running = asked is not None and not asked.group.over
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Answer again with these settings",
            key="lab_answer",
            icon=":material/replay:",
            type="primary",
            disabled=running,
            on_click=_answer,
            args=(turn, settings),
        )
        # Always there: the browser keeps a button that goes, until a script has come to its end.
        st.button("Stop", key="lab_stop", icon=":material/stop_circle:", disabled=not running, on_click=stop)
        embedded = turn.config.responders[0].provider == vif.Provider.EMBEDDED
        st.caption(
            "Only LLM #2 is asked. The offline model gets a short prompt that does not name the boundaries."
            if embedded
            else "Only LLM #2 is asked; the reading stays."
        )
    if asked is None:
        return
    left, right = _layout.beside("answers")
    with left:
        st.markdown("**As answered**")
        _columns.draw_reply(Column("", turn), "")
    with right:
        st.markdown("**With these settings**" if asked.settings == settings else "**With other settings than these**")
        if running:
            _columns.look_on(asked.group, _draw_other)
        else:
            _draw_other(asked.group.columns)


def _draw_other(columns: tuple[Column, ...]) -> None:
    _columns.draw_reply(columns[0], "LLM #2 is asked …")


def _answer(turn: Turn, settings: Settings) -> None:
    """Ask LLM #2 once more. A callback: a rerun never asks again."""
    interaction = turn.interaction
    if interaction is None:
        return
    stop()
    boundaries = swinging(interaction.boundaries, settings)
    try:
        api = _runtime.connection(turn.config, _sidebar.current_access(), turn.mode)
    except vif.ConfigError as error:
        job = Job(Column("", problem=str(error)))
    else:
        previous = _conversation.before(turn)
        reading = Reading(interaction.domains, boundaries)
        begun = Turn(turn.number, turn.message, turn.mode, turn.config, turn.formula, reading, interaction.recognition)
        job = Job(Column("", begun), lambda: api.answer_again(interaction, previous, boundaries=boundaries))
    group = Group([job])
    _lab_state.lab().asked = Asked(interaction.id, settings, group)
    group.start()


def _for_browser(boundaries: Sequence[Boundary], settings: Settings, revision: int) -> dict[str, object]:
    """What `lab.js` needs; settings as [frequency, amplitude, phase]."""
    return {
        "boundaries": [
            {"name": b.name, "label": figures.boundary_label(b.name), "sides": b.sides, "base": b.permeability}
            for b in boundaries
        ],
        "domains": [(domain.value, domain.label) for domain in vif.DOMAINS],
        "bands": [(status.value, low, high) for status, low, high in figures.BANDS],
        "starts": [(name, _triples(start)) for name, start in STARTING_POINTS.items()],
        "highest": (HIGHEST_FREQUENCY, 1.0, HIGHEST_PHASE),
        "seconds": SECONDS,
        "settings": _triples(settings),
        "revision": revision,
    }


def _triples(settings: Settings) -> list[tuple[float, float, float]]:
    return [(o.frequency, o.amplitude, o.phase) for o in settings]


def _row(move: figures.Move) -> dict[str, str]:
    was, now = move.before, move.after
    return {
        "Place": _changed(str(move.rank_before or "–"), str(move.rank or "–")),
        "Interface": "–".join(coloured(vif.Domain(side), side) for side in move.boundary.split("-")),
        "Priority": _changed(f"{was.priority:.2f}" if was else "", f"{now.priority:.2f}" if now else ""),
        "Rhythm": _changed(was.rhythm if was else "", now.rhythm if now else ""),
        "Quality": _changed(was.primary_quality if was else "", now.primary_quality if now else ""),
    }


def _changed(before: str, after: str) -> str:
    return f"{before} → **{after}**" if before and after and before != after else after or before
