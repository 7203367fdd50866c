from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Sequence
from typing import Any

import pytest
from pydantic import SecretStr

from tests.fakes import FakeClock, FakeModel, FakeRecogniser, Plan, Said, answer, hang, wire_answer, wire_text
from vif.api import LONGEST_MESSAGE, VifApi, formula_reading
from vif.boundaries import BOUNDARY_NAMES, DEFAULT_BOUNDARIES, Boundary
from vif.config import Access, DualLlmConfig, load_config
from vif.connection import connect
from vif.errors import AuthError, ConfigError, ConnectError, InputError, Reason, RecognitionError, ServerError
from vif.events import (
    Event,
    Finished,
    FormulaRead,
    Recognised,
    ReplyDelta,
    ReplyFailed,
    ReplyStarted,
    StageFinished,
    StageStarted,
)
from vif.flow import Conclusion, FlowContext, Stage
from vif.interaction import Interaction, Response
from vif.llm.protocol import Provider, Usage
from vif.recognition.reading import shifts
from vif.recognition.recogniser import Read

KEY = SecretStr("sk-proj-Zq3vT8mWx1LrYb6NdKf0")


def dual(llm1: Any, *llm2: Plan, **settings: Any) -> VifApi:
    return VifApi.with_dual_llm(llm1, FakeModel(*llm2), DualLlmConfig(**settings))


async def events_of(api: VifApi, message: str = "Why?", **arguments: Any) -> list[Event]:
    return [event async for event in api.stream(message, **arguments)]


def shown(events: Sequence[Event]) -> list[str]:
    """The events in short: a stage by its number, a piece of the reply by its text."""
    names = []
    for event in events:
        if isinstance(event, StageStarted):
            names.append(f"started {event.stage.number}")
        elif isinstance(event, StageFinished):
            names.append(f"finished {event.stage.number}")
        else:
            names.append(event.text if isinstance(event, ReplyDelta) else type(event).__name__)
    return names


def outcome_of(events: Sequence[Event]) -> tuple[Interaction, Response]:
    """What the last event brings."""
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.interaction.response is not None
    return last.interaction, last.interaction.response


READ = ["FormulaRead", "started 1", "started 2", "Recognised", "finished 1", "finished 2"]
SHAPED = ["finished 3", "finished 4", "finished 5", "ReplyStarted"]
CONCLUDED = ["finished 6", "finished 7", "Finished"]


# ── Events ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_events_of_a_success_come_in_order() -> None:
    events = await events_of(dual(FakeRecogniser(answer()), Said(("One ", "two."))))
    assert shown(events) == [*READ, *SHAPED, "One ", "two.", *CONCLUDED]


async def test_a_failure_before_the_first_word_is_told_and_the_interaction_is_finished() -> None:
    events = await events_of(dual(FakeRecogniser(answer()), ServerError("busy"), llm2_max_retries=0))
    assert shown(events) == [*READ, *SHAPED, "ReplyFailed", *CONCLUDED]
    (failed,) = (event for event in events if isinstance(event, ReplyFailed))
    assert failed.message == "busy"
    interaction, response = outcome_of(events)
    assert (interaction.reply, response.error, interaction.patterns) == ("", "busy", ())
    assert interaction.domains == answer().domains  # the reading is still there


async def test_a_failure_after_the_first_word_keeps_what_was_said() -> None:
    events = await events_of(dual(FakeRecogniser(answer()), Said(("One ",), then=ConnectError("cut off"))))
    assert shown(events) == [*READ, *SHAPED, "One ", "ReplyFailed", *CONCLUDED]
    interaction, response = outcome_of(events)
    assert (interaction.reply, response.error) == ("One ", "cut off")


async def test_a_second_responder_takes_over_unnoticed() -> None:
    first, other = FakeModel(ServerError("busy")), FakeModel("Because.", model="gpt-6.1-sol")
    events = await events_of(VifApi([first, other]))
    assert shown(events) == [*READ, *SHAPED, "Because.", *CONCLUDED]
    _, response = outcome_of(events)
    assert (response.model, response.error) == ("gpt-6.1-sol", None)


