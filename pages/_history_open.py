"""One interaction exactly as it was, drawn as Explore draws it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import tzinfo
from typing import TypeVar

import streamlit as st

import vif
from pages import _columns, _history_kept, _layout, _reading, _reply, _stages, _volume, _why
from pages._columns import Column
from pages._history_kept import History, Kept
from pages._history_words import OTHER, PARAMETER, exactly_when, when
from pages._text import plain
from pages._turn import Turn
from vif.boundaries import Boundary
from vif.errors import Reason, VifError
from vif.interaction import Interaction
from vif.store.history import Filter

T = TypeVar("T")

MOST_OF_CONVERSATION = 100
_ROUNDED_MS = 100


def turn_of(interaction: Interaction, number: int = 0) -> Turn:
    """The turn that ended with this interaction. Without a positive number it follows nothing of this session."""
    response = interaction.response
    failure = response.error if response else "LLM #2 was not asked."
    return Turn(
        number,
        interaction.message,
        interaction.mode,
        _settings(interaction),
        interaction.formula,
        interaction.reading,
        interaction.recognition,
        response.model if response else None,
        interaction.reply,
        failure,
        interaction,
    )


def draw(history: History, kept: Kept, zone: tzinfo) -> None:
    """The interaction with all that was kept of it, and what can be done with it."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.button("History", key="history_back", icon=":material/arrow_back:", type="tertiary", on_click=close)
        _draw_actions(history, kept)
    interaction = kept.interaction
    if interaction is None:
        with st.chat_message("user", avatar=":material/person:"):
            st.text(kept.row.message)
        st.warning("Another version of VIF wrote this, and this one cannot read it.", icon=":material/broken_image:")
        return
    turn = turn_of(interaction)
    with st.chat_message("user", avatar=":material/person:"):
        st.text(interaction.message)
    facts = [exactly_when(interaction.created_at, zone), f"autonomy {interaction.autonomy:.2f}"]
    if interaction.preset:
        facts.append(f"preset {plain(interaction.preset)}")
    facts.append(f"{interaction.developmental_stage}")
    st.caption(" · ".join(facts))
    left, right = _layout.beside("upper", [1, 1.15])
    with left:
        _reading.draw_domains(turn)
    with right, _reply.answer():
        draw_reply(turn)
    left, right = _layout.beside("lower", [1, 1.15])
    with left:
        _reading.draw_reasons(turn)
    with right:
        _reading.draw_boundaries(turn)
    earlier = _draw_conversation(history, kept, zone)
    _draw_closer(replace(turn, follows=earlier))


def draw_reply(turn: Turn) -> None:
    """What LLM #2 answered and what it took, or why it did not; nothing to ask again with."""
    if turn.failure:
        _columns.draw_reply(Column("", turn, done=True), "")
        return
    _reply.draw_text(turn)
    _reply.draw_end(turn, stoppable=False)


def draw_missing() -> None:
    """For an address that leads to nothing one may see; it is not told which of the two."""
    st.title("This interaction is not here", anchor=False)
    st.markdown("It was deleted, it was never kept, or it is not yours to see.")
    st.button("To your history", key="history_back", icon=":material/arrow_back:", on_click=close)


def close() -> None:
    """Back to the list. A callback."""
    for name in (PARAMETER, OTHER):
        if name in st.query_params:
            del st.query_params[name]


def open_one(id: str) -> None:
    """Open another one. A callback."""
    close()
    st.query_params[PARAMETER] = id


def mark(id: str, on: bool) -> None:
    """Make it a favourite, or no longer. A callback."""
    attempt(lambda: _history_kept.history().favourite(id, on))


