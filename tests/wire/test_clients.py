"""Connections: reused while they live, closed with the loop, closed when nobody listens any more."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import ssl
import subprocess
import sys
import weakref
from typing import Any

import httpcore2
import pytest

from tests.standin import Ending, hang, say
from tests.wire.calls import Call, Wire, build, request
from vif.errors import AuthError, ConnectError, ModelTimeoutError
from vif.llm import connections
from vif.llm.anthropic import AnthropicModel
from vif.llm.compatible import CompatibleModel
from vif.llm.openai import OpenAIModel
from vif.llm.protocol import ChatModel, Provider, circuit_of, identity_of


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
    connections.ssl_context.cache_clear()
    await wire.model.complete(request())
    await wire.model.aclose()
    await wire.model.complete(request())
    assert len(made) == 1


async def test_a_host_that_does_not_take_connections_is_a_timeout(
    wire: Wire, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "CONNECT_TIMEOUT_S", 0.05)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, contextlib.ExitStack() as waiting:
        for _ in range(2):  # nobody accepts: the queue is full, and who comes next is not answered at all
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        with pytest.raises(ModelTimeoutError, match="the connection timed out"):
            await call(model_at(wire, f"http://127.0.0.1:{full.getsockname()[1]}"), request())


async def test_a_server_without_the_tls_it_is_asked_for_is_a_connection_error(wire: Wire, call: Call) -> None:
    with pytest.raises(ConnectError, match=rf"no connection to 127\.0\.0\.1:{wire.standin.port}: .*SSL"):
        await call(model_at(wire, f"https://127.0.0.1:{wire.standin.port}"), request())


async def test_a_server_that_does_not_speak_http_is_a_connection_error(wire: Wire, call: Call) -> None:
    async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.org ESMTP\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ConnectError, match="the connection broke before the end"):
            await call(model_at(wire, f"http://127.0.0.1:{port}"), request())


async def test_a_proxy_of_the_environment_is_asked(wire: Wire, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def refuse_it(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readline()).decode())
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(refuse_it, "127.0.0.1", 0)
    async with server:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        with pytest.raises(AuthError):
            await call(model_at(wire, "http://models.example"), request())
        assert asked[0].startswith("POST http://models.example/")
        assert (await call(wire.model, request())).text  # NO_PROXY names this machine
    assert len(asked) == 1
    await wire.model.aclose()


async def test_clients_of_one_loop_share_their_connections_until_the_last_is_closed(wire: Wire, call: Call) -> None:
    another = build(wire.model.provider.value, wire.standin)
    await call(wire.model, request())
    await call(another, request())
    await wire.model.aclose()
    await call(another, request())
    first, second, third = wire.standin.requests
    assert first.connection is second.connection is third.connection
    await another.aclose()
    assert await asyncio.to_thread(first.connection.closed.wait, 5)


async def test_a_user_in_the_base_url_is_not_sent_twice_and_not_shown(wire: Wire, call: Call) -> None:
    wire.standin.expected_key = None
    model = model_at(wire, f"http://me:secret@127.0.0.1:{wire.standin.port}")
    await call(model, request())
    assert wire.standin.requests[0].headers["host"] == f"127.0.0.1:{wire.standin.port}"
    assert "secret" not in identity_of(model)


def test_what_decides_the_answer_is_in_the_identity_and_the_key_in_the_account_only_as_a_digest() -> None:
    model = OpenAIModel("gpt-6-luna", api_key="k", base_url="http://me:secret@h.example:8/v1/", effort="none")
    assert identity_of(model) == "openai:gpt-6-luna@h.example:8/v1 effort=none"
    # printf k | sha256sum
    assert circuit_of(model) == "openai:gpt-6-luna@h.example:8/v1#8254c329a928"
    plain = AnthropicModel("claude-haiku-5-5", api_key="k", base_url="https://h.example")
    assert identity_of(plain) == "anthropic:claude-haiku-5-5@h.example"


def model_at(wire: Wire, address: str) -> ChatModel:
    """A model of the same provider at another address."""
    path = "" if wire.api == "anthropic" else "/v1"
    match wire.model.provider:
        case Provider.OPENAI:
            return OpenAIModel("gpt-6-luna", api_key=wire.key, base_url=address + path)
        case Provider.ANTHROPIC:
            return AnthropicModel("claude-haiku-5-5", api_key=wire.key, base_url=address)
        case provider:
            return CompatibleModel(provider, "llama-4", api_key=wire.key, base_url=address + path)


def test_no_sdk_is_imported_before_the_first_call() -> None:
    script = (
        "import sys; from vif.llm.openai import OpenAIModel; from vif.llm.anthropic import AnthropicModel;"
        "OpenAIModel('gpt-6-luna', api_key='k'); AnthropicModel('claude-haiku-5-5', api_key='k');"
        "print(sorted({'openai', 'anthropic', 'httpx2', 'aiohttp'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
