"""Evaluation runs and their results in the database: statements over one connection. Bodies are not looked into."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, exists, func, select

from vif.store.inserting import insert_into
from vif.store.tables import evaluation_batches, evaluation_results, evaluation_runs


class RunRow(NamedTuple):
    """One line of a list of runs: `done` of `total` results are kept."""

    id: str
    created_at: datetime
    suite: str
    subjects: tuple[str, ...]
    total: int
    done: int


def put_run(connection: Connection, row: Mapping[str, str | int | datetime | None]) -> None:
    """Store a run. One that is there already is left as it is: its results belong to it."""
    connection.execute(insert_into(connection, evaluation_runs).on_conflict_do_nothing(), dict(row))


def put_result(connection: Connection, row: Mapping[str, str | int]) -> None:
    """Store a result. The first one of its place is kept."""
    connection.execute(insert_into(connection, evaluation_results).on_conflict_do_nothing(), dict(row))


def put_batch(connection: Connection, row: Mapping[str, str]) -> None:
    """Store a batch of a run, or replace it."""
    insert = insert_into(connection, evaluation_batches)
    updated = insert.on_conflict_do_update(index_elements=["run_id", "id"], set_={"body": insert.excluded.body})
    connection.execute(updated, dict(row))


def list_runs(connection: Connection, limit: int, owner: str | None = None) -> list[RunRow]:
    """The newest first; with an owner, only theirs."""
    runs, results = evaluation_runs.c, evaluation_results.c
    done = select(func.count()).where(results.run_id == runs.id).scalar_subquery()
    query = (
        select(runs.id, runs.created_at, runs.suite, runs.subjects, runs.total, done)
        .where(*_of(owner))
        .order_by(runs.created_at.desc(), runs.id.desc())
        .limit(limit)
    )
    return [
        RunRow(id, created_at, suite, tuple(json.loads(subjects)), total, count)
        for id, created_at, suite, subjects, total, count in connection.execute(query)
    ]


def get_run(connection: Connection, id: str, owner: str | None = None) -> str | None:
    """Its body; None when there is no such run, or it is not this owner's."""
    body: str | None = connection.scalar(select(evaluation_runs.c.body).where(evaluation_runs.c.id == id, *_of(owner)))
    return body


def get_results(connection: Connection, id: str, owner: str | None = None) -> Sequence[str]:
    """The bodies of the results of a run, in no order that means anything; none of another owner's."""
    results = evaluation_results.c
    query = select(results.body).where(results.run_id == id)
    if owner is not None:
        query = query.where(exists().where(evaluation_runs.c.id == results.run_id, *_of(owner)))
    return connection.scalars(query).all()


def get_batches(connection: Connection, id: str) -> Sequence[str]:
    """The bodies of the batches of a run, in no order that means anything."""
    return connection.scalars(select(evaluation_batches.c.body).where(evaluation_batches.c.run_id == id)).all()


def remove_run(connection: Connection, id: str, owner: str | None = None) -> bool:
    """Delete a run with its results and batches. False when there is no such run, or it is not this owner's."""
    return connection.execute(delete(evaluation_runs).where(evaluation_runs.c.id == id, *_of(owner))).rowcount > 0


def _of(owner: str | None) -> list[ColumnElement[bool]]:
    return [] if owner is None else [evaluation_runs.c.owner == owner]
