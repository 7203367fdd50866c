"""Anthropic's Message Batches: the requests in one call up, the results as one file of lines down."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from vif.errors import DeadlineError, ModelError, ServerError
from vif.evaluation._batch import asked, check_ended, check_requests, check_size
from vif.evaluation.batch import Answer, BatchState, Outcome, Phase
from vif.llm.anthropic import AnthropicModel
from vif.llm.protocol import Request

if TYPE_CHECKING:
    from anthropic.types.messages import MessageBatch, MessageBatchIndividualResponse

T = TypeVar("T")

_PHASES: Mapping[str, Phase] = {"ended": "ended", "canceling": "cancelling"}


class AnthropicBatch(AnthropicModel):
    """A model of Anthropic, asked in batches. It can be asked in single calls as well."""

    async def submit(self, requests: Mapping[str, Request]) -> str:
        check_requests(requests, 100_000)
        client = await self._client()
        entries = [
            {"custom_id": name, "params": {"model": self.model, **self._body(request)}}
            for name, request in requests.items()
        ]
        check_size(sum(len(json.dumps(entry, ensure_ascii=False).encode()) for entry in entries), 256)
        # As `extra_body`: the SDK would compare every node of every request with the types it could have.
        batch = await self._asked(client.messages.batches.create(requests=(), extra_body={"requests": entries}))
        return batch.id

    async def poll(self, batch_id: str) -> BatchState:
        client = await self._client()
        return _state(await self._asked(client.messages.batches.retrieve(batch_id)))

    async def results(self, batch_id: str) -> Sequence[Answer]:
        check_ended(await self.poll(batch_id))
        client = await self._client()

        async def read() -> list[MessageBatchIndividualResponse]:
            return [line async for line in await client.messages.batches.results(batch_id)]

        return [Answer(line.custom_id, self._outcome(line)) for line in await self._asked(read())]

    async def cancel(self, batch_id: str) -> None:
        client = await self._client()
        if (await self.poll(batch_id)).phase == "working":
            await self._asked(client.messages.batches.cancel(batch_id))

    async def delete(self, batch_id: str) -> None:
        check_ended(await self.poll(batch_id))
        client = await self._client()
        await self._asked(client.messages.batches.delete(batch_id))

    def _outcome(self, line: MessageBatchIndividualResponse) -> Outcome:
        result = line.result
        try:
            if result.type == "succeeded":
                return self._completion(result.message)
            if result.type == "errored":
                return self.error_event(result.error.model_dump(mode="json"))
        except ModelError as error:
            return error.with_traceback(None)
        except (AttributeError, TypeError) as error:
            return self.error(ServerError, f"sent an answer that cannot be read ({type(error).__name__})")
        if result.type == "expired":
            return self.error(DeadlineError, "not asked: the batch expired after 24 hours")
        if result.type == "canceled":
            return self.error(DeadlineError, "not asked: the batch was cancelled")
        return self.error(ServerError, "sent a result that holds neither an answer nor an error")

    async def _asked(self, call: Awaitable[T]) -> T:
        return await asked(call, self._failure)


def _state(batch: MessageBatch) -> BatchState:
    counts = batch.request_counts
    failed = counts.errored + counts.canceled + counts.expired
    return BatchState(
        id=batch.id,
        phase=_PHASES.get(batch.processing_status, "working"),
        status=batch.processing_status,
        total=counts.processing + counts.succeeded + failed,
        succeeded=counts.succeeded,
        failed=failed,
    )
