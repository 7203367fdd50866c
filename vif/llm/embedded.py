"""The embedded model: a small language model that runs inside this process, with no key and no network.

Two native llama.cpp servers are loaded when first needed and shared by the whole process: one writes replies with the
whole model, one reads hidden states with its first layers. Each listens on this machine's loopback address only, asks
for a random key, and schedules its requests itself; so any number of event loops and threads may ask at once, and
closing a connection is all it takes to stop a generation.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import platform
import secrets
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
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
from vif.llm.gguf import find_gguf, fingerprint, model_name, reading_gguf
from vif.llm.protocol import Completion, Finish, Provider, Request, Turn, Usage

if TYPE_CHECKING:
    import httpx2
    import numpy as np
    from numpy.typing import NDArray

REPLY_CONTEXT = 1536
"""Tokens of prompt and reply together, in each slot."""

PROMPT_TOKENS = 768
"""The longest prompt; a longer one would keep the reader waiting for the first word."""

REPLY_SLOTS = 2
"""Replies written at the same time; further ones wait their turn."""

READING_BYTES = 900
"""The longest text whose hidden states are read, in UTF-8 bytes. A token is at least one byte, so it always fits."""

_READING_CONTEXT = 1024
_READING_TIMEOUT_S = 60.0
_READING_PREFIX = "<|im_start|>user\n"
_SAMPLING = {"temperature": 0.2, "top_p": 0.9, "repeat_penalty": 1.1, "repeat_last_n": 128}
_CUT = "\n[…]\n"

Result = TypeVar("Result")


class _NativeServer(Protocol):
    listening_address: str


class EmbeddedModel:
    """SmolLM2 (or any GGUF at `path`) as a ChatModel, and its hidden states.

    Cheap to make: nothing is loaded before the first call. Raises UnavailableError on that call, or when the
    weights are asked about, when weights or runtime are missing or cannot be loaded here. `cache_folder` is where
    the cut copy for reading is kept; by default the user's cache.
    """

    def __init__(self, path: str | Path | None = None, *, cache_folder: Path | None = None) -> None:
        self._given = path
        self._cache_folder = cache_folder
        self._prefix: tuple[NDArray[np.float64], int] | None = None

    @property
    def provider(self) -> Provider:
        return Provider.EMBEDDED

    @property
    def model(self) -> str:
        """The short name of the weights; 'embedded' while there are none."""
        try:
            return model_name(self.weights)
        except UnavailableError:
            return "embedded"

    @cached_property
    def weights(self) -> Path:
        """The GGUF file in use."""
        return find_gguf(self._given)

    @cached_property
    def _reading_weights(self) -> Path:
        # Kept: looking whether the cut copy is there and whole takes longer than reading a message.
        return reading_gguf(self.weights, folder=self._cache_folder)

    @cached_property
    def weights_fingerprint(self) -> str:
        """Names the content of the weights; a trained head fits one fingerprint only."""
        return fingerprint(self.weights)

    async def complete(self, request: Request) -> Completion:
        """The whole answer at once."""
        async for part in self.stream(request):
            if isinstance(part, Completion):
                return part
        raise ConnectError("the embedded model ended without a completion")

    async def stream(self, request: Request) -> AsyncGenerator[str | Completion, None]:
        """The answer in pieces as they are generated, then one Completion. An output schema is not followed.

        A prompt longer than the context is shortened: earlier turns go first, then the middle of the longest text.
        """
        deadline = asyncio.get_running_loop().time() + request.timeout_s
        engine = await _within(deadline, asyncio.to_thread(self._writer))
        reply_tokens = max(1, min(request.max_tokens, REPLY_CONTEXT // 2))
        messages = await _fitting(engine, request, min(PROMPT_TOKENS, REPLY_CONTEXT - reply_tokens), deadline)
        body = {
            "messages": messages,
            "max_tokens": reply_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
            **_SAMPLING,
        }
        text, finish, usage = "", Finish.CUT, Usage()
        async with engine.ask("/v1/chat/completions", body, deadline) as answer:
            async for event in _events(answer, deadline):
                piece, ended, counted = _delta(event)
                usage = counted or usage
                finish = ended or finish
                if piece:
                    text += piece
                    yield piece
        yield Completion(text=text, model=self.model, finish=finish, usage=usage)

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Hidden states, shape (len(texts), width): each text's mean over its own tokens, without the chat prefix.

        A text longer than READING_BYTES is cut there; an empty one raises BadRequestError.
        """
        import numpy as np

        deadline = asyncio.get_running_loop().time() + _READING_TIMEOUT_S * max(1, len(texts))
        engine = await _within(deadline, asyncio.to_thread(self._reader))
        if self._prefix is None:
            self._prefix = await _mean_state(engine, _READING_PREFIX, deadline)
        prefix, prefix_tokens = self._prefix
        rows = []
        for text in texts:
            if not text:
                raise BadRequestError("an empty text has no hidden states")
            clipped = _plain(text).encode()[:READING_BYTES].decode(errors="ignore")
            mean, tokens = await _mean_state(engine, _READING_PREFIX + clipped, deadline)
            # The states of the prefix do not depend on what follows, so they can be taken out of the mean exactly.
            rows.append((mean * tokens - prefix * prefix_tokens) / (tokens - prefix_tokens))
        return np.array(rows).reshape(len(rows), prefix.shape[0])

    async def load(self) -> None:
        """Load both servers now, so that the first message does not wait for it."""
        await asyncio.gather(asyncio.to_thread(self._reader), asyncio.to_thread(self._writer))

    async def aclose(self) -> None:
        """Nothing to release here: the servers belong to the process, and end with it."""

    def _writer(self) -> _Engine:
        return _engine(self.weights, reading=False)

    def _reader(self) -> _Engine:
        return _engine(self._reading_weights, reading=True)


