"""The native llama.cpp servers inside this process, and how to ask them.

Each is loaded once per process, listens on the loopback address only and asks for a random key. It schedules its
requests itself, so any number of event loops and threads may ask at once, and closing a connection is all it takes to
stop a generation.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import platform
import re
import secrets
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from vif.errors import (
    BadRequestError,
    ConnectError,
    InvalidJsonError,
    ModelError,
    ModelTimeoutError,
    ServerError,
    UnavailableError,
)

if TYPE_CHECKING:
    import httpx2

REPLY_CONTEXT = 1536
"""Tokens of prompt and reply together, in each slot."""

REPLY_SLOTS = 2
"""Replies written at the same time; further ones wait their turn."""

READING_CONTEXT = 1024
"""Tokens of the longest text whose hidden states are read."""

Result = TypeVar("Result")


class NativeServer(Protocol):
    listening_address: str

    def handle_metrics(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Work:
    """What the reply server is doing: replies being written now, and tokens written since it was loaded."""

    replies: int
    tokens_written: int


@dataclass(frozen=True, slots=True)
class Engine:
    """One native server and how to reach it."""

    server: NativeServer
    key: str

    @asynccontextmanager
    async def ask(self, path: str, body: Mapping[str, object], deadline: float) -> AsyncIterator[httpx2.Response]:
        """Post `body`; leaving the block closes the connection, which stops the work if it is not finished."""
        import httpx2

        # A client per request: it belongs to the event loop that asks, and there may be several. `trust_env` is off
        # because no proxy knows this machine's loopback address.
        client = httpx2.AsyncClient(
            base_url=self.server.listening_address, timeout=None, trust_env=False, verify=_unused_tls()
        )
        try:
            async with client:
                question = client.build_request(
                    "POST", path, json=body, headers={"Authorization": f"Bearer {self.key}"}
                )
                answer = await within(deadline, client.send(question, stream=True))
                try:
                    if answer.status_code != 200:
                        raise _refusal(answer.status_code, await within(deadline, answer.aread()))
                    yield answer
                finally:
                    await answer.aclose()
        except httpx2.HTTPError as error:
            raise ConnectError(f"the connection to the embedded model broke: {error}") from None

    async def json(self, path: str, body: Mapping[str, object], deadline: float) -> Mapping[str, object]:
        """The whole answer, one JSON object."""
        async with self.ask(path, body, deadline) as answer:
            return parsed(await within(deadline, answer.aread()))

    def work(self) -> Work:
        """What the server is doing. Blocks for a moment; call it in a worker thread."""
        gauges = dict(re.findall(r"^llamacpp:(\w+) (\d+)", self.server.handle_metrics(), re.MULTILINE))
        return Work(int(gauges["requests_processing"]), int(gauges["tokens_predicted_total"]))


_engines: dict[tuple[str, bool], Engine] = {}
_loading = threading.Lock()


def server_for(path: Path, *, reading: bool) -> Engine:
    """The process's server for these weights, loaded on first use (about 0.4 s). Blocks; call it in a worker thread."""
    key = (str(path.resolve()), reading)
    with _loading:
        if key not in _engines:
            _engines[key] = _load(path, reading=reading)
        return _engines[key]


def _load(path: Path, *, reading: bool) -> Engine:
    _check_processor()
    try:
        import xllamacpp
    except ImportError as error:
        raise UnavailableError(f"the runtime of the embedded model, xllamacpp, cannot be used here: {error}") from None
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.verbosity = -1
    params.warmup = False
    params.fit_params = False
    params.n_gpu_layers = 0
    # One core stays free for the event loop; with every core taken, llama.cpp's threads wait for each other.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = max(1, _cores() - 1)
    params.cache_ram_mib = 0
    params.ui = params.endpoint_slots = params.endpoint_props = False
    params.endpoint_metrics = True
    params.cors_origins = "http://127.0.0.1"
    key = secrets.token_urlsafe(32)
    params.api_keys = [key]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_threads_http = 16
    if reading:
        params.embedding = True
        params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_NONE
        params.embd_normalize = -1
        params.n_parallel = 1
        params.n_ctx = params.n_batch = params.n_ubatch = READING_CONTEXT
    else:
        params.n_parallel = REPLY_SLOTS
        params.n_ctx = REPLY_CONTEXT * REPLY_SLOTS
        params.n_batch = params.n_ubatch = 256
    try:
        server = xllamacpp.Server(params)
    except (RuntimeError, ValueError) as error:
        raise UnavailableError(f"the embedded model {str(path)!r} could not be loaded: {error}") from None
    return Engine(server, key)


@atexit.register
def _end() -> None:
    """Join the native threads while Python still runs. A forked child has no such threads to join."""
    if os.getpid() == _process:
        _engines.clear()


_process = os.getpid()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _check_processor() -> None:
    """The runtime is compiled for AVX2 on x86; without it the process would be killed, so say so instead."""
    if platform.machine().lower() not in ("x86_64", "amd64") or not Path("/proc/cpuinfo").exists():
        return
    if " avx2" not in Path("/proc/cpuinfo").read_text(errors="replace"):
        raise UnavailableError("the embedded model needs a processor with AVX2, which this machine does not have")


@cache
def _unused_tls() -> ssl.SSLContext:
    """Every client wants one, and making its own costs it 5 ms although it speaks plain HTTP."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


async def within(deadline: float, work: Awaitable[Result]) -> Result:
    try:
        async with asyncio.timeout_at(deadline):
            return await work
    except TimeoutError:
        raise ModelTimeoutError("the embedded model did not answer within the time allowed") from None


async def events(answer: httpx2.Response, deadline: float) -> AsyncIterator[Mapping[str, object]]:
    """The server-sent events of a streamed answer."""
    lines = answer.aiter_lines()
    while (line := await within(deadline, anext(lines, None))) is not None:
        if line == "data: [DONE]":
            return
        if line.startswith("data: "):
            yield parsed(line[6:])
        elif line.startswith("error: "):
            raise ServerError(f"the embedded model failed: {line[7:].strip()[:300]}")


def _refusal(status: int, body: bytes) -> ModelError:
    said = body.decode(errors="replace")[:300]
    kind = BadRequestError if status < 500 else ServerError
    return kind(f"the embedded model refused the request (status {status}): {said}")


def parsed(text: str | bytes) -> Mapping[str, object]:
    """The one object of an answer; some endpoints put it into a list."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    if not isinstance(found, dict):
        raise InvalidJsonError("the embedded model sent something other than a JSON object")
    return found
