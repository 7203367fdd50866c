"""Records that are kept whole, as JSON in a text column."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from vif.store.errors import StoreError

Record = TypeVar("Record", bound=BaseModel)


def read_body(kind: type[Record], body: str, what: str) -> Record:
    """The record; `what` names it in the StoreError that is raised when this version cannot read it."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, fault["loc"])) or "its body"
        raise StoreError(
            f"the stored {what} was written by another version of vif or is damaged: {where}: {fault['msg']}; "
            "this version of vif cannot read it"
        ) from None
