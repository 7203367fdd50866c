"""What LLM #2 answered, as it streams and afterwards."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

import vif
from pages import _conversation, _words
from pages._text import harmless, plain
from pages._theme import coloured
from pages._turn import Turn
from vif.domains import DOMAINS


def answer() -> DeltaGenerator:
    """The place of a reply."""
    return st.chat_message("assistant", avatar=":material/forum:")


def draw_text(turn: Turn) -> None:
    """The reply so far, or who is at work."""
    if turn.reply:
        st.markdown(harmless(turn.reply), anchors=False)
    elif not turn.over:
        st.markdown(f":shimmer[{_waiting(turn)}]")
        st.skeleton(120)


def draw_end(turn: Turn, *, stoppable: bool) -> None:
    """What is under the reply: what it took or why there is none; before that, when `stoppable`, a stop button."""
    if turn.over:
        _draw_facts(turn)
        if turn.failure or turn.stopped:
            st.button("Ask again", key="again", icon=":material/refresh:", on_click=_conversation.ask_again)
    elif stoppable:
        st.button("Stop", key="stop", icon=":material/stop_circle:", on_click=_conversation.stop)


def draw_earlier(turn: Turn) -> None:
    """A turn that is no longer in focus: its reading in a line, and the reply."""
    with st.chat_message("user", avatar=":material/person:"):
        st.text(turn.message)
        if turn.reading is not None:
            values = " · ".join(f"{coloured(d)} {turn.reading.domains.get(d, 0.0):.2f}" for d in DOMAINS)
            st.caption(values)
    with answer():
        draw_text(turn)
        _draw_facts(turn)


def _waiting(turn: Turn) -> str:
    if turn.recognition is None:
        return "LLM #2 answers as soon as the message has been read …"
    return f"{plain(turn.responder or 'LLM #2')} is writing …"


def _draw_facts(turn: Turn) -> None:
    if turn.failure:
        title = "The reply is not complete" if turn.reply else "LLM #2 gave no reply"
        st.error(plain(turn.failure), icon=":material/error:", title=title)
    if turn.stopped:
        st.badge("Stopped", icon=":material/stop_circle:", color="gray")
    response = turn.interaction.response if turn.interaction else None
    if response is None:
        return
    if response.provider == vif.Provider.EMBEDDED:
        st.badge(
            "135M offline model",
            icon=":material/offline_bolt:",
            color="gray",
            help="A very small model on this machine: it reads well, it writes simply. Nothing leaves this computer.",
        )
    st.caption(_words.reply_facts(response))
