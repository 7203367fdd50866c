"""LLM #2: asks for the reply, passes it on as it streams, and keeps what is to be known about it.

A second responder takes over only before the first word: after it the reader has begun to read.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from vif.catalogue import cost_usd
from vif.errors import ModelError, RefusalError, ServerError, TruncatedError
from vif.flow import FlowContext
from vif.interaction import Attempt, Response
from vif.llm.protocol import NOBODY, Caller, ChatModel, Completion, Finish, Provider, Request, Turn, Usage
from vif.prompt import COMPACT_INSTRUCTIONS, INSTRUCTIONS, compact_prompt, well_formed

EMBEDDED_MAX_TOKENS = 320
"""The embedded model is small: what it has to say fits, and beyond that it rambles."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The whole reply, as far as it came, and its metadata."""

    text: str
    response: Response


def request_for(
    model: ChatModel,
    context: FlowContext,
    history: Sequence[Turn],
    *,
    max_tokens: int,
    timeout_s: float,
    caller: Caller = NOBODY,
) -> Request:
    """What this model is asked. The embedded one gets a compact prompt: it loses its way in a long one."""
    if model.provider is Provider.EMBEDDED:
        prompt = compact_prompt(context.message, context.reading.domains)
        tokens = min(max_tokens, EMBEDDED_MAX_TOKENS)
        return Request(COMPACT_INSTRUCTIONS, (Turn("user", prompt),), tokens, timeout_s, caller=caller)
    return Request(INSTRUCTIONS, (*history, Turn("user", context.prompt)), max_tokens, timeout_s, caller=caller)


async def respond(
    models: Sequence[ChatModel],
    context: FlowContext,
    *,
    history: Sequence[Turn] = (),
    max_tokens: int,
    timeout_s: float,
    caller: Caller = NOBODY,
    clock: Callable[[], float] = time.monotonic,
) -> AsyncGenerator[str | Reply, None]:
    """The reply as pieces of text, then one `Reply`. A failure is in `Reply.response.error`, never raised."""
    start = clock()
    failed: list[Attempt] = []
    for position, model in enumerate(models):
        request = request_for(model, context, history, max_tokens=max_tokens, timeout_s=timeout_s, caller=caller)
        asking = _Asking(model, request, start, clock)
        async with aclosing(asking.run()) as pieces:
            async for piece in pieces:
                yield piece
        failed += [asking.record(failure, last=False) for failure in asking.retried]
        if asking.failure is not None:
            failed.append(asking.record(asking.failure))
            if not asking.begun and position + 1 < len(models):
                continue
        yield asking.reply(failed)
        return


class _Asking:
    """One responder, asked once."""

    def __init__(self, model: ChatModel, request: Request, start: float, clock: Callable[[], float]) -> None:
        self.failure: ModelError | None = None
        self._model, self._request, self._start, self._clock = model, request, start, clock
        self._own_start = clock()
        self._pieces: list[str] = []
        self._first_token_ms: float | None = None
        self._completion: Completion | None = None
        self._usage: Usage | None = None

    @property
    def begun(self) -> bool:
        """Whether anything has reached the reader."""
        return bool(self._pieces)

    @property
    def retried(self) -> tuple[ModelError, ...]:
        """Failures before the first word that were followed by another attempt."""
        if self.failure is not None and self.failure.earlier:
            return self.failure.earlier
        return self._completion.failures if self._completion else ()

    @property
    def text(self) -> str:
        """The reply so far."""
        return "".join(self._pieces)

    async def run(self) -> AsyncGenerator[str, None]:
        half = ""  # of a character that was cut in two between pieces
        try:
            async with aclosing(self._model.stream(self._request)) as items:
                async for item in items:
                    if isinstance(item, Completion):
                        self._completion, self._usage = item, item.usage
                        break
                    piece = half + item
                    half = piece[-1:] if "\ud800" <= piece[-1:] <= "\udbff" else ""
                    piece = well_formed(piece.removesuffix(half))
                    if not piece:
                        continue
                    if self._first_token_ms is None:
                        self._first_token_ms = self._elapsed_ms()
                    self._pieces.append(piece)
                    yield piece
            self.failure = self._fault()
        except ModelError as error:
            self.failure, self._usage = error, error.usage
        except Exception as error:  # noqa: BLE001
            # Not foreseen: say what kind it is; its text might hold what must not be shown.
            self.failure = ServerError(f"{self._model.model} failed unexpectedly ({type(error).__name__})")

    def _fault(self) -> ModelError | None:
        completion, name = self._completion, self._model.model
        if not self.text.strip():
            if completion is not None and completion.finish is Finish.REFUSAL:
                return RefusalError(f"{name} declined to answer")
            return ServerError(f"{name} sent an empty reply")
        if completion is None or completion.finish is Finish.CUT:
            return TruncatedError(f"{name} ended the reply early; it may be incomplete")
        return None

    def _elapsed_ms(self) -> float:
        return max(self._clock() - self._start, 0.0) * 1000

    def record(self, failure: ModelError, *, last: bool = True) -> Attempt:
        """What is kept of asking in vain; the `last` of several attempts can have said something."""
        took_s = failure.took_s or self._clock() - self._own_start
        usage = (self._usage if last else failure.usage) or Usage()
        return Attempt(
            provider=self._model.provider,
            model=self._model.model,
            outcome=failure.reason,
            error=str(failure),
            started_ms=max(self._own_start - self._start + failure.began_s, 0.0) * 1000,
            latency_ms=max(took_s, 0.0) * 1000,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cost_usd=cost_usd(self._model.provider, self._model.model, usage),
            raw_text=self.text if last else failure.raw_text,
        )

    def reply(self, failed: Sequence[Attempt]) -> Reply:
        """The end of the reply; `failed` are all attempts that gave no usable one."""
        usage = self._usage or Usage()
        error = "; ".join(str(attempt.error) for attempt in failed) if self.failure else None
        model = self._completion.model if self._completion and self._completion.model else self._model.model
        return Reply(
            self.text,
            Response(
                provider=self._model.provider,
                model=model,
                asked=self._model.model,
                latency_ms=self._elapsed_ms(),
                first_token_ms=self._first_token_ms,
                input_tokens=usage.input_tokens,
                output_tokens=usage.output_tokens,
                cost_usd=cost_usd(self._model.provider, self._model.model, usage),
                finish_reason=self._completion.finish if self._completion else None,
                error=error,
                failed_attempts=tuple(failed),
                system=self._request.system,
                prompt=self._request.turns[-1].text,
            ),
        )