async def test_each_event_carries_what_its_stage_made() -> None:
    events = await events_of(dual(FakeRecogniser(answer()), "Because."))
    formula, recognised, finished = (
        next(event for event in events if isinstance(event, kind)) for kind in (FormulaRead, Recognised, Finished)
    )
    assert isinstance(formula, FormulaRead)
    assert isinstance(recognised, Recognised)
    assert isinstance(finished, Finished)
    assert formula.formula == finished.interaction.formula
    assert recognised.recognition == finished.interaction.recognition
    data = {event.stage: event.data for event in events if isinstance(event, StageFinished)}
    assert data[Stage.DOMAINS] is data[Stage.BOUNDARIES] is recognised.reading
    context, conclusion = data[Stage.INTEGRATION], data[Stage.EVOLUTION]
    assert data[Stage.INTERFACES] is data[Stage.QUALITIES] is context
    assert isinstance(context, FlowContext)
    assert context.prompt == finished.interaction.prompt
    assert data[Stage.CONTINUITY] is conclusion
    assert isinstance(conclusion, Conclusion)
    assert conclusion.developmental_stage is finished.interaction.developmental_stage


async def test_the_responder_is_named_before_it_is_asked() -> None:
    events = await events_of(VifApi(FakeModel("Because.", provider=Provider.LOCAL, model="llama")))
    (started,) = (event for event in events if isinstance(event, ReplyStarted))
    assert (started.provider, started.model) == ("local", "llama")


async def test_the_formula_is_read_before_any_model_is_asked() -> None:
    rung = FakeRecogniser(answer())
    stream = dual(rung, "Because.").stream("Why?")
    assert isinstance(await anext(stream), FormulaRead)
    assert rung.questions == []
    await stream.aclose()


# ── Stopping ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_closing_the_stream_early_stops_the_responder() -> None:
    model = FakeModel(Said(("One ", "two ", "three")))
    stream = VifApi(model).stream("Why?")
    async for event in stream:
        if isinstance(event, ReplyDelta):
            break
    assert model.streams_closed == 0
    await stream.aclose()
    assert model.streams_closed == 1


async def test_cancelling_stops_the_recogniser_and_asks_nobody_else() -> None:
    entered, cancelled = asyncio.Event(), asyncio.Event()

    async def patient() -> Read:
        entered.set()
        try:
            return await hang()  # type: ignore[no-any-return]
        except asyncio.CancelledError:
            cancelled.set()
            raise

    responder = FakeModel("Because.")
    task = asyncio.create_task(VifApi.with_dual_llm(FakeRecogniser(patient), responder).process("Why?"))
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cancelled.is_set()
    assert responder.requests == []


async def test_cancelling_stops_the_responder() -> None:
    entered, cancelled = asyncio.Event(), asyncio.Event()

    async def patient(_: object) -> Said:
        entered.set()
        try:
            return await hang()  # type: ignore[no-any-return]
        except asyncio.CancelledError:
            cancelled.set()
            raise

    other = FakeModel("Because.")
    task = asyncio.create_task(VifApi([FakeModel(patient), other]).process("Why?"))
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cancelled.is_set()
    assert other.requests == []


# ── Formula mode ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_in_formula_mode_the_message_changes_nothing_of_the_reading() -> None:
    api = VifApi(FakeModel("One.", "Two."))
    one, other = await api.process("How do I implement quicksort?"), await api.process("What does love feel like?")
    assert api.mode == one.mode == "formula"
    assert (
        one.domains == other.domains == {"CD": 0.44000000000000006, "SD": 0.385, "CuD": 0.33, "ED": 0.49500000000000005}
    )
    assert one.boundaries == other.boundaries
    assert (one.recognition.source, one.recognition.fallback_reason, one.recognition.attempts) == ("formula", None, ())
    assert one.developmental_stage == "Recognition"


async def test_in_formula_mode_a_dropped_domain_is_missing_and_the_formula_still_shows_it() -> None:
    interaction = await VifApi(FakeModel("One.")).process("Why?", autonomy=0.4)
    # 0.8·0.4 = 0.32 and 0.9·0.4 = 0.36 stay; 0.28 and 0.24 do not
    assert interaction.domains == pytest.approx({"CD": 0.32, "ED": 0.36})
    assert interaction.formula.domains.model_dump() == pytest.approx({"CD": 0.32, "SD": 0.28, "CuD": 0.24, "ED": 0.36})


async def test_the_oscillation_of_the_boundaries_is_passed_through() -> None:
    given = [Boundary(name, frequency=2.0, amplitude=0.5, phase=1.0) for name in BOUNDARY_NAMES]
    rung = FakeRecogniser(answer(), provider=Provider.OPENAI)
    for api in (VifApi(FakeModel("One.")), dual(FakeModel(wire_text()), "One.")):
        interaction = await api.process("Why?", boundaries=given)
        assert {(b.frequency, b.amplitude, b.phase) for b in interaction.boundaries} == {(2.0, 0.5, 1.0)}
        assert {(b.frequency, b.amplitude, b.phase) for b in interaction.formula.boundaries} == {(2.0, 0.5, 1.0)}
    await dual(rung, "One.").process("Why?", boundaries=given)
    assert rung.questions[0].boundaries == tuple(given)


