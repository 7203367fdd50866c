"""The steps of the tour that show the product at work: problem, reading, boundaries, answer, outage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

import vif
from pages import _follow, _lab, _layout, _reply, _tour, _words
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

RADAR_HEIGHT = 240
TEXT_HEIGHT = 262
"""Pixels in the presenter view, where all of a step must be seen at once; elsewhere there is more room."""

ROOMIER = 1.3

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
        "The Rust formula is a fixed weight times the autonomy; it is not even given the words. **Three messages, one "
        "shape.**"
    )
    formula = _tour.formula(settings.autonomy)
    for number, (place, message) in enumerate(zip(_cards(3), _tour.tour().messages, strict=True), 1):
        with place.container():
            _draw_message(message)
            _draw_radar(f"Message {number}", f"problem_{number}", formula)
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
    st.markdown(f"LLM #1 (**{models}**) reads the same three, live. Solid is its reading, dotted the formula.")
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
    took = f"{_words.seconds(turn.recognition.latency_ms)} · {_words.dollars(turn.recognition.cost_usd)}"
    facts = f":gray[{took.replace('$', chr(92) + '$')}]"
    if reading is None:
        return facts
    leads = max(reading, key=reading.__getitem__)
    return f"**{coloured(vif.Domain(leads))} {reading[leads]:.2f}** &nbsp; {facts}"


# ── 3: boundaries ───────────────────────────────────────────────────────────────────────────────────────────────────


def draw_boundaries(settings: Settings) -> None:
    basis = _tour.begin(settings)
    st.markdown(f"The same question and half a sentence more: “{_tour.PLAIN}, **{_tour.MORE}**”")
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
            f"Without that half, **{_open(alone.reading.boundaries)}** of six boundaries "
            f"{'is' if _open(alone.reading.boundaries) == 1 else 'are'} open; with it, **{now}**."
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
    group = _tour.answer(basis)
    left, right = _layout.beside("tour_answer", [1, 1.15], gap="medium")
    with left:
        st.markdown("**The prompt,** made of the reading")
        prompt, remark = st.empty(), st.empty()
    with right:
        st.markdown(f"**{plain(_tour.WOVEN)}**")
        with st.container(height=_room(TEXT_HEIGHT), border=True, autoscroll=not group.over):
            reply = st.empty()
        facts = st.empty()
    foot = st.empty()
    shown: list[str] = []

    def draw_column(_: int, column: Column) -> None:
        turn = column.turn
        if turn is None:
            return
        with reply:
            _reply.draw_text(turn)
        facts.markdown(_reply_in_a_line(turn))
        if turn.reading is None:
            return
        if not shown:
            shown.append(shape(turn.message, turn.reading).prompt)
            prompt.code(shown[0], language="xml", height=_room(TEXT_HEIGHT))
        response = turn.interaction.response if turn.interaction else None
        if response is not None and response.provider == vif.Provider.EMBEDDED and response.prompt:
            hint = response.prompt.strip().splitlines()[-1]
            remark.markdown(f":gray[:small[This small model gets it in short: {plain(hint, 160)}]]")

    _follow_columns(group, draw_column, each=True)
    _draw_again(foot, "answer")


def _reply_in_a_line(turn: Turn) -> str:
    """What the reply took, or why there is none; Markdown."""
    if turn.failure:
        return f":orange[{plain(turn.failure, 160)}]"
    if turn.stopped:
        return ":orange[Stopped]"
    response = turn.interaction.response if turn.interaction else None
    return f":gray[:small[{_words.reply_facts(response)}]]" if response else ""


# ── 5: the outage ───────────────────────────────────────────────────────────────────────────────────────────────────


def draw_outage(settings: Settings) -> None:
    basis = _tour.begin(settings)
    words = st.empty()
    chosen = st.pills(
        "LLM #1 …",
        list(_tour.FAULTS),
        key=_tour.FAULT_KEY,
        default=_tour.FAULTS[0],
        required=True,
        label_visibility="collapsed",
    )
    fault = vif.Fault(chosen or _tour.FAULTS[0])
    words.markdown(f"LLM #1 is broken on purpose: **{_lower(fault.meaning)}** Retries and fallback are the real ones.")
    left, middle, right = _layout.beside("tour_outage", [1, 1, 1.3], gap="medium")
    with left:
        st.markdown("**LLM #1 is asked**")
        attempts = st.empty()
    with middle:
        st.markdown("**Somebody else reads**")
        radar = st.empty()
    with right:
        st.markdown("**The answer comes**")
        with st.container(height=_room(TEXT_HEIGHT - 30), border=True):
            reply = st.empty()
        facts = st.empty()
    foot = st.empty()
    shown: list[str] = []

    def draw_column(_: int, column: Column) -> None:
        turn = column.turn
        if turn is None:
            return
        with reply:
            _reply.draw_text(turn)
        facts.markdown(_came(turn))
        if (state := _state(column)) in shown:
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
    _draw_again(foot, f"{_tour.OUTAGE}{fault}")


def _came(turn: Turn) -> str:
    """That the answer came, or why not; Markdown."""
    response = turn.interaction.response if turn.interaction else None
    if response is None or turn.failure or response.first_token_ms is None:
        return _reply_in_a_line(turn)
    return f":green[:material/check:] First word after {_words.seconds(response.first_token_ms)}"


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


def _ladder(turn: Turn) -> str:
    """What LLM #1 did each time, who read instead, and why; Markdown."""
    recognition = turn.recognition
    if recognition is None:
        return ":shimmer[It fails, and is asked again …]"
    lines = []
    for number, attempt in enumerate(recognition.attempts, 1):
        if attempt.outcome == "ok":
            mark = f":green-badge[:material/check: {plain(attempt.model)}]"
        elif attempt.outcome == "circuit_open":
            mark = ":gray-badge[:material/block: not asked]"
        else:
            mark = f":red-badge[:material/close: {attempt.outcome.replace('_', ' ')}]"
        lines.append(f"{number}. {mark}")
    badge = _words.source_badge(recognition)
    why = _words.fallback_in_words(recognition, turn.config) or "Nothing failed: nobody had to stand in."
    took = f":gray[:small[after {_words.seconds(recognition.latency_ms)}]]"
    return "\n".join([*lines, "", f":{badge.colour}-badge[{badge.icon} {badge.label}] {took}", "", why])


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
    fell_back = not what.startswith(_tour.OUTAGE)  # where it is the point, it is no fault
    if any(turn.stopped or turn.failure or (fell_back and _fell_back(turn)) for turn in turns):
        place.button("Try again", key="tour_again", icon=":material/refresh:", on_click=_tour.again, args=(what,))


