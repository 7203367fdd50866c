"""How a database of any earlier version becomes one of this version.

A change of `vif.store.tables` needs a new file in `versions/`, and its name in `tables.REVISION`. Migrations only go
forward; they run inside one transaction, with SQLite's foreign keys switched off.
"""
