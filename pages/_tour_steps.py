"""The steps of the tour that show the product at work: problem, reading, boundaries, answer, outage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

import vif
from pages import _columns, _follow, _lab, _layout, _tour, _words
from pages._columns import Column, Group
from pages._sidebar import Settings
from pages._text import plain
from pages._theme import CHART_CONFIG, THEMED, coloured
from pages._turn import Turn
from vif import figures
from vif.boundaries import Boundary, Status
from vif.flow import shape
from vif.oscillation import Oscillation

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

RADAR_HEIGHT = 268
TEXT_HEIGHT = 300
_OWN_SCALE = (figures.SMALL_RADAR_HEIGHT - 28, RADAR_HEIGHT - 28)
"""Twice the distance from the centre to a domain's name, in the small radar and in this one."""

_LAB = Path(__file__).parent
_SWINGING = st.components.v2.component(
    "vif_tour_oscillation",
    html=(_LAB / "lab" / "lab.html").read_text("utf-8"),
    css="".join((_LAB / name).read_text("utf-8") for name in ("lab/lab.css", "touring/swinging.css")),
    js="".join((_LAB / "lab" / name).read_text("utf-8") for name in ("wave.js", "lab.js")),
)
"""The oscillation lab without its sliders."""


# ── 1: the problem ──────────────────────────────────────────────────────────────────────────────────────────────────


def draw_problem(settings: Settings) -> None:
    st.markdown(
        "The Rust formula multiplies a fixed weight by the autonomy. It is not even given the words: **three messages, "
        "one shape.**"
    )
    formula = _tour.formula(settings.autonomy)
    for number, (place, message) in enumerate(zip(_cards(3), _tour.tour().messages, strict=True), 1):
        with place.container():
            _draw_message(message)
            _draw_radar(f"Message {number}", f"problem_{number}", formula)
            st.caption(" · ".join(f"{value:.2f}" for value in formula.values()), text_alignment="center")
    st.text_input(
        "Your own message",
        _tour.tour().own,
        key=_tour.OWN_KEY,
        max_chars=_tour.LONGEST_MESSAGE,
        placeholder="Type a message of your own: it takes the third place, and the shape stays",
        label_visibility="collapsed",
        on_change=_tour.take_own,
    )


# ── 2: the reading ──────────────────────────────────────────────────────────────────────────────────────────────────


def draw_reading(settings: Settings) -> None:
    basis = _tour.begin(settings)
    models = " → ".join(plain(reference.model) for reference in basis.config.recognisers)
    st.markdown(
        f"LLM #1 (**{models}**) reads the same three messages now, live. Solid: its reading. Dotted: the formula."
    )
    places = _cards(3)
    foot = st.empty()

    def draw_card(index: int, column: Column) -> None:
        with places[index].container():
            _draw_read(column, f"reading_{index}")

    _follow_columns(_tour.readings(basis), draw_card)
    _draw_again(foot, f"readings {' / '.join(_tour.tour().messages)}")


def _draw_read(column: Column, key: str) -> None:
    """A message as it was read: always four elements."""
    turn = column.turn
    if turn is None:
        return
    formula = turn.formula_domains
    reading = turn.reading.domains if turn.reading is not None and turn.read_by_model else None
    _draw_message(turn.message)
    if formula:
        _draw_radar(f"Message {turn.number}", f"{key}_{_state(column)}", formula, reading)
    else:
        st.empty()
    st.markdown(_in_a_line(column, reading), text_alignment="center")


def _in_a_line(column: Column, reading: Mapping[str, float] | None) -> str:
    """Who leads and what it took, or why not; Markdown."""
    turn = column.turn
    if turn is None or turn.recognition is None:
        if turn is not None and (turn.failure or column.over):
            return f":orange[{plain(turn.failure or 'Stopped', 120)}]"
        return ":shimmer[LLM #1 is reading …]"
    if why := _words.fallback_in_words(turn.recognition, turn.config):
        return f":orange[{why}]"
    facts = f":gray[:small[{_words.reading_facts(turn.recognition)}]]"
    if reading is None:
        return facts
    leads = max(reading, key=reading.__getitem__)
    return f"**{coloured(vif.Domain(leads))} {reading[leads]:.2f}** &nbsp; {facts}"


# ── 3: boundaries ───────────────────────────────────────────────────────────────────────────────────────────────────