def _draw_actions(history: History, kept: Kept) -> None:
    row = kept.row
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="right", width="content"):
        st.button(
            ":orange[★] Favourite" if kept.favourite else "☆ Favourite",
            key="history_star",
            help="No longer a favourite" if kept.favourite else "Find it again quickly",
            on_click=mark,
            args=(row.id, not kept.favourite),
        )
        if not history.passing:
            with st.popover("Link", icon=":material/link:"):
                st.caption("It always leads here, for whoever may see this interaction.")
                st.code(f"/history?{PARAMETER}={row.id}", language=None)
        with st.popover("Delete", icon=":material/delete:", key=f"history_delete_one_{row.id}"):
            st.markdown("Delete this interaction for good? It cannot be brought back.")
            st.button("Delete it", key="history_delete_it", type="primary", on_click=_delete, args=(row.id,))
            if row.conversation:
                number = history.count(Filter(conversation=row.conversation))
                if number > 1:
                    st.divider()
                    st.markdown(f"Or the whole conversation, {number} messages?")
                    st.button(
                        f"Delete all {number}",
                        key="history_delete_conversation",
                        on_click=_delete_conversation,
                        args=(row.conversation,),
                    )


def _draw_conversation(history: History, kept: Kept, zone: tzinfo) -> Interaction | None:
    """The other messages of its conversation, folded; gives the one it followed."""
    if kept.row.conversation is None:
        return None
    found = history.page(Filter(conversation=kept.row.conversation), MOST_OF_CONVERSATION)
    if len(found) < 2:
        return None
    moment = _history_kept.now()
    with st.expander(f"The conversation: {len(found)} messages", icon=":material/forum:", key="history_talk"):
        for other in reversed(found):
            here = other.row.id == kept.row.id
            st.button(
                f"{when(other.row.created_at, zone, moment)} &nbsp; {plain(other.row.message, 90)}",
                key=f"history_talk_{other.row.id}",
                type="tertiary",
                disabled=here,
                icon=":material/arrow_right:" if here else None,
                on_click=open_one,
                args=(other.row.id,),
            )
    before = next((other for other in found if other.row.created_at < kept.row.created_at), None)
    opened = history.opened(before.row.id) if before else None
    return opened.interaction if opened else None


def _draw_closer(turn: Turn) -> None:
    st.subheader("Look closer", anchor=False)
    stages, volume, words = st.tabs(["Seven stages", "Volume", "Words"], key="history_closer", on_change="rerun")
    if stages.open:
        with stages:
            _stages.draw(turn)
    if volume.open:
        with volume:
            _volume.draw(turn)
    if words.open:
        with words:
            _why.draw(turn)


def delete(work: Callable[[], int]) -> bool:
    """Delete, and say how many there were, whatever the page shows next; False when the store fails."""
    number = attempt(work)
    if number is not None:
        st.toast(f"{number:,} deleted for good", icon=":material/delete:")
    return number is not None


def attempt(work: Callable[[], T]) -> T | None:
    """What `work` gives; None when the store fails, which is said."""
    try:
        return work()
    except VifError as error:
        st.toast(plain(str(error)), icon=":material/error:", duration="long")
        return None


def _delete(id: str) -> None:
    if delete(lambda: _history_kept.history().delete([id])):
        close()


def _delete_conversation(id: str) -> None:
    if delete(lambda: _history_kept.history().delete_conversation(id)):
        close()


def _settings(interaction: Interaction) -> vif.DualLlmConfig:
    """What the pages ask of the settings of then, from what was measured; those of today may be others."""
    recognition = interaction.recognition
    timed_out = [attempt.latency_ms for attempt in recognition.attempts if attempt.outcome == Reason.TIMEOUT]
    usual = Boundary("")
    swings = any(
        (boundary.frequency, boundary.amplitude, boundary.phase) != (usual.frequency, usual.amplitude, usual.phase)
        for boundary in interaction.boundaries
    )
    return vif.DualLlmConfig.model_construct(
        llm1_oscillation=swings,
        llm1_timeout_ms=_rounded(timed_out[-1] if timed_out else recognition.latency_ms),
        llm1_deadline_ms=_rounded(recognition.latency_ms),
    )


def _rounded(milliseconds: float) -> int:
    return max(round(milliseconds / _ROUNDED_MS) * _ROUNDED_MS, _ROUNDED_MS)
