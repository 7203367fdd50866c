"""The seven stages of an interaction on a time line, each opening to its data.

What a stage holds is made when it is opened; opening one redraws this part of the page only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st

import vif
from pages import _conversation, _downloads, _essence, _words
from pages._text import plain
from pages._theme import CHART_CONFIG, THEMED, coloured
from pages._turn import Turn
from vif import figures
from vif.boundaries import Status
from vif.domains import DOMAINS, Domain
from vif.errors import Reason
from vif.figures import boundary_label, duration_in_words
from vif.flow import RUNGS, DevelopmentalStage, Stage, mean_emergence
from vif.interaction import Attempt, Interaction
from vif.interfaces import PERMEABILITY_ABOVE, PRIORITY_ABOVE, Interface
from vif.qualities import Qualities

TALL = 320
"""Pixels of a long text; it scrolls beyond that."""

_OUTCOMES: dict[str, str] = {
    "ok": "read the message",
    Reason.TIMEOUT: "timed out",
    Reason.DEADLINE: "no time left",
    Reason.CONNECTION: "not reached",
    Reason.AUTH: "key not accepted",
    Reason.RATE_LIMIT: "too many requests",
    Reason.SERVER_ERROR: "a fault of its own",
    Reason.INVALID_JSON: "sent no reading",
    Reason.SCHEMA: "broke the rules",
    Reason.REFUSAL: "declined",
    Reason.TRUNCATED: "stopped half way",
    Reason.CIRCUIT_OPEN: "given a rest",
    Reason.BUDGET: "budget used up",
    Reason.NOT_CONFIGURED: "cannot be used",
}


@st.fragment
def draw(turn: Turn) -> None:
    """The time line of a turn; a line that says why when it never came to its end."""
    interaction = turn.interaction
    st.subheader("Seven stages", anchor=False, help="What happened to the message, from reading to reply.")
    if interaction is None:
        st.caption("This message did not come to its end, so there is nothing to look into.")
        return
    first_token = interaction.response.first_token_ms if interaction.response else None
    parts = figures.time_parts(interaction.timings_ms, first_token)
    if parts:
        st.plotly_chart(
            figures.time_chart(parts, palette=THEMED),
            config=CHART_CONFIG,
            key=f"time_{turn.number}",
            alt=figures.describe_time(parts),
        )
    for name, icon, essence, took, purpose, content in _steps(turn, interaction):
        label = f"**{name}** &nbsp; {essence}" + (f" &nbsp; :gray[:small[{took}]]" if took else "")
        step = st.expander(label, key=f"stage_{turn.number}_{name}", icon=icon, type="step", on_change="rerun")
        with step:
            st.caption(purpose)  # always there: a step without content would end the line
            if step.open:
                content()
    _downloads.draw(turn)


_Step = tuple[str, str, str, str, str, Callable[[], None]]
"""Name, icon, essence, duration, purpose (all Markdown) and what it opens to."""


def _steps(turn: Turn, interaction: Interaction) -> list[_Step]:
    def took(stage: Stage) -> str:
        return duration_in_words(turn.stage_ms[stage]) if stage in turn.stage_ms else ""

    response = interaction.response
    by_model = interaction.recognition.source != "formula"
    return [
        (
            "1 Domain emergence",
            ":material/radar:",
            _essence.domains_in_short(interaction),
            took(Stage.DOMAINS),
            "How strongly the message engages each domain, and who found that out.",
            lambda: _draw_recognition(turn, interaction),
        ),
        (
            "2 Boundary dissolution",
            ":material/join:",
            _essence.boundaries_in_short(interaction),
            "in the same reading" if by_model and Stage.BOUNDARIES in turn.stage_ms else took(Stage.BOUNDARIES),
            "How freely understanding crosses from one domain to another.",
            lambda: _draw_boundaries(interaction),
        ),
        (
            "3 Interface attention",
            ":material/hub:",
            _essence.interfaces_in_short(interaction.interfaces),
            took(Stage.INTERFACES),
            f"Boundaries with a priority above {PRIORITY_ABOVE} or a permeability above {PERMEABILITY_ABOVE} come "
            "forward and speak.",
            lambda: _draw_interfaces(interaction.interfaces),
        ),
        (
            "4 Quality emergence",
            ":material/auto_awesome:",
            _essence.qualities_in_short(interaction.qualities),
            took(Stage.QUALITIES),
            "What arises where a boundary is Transcendent.",
            lambda: _draw_qualities(turn, interaction),
        ),
        (
            "5 Integration",
            ":material/merge:",
            f"a prompt of {len(interaction.prompt):,} characters",
            took(Stage.INTEGRATION),
            "Everything so far, as the structured prompt for LLM #2.",
            lambda: _draw_text(interaction.prompt),
        ),
        (
            "LLM #2 replies",
            ":material/forum:",
            _essence.reply_in_short(interaction),
            duration_in_words(response.latency_ms) if response and response.latency_ms else "",
            "What LLM #2 was really sent, and what it took.",
            lambda: _draw_response(turn, interaction),
        ),
        (
            "6 Continuity",
            ":material/anchor:",
            _essence.continuity_in_short(interaction),
            took(Stage.CONTINUITY),
            "What stays of this interaction: the pattern of its domains, and anchors at open boundaries.",
            lambda: _draw_continuity(interaction),
        ),
        (
            "7 Evolution",
            ":material/stairs:",
            f"{interaction.developmental_stage}",
            took(Stage.EVOLUTION),
            "Where on the five developmental stages this interaction stands.",
            lambda: _draw_evolution(interaction),
        ),
    ]


# ── Content ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _draw_recognition(turn: Turn, interaction: Interaction) -> None:
    recognition = interaction.recognition
    _draw_table(
        [
            {
                "Domain": coloured(entry.domain),
                "Used": f"**{interaction.domains[entry.domain]:.2f}**" if entry.domain in interaction.domains else "–",
                "Formula": f"{entry.formula:.2f}",
            }
            for entry in figures.differences(interaction.domains, interaction.formula.domains.model_dump())
        ],
        "Activation of each domain as the stages used it, and to the formula",
    )
    if recognition.reasoning:
        st.markdown(plain(recognition.reasoning))
    if recognition.cache_hit:
        st.info("This message had been read before: the reading came from the cache.", icon=":material/history:")
    elif not recognition.attempts:
        st.info("LLM #1 was not asked: the formula's values were used.", icon=":material/function:")
    if why := _words.fallback_in_words(recognition, turn.config):
        st.warning(why, icon=":material/info:")
    _draw_attempts(recognition.attempts)
    for number, attempt in enumerate(recognition.attempts, 1):
        if attempt.raw_text:
            st.markdown(f"**Raw answer** of attempt {number}, {plain(attempt.model)}")
            _draw_text(attempt.raw_text, language="json")
    _draw_recognition_prompts(turn, interaction)


def _draw_recognition_prompts(turn: Turn, interaction: Interaction) -> None:
    previous = _conversation.before(turn)
    prompts = vif.recognition_prompts(
        interaction.message,
        interaction.recognition,
        previous.domains if previous else None,
        oscillation=turn.config.llm1_oscillation,
    )
    sent = [(number, prompt) for number, prompt in enumerate(prompts, 1) if prompt is not None]
    if None in prompts:
        st.caption(
            "The embedded model gets no prompt: a trained head reads its hidden states of the message itself.",
        )
    if not sent:
        return
    st.markdown("**System prompt** of LLM #1")
    _draw_text(sent[0][1].system)
    for turn_text in dict.fromkeys(prompt.turn for _, prompt in sent):
        numbers = [str(number) for number, prompt in sent if prompt.turn == turn_text]
        which = "" if len(numbers) == len(sent) else f" in attempt {' and '.join(numbers)}"
        st.markdown(f"**Turn** of LLM #1{which}")
        _draw_text(turn_text)


def _draw_boundaries(interaction: Interaction) -> None:
    _draw_table(
        [
            {
                "Boundary": plain(boundary_label(boundary.name)),
                "Permeability": f"**{boundary.permeability:.2f}**",
                "Status": plain(boundary.status),
                "Swings": _whole(f"{boundary.frequency:.1f} Hz ± {boundary.amplitude:.2f}, φ {boundary.phase:.2f}"),
            }
            for boundary in interaction.boundaries
        ],
        "Permeability, status and oscillation of every boundary",
    )
    corrections = interaction.recognition.corrections
    if not corrections:
        return
    st.markdown(
        "**Corrected** values of LLM #1\n\n"
        + "\n".join(
            f"- {plain(boundary_label(entry.boundary))}, {entry.field}: {_value(entry.given)} → {_value(entry.used)}. "
            f"{plain(entry.why)}"
            for entry in corrections
        )
    )


def _draw_interfaces(interfaces: Sequence[Interface]) -> None:
    if not interfaces:
        st.info("No boundary is important or permeable enough for this message.", icon=":material/do_not_disturb_on:")
        return
    _draw_table(
        [
            {
                "Interface": plain(boundary_label(entry.boundary)),
                "Priority": f"**{entry.priority:.2f}**",
                "Strength": f"{entry.activation_strength:.2f}",
                "Rhythm": entry.rhythm.value,
                "Primary quality": entry.primary_quality,
            }
            for entry in interfaces
        ],
        "The interfaces with priority, strength, rhythm and primary quality, highest priority first",
    )
    grid = st.grid(2, min_column_width=280)
    for entry in interfaces:
        with grid.cell(), st.container(border=True, height="stretch"):
            st.markdown(f"**{plain(boundary_label(entry.boundary))}**")
            st.markdown(
                "\n\n".join(
                    f":small[:gray[{name}]  \n{plain(text)}]"
                    for name, text in (
                        ("Invitation", entry.invitation),
                        ("Attention", entry.attention),
                        ("Resonance", entry.resonance),
                        ("Emergence", entry.emergence),
                    )
                )
            )


def _draw_qualities(turn: Turn, interaction: Interaction) -> None:
    if not interaction.qualities:
        st.info(_essence.no_transcendent(interaction), icon=":material/lock:")
        return
    grid = st.grid(3, min_column_width=250)
    for entry in interaction.qualities:
        values = entry.model_dump(exclude={"boundary"})
        with grid.cell():
            st.markdown(f"**{plain(boundary_label(entry.boundary))}**", text_alignment="center")
            st.plotly_chart(
                figures.quality_radar(entry.boundary, values, palette=THEMED),
                config=CHART_CONFIG,
                key=f"qualities_{turn.number}_{entry.boundary}",
                alt=figures.describe_quality_radar(entry.boundary, values),
            )


def _draw_response(turn: Turn, interaction: Interaction) -> None:
    response = interaction.response
    if response is None:
        return
    st.markdown(_words.reply_facts(response))
    if response.error:
        st.error(plain(response.error), icon=":material/error:")
    _draw_attempts(response.failed_attempts)
    st.markdown("**System prompt** of LLM #2")
    _draw_text(response.system or "none")
    previous = _conversation.before(turn)
    if previous is not None and previous.reply and response.provider != vif.Provider.EMBEDDED:
        st.caption("Then the message before this one and its reply, and last:")
    same = response.prompt == interaction.prompt
    st.markdown("**Prompt** of LLM #2" + ("" if same else ", a compact one: a small model loses its way in a long one"))
    _draw_text(response.prompt or "none")


def _draw_continuity(interaction: Interaction) -> None:
    if interaction.patterns:
        engaged = [Domain(name) for name in interaction.patterns[0].split(" + ") if name in set(DOMAINS)]
        names = ", ".join(coloured(domain) for domain in engaged) or plain(interaction.patterns[0])
        st.markdown(f"**Pattern** {names}: engaged above 0.5")
    else:
        st.markdown(
            "**No pattern**: " + ("there was no reply." if not interaction.reply else "no domain is engaged above 0.5.")
        )
    if interaction.anchors:
        _draw_table(
            [
                {"Anchor": plain(boundary_label(anchor.boundary)), "Confidence": f"**{anchor.confidence:.2f}**"}
                for anchor in interaction.anchors
            ],
            "The anchors with their confidence",
        )
    else:
        st.info(_essence.no_transcendent(interaction), icon=":material/lock:")


def _draw_evolution(interaction: Interaction) -> None:
    transcendent = sum(boundary.status == Status.TRANSCENDENT for boundary in interaction.boundaries)
    mean = mean_emergence([Qualities(**entry.model_dump(exclude={"boundary"})) for entry in interaction.qualities])
    reached = interaction.developmental_stage
    st.markdown(_essence.next_rung_in_words(reached, transcendent, mean))
    needs = {rung.stage: rung for rung in RUNGS}
    _draw_table(
        [
            {
                "Stage": f"**{stage}**" + (" :material/check:" if stage == reached else ""),
                "Transcendent boundaries": f"{needs[stage].boundaries} or more" if stage in needs else "any",
                "Mean emergence": f"above {needs[stage].emergence}" if stage in needs else "any",
            }
            for stage in reversed(DevelopmentalStage)
        ],
        "The five developmental stages and what each needs",
    )


# ── Small things ────────────────────────────────────────────────────────────────────────────────────────────────────


def _draw_attempts(attempts: Sequence[Attempt]) -> None:
    if not attempts:
        return
    _draw_table(
        [
            {
                "Attempt": f"{number}. {plain(attempt.model)}",
                "Outcome": _outcome(attempt),
                "Took": _whole(duration_in_words(attempt.latency_ms)),
                "Tokens": _whole(f"{attempt.input_tokens:,} + {attempt.output_tokens:,}"),
                "Cost": _words.dollars(attempt.cost_usd).replace("$", r"\$"),
            }
            for number, attempt in enumerate(attempts, 1)
        ],
        "Every request to a model, with outcome, latency, tokens and cost",
    )


def _outcome(attempt: Attempt) -> str:
    words = _OUTCOMES.get(attempt.outcome, plain(attempt.outcome))
    if attempt.outcome == "ok":
        return f":green[:material/check:] {words}"
    return f":orange[:material/close:] {words}" + (f"  \n:small[{plain(attempt.error)}]" if attempt.error else "")


def _draw_text(text: str, language: str | None = None) -> None:
    """A text as it is, with a button that copies it; a long one scrolls."""
    st.code(text, language=language, wrap_lines=True, height=TALL if len(text) > 1500 else "content")


def _draw_table(rows: Sequence[dict[str, str]], alt: str) -> None:
    st.table(pd.DataFrame(rows), border="horizontal", hide_index=True, alt=alt)


def _whole(text: str) -> str:
    """The text on one line also where a table is narrow."""
    return text.replace(" ", "\u00a0")


def _value(value: float | str) -> str:
    return plain(value) if isinstance(value, str) else f"{value:.2f}"
