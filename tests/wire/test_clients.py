"""Connections: reused while they live, closed with the loop, closed when nobody listens any more."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import ssl
import subprocess
import sys
import weakref
from typing import Any

import httpcore2
import httpx2
import pytest

from tests.standin import Ending, hang, say
from tests.wire.calls import Call, Wire, request
from vif.errors import ModelTimeoutError
from vif.llm import transport


async def test_calls_share_a_connection(wire: Wire, call: Call) -> None:
    await call(wire.model, request())
    await call(wire.model, request())
    first, second = wire.standin.requests
    assert first.connection is second.connection


async def test_closing_releases_the_connection_and_may_be_done_twice(wire: Wire, call: Call) -> None:
    await call(wire.model, request())
    await wire.model.aclose()
    await wire.model.aclose()
    assert await asyncio.to_thread(wire.standin.requests[0].connection.closed.wait, 5)


async def test_a_closed_model_opens_again_when_asked(wire: Wire, call: Call) -> None:
    await call(wire.model, request())
    await wire.model.aclose()
    assert (await call(wire.model, request())).text


def test_one_model_serves_two_event_loops_and_each_closes_what_it_opened(wire: Wire, call: Call) -> None:
    loops: list[weakref.ref[asyncio.AbstractEventLoop]] = []

    async def twice() -> list[str]:
        loops.append(weakref.ref(asyncio.get_running_loop()))
        answers = await asyncio.gather(call(wire.model, request()), call(wire.model, request()))
        return [answer.text for answer in answers]

    assert asyncio.run(twice()) == asyncio.run(twice())
    assert len(wire.standin.requests) == 4
    assert all(seen.connection.closed.wait(5) for seen in wire.standin.requests)
    gc.collect()  # an unclosed socket would warn here, and warnings are errors
    assert loops[0]() is None


async def test_a_forgotten_model_closes_its_connections(wire: Wire) -> None:
    model = wire.model
    await model.complete(request())
    object.__setattr__(wire, "model", None)
    del model
    gc.collect()
    assert await asyncio.to_thread(wire.standin.requests[0].connection.closed.wait, 5)


async def test_cancelling_while_waiting_for_an_answer_hangs_up(wire: Wire, call: Call) -> None:
    wire.standin.plan(wire.api, hang())
    waiting = asyncio.ensure_future(call(wire.model, request(timeout_s=60.0)))
    seen = await wire.standin.next_request()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await asyncio.to_thread(seen.gone.wait, 5)


async def test_cancelling_in_mid_stream_hangs_up(wire: Wire) -> None:
    wire.standin.plan(wire.api, say("so far so good", ending=Ending.STALL))
    started = asyncio.Event()

    async def consume() -> None:
        async for _piece in wire.model.stream(request(timeout_s=60.0)):
            started.set()

    consumer = asyncio.create_task(consume())
    await started.wait()
    consumer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await consumer
    assert await asyncio.to_thread(wire.standin.requests[0].gone.wait, 5)


async def test_a_consumer_that_stops_listening_hangs_up(wire: Wire) -> None:
    wire.standin.plan(wire.api, say("so far so good", ending=Ending.STALL))
    async with contextlib.aclosing(wire.model.stream(request(timeout_s=60.0))) as pieces:
        assert await anext(pieces) == "so far"
    assert await asyncio.to_thread(wire.standin.requests[0].gone.wait, 5)


async def test_the_connection_survives_a_complete_stream_but_not_a_broken_one(wire: Wire, call: Call) -> None:
    wire.standin.plan(wire.api, say("all of it"), say("half", ending=Ending.MALFORMED), say("again"))
    await call(wire.model, request())
    with contextlib.suppress(Exception):
        await call(wire.model, request())
    assert (await call(wire.model, request())).text == "again"


async def test_all_clients_share_one_ssl_context(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[ssl.SSLContext] = []
    make = httpcore2.default_ssl_context

    def counted(**options: Any) -> ssl.SSLContext:
        made.append(make(**options))
        return made[-1]

    monkeypatch.setattr(httpcore2, "default_ssl_context", counted)
    transport.ssl_context.cache_clear()
    await wire.model.complete(request())
    await wire.model.aclose()
    await wire.model.complete(request())
    assert len(made) == 1


async def test_a_host_that_does_not_take_connections_is_a_timeout(
    wire: Wire, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(outgoing: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectTimeout("", request=outgoing)

    client = httpx2.AsyncClient(transport=httpx2.MockTransport(unreachable))
    monkeypatch.setattr(transport, "http_client", lambda: client)
    with pytest.raises(ModelTimeoutError, match="the connection timed out"):
        await call(wire.model, request())


def test_no_sdk_is_imported_before_the_first_call() -> None:
    script = (
        "import sys; from vif.llm.openai import OpenAIModel; from vif.llm.anthropic import AnthropicModel;"
        "OpenAIModel('gpt-6-luna', api_key='k'); AnthropicModel('claude-haiku-5-5', api_key='k');"
        "print(sorted({'openai', 'anthropic', 'httpx2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
