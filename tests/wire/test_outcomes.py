"""Everything a provider can do to us, seen through the real SDKs: each becomes one of our errors, or a `Finish`."""

from __future__ import annotations

import asyncio
import socket

import pytest

from tests.standin import READING, Ending, Plan, error_event, fail, fenced, hang, page, refuse, say, truncated
from tests.wire.calls import Call, Wire, build, request
from vif.errors import (
    AuthError,
    BadRequestError,
    ConnectError,
    ModelError,
    ModelNotFoundError,
    ModelTimeoutError,
    RateLimitError,
    ServerError,
)
from vif.llm.protocol import Finish

SHORT_S = 0.3

FAILURES = {
    "401": (fail(401), AuthError),
    "402": (fail(402), AuthError),
    "403": (fail(403), AuthError),
    "404": (fail(404), ModelNotFoundError),
    "400": (fail(400), BadRequestError),
    "413": (fail(413), BadRequestError),
    "422": (fail(422), BadRequestError),
    "408": (fail(408), ModelTimeoutError),
    "409": (fail(409), ServerError),
    "429": (fail(429), RateLimitError),
    "500": (fail(500), ServerError),
    "503": (fail(503), ServerError),
    "529": (fail(529), ServerError),
    "web page with status 502": (page(502), ServerError),
    "web page with status 200": (page(), ServerError),
    "connection closed in mid-answer": (say("so far so good", ending=Ending.CUT), ConnectError),
    "connection reset in mid-answer": (say("so far so good", ending=Ending.RESET), ConnectError),
    "stall in mid-answer": (say("so far so good", ending=Ending.STALL), ModelTimeoutError),
    "no answer": (hang(), ModelTimeoutError),
    "malformed JSON": (say("so far so good", ending=Ending.MALFORMED), ServerError),
    "error in place of an answer": (error_event(), ServerError),
    "error that says it is a rate limit": (error_event(kind="rate_limit_error"), RateLimitError),
}
TIMEOUTS = ("stall in mid-answer", "no answer")


@pytest.mark.parametrize("name", FAILURES)
async def test_every_failure_becomes_our_error_after_exactly_one_request(wire: Wire, call: Call, name: str) -> None:
    plan, expected = FAILURES[name]
    wire.standin.plan(wire.api, plan)
    with pytest.raises(ModelError) as caught:
        await call(wire.model, request(timeout_s=SHORT_S if name in TIMEOUTS else 10.0))
    assert type(caught.value) is expected
    assert str(caught.value).startswith(f"{wire.model.provider.value} {wire.model.model}: ")
    assert "\n" not in str(caught.value)
    assert len(wire.standin.requests) == 1


@pytest.mark.parametrize("ending", [Ending.CUT, Ending.STALL, Ending.MALFORMED, Ending.ERROR_EVENT])
async def test_a_stream_that_fails_keeps_what_was_said(wire: Wire, ending: Ending) -> None:
    wire.standin.plan(wire.api, say("so far so good", ending=ending))
    answer = wire.model.stream(request(timeout_s=SHORT_S if ending is Ending.STALL else 10.0))
    assert [await anext(answer) for _ in range(3)] == ["so far", " so go", "od"]
    with pytest.raises(ModelError) as caught:
        await anext(answer)
    assert caught.value.raw_text == "so far so good"


async def test_a_refused_connection_is_a_connection_error_that_names_the_host(wire: Wire, call: Call) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    wire.standin.port, original = port, wire.standin.port
    model = build(wire.model.provider.value, wire.standin)
    wire.standin.port = original
    with pytest.raises(ConnectError, match=rf"no connection to 127\.0\.0\.1:{port}"):
        await call(model, request())


async def test_retry_after_reaches_the_caller_in_seconds(wire: Wire, call: Call) -> None:
    wire.standin.plan(wire.api, fail(429, headers={"Retry-After": "7"}), fail(529, headers={"Retry-After": "500"}))
    with pytest.raises(RateLimitError) as limited:
        await call(wire.model, request())
    with pytest.raises(ServerError) as overloaded:
        await call(wire.model, request())
    assert limited.value.retry_after_s == 7.0
    assert overloaded.value.retry_after_s == 500.0


async def test_an_error_tells_the_providers_words_and_the_request_id(wire: Wire, call: Call) -> None:
    wire.standin.plan(wire.api, fail(400, "the model 'x' does not like\nthis " + "very " * 100))
    with pytest.raises(BadRequestError) as caught:
        await call(wire.model, request())
    message = str(caught.value)
    assert "HTTP 400: the model 'x' does not like this very" in message
    assert "(request req_1)" in message
    assert len(message) < 300


@pytest.mark.parametrize(
    ("plan", "finish", "text"),
    [
        pytest.param(say("done"), Finish.STOP, "done", id="said"),
        pytest.param(truncated('{"reasoning": "The'), Finish.LENGTH, '{"reasoning": "The', id="truncated"),
        pytest.param(refuse("I cannot."), Finish.REFUSAL, "I cannot.", id="refused"),
        pytest.param(say("Hm", finish="content_filter"), Finish.REFUSAL, "Hm", id="filtered"),
        pytest.param(say("so far", ending=Ending.EARLY), Finish.CUT, "so far", id="ended early"),
        pytest.param(say(""), Finish.STOP, "", id="empty"),
        pytest.param(say("I would say CD."), Finish.STOP, "I would say CD.", id="prose"),
    ],
)
async def test_how_a_model_stopped_is_said_in_one_vocabulary(
    wire: Wire, call: Call, plan: Plan, finish: Finish, text: str
) -> None:
    wire.standin.plan(wire.api, plan)
    completion = await call(wire.model, request())
    assert (completion.finish, completion.text) == (finish, text)


async def test_fenced_json_arrives_as_the_model_wrote_it(wire: Wire, call: Call) -> None:
    wire.standin.plan(wire.api, fenced(READING))
    assert (await call(wire.model, request())).text.startswith("```json\n{")


async def test_the_deadline_never_cancels_the_consumers_own_code(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    wire.standin.plan(wire.api, say("so far so good", ending=Ending.STALL))
    pieces = wire.model.stream(request(timeout_s=60.0))
    assert await anext(pieces) == "so far"
    loop = asyncio.get_running_loop()
    real = loop.time
    monkeypatch.setattr(loop, "time", lambda: real() + 3600.0)
    for _ in range(3):
        await asyncio.sleep(0)  # a timeout still running here would end this test
    with pytest.raises(ModelTimeoutError, match="no complete answer within 60 s"):
        assert [piece async for piece in pieces]
