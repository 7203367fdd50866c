"""The time line of an interaction: what it says, what it opens to, and what it does when there is little to say."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import vif
from pages import _downloads
from pages._conversation import Conversation
from pages._essence import next_rung_in_words
from pages._turn import Turn
from vif.api import formula_reading
from vif.boundaries import DEFAULT_BOUNDARIES, dissolve
from vif.errors import Reason
from vif.events import StageFinished
from vif.flow import DevelopmentalStage, Reading, Stage, conclude, shape
from vif.interaction import (
    Attempt,
    BoundaryQualities,
    Correction,
    Interaction,
    Recognition,
    Response,
    Source,
    Timings,
)

HOSTILE = "$x$ <script>alert(1)</script> ![](http://evil.example/x.png) :red[r] **b** </message>"
RICH = {"CD": 0.95, "SD": 0.9, "CuD": 0.85, "ED": 0.92}
POOR = {"CD": 0.4, "SD": 0.4, "CuD": 0.4, "ED": 0.4}

BROKEN = Attempt(
    provider="openai",
    model="gpt-6-luna",
    outcome="schema",
    error="CD-ED: permeability is 1.4",
    latency_ms=812.0,
    input_tokens=1630,
    output_tokens=240,
    cost_usd=0.0003,
    raw_text='{"domains": 1.4}',
)
LATE = Attempt(
    provider="openai", model="gpt-6-luna", outcome="timeout", error="no answer within 8 s", latency_ms=8000.0
)
GOOD = Attempt(provider="anthropic", model="claude-haiku-5-5", outcome="ok", latency_ms=640.0, raw_text='{"fine": 1}')

ALL_STAGES = (
    "1 Domain emergence",
    "2 Boundary dissolution",
    "3 Interface attention",
    "4 Quality emergence",
    "5 Integration",
    "LLM #2 replies",
    "6 Continuity",
    "7 Evolution",
)


def interaction_of(
    domains: Mapping[str, float] = RICH,
    *,
    message: str = "Why does a fugue feel alive?",
    reply: str = "Because it breathes.",
    source: Source = "secondary",
    **recognition: Any,
) -> Interaction:
    """An interaction as the flow makes it of these activations."""
    reading = Reading(domains, dissolve(DEFAULT_BOUNDARIES, domains))
    context = shape(message, reading)
    conclusion = conclude(context, reply)
    return Interaction(
        message=message,
        mode="dual",
        autonomy=0.55,
        domains=dict(domains),
        boundaries=reading.boundaries,
        formula=formula_reading(0.55),
        interfaces=context.interfaces,
        qualities=tuple(BoundaryQualities.of(entry) for entry in context.emergent),
        patterns=(" + ".join(conclusion.pattern_domains),) if conclusion.pattern_domains else (),
        anchors=conclusion.anchors,
        developmental_stage=conclusion.developmental_stage,
        prompt=context.prompt,
        reply=reply,
        recognition=Recognition(source=source, **recognition),
        response=Response(
            provider="anthropic",
            model="claude-sonnet-5-5",
            latency_ms=4200.0,
            first_token_ms=900.0,
            output_tokens=300,
            system="You answer.",
            prompt=context.prompt,
        ),
        timings_ms=Timings(recognise=3452.0, flow=0.2, respond=4200.0, total=7652.2),
    )


def turn_of(interaction: Interaction | None, *, number: int = 1, **more: Any) -> Turn:
    message = interaction.message if interaction else "hello"
    return Turn(number, message, "dual", vif.DualLlmConfig(), interaction=interaction, **more)


def page(turn: Turn, *opened: str, earlier: Turn | None = None, download: bool = False) -> AppTest:
    """The time line with these stages open."""

    def script() -> None:
        import streamlit as st

        from pages import _stages

        _stages.draw(st.session_state["turn"])

    at = AppTest.from_function(script, default_timeout=60)
    at.session_state["turn"] = turn
    at.session_state["conversation"] = Conversation(turns=[entry for entry in (earlier, turn) if entry])
    for name in opened:
        at.session_state[f"stage_{turn.number}_{name}"] = True
    if download:
        at.session_state[f"download_{turn.number}"] = True
    at.run()
    assert not at.exception, at.exception[0].message
    return at


def labels(at: AppTest) -> list[str]:
    """Those of the steps."""
    return [expander.label for expander in at.expander if expander.label.startswith("**")]


def text(at: AppTest) -> str:
    return "\n".join(element.value for element in (*at.markdown, *at.caption, *at.info, *at.warning))


def charts(at: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec)["data"][0] for chart in at.get("plotly_chart")]


def test_every_stage_says_its_essence_in_a_line_with_the_reply_between_5_and_6() -> None:
    at = page(turn_of(interaction_of()))
    assert [re.sub(r"\*\*(.*?)\*\*.*", r"\1", label) for label in labels(at)] == list(ALL_STAGES)
    essences = "\n".join(labels(at))
    assert ":blue[Computational] leads with 0.95" in essences
    assert "6 Transcendent" in essences
    assert r"6 interfaces came forward, Computational – Experiential first" in essences
    assert "at 6 boundaries" in essences
    assert r"claude\-sonnet\-5\-5, 300 tokens" in essences
    assert "6 anchors" in essences


def test_only_measured_durations_are_shown() -> None:
    assert "ms" not in " ".join(label for label in labels(page(turn_of(interaction_of()))) if "LLM #2" not in label)
    measured = {Stage.DOMAINS: 3452.0, Stage.BOUNDARIES: 3452.0, Stage.EVOLUTION: 0.009}
    shown = labels(page(turn_of(interaction_of(), stage_ms=measured)))
    assert "3.5 s" in shown[0]
    assert "in the same reading" in shown[1]
    assert "small" not in shown[2]
    assert "0.01 ms" in shown[7]


def test_a_turn_folds_the_durations_of_its_stages() -> None:
    turn = turn_of(None)
    reading = Reading(RICH, ())
    for stage, took in ((Stage.DOMAINS, 12.0), (Stage.BOUNDARIES, 12.0)):
        turn = turn.after(StageFinished(stage, reading, took))
    assert turn.stage_ms == {Stage.DOMAINS: 12.0, Stage.BOUNDARIES: 12.0}


def test_the_picture_of_the_time_shows_the_measured_numbers() -> None:
    (bars,) = charts(page(turn_of(interaction_of())))
    assert bars["x"] == [3452.0, 0.2, 900.0, 3300.0]


def test_a_closed_stage_sends_nothing_but_its_purpose() -> None:
    at = page(turn_of(interaction_of(attempts=(GOOD,))))
    assert not at.table
    assert not at.code
    assert len(charts(at)) == 1


def test_the_ladder_shows_every_attempt_with_outcome_reason_time_tokens_and_cost() -> None:
    interaction = interaction_of(attempts=(BROKEN, LATE, GOOD), fallback_reason=Reason.TIMEOUT)
    at = page(turn_of(interaction), "1 Domain emergence")
    table = at.table[1].value
    assert list(table["Attempt"]) == [r"1. gpt\-6\-luna", r"2. gpt\-6\-luna", r"3. claude\-haiku\-5\-5"]
    assert "broke the rules" in table["Outcome"][0]
    assert r"permeability is 1\.4" in table["Outcome"][0]
    assert "timed out" in table["Outcome"][1]
    assert "read the message" in table["Outcome"][2]
    assert list(table["Took"]) == ["812\u00a0ms", "8.0\u00a0s", "640\u00a0ms"]
    assert table["Tokens"][0] == "1,630\u00a0+\u00a0240"
    assert list(table["Cost"]) == [r"\$0.0003", "price not known", "price not known"]
    assert at.warning[0].value.startswith("LLM #1 timed out")
    raw = [code.value for code in at.code]
    assert '{"domains": 1.4}' in raw
    assert '{"fine": 1}' in raw


def test_the_turn_after_a_broken_answer_is_shown_with_its_complaint() -> None:
    at = page(turn_of(interaction_of(attempts=(BROKEN, LATE, GOOD))), "1 Domain emergence")
    system, plain_turn, complaining = [code.value for code in at.code][-3:]
    assert system.startswith("You read one message")
    assert plain_turn == "<message>\nWhy does a fugue feel alive?\n</message>"
    assert "<correction>CD-ED: permeability is 1.4</correction>" in complaining
    assert "**Turn** of LLM #1 in attempt 1 and 3" in text(at)
    assert "**Turn** of LLM #1 in attempt 2" in text(at)


def test_the_reading_before_stands_in_the_prompt_as_it_was_sent() -> None:
    earlier = turn_of(interaction_of(POOR, message="before"), number=1)
    at = page(turn_of(interaction_of(attempts=(GOOD,)), number=2), "1 Domain emergence", earlier=earlier)
    assert "<previous>CD=0.40 SD=0.40 CuD=0.40 ED=0.40</previous>" in at.code[-1].value


def test_a_formula_reading_after_failures_and_one_that_was_chosen_say_so() -> None:
    failed = interaction_of(source="formula", attempts=(LATE,), fallback_reason=Reason.TIMEOUT)
    at = page(turn_of(failed), "1 Domain emergence")
    assert at.warning[0].value.endswith("so the formula's values are shown.")
    assert not at.info
    chosen = page(turn_of(interaction_of(source="formula")), "1 Domain emergence")
    assert chosen.info[0].value.startswith("LLM #1 was not asked")
    assert not chosen.code


def test_corrections_are_listed_with_what_they_were() -> None:
    correction = Correction(boundary="CD-SD", field="permeability", given=0.2, used=0.92, why="far from the root")
    at = page(turn_of(interaction_of(corrections=(correction,))), "2 Boundary dissolution")
    assert "- Computational – Scientific, permeability: 0.20 → 0.92. far from the root" in text(at)
    # √(0.95 · 0.92) = 0.93
    assert list(at.table[0].value["Permeability"])[2] == "**0.93**"


def test_interfaces_come_with_their_numbers_and_their_four_texts() -> None:
    interaction = interaction_of()
    at = page(turn_of(interaction), "3 Interface attention")
    table = at.table[0].value
    assert list(table["Priority"]) == [f"**{entry.priority:.2f}**" for entry in interaction.interfaces]
    assert list(table["Primary quality"]) == [entry.primary_quality for entry in interaction.interfaces]
    for name in ("Invitation", "Attention", "Resonance", "Emergence"):
        assert text(at).count(f":gray[{name}]") == 6


def test_each_transcendent_boundary_has_a_radar_of_its_seven_qualities() -> None:
    interaction = interaction_of()
    radars = charts(page(turn_of(interaction), "4 Quality emergence"))[1:]
    assert [radar["r"][:7] for radar in radars] == [
        list(entry.model_dump(exclude={"boundary"}).values()) for entry in interaction.qualities
    ]


def test_what_is_empty_says_why() -> None:
    at = page(turn_of(interaction_of({"CD": 0.1}, reply="")), *ALL_STAGES)
    notes = [info.value for info in at.info]
    nothing = "No boundary is above 0.8: the most permeable one, Computational – Scientific, is at 0.00."
    assert notes.count(nothing) == 2, "qualities and anchors"
    assert "No boundary is important or permeable enough for this message." in notes
    assert "**No pattern**: there was no reply." in text(at)
    assert "**No pattern**: no domain is engaged above 0.5." in text(
        page(turn_of(interaction_of(POOR)), "6 Continuity")
    )
    assert any("one Transcendent boundary (there are none)" in value.value for value in at.markdown)


@pytest.mark.parametrize(
    ("reached", "transcendent", "mean", "words"),
    [
        (DevelopmentalStage.TRANSCENDENCE, 6, 0.9, "**Transcendence** is the highest there is."),
        (
            DevelopmentalStage.INTEGRATION,
            1,
            0.55,
            "**Integration**. The next one, Generation, would need 2 Transcendent boundaries (there is one) and a mean "
            "emergence above 0.6 (it is 0.55).",
        ),
        (
            DevelopmentalStage.RECURSION,
            6,
            0.72,
            "**Recursion**. The next one, Transcendence, would need a mean emergence above 0.8 (it is 0.72).",
        ),
        (
            DevelopmentalStage.RECOGNITION,
            0,
            0.5,
            "**Recognition**. The next one, Integration, would need one Transcendent boundary (there are none) and a "
            "mean emergence above 0.5 there.",
        ),
    ],
)
def test_the_next_developmental_stage_says_what_it_would_need(
    reached: DevelopmentalStage, transcendent: int, mean: float, words: str
) -> None:
    assert next_rung_in_words(reached, transcendent, mean) == words


def test_a_message_that_was_stopped_has_a_line_instead() -> None:
    at = page(turn_of(None, stopped=True))
    assert "did not come to its end" in at.caption[0].value
    assert not at.expander


def test_hostile_text_is_shown_as_text() -> None:
    attempt = BROKEN.model_copy(update={"error": HOSTILE, "raw_text": HOSTILE, "model": HOSTILE})
    interaction = interaction_of(
        message=HOSTILE,
        reasoning=HOSTILE,
        patterns=(HOSTILE,),
        attempts=(attempt,),
        corrections=(Correction(boundary=HOSTILE, field="status", given=HOSTILE, used="x", why=HOSTILE),),
    )
    at = page(turn_of(interaction), *ALL_STAGES, download=True)
    cells = [cell for table in at.table for cell in table.value.astype(str).to_numpy().ravel()]
    for shown in (*labels(at), *cells, text(at)):
        assert "![" not in shown
        assert "$x$" not in shown
        assert not re.search(r"(?<!\\):red\[", shown)
    assert all(not element.allow_html for element in (*at.markdown, *at.caption))
    assert HOSTILE in [code.value for code in at.code], "a raw answer is shown as it is"
    assert any("&lt;/message&gt;" in code.value for code in at.code), "in the prompt it was escaped"


# ── Downloads ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_interaction_can_be_taken_along_as_json_and_comes_back_whole() -> None:
    interaction = interaction_of()
    at = page(turn_of(interaction), download=True)
    assert Interaction.model_validate_json(at.code[0].value) == interaction
    assert _downloads.file_name(interaction, "interaction", "json") == f"vif-{interaction.id[:8]}-interaction.json"


def test_the_downloads_are_made_only_when_they_are_opened() -> None:
    assert not page(turn_of(interaction_of())).get("download_button")
    assert len(page(turn_of(interaction_of()), download=True).get("download_button")) == 2


def test_a_file_name_has_only_characters_that_any_system_takes() -> None:
    interaction = interaction_of().model_copy(update={"id": "../../etc/passwd"})
    assert _downloads.file_name(interaction, "Radar", "html") == "vif-etcpassw-radar.html"


def test_an_exported_figure_needs_nothing_else_and_holds_no_live_text() -> None:
    interaction = interaction_of(message=HOSTILE)
    for what in _downloads.exported_figures(interaction):
        exported = _downloads.as_page(interaction, what)
        assert "<script>alert" not in exported
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in exported
        assert not re.search(r"<(script|link|img)[^>]+(src|href)=", exported), "nothing is fetched"
        assert len(exported) > 1_000_000, "Plotly is in it"
        assert f'"filename": "vif-{interaction.id[:8]}-{what.lower()}"' in exported


def test_the_exported_figures_have_the_light_palette_and_the_readings_numbers() -> None:
    interaction = interaction_of()
    made = _downloads.exported_figures(interaction)
    assert list(made) == ["Radar", "Boundaries", "Volume", "Time"]
    radar = made["Radar"]()
    assert radar.layout.paper_bgcolor == "#FFFFFF"
    (read,) = [trace for trace in radar.data if trace.name == "LLM #1"]
    assert list(read.r)[:4] == [0.95, 0.9, 0.85, 0.92]
    assert "LLM #1" not in [
        trace.name for trace in _downloads.exported_figures(interaction_of(source="formula"))["Radar"]().data
    ]
