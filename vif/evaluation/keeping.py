"""Runs and results in the database, one result at a time: what was measured and paid for is never lost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Protocol

from vif.evaluation.records import Batch, Result, Run
from vif.store import Store
from vif.store import evaluations as tables
from vif.store.bodies import read_body
from vif.store.evaluations import RunRow


class ResultKeeper(Protocol):
    """Where the results of runs go: an `EvaluationStore`, or what a test puts in its place."""

    async def save_run(self, run: Run) -> None: ...

    async def add_result(self, run_id: str, result: Result) -> None:
        """Return once it is safe. Raises StoreError."""
        ...

    async def results(self, id: str) -> Sequence[Result]: ...


class BatchKeeper(ResultKeeper, Protocol):
    """A keeper that remembers batches as well."""

    async def save_batch(self, run_id: str, batch: Batch) -> None:
        """Return once it is safe. Raises StoreError."""
        ...

    async def batches(self, run_id: str) -> Sequence[Batch]: ...


class EvaluationStore:
    """Keeps runs, results and batches in a store. What is awaited here is committed, or has raised StoreError.

    Runs are kept as those of `owner`. With an owner nobody else's are found or deleted; without one, everybody's are.
    """

    def __init__(self, store: Store, owner: str | None = None) -> None:
        self._store, self._owner = store, owner

    async def save_run(self, run: Run) -> None:
        """Keep a run as it was planned. One that is kept already stays as it is."""
        row: dict[str, str | int | datetime | None] = {
            "id": run.id,
            "created_at": run.created_at,
            "owner": self._owner,
            "suite": run.suite.replace("\0", "\N{REPLACEMENT CHARACTER}"),  # PostgreSQL's text has no NUL
            "subjects": json.dumps([subject.name for subject in run.subjects]),
            "total": run.total,
            "body": run.model_dump_json(),
        }
        await self._store.write(partial(tables.put_run, row=row))

    async def add_result(self, run_id: str, result: Result) -> None:
        """Keep a result of a run that is kept. Of two with the same key the first stays.

        Being cancelled ends the waiting, not the saving.
        """
        row: dict[str, str | int] = {
            "run_id": run_id,
            "case_id": result.case_id,
            "subject": result.subject,
            "repeat": result.repeat,
            "body": result.model_dump_json(),
        }
        await self._store.write(partial(tables.put_result, row=row))

    async def save_batch(self, run_id: str, batch: Batch) -> None:
        """Keep a batch of a run that is kept, in place of the one with its id.

        Being cancelled ends the waiting, not the saving.
        """
        row = {"run_id": run_id, "id": batch.id, "body": batch.model_dump_json()}
        await self._store.write(partial(tables.put_batch, row=row))

    async def batches(self, run_id: str) -> tuple[Batch, ...]:
        """Those of a run, in the order they were handed over."""
        bodies = await self._store.read(partial(tables.get_batches, id=run_id))
        found = (read_body(Batch, body, f"batch of the run {run_id!r}") for body in bodies)
        return tuple(sorted(found, key=lambda batch: (batch.at, batch.id)))

    async def runs(self, limit: int = 100) -> list[RunRow]:
        """The newest first, with how much of each is done."""
        return await self._store.read(partial(tables.list_runs, limit=limit, owner=self._owner))

    async def run(self, id: str) -> Run | None:
        """The run with this id, or None. Raises StoreError, also when this version cannot read it."""
        body = await self._store.read(partial(tables.get_run, id=id, owner=self._owner))
        return None if body is None else read_body(Run, body, f"run {id!r}")

    async def results(self, id: str) -> tuple[Result, ...]:
        """What is kept of a run so far, in the order of the measurements."""
        bodies = await self._store.read(partial(tables.get_results, id=id, owner=self._owner))
        found = (read_body(Result, body, f"result of the run {id!r}") for body in bodies)
        return tuple(sorted(found, key=lambda result: (result.at, result.key)))

    async def delete_run(self, id: str) -> bool:
        """Delete a run with its results and batches for good. False when there was none."""
        return await self._store.erase(partial(tables.remove_run, id=id, owner=self._owner))
