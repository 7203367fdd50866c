"""A stand-in for the model providers: a real server on a loopback port that does what it was told to, once per request.

It speaks OpenAI's chat completions (`/v1/chat/completions`) and Anthropic's messages (`/v1/messages`), streamed or not.

    with Standin() as standin:
        standin.plan("openai", say("hello"), fail(429, headers={"retry-after": "3"}))
        model = OpenAIModel("gpt-6-luna", api_key="k", base_url=standin.base_url("openai"))
        ...
        standin.requests[0].body["messages"]

An empty queue means: a valid reading for a request with a schema, a short reply for any other. Requests a real provider
would refuse (wrong key, illegal schema, removed parameters) get its 400 or 401 whatever was planned.

As a program, with latencies and faults to load-test against:

    python -m tests.standin --port 8123 --llm1-ms 50-150 --llm2-ms 300 --faults 0.2
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import queue
import socket
import struct
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from tests.wire.dialects import DIALECTS, Dialect, sse
from tests.wire.plans import (
    FAULTS,
    READING,
    REPLY,
    Api,
    Ending,
    Latency,
    Mix,
    Plan,
    Tokens,
    error_event,
    fail,
    fenced,
    hang,
    page,
    refuse,
    say,
    truncated,
)

__all__ = [
    "READING",
    "REPLY",
    "Api",
    "Connection",
    "Ending",
    "Latency",
    "Mix",
    "Plan",
    "Seen",
    "Standin",
    "Tokens",
    "error_event",
    "fail",
    "fenced",
    "hang",
    "page",
    "refuse",
    "say",
    "truncated",
]


NO_LATENCY = Latency()


@dataclass(frozen=True, slots=True, eq=False)
class Connection:
    """One TCP connection; `closed` is set when it ends."""

    transport: asyncio.Transport
    closed: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One request as it arrived. `gone` is set when the client hung up before the answer was complete."""

    api: Api
    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]
    connection: Connection
    gone: threading.Event = field(default_factory=threading.Event)

    @property
    def has_schema(self) -> bool:
        return bool(self.body.get("response_format") or (self.body.get("output_config") or {}).get("format"))


