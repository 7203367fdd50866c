"""Batches through the real SDKs, against a stand-in over a real socket."""

from __future__ import annotations

import traceback
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.wire.batches import BatchStandin, How
from tests.wire.calls import KEYS
from tests.wire.plans import READING, Ending, Plan, Tokens, fail, refuse, say
from vif.catalogue import cost_usd
from vif.config import Access, ModelRef
from vif.errors import (
    AuthError,
    BadRequestError,
    ConfigError,
    ConnectError,
    DeadlineError,
    InputError,
    ModelError,
    ModelNotFoundError,
    RateLimitError,
    ServerError,
)
from vif.evaluation.batch import (
    MOST_FAILED_POLLS,
    BatchJob,
    BatchState,
    batch_cost_usd,
    collected,
    custom_id,
    ended,
    open_batch,
)
from vif.evaluation.batch_anthropic import AnthropicBatch
from vif.evaluation.batch_openai import OpenAIBatch
from vif.llm.protocol import Completion, Finish, Provider, Request, Turn, Usage
from vif.recognition.schema import output_schema


@pytest.fixture(scope="module")
def server() -> Iterator[BatchStandin]:
    with BatchStandin() as standin:
        yield standin


@pytest.fixture
def standin(server: BatchStandin, monkeypatch: pytest.MonkeyPatch) -> BatchStandin:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    server.reset()
    server.batches.clear()
    server.files.clear()
    server.calls.clear()
    server.refusals.clear()
    return server


def build(provider: str, standin: BatchStandin) -> OpenAIBatch | AnthropicBatch:
    key = KEYS[provider]
    if provider == "openai":
        return OpenAIBatch("gpt-6-luna", api_key=key, base_url=standin.base_url("openai"), effort="none")
    return AnthropicBatch("claude-haiku-5-5", api_key=key, base_url=standin.base_url("anthropic"))


@pytest.fixture(params=["openai", "anthropic"])
async def job(request: pytest.FixtureRequest, standin: BatchStandin) -> AsyncIterator[BatchJob]:
    """The batches of each provider in turn; the stand-in accepts only its key."""
    standin.expected_key = KEYS[request.param]
    made = build(request.param, standin)
    yield made
    await made.aclose()


@pytest.fixture
async def openai(standin: BatchStandin) -> AsyncIterator[OpenAIBatch]:
    made = build("openai", standin)
    assert isinstance(made, OpenAIBatch)
    yield made
    await made.aclose()


@pytest.fixture
async def anthropic(standin: BatchStandin) -> AsyncIterator[AnthropicBatch]:
    made = build("anthropic", standin)
    assert isinstance(made, AnthropicBatch)
    yield made
    await made.aclose()


def question(message: str) -> Request:
    return Request("You read one message.", (Turn("user", message),), 800, 5.0, output_schema(False))


THREE = {name: question(f"Message {name} – “ß”\u2028🙂") for name in ("a", "b", "c")}


async def test_all_answers_come_back_under_their_own_ids_whatever_their_order(
    job: BatchJob, standin: BatchStandin
) -> None:
    batch_id = await job.submit(THREE)
    standin.end(batch_id, plans={"b": say("β\u2028γ", tokens=Tokens(fresh=100, output=9, cache_read=20))})
    answers = await job.results(batch_id)
    assert [answer.custom_id for answer in answers] == ["c", "b", "a"]
    told = await collected(job, batch_id, list(THREE))
    assert list(told) == ["a", "b", "c"]
    second = told["b"]
    assert isinstance(second, Completion)
    assert (second.text, second.model, second.finish) == ("β\u2028γ", job.model, Finish.STOP)
    assert second.usage == Usage(input_tokens=120, output_tokens=9, cache_read_tokens=20)


async def test_a_request_in_a_batch_is_what_the_same_request_is_as_a_call_of_its_own(
    job: BatchJob, standin: BatchStandin
) -> None:
    batch_id = await job.submit(THREE)
    assert isinstance(job, (OpenAIBatch, AnthropicBatch))
    for request in THREE.values():
        await job.complete(request)
    assert list(standin.batches[batch_id].requests.values()) == [seen.body for seen in standin.requests]


