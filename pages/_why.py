"""Why this reading: the message with its words tinted by the domain they push, or by what LLM #1 quoted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import streamlit as st

import vif
from pages._runtime import event_loop
from pages._text import plain
from pages._theme import coloured
from pages._turn import Turn
from vif.attribution import Named, Push, named, pushes
from vif.interaction import Interaction

ASSETS = Path(__file__).parent / "words"
TIMEOUT_S = 60.0

_words = st.components.v2.component(
    "vif_words",
    html="<div id='words' role='text'></div>",
    css=(ASSETS / "words.css").read_text(encoding="utf-8"),
    js=(ASSETS / "words.js").read_text(encoding="utf-8"),
)

Part = dict[str, str | float | None]


def draw(turn: Turn) -> None:
    """The words, on demand where that takes a while."""
    interaction = turn.interaction
    if interaction is None or not interaction.message.strip():
        st.caption("An empty message has no words to weigh.")
        return
    quoted = named(interaction.message, interaction.recognition.patterns)
    if quoted:
        st.markdown("The words **LLM #1 quoted** for its reading. Point at one to see what it said.")
        _draw_words(interaction, list(_quoted_parts(interaction.message, quoted)), "quoted")
        st.divider()
    st.markdown(
        "What each word does to the **embedded model's** reading: the message is read again without it. "
        + " · ".join(coloured(domain) for domain in vif.DOMAINS)
    )
    if not st.toggle("Weigh the words", key=f"weigh_{interaction.id}", value=False):
        st.caption("One reading per word: a few seconds for a long message.")
        return
    try:
        with st.spinner("Reading the message without each of its words …"):
            found = _pushes(interaction.message, str(vif.Access().gguf_path or ""))
    except vif.ModelError as error:
        st.warning(plain(str(error)), icon=":material/info:")
        return
    _draw_words(interaction, list(_pushed_parts(interaction.message, found)), "pushed")
    st.caption(_in_words(interaction.message, found))


@st.cache_data(max_entries=256, show_spinner=False)
def _pushes(message: str, gguf_path: str) -> tuple[Push, ...]:
    return event_loop().submit(pushes(message, Path(gguf_path) if gguf_path else None)).result(TIMEOUT_S)


def _draw_words(interaction: Interaction, parts: list[Part], what: str) -> None:
    _words(data={"parts": parts}, key=f"words_{what}_{interaction.id}")


def _pushed_parts(message: str, found: Sequence[Push]) -> Iterator[Part]:
    """The message in pieces; a word that raises a domain has it, its share of the strongest, and a hint."""
    strongest = max((push.strength for push in found), default=0.0) or 1.0
    end = 0
    for push in found:
        yield {"text": message[end : push.start], "domain": None}
        text = message[push.start : push.end]
        if push.strength > 0.0:
            hint = f"{push.domain.label} {push.strength:+.3f}"
            yield {"text": text, "domain": push.domain.value, "share": push.strength / strongest, "hint": hint}
        else:
            yield {"text": text, "domain": None}
        end = push.end
    yield {"text": message[end:], "domain": None}


def _quoted_parts(message: str, quoted: Sequence[Named]) -> Iterator[Part]:
    end = 0
    for phrase in quoted:
        yield {"text": message[end : phrase.start], "domain": None}
        yield {
            "text": message[phrase.start : phrase.end],
            "domain": "named",
            "share": 1.0,
            "hint": phrase.pattern,
        }
        end = phrase.end
    yield {"text": message[end:], "domain": None}


def _in_words(message: str, found: Sequence[Push]) -> str:
    """The strongest words, for those who do not see the tints."""
    strongest = sorted((push for push in found if push.strength > 0), key=lambda push: -push.strength)[:3]
    if not strongest:
        return "No single word raises a domain."
    said = ", ".join(
        f"“{plain(message[push.start : push.end])}” {push.domain.label.lower()} ({push.strength:+.2f})"
        for push in strongest
    )
    return f"Strongest: {said}. On a softened reading, so that one word can show; the numbers compare words."
