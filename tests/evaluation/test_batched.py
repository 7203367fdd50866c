"""Runs through the batch interfaces: the real SDKs against a stand-in over a real socket, kept in a real database."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import FakeModel, FakeRecogniser, answer
from tests.wire.batches import BatchStandin
from tests.wire.calls import KEYS
from tests.wire.plans import READING, Plan, Tokens, fail, out_of_range, refuse, say, truncated
from vif.api import VifApi
from vif.config import Access
from vif.domains import Domain
from vif.errors import InputError, ServerError
from vif.evaluation import batched as module
from vif.evaluation.batch import BatchJob, batch_cost_usd, custom_id
from vif.evaluation.batch_anthropic import AnthropicBatch
from vif.evaluation.batch_openai import OpenAIBatch
from vif.evaluation.batched import BatchedRunner, open_jobs
from vif.evaluation.course import Course, Job
from vif.evaluation.keeping import EvaluationStore
from vif.evaluation.plan import config_of, estimated_cost, make_run
from vif.evaluation.records import Batch, Progress, Result, Run
from vif.evaluation.runner import Event, Runner, Stopped
from vif.evaluation.suite import Case, Suite
from vif.llm.protocol import Provider, Request, Usage
from vif.recognition.recogniser import Recogniser
from vif.store import Store, StoreError

LUNA, HAIKU = "openai:gpt-6-luna", "anthropic:claude-haiku-5-5"
USED = Tokens(fresh=1_200, output=300)


@pytest.fixture(scope="module")
def server() -> Iterator[BatchStandin]:
    with BatchStandin() as standin:
        yield standin


@pytest.fixture
def standin(server: BatchStandin, monkeypatch: pytest.MonkeyPatch) -> BatchStandin:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    server.reset()
    for held in (server.batches, server.files, server.calls, server.refusals):
        held.clear()
    return server


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[EvaluationStore]:
    store = Store(f"sqlite:///{tmp_path / 'vif.sqlite3'}")
    yield EvaluationStore(store)
    store.close()


def build(name: str, standin: BatchStandin) -> OpenAIBatch | AnthropicBatch:
    """The model of a subject, with batches and without."""
    provider, _, model = name.partition(":")
    if provider == "openai":
        return OpenAIBatch(model, api_key=KEYS[provider], base_url=standin.base_url("openai"), effort="none")
    return AnthropicBatch(model, api_key=KEYS[provider], base_url=standin.base_url("anthropic"))


@pytest.fixture
async def jobs(standin: BatchStandin) -> AsyncIterator[dict[str, BatchJob]]:
    made: dict[str, BatchJob] = {name: build(name, standin) for name in (LUNA, HAIKU)}
    yield made
    for job in made.values():
        await job.aclose()


both = pytest.mark.parametrize("name", [LUNA, HAIKU])


def suite(count: int) -> Suite:
    return Suite("made", tuple(Case(id=f"c{number}", message=f"message {number}") for number in range(count)))


def reading(activation: float) -> str:
    """An answer in which nothing has to be corrected: all four activations, and so all √(a·b), are the same."""
    boundary = {"permeability": activation, "status": "Maintained"}
    return json.dumps(
        {
            **READING,
            "domains": dict.fromkeys(("CD", "SD", "CuD", "ED"), activation),
            "boundaries": dict.fromkeys(("CD-SD", "CD-CuD", "CD-ED", "SD-CuD", "SD-ED", "CuD-ED"), boundary),
        }
    )


class Meanwhile:
    """A sleep that takes no time and does what is next on its list."""

    def __init__(self, *acts: Callable[[], None]) -> None:
        self.acts = list(acts)
        self.slept: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)
        if self.acts:
            self.acts.pop(0)()


def ending(standin: BatchStandin, plans: Mapping[tuple[str, str, int], Plan] | None = None, **how: Any) -> Meanwhile:
    """After the first poll everything that is under way ends. Plans are by case, subject and repeat."""
    planned = {custom_id(*key): plan for key, plan in (plans or {}).items()}

    def end() -> None:
        for batch in standin.batches.values():
            if batch.status == "in_progress":
                standin.end(batch.id, plans=planned, **how)

    return Meanwhile(end)


def stopped_in_its_first_sleep(run: Run, jobs: Mapping[str, BatchJob], keeper: EvaluationStore) -> BatchedRunner:
    sleep = Meanwhile()
    runner = BatchedRunner(run, jobs, keeper, sleep=sleep)
    sleep.acts.append(runner.stop)
    return runner


async def events_of(runner: Runner, until: Callable[[Event], bool] = lambda _: False) -> list[Event]:
    events: list[Event] = []
    async with aclosing(runner.run()) as stream:
        async for event in stream:
            events.append(event)
            if until(event):
                break
    return events


def results(events: Sequence[Event]) -> list[Result]:
    return [event for event in events if isinstance(event, Result)]


def last_progress(events: Sequence[Event]) -> Progress:
    return [event for event in events if isinstance(event, Progress)][-1]


def handed_over(standin: BatchStandin) -> int:
    """How many requests the provider has taken in batches, in all."""
    return sum(len(batch.requests) for batch in standin.batches.values())


def api(run: Run, name: str, recogniser: Recogniser | None = None, model: Any = None) -> VifApi:
    subject = next(subject for subject in run.subjects if subject.name == name)
    config = config_of(run, subject)
    if subject.formula:
        return VifApi(FakeModel(), config)
    return VifApi.with_dual_llm(recogniser or model, FakeModel(), config)


# ── Readings ────────────────────────────────────────────────────────────────────────────────────────────────────────


@both
async def test_each_answer_becomes_the_result_it_belongs_to_whatever_their_order(
    name: str, standin: BatchStandin, keeper: EvaluationStore, jobs: dict[str, BatchJob]
) -> None:
    run = make_run(suite(3), [name], repeats=2)
    values = {(f"c{case}", name, repeat): (1 + case + 3 * repeat) / 10 for case in range(3) for repeat in (0, 1)}
    sleep = ending(standin, {key: say(reading(value), tokens=USED) for key, value in values.items()})
    runner = BatchedRunner(run, {name: jobs[name]}, keeper, sleep=sleep, poll_s=30.0)
    events = await events_of(runner)
    kept = {result.key: result for result in await keeper.results(run.id)}
    assert {key: result.domains[Domain.SD] for key, result in kept.items() if result.domains} == values
    assert {result.key for result in results(events)} == set(values)
    assert sleep.slept == [30.0]
    price = batch_cost_usd(jobs[name].provider, jobs[name].model, Usage(1_200, 300))
    assert price
    assert events[0] == Progress(0, 6, 0, 0.0, None)
    last = last_progress(events)
    assert (last.done, last.total, last.failed, last.left_s) == (6, 6, 0, None)
    assert last.spent_usd == pytest.approx(6 * price)
    assert events[-1] == last  # nothing is missing, so nothing was stopped
    (batch,) = await keeper.batches(run.id)
    assert (batch.subject, batch.provider, batch.collected) == (name, jobs[name].provider, True)


@both
async def test_a_batch_asks_and_reads_exactly_as_single_calls_do_but_for_time_and_price(
    name: str, standin: BatchStandin, keeper: EvaluationStore, jobs: dict[str, BatchJob]
) -> None:
    cases = (
        Case(id="first", message="How do I implement quicksort?"),
        Case(id="next", message="“ß”\u2028🙂", previous={Domain.CD: 0.2, Domain.ED: 0.7}),
    )
    run = make_run(Suite("made", cases), [name])
    config = config_of(run, run.subjects[0]).model_copy(update={"llm1_timeout_ms": 60_000, "llm1_deadline_ms": 60_000})
    called = run.model_copy(update={"id": "called"})
    directly = VifApi.with_dual_llm(build(name, standin), FakeModel(), config)
    await events_of(Runner(called, {name: directly}, keeper, concurrency=1))
    await directly.aclose()
    await events_of(BatchedRunner(run, {name: jobs[name]}, keeper, sleep=ending(standin)))
    (batch,) = standin.batches.values()
    assert list(batch.requests.values()) == [request.body for request in standin.requests]

    calls, answers = await keeper.results("called"), await keeper.results(run.id)
    for call, batched in zip(sorted(calls, key=by_case), sorted(answers, key=by_case), strict=True):
        assert (call.batched, batched.batched) == (False, True)
        assert (call.added_ms > 0, batched.added_ms) == (True, 0.0)
        assert (batched.domains, batched.boundaries, batched.formula) == (call.domains, call.boundaries, call.formula)
        assert batched.recognition
        assert call.recognition
        left_out = {"latency_ms", "cost_usd", "attempts"}
        assert batched.recognition.model_dump(exclude=left_out) == call.recognition.model_dump(exclude=left_out)
        assert batched.recognition.latency_ms == 0
        assert batched.recognition.cost_usd == pytest.approx((call.recognition.cost_usd or 0) / 2)
        (attempt,), (own,) = call.recognition.attempts, batched.recognition.attempts
        assert own.cost_usd == pytest.approx((attempt.cost_usd or 0) / 2)
        assert own.cost_usd
        same = {"latency_ms": 0.0, "started_ms": 0.0, "cost_usd": own.cost_usd}
        assert own == attempt.model_copy(update=same)
    # .95 − .2, .3 − nothing is not more than .3, .2 − .7
    assert next(r for r in answers if r.case_id == "next").recognition.shifts == {"CD": 0.75, "ED": -0.5}  # type: ignore[union-attr]


def by_case(result: Result) -> str:
    return result.case_id


@both
async def test_an_unusable_answer_is_a_failed_reading_with_its_reason_and_is_not_asked_again(
    name: str, standin: BatchStandin, keeper: EvaluationStore, jobs: dict[str, BatchJob]
) -> None:
    run = make_run(suite(6), [name])
    plans = {
        "c0": say("How lovely!", tokens=USED),
        "c1": out_of_range(),
        "c2": truncated('{"reas'),
        "c3": refuse(),
        "c4": fail(500, "down"),
    }
    sleep = ending(standin, {(case, name, 0): plan for case, plan in plans.items()})
    events = await events_of(BatchedRunner(run, {name: jobs[name]}, keeper, sleep=sleep))
    kept = {result.case_id: result for result in await keeper.results(run.id)}
    found = {case: result.recognition for case, result in kept.items() if result.recognition}
    assert {case: recognition.fallback_reason for case, recognition in found.items()} == {
        "c0": "invalid_json",
        "c1": "schema",
        "c2": "truncated",
        "c3": "refusal",
        "c4": "server_error",
        "c5": None,
    }
    assert [case for case, result in kept.items() if result.read] == ["c5"]
    assert all(len(recognition.attempts) == 1 for recognition in found.values())
    assert "How lovely!" in found["c0"].attempts[0].raw_text
    # An answer that cannot be used is paid for as well; a request that failed is not.
    assert found["c0"].cost_usd == batch_cost_usd(jobs[name].provider, jobs[name].model, Usage(1_200, 300))
    assert found["c4"].cost_usd == 0
    assert last_progress(events).failed == 5
    assert handed_over(standin) == 6


@both
async def test_a_request_the_results_do_not_mention_is_a_failed_reading(
    name: str, standin: BatchStandin, keeper: EvaluationStore, jobs: dict[str, BatchJob]
) -> None:
    run = make_run(suite(2), [name])
    sleep = ending(standin, lost={custom_id("c1", name, 0)})
    await events_of(BatchedRunner(run, {name: jobs[name]}, keeper, sleep=sleep))
    by_id = {result.case_id: result for result in await keeper.results(run.id)}
    assert (by_id["c0"].read, by_id["c1"].read) == (True, False)


@pytest.mark.parametrize("how", ["expired", "cancelled"])
@both
async def test_what_a_batch_left_unasked_is_no_result_and_is_asked_when_the_run_is_run_again(
    name: str, how: str, standin: BatchStandin, keeper: EvaluationStore, jobs: dict[str, BatchJob]
) -> None:
    run = make_run(suite(4), [name])
    untouched = {custom_id(case, name, 0) for case in ("c1", "c3")}
    sleep = ending(standin, untouched=untouched, how=how)
    events = await events_of(BatchedRunner(run, {name: jobs[name]}, keeper, sleep=sleep))
    assert {result.case_id for result in await keeper.results(run.id)} == {"c0", "c2"}
    stopped = events[-1]
    assert isinstance(stopped, Stopped)
    assert stopped.why.startswith("2 of the batch ")
    assert f"the batch {'expired' if how == 'expired' else 'was cancelled'}" in stopped.why
    events = await events_of(BatchedRunner(run, {name: jobs[name]}, keeper, sleep=ending(standin)))
    assert {result.case_id for result in results(events)} == {"c1", "c3"}
    assert (handed_over(standin), last_progress(events).done) == (6, 4)


async def test_a_batch_the_provider_takes_nothing_of_says_why_and_is_handed_over_again_later(
    standin: BatchStandin, keeper: EvaluationStore, jobs: dict[str, BatchJob]
) -> None:
    run = make_run(suite(2), [LUNA])
    sleep = Meanwhile(lambda: standin.fail("batch_1", "Enqueued token limit reached", 1))
    events = await events_of(BatchedRunner(run, {LUNA: jobs[LUNA]}, keeper, sleep=sleep))
    stopped = events[-1]
    assert isinstance(stopped, Stopped)
    assert "line 1: Enqueued token limit reached" in stopped.why
    assert await keeper.results(run.id) == ()
    events = await events_of(BatchedRunner(run, {LUNA: jobs[LUNA]}, keeper, sleep=ending(standin)))
    assert (last_progress(events).done, list(standin.batches)) == (2, ["batch_1", "batch_2"])


async def test_more_than_a_batch_can_hold_goes_into_several(
    standin: BatchStandin, keeper: EvaluationStore, jobs: dict[str, BatchJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_REQUESTS", 2)
    run = make_run(suite(5), [LUNA])
    events = await events_of(BatchedRunner(run, {LUNA: jobs[LUNA]}, keeper, sleep=ending(standin)))
    assert sorted(len(batch.requests) for batch in standin.batches.values()) == [1, 2, 2]
    assert last_progress(events).done == 5
    monkeypatch.setattr(module, "MOST_REQUESTS", 50_000)
    monkeypatch.setattr(module, "MOST_BYTES", 1)  # less than any request: each goes alone
    again = run.model_copy(update={"id": "again"})
    await events_of(BatchedRunner(again, {LUNA: jobs[LUNA]}, keeper, sleep=ending(standin)))
    assert [len(batch.requests) for batch in standin.batches.values()][3:] == [1] * 5


# ── Beside others ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_formula_embedded_and_two_providers_in_one_run(
    standin: BatchStandin, keeper: EvaluationStore, jobs: dict[str, BatchJob]
) -> None:
    run = make_run(suite(3), [LUNA, "formula", "offline", HAIKU], repeats=2)
    embedded = FakeRecogniser(*[answer()] * 6, provider=Provider.EMBEDDED)
    apis = {"formula": api(run, "formula"), "offline": api(run, "offline", embedded)}
    events = await events_of(BatchedRunner(run, jobs, keeper, apis=apis, sleep=ending(standin)))
    kept = await keeper.results(run.id)
    assert len({result.key for result in kept}) == len(kept) == len(results(events)) == run.total == 24
    assert {(result.subject, result.batched) for result in kept} == {
        (LUNA, True),
        (HAIKU, True),
        ("formula", False),
        ("offline", False),
    }
    assert all(result.read for result in kept)
    assert handed_over(standin) == 12
    assert events[-1] == last_progress(events)
    assert all(event.left_s is None for event in events if isinstance(event, Progress) and event.done < 12)


async def test_those_who_are_called_need_not_wait_for_a_batch(
    standin: BatchStandin, keeper: EvaluationStore, jobs: dict[str, BatchJob]
) -> None:
    run = make_run(suite(3), [LUNA, "formula"])
    runner = BatchedRunner(run, {LUNA: jobs[LUNA]}, keeper, apis={"formula": api(run, "formula")})
    # The first sleep would take a minute; nobody is in it when the formula has read.
    events = await events_of(runner, until=lambda event: isinstance(event, Progress) and event.done == 3)
    assert {result.subject for result in results(events)} == {"formula"}


async def test_a_subject_whose_provider_refuses_the_key_hinders_no_other(
    standin: BatchStandin, keeper: EvaluationStore, jobs: dict[str, BatchJob]
) -> None:
    standin.expected_key = KEYS["openai"]
    run = make_run(suite(2), [LUNA, HAIKU])
    events = await events_of(BatchedRunner(run, jobs, keeper, sleep=ending(standin)))
    assert {result.subject for result in await keeper.results(run.id)} == {LUNA}
    stopped = events[-1]
    assert isinstance(stopped, Stopped)
    assert stopped.why.startswith(f"{HAIKU} cannot be asked: ")
    assert "401" in stopped.why
    assert KEYS["anthropic"] not in stopped.why
    standin.expected_key = None
    events = await events_of(BatchedRunner(run, jobs, keeper, sleep=ending(standin)))
    assert (last_progress(events).done, handed_over(standin)) == (4, 4)


@both
async def test_a_key_refused_for_one_request_is_no_measurement_and_is_asked_again_later(
    name: str, standin: BatchStandin, keeper: EvaluationStore, jobs: dict[str, BatchJob]
) -> None:
    run = make_run(suite(2), [name])
    refused = Plan(status=403, message="not for you", kind="permission_error")
    sleep = ending(standin, {("c1", name, 0): refused})
    events = await events_of(BatchedRunner(run, {name: jobs[name]}, keeper, sleep=sleep))
    assert [result.case_id for result in await keeper.results(run.id)] == ["c0"]
    stopped = events[-1]
    assert isinstance(stopped, Stopped)
    assert stopped.why.startswith(f"{name} cannot be asked: ")
    events = await events_of(BatchedRunner(run, {name: jobs[name]}, keeper, sleep=ending(standin)))
    assert (last_progress(events).done, handed_over(standin)) == (2, 3)


async def test_nobody_stands_in_for_the_primary_model_of_a_preset(
    standin: BatchStandin, keeper: EvaluationStore, jobs: dict[str, BatchJob]
) -> None:
    run = make_run(suite(1), ["reliable"])  # with three retries, a second provider and the embedded recogniser
    sleep = ending(standin, {("c0", "reliable", 0): say("How lovely!")})
    await events_of(BatchedRunner(run, {"reliable": jobs[LUNA]}, keeper, sleep=sleep))
    (result,) = await keeper.results(run.id)
    assert result.recognition
    assert [attempt.outcome for attempt in result.recognition.attempts] == ["invalid_json"]
    assert (result.read, result.recognition.source) == (False, "formula")


async def test_without_batches_it_is_a_runner_like_any_other(keeper: EvaluationStore) -> None:
    run = make_run(suite(3), ["formula"])
    events = await events_of(BatchedRunner(run, {}, keeper, apis={"formula": api(run, "formula")}))
    assert events[-1] == last_progress(events)
    assert (last_progress(events).done, [result.batched for result in results(events)]) == (3, [False] * 3)


# ── Going on ────────────────────────────────────────────────────────────────────────────────────────────────────────


@both
async def test_whoever_leaves_while_a_batch_is_under_way_finds_it_again_and_pays_once(
    name: str, standin: BatchStandin, keeper: EvaluationStore, jobs: dict[str, BatchJob]
) -> None:
    run = make_run(suite(3), [name])
    runner = BatchedRunner(run, {name: jobs[name]}, keeper, sleep=Meanwhile())
    polled = iter(range(3))
    events = await events_of(runner, until=lambda event: isinstance(event, Progress) and next(polled) == 2)
    assert results(events) == []
    later = build(name, standin)
    events = await events_of(BatchedRunner(run, {name: later}, keeper, sleep=ending(standin)))
    await later.aclose()
    assert (last_progress(events).done, len(results(events))) == (3, 3)
    assert len(standin.batches) == 1
    assert not any(call.startswith("POST") for call in standin.calls[3:])
    calls = len(standin.calls)
    assert await events_of(BatchedRunner(run, {name: jobs[name]}, keeper)) == [last_progress(events)]
    assert len(standin.calls) == calls  # everything is there: nobody is asked


@both
async def test_a_killed_process_is_taken_up_without_a_new_request(
    name: str, standin: BatchStandin, keeper: EvaluationStore, jobs: dict[str, BatchJob], tmp_path: Path
) -> None:
    run = make_run(suite(3), [name])
    child = subprocess.Popen(  # noqa: ASYNC220  # its first line is waited for in a thread
        [sys.executable, "-c", CHILD, str(tmp_path / "vif.sqlite3"), name, str(standin.base_url(jobs[name].provider))],  # type: ignore[arg-type]
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdin
    assert child.stdout
    child.stdin.write(run.model_dump_json() + "\n")
    child.stdin.flush()
    assert await asyncio.to_thread(child.stdout.readline) == "polled\n"
    child.kill()
    child.communicate()
    assert handed_over(standin) == 3
    events = await events_of(BatchedRunner(run, {name: jobs[name]}, keeper, sleep=ending(standin)))
    assert (last_progress(events).done, handed_over(standin), len(standin.batches)) == (3, 3, 1)


CHILD = """
import asyncio, sys
from vif.evaluation.batch_anthropic import AnthropicBatch
from vif.evaluation.batch_openai import OpenAIBatch
from vif.evaluation.batched import BatchedRunner
from vif.evaluation.keeping import EvaluationStore
from vif.evaluation.records import Run
from vif.store import Store