def draw_boundaries(settings: Settings) -> None:
    basis = _tour.begin(settings)
    st.markdown(
        f"“{_tour.PLAIN}, **{_tour.MORE}**” With half a sentence more, domains meet. How freely they do is the "
        "**permeability** of a boundary; it swings."
    )
    picture, words, foot = st.empty(), st.empty(), st.empty()

    def draw_all(columns: Sequence[Column]) -> None:
        alone, woven = (column.turn for column in columns)
        if woven is None or woven.reading is None or not columns[1].over:
            words.markdown(_in_a_line(columns[1], None))
            return
        with picture.container():
            _draw_swinging(woven.reading.boundaries)
        words.markdown(_opened(alone, woven))

    group = _tour.woven(basis)
    if group.over:
        draw_all(group.columns)
    else:
        _follow.follow(group, lambda columns, _: draw_all(columns))
    _draw_again(foot, "woven")


def _draw_swinging(boundaries: Sequence[Boundary]) -> None:
    own = tuple(Oscillation(b.frequency, b.amplitude, b.phase) for b in boundaries)
    _SWINGING(
        key="tour_swinging",
        data=_lab._for_browser(boundaries, own, 0),
        on_settings_change=lambda: None,
    )


def _opened(alone: Turn | None, woven: Turn) -> str:
    """What half a sentence did, and what the flow makes of it; Markdown."""
    sentences = []
    if woven.reading is None:
        return ""
    if why := woven.recognition and _words.fallback_in_words(woven.recognition, woven.config):
        sentences.append(f":orange[{why}]")
    now = _open(woven.reading.boundaries)
    if alone is not None and alone.reading is not None:
        sentences.append(
            f"Without it **{_open(alone.reading.boundaries)}** of six boundaries "
            f"{'is' if _open(alone.reading.boundaries) == 1 else 'are'} open, with it **{now}**."
        )
    else:
        sentences.append(f"**{now}** of six boundaries are open.")
    first = next(iter(shape(woven.message, woven.reading).interfaces), None)
    if first is not None:
        sides = " – ".join(coloured(vif.Domain(side)) for side in first.boundary.split("-"))
        sentences.append(f"{sides} comes forward first, and tells LLM #2: *{plain(first.invitation)}*")
    return " ".join(sentences)


def _open(boundaries: Sequence[Boundary]) -> int:
    return sum(boundary.status != Status.MAINTAINED for boundary in boundaries)


# ── 4: the answer ───────────────────────────────────────────────────────────────────────────────────────────────────


def draw_answer(settings: Settings) -> None:
    basis = _tour.begin(settings)
    responders = " → ".join(plain(reference.model) for reference in basis.config.responders)
    st.markdown(
        f"The reading becomes a structured prompt. LLM #2 (**{responders}**) answers in its light, word by word."
    )
    left, right = _layout.beside("tour_answer", [1, 1.15], gap="medium")
    with left:
        st.markdown("**What LLM #2 is told**")
        prompt, remark = st.empty(), st.empty()
    with right:
        st.markdown(f"**{plain(_tour.WOVEN)}**")
        with st.container(height=TEXT_HEIGHT + 60, border=True, autoscroll=False):
            reply = st.empty()
    foot = st.empty()
    shown: list[str] = []

    def draw_column(_: int, column: Column) -> None:
        turn = column.turn
        with reply.container():
            _columns.draw_reply(column, "LLM #1 is reading first …")
        if turn is None or turn.reading is None:
            return
        if not shown:
            shown.append(shape(turn.message, turn.reading).prompt)
            prompt.code(shown[0], language="xml", height=TEXT_HEIGHT)
        response = turn.interaction.response if turn.interaction else None
        if response is not None and response.provider == vif.Provider.EMBEDDED and response.prompt:
            hint = response.prompt.strip().splitlines()[-1]
            remark.caption(f"The embedded model is too small for all of it. It is told in short: {plain(hint, 160)}")

    _follow_columns(_tour.answer(basis), draw_column, each=True)
    _draw_again(foot, "answer")


# ── 5: the outage ───────────────────────────────────────────────────────────────────────────────────────────────────