@dataclass(frozen=True, slots=True)
class _Engine:
    """One native server and how to reach it."""

    server: _NativeServer
    key: str

    @asynccontextmanager
    async def ask(self, path: str, body: Mapping[str, object], deadline: float) -> AsyncIterator[httpx2.Response]:
        """Post `body`; leaving the block closes the connection, which stops the work if it is not finished."""
        import httpx2

        # A client per request: it belongs to the event loop that asks, and there may be several. `trust_env` is off
        # because no proxy knows this machine's loopback address.
        client = httpx2.AsyncClient(base_url=self.server.listening_address, timeout=None, trust_env=False, verify=False)
        try:
            async with client:
                question = client.build_request(
                    "POST", path, json=body, headers={"Authorization": f"Bearer {self.key}"}
                )
                answer = await _within(deadline, client.send(question, stream=True))
                try:
                    if answer.status_code != 200:
                        raise _refusal(answer.status_code, await _within(deadline, answer.aread()))
                    yield answer
                finally:
                    await answer.aclose()
        except httpx2.HTTPError as error:
            raise ConnectError(f"the connection to the embedded model broke: {error}") from None

    async def json(self, path: str, body: Mapping[str, object], deadline: float) -> Mapping[str, object]:
        async with self.ask(path, body, deadline) as answer:
            return _object(await _within(deadline, answer.aread()))


_engines: dict[tuple[str, bool], _Engine] = {}
_loading = threading.Lock()


def _engine(path: Path, *, reading: bool) -> _Engine:
    """The process's server for these weights, loaded on first use (about 0.4 s). Blocks; call it in a worker thread."""
    key = (str(path.resolve()), reading)
    with _loading:
        if key not in _engines:
            _engines[key] = _load(path, reading=reading)
        return _engines[key]


def _load(path: Path, *, reading: bool) -> _Engine:
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
    params.ui = params.endpoint_slots = params.endpoint_props = params.endpoint_metrics = False
    params.cors_origins = "http://127.0.0.1"
    key = secrets.token_urlsafe(32)
    params.api_keys = [key]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    if reading:
        params.embedding = True
        params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
        params.embd_normalize = -1
        params.n_parallel = 1
        params.n_ctx = params.n_batch = params.n_ubatch = _READING_CONTEXT
    else:
        params.n_parallel = REPLY_SLOTS
        params.n_ctx = REPLY_CONTEXT * REPLY_SLOTS
        params.n_batch = params.n_ubatch = 256
    try:
        server = xllamacpp.Server(params)
    except (RuntimeError, ValueError) as error:
        raise UnavailableError(f"the embedded model {str(path)!r} could not be loaded: {error}") from None
    return _Engine(server, key)


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