async def test_autonomy_is_the_settings_unless_it_is_said() -> None:
    api = VifApi(FakeModel("One.", "Two."), DualLlmConfig(autonomy=0.25))
    assert (await api.process("Why?")).autonomy == 0.25
    assert (await api.process("Why?", autonomy=0.0)).autonomy == 0.0
    assert api.config.autonomy == 0.25


@pytest.mark.parametrize("autonomy", [-0.1, 1.1, math.nan])
async def test_autonomy_outside_its_range_is_refused_before_anybody_is_asked(autonomy: float) -> None:
    rung, responder = FakeRecogniser(answer()), FakeModel("One.")
    with pytest.raises(InputError, match="autonomy is"):
        await VifApi.with_dual_llm(rung, responder).process("Why?", autonomy)
    assert (rung.questions, responder.requests) == ([], [])


# ── Dual mode ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_in_dual_mode_the_reading_is_llm_1s_and_the_formula_stands_beside_it() -> None:
    api = dual(FakeRecogniser(answer(CD=0.95)), "Because.")
    interaction = await api.process("Why?")
    assert api.mode == interaction.mode == "dual"
    assert interaction.domains == {"CD": 0.95, "SD": 0.4, "CuD": 0.1, "ED": 0.2}
    assert interaction.formula == formula_reading(0.55)
    assert interaction.recognition.source == "llm1"


async def test_a_chat_model_can_be_llm_1() -> None:
    chat = FakeModel(wire_text())
    interaction = await dual(chat, "Because.").process("Why?")
    assert interaction.domains == wire_answer()["domains"]
    assert chat.requests[0].output_schema is not None


async def test_oscillation_of_llm_1_reaches_the_flow_when_it_is_asked_for() -> None:
    value = wire_answer()
    for boundary in value["boundaries"].values():
        boundary.update(frequency=2.0, amplitude=0.5, phase=1.0)
    chat = FakeModel(json.dumps(value), json.dumps(value))
    on = await dual(chat, "One.", llm1_oscillation=True).process("Why?")
    assert {(b.frequency, b.amplitude, b.phase) for b in on.boundaries} == {(2.0, 0.5, 1.0)}
    off = await dual(chat, "One.").process("Why?")
    assert {(b.frequency, b.amplitude, b.phase) for b in off.boundaries} == {(1.0, 0.1, 0.0)}


async def test_when_llm_1_fails_the_formula_reads_and_the_interaction_says_why() -> None:
    interaction = await dual(FakeRecogniser(AuthError("wrong key")), "Because.").process("Why?")
    assert (interaction.mode, interaction.recognition.source) == ("dual", "formula")
    assert interaction.recognition.fallback_reason is Reason.AUTH
    assert [attempt.error for attempt in interaction.recognition.attempts] == ["wrong key"]
    assert interaction.domains == (await VifApi(FakeModel("One.")).process("Why?")).domains
    assert interaction.reply == "Because."


async def test_without_the_formula_to_fall_back_to_the_failure_is_raised() -> None:
    responder = FakeModel("Because.")
    api = VifApi.with_dual_llm(
        [FakeRecogniser(AuthError("wrong key")), FakeRecogniser(AuthError("also wrong"))],
        responder,
        DualLlmConfig(fallback_to_formula=False),
    )
    with pytest.raises(RecognitionError, match="LLM #1 gave no reading: also wrong") as caught:
        await api.process("Why?")
    assert caught.value.reason is Reason.AUTH
    assert responder.requests == []


async def test_without_any_rung_that_is_what_the_error_says() -> None:
    with pytest.raises(RecognitionError, match="no recogniser is configured"):
        await dual([], "Because.", fallback_to_formula=False).process("Why?")


async def test_recognising_alone_asks_nobody_for_a_reply() -> None:
    responder = FakeModel()
    reading, recognition = await VifApi.with_dual_llm(FakeRecogniser(answer()), responder).recognise("Why?")
    assert (reading.domains, reading.boundaries) == (answer().domains, answer().boundaries)
    assert recognition.source == "llm1"
    assert responder.requests == []
    reading, recognition = await VifApi(responder).recognise("Why?")
    assert recognition.source == "formula"