async def test_polling_tells_how_far_a_batch_is(job: BatchJob, standin: BatchStandin) -> None:
    batch_id = await job.submit(THREE)
    before = await job.poll(batch_id)
    assert (before.id, before.phase) == (batch_id, "working")
    assert (before.total, before.left) == (3, 3)
    standin.end(batch_id, plans={"b": fail(500)})
    after = await job.poll(batch_id)
    assert (after.phase, after.total, after.succeeded, after.failed, after.left) == ("ended", 3, 2, 1, 0)


async def test_a_restart_needs_nothing_but_the_id(job: BatchJob, standin: BatchStandin) -> None:
    batch_id = await job.submit(THREE)
    await job.aclose()
    standin.end(batch_id)
    later = build(job.provider.value, standin)
    told = await collected(later, batch_id, list(THREE))
    await later.aclose()
    assert all(isinstance(outcome, Completion) for outcome in told.values())


@pytest.mark.parametrize(
    ("plan", "kind"),
    [
        (Plan(status=400, message="bad", kind="invalid_request_error"), BadRequestError),
        (Plan(status=401, message="bad", kind="authentication_error"), AuthError),
        (Plan(status=404, message="bad", kind="not_found_error"), ModelNotFoundError),
        (Plan(status=429, message="bad", kind="rate_limit_error"), RateLimitError),
        (Plan(status=500, message="bad", kind="api_error"), ServerError),
    ],
    ids=["400", "401", "404", "429", "500"],
)
async def test_a_failed_request_fails_alone_and_as_it_would_have_in_a_call(
    job: BatchJob, standin: BatchStandin, plan: Plan, kind: type[ModelError]
) -> None:
    batch_id = await job.submit(THREE)
    standin.end(batch_id, plans={"b": plan})
    told = await collected(job, batch_id, list(THREE))
    assert isinstance(told["a"], Completion)
    assert isinstance(told["c"], Completion)
    assert type(told["b"]) is kind
    assert "bad" in str(told["b"])
    assert job.model in str(told["b"])


@pytest.mark.parametrize(("how", "words"), [("expired", "expired after 24 hours"), ("cancelled", "was cancelled")])
async def test_what_was_answered_before_a_batch_expired_or_was_cancelled_is_kept(
    job: BatchJob, standin: BatchStandin, how: How, words: str
) -> None:
    batch_id = await job.submit(THREE)
    standin.end(batch_id, untouched={"b", "c"}, how=how)
    state = await job.poll(batch_id)
    assert (state.phase, state.succeeded, state.failed, state.left) == ("ended", 1, 2, 0)
    told = await collected(job, batch_id, list(THREE))
    assert isinstance(told["a"], Completion)
    for name in ("b", "c"):
        assert isinstance(told[name], DeadlineError)
        assert words in str(told[name])


async def test_a_batch_of_which_nothing_was_asked_has_no_answers_but_reasons(
    job: BatchJob, standin: BatchStandin
) -> None:
    batch_id = await job.submit(THREE)
    standin.end(batch_id, untouched=set(THREE), how="expired")
    told = await collected(job, batch_id, list(THREE))
    assert {type(outcome) for outcome in told.values()} == {DeadlineError}


async def test_a_refusal_and_a_truncated_answer_are_completions_that_say_so(
    job: BatchJob, standin: BatchStandin
) -> None:
    batch_id = await job.submit(THREE)
    plans = {"a": refuse("I cannot."), "b": Plan(text='{"dom', finish="length"), "c": Plan(ending=Ending.EARLY)}
    standin.end(batch_id, plans=plans)
    told = await collected(job, batch_id, list(THREE))
    finishes = [outcome.finish for outcome in told.values() if isinstance(outcome, Completion)]
    assert finishes == [Finish.REFUSAL, Finish.LENGTH, Finish.CUT]


async def test_a_request_the_results_do_not_mention_has_failed(job: BatchJob, standin: BatchStandin) -> None:
    batch_id = await job.submit(THREE)
    standin.end(batch_id, lost={"b"})
    told = await collected(job, batch_id, list(THREE))
    assert isinstance(told["b"], ServerError)
    assert "do not mention this request" in str(told["b"])
    assert isinstance(told["c"], Completion)


