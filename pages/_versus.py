"""What did LLM #1 change? The same message answered from its reading and from the formula's, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import streamlit as st

from pages import _columns, _conversation, _difference, _layout, _runtime, _sidebar
from pages._columns import Column, Group, Job
from pages._text import plain
from pages._theme import coloured
from pages._turn import Turn
from vif.domains import DOMAINS
from vif.errors import ConfigError
from vif.flow import Reading, read_formula, shape
from vif.interaction import Interaction, Recognition

_KEY = "versus"
_NAMES = ("From LLM #1's reading", "From the formula's reading")


@dataclass(frozen=True, slots=True)
class _Versus:
    """The two answers to the message of one interaction."""

    of: str
    group: Group


def draw(turn: Turn) -> None:
    """The question, the two answers when they were asked for, and how their prompts differ."""
    interaction = turn.interaction
    if interaction is None or not turn.read_by_model:
        st.caption("LLM #1 did not read this message, so there is nothing to compare with the formula.")
        return
    group = _group(interaction)
    running = group is not None and not group.over
    st.markdown(
        "The same LLM #2 answers twice, once from LLM #1's reading and once from the formula's. "
        "Nothing else differs: not the message, not the conversation, not the settings."
    )
    with st.container(horizontal=True):
        st.button(
            "Answer from both readings" if group is None else "Ask both again",
            key="versus_ask",
            icon=":material/compare_arrows:",
            on_click=_ask,
            args=(turn,),
            disabled=running,
            help="Both are asked anew, at the same moment, so that only the reading tells them apart. "
            "Even so a model seldom writes the same twice: the reply you already have is a third sample.",
        )
        # Always there: the browser keeps a button that goes, until a script has come to its end.
        st.button("Stop both", key="versus_stop", icon=":material/stop_circle:", disabled=not running, on_click=stop)
    draw_sides = partial(_draw_sides, _readings(interaction))
    if group is None:
        draw_sides(None)
    elif running:
        _columns.look_on(group, draw_sides)
    else:
        draw_sides(group.columns)
        _draw_sent(group.columns)
    _draw_difference(interaction)


def stop() -> None:
    """End both answers; what has arrived stays. A callback as well."""
    versus: _Versus | None = st.session_state.get(_KEY)
    if versus is not None:
        versus.group.stop()


def _group(interaction: Interaction) -> Group | None:
    """The answers to this interaction; those to another one are at an end."""
    versus: _Versus | None = st.session_state.get(_KEY)
    if versus is None or versus.of == interaction.id:
        return versus.group if versus else None
    versus.group.stop()
    del st.session_state[_KEY]
    return None


def _ask(turn: Turn) -> None:
    """Ask LLM #2 twice. A callback: a rerun never asks again."""
    interaction = turn.interaction
    if interaction is None:
        return
    stop()
    # Both are asked anew, although the turn has a reply: asked at the same moment in the same way, only the reading
    # tells them apart, and their times can be compared.
    try:
        api = _runtime.connection(turn.config, _sidebar.current_access(), turn.mode)
    except ConfigError as error:
        jobs = [Job(Column(name, problem=str(error))) for name in _NAMES]
    else:
        previous = _conversation.before(turn)
        jobs = [
            Job(
                Column(name, _begun(turn, reading, recognition)),
                lambda from_formula=from_formula: api.answer_again(  # type: ignore[misc]
                    interaction, previous, from_formula=from_formula
                ),
            )
            for name, reading, recognition, from_formula in zip(
                _NAMES,
                _readings(interaction),
                (interaction.recognition, Recognition(source="formula")),
                (False, True),
                strict=True,
            )
        ]
    group = Group(jobs, embedded_at_once=2)
    st.session_state[_KEY] = _Versus(interaction.id, group)
    group.start()


def _begun(turn: Turn, reading: Reading, recognition: Recognition) -> Turn:
    return Turn(turn.number, turn.message, turn.mode, turn.config, turn.formula, reading, recognition)


def _readings(interaction: Interaction) -> tuple[Reading, Reading]:
    """LLM #1's and the formula's, as `answer_again` uses them."""
    return interaction.reading, read_formula(interaction.autonomy, interaction.boundaries)


def _draw_sides(readings: tuple[Reading, Reading], columns: tuple[Column, ...] | None) -> None:
    """Each reading, and the answer from it as far as it is."""
    for index, (side, name, reading) in enumerate(zip(_layout.beside("two_answers"), _NAMES, readings, strict=True)):
        with side:
            values = " · ".join(f"{coloured(d)} {reading.domains.get(d, 0.0):.2f}" for d in DOMAINS)
            st.markdown(f"**{name}**  \n:small[{values}]")
            if columns is not None:
                _columns.draw_reply(columns[index], "LLM #2 is asked …")


def _draw_sent(columns: tuple[Column, ...]) -> None:
    """What a small model really got instead of the structured prompt."""
    interactions = [column.turn.interaction for column in columns if column.turn and column.turn.interaction]
    responses = [entry.response for entry in interactions if entry.response and entry.response.prompt]
    compact = [r.prompt for r, entry in zip(responses, interactions, strict=False) if r.prompt != entry.prompt]
    if len(compact) != 2:
        return
    changes = _difference.changed_lines(compact[1], compact[0])
    model = plain(responses[0].model)
    if not changes:
        st.info(f"{model} is small and got the same compact prompt in both cases: the replies differ by chance.")
        return
    st.caption(f"{model} is small: of the reading it was sent one hint only. “+” is from LLM #1, “-” from the formula.")
    st.code(changes, language="diff", wrap_lines=True)


def _draw_difference(interaction: Interaction) -> None:
    dual, formula = (shape(interaction.message, reading) for reading in _readings(interaction))
    st.markdown("**What LLM #1 changes in the prompt**, against the formula:")
    st.markdown("\n".join(f"- {sentence}" for sentence in _difference.in_words(formula, dual)))
    changes = _difference.changed_lines(formula.prompt, dual.prompt)
    with st.expander("The lines of the prompt that differ", icon=":material/difference:", key="versus_difference"):
        if not changes:
            st.caption("None: both prompts are the same.")
            return
        st.caption("“-” is what the formula's prompt says, “+” what LLM #1's says.")
        st.code(changes, language="diff", wrap_lines=True)