# ── Conversation ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_previous_interaction_is_context_for_both_models() -> None:
    rung, responder = FakeRecogniser(answer(CD=0.9), answer(CD=0.5)), FakeModel("Because.", "Still.")
    api = VifApi.with_dual_llm(rung, responder)
    first = await api.process("Why?")
    second = await api.process("And now?", previous=first)
    assert [question.previous for question in rung.questions] == [None, first.domains]
    assert [(turn.role, turn.text) for turn in responder.requests[1].turns[:-1]] == [
        ("user", "<message>\nWhy?\n</message>"),
        ("assistant", "Because."),
    ]
    # CD moved from 0.9 to 0.5, the others not at all.
    assert second.recognition.shifts == pytest.approx({"CD": -0.4})
    assert first.recognition.shifts == {}


async def test_a_previous_interaction_without_a_reply_is_no_history() -> None:
    responder = FakeModel(ServerError("busy"), "Because.")
    api = VifApi(responder)
    failed = await api.process("Why?")
    await api.process("And now?", previous=failed)
    assert len(responder.requests[1].turns) == 1


def test_a_shift_is_more_than_three_tenths_either_way() -> None:
    before = {"CD": 0.5, "SD": 0.5, "CuD": 0.25, "ED": 0.75}
    now = {"CD": 0.875, "SD": 0.125, "CuD": 0.5, "ED": 0.5}
    assert shifts(before, now) == {"CD": 0.375, "SD": -0.375}
    assert shifts(None, now) == {}
    assert shifts({"CD": 0.0, "SD": 0.9}, {"CD": 0.3, "SD": 0.6}) == {}  # exactly 0.3 is not more
    assert shifts({"CD": 0.5}, {}) == {"CD": -0.5}  # a domain that was dropped counts 0


# ── Messages ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("message", ["", " ", "\x00\x1b", "😀" * 10, "x" * LONGEST_MESSAGE])
async def test_any_text_is_a_message(message: str) -> None:
    assert (await VifApi(FakeModel("One.")).process(message)).message == message


async def test_a_message_can_be_too_long() -> None:
    with pytest.raises(InputError, match="the message has 200,001 characters; at most 200,000 can be read"):
        await VifApi(FakeModel()).process("x" * (LONGEST_MESSAGE + 1))


async def test_half_a_character_is_no_text() -> None:
    for call in (VifApi(FakeModel()).process, VifApi(FakeModel()).recognise):
        with pytest.raises(InputError, match="character 3 is half a character"):
            await call("ab\ud800")


# ── The record ──────────────────────────────────────────────────────────────────────────────────────────────────────

KEYS = {
    "": "id created_at message mode preset autonomy domains boundaries formula interfaces qualities patterns anchors "
    "developmental_stage prompt reply recognition response timings_ms",
    "boundaries.0": "name permeability status frequency amplitude phase",
    "formula": "domains boundaries",
    "formula.domains": "CD SD CuD ED",
    "formula.boundaries.0": "name permeability status frequency amplitude phase",
    "interfaces.0": "boundary priority activation_strength resonates_with rhythm primary_quality invitation attention "
    "resonance emergence",
    "qualities.0": "boundary clarity depth openness precision fluidity resonance coherence",
    "recognition": "source provider model reasoning patterns corrections fallback_reason attempts latency_ms cost_usd "
    "cache_hit",
    "recognition.attempts.0": "provider model outcome error latency_ms input_tokens output_tokens cost_usd",
    "response": "provider model latency_ms first_token_ms input_tokens output_tokens cost_usd finish_reason error",
    "timings_ms": "recognise flow respond store total",
}
"""The stable contract: these keys at least."""


async def rich_interaction() -> Interaction:
    """One with something in every list: CD and ED at 1 make CD-ED Transcendent."""
    value = wire_answer(domains={"CD": 1.0, "SD": 0.25, "CuD": 0.25, "ED": 1.0})
    api = dual(FakeModel(json.dumps(value)), Said(("Because ", "so.")), preset_name="reliable")
    return await api.process("Why?")


@pytest.mark.parametrize("path", KEYS)
async def test_the_json_has_the_keys_of_the_contract(path: str) -> None:
    value = json.loads((await rich_interaction()).model_dump_json())
    for step in filter(None, path.split(".")):
        value = value[int(step)] if step.isdigit() else value[step]
    assert not set(KEYS[path].split()) - value.keys()