def _fell_back(turn: Turn) -> bool:
    return turn.recognition is not None and turn.recognition.fallback_reason is not None


def _cards(number: int) -> list[DeltaGenerator]:
    with st.grid(number, min_column_width=232, gap="small"):
        # At the bottom, so that the radars of a row stand level under messages of one line and of two.
        return [st.container(border=True, height="stretch", vertical_alignment="bottom").empty() for _ in range(number)]


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
    """The small radar, as large as there is room."""
    figure = figures.small_radar(formula, reading, palette=THEMED)
    scale = _tour.scale() if _tour.presenting() else ROOMIER
    height = RADAR_HEIGHT * scale
    margin = 25 * scale
    # Half of the height without the margin is the radius; names stand a little outside.
    reach = height / 2 - margin + 11 * scale
    figure.update_layout(height=height, margin=dict.fromkeys("lrtb", margin))
    figure.update_traces(marker={"size": 8 * scale}, line={"width": 2.5 * scale}, selector={"mode": "lines+markers"})
    for label in figure.layout.annotations:
        sides = {"xshift": _sign(label.xshift) * reach, "yshift": _sign(label.yshift) * reach}
        label.update(**sides, font={"size": 13 * scale})
    return figure


def _room(pixels: int) -> int:
    return pixels if _tour.presenting() else int(pixels * ROOMIER)


def _sign(number: float) -> int:
    return (number > 0) - (number < 0)