def draw_outage(settings: Settings) -> None:
    basis = _tour.begin(settings)
    st.markdown("LLM #1 is broken on purpose, here and now. Retries, circuit and fallback are the real ones.")
    chosen = st.pills(
        "LLM #1 …",
        list(_tour.FAULTS),
        key=_tour.FAULT_KEY,
        default=_tour.FAULTS[0],
        required=True,
        format_func=lambda one: f"{one}: {one.meaning}",
        label_visibility="collapsed",
    )
    fault = vif.Fault(chosen or _tour.FAULTS[0])
    left, middle, right = _layout.beside("tour_outage", [1, 1, 1.3], gap="medium")
    with left:
        st.markdown("**LLM #1 is asked**")
        attempts = st.empty()
    with middle:
        st.markdown("**Who reads instead**")
        radar = st.empty()
    with right:
        st.markdown("**The answer comes all the same**")
        with st.container(height=TEXT_HEIGHT, border=True):
            reply = st.empty()
    foot = st.empty()
    shown: list[str] = []

    def draw_column(_: int, column: Column) -> None:
        turn = column.turn
        with reply.container():
            _columns.draw_reply(column, "Answered as soon as somebody has read it …")
        if turn is None or (state := _state(column)) in shown:
            return
        shown.append(state)
        attempts.markdown(_ladder(turn))
        with radar.container():
            reading = turn.reading.domains if turn.reading is not None and turn.read_by_model else None
            if turn.formula_domains:
                _draw_radar("The message of the drill", f"outage_{fault}_{state}", turn.formula_domains, reading)
            else:
                st.empty()

    _follow_columns(_tour.outage(basis, fault), draw_column, each=True)
    _draw_again(foot, f"outage {fault}")


def _ladder(turn: Turn) -> str:
    """What LLM #1 did each time, who read instead, and why; Markdown."""
    if turn.recognition is None:
        return ":shimmer[It fails, and is asked again …]"
    lines = []
    for number, attempt in enumerate(turn.recognition.attempts, 1):
        took = _words.seconds(attempt.latency_ms)
        if attempt.outcome == "ok":
            mark = f":green-badge[:material/check: {plain(attempt.model)}]"
        elif attempt.outcome == "circuit_open":
            mark = ":gray-badge[:material/block: not asked]"
        else:
            mark = f":red-badge[:material/close: {attempt.outcome.replace('_', ' ')}]"
        lines.append(f"{number}. {mark} :gray[:small[{took}]]")
    badge = _words.source_badge(turn.recognition)
    why = _words.fallback_in_words(turn.recognition, turn.config) or "Nothing failed: nobody had to stand in."
    return "\n".join([*lines, "", f":{badge.colour}-badge[{badge.icon} {badge.label}]", "", why])


# ── What they share ─────────────────────────────────────────────────────────────────────────────────────────────────


def _follow_columns(group: Group, draw: Callable[[int, Column], None], *, each: bool = False) -> None:
    """Draw columns as they come; each change of them, or only what makes another picture."""

    def draw_changed(columns: tuple[Column, ...], before: tuple[Column, ...] | None) -> None:
        for index, column in enumerate(columns):
            if before is None or (before[index] is not column if each else _state(before[index]) != _state(column)):
                draw(index, column)

    if group.over:
        draw_changed(group.columns, None)
    else:
        _follow.follow(group, draw_changed)


def _state(column: Column) -> str:
    turn = column.turn
    if turn is None or turn.formula is None:
        return "nothing" if turn is None or not column.over else "given_up"
    if turn.recognition is not None:
        return "read"
    return "given_up" if column.over else "waiting"


def _draw_again(place: DeltaGenerator, what: str) -> None:
    """A way to try again, when something did not come to a good end."""
    group = _tour.tour().work.get(what)
    if group is None or not group.over:
        return
    turns = [column.turn for column in group.columns if column.turn is not None]
    if any(turn.stopped or turn.failure for turn in turns):
        place.button("Try again", key="tour_again", icon=":material/refresh:", on_click=_tour.again, args=(what,))


def _cards(number: int) -> list[DeltaGenerator]:
    with st.grid(number, min_column_width=232, gap="small"):
        return [st.container(border=True, height="stretch").empty() for _ in range(number)]


def _draw_message(message: str) -> None:
    st.markdown(f"**{plain(message, 120)}**", text_alignment="center")


def _draw_radar(name: str, key: str, formula: Mapping[str, float], reading: Mapping[str, float] | None = None) -> None:
    st.plotly_chart(
        _radar(formula, reading),
        config=CHART_CONFIG,
        key=f"tour_{key}",
        alt=figures.describe_small_radar(name, formula, reading),
    )


def _radar(formula: Mapping[str, float], reading: Mapping[str, float] | None) -> Figure:
    """The small radar, larger."""
    figure = figures.small_radar(formula, reading, palette=THEMED)
    figure.update_layout(height=RADAR_HEIGHT)
    small, large = _OWN_SCALE
    for label in figure.layout.annotations:
        label.update(xshift=label.xshift * large / small, yshift=label.yshift * large / small, font={"size": 14})
    return figure