async def test_results_cannot_be_had_before_the_end(job: BatchJob, standin: BatchStandin) -> None:
    batch_id = await job.submit(THREE)
    with pytest.raises(InputError, match="in_progress"):
        await job.results(batch_id)
    with pytest.raises(InputError, match="in_progress"):
        await job.delete(batch_id)


async def test_a_cancelled_batch_is_cancelled_once_and_an_ended_one_is_left_alone(
    job: BatchJob, standin: BatchStandin
) -> None:
    batch_id = await job.submit(THREE)
    await job.cancel(batch_id)
    assert (await job.poll(batch_id)).phase == "cancelling"
    await job.cancel(batch_id)
    standin.end(batch_id, untouched={"c"}, how="cancelled")
    await job.cancel(batch_id)
    assert sum(call.endswith("/cancel") for call in standin.calls) == 1


async def test_a_deleted_batch_leaves_no_message_with_the_provider(job: BatchJob, standin: BatchStandin) -> None:
    batch_id = await job.submit(THREE)
    standin.end(batch_id, plans={"b": fail(500)})
    await job.delete(batch_id)
    assert standin.files == {}
    if job.provider is Provider.OPENAI:
        await job.delete(batch_id)  # files that are gone are no fault


async def test_an_unknown_batch_is_named_as_the_providers_404(job: BatchJob) -> None:
    with pytest.raises(ModelNotFoundError, match="404"):
        await job.poll("batch_none")


async def test_no_error_of_a_batch_shows_the_key(job: BatchJob, standin: BatchStandin) -> None:
    standin.expected_key = "another"
    with pytest.raises(AuthError) as caught:
        await job.submit(THREE)
    shown = "".join(traceback.format_exception(caught.value))
    assert KEYS[job.provider.value] not in shown
    assert "[key]" in shown
    assert caught.value.__context__ is None


async def test_no_provider_in_sight_is_a_connection_that_failed(standin: BatchStandin) -> None:
    away = OpenAIBatch("gpt-6-luna", api_key="k", base_url="http://127.0.0.1:9/v1")
    with pytest.raises(ConnectError):
        await away.poll("batch_1")
    await away.aclose()


@pytest.mark.parametrize("name", ["", "ä", "a b", "x" * 65])
async def test_an_impossible_custom_id_is_refused_before_anything_is_sent(
    job: BatchJob, standin: BatchStandin, name: str
) -> None:
    with pytest.raises(InputError, match="custom id"):
        await job.submit({name: question("?")})
    assert standin.calls == []


async def test_a_batch_has_at_least_one_request_and_no_more_than_the_provider_takes(
    job: BatchJob, standin: BatchStandin
) -> None:
    with pytest.raises(InputError, match="0 requests"):
        await job.submit({})
    most = 50_000 if job.provider is Provider.OPENAI else 100_000
    with pytest.raises(InputError, match=f"{most + 1:,} requests"):
        await job.submit(dict.fromkeys(map(str, range(most + 1)), question("?")))
    assert standin.calls == []


async def test_a_batch_that_is_too_large_is_refused_before_anything_is_sent(
    job: BatchJob, standin: BatchStandin
) -> None:
    large = question("x" * 2_000_000)
    with pytest.raises(InputError, match="split it"):
        await job.submit(dict.fromkeys(map(str, range(130)), large))
    assert standin.calls == []


# ── OpenAI's files ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_file_whose_batch_could_not_be_made_is_deleted_again(
    openai: OpenAIBatch, standin: BatchStandin
) -> None:
    standin.let_through()
    standin.refuse(429, "enqueued token limit reached")
    with pytest.raises(RateLimitError, match="enqueued token limit"):
        await openai.submit(THREE)
    assert standin.files == {}


