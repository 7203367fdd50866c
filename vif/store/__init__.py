"""What lasts: interactions and conversations, in a SQLite file of this user or in PostgreSQL.

from vif.store import open_store

store = open_store()                                       # or open_store("postgresql://…")
await store.save(interaction, session="…", conversation="…")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from vif.store.errors import StoreError

if TYPE_CHECKING:
    from vif.store.history import Choices, Filter, Summary
    from vif.store.info import Info
    from vif.store.later import LaterStore, open_later
    from vif.store.location import default_url
    from vif.store.store import Store, open_store

__all__ = [
    "Choices",
    "Filter",
    "Info",
    "LaterStore",
    "Store",
    "StoreError",
    "Summary",
    "default_url",
    "open_later",
    "open_store",
]

# SQLAlchemy takes a quarter of a second to import; who only wants to catch a StoreError does not pay for it.
_HOME_OF = {
    "LaterStore": "vif.store.later",
    "open_later": "vif.store.later",
    "Store": "vif.store.store",
    "Choices": "vif.store.history",
    "Filter": "vif.store.history",
    "Info": "vif.store.info",
    "Summary": "vif.store.history",
    "default_url": "vif.store.location",
    "open_store": "vif.store.store",
}


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'vif.store' has no attribute {name!r}")
    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value