async def _within(deadline: float, work: Awaitable[Result]) -> Result:
    try:
        async with asyncio.timeout_at(deadline):
            return await work
    except TimeoutError:
        raise ModelTimeoutError("the embedded model did not answer within the time allowed") from None


async def _events(answer: httpx2.Response, deadline: float) -> AsyncIterator[Mapping[str, object]]:
    """The server-sent events of a streamed answer."""
    lines = answer.aiter_lines()
    while (line := await _within(deadline, anext(lines, None))) is not None:
        if line == "data: [DONE]":
            return
        if line.startswith("data: "):
            yield _object(line[6:])
        elif line.startswith("error: "):
            raise ServerError(f"the embedded model failed: {line[7:].strip()[:300]}")


def _refusal(status: int, body: bytes) -> ModelError:
    said = body.decode(errors="replace")[:300]
    kind = BadRequestError if status < 500 else ServerError
    return kind(f"the embedded model refused the request (status {status}): {said}")


def _object(text: str | bytes) -> Mapping[str, object]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise InvalidJsonError("the embedded model sent something other than a JSON object")
    return found


def _delta(event: Mapping[str, object]) -> tuple[str, Finish | None, Usage | None]:
    """One event of a streamed chat completion: text, why it ended, tokens; each where it says so."""
    if "error" in event:
        raise ServerError(f"the embedded model failed: {str(event['error'])[:300]}")
    choice = _first(event.get("choices"))
    content = _mapping(choice.get("delta")).get("content")
    ended = {"stop": Finish.STOP, "length": Finish.LENGTH}.get(str(choice.get("finish_reason")))
    usage = _mapping(event.get("usage"))
    if not usage:
        return content if isinstance(content, str) else "", ended, None
    cached = _count(_mapping(usage.get("prompt_tokens_details")).get("cached_tokens"))
    counted = Usage(_count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens")), cached)
    return content if isinstance(content, str) else "", ended, counted


async def _mean_state(engine: _Engine, text: str, deadline: float) -> tuple[NDArray[np.float64], int]:
    """The mean of the hidden states of all tokens of `text`, and how many those are."""
    import numpy as np

    answer = await engine.json("/v1/embeddings", {"input": text}, deadline)
    state = np.asarray(_first(answer.get("data")).get("embedding"), dtype=np.float64)
    tokens = _count(_mapping(answer.get("usage")).get("prompt_tokens"))
    if state.ndim != 1 or not tokens:
        raise InvalidJsonError("the embedded model sent no hidden states")
    return state, tokens


async def _fitting(engine: _Engine, request: Request, room: int, deadline: float) -> list[dict[str, str]]:
    """The request as chat messages of at most `room` tokens."""
    turns = list(request.turns)
    system = request.system
    while True:
        messages = _messages(system, turns)
        # Bytes bound tokens from above, so a short prompt needs no counting.
        if sum(len(message["content"].encode()) + 32 for message in messages) <= room:
            return messages
        counted = await engine.json("/v1/chat/completions/input_tokens", {"messages": messages}, deadline)
        tokens = _count(counted.get("input_tokens"))
        if tokens <= room:
            return messages
        if len(turns) > 1:
            turns.pop(0)
            continue
        keep = 0.9 * room / tokens
        if turns and len(turns[0].text) >= len(system):
            turns = [Turn(turns[0].role, shortened(turns[0].text, keep))]
        else:
            system = shortened(system, keep)


def shortened(text: str, keep: float) -> str:
    """`text` without its middle, so that about the share `keep` of its characters remains."""
    kept = max(0, int(len(text) * keep) - len(_CUT))
    head = kept - kept // 2
    return text[:head] + _CUT + text[len(text) - kept // 2 :] if kept < len(text) else text


def _messages(system: str, turns: Sequence[Turn]) -> list[dict[str, str]]:
    spoken = [{"role": turn.role, "content": _plain(turn.text)} for turn in turns]
    return [{"role": "system", "content": _plain(system)}, *spoken] if system else spoken


def _plain(text: str) -> str:
    """Text that cannot be taken for the chat format's own markers, and that UTF-8 can carry."""
    return text.replace("<|", "< |").encode(errors="replace").decode()


def _first(value: object) -> Mapping[str, object]:
    return _mapping(value[0]) if isinstance(value, list) and value else {}


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0
