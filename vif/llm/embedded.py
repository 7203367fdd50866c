"""The embedded model: a small language model that runs inside this process, with no key and no network.

Two native servers are loaded when first needed and shared by the whole process: one writes replies with the whole
model, one reads hidden states with its first layers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from vif.errors import BadRequestError, ConnectError, InvalidJsonError, ServerError, UnavailableError
from vif.llm.gguf import find_gguf, fingerprint, model_name, read_header, reading_gguf
from vif.llm.native import REPLY_CONTEXT, Engine, Work, events, server_for, within
from vif.llm.protocol import Completion, Finish, Provider, Request, Turn, Usage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PROMPT_TOKENS = 768
"""The longest prompt; a longer one would keep the reader waiting for the first word."""

READING_BYTES = 900
"""The longest text whose hidden states are read, in UTF-8 bytes. A token is at least one byte, so it always fits."""

_READING_TIMEOUT_S = 60.0
_READING_PREFIX = "<|im_start|>user\n"
_READING_QUESTION = "\nWhich kind of message"
_SAMPLING = {"temperature": 0.2, "top_p": 0.9, "repeat_penalty": 1.1, "repeat_last_n": 128}
_CUT = "\n[…]\n"


class EmbeddedModel:
    """SmolLM2 (or any GGUF at `path`) as a ChatModel, and its hidden states.

    Cheap to make: nothing is loaded before the first call. Raises UnavailableError on that call, or when the
    weights are asked about, when weights or runtime are missing or cannot be loaded here. `cache_folder` is where
    the cut copy for reading is kept; by default the user's cache.
    """

    def __init__(self, path: str | Path | None = None, *, cache_folder: Path | None = None) -> None:
        self._given = path
        self._cache_folder = cache_folder
        self._around: tuple[int, int] | None = None

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
        engine = await within(deadline, asyncio.to_thread(self._writer))
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
            async for event in events(answer, deadline):
                piece, ended, counted = _delta(event)
                usage = counted or usage
                finish = ended or finish
                if piece:
                    text += piece
                    yield piece
        yield Completion(text=text, model=self.model, finish=finish, usage=usage)

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Hidden states, shape (len(texts), 2 · width): of each text the mean over its own tokens, and the mean over
        the tokens of a question put behind it, in which the model turns from continuing the text to judging it.

        A text longer than READING_BYTES is cut there; an empty one raises BadRequestError.
        """
        import numpy as np

        deadline = asyncio.get_running_loop().time() + _READING_TIMEOUT_S * max(1, len(texts))
        engine = await within(deadline, asyncio.to_thread(self._reader))
        before, behind = self._around = self._around or await _around(engine, deadline)
        rows = []
        for text in texts:
            if not text:
                raise BadRequestError("an empty text has no hidden states")
            clipped = _plain(text).encode()[:READING_BYTES].decode(errors="ignore")
            states = await _states(engine, _READING_PREFIX + clipped + _READING_QUESTION, deadline)
            # The model is causal: what stands behind the text does not change the states of its tokens.
            own, question = states[before : max(before + 1, len(states) - behind)], states[-behind:]
            rows.append(np.concatenate([own.mean(axis=0), question.mean(axis=0)]))
        return np.array(rows).reshape(len(rows), 2 * read_header(self.weights).width)

    async def prepare(self) -> None:
        """Load both servers now, so that the first message does not wait for it."""
        await asyncio.gather(asyncio.to_thread(self._reader), asyncio.to_thread(self._writer))

    async def work(self) -> Work:
        """What the reply server is doing; loads it when it is not loaded yet."""
        engine = await asyncio.to_thread(self._writer)
        return await asyncio.to_thread(engine.work)

    async def aclose(self) -> None:
        """Nothing to release here: the servers belong to the process, and end with it."""

    def _writer(self) -> Engine:
        return server_for(self.weights, reading=False)

    def _reader(self) -> Engine:
        return server_for(self._reading_weights, reading=True)


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


async def _around(engine: Engine, deadline: float) -> tuple[int, int]:
    """How many tokens stand before a text and behind it."""
    # With a letter between them, since the line breaks of prefix and question alone would become one token.
    asked = await _states(engine, _READING_PREFIX + "a" + _READING_QUESTION, deadline)
    unasked = await _states(engine, _READING_PREFIX + "a", deadline)
    return len(await _states(engine, _READING_PREFIX, deadline)), len(asked) - len(unasked)


async def _states(engine: Engine, text: str, deadline: float) -> NDArray[np.float64]:
    """The hidden states of all tokens of `text`, shape (tokens, width)."""
    import numpy as np

    answer = await engine.json("/embedding", {"input": text}, deadline)
    states = np.asarray(answer.get("embedding"), dtype=np.float64)
    if states.ndim != 2 or not len(states):
        raise InvalidJsonError("the embedded model sent no hidden states")
    return states


async def _fitting(engine: Engine, request: Request, room: int, deadline: float) -> list[dict[str, str]]:
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
