"""Whether a row may be in a store: its records can be read, agree with its columns, and what it refers to is there."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy import Table

from vif.backup.form import RowError, RowValues, Value
from vif.evaluation.records import Batch, Result, Run
from vif.identity import Role
from vif.interaction import Interaction
from vif.review.records import Campaign, Draft, Rating

Key = tuple[Value, ...]
Record = TypeVar("Record", bound=BaseModel)


class Checker:
    """Looks at the rows of all tables, those first that others refer to, and remembers which ones were good."""

    def __init__(self) -> None:
        self._good: dict[str, set[Key]] = {}
        self._items: set[Key] = set()

    def check(self, table: Table, row: RowValues) -> None:
        """Raise RowError when it may not be there, also because another one with its key is."""
        good = self._good.setdefault(table.name, set())
        key = key_of(table, row)
        if key in good:
            raise RowError("another row has the same key")
        for constraint in table.foreign_key_constraints:
            parent = tuple(row[column.name] for column in constraint.columns)
            if None not in parent and parent not in self._good.get(constraint.referred_table.name, set()):
                raise RowError(f"what it belongs to is not among {constraint.referred_table.name}")
        found = CHECKS[table.name](row)
        if isinstance(found, Campaign):
            self._items |= {(found.id, item.id) for item in found.items}
        if table.name == "review_ratings" and (row["campaign_id"], row["item_id"]) not in self._items:
            raise RowError("item_id is not in the campaign")
        good.add(key)


def key_of(table: Table, row: Mapping[str, Value]) -> Key:
    return tuple(row[column.name] for column in table.primary_key)


def name_of(table: Table, row: Mapping[str, Value]) -> str:
    """For people, in one line."""
    return f"{table.name} " + " ".join(repr(part)[:80] for part in key_of(table, row))


def _interaction(row: RowValues) -> Interaction:
    found = _record(Interaction, row, "body")
    _agree(row, id=found.id, created_at=found.created_at, mode=found.mode)
    return found


def _run(row: RowValues) -> Run:
    found = _record(Run, row, "body")
    _agree(row, id=found.id, created_at=found.created_at, total=found.total)
    try:
        names = json.loads(str(row["subjects"]))
    except (ValueError, RecursionError):
        names = None
    if names != [subject.name for subject in found.subjects]:
        raise RowError("subjects does not agree with the record in body")
    return found


def _result(row: RowValues) -> Result:
    found = _record(Result, row, "body")
    _agree(row, case_id=found.case_id, subject=found.subject, repeat=found.repeat)
    return found


def _batch(row: RowValues) -> Batch:
    found = _record(Batch, row, "body")
    _agree(row, id=found.id)
    return found


def _campaign(row: RowValues) -> Campaign:
    found = _record(Campaign, row, "body")
    _agree(row, id=found.id, created_at=found.created_at, kind=found.kind, total=len(found.items))
    return found


def _rating(row: RowValues) -> None:
    if row["state"] not in ("open", "skipped", "rated"):
        raise RowError("state must be open, skipped or rated")
    if row["draft"] is not None:
        _record(Draft, row, "draft")
    if row["body"] is None:
        if row["state"] != "open":
            raise RowError("body is missing, and state says that there was an answer")
        return
    found = _record(Rating, row, "body")
    _agree(
        row,
        campaign_id=found.campaign_id,
        item_id=found.item_id,
        rater=found.rater,
        position=found.position,
        swapped=found.swapped,
    )


def _user(row: RowValues) -> None:
    if row["role"] is not None and row["role"] not in set(Role):
        raise RowError(f"role must be {', '.join(Role)} or nothing")


def _plain(_row: RowValues) -> None:
    """Columns only, which were looked at before."""


CHECKS: Mapping[str, Callable[[RowValues], BaseModel | None]] = {
    "conversations": _plain,
    "interactions": _interaction,
    "favourites": _plain,
    "evaluation_runs": _run,
    "evaluation_results": _result,
    "evaluation_batches": _batch,
    "users": _user,
    "review_campaigns": _campaign,
    "review_ratings": _rating,
}


def _record(kind: type[Record], row: RowValues, column: str) -> Record:
    try:
        return kind.model_validate_json(str(row[column]))
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join([column, *map(str, fault["loc"])])[:200]
        raise RowError(f"{where}: {fault['msg'][:200]}") from None


def _agree(row: RowValues, **record: Value) -> None:
    for name, value in record.items():
        if row[name] != value:
            raise RowError(f"{name} does not agree with the record in body")