async def test_a_batch_that_was_not_taken_says_why_and_where(openai: OpenAIBatch, standin: BatchStandin) -> None:
    batch_id = await openai.submit(THREE)
    standin.fail(batch_id, "This line is not parseable as valid JSON.", 2)
    state = await openai.poll(batch_id)
    assert (state.phase, state.status) == ("ended", "failed")
    assert state.problem == "line 2: This line is not parseable as valid JSON."
    with pytest.raises(BadRequestError, match="line 2"):
        await openai.results(batch_id)


@pytest.mark.parametrize(
    ("line", "kind", "words"),
    [
        ('"response": {"status_code": 200, "body": {"model": "m"}}', ServerError, "an answer without choices"),
        ('"response": {"status_code": 200, "body": {"choices": [7]}}', ServerError, "cannot be read"),
        ('"response": null, "error": null', ServerError, "neither an answer nor an error"),
        ('"response": null, "error": {"code": "rate_limit_exceeded", "message": "slow"}', RateLimitError, "slow"),
    ],
)
async def test_a_line_that_is_no_answer_is_an_error_of_that_request_only(
    openai: OpenAIBatch, standin: BatchStandin, line: str, kind: type[ModelError], words: str
) -> None:
    batch_id = await openai.submit(THREE)
    standin.end(batch_id)
    batch = standin.batches[batch_id]
    assert batch.output_file is not None
    rest = standin.files[batch.output_file].splitlines()[1:]
    own = ('{"custom_id": "c", ' + line + "}").encode()
    standin.files[batch.output_file] = b"\n".join([own, b"not JSON", b'{"custom_id": 5}', b"", *rest])
    told = dict(await openai.results(batch_id))
    assert list(told) == ["c", "b", "a"]
    assert type(told["c"]) is kind
    assert words in str(told["c"])
    assert isinstance(told["a"], Completion)


async def test_a_file_that_cannot_be_deleted_is_not_passed_over(openai: OpenAIBatch, standin: BatchStandin) -> None:
    batch_id = await openai.submit(THREE)
    standin.end(batch_id)
    standin.let_through()
    standin.refuse(403)
    with pytest.raises(AuthError):
        await openai.delete(batch_id)


# ── Anthropic's results ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ('{"type": "succeeded", "message": {"type": "error", "error": {"message": "no"}}}', "reported an error"),
        ('{"type": "succeeded", "message": {"type": "message", "content": null}}', "cannot be read"),
        ('{"type": "succeeded"}', "cannot be read"),
        ('{"type": "postponed"}', "neither an answer nor an error"),
    ],
)
async def test_a_result_that_is_no_answer_is_an_error_of_that_request_only(
    anthropic: AnthropicBatch, standin: BatchStandin, result: str, words: str
) -> None:
    batch_id = await anthropic.submit(THREE)
    standin.end(batch_id)
    rest = standin.files[batch_id].splitlines()[1:]
    own = ('{"custom_id": "c", "result": ' + result + "}").encode()
    standin.files[batch_id] = b"\n".join([own, *rest])
    told = dict(await anthropic.results(batch_id))
    assert list(told) == ["c", "b", "a"]
    assert isinstance(told["c"], ServerError)
    assert words in str(told["c"])
    assert isinstance(told["a"], Completion)


async def test_results_that_break_off_are_an_error_and_can_be_fetched_again(
    anthropic: AnthropicBatch, standin: BatchStandin
) -> None:
    batch_id = await anthropic.submit(THREE)
    standin.end(batch_id)
    whole = standin.files[batch_id]
    standin.files[batch_id] = whole[:-20]
    with pytest.raises(ServerError, match="cannot be read"):
        await anthropic.results(batch_id)
    standin.files[batch_id] = whole
    assert len(await anthropic.results(batch_id)) == 3


# ── Waiting ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class Clockwork:
    """A sleep that takes no time and does what is next on its list."""

    def __init__(self, *acts: Any) -> None:
        self.acts = list(acts)
        self.slept: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)
        if self.acts:
            self.acts.pop(0)()


async def test_waiting_asks_at_the_given_pace_until_the_end_and_tells_of_each_answer(
    job: BatchJob, standin: BatchStandin
) -> None:
    batch_id = await job.submit(THREE)
    sleep = Clockwork(lambda: None, lambda: standin.end(batch_id))
    told: list[BatchState] = []
    state = await ended(job, batch_id, every_s=60.0, sleep=sleep, tell=told.append)
    assert sleep.slept == [60.0, 60.0]
    assert [each.phase for each in told] == ["working", "working", "ended"]
    assert state == told[-1]


