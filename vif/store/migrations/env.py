"""Run by Alembic: carries the migrations out on the connection it was given, in the transaction that is open there."""

from __future__ import annotations

from alembic import context

from vif.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # SQLite can, though Alembic does not count on it
    render_as_batch=True,  # SQLite changes a table by replacing it
)
context.run_migrations()
