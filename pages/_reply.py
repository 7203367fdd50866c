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

LONGEST_LABEL = 90


def answer() -> DeltaGenerator:
    """The place of a reply."""
    return st.chat_message("assistant", avatar=":material/forum:")


def draw_text(turn: Turn) -> None:
    """The reply so far, or who is at work: always one element, so that it streams without being built anew."""
    if turn.reply:
        st.markdown(harmless(turn.reply), anchors=False)
    elif turn.over:
        st.empty()
    else:
        st.markdown(f":shimmer[{_waiting(turn)}]")


def draw_end(turn: Turn, *, stoppable: bool) -> None:
    """What is under the reply: what it took or why there is none; before that, when `stoppable`, a stop button.

    Always four elements, so that nothing of an earlier drawing shows through.
    """
    _draw_facts(turn)
    if turn.over and (turn.failure or turn.stopped):
        st.button("Ask again", key="again", icon=":material/refresh:", on_click=_conversation.ask_again)
    elif stoppable and not turn.over:
        st.button("Stop", key="stop", icon=":material/stop_circle:", on_click=_conversation.stop)
    else:
        st.empty()


def draw_earlier(turn: Turn) -> None:
    """A turn that is no longer in focus, folded under its message: its reading in a line, and the reply."""
    label = plain(turn.message, LONGEST_LABEL)
    with st.expander(label, key=f"turn_{turn.number}", type="compact"):
        if len(turn.message) > LONGEST_LABEL:
            st.text(turn.message)
        if turn.reading is not None:
            values = " · ".join(f"{coloured(d)} {turn.reading.domains.get(d, 0.0):.2f}" for d in DOMAINS)
            st.markdown(f":small[{values}]")
        with answer():
            draw_text(turn)
            _draw_facts(turn)


def _waiting(turn: Turn) -> str:
    if turn.recognition is None:
        return "LLM #2 answers as soon as the message has been read …"
    return f"{plain(turn.responder or 'LLM #2')} is writing …"


def _draw_facts(turn: Turn) -> None:
    response = turn.interaction.response if turn.interaction else None
    if turn.over and turn.failure:
        title = "The reply is not complete" if turn.reply else "LLM #2 gave no reply"
        st.error(plain(turn.failure), icon=":material/error:", title=title)
    else:
        st.empty()
    if turn.stopped:
        st.badge("Stopped", icon=":material/stop_circle:", color="gray")
    elif turn.reply and response is not None and response.provider == vif.Provider.EMBEDDED:
        st.badge(
            "135M offline model",
            icon=":material/offline_bolt:",
            color="gray",
            help="A very small model on this machine: it reads well, it writes simply. Nothing leaves this computer.",
        )
    else:
        st.empty()
    if turn.reply and response is not None:
        st.caption(_words.reply_facts(response))
    else:
        st.empty()
