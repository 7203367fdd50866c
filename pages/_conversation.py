"""The conversation of one browser session: its turns, and the one under way."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import uuid4

import streamlit as st

from pages._runtime import Run, connection
from pages._sidebar import Settings
from pages._turn import Turn
from vif.interaction import Interaction

_KEY = "conversation"


@dataclass(slots=True)
class Conversation:
    """`turns` are over; `run` is not, or has only just ended; `question` waits to be asked."""

    id: str = field(default_factory=lambda: uuid4().hex)
    turns: list[Turn] = field(default_factory=list)
    run: Run | None = None
    question: str | None = None

    @property
    def previous(self) -> Interaction | None:
        """What the next message follows: the last turn that came to an end of its own."""
        return next((turn.interaction for turn in reversed(self.turns) if turn.interaction), None)

    def file(self) -> None:
        """Put a run that is over among the turns."""
        if self.run is not None and self.run.turn.over:
            self.turns.append(self.run.turn)
            self.run = None


def conversation() -> Conversation:
    if _KEY not in st.session_state:
        st.session_state[_KEY] = Conversation()
    talk: Conversation = st.session_state[_KEY]
    talk.file()
    return talk


def before(turn: Turn) -> Interaction | None:
    """What a turn followed when it was asked."""
    if turn.follows is not None:
        return turn.follows
    earlier = [other for other in conversation().turns if other.number < turn.number]
    return next((other.interaction for other in reversed(earlier) if other.interaction), None)


def ask(message: str) -> None:
    """Ask this next. A callback: the run begins when the page is drawn, once."""
    conversation().question = message


def ask_again() -> None:
    """Ask the last message anew in the place of its turn. A callback."""
    talk = conversation()
    if talk.run is None and talk.turns:
        talk.question = talk.turns.pop().message


def edit(key: str) -> None:
    """Ask the last message as it was rewritten in the widget `key`, in the place of its turn. A callback."""
    talk = conversation()
    rewritten = str(st.session_state[key]).strip()
    if rewritten and talk.run is None and talk.turns:
        talk.turns.pop()
        talk.question = rewritten


def begin(settings: Settings) -> None:
    """Send the waiting question, if there is one and the settings can carry it."""
    talk = conversation()
    if talk.question is None or settings.config is None:
        return
    stop()
    asked = connection(settings.config, settings.access, settings.mode)
    number = talk.turns[-1].number + 1 if talk.turns else 1
    turn = Turn(number, talk.question, settings.mode, settings.config)
    run = Run(turn, asked, settings.autonomy, talk.previous, talk.id)
    # From here on a rerun finds the run, not the question: a model is never asked twice.
    talk.run, talk.question = run, None
    run.start()


def stop() -> None:
    """End what is under way; what has arrived stays. A callback as well."""
    talk = conversation()
    if talk.run is not None:
        talk.run.stop()
    talk.file()


def clear() -> None:
    """Forget everything. A callback."""
    stop()
    st.session_state[_KEY] = Conversation()
