"""The stand-in, speaking the batch interfaces too: OpenAI's files and batches, Anthropic's message batches.

    with BatchStandin() as standin:
        batch_id = await job.submit(…)
        standin.end(batch_id, plans={"b": fail(500)}, untouched={"c"}, how="expired")

A batch stays under way until the test ends it. What a real provider would refuse in a request is refused in its result.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.standin import Standin
from tests.wire.dialects import DIALECTS
from tests.wire.plans import READING, Api, Plan

How = Literal["completed", "expired", "cancelled"]

_AT = "2026-11-23T01:00:00Z"


@dataclass
class HeldBatch:
    """A batch as the provider holds it; `requests` are the bodies by custom id."""

    id: str
    api: Api
    requests: dict[str, dict[str, Any]]
    input_file: str = ""
    status: str = "in_progress"
    succeeded: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    output_file: str | None = None
    error_file: str | None = None
    problems: list[dict[str, Any]] = field(default_factory=list)
    cancelling: bool = False


class BatchStandin(Standin):
    """A stand-in with batches. `batches` and `files` are what the provider holds; `calls` what it was asked."""

    def __init__(self) -> None:
        self.batches: dict[str, HeldBatch] = {}
        self.files: dict[str, bytes] = {}
        self.calls: list[str] = []
        self.refusals: deque[Response | None] = deque()
        handlers: list[tuple[str, str, Callable[[HttpRequest], Any]]] = [
            ("POST", "/v1/files", self._upload),
            ("GET", "/v1/files/{id}/content", self._download),
            ("DELETE", "/v1/files/{id}", self._delete_file),
            ("POST", "/v1/batches", self._create_openai),
            ("GET", "/v1/batches/{id}", self._show),
            ("POST", "/v1/batches/{id}/cancel", self._cancel),
            ("POST", "/v1/messages/batches", self._create_anthropic),
            ("GET", "/v1/messages/batches/{id}", self._show),
            ("POST", "/v1/messages/batches/{id}/cancel", self._cancel),
            ("GET", "/v1/messages/batches/{id}/results", self._download),
            ("DELETE", "/v1/messages/batches/{id}", self._delete_batch),
        ]
        super().__init__(routes=[Route(path, self._guarded(act), methods=[method]) for method, path, act in handlers])

    def refuse(self, status: int, message: str = "not now", headers: Mapping[str, str] | None = None) -> None:
        """Answer the next call with an error, whatever it is."""
        self.refusals.append(JSONResponse({"error": {"message": message}}, status, dict(headers or {})))

    def let_through(self) -> None:
        """Serve one call before the next refusal."""
        self.refusals.append(None)

    def end(
        self,
        batch_id: str,
        *,
        plans: Mapping[str, Plan] | None = None,
        untouched: Collection[str] = (),
        how: How = "completed",
        lost: Collection[str] = (),
    ) -> None:
        """End a batch: each request has its plan or a valid reading, the last one first.

        The `untouched` were not asked when it expired or was cancelled; of the `lost` the results say nothing.
        """
        batch = self.batches[batch_id]
        good: list[dict[str, Any]] = []
        bad: list[dict[str, Any]] = []
        for name, body in reversed(batch.requests.items()):
            if name in lost:
                continue
            if name in untouched:
                bad.append(self._untouched(batch.api, name, how))
                kind: str = how
            else:
                plan = DIALECTS[batch.api].fault(body) or (plans or {}).get(name, Plan())
                if plan.text is None:
                    plan = replace(plan, text=json.dumps(READING))
                (bad if plan.status >= 400 else good).append(self._performed(batch.api, name, body, plan))
                kind = "errored" if plan.status >= 400 else "succeeded"
            batch.failed[kind] = batch.failed.get(kind, 0) + 1
        batch.succeeded = batch.failed.pop("succeeded", 0)
        if batch.api == "openai":
            batch.status = how
            batch.output_file = self._file(good) if good else None
            batch.error_file = self._file(bad) if bad else None
        else:
            batch.status = "ended"
            self.files[batch_id] = _lines(good + bad)

    def fail(self, batch_id: str, message: str, line: int) -> None:
        """OpenAI takes none of the batch."""
        batch = self.batches[batch_id]
        batch.status = "failed"
        batch.problems = [{"code": "invalid_json_line", "message": message, "line": line, "param": None}]

    def _guarded(self, act: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
        async def handle(request: HttpRequest) -> Response:
            self.calls.append(f"{request.method} {request.url.path}")
            key = request.headers.get("authorization", "").removeprefix("Bearer ") or request.headers.get("x-api-key")
            if self.expected_key is not None and key != self.expected_key:
                return JSONResponse({"error": {"message": f"Incorrect API key provided: {key}."}}, 401)
            refusal = self.refusals.popleft() if self.refusals else None
            if refusal is not None:
                return refusal
            try:
                answer: Response = await act(request)
            except KeyError as error:
                return JSONResponse({"error": {"message": f"No such object: {error}"}}, 404)
            return answer

        return handle

    async def _upload(self, request: HttpRequest) -> Response:
        async with request.form() as form:
            sent = form["file"]
            if form["purpose"] != "batch" or isinstance(sent, str):
                return JSONResponse({"error": {"message": "purpose must be 'batch'"}}, 400)
            content = await sent.read()
        name = self._store(content)
        shown = {"id": name, "object": "file", "bytes": len(content), "created_at": 1, "filename": sent.filename}
        return JSONResponse(shown | {"purpose": "batch", "status": "processed"})

    async def _create_openai(self, request: HttpRequest) -> Response:
        asked = await request.json()
        if asked["endpoint"] != "/v1/chat/completions" or asked["completion_window"] != "24h":
            return JSONResponse({"error": {"message": "endpoint or completion_window is wrong"}}, 400)
        lines = [json.loads(line) for line in self.files[asked["input_file_id"]].splitlines()]
        assert all(line["method"] == "POST" and line["url"] == asked["endpoint"] for line in lines)
        return self._held("openai", {line["custom_id"]: line["body"] for line in lines}, asked["input_file_id"])

    async def _create_anthropic(self, request: HttpRequest) -> Response:
        entries = (await request.json())["requests"]
        names = [entry["custom_id"] for entry in entries]
        if len(set(names)) != len(names):
            return JSONResponse({"error": {"message": "custom_id must be unique"}}, 400)
        return self._held("anthropic", {entry["custom_id"]: entry["params"] for entry in entries}, "")

    def _held(self, api: Api, requests: dict[str, dict[str, Any]], input_file: str) -> Response:
        batch_id = f"{'batch' if api == 'openai' else 'msgbatch'}_{len(self.batches) + 1}"
        self.batches[batch_id] = HeldBatch(batch_id, api, requests, input_file)
        return JSONResponse(self._shown(self.batches[batch_id]))

    async def _show(self, request: HttpRequest) -> Response:
        return JSONResponse(self._shown(self.batches[request.path_params["id"]]))

    async def _cancel(self, request: HttpRequest) -> Response:
        batch = self.batches[request.path_params["id"]]
        if batch.status != "in_progress":
            return JSONResponse({"error": {"message": f"Cannot cancel a batch with status '{batch.status}'"}}, 409)
        batch.status = "cancelling" if batch.api == "openai" else "canceling"
        batch.cancelling = True
        return JSONResponse(self._shown(batch))

    async def _download(self, request: HttpRequest) -> Response:
        return Response(self.files[request.path_params["id"]], media_type="application/octet-stream")

    async def _delete_file(self, request: HttpRequest) -> Response:
        name = request.path_params["id"]
        del self.files[name]
        return JSONResponse({"id": name, "object": "file", "deleted": True})

    async def _delete_batch(self, request: HttpRequest) -> Response:
        name = request.path_params["id"]
        del self.batches[name], self.files[name]
        return JSONResponse({"id": name, "type": "message_batch_deleted"})

    def _shown(self, batch: HeldBatch) -> dict[str, Any]:
        total, failed = len(batch.requests), batch.failed
        if batch.api == "openai":
            counts = {"total": total, "completed": batch.succeeded, "failed": sum(failed.values())}
            return {
                "id": batch.id,
                "object": "batch",
                "endpoint": "/v1/chat/completions",
                "completion_window": "24h",
                "created_at": 1,
                "input_file_id": batch.input_file,
                "status": batch.status,
                "output_file_id": batch.output_file,
                "error_file_id": batch.error_file,
                "errors": {"object": "list", "data": batch.problems} if batch.problems else None,
                "request_counts": counts,
            }
        over = batch.status == "ended"
        return {
            "id": batch.id,
            "type": "message_batch",
            "processing_status": batch.status,
            "request_counts": {
                "processing": 0 if over else total,
                "succeeded": batch.succeeded,
                "errored": failed.get("errored", 0),
                "canceled": failed.get("cancelled", 0),
                "expired": failed.get("expired", 0),
            },
            "created_at": _AT,
            "expires_at": _AT,
            "ended_at": _AT if over else None,
            "cancel_initiated_at": _AT if batch.cancelling else None,
            "archived_at": None,
            "results_url": f"{self.base_url('anthropic')}/v1/messages/batches/{batch.id}/results" if over else None,
        }

    def _performed(self, api: Api, name: str, body: Mapping[str, Any], plan: Plan) -> dict[str, Any]:
        dialect = DIALECTS[api]
        bad = plan.status >= 400
        said = dialect.error(plan.status, plan.message, plan.kind) if bad else dialect.answer(plan, body)
        if api == "openai":
            response = {"status_code": plan.status, "request_id": f"req_{name}", "body": said}
            return {"id": f"batch_req_{name}", "custom_id": name, "response": response, "error": None}
        result = {"type": "errored", "error": said} if bad else {"type": "succeeded", "message": said}
        return {"custom_id": name, "result": result}

    def _untouched(self, api: Api, name: str, how: How) -> dict[str, Any]:
        if api == "openai":
            error = {"code": f"batch_{how}", "message": "This request could not be executed in time."}
            return {"id": f"batch_req_{name}", "custom_id": name, "response": None, "error": error}
        return {"custom_id": name, "result": {"type": "canceled" if how == "cancelled" else how}}

    def _file(self, lines: list[dict[str, Any]]) -> str:
        return self._store(_lines(lines))

    def _store(self, content: bytes) -> str:
        name = f"file-{len(self.files) + 1}"
        self.files[name] = content
        return name


def _lines(values: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(value, ensure_ascii=False).encode() + b"\n" for value in values)