class Standin:
    """The server; a context manager. Every method may be called from any thread.

    `llm1` is how long a request with a schema takes and `llm2` any other; `faults` fall on requests with a schema that
    nothing else was planned for. `routes` are more paths it serves. With `keep_requests` off nothing is recorded: a
    load test would fill the memory.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        llm1: Latency = NO_LATENCY,
        llm2: Latency = NO_LATENCY,
        faults: Mix | None = None,
        seed: int = 0,
        key: str | None = None,
        keep_requests: bool = True,
        routes: Sequence[Route] = (),
    ) -> None:
        self.llm1, self.llm2, self.faults = llm1, llm2, faults
        self._random = Random(seed)
        self._keep_requests = keep_requests
        self._socket = socket.create_server(("127.0.0.1", port), backlog=1024)
        self.port: int = self._socket.getsockname()[1]
        self._key = key
        self._connections: dict[Any, Connection] = {}
        all_routes = [
            *routes,
            Route("/v1/chat/completions", self._openai, methods=["POST"]),
            Route("/v1/messages", self._anthropic, methods=["POST"]),
        ]
        config = uvicorn.Config(
            Starlette(routes=all_routes),
            http=_protocol(self._connections),
            log_config=None,
            log_level="error",
            lifespan="off",
            timeout_keep_alive=75,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, name="standin", daemon=True)
        self.reset()

    def reset(self) -> None:
        """Forget plans and requests; the defaults are the first ones again."""
        self.expected_key = self._key
        self.reading: Mapping[str, object] = READING
        self.reply = REPLY
        self.requests: list[Seen] = []
        self._arrivals: queue.SimpleQueue[Seen] = queue.SimpleQueue()
        self._plans: dict[str, deque[Plan]] = {"openai": deque(), "anthropic": deque()}

    def plan(self, api: Api, *plans: Plan) -> None:
        """Queue what happens to the next requests of this API."""
        self._plans[api].extend(plans)

    def base_url(self, api: Api) -> str:
        """What the SDK of this API takes as its base URL."""
        return f"http://127.0.0.1:{self.port}" + ("/v1" if api == "openai" else "")

    async def next_request(self) -> Seen:
        """Wait for the next request that was not waited for yet; queue.Empty when none comes in 5 s."""
        return await asyncio.to_thread(self._arrivals.get, True, 5)

    def __enter__(self) -> Self:
        self._thread.start()  # the socket listens already, so nobody has to wait for the thread
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(10)
        self._socket.close()

    def serve_forever(self) -> None:
        """Serve in this thread until interrupted."""
        self._serve()

    def _serve(self) -> None:
        self._server.run(sockets=[self._socket])

    async def _openai(self, request: HttpRequest) -> _Performance:
        return await self._perform("openai", request)

    async def _anthropic(self, request: HttpRequest) -> _Performance:
        return await self._perform("anthropic", request)

    async def _perform(self, api: Api, request: HttpRequest) -> _Performance:
        connection = self._connections[tuple(request.scope["client"])]
        seen = Seen(api, request.url.path, dict(request.headers), await request.json(), connection)
        if self._keep_requests:
            self.requests.append(seen)
            self._arrivals.put(seen)
        dialect = DIALECTS[api]
        refusal = self._wrong_key(seen) or dialect.fault(seen.body)
        plans = self._plans[api]
        plan = refusal or (plans.popleft() if plans else self._unplanned(seen))
        if plan.text is None:
            plan = replace(plan, text=json.dumps(self.reading) if seen.has_schema else self.reply)
        wait = (self.llm1 if seen.has_schema else self.llm2).draw(self._random)
        if seen.body.get("stream"):
            plan = replace(plan, first_token_s=plan.first_token_s + wait)
        else:
            plan = replace(plan, delay_s=plan.delay_s + wait)
        return _Performance(plan, seen, dialect)

    def _unplanned(self, seen: Seen) -> Plan:
        fault = self.faults.draw(self._random) if self.faults and seen.has_schema else None
        return fault or Plan()

    def _wrong_key(self, seen: Seen) -> Plan | None:
        key = seen.headers.get("authorization", "").removeprefix("Bearer ") or seen.headers.get("x-api-key", "")
        if self.expected_key is None or key == self.expected_key:
            return None
        return fail(401, f"Incorrect API key provided: {key}. You can find your API key in your account.")


class _Performance:
    """Carries out one plan as the response to one request."""

    def __init__(self, plan: Plan, seen: Seen, dialect: Dialect) -> None:
        self.plan = plan
        self.seen = seen
        self.dialect = dialect

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.send = send
        watch = asyncio.create_task(self._watch(receive))
        act = asyncio.create_task(self._act())
        await asyncio.wait((watch, act), return_when=asyncio.FIRST_COMPLETED)
        watch.cancel()
        if not act.done():
            self.seen.gone.set()
            act.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await act

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    async def _act(self) -> None:
        plan = self.plan
        if plan.hang:
            await asyncio.Event().wait()
        await asyncio.sleep(plan.delay_s)
        if plan.raw is not None:
            await self._whole(plan.raw[1], plan.raw[0])
        elif plan.status >= 400:
            await self._whole(json.dumps(self.dialect.error(plan.status, plan.message, plan.kind)).encode())
        elif self.seen.body.get("stream"):
            await self._stream()
        else:
            await self._answer()

    async def _answer(self) -> None:
        body = json.dumps(self.dialect.answer(self.plan, self.seen.body)).encode()
        match self.plan.ending:
            case Ending.MALFORMED:
                await self._whole(body[: len(body) // 2])
            case Ending.ERROR_EVENT:
                await self._whole(json.dumps(self.dialect.error(200, self.plan.message, self.plan.kind)).encode())
            case Ending.CUT | Ending.RESET | Ending.STALL:
                await self._start("application/json")
                await self._more(body[: len(body) // 2])
                await self._break_off()
            case _:
                await self._whole(body)

    async def _stream(self) -> None:
        plan = self.plan
        before, pieces, after = self.dialect.events(plan, self.seen.body)
        await self._start("text/event-stream")
        for event in before:
            await self._more(event)
        await asyncio.sleep(plan.first_token_s)
        for number, event in enumerate(pieces):
            if number:
                await asyncio.sleep(plan.between_s)
            await self._more(event)
        match plan.ending:
            case Ending.COMPLETE:
                for event in after:
                    await self._more(event)
            case Ending.ERROR_EVENT:
                await self._more(sse(self.dialect.error(200, plan.message, plan.kind), "error"))
            case Ending.MALFORMED:
                await self._more(self.dialect.broken)
            case Ending.CUT | Ending.RESET | Ending.STALL:
                await self._break_off()
        await self.send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _break_off(self) -> None:
        transport = self.seen.connection.transport
        if self.plan.ending is Ending.CUT:
            transport.close()
        elif self.plan.ending is Ending.RESET:
            sock = transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        await asyncio.Event().wait()

    async def _start(self, content_type: str) -> None:
        headers = {self.dialect.request_id: "req_1", "content-type": content_type, **self.plan.headers}
        encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await self.send({"type": "http.response.start", "status": self.plan.status, "headers": encoded})

    async def _more(self, body: bytes) -> None:
        await self.send({"type": "http.response.body", "body": body, "more_body": True})

    async def _whole(self, body: bytes, content_type: str = "application/json") -> None:
        await self._start(content_type)
        await self.send({"type": "http.response.body", "body": body, "more_body": False})


def _protocol(connections: dict[Any, Connection]) -> type[H11Protocol]:
    """Uvicorn's protocol, with the connections kept at hand so that a plan can cut or reset its connection."""

    class Protocol(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            self._peer = tuple(transport.get_extra_info("peername"))
            # asyncio leaves sockets it did not make itself without it, and every answer would take 40 ms longer.
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connections[self._peer] = Connection(transport)
            super().connection_made(transport)

        def connection_lost(self, exc: Exception | None) -> None:
            connections.pop(self._peer).closed.set()
            super().connection_lost(exc)

    return Protocol


def main() -> None:
    parser = argparse.ArgumentParser(description="A stand-in for OpenAI and Anthropic on a loopback port.")
    latency = "milliseconds: 100, 50-150, or with a heavy tail 100,0.01x10 (1 %% of calls 10 times slower)"
    parser.add_argument("--port", type=int, default=8123)
    parser.add_argument(
        "--llm1-ms", type=Latency.parse, default=NO_LATENCY, help=f"before an answer with a schema; {latency}"
    )
    parser.add_argument("--llm2-ms", type=Latency.parse, default=NO_LATENCY, help="before the first token of any other")
    parser.add_argument("--faults", type=float, default=0.0, help="share of the requests with a schema that fail")
    parser.add_argument("--fault-kinds", default=",".join(FAULTS), help="which, separated by commas (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of latencies and faults")
    parser.add_argument("--key", default=None, help="refuse other API keys with 401")
    options = parser.parse_args()
    try:
        faults = Mix(options.faults, tuple(options.fault_kinds.split(",")))
    except ValueError as error:
        parser.error(str(error))
    standin = Standin(
        port=options.port,
        llm1=options.llm1_ms,
        llm2=options.llm2_ms,
        faults=faults,
        seed=options.seed,
        key=options.key,
        keep_requests=False,
    )
    urls = (f"OPENAI_BASE_URL={standin.base_url('openai')}", f"ANTHROPIC_BASE_URL={standin.base_url('anthropic')}")
    sys.stdout.write("\n".join(urls) + "\n")
    sys.stdout.flush()
    standin.serve_forever()


if __name__ == "__main__":
    main()
