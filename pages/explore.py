"""Explore: one message, how it was read, what was answered."""

from __future__ import annotations

import streamlit as st

from pages import _closer, _conversation, _follow, _layout, _reading, _reply, _runtime, _sidebar, _welcome, _whole
from pages._text import plain
from pages._turn import Turn

# State

settings = _sidebar.sidebar()
with st.bottom:  # said outright, because a chat input that moves there by itself scrolls the page to its end
    typed = st.chat_input(
        "Write a message", key="message", submit_mode="stop", max_chars=20_000, disabled=settings.config is None
    )
if typed:
    _conversation.ask(typed)
if settings.config:
    _runtime.connection(settings.config, settings.access, settings.mode)  # warms up while the message is being written
_conversation.begin(settings)
talk = _conversation.conversation()
# As they are now: after a stop the next script can begin, and change them, while this one draws its end.
run = talk.run
turns = [*talk.turns, run.turn] if run else [*talk.turns]
if run or not turns:
    _closer.stop()

# Layout: places that stay where they are, so that a new turn takes those of the last one

notice, welcome, history, question = st.container(), st.empty(), st.container(), st.container()

if settings.problem:
    with notice:
        st.warning(plain(settings.problem), icon=":material/key_off:")
        st.button(
            "Use the offline model", key="offline", icon=":material/offline_bolt:", on_click=_sidebar.choose_offline
        )
if not turns:
    with welcome.container():
        _welcome.draw_welcome(settings.autonomy, ready=settings.config is not None)
    _whole.end()

for turn in turns[:-1]:
    with history:
        _reply.draw_earlier(turn)
with question.container(horizontal=True, vertical_alignment="center"):
    with st.chat_message("user", avatar=":material/person:"):
        st.text(turns[-1].message)
    editing = st.empty()
    st.button(
        "New conversation", key="new", icon=":material/add_comment:", type="tertiary", on_click=_conversation.clear
    )

# On a phone the columns come one below the other, in this order: domains, reply, reasons, boundaries.
upper_left, upper_right = _layout.beside("upper", [1, 1.15])
domains = upper_left.empty()
with upper_right, _reply.answer():
    reply, reply_end = st.empty(), st.empty()
lower_left, lower_right = _layout.beside("lower", [1, 1.15])
reasons, boundaries = lower_left.empty(), lower_right.empty()
closer = st.empty()

# Drawing


def draw(turn: Turn, before: Turn | None = None) -> None:
    """Draw a turn into its places; where `before` was drawn, only what is new."""
    if before is None or _reading.state(before) != _reading.state(turn):
        with domains.container():
            _reading.draw_domains(turn)
        with boundaries.container():
            _reading.draw_boundaries(turn)
        with reasons.container():
            _reading.draw_reasons(turn)
    with reply:
        _reply.draw_text(turn)
    if before is None or turn.over:
        with reply_end.container():
            # What was typed can be stopped where it was typed.
            _reply.draw_end(turn, stoppable=not typed)


def draw_rest(turn: Turn) -> None:
    """What there is only once a turn is over."""
    with editing.popover("Edit", icon=":material/edit:", type="tertiary", key=f"edit_{turn.number}"):
        rewritten = f"rewritten_{turn.number}"
        st.text_area("Ask it differently", turn.message, key=rewritten, max_chars=20_000)
        st.button(
            "Ask again", key="ask_edited", icon=":material/refresh:", on_click=_conversation.edit, args=(rewritten,)
        )
    with closer.container():
        _closer.draw([*turns[:-1], turn])


if run:
    _follow.follow(run, draw)
    _conversation.conversation()  # files it
    draw_rest(run.turn)
else:
    draw(turns[-1])
    draw_rest(turns[-1])