path, name, base_url = sys.argv[1:]
model = name.partition(":")[2]
job = (OpenAIBatch if "openai" in name else AnthropicBatch)(model, api_key="any", base_url=base_url)

async def sleep(seconds):
    print("polled", flush=True)
    await asyncio.Event().wait()

async def main():
    run = Run.model_validate_json(sys.stdin.readline())
    async for _ in BatchedRunner(run, {name: job}, EvaluationStore(Store("sqlite:///" + path)), sleep=sleep).run():
        pass

asyncio.run(main())
"""


async def test_results_that_were_kept_before_a_crash_are_not_kept_twice(
    standin: BatchStandin, keeper: EvaluationStore, jobs: dict[str, BatchJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 2)
    run = make_run(suite(5), [LUNA])
    runner = BatchedRunner(run, {LUNA: jobs[LUNA]}, keeper, sleep=ending(standin))
    await events_of(runner, until=lambda event: isinstance(event, Result))
    before = await keeper.results(run.id)
    assert 2 <= len(before) <= 5
    events = await events_of(BatchedRunner(run, {LUNA: jobs[LUNA]}, keeper))
    after = await keeper.results(run.id)
    assert (len(after), last_progress(events).done, handed_over(standin)) == (5, 5, 5)
    assert all(result in after for result in before)
    assert [batch.collected for batch in await keeper.batches(run.id)] == [True]


@both
async def test_a_stop_leaves_the_batch_with_the_provider_and_says_how_to_go_on(
    name: str, standin: BatchStandin, keeper: EvaluationStore, jobs: dict[str, BatchJob]
) -> None:
    run = make_run(suite(3), [name])
    runner = stopped_in_its_first_sleep(run, {name: jobs[name]}, keeper)
    events = await events_of(runner)
    (batch_id,) = standin.batches
    provider = jobs[name].provider.value
    assert events[-1] == Stopped(
        f"{name}: the batch {batch_id!r} stays with {provider}; run the run {run.id} again to fetch it"
    )
    assert not any("cancel" in call for call in standin.calls)
    runner._sleep = ending(standin)  # the same object goes on as well
    assert last_progress(await events_of(runner)).done == 3
    assert handed_over(standin) == 3


async def test_a_stop_ends_even_a_long_sleep(
    standin: BatchStandin, keeper: EvaluationStore, jobs: dict[str, BatchJob]
) -> None:
    run = make_run(suite(1), [LUNA])
    runner = BatchedRunner(run, {LUNA: jobs[LUNA]}, keeper, poll_s=86_400)
    progress = iter(range(3))

    def stop_after_the_first_poll(event: Event) -> bool:
        if isinstance(event, Progress) and next(progress) == 1:
            runner.stop()
        return False

    events = await events_of(runner, stop_after_the_first_poll)
    assert isinstance(events[-1], Stopped)


class Slow:
    """Batches whose id is long in coming."""

    def __init__(self, inner: BatchJob) -> None:
        self._inner = inner
        self.there, self.go = asyncio.Event(), asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def submit(self, requests: Mapping[str, Request]) -> str:
        batch_id = await self._inner.submit(requests)
        self.there.set()
        await self.go.wait()
        return batch_id


async def test_whoever_is_interrupted_while_handing_over_still_remembers_the_batch(
    standin: BatchStandin, keeper: EvaluationStore, jobs: dict[str, BatchJob]
) -> None:
    run, slow = make_run(suite(2), [LUNA]), Slow(jobs[LUNA])
    task = asyncio.create_task(events_of(BatchedRunner(run, {LUNA: slow}, keeper)))
    await slow.there.wait()
    task.cancel()
    slow.go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [batch.id for batch in await keeper.batches(run.id)] == ["batch_1"]
    events = await events_of(BatchedRunner(run, {LUNA: jobs[LUNA]}, keeper, sleep=ending(standin)))
    assert (last_progress(events).done, handed_over(standin)) == (2, 2)


async def test_a_stop_before_a_batch_is_handed_over_hands_nothing_over(
    standin: BatchStandin, keeper: EvaluationStore, jobs: dict[str, BatchJob]
) -> None:
    run, slow = make_run(suite(2), [LUNA, HAIKU]), Slow(jobs[LUNA])
    runner = BatchedRunner(run, {LUNA: slow, HAIKU: jobs[HAIKU]}, keeper)
    task = asyncio.create_task(events_of(runner))
    await slow.there.wait()
    runner.stop()
    slow.go.set()
    stopped = (await task)[-1]
    assert isinstance(stopped, Stopped)
    assert f"{HAIKU}: 2 readings were not handed over" in stopped.why
    assert f"{LUNA}: the batch 'batch_1' stays with openai" in stopped.why
    assert list(standin.batches) == ["batch_1"]


class Forgetful(EvaluationStore):
    async def save_batch(self, run_id: str, batch: Batch) -> None:
        raise StoreError("the disk is full")


async def test_a_batch_that_cannot_be_remembered_is_cancelled_and_named(
    standin: BatchStandin, keeper: EvaluationStore, jobs: dict[str, BatchJob]
) -> None:
    run = make_run(suite(2), [LUNA])
    with pytest.raises(StoreError, match=r"'batch_1' is with openai but could not be remembered.*the disk is full"):
        await events_of(BatchedRunner(run, {LUNA: jobs[LUNA]}, Forgetful(keeper._store)))
    assert standin.batches["batch_1"].cancelling


class Full(EvaluationStore):
    async def add_result(self, run_id: str, result: Result) -> None:
        raise StoreError("the disk is full")


async def test_a_reading_that_cannot_be_kept_ends_the_run_and_can_be_fetched_again(
    standin: BatchStandin, keeper: EvaluationStore, jobs: dict[str, BatchJob]
) -> None:
    run = make_run(suite(2), [LUNA])
    with pytest.raises(StoreError, match="the disk is full"):
        await events_of(BatchedRunner(run, {LUNA: jobs[LUNA]}, Full(keeper._store), sleep=ending(standin)))
    events = await events_of(BatchedRunner(run, {LUNA: jobs[LUNA]}, keeper))
    assert (last_progress(events).done, handed_over(standin)) == (2, 2)


class Interrupting(EvaluationStore):
    """Stops the runner in its first moment."""

    runner: BatchedRunner

    async def save_run(self, run: Run) -> None:
        await super().save_run(run)
        self.runner.stop()


async def test_a_stop_in_the_first_moment_waits_for_no_batch_either(
    standin: BatchStandin, keeper: EvaluationStore, jobs: dict[str, BatchJob]
) -> None:
    run = make_run(suite(1), [LUNA])
    await events_of(stopped_in_its_first_sleep(run, {LUNA: jobs[LUNA]}, keeper))
    interrupting = Interrupting(keeper._store)
    interrupting.runner = BatchedRunner(run, {LUNA: jobs[LUNA]}, interrupting, sleep=ending(standin))
    events = await events_of(interrupting.runner)
    assert isinstance(events[-1], Stopped)
    assert await keeper.results(run.id) == ()


async def test_a_provider_out_of_reach_leaves_the_batch_to_be_fetched_later(
    standin: BatchStandin, keeper: EvaluationStore, jobs: dict[str, BatchJob]
) -> None:
    run = make_run(suite(2), [LUNA])
    for _ in range(2):  # the file, the batch
        standin.let_through()
    standin.refuse(403, "not from here")
    events = await events_of(BatchedRunner(run, {LUNA: jobs[LUNA]}, keeper))
    stopped = events[-1]
    assert isinstance(stopped, Stopped)
    assert "not from here; the batch 'batch_1' stays with openai" in stopped.why
    standin.end("batch_1")
    standin.let_through()  # the poll
    standin.refuse(500, "later")
    events = await events_of(BatchedRunner(run, {LUNA: jobs[LUNA]}, keeper))
    assert isinstance(events[-1], Stopped)
    assert "'batch_1' stays with openai" in events[-1].why
    events = await events_of(BatchedRunner(run, {LUNA: jobs[LUNA]}, keeper))
    assert (last_progress(events).done, handed_over(standin)) == (2, 2)


# ── Budgets ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_budget_is_held_against_half_the_price_before_anything_is_handed_over(
    standin: BatchStandin, keeper: EvaluationStore, jobs: dict[str, BatchJob]
) -> None:
    run = make_run(suite(3), [LUNA], repeats=2)
    half = estimated_cost(run, [LUNA]).usd
    assert half == pytest.approx(estimated_cost(run).usd / 2)
    with pytest.raises(InputError, match=r"the budget is \$.*but the calls are estimated at \$"):
        await events_of(BatchedRunner(run, {LUNA: jobs[LUNA]}, keeper, budget_usd=0.99 * half))
    assert standin.calls == []
    runner = BatchedRunner(run, {LUNA: jobs[LUNA]}, keeper, budget_usd=half, sleep=ending(standin))
    assert last_progress(await events_of(runner)).done == 6


async def test_what_is_handed_over_is_paid_for_so_no_budget_keeps_it_from_being_fetched(
    standin: BatchStandin, keeper: EvaluationStore, jobs: dict[str, BatchJob]
) -> None:
    run = make_run(suite(2), [LUNA])
    await events_of(stopped_in_its_first_sleep(run, {LUNA: jobs[LUNA]}, keeper))
    again = BatchedRunner(run, {LUNA: jobs[LUNA]}, keeper, budget_usd=0.0, sleep=ending(standin))
    assert last_progress(await events_of(again)).done == 2


async def test_what_is_with_a_provider_counts_against_the_budget_of_the_rest(
    standin: BatchStandin, keeper: EvaluationStore, jobs: dict[str, BatchJob]
) -> None:
    run = make_run(suite(2), [LUNA, HAIKU])
    part = estimated_cost(run.model_copy(update={"subjects": run.subjects[1:]}), [HAIKU]).usd
    standin.expected_key = KEYS["openai"]
    await events_of(stopped_in_its_first_sleep(run, jobs, keeper))
    standin.expected_key = None
    with pytest.raises(InputError, match="is spent already"):
        await events_of(BatchedRunner(run, jobs, keeper, budget_usd=part))
    assert list(standin.batches) == ["batch_1"]


def test_what_could_not_be_handed_over_is_free_for_others_to_spend() -> None:
    run = make_run(suite(1), [LUNA, HAIKU])
    whole = estimated_cost(run, [LUNA]).usd
    course = Course(run, (), 1, 0.99 * whole, batched=[LUNA])
    jobs = course.take(LUNA)
    assert course.next() is None  # the batch and the call would be 1 % above the budget
    course.give_back(jobs, "nobody took it")
    assert course.next() == Job(run.cases[0], HAIKU, 0)
    assert course.why_incomplete == "nobody took it"


async def test_a_model_without_a_price_is_read_but_keeps_no_budget(
    standin: BatchStandin, keeper: EvaluationStore
) -> None:
    name = "openai:somebody-elses-finetune"
    run, job = make_run(suite(1), [name]), build(name, standin)
    with pytest.raises(InputError, match="the price of 'openai:somebody-elses-finetune' is not known"):
        await events_of(BatchedRunner(run, {name: job}, keeper, budget_usd=1.0))
    assert standin.calls == []
    await events_of(BatchedRunner(run, {name: job}, keeper, sleep=ending(standin)))
    await job.aclose()
    (result,) = await keeper.results(run.id)
    assert result.read
    assert result.recognition
    assert (result.recognition.cost_usd, result.recognition.attempts[0].cost_usd) == (None, None)


# ── What cannot be run ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_run_that_does_not_fit_its_batches_is_refused(standin: BatchStandin, keeper: EvaluationStore) -> None:
    run = make_run(suite(1), [LUNA, "formula"])
    luna, haiku = build(LUNA, standin), build(HAIKU, standin)
    formula = {"formula": api(run, "formula")}
    with pytest.raises(InputError, match="no connection for 'formula'"):
        BatchedRunner(run, {LUNA: luna}, keeper)
    with pytest.raises(InputError, match="batches for 'nobody', which is no subject"):
        BatchedRunner(run, {LUNA: luna, "nobody": luna}, keeper, apis=formula)
    with pytest.raises(InputError, match="batches for 'formula', which is no subject of the run that asks a model"):
        BatchedRunner(run, {LUNA: luna, "formula": luna}, keeper)
    with pytest.raises(InputError, match="are of 'anthropic:claude-haiku-5-5', but it reads with 'openai:gpt-6-luna'"):
        BatchedRunner(run, {LUNA: haiku}, keeper, apis=formula)
    with pytest.raises(InputError, match="poll_s is 0"):
        BatchedRunner(run, {LUNA: luna}, keeper, apis=formula, poll_s=0)


async def test_what_is_with_a_provider_is_not_paid_a_second_time_by_calling(
    standin: BatchStandin, keeper: EvaluationStore, jobs: dict[str, BatchJob]
) -> None:
    run = make_run(suite(1), [LUNA])
    await events_of(stopped_in_its_first_sleep(run, {LUNA: jobs[LUNA]}, keeper))
    silent = FakeRecogniser(ServerError("never asked"))
    with pytest.raises(
        InputError, match=r"readings of 'openai:gpt-6-luna' are with openai as 'batch_1'.*paid for twice"
    ):
        await events_of(BatchedRunner(run, {}, keeper, apis={LUNA: api(run, LUNA, silent)}))


async def test_batches_are_opened_for_the_providers_that_have_them() -> None:
    run = make_run(suite(1), [LUNA, "formula", "offline", HAIKU, "openrouter:openai/gpt-6-luna"])
    keys = {f"{provider}_api_key": KEYS[provider] for provider in ("openai", "anthropic", "openrouter")}
    opened = open_jobs(run, Access.model_validate(keys))
    assert {name: (job.provider, job.model) for name, job in opened.items()} == {
        LUNA: (Provider.OPENAI, "gpt-6-luna"),
        HAIKU: (Provider.ANTHROPIC, "claude-haiku-5-5"),
    }


async def test_a_run_is_deleted_with_its_batches(keeper: EvaluationStore) -> None:
    run = make_run(suite(1), [LUNA])
    batch = Batch(id="batch_1", subject=LUNA, provider=Provider.OPENAI, readings=(("c0", 0),))
    await keeper.save_run(run)
    await keeper.save_batch(run.id, batch)
    await keeper.save_batch(run.id, done := batch.model_copy(update={"collected": True}))
    assert await keeper.batches(run.id) == (done,)
    await keeper.delete_run(run.id)
    assert await keeper.batches(run.id) == ()
