"""What is set in the oscillation lab: by the sliders, by a link, by name. The address of the page follows it."""

from __future__ import annotations

from dataclasses import dataclass, field

import streamlit as st

from pages._columns import Group
from pages._text import plain
from vif.errors import InputError
from vif.oscillation import Oscillation, from_text, to_text

QUERY = "osc"
KEY = "lab"
"""Of the component with the sliders."""

NAME_KEY = "lab_name"
_STATE = "lab_state"

Settings = tuple[Oscillation, ...]
"""Six, in the order of the boundaries."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Another answer to the message of one interaction, and the settings it was asked with."""

    of: str
    settings: Settings
    group: Group


@dataclass(slots=True)
class Lab:
    """The lab of one browser session.

    Attributes:
        settings: what is set; None leaves the boundaries as they swing in the turn.
        revision: another number makes the browser take over the settings; otherwise it keeps its own.
        saved: named settings.
        notice: one line, as Markdown, about what was just done.
        problem: one line about a link that could not be followed.
        asked: the answer with other settings that was last asked for.
    """

    settings: Settings | None = None
    revision: int = 0
    saved: dict[str, Settings] = field(default_factory=dict)
    notice: str = ""
    problem: str = ""
    asked: Asked | None = None

    @property
    def text(self) -> str:
        """The settings as they stand in the address."""
        return to_text(self.settings) if self.settings else ""

    def put(self, settings: Settings | None, notice: str = "") -> None:
        """Set these from here, not from the sliders."""
        self.settings, self.notice, self.problem = settings, notice, ""
        self.revision += 1


def lab() -> Lab:
    if _STATE not in st.session_state:
        st.session_state[_STATE] = Lab()
    found: Lab = st.session_state[_STATE]
    return found


def follow_address() -> None:
    """Take over what a link says, and make the address say what is set."""
    now = lab()
    given = st.query_params.get(QUERY)
    if given is not None and given != now.text:
        try:
            now.put(from_text(given))
        except InputError as error:
            now.problem = f"The settings in this link cannot be used: {error}."
    _write_address()


def moved() -> None:
    """The finger rests. A callback: what a browser sends is not to be trusted."""
    now = lab()
    try:
        settings = tuple(Oscillation(*map(float, triple)) for triple in st.session_state[KEY].settings)
        # Whoever opens the link must see the very same numbers.
        now.settings, now.notice, now.problem = from_text(to_text(settings)), "", ""
    except (TypeError, ValueError):
        now.put(now.settings)
    _write_address()


def reset() -> None:
    """Back to how the boundaries swing in the turn. A callback."""
    lab().put(None, "The boundaries swing as they did for the answer.")
    _write_address()


def save(settings: Settings) -> None:
    """Keep these under the name that was typed. A callback."""
    now = lab()
    name = " ".join(str(st.session_state[NAME_KEY]).split())
    if not name:
        now.notice = "Settings need a name to be saved."
        return
    known = next((other for other in now.saved if other.casefold() == name.casefold()), None)
    now.saved[known or name] = settings
    now.notice = f"{'Replaced' if known else 'Saved as'} **{plain(known or name)}**, for this browser session."


def use(name: str) -> None:
    """Set what was saved under this name. A callback."""
    lab().put(lab().saved[name], f"**{plain(name)}** is set.")
    _write_address()


def delete(name: str) -> None:
    """Forget what was saved under this name. A callback."""
    del lab().saved[name]
    lab().notice = f"**{plain(name)}** is deleted."


def _write_address() -> None:
    text = lab().text
    if text and st.query_params.get(QUERY) != text:
        st.query_params[QUERY] = text
    elif not text and QUERY in st.query_params:
        del st.query_params[QUERY]
