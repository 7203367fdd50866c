"""`vif store`: what is kept, looked at, saved to a file, put back and forgotten."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vif.cli_common import fail, printable, warn_of_unknown_variables

if TYPE_CHECKING:
    from vif.store import Store

LEFT_OUT = 1
NAMED = 20
"""Rows that could not be backed up are named up to this number; the rest is counted."""


@click.group(name="store")
def store() -> None:
    """What is kept, in the database VIF_DATABASE_URL names or in a file of yours."""


@store.command()
@click.option("--json", "as_json", is_flag=True, help="print one JSON object")
def info(as_json: bool) -> None:
    """Say where it is, how large, and what is in it."""
    with _opened() as opened:
        found = asyncio.run(opened.info())
    if as_json:
        click.echo(json.dumps({"where": opened.where} | asdict(found), indent=2, default=str))
        return
    click.echo(printable(opened.where))
    click.echo(f"{found.bytes / 1e6:.1f} MB")
    if found.first is not None and found.last is not None:
        click.echo(f"interactions from {found.first:%Y-%m-%d} to {found.last:%Y-%m-%d}")
    for table, rows in found.rows.items():
        click.echo(f"{rows:>9}  {table.replace('_', ' ')}")


@store.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> int:
    """Write everything to FILE, which must be new. Others may go on working meanwhile."""
    from vif.backup import back_up

    with _opened() as opened:
        done = asyncio.run(back_up(opened, file))
    click.echo(f"{done.rows} rows written to {printable(str(file))}")
    if not done.left_out:
        return 0
    for line in done.left_out[:NAMED]:
        print(f"vif: warning: left out: {printable(line)}", file=sys.stderr)
    return fail(f"rows left out because this version cannot read them: {len(done.left_out)}", LEFT_OUT)


@store.command()
@click.option("--replace", is_flag=True, help="where both have something under one id, take what the backup has")
@click.argument("file", type=click.Path(path_type=Path))
def restore(file: Path, replace: bool) -> None:
    """Put everything of the backup FILE beside what is there; all of it, or nothing when anything is wrong with it."""
    from vif.backup import restore

    with _opened() as opened:
        done = asyncio.run(restore(opened, file, replace=replace))
    click.echo(f"{done.added} rows added, {done.replaced} replaced, {done.same} there already")


@store.command("delete-expired")
@click.option("--days", type=click.IntRange(1, 36_500), metavar="N", help="older than this; else VIF_RETENTION_DAYS")
def delete_expired(days: int | None) -> None:
    """Delete for good the interactions that are too old, except favourites."""
    from vif.config import DualLlmConfig

    days = days or DualLlmConfig().retention_days
    if days is None:
        raise click.UsageError("say --days, or set VIF_RETENTION_DAYS")
    with _opened() as opened:
        gone = asyncio.run(opened.delete_expired(days))
    click.echo(f"{gone} interactions deleted")


@contextmanager
def _opened() -> Iterator[Store]:
    """The store that is configured. Nothing is deleted because it is opened for this."""
    from vif.config import DualLlmConfig
    from vif.store import open_store

    warn_of_unknown_variables()
    opened = open_store(DualLlmConfig().database_url)
    try:
        yield opened
    finally:
        opened.close()
