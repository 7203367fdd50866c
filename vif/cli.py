"""The command line. Exit status: 0 ok, 1 target missed, 2 wrong use or configuration, 3 a model failed."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from functools import partial
from io import TextIOWrapper
from typing import TYPE_CHECKING, TypeVar

import click

from vif import __version__
from vif.cli_common import (
    INTERRUPTED,
    MODEL_FAILED,
    WRONG_USE,
    agree,
    fail,
    observer_of,
    printable,
    printable_json,
    warn_of_lifecycles,
    warn_of_unknown_variables,
)
from vif.cli_dashboard import dashboard
from vif.cli_eval import evaluate
from vif.cli_store import store
from vif.errors import InputError, RecognitionError, VifError

if TYPE_CHECKING:
    from vif.api import VifApi
    from vif.interaction import Interaction, Recognition, Response
    from vif.load.report import LoadReport

AT_ONCE = 8
"""Lines of `recognise --jsonl` that are read at the same time."""

T = TypeVar("T")
R = TypeVar("R")


def main() -> None:
    """Entry point of the `vif` command: every foreseen failure is one line on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
    if isinstance(sys.stdin, TextIOWrapper):
        # Bytes that are not UTF-8 spoil the line they are in, not the whole input; some shells begin with a BOM.
        sys.stdin.reconfigure(encoding="utf-8-sig", errors="surrogateescape")
    try:
        status = cli.main(standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        status = WRONG_USE
    except click.ClickException as error:
        status = fail(error.format_message(), WRONG_USE)
    except RecognitionError as error:
        status = fail(str(error), MODEL_FAILED)
    except VifError as error:
        status = fail(str(error), WRONG_USE)
    except (click.Abort, KeyboardInterrupt):
        status = INTERRUPTED
    sys.exit(status or 0)


class _Commands(click.Group):
    """The commands; a reader that has gone, as `| head` does, is not a failure."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # Here, because click itself would end with status 1. Nothing may be flushed to the pipe at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="vif %(version)s")
def cli() -> None:
    """See how a language model reads a message."""


cli.add_command(dashboard)
cli.add_command(evaluate)
cli.add_command(store)

_preset = click.option("--preset", metavar="P", help="balanced, fast, cheap, reliable or offline")


@cli.command()
@_preset
@click.option("--autonomy", type=float, metavar="A", help="0 to 1; the Rust formula's only input")
@click.option("--json", "as_json", is_flag=True, help="print the whole interaction as one JSON object")
@click.argument("message")
def run(preset: str | None, autonomy: float | None, as_json: bool, message: str) -> int:
    """Read MESSAGE and answer it."""
    from vif.events import Finished, Recognised, ReplyDelta

    async def carry_out() -> Interaction:
        async with _connected(preset, kept=True) as api, aclosing(api.stream(message, autonomy)) as events:
            async for event in events:
                if isinstance(event, Finished):
                    return event.interaction
                if as_json:
                    continue
                if isinstance(event, Recognised):
                    click.echo(_reading_text(event.reading.domains, event.recognition))
                elif isinstance(event, ReplyDelta):
                    click.echo(printable(event.text), nl=False)
        raise AssertionError("the stream ended without Finished")

    interaction = asyncio.run(carry_out())
    response = interaction.response
    if as_json:
        click.echo(printable_json(interaction.model_dump_json()))
    elif response:
        click.echo(f"\n\n{_response_text(response)}")
    if response and response.error:
        return fail(f"LLM #2 failed: {response.error}", MODEL_FAILED)
    return 0


@cli.command()
@_preset
@click.option("--jsonl", is_flag=True, help='read {"message": …} per line from stdin, print one JSON object per line')
@click.argument("message", required=False)
def recognise(preset: str | None, jsonl: bool, message: str | None) -> int:
    """Let LLM #1 read MESSAGE, without answering it."""
    if jsonl == (message is not None):
        raise click.UsageError("give either MESSAGE or --jsonl with lines on stdin")

    async def one(message: str) -> int:
        async with _connected(preset) as api:
            result = await _recognised(api, message)
        click.echo(printable_json(json.dumps(result, indent=2, ensure_ascii=False)))
        return 0

    async def many() -> int:
        faults, status = 0, 0
        async with _connected(preset) as api:
            async for result, line_status in _in_order(_numbered(sys.stdin), partial(_recognised_line, api)):
                click.echo(json.dumps(result))
                faults += line_status != 0
                status = max(status, line_status)
        return fail(f"{faults} of the lines could not be read; each error is in its place", status) if faults else 0

    return asyncio.run(many() if message is None else one(message))


@cli.command()
def flow() -> int:
    """Run the deterministic flow on JSON lines from stdin; no model is asked."""
    from pydantic import ValidationError

    from vif.flow_json import FlowInput, run_flow

    faults = 0
    for number, line in _numbered(sys.stdin):
        try:
            text = json.dumps(run_flow(FlowInput.model_validate_json(line)), allow_nan=False)
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
            where = ".".join(map(str, fault["loc"])) or "the line"
            text = json.dumps({"error": f"line {number}: {where}: {fault['msg']}"})
            faults += 1
        except (ValueError, OverflowError) as error:
            what = f"line {number}: a number is out of the range the formulas are defined for ({error})"
            text = json.dumps({"error": what})
            faults += 1
        click.echo(text)
    return fail(f"{faults} of the lines could not be computed; each error is in its place", WRONG_USE) if faults else 0


@cli.command()
def models() -> None:
    """List the models: role, price of a call with 1200 tokens in and 300 out, lifecycle."""
    from datetime import UTC, datetime

    from vif.catalogue import CATALOGUE, COMPARED_USAGE, cost_usd

    today = datetime.now(UTC).date()
    rows = [("PROVIDER", "MODEL", "ROLE", "USD", "LIFECYCLE")]
    for entry in CATALOGUE:
        price = cost_usd(entry.provider, entry.model, COMPARED_USAGE)
        ending = f" {entry.ends.isoformat()}, use {entry.successor}" if entry.ends else ""
        shown = "?" if price is None else "free" if price == 0 else f"{price:.6f}"
        rows.append(
            (entry.provider, entry.model, " and ".join(entry.roles) or "-", shown, entry.lifecycle(today) + ending)
        )
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@cli.command()
@_preset
@click.option("--concurrency", type=click.IntRange(1, 1_000), default=100, show_default=True, help="messages at once")
@click.option("--requests", type=click.IntRange(1, 1_000_000), default=500, show_default=True, help="messages in all")
@click.option("--repeat-share", type=click.FloatRange(0, 1), default=0.0, metavar="R", help="0 to 1, said before")
@click.option("--seed", type=int, metavar="N", help="for the same messages again")
@click.option("--bare", is_flag=True, help="run the bare SDKs with the same prompts too")
@click.option("--yes", is_flag=True, help="do not ask before it costs money")
@click.option("--json", "as_json", is_flag=True, help="print the report as one JSON object")
def load(
    *,
    preset: str | None,
    concurrency: int,
    requests: int,
    repeat_share: float,
    seed: int | None,
    bare: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Load-test the pipeline against the configured providers."""
    from random import randrange

    from rich.console import Console

    from vif.config import Access
    from vif.load.report import load_report, load_table
    from vif.load.runner import LoadPlan, asks_others, carry_out, check_bare, estimated_cost_usd

    plan = LoadPlan(requests, concurrency, repeat_share, randrange(1_000_000) if seed is None else seed, bare)  # noqa: S311
    access = Access()

    async def measure() -> LoadReport:
        async with _connected(preset) as api:
            if bare:
                check_bare(api.config)
            if asks_others(api.config, access):
                agree(requests, estimated_cost_usd(api.config, access, plan), yes)
            with _progress(requests) as on_done:
                return load_report(api.config, plan, *await carry_out(api, access, plan, on_done))

    report = asyncio.run(measure())
    if as_json:
        click.echo(printable_json(report.model_dump_json()))
    else:
        Console().print(load_table(report))
    if report.failures:
        return fail(f"{report.failures} of {requests} messages got no answer: LLM #2 failed", MODEL_FAILED)
    return 0


@contextmanager
def _progress(total: int) -> Iterator[Callable[[str, int], None]]:
    """A bar on the terminal for each part of the work; nothing where there is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    parts: dict[str, TaskID] = {}
    with Progress(
        *columns, console=console, transient=True, refresh_per_second=4, disable=not console.is_terminal
    ) as progress:

        def on_done(part: str, done: int) -> None:
            if part not in parts:
                parts[part] = progress.add_task(part, total=total)
            progress.update(parts[part], completed=done)

        yield on_done


@asynccontextmanager
async def _connected(preset: str | None, *, kept: bool = False) -> AsyncIterator[VifApi]:
    """An API for the preset; with `kept` what it finishes goes into the database."""
    from vif.config import Access, load_config
    from vif.connection import connect

    warn_of_unknown_variables()
    access = Access()
    config = load_config(preset, access=access)
    warn_of_lifecycles((*config.recognisers, *config.responders))
    store = None
    if kept:
        from vif.store import open_later

        store = open_later(config.database_url, retention_days=config.retention_days)
        if config.database_url is not None:
            await store.prepare()  # who names a database wants to know at once that it cannot be used
        else:
            store.begin()
    api = connect(config, access, store=store, observer=observer_of(config))
    try:
        yield api
    finally:
        await api.aclose()
        if store is not None:
            store.close()


def _numbered(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    return ((number, line) for number, line in enumerate(lines, 1) if line.strip())


async def _in_order(lines: Iterator[T], work: Callable[[T], Coroutine[object, object, R]]) -> AsyncIterator[R]:
    """What `work` makes of each line, in the order of the lines and as soon as it is there.

    A few lines are under way at once. Lines are waited for in a thread, so that one who writes a line and waits for its
    answer gets it.
    """
    under_way: asyncio.Queue[asyncio.Task[R] | None] = asyncio.Queue()
    places = asyncio.Semaphore(AT_ONCE)

    async def begin() -> None:
        while True:
            await places.acquire()
            line = await asyncio.to_thread(next, lines, None)
            if line is None:
                break
            task = asyncio.ensure_future(work(line))
            task.add_done_callback(lambda _: places.release())
            under_way.put_nowait(task)

    beginning = asyncio.ensure_future(begin())
    beginning.add_done_callback(lambda _: under_way.put_nowait(None))  # also when reading the lines failed
    try:
        while (task := await under_way.get()) is not None:
            yield await task
        await beginning
    finally:
        beginning.cancel()
        while not under_way.empty():
            if task := under_way.get_nowait():
                task.cancel()


async def _recognised_line(api: VifApi, numbered: tuple[int, str]) -> tuple[dict[str, object], int]:
    """The reading of one line, or its error, and the exit status that belongs to it."""
    number, line = numbered
    try:
        given = json.loads(line)
    except (ValueError, RecursionError):
        return {"error": f"line {number} is not JSON"}, WRONG_USE
    message = given.get("message") if isinstance(given, dict) else None
    if not isinstance(message, str):
        return {"error": f'line {number} has no "message" that is a text'}, WRONG_USE
    try:
        return await _recognised(api, message), 0
    except InputError as error:
        return {"error": f"line {number}: {error}"}, WRONG_USE
    except RecognitionError as error:
        return {"error": f"line {number}: {error}"}, MODEL_FAILED


async def _recognised(api: VifApi, message: str) -> dict[str, object]:
    from vif.scripting import read_with

    return (await read_with(api, message)).model_dump(mode="json")


def _reading_text(domains: Mapping[str, float], recognition: Recognition) -> str:
    from vif.domains import DOMAINS

    lines = [
        f"  {domain.label:<13} {'█' * round(20 * domains.get(domain, 0.0)):<20} {domains.get(domain, 0.0):.2f}"
        for domain in DOMAINS
    ]
    source = f"read by {recognition.model} ({recognition.source})" if recognition.model else "read by the Rust formula"
    if recognition.fallback_reason:
        source += f", because LLM #1 failed: {recognition.fallback_reason}"
    return "\n".join([printable(source), *lines, ""])


def _response_text(response: Response) -> str:
    first = f", first token {response.first_token_ms:.0f} ms" if response.first_token_ms is not None else ""
    cost = "cost unknown" if response.cost_usd is None else f"${response.cost_usd:.5f}"
    return (
        f"{printable(response.model)}{first}, {response.latency_ms:.0f} ms, "
        f"{response.input_tokens} + {response.output_tokens} tokens, {cost}, finished: {response.finish_reason}"
    )