async def test_the_json_comes_back_as_the_same_interaction() -> None:
    interaction = await rich_interaction()
    assert Interaction.model_validate_json(interaction.model_dump_json()) == interaction
    assert (interaction.preset, interaction.reply, interaction.patterns) == ("reliable", "Because so.", ("CD + ED",))
    assert [anchor.boundary for anchor in interaction.anchors] == ["CD-ED"]
    # 5 of the 6 given permeabilities of 0.25 are off: √(1·0.25) = 0.5 four times and √(1·1) = 1.
    assert len([c for c in interaction.recognition.corrections if c.field == "permeability"]) == 5
    assert interaction.developmental_stage == "Integration"


BROKEN = "a\ud83db"
"""Half a character, as JSON can carry it."""


def broken_status() -> dict[str, Any]:
    value = wire_answer()
    value["boundaries"]["CD-SD"]["status"] = BROKEN
    return value


@pytest.mark.parametrize(
    ("llm1", "llm2"),
    [
        (wire_text(reasoning=BROKEN, patterns=[BROKEN]), "One."),
        (json.dumps(broken_status()), "One."),
        (f"{BROKEN} {wire_text()}", "One."),
        (ServerError(BROKEN, raw_text=BROKEN), "One."),
        (wire_text(), BROKEN),
        (wire_text(), ServerError(BROKEN)),
        (wire_text(), Said(("One.",), model=BROKEN)),
    ],
)
async def test_half_a_character_from_a_model_does_not_spoil_the_record(llm1: Plan, llm2: Plan) -> None:
    interaction = await dual(FakeModel(llm1), llm2, llm1_max_retries=0, llm2_max_retries=0).process("Why?")
    text = interaction.model_dump_json()
    assert "a\ufffdb" in text
    assert Interaction.model_validate_json(text) == interaction


async def test_times_are_measured_by_the_clock() -> None:
    api = VifApi(FakeModel(Said(("One",))))
    api._clock = FakeClock().ticking(0.001)
    interaction = await api.process("Why?")
    timings = interaction.timings_ms
    # Every look at the clock takes 1 ms; one look per stage from 3 to 7 makes 5 ms of flow.
    assert timings.flow == pytest.approx(5.0)
    assert timings.recognise == pytest.approx(1.0)
    assert timings.store == 0.0
    assert timings.total > timings.recognise + timings.flow + timings.respond
    assert interaction.response is not None
    assert 0.0 < (interaction.response.first_token_ms or 0.0) < interaction.response.latency_ms < timings.respond


async def test_the_cost_of_both_models_is_kept() -> None:
    llm1 = FakeModel(Said((wire_text(),), usage=Usage(1200, 300)))
    interaction = await dual(llm1, Said(("One",), usage=Usage(2400, 600))).process("Why?")
    assert interaction.recognition.cost_usd == pytest.approx(0.00027)
    assert interaction.response is not None
    assert interaction.response.cost_usd == pytest.approx(0.00054)


# ── Life ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_many_messages_are_processed_at_once() -> None:
    gate = asyncio.Barrier(20)

    async def together(_: object) -> Said:
        await gate.wait()  # nobody gets past before all twenty are there
        return Said(("One",))

    api = VifApi(FakeModel(*[together] * 20))
    interactions = await asyncio.gather(*(api.process(str(number)) for number in range(20)))
    assert [interaction.message for interaction in interactions] == [str(number) for number in range(20)]
    assert len({interaction.id for interaction in interactions}) == 20


async def test_closing_closes_every_model_and_may_be_done_twice() -> None:
    rung, first, other = FakeRecogniser(), FakeModel(), FakeModel()
    api = VifApi.with_dual_llm(rung, [first, other])
    await api.aclose()
    await api.aclose()
    assert (rung.closed, first.closed, other.closed) == (2, 2, 2)
    alone = FakeModel()
    await VifApi(alone).aclose()
    assert alone.closed == 1


# ── Connecting ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_connecting_opens_a_client_for_every_model_of_the_settings() -> None:
    access = Access(openai_api_key=KEY, anthropic_api_key=KEY)
    api = connect(DualLlmConfig.preset("reliable"), access)
    assert api.mode == "dual"
    assert api._ladder is not None
    assert [rung.provider for rung in api._ladder._rungs] == ["openai", "anthropic", "embedded"]
    assert [(model.provider, model.model) for model in api._responders] == [
        ("anthropic", "claude-sonnet-5-5"),
        ("openai", "gpt-6.1-sol"),
    ]
    await api.aclose()


