"""OpenAI's Batch API: a file of requests up, a file of answers and one of errors down."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from vif.errors import BadRequestError, DeadlineError, ModelError, ModelNotFoundError, ServerError
from vif.evaluation._batch import asked, check_ended, check_requests, check_size
from vif.evaluation.batch import Answer, BatchState, Outcome, Phase
from vif.llm.openai import OpenAIModel
from vif.llm.protocol import Request
from vif.llm.transport import error_type, provider_message, redacted, shortened

if TYPE_CHECKING:
    from openai.types import Batch

T = TypeVar("T")

_PHASES: Mapping[str, Phase] = {
    "cancelling": "cancelling",
    "completed": "ended",
    "failed": "ended",
    "expired": "ended",
    "cancelled": "ended",
}


class OpenAIBatch(OpenAIModel):
    """A model of OpenAI, asked in batches. It can be asked in single calls as well."""

    async def submit(self, requests: Mapping[str, Request]) -> str:
        check_requests(requests, 50_000)
        content = b"".join(self._line(name, request) for name, request in requests.items())
        check_size(len(content), 200)
        client = await self._client()
        sent = await self._asked(client.files.create(file=("requests.jsonl", content), purpose="batch"))
        try:
            batch = await self._asked(
                client.batches.create(input_file_id=sent.id, endpoint="/v1/chat/completions", completion_window="24h")
            )
        except ModelError:
            with suppress(ModelError):
                await self._forget(sent.id)
            raise
        return batch.id

    async def poll(self, batch_id: str) -> BatchState:
        return _state(await self._batch(batch_id))

    async def results(self, batch_id: str) -> Sequence[Answer]:
        batch = await self._batch(batch_id)
        state = _state(batch)
        check_ended(state)
        files = [name for name in (batch.output_file_id, batch.error_file_id) if name]
        if batch.status == "failed" and not files:
            raise self.error(BadRequestError, f"took none of the batch: {state.problem or 'no reason given'}")
        client = await self._client()
        answers: list[Answer] = []
        for name in files:
            content = await self._asked(client.files.content(name))
            answers += [answer for line in content.content.split(b"\n") if (answer := self._answer(line))]
        return answers

    async def cancel(self, batch_id: str) -> None:
        client = await self._client()
        if _state(await self._batch(batch_id)).phase == "working":
            await self._asked(client.batches.cancel(batch_id))

    async def delete(self, batch_id: str) -> None:
        batch = await self._batch(batch_id)
        check_ended(_state(batch))
        for name in (batch.input_file_id, batch.output_file_id, batch.error_file_id):
            if name:
                await self._forget(name)

    async def _batch(self, batch_id: str) -> Batch:
        client = await self._client()
        return await self._asked(client.batches.retrieve(batch_id))

    async def _forget(self, file_id: str) -> None:
        client = await self._client()
        with suppress(ModelNotFoundError):  # what is gone need not be deleted
            await self._asked(client.files.delete(file_id))

    def _line(self, name: str, request: Request) -> bytes:
        body = {"model": self.model, **self._body(request)}
        line = {"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": body}
        return json.dumps(line, ensure_ascii=False).encode() + b"\n"

    def _answer(self, line: bytes) -> Answer | None:
        """None for a line that does not say which request it is about: nobody could use it."""
        try:
            match json.loads(line):
                case {"custom_id": str(name), **said}:
                    return Answer(name, self._outcome({str(key): value for key, value in said.items()}))
        except ValueError:
            pass
        return None

    def _outcome(self, said: Mapping[str, object]) -> Outcome:
        match said:
            case {"error": {"code": "batch_expired"}}:
                return self.error(DeadlineError, "not asked: the batch expired after 24 hours")
            case {"error": {"code": "batch_cancelled"}}:
                return self.error(DeadlineError, "not asked: the batch was cancelled")
            case {"error": dict(problem)}:
                return self.error_event(problem)
            case {"response": {"status_code": int(status), "body": body, **more}} if status >= 400:
                request_id = str(more.get("request_id") or "") or None
                return self.error(error_type(status), f"HTTP {status}: {provider_message(body)}", request_id=request_id)
            case {"response": {"body": dict(body)}}:
                return self._read(body)
        return self.error(ServerError, "sent a result that holds neither an answer nor an error")

    def _read(self, body: Mapping[str, object]) -> Outcome:
        from openai.types.chat import ChatCompletion

        fields: dict[str, object] = {"model": "", "choices": [], "usage": None, **body}
        try:
            # As the SDK reads an answer: kinds and reasons that it does not know yet are let through.
            return self._completion(ChatCompletion.model_construct(None, **fields))  # type: ignore[arg-type]
        except ModelError as error:
            return error.with_traceback(None)
        except (AttributeError, TypeError) as error:
            return self.error(ServerError, f"sent an answer that cannot be read ({type(error).__name__})")

    async def _asked(self, call: Awaitable[T]) -> T:
        return await asked(call, self._failure)


def _state(batch: Batch) -> BatchState:
    counts = batch.request_counts
    problems = (batch.errors.data or []) if batch.errors else []
    said = [f"line {item.line}: {item.message}" if item.line else str(item.message) for item in problems]
    return BatchState(
        id=batch.id,
        phase=_PHASES.get(batch.status, "working"),
        status=batch.status,
        total=counts.total if counts else 0,
        succeeded=counts.completed if counts else 0,
        failed=counts.failed if counts else 0,
        problem=shortened(redacted("; ".join(said[:3]), "")),
    )
