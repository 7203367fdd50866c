"""Everything a store holds as one file, and back: for keeping it safe, or taking it from SQLite to PostgreSQL.

from vif.backup import back_up, restore

await back_up(store, Path("vif.zip"))
await restore(another_store, Path("vif.zip"))

The file is a zip of `manifest.json` and, for each table, a member with one JSON object a line.
"""

from __future__ import annotations

from vif.backup.form import BackupError, Manifest
from vif.backup.reading import Restored, restore
from vif.backup.writing import BackedUp, back_up

__all__ = ["BackedUp", "BackupError", "Manifest", "Restored", "back_up", "restore"]