async def test_connecting_for_the_formula_opens_no_recogniser() -> None:
    api = connect(DualLlmConfig.preset("balanced"), Access(anthropic_api_key=KEY), mode="formula")
    assert api.mode == "formula"
    await api.aclose()


def test_connecting_without_a_key_is_refused() -> None:
    with pytest.raises(ConfigError, match="OPENAI_API_KEY is not set"):
        connect(DualLlmConfig.preset("balanced"))


def test_the_formulas_reading_has_all_four_domains_and_six_boundaries() -> None:
    found = formula_reading(0.5)
    # CuD is 0.6·0.5 = 0.3, not kept by stage 1 and shown all the same; its boundaries are at 0.
    assert found.domains.model_dump() == {"CD": 0.4, "SD": 0.35, "CuD": 0.3, "ED": 0.45}
    assert [boundary.name for boundary in found.boundaries] == list(BOUNDARY_NAMES)
    assert found.boundaries[1] == Boundary("CD-CuD", 0.0)
    assert formula_reading(0.5, DEFAULT_BOUNDARIES) == found


# ── Answering again ─────────────────────────────────────────────────────────────────────────────────────────────────


async def again(api: VifApi, interaction: Interaction, **changes: Any) -> Interaction:
    *_, last = [event async for event in api.answer_again(interaction, **changes)]
    assert isinstance(last, Finished)
    return last.interaction


async def test_another_answer_asks_only_llm_2_and_keeps_the_reading() -> None:
    llm1, llm2 = FakeModel(wire_text()), FakeModel("One.", "Two.")
    api = VifApi.with_dual_llm(llm1, llm2)
    first = await api.process("Why?")
    second = await again(api, first)
    assert (len(llm1.requests), len(llm2.requests)) == (1, 2)
    assert (second.reply, second.domains, second.recognition) == ("Two.", first.domains, first.recognition)
    assert second.prompt == first.prompt
    assert second.id != first.id


async def test_another_oscillation_changes_what_comes_after_the_reading() -> None:
    engaged = wire_text(domains=dict.fromkeys(("CD", "SD", "CuD", "ED"), 0.6))
    api = VifApi.with_dual_llm(FakeModel(engaged), FakeModel("One.", "Two."))
    first = await api.process("Why?")
    apart = [Boundary(b.name, frequency=0.4 * i, amplitude=0.3) for i, b in enumerate(first.boundaries)]
    second = await again(api, first, boundaries=apart)
    assert [b.permeability for b in second.boundaries] == [b.permeability for b in first.boundaries]
    assert [b.frequency for b in second.boundaries] == [b.frequency for b in apart]
    assert second.interfaces != first.interfaces


async def test_the_same_message_can_be_answered_from_the_formula() -> None:
    api = VifApi.with_dual_llm(FakeModel(wire_text()), FakeModel("One.", "Two."))
    first = await api.process("Why?", 0.5)
    second = await again(api, first, from_formula=True)
    assert (second.mode, second.recognition.source) == ("formula", "formula")
    assert second.domains == pytest.approx({"CD": 0.4, "SD": 0.35, "ED": 0.45})  # CuD, 0.3, is not above 0.3
    assert second.prompt != first.prompt


class Slow(FakeModel):
    """A model that has something to do before its first call."""

    prepared = 0

    async def prepare(self) -> None:
        self.prepared += 1


async def test_warming_up_prepares_every_model_and_asks_none() -> None:
    llm1, llm2 = Slow(wire_text()), Slow("One.")
    await VifApi.with_dual_llm(llm1, llm2).warm_up()
    assert (llm1.prepared, llm2.prepared) == (1, 1)
    assert llm1.requests == llm2.requests == []


async def test_what_cannot_be_prepared_is_told_when_it_is_needed() -> None:
    class Broken(Slow):
        async def prepare(self) -> None:
            raise ServerError("no weights")

    api = VifApi.with_dual_llm(Broken(wire_text()), FakeModel("One."))
    await api.warm_up()
    assert (await api.process("Why?")).reply == "One."


def test_it_says_in_one_line_who_reads_and_who_answers_and_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-nobody-may-see-this")
    config = load_config("balanced", llm1_provider="openai", llm2_provider="openai", llm2_model="gpt-6-luna")
    said = repr(connect(config))
    assert said.startswith("<VifApi: read by openai:")
    assert said.endswith("; answered by openai:gpt-6-luna>")
    assert "nobody" not in said
