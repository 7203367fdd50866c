"""The fault drill: LLM #1 fails on purpose, in this session only, and the answers keep coming."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

import vif
from pages import _runtime, _words
from pages._runtime import Drill, Run
from pages._sidebar import Settings
from pages._text import plain
from pages._turn import Turn
from pages._whole import is_to_stop
from vif.interaction import Attempt

MESSAGES = (
    "How do I implement quicksort?",
    "What does it feel like to understand something deeply?",
    "Explain quantum entanglement simply.",
    "Why do so many cultures tell a story of a great flood?",
    "Is 1001 a prime number?",
    "How does a vaccine teach the body?",
)
REPLY_TOKENS = 48
"""The first words of a reply show that it comes; the rest would only make the drill longer."""

_FAULT_KEY, _RESULTS_KEY = "drill_fault", "drill_results"

_ICONS = {
    vif.Fault.TIME_OUT: ":material/timer_off:",
    vif.Fault.HANG: ":material/hourglass_disabled:",
    vif.Fault.AUTH: ":material/key_off:",
    vif.Fault.RATE_LIMIT: ":material/speed:",
    vif.Fault.SERVER_ERROR: ":material/dns:",
    vif.Fault.PROSE: ":material/chat_bubble:",
    vif.Fault.OUT_OF_RANGE: ":material/rule:",
    vif.Fault.FLAPPING: ":material/swap_vert:",
}


@dataclass(slots=True)
class Results:
    """What has been sent in the drill of one fault."""

    fault: vif.Fault
    turns: list[Turn] = field(default_factory=list)
    begun: bool = False


def current() -> Drill | None:
    """The drill that is on."""
    found: Drill | None = st.session_state.get(_runtime.DRILL_KEY)
    return found


def banner() -> None:
    """On every page, while a drill is on: what is the matter, and how to end it."""
    drill = current()
    if drill is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", border=True, key="drill_banner"):
        st.markdown(
            f":orange-badge[:material/local_fire_department: Fault drill] **LLM #1: {plain(drill.fault)}.** "
            f"{drill.fault.meaning} :gray[Only in this session.]",
            width="stretch",
        )
        st.button("End the drill", key="drill_end", icon=":material/stop_circle:", on_click=end)


def begin(fault: vif.Fault) -> None:
    """Start a drill in the place of another. A callback."""
    end()
    st.session_state[_runtime.DRILL_KEY] = Drill(fault)
    st.session_state[_RESULTS_KEY] = Results(fault)


def begin_chosen() -> None:
    """Start the drill that is chosen now, not the one that was when the button was drawn. A callback."""
    begin(vif.Fault(st.session_state[_FAULT_KEY]))


def end() -> None:
    """End the drill; what it showed stays. A callback."""
    drill: Drill | None = st.session_state.pop(_runtime.DRILL_KEY, None)
    if drill is not None:
        drill.end()


def send() -> None:
    """Send the messages. A callback: they begin when the page is drawn, once."""
    drill = current()
    if drill is not None:
        begin(drill.fault)  # a new circuit, nothing remembered
        st.session_state[_RESULTS_KEY].begun = True


def draw(settings: Settings) -> None:
    """The whole drill: choose, start, send, watch."""
    st.markdown(
        "**What if LLM #1 fails?** Choose what it does and send six messages. Validation, retries, circuit breaker and "
        "fallback are the real ones; only the provider is simulated. It happens **in this session only**."
    )
    fault = st.pills(
        "LLM #1 …",
        list(vif.Fault),
        key=_FAULT_KEY,
        default=vif.Fault.SERVER_ERROR,
        required=True,
        format_func=lambda one: f"{_ICONS[one]} {one}",
        label_visibility="collapsed",
    )
    chosen = vif.Fault(fault or vif.Fault.SERVER_ERROR)
    st.caption(chosen.meaning)
    drill = current()
    results: Results | None = st.session_state.get(_RESULTS_KEY)
    with st.container(horizontal=True, vertical_alignment="center"):
        if drill is None or drill.fault != chosen:
            st.button(
                "Start this drill",
                key="drill_begin",
                type="primary",
                icon=":material/local_fire_department:",
                on_click=begin_chosen,
                disabled=settings.config is None or settings.mode == "formula",
            )
        else:
            st.button(
                "Send six messages", key="drill_send", type="primary", icon=":material/play_arrow:", on_click=send
            )
    if settings.mode == "formula":
        st.info("The formula reads now, and it cannot fail: choose LLM #1 in the sidebar.", icon=":material/info:")
        return
    if results is None or drill is None or settings.config is None:
        if results is not None and results.turns:
            _draw_results(results.turns, st.empty(), st.empty())
        return
    if not (results.begun or results.turns):
        st.caption("The drill is on. Explore and Compare are in it too: ask there what you like.")
        return
    headline, table = st.empty(), st.empty()
    if results.begun:
        results.begun = False
        _carry_out(results, settings, settings.config, (headline, table))
    _draw_results(results.turns, headline, table)
    st.caption("The drill is still on: Explore and Compare are in it too, until you end it.")


def _carry_out(
    results: Results, settings: Settings, config: vif.DualLlmConfig, places: tuple[DeltaGenerator, DeltaGenerator]
) -> None:
    """Send one message after the other, as somebody would; leaving the page ends it."""
    brief = config.with_(llm2_max_tokens=min(REPLY_TOKENS, config.llm2_max_tokens), enable_caching=False)
    connection = _runtime.connection(brief, settings.access, "dual")
    headline, table = places
    for number, message in enumerate(MESSAGES, 1):
        run = Run(Turn(number, message, "dual", brief), connection, settings.autonomy, None)
        run.start()
        try:
            shown: Turn | None = None
            for turn in run.follow():
                if shown is None or _step(turn) != _step(shown):
                    headline.progress(
                        (number - 1) / len(MESSAGES), text=f"Message {number} of {len(MESSAGES)}: {plain(message)}"
                    )
                    _draw_table([*results.turns, turn], table)
                shown = turn
                if is_to_stop():
                    run.stop()
        finally:
            run.stop()
            results.turns.append(run.turn)
        if run.turn.stopped:
            return


def _step(turn: Turn) -> tuple[bool, bool, bool]:
    return turn.recognition is not None, bool(turn.reply), turn.over


def _draw_results(turns: Sequence[Turn], headline: DeltaGenerator, table: DeltaGenerator) -> None:
    headline.markdown(summary(turns))
    _draw_table(turns, table)


def summary(turns: Sequence[Turn]) -> str:
    """What the drill showed, in Markdown."""
    answered = sum(turn.interaction is not None and not turn.failure for turn in turns)
    failures = [
        attempt for turn in turns for attempt in _attempts(turn) if attempt.outcome not in ("ok", "circuit_open")
    ]
    first_open = next((turn.number for turn in turns if _shut(turn)), None)
    sentences = [f"**{answered} of {len(turns)} messages were answered.**"]
    sentences.append(f"LLM #1 failed {len(failures)} times" if failures else "LLM #1 did not fail")
    if first_open is not None:
        before = [t.recognition.latency_ms for t in turns if t.recognition and t.number < first_open]
        after = [t.recognition.latency_ms for t in turns if t.recognition and t.number > first_open]
        sentences[-1] += f"; its circuit opened at message {first_open}"
        if before and after:
            was, now = _time(max(before)), _time(sum(after) / len(after))
            sentences[-1] += f", and reading took {now} from then on instead of up to {was}"
    return " ".join(sentences) + "."


def _time(milliseconds: float) -> str:
    return "under 1 ms" if milliseconds < 1 else _words.seconds(milliseconds)


def _shut(turn: Turn) -> bool:
    return any(attempt.outcome == "circuit_open" for attempt in _attempts(turn))


def _attempts(turn: Turn) -> tuple[Attempt, ...]:
    return turn.recognition.attempts if turn.recognition else ()


def _draw_table(turns: Sequence[Turn], place: DeltaGenerator) -> None:
    rows = [_row(turn) for turn in turns]
    waiting = [{"Message": message, "LLM #1": "", "Read by": "", "Reading": "", "Answer": ""} for message in MESSAGES]
    place.table(
        pd.DataFrame([*rows, *waiting[len(rows) :]]),
        border="horizontal",
        hide_index=True,
        alt="Each message of the drill: what LLM #1 did, who read instead, how long that took, and the answer",
    )


def _row(turn: Turn) -> dict[str, str]:
    recognition = turn.recognition
    if recognition is None:
        return {"Message": plain(turn.message), "LLM #1": "is asked …", "Read by": "", "Reading": "", "Answer": ""}
    badge = _words.source_badge(recognition)
    return {
        "Message": plain(turn.message),
        "LLM #1": " ".join(_mark(attempt.outcome) for attempt in recognition.attempts),
        "Read by": f":{badge.colour}-badge[{badge.icon} {badge.label}]",
        "Reading": _time(recognition.latency_ms),
        "Answer": _answer(turn),
    }


def _mark(outcome: str) -> str:
    """An attempt as a word in a colour."""
    if outcome == "ok":
        return ":green-badge[:material/check: answered]"
    if outcome == "circuit_open":
        return ":gray-badge[:material/block: not asked]"
    return f":red-badge[:material/close: {plain(outcome).replace(chr(92) + '_', ' ')}]"


def _answer(turn: Turn) -> str:
    if turn.failure:
        return f":red[:material/error: {plain(turn.failure, 80)}]"
    if not turn.reply:
        return "is being written …" if not turn.over else ""
    mark = ":green[:material/check:] " if turn.over else ""
    return f"{mark}{plain(turn.reply, 70)}"
