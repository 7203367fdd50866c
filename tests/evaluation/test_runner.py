"""Runs in virtual time: whose turn it is, what is kept, what a budget stops. No socket, no thread, no waiting."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

import pytest

from tests.fakes import FakeModel, answer, in_virtual_time, loop_time
from vif.api import VifApi
from vif.catalogue import cost_usd
from vif.domains import Domain
from vif.errors import AuthError, InputError, ModelError, ServerError
from vif.evaluation.plan import config_of, estimated_cost, make_run
from vif.evaluation.records import Progress, Result, Run, Subject
from vif.evaluation.runner import Event, Runner, Stopped
from vif.evaluation.suite import Case, Suite
from vif.llm.protocol import Provider, Usage
from vif.recognition.recogniser import Question, Read
from vif.store import StoreError

LUNA, HAIKU = "openai:gpt-6-luna", "anthropic:claude-haiku-5-5"
Key = tuple[str, str, int]


@dataclass
class Reader:
    """A rung that takes its time, and fails for the messages it is told to fail for."""

    seconds: float = 0.1
    usage: Usage = field(default_factory=Usage)
    failing: Callable[[str], ModelError | None] = lambda _: None
    model: str = "gpt-6-luna"
    provider: Provider = Provider.OPENAI
    attempts: int | None = 1
    questions: list[Question] = field(default_factory=list)
    begun_s: list[float] = field(default_factory=list)
    under_way: int = 0
    most: int = 0

    async def read(self, question: Question, complaint: str | None, timeout_s: float) -> Read:
        self.questions.append(question)
        self.begun_s.append(loop_time())
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.under_way -= 1
        if error := self.failing(question.message):
            raise error
        return Read(answer(), self.usage)

    async def aclose(self) -> None: ...


class Memory:
    """Keeps results in a dictionary."""

    def __init__(self, fails_at: int | None = None, seconds: float = 0.0) -> None:
        self.runs: dict[str, Run] = {}
        self.kept: dict[Key, Result] = {}
        self.fails_at, self.seconds = fails_at, seconds
        self.on_the_way = self.most_on_the_way = 0

    async def save_run(self, run: Run) -> None:
        self.runs.setdefault(run.id, run)

    async def add_result(self, run_id: str, result: Result) -> None:
        assert run_id in self.runs
        assert result.key not in self.kept, "measured twice"
        if self.seconds:
            self.on_the_way += 1
            self.most_on_the_way = max(self.most_on_the_way, self.on_the_way)
            await asyncio.sleep(self.seconds)
            self.on_the_way -= 1
        if len(self.kept) == self.fails_at:
            raise StoreError("the disk is full")
        self.kept[result.key] = result

    async def results(self, id: str) -> Sequence[Result]:
        return tuple(self.kept.values())


def suite(count: int) -> Suite:
    return Suite("made", tuple(Case(id=f"c{number}", message=f"message {number}") for number in range(count)))


def apis(run: Run, readers: Mapping[str, Reader]) -> dict[str, VifApi]:
    """A connection for each subject, with its own settings and a reader of ours behind it."""
    made = {}
    for subject in run.subjects:
        config = config_of(run, subject)
        if subject.formula:
            made[subject.name] = VifApi(FakeModel(), config)
        else:
            made[subject.name] = VifApi.with_dual_llm(readers[subject.name], FakeModel(), config)
    return made


def carried_out(
    run: Run,
    readers: Mapping[str, Reader],
    memory: Memory,
    *,
    concurrency: int = 8,
    budget_usd: float | None = None,
    until: Callable[[Event, Runner], bool] = lambda _event, _runner: False,
) -> tuple[list[Event], float]:
    """The events up to the one that `until` is true for, and the virtual seconds it took."""

    async def main() -> tuple[list[Event], float]:
        runner = Runner(
            run, apis(run, readers), memory, concurrency=concurrency, budget_usd=budget_usd, clock=loop_time
        )
        events: list[Event] = []
        async with aclosing(runner.run()) as stream:
            async for event in stream:
                events.append(event)
                if until(event, runner):
                    break
        return events, loop_time()

    return in_virtual_time(main)


def results(events: Sequence[Event]) -> list[Result]:
    return [event for event in events if isinstance(event, Result)]


def last_progress(events: Sequence[Event]) -> Progress:
    return [event for event in events if isinstance(event, Progress)][-1]


def test_the_next_call_does_not_wait_for_the_database() -> None:
    run, reader = make_run(suite(12), [LUNA]), Reader()
    memory = Memory(seconds=0.08)
    _, seconds = carried_out(run, {LUNA: reader}, memory, concurrency=4)
    # Three rounds of calls, and the last results on their way: 3 × 0.1 + 0.08. Waiting each time: 3 × 0.18 = 0.54.
    assert seconds == pytest.approx(0.38, abs=0.01)
    assert (reader.most, len(memory.kept)) == (4, 12)


def test_a_slow_database_does_not_pile_up_answers_that_could_be_lost() -> None:
    run, reader = make_run(suite(12), [LUNA]), Reader()
    memory = Memory(seconds=1.0)
    carried_out(run, {LUNA: reader}, memory, concurrency=2)
    assert reader.most == 2
    assert memory.most_on_the_way <= 4
    assert len(memory.kept) == 12


def test_every_case_is_read_by_every_subject_as_often_as_planned_and_each_reading_is_kept() -> None:
    run = make_run(suite(3), [LUNA, HAIKU, "formula"], repeats=2)
    memory = Memory()
    events, _ = carried_out(run, {LUNA: Reader(), HAIKU: Reader()}, memory)
    expected = {
        (f"c{case}", name, repeat) for case in range(3) for name in (LUNA, HAIKU, "formula") for repeat in (0, 1)
    }
    assert set(memory.kept) == expected
    assert {result.key for result in results(events)} == expected
    assert len(results(events)) == run.total == 18
    first, last = events[0], events[-1]
    assert (first, last) == (Progress(0, 18, 0, 0.0, None), Progress(18, 18, 0, 0.0, 0.0))


def test_a_result_holds_the_reading_the_formula_and_the_time_it_took() -> None:
    run = make_run(suite(1), [LUNA, "formula"], autonomy=0.5)
    memory = Memory()
    carried_out(run, {LUNA: Reader(seconds=0.25)}, memory)
    # The formula is weight × autonomy: 0.8, 0.7, 0.6 and 0.9 times 0.5. CuD, at 0.3, does not emerge; it still counts.
    formula = {Domain.CD: 0.4, Domain.SD: 0.35, Domain.CUD: 0.3, Domain.ED: 0.45}
    read = memory.kept["c0", LUNA, 0]
    assert read.domains == {Domain.CD: 0.9, Domain.SD: 0.4, Domain.CUD: 0.1, Domain.ED: 0.2}
    assert read.formula == pytest.approx(formula)
    assert read.added_ms == pytest.approx(250)
    assert read.recognition is not None
    assert (read.recognition.source, read.read, len(read.boundaries)) == ("llm1", True, 6)
    by_formula = memory.kept["c0", "formula", 0]
    assert by_formula.domains == pytest.approx(formula)
    assert by_formula.read


def test_the_state_before_is_given_to_who_reads() -> None:
    previous = {Domain.CD: 0.2, Domain.ED: 0.7}
    run = make_run(Suite("made", (Case(id="follow-up", message="And then?", previous=previous),)), [LUNA])
    reader, memory = Reader(), Memory()
    carried_out(run, {LUNA: reader}, memory)
    assert reader.questions[0].previous == {"CD": 0.2, "ED": 0.7}
    found = memory.kept["follow-up", LUNA, 0].recognition
    assert found is not None
    assert found.shifts == {"CD": 0.7, "SD": 0.4, "ED": -0.5}  # .9 − .2, .4 − nothing, .2 − .7


def test_a_repeat_is_asked_again_and_never_remembered() -> None:
    reader = Reader()
    carried_out(make_run(suite(1), [LUNA], repeats=5), {LUNA: reader}, Memory())
    assert len(reader.questions) == 5


def test_75_calls_of_100_ms_with_16_at_once_take_five_rounds() -> None:
    reader = Reader(seconds=0.1)
    _, seconds = carried_out(make_run(suite(15), [LUNA], repeats=5), {LUNA: reader}, Memory(), concurrency=16)
    assert reader.most == 16
    assert seconds == pytest.approx(0.5)  # ⌈75 / 16⌉ = 5 rounds


def test_a_slow_subject_delays_no_other() -> None:
    slow, quick = Reader(seconds=4), Reader(seconds=0.1)
    run = make_run(suite(20), [LUNA, HAIKU])
    _, seconds = carried_out(run, {LUNA: slow, HAIKU: quick}, Memory(), concurrency=4)
    # Two places each: the quick one begins its last call after 9 rounds, and then the slow one has all four places.
    assert quick.begun_s[-1] == pytest.approx(0.9)
    assert slow.most == 4
    # Two calls of 4 s begin at 0, 4, 8, 12 and 16 s, and two more a second after each: the last 2 of 20 end at 21 s.
    assert seconds == pytest.approx(21)


def test_a_model_of_this_process_is_asked_one_message_at_a_time() -> None:
    reader = Reader(provider=Provider.EMBEDDED)
    carried_out(make_run(suite(6), ["offline"]), {"offline": reader}, Memory())
    assert reader.most == 1


def test_the_time_left_is_that_of_the_calls_that_are_left() -> None:
    events, _ = carried_out(make_run(suite(8), [LUNA]), {LUNA: Reader(seconds=3)}, Memory(), concurrency=2)
    # Pairs of 3 s. After each pair: 6, 4, 2 and 0 calls are left, and two of them take 3 s.
    assert [event.left_s for event in events if isinstance(event, Progress)] == pytest.approx([None, 9, 6, 3, 0])


# ── Failures ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_reading_that_failed_is_a_result_and_counts_as_failed() -> None:
    def failing(message: str) -> ModelError | None:
        return ServerError("down") if message == "message 1" else None

    memory = Memory()
    events, _ = carried_out(make_run(suite(3), [LUNA]), {LUNA: Reader(failing=failing)}, memory)
    failed = memory.kept["c1", LUNA, 0]
    assert failed.recognition is not None
    assert (failed.read, failed.recognition.source, failed.recognition.fallback_reason) == (
        False,
        "formula",
        "server_error",
    )
    assert last_progress(events).failed == 1
    assert not isinstance(events[-1], Stopped)


def test_many_failures_in_a_row_never_leave_a_model_unasked() -> None:
    reader, memory = Reader(failing=lambda _: ServerError("down")), Memory()
    carried_out(make_run(suite(40), [LUNA]), {LUNA: reader}, memory)
    reasons = Counter(r.recognition.fallback_reason for r in memory.kept.values() if r.recognition)
    assert (len(reader.questions), reasons) == (40, {"server_error": 40})


def test_a_wrong_key_ends_that_subject_only_and_its_failures_are_not_kept_as_measurements() -> None:
    run, memory = make_run(suite(20), [LUNA, HAIKU]), Memory()
    locked = Reader(failing=lambda _: AuthError("the key was refused"))
    events, _ = carried_out(run, {LUNA: locked, HAIKU: Reader()}, memory, concurrency=4)
    assert len(locked.questions) == 2  # those that were under way when the first came back
    assert {subject for _, subject, _ in memory.kept} == {HAIKU}
    assert last_progress(events).done == len(memory.kept) == 20
    assert events[-1] == Stopped(f"{LUNA} cannot be asked: the key was refused")
    mended = Reader()
    events, _ = carried_out(run, {LUNA: mended, HAIKU: Reader()}, memory)
    assert (len(mended.questions), last_progress(events).done) == (20, 40)


def test_a_result_that_cannot_be_kept_ends_the_run_with_what_went_wrong() -> None:
    reader = Reader()
    with pytest.raises(StoreError, match="the disk is full"):
        carried_out(make_run(suite(20), [LUNA]), {LUNA: reader}, Memory(fails_at=3), concurrency=2)
    # Two rounds of two were answered, and one more was asked before the disk told of the third.
    assert (len(reader.questions), reader.under_way) == (5, 0)


# ── Stopping and going on ───────────────────────────────────────────────────────────────────────────────────────────


def test_whoever_leaves_keeps_what_is_finished_and_later_only_the_rest_is_asked() -> None:
    run, memory = make_run(suite(10), [LUNA], repeats=2), Memory()
    first, second = Reader(), Reader()
    events, _ = carried_out(
        run,
        {LUNA: first},
        memory,
        concurrency=3,
        until=lambda event, _: isinstance(event, Progress) and event.done >= 7,
    )
    kept = set(memory.kept)
    assert {result.key for result in results(events)} <= kept
    assert 7 <= len(kept) < 20
    assert first.under_way == 0  # the calls that were under way are ended, not forgotten
    events, _ = carried_out(run, {LUNA: second}, memory, concurrency=3)
    assert events[0] == Progress(len(kept), 20, 0, 0.0, None)
    assert {result.key for result in results(events)} == set(memory.kept) - kept
    assert len(second.questions) == 20 - len(kept)
    assert len(memory.kept) == 20


def test_a_stop_waits_for_the_calls_that_are_under_way() -> None:
    reader, memory = Reader(), Memory()

    def stop_at_four(event: Event, runner: Runner) -> bool:
        if isinstance(event, Progress) and event.done == 4:
            runner.stop()
        return False

    events, _ = carried_out(make_run(suite(20), [LUNA]), {LUNA: reader}, memory, concurrency=4, until=stop_at_four)
    # The next four had begun when the first four were told of.
    assert len(reader.questions) == len(memory.kept) == 8
    assert events[-1] == Stopped("it was stopped")


def test_a_run_that_is_complete_asks_nobody() -> None:
    run, memory = make_run(suite(3), [LUNA]), Memory()
    carried_out(run, {LUNA: Reader()}, memory)
    reader = Reader()
    events, _ = carried_out(run, {LUNA: reader}, memory)
    assert events == [Progress(3, 3, 0, 0.0, None)]
    assert reader.questions == []


def test_a_run_of_another_prompt_is_not_gone_on_with() -> None:
    run = make_run(suite(1), [LUNA])
    older = run.model_copy(update={"versions": {**run.versions, "prompt": "0123456789abcdef"}})
    with pytest.raises(InputError, match=r"begun with the prompt 0123456789abcdef, and this version has"):
        carried_out(older, {LUNA: Reader()}, Memory())


# ── Budgets ─────────────────────────────────────────────────────────────────────────────────────────────────────────

DEAR = Usage(input_tokens=4_000, output_tokens=2_000)


def price(usage: Usage) -> float:
    cost = cost_usd(Provider.OPENAI, "gpt-6-luna", usage)
    assert cost
    return cost


def test_a_budget_below_the_estimate_is_refused_before_the_first_call() -> None:
    run, reader = make_run(suite(10), [LUNA], repeats=3), Reader()
    estimate = estimated_cost(run).usd
    with pytest.raises(InputError, match=r"the budget is \$.*but the calls are estimated at \$.*raise the budget"):
        carried_out(run, {LUNA: reader}, Memory(), budget_usd=estimate * 0.99)
    assert reader.questions == []
    events, _ = carried_out(run, {LUNA: reader}, Memory(), budget_usd=estimate)
    assert last_progress(events).done == 30


def test_no_budget_can_be_kept_for_a_model_without_a_price() -> None:
    name = "openai:somebody-elses-finetune"
    run = make_run(suite(2), [name])
    assert estimated_cost(run).unpriced == (name,)
    with pytest.raises(InputError, match=r"the price of 'openai:somebody-elses-finetune' is not known"):
        carried_out(run, {name: Reader(model="somebody-elses-finetune")}, Memory(), budget_usd=1)


def test_calls_that_cost_more_than_estimated_are_stopped_when_the_budget_is_reached() -> None:
    run, memory = make_run(suite(40), [LUNA]), Memory()
    budget = estimated_cost(run).usd
    assert price(DEAR) > 2 * budget / 40
    reader = Reader(usage=DEAR)
    events, _ = carried_out(run, {LUNA: reader}, memory, concurrency=4, budget_usd=budget)
    spent = last_progress(events).spent_usd
    assert spent == pytest.approx(len(memory.kept) * price(DEAR))
    # What was under way when the money ran out may cost more than it was taken for, and nothing else.
    assert budget - price(DEAR) <= spent <= budget + 4 * price(DEAR)
    assert isinstance(events[-1], Stopped)
    assert "does not cover another call" in events[-1].why
    again = Reader(usage=DEAR)
    with pytest.raises(InputError, match="is spent already"):
        carried_out(run, {LUNA: again}, memory, budget_usd=budget)
    assert again.questions == []


# ── Plans ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_estimate_counts_prompt_schema_message_and_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    short = Suite("made", (Case(id="a", message=""),))
    long = Suite("made", (Case(id="a", message="x" * 4_000),))
    once, longer, thrice = (
        estimated_cost(make_run(short, [LUNA])).usd,
        estimated_cost(make_run(long, [LUNA])).usd,
        estimated_cost(make_run(short, [LUNA], repeats=3)).usd,
    )
    # 4,000 more bytes are 1,000 more tokens.
    assert longer - once == pytest.approx(price(Usage(1_000, 0)))
    assert thrice == pytest.approx(3 * once)
    assert once > price(Usage(0, 300))
    assert estimated_cost(make_run(short, ["formula", "offline"])).usd == 0


def test_a_preset_is_recorded_with_all_that_decides_how_it_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(suite(1), ["reliable", LUNA, "formula"])
    settings = run.subjects[0].settings
    assert settings["llm1_secondary"] == "anthropic:claude-haiku-5-5"
    assert (settings["llm1_max_retries"], settings["llm1_embedded"]) == (3, True)
    assert {"vif", "python", "prompt", "openai", "anthropic", "xllamacpp", "embedded_head"} == set(run.versions)
    # What is set later changes nothing in a run that is taken up again.
    monkeypatch.setenv("VIF_LLM1_MODEL", "gpt-5.6-luna")
    monkeypatch.setenv("VIF_LLM1_SECONDARY", "openai:gpt-5.6-luna")
    again = Run.model_validate_json(run.model_dump_json())
    configs = [config_of(again, subject) for subject in again.subjects[:2]]
    assert [str(reader) for reader in configs[0].recognisers] == [
        "openai:gpt-6-luna",
        "anthropic:claude-haiku-5-5",
        "embedded:SmolLM2-135M-Instruct",
    ]
    assert [str(reader) for reader in configs[1].recognisers] == ["openai:gpt-6-luna"]
    assert not any(config.enable_caching for config in configs)


@pytest.mark.parametrize(
    ("names", "repeats", "autonomy", "said"),
    [
        ([], 1, 0.5, "nobody is named to read the suite"),
        (["balanced", "balanced"], 1, 0.5, "'balanced' is named twice"),
        (["blanced"], 1, 0.5, r"'blanced' cannot read a suite; name a preset \(balanced, fast"),
        (["acme:model"], 1, 0.5, "provider:model with provider one of openai, anthropic"),
        (["openai:" + "x" * 300], 1, 0.5, "has 307 characters; at most 200"),
        (["formula"], 0, 0.5, "repeats is 0; it must be from 1 to 100"),
        (["formula"], 1, 2.0, "autonomy is 2.0; it must be a number from 0 to 1"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(names: list[str], repeats: int, autonomy: float, said: str) -> None:
    with pytest.raises(InputError, match=said):
        make_run(suite(1), names, repeats=repeats, autonomy=autonomy)


def test_a_subject_without_a_connection_and_impossible_limits_are_refused() -> None:
    run = make_run(suite(1), [LUNA])
    ready = apis(run, {LUNA: Reader()})
    with pytest.raises(InputError, match="no connection for 'openai:gpt-6-luna'"):
        Runner(run, {}, Memory())
    with pytest.raises(InputError, match="concurrency is 0"):
        Runner(run, ready, Memory(), concurrency=0)
    for budget in (-1.0, float("nan")):
        with pytest.raises(InputError, match="it must be an amount in US dollars"):
            Runner(run, ready, Memory(), budget_usd=budget)


def test_a_subject_with_settings_of_its_own_is_connected_with_them() -> None:
    subject = Subject(name="patient", settings={"llm1_provider": "openai", "llm1_model": "m", "llm1_timeout_ms": 9_000})
    run = make_run(suite(1), ["formula"]).model_copy(update={"subjects": (subject,)})
    config = config_of(run, subject)
    assert (str(config.llm1), config.llm1_timeout_ms) == ("openai:m", 9_000)