async def test_a_passing_failure_of_a_poll_is_waited_out(job: BatchJob, standin: BatchStandin) -> None:
    batch_id = await job.submit(THREE)
    standin.end(batch_id)
    standin.refuse(503)
    standin.refuse(429, headers={"retry-after": "90"})
    sleep = Clockwork()
    assert (await ended(job, batch_id, every_s=60.0, sleep=sleep)).phase == "ended"
    assert sleep.slept == [60.0, 90.0]


async def test_failures_between_polls_that_work_are_not_added_up(job: BatchJob, standin: BatchStandin) -> None:
    batch_id = await job.submit(THREE)
    for _ in range(MOST_FAILED_POLLS):
        standin.refuse(503)
        standin.let_through()
    sleep = Clockwork(*[lambda: None] * (2 * MOST_FAILED_POLLS), lambda: standin.end(batch_id))
    assert (await ended(job, batch_id, every_s=1.0, sleep=sleep)).phase == "ended"
    assert len(sleep.slept) == 2 * MOST_FAILED_POLLS + 1


async def test_a_poll_that_keeps_failing_or_cannot_work_is_given_up(job: BatchJob, standin: BatchStandin) -> None:
    batch_id = await job.submit(THREE)
    for _ in range(MOST_FAILED_POLLS):
        standin.refuse(503)
    sleep = Clockwork()
    with pytest.raises(ServerError):
        await ended(job, batch_id, every_s=1.0, sleep=sleep)
    assert len(sleep.slept) == MOST_FAILED_POLLS - 1
    standin.refuse(403)
    with pytest.raises(AuthError):
        await ended(job, batch_id, every_s=1.0, sleep=sleep)
    assert len(sleep.slept) == MOST_FAILED_POLLS - 1


# ── Names, prices, providers ────────────────────────────────────────────────────────────────────────────────────────


def test_a_custom_id_is_the_same_after_a_restart_and_differs_between_keys() -> None:
    # First 40 digits of: printf '["T1", "luna", 0]' | sha256sum
    assert custom_id("T1", "luna", 0) == "682d485ad205bb5c41966037f44c0a0aff450667"
    keys = [("T1", "luna", 0), ("T1", "luna", 1), ("T1l", "una", 0), ("ä " * 100, "luna", 0)]
    assert len({custom_id(*key) for key in keys}) == 4


def test_an_answer_in_a_batch_costs_half() -> None:
    usage = Usage(1200, 300)
    whole = cost_usd(Provider.OPENAI, "gpt-6-luna", usage)
    assert whole is not None
    # 0.00027 USD for 1200 in and 300 out, so 0.000135 in a batch.
    assert batch_cost_usd(Provider.OPENAI, "gpt-6-luna", usage) == pytest.approx(0.000135, rel=0.02)
    assert batch_cost_usd(Provider.OPENAI, "gpt-6-luna", usage) == whole / 2
    assert batch_cost_usd(Provider.OPENAI, "no-such-model", usage) is None


def access(provider: str) -> Access:
    return Access.model_validate({f"{provider}_api_key": KEYS[provider]})


@pytest.mark.parametrize(("provider", "model"), [("openai", "gpt-6-luna"), ("anthropic", "claude-haiku-5-5")])
def test_a_model_of_a_provider_with_batches_can_be_asked_in_them(provider: str, model: str) -> None:
    job = open_batch(ModelRef(provider=Provider(provider), model=model), access(provider))
    assert (job.provider, job.model) == (Provider(provider), model)


def test_a_provider_without_batches_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="'openrouter' takes no batches"):
        open_batch(ModelRef(provider=Provider.OPENROUTER, model="m"), access("openrouter"))


def test_the_default_answer_of_the_stand_in_is_a_whole_reading() -> None:
    assert set(READING) == {"reasoning", "domains", "boundaries", "patterns"}
