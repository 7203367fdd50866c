"""`vif eval`: a suite read by models, measured; exit status 0 when every target is met, so that it can guard a prompt.

Exit status: 0 no target missed, 1 a target missed, 2 wrong use or configuration (also: stopped before the end), 3 no
model could read anything.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

import click

from vif.cli_common import (
    INTERRUPTED,
    MODEL_FAILED,
    TARGET_MISSED,
    WRONG_USE,
    fail,
    printable,
    printable_json,
    warn_of_unknown_variables,
)
from vif.cli_run import Outcome, Terms, carry_out

if TYPE_CHECKING:
    from vif.config import Access
    from vif.evaluation.keeping import EvaluationStore
    from vif.evaluation.measures import Report
    from vif.evaluation.records import Result, Run
    from vif.evaluation.suite import Suite

LARGEST_SUITE = 100_000_000
"""Bytes of a file; more cannot be a suite."""

LONGEST_FAULT = 300
"""Characters of a fault on the terminal: a cell that is wrong may hold a megabyte."""

_ONLY_FOR_NEW_RUNS = ("suite", "presets", "models", "formula", "repeats", "tags")


@dataclass(frozen=True, slots=True)
class Options:
    """What was said on the command line."""

    suite: str
    presets: tuple[str, ...]
    models: tuple[str, ...]
    formula: bool
    repeats: int
    concurrency: int
    budget: float | None
    tags: tuple[str, ...]
    resume: str | None
    as_json: bool
    markdown: Path | None
    html: Path | None
    csv: Path | None
    batch: bool
    yes: bool

    @property
    def terms(self) -> Terms:
        return Terms(self.concurrency, self.budget, self.batch, self.yes)

    @property
    def files(self) -> tuple[Path, ...]:
        return tuple(path for path in (self.markdown, self.html, self.csv) if path is not None)


_path = click.Path(path_type=Path)


@click.command("eval")
@click.option(
    "--suite", default="standard", show_default=True, metavar="S", help="standard, broad, or a CSV or JSONL file"
)
@click.option("--preset", "presets", multiple=True, metavar="P", help="a preset that reads it; may be repeated")
@click.option(
    "--model", "models", multiple=True, metavar="PROVIDER:MODEL", help="a model that reads it; may be repeated"
)
@click.option("--formula", is_flag=True, help="the Rust formula too")
@click.option("--repeats", type=click.IntRange(1, 100), default=5, show_default=True, help="readings of each case")
@click.option("--concurrency", type=click.IntRange(1, 1_000), default=8, show_default=True, help="calls at once")
@click.option("--budget", type=click.FloatRange(0), metavar="USD", help="of the whole run; no call goes beyond it")
@click.option("--tag", "tags", multiple=True, metavar="T", help="only cases with this tag; may be repeated")
@click.option("--batch", is_flag=True, help="as batches where the provider has them: half the price, up to a day")
@click.option("--resume", metavar="RUN_ID", help="go on with a run; what is read already is not read again")
@click.option("--list", "list_runs", is_flag=True, help="list the runs that are kept")
@click.option("--json", "as_json", is_flag=True, help="print the report as one JSON object")
@click.option("--markdown", type=_path, metavar="F", help="write the report as Markdown")
@click.option("--html", type=_path, metavar="F", help="write the report as a page")
@click.option("--csv", type=_path, metavar="F", help="write the results as CSV")
@click.option("--yes", is_flag=True, help="do not ask before it costs money")
@click.pass_context
def evaluate(context: click.Context, /, *, list_runs: bool, **given: object) -> int:
    """Let models read a suite of cases, and measure how well they do.

    Without --preset and --model: the configured preset and the formula. Exit status 1 when a target is missed.
    """
    options = Options(**given)  # type: ignore[arg-type]  # click gives each option its type
    said = [name for name in _ONLY_FOR_NEW_RUNS if _was_said(context, name)]
    if options.resume and said:
        flag = f"--{said[0].rstrip('s') if said[0] != 'repeats' else said[0]}"
        raise click.UsageError(f"{flag} belongs to a new run; a run that is resumed has its own")
    warn_of_unknown_variables()
    if list_runs:
        return _list(options.as_json)
    _check_files(options)
    return _evaluate(options)


def _was_said(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE


def _evaluate(options: Options) -> int:
    from vif.config import Access, DualLlmConfig
    from vif.evaluation.keeping import EvaluationStore
    from vif.evaluation.suite import SuiteError
    from vif.store import open_store

    access, settings = Access(), DualLlmConfig()
    try:
        new = None if options.resume else _planned(options, access)
    except SuiteError as error:
        for fault in error.faults:
            fail(f"{options.suite}: row {fault.row}: {_shortened(fault.why)}", WRONG_USE)
        return WRONG_USE
    with closing(open_store(settings.database_url)) as store:
        keeper = EvaluationStore(store)
        run = new or asyncio.run(_resumed(keeper, options.resume or ""))
        outcome = asyncio.run(carry_out(run, options.terms, keeper, access, settings))
    go_on = f"go on with: vif eval --resume {run.id}"
    if outcome.interrupted:
        return fail(f"interrupted; {len(outcome.results)} of {run.total} readings are kept; {go_on}", INTERRUPTED)
    return _status(_reported(options, outcome, go_on), outcome, go_on)


# ── What is to be read, and by whom ─────────────────────────────────────────────────────────────────────────────────


def _planned(options: Options, access: Access) -> Run:
    from vif.evaluation.plan import make_run

    suite = _suite(options.suite, options.tags)
    return make_run(suite, _names(options, access), repeats=options.repeats)


async def _resumed(keeper: EvaluationStore, id: str) -> Run:
    run = await keeper.run(id) if id.isalnum() else None  # ids are; some other texts no database can look for
    if run is None:
        raise click.UsageError(f"there is no run {id[:100]!r}; see: vif eval --list")
    return run


def _names(options: Options, access: Access) -> list[str]:
    """Who reads."""
    from vif.config import DualLlmConfig, ModelRef, load_config
    from vif.evaluation.plan import FORMULA

    for preset in options.presets:
        DualLlmConfig.preset(preset)  # raises ConfigError, which names those there are
    for model in options.models:
        try:
            ModelRef.parse(model)
        except ValueError as error:
            raise click.UsageError(f"--model {model[:100]!r} {error}") from None
    names = [*options.presets, *options.models, *([FORMULA] if options.formula else [])]
    if names:
        return names
    config = load_config(access=access)
    configured = config.preset_name
    # With one key only, the configuration is not what its preset says.
    if configured is None or DualLlmConfig.preset(configured).llm1 != config.llm1:
        return [str(config.llm1), FORMULA]
    return [configured, FORMULA]


def _suite(name: str, tags: Sequence[str]) -> Suite:
    """A shipped suite or that of a file, of it the cases with one of the tags. Raises SuiteError."""
    from vif.errors import InputError
    from vif.evaluation.plan import read_suite
    from vif.evaluation.suite import Suite, SuiteName, shipped
    from vif.prompt import well_formed

    if name in get_args(SuiteName):
        suite = shipped(cast(SuiteName, name))
    else:
        suite = read_suite(printable(well_formed(Path(name).name))[:100], _content(name))
    if not tags:
        return suite
    if unknown := [tag for tag in tags if tag not in suite.tags]:
        there = f"it has {', '.join(suite.tags)}" if suite.tags else "it has no tags"
        raise InputError(f"no case of the suite has the tag {unknown[0]!r}; {there}")
    cases = tuple(case for case in suite.cases if set(tags) & set(case.tags))
    return Suite(f"{suite.name}, {' '.join(tags)}", cases)


def _content(name: str) -> bytes:
    try:
        with Path(name).open("rb") as file:
            content = file.read(LARGEST_SUITE + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise click.UsageError(f"the suite {name!r} cannot be read: {why}; name standard, broad or a file") from None
    if len(content) > LARGEST_SUITE:
        raise click.UsageError(f"the suite {name!r} is larger than {LARGEST_SUITE:,} bytes")
    return content


# ── What comes of it ────────────────────────────────────────────────────────────────────────────────────────────────


def _reported(options: Options, outcome: Outcome, go_on: str) -> Report:
    """The report, in the files that were asked for and on stdout."""
    from vif.evaluation.metrics import evaluate as measured

    report = measured(outcome.run, outcome.results)
    if options.markdown:
        from vif.evaluation.markdown import report_markdown

        _write(options.markdown, report_markdown(report), go_on)
    if options.html:
        from vif.evaluation.html import report_html

        _write(options.html, report_html(report), go_on)
    if options.csv:
        from vif.evaluation.exported import results_csv

        _write(options.csv, results_csv(outcome.run, outcome.results), go_on)
    if options.as_json:
        from vif.evaluation.exported import report_json

        click.echo(printable_json(report_json(report, outcome.results)))
    else:
        from vif.cli_report import print_report

        print_report(report)
    return report


def _status(report: Report, outcome: Outcome, go_on: str) -> int:
    """The exit status, with the reason on stderr when it is not 0."""
    from vif.cli_report import missed_words

    formulas = {subject.name for subject in outcome.run.subjects if subject.formula}
    called = [result for result in outcome.results if result.subject not in formulas]
    stopped = f"stopped at {len(outcome.results)} of {outcome.run.total} readings: {outcome.why}; {go_on}"
    if len(formulas) < len(outcome.run.subjects) and not any(result.read for result in called):
        return fail(f"nothing could be read; {stopped if outcome.why else _last_error(called)}", MODEL_FAILED)
    if outcome.why:
        return fail(stopped, WRONG_USE)
    if report.missed:
        return fail(f"targets missed by {missed_words(report)}", TARGET_MISSED)
    return 0


def _last_error(results: Sequence[Result]) -> str:
    found = results[-1]
    attempts = found.recognition.attempts if found.recognition else ()
    return found.error or next((one.error for one in reversed(attempts) if one.error), None) or "nobody says why"


def _check_files(options: Options) -> None:
    """Raise UsageError for a file that could not be written in the end, when everything is paid for."""
    taken = {Path(options.suite).absolute()}
    for path in options.files:
        if path.is_dir() or not path.parent.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
            raise click.UsageError(f"the file {str(path)!r} cannot be written; its folder must be there and writable")
        if path.resolve() in taken:
            raise click.UsageError(f"the file {str(path)!r} is the suite or another output; give each its own")
        taken.add(path.resolve())


def _write(path: Path, text: str, go_on: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise click.UsageError(
            f"the file {str(path)!r} cannot be written: {error.strerror}; all readings are kept, {go_on}"
        ) from None


def _list(as_json: bool) -> int:
    """The runs that are kept, the newest first."""
    from vif.config import DualLlmConfig
    from vif.evaluation.keeping import EvaluationStore
    from vif.store import open_store

    with closing(open_store(DualLlmConfig().database_url)) as store:
        runs = asyncio.run(EvaluationStore(store).runs())
    if as_json:
        rows = [run._asdict() | {"created_at": run.created_at.isoformat()} for run in runs]
        click.echo(printable_json(json.dumps(rows, ensure_ascii=False)))
        return 0
    for run in runs:
        line = (
            f"{run.id}  {run.created_at:%Y-%m-%d %H:%M}  {run.done}/{run.total}  {run.suite}  {', '.join(run.subjects)}"
        )
        click.echo(" ".join(printable(line).split("\n")))
    return 0


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_FAULT else f"{text[: LONGEST_FAULT // 2]} … {text[-LONGEST_FAULT // 2 :]}"
