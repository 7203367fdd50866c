"""Suites: messages with what a good reading of them looks like. Read from CSV or JSON lines, written as CSV.

A row has `id` and `message`; for each domain either a range (`cd_min`, `cd_max`) or a target (`cd`) or nothing; the
activations of the interaction before, if any (`previous_cd` …); `tags`, separated by blanks; a free `note`.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from vif.domains import DOMAINS, Domain
from vif.errors import InputError
from vif.prompt import well_formed
from vif.spreadsheet import neutralised, restored

SuiteName = Literal["standard", "broad"]

LONGEST_MESSAGE = 200_000
LONGEST_CELL = 10_000_000
"""Of a CSV, in characters; a longer cell ends the reading of the file."""

MOST_CASES = 10_000
SHOWN_FAULTS = 20
"""Of a file with many faults, so many are named."""
LONGEST_QUOTE = 60

Unit = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Range = tuple[float, float]

_FIELDS = (
    "id",
    "message",
    *(f"{domain.value.lower()}_{end}" for domain in DOMAINS for end in ("min", "max")),
    *(domain.value.lower() for domain in DOMAINS),
    *(f"previous_{domain.value.lower()}" for domain in DOMAINS),
    "tags",
    "note",
)


class Case(BaseModel):
    """One message and what is expected of its reading. `ranges` and `targets` are keyed CD, SD, CuD, ED, 0 to 1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(min_length=1, max_length=100)
    message: str = Field(max_length=LONGEST_MESSAGE)
    ranges: Mapping[Domain, tuple[Unit, Unit]] = Field(default_factory=dict)
    targets: Mapping[Domain, Unit] = Field(default_factory=dict)
    previous: Mapping[Domain, Unit] | None = None
    tags: tuple[str, ...] = ()
    note: str = ""

    @field_validator("id", "message", "note")
    @classmethod
    def _check_text(cls, text: str) -> str:
        return well_formed(text)

    @model_validator(mode="after")
    def _check(self) -> Case:
        for domain, (low, high) in self.ranges.items():
            if low > high:
                raise ValueError(f"{domain.value.lower()}_min is {low}, above {domain.value.lower()}_max, {high}")
        return self

    @property
    def expected(self) -> dict[Domain, float]:
        """The target of each domain that has one: as given, or the middle of its range."""
        middles = {domain: (low + high) / 2 for domain, (low, high) in self.ranges.items()}
        return middles | dict(self.targets)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a file: the row, counted as the file's own lines or records, and why."""

    row: int
    why: str

    def __str__(self) -> str:
        return f"row {self.row}: {self.why}"


class SuiteError(InputError):
    """A suite that cannot be used; `faults` names every row that is wrong."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        shown = "; ".join(map(str, faults[:SHOWN_FAULTS]))
        more = f"; and {len(faults) - SHOWN_FAULTS} more" if len(faults) > SHOWN_FAULTS else ""
        super().__init__(shown + more)
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Suite:
    """Cases under a name."""

    name: str
    cases: tuple[Case, ...]
    by_id: Mapping[str, Case] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_id", {case.id: case for case in self.cases})

    @property
    def tags(self) -> tuple[str, ...]:
        return tuple(sorted({tag for case in self.cases for tag in case.tags}))


@cache
def shipped(name: SuiteName) -> Suite:
    """A suite that comes with the package: "standard" (the 15 cases of the design) or "broad" (our own, larger)."""
    return parse_csv(name, files("vif.evaluation").joinpath(f"suites/{name}.csv").read_text("utf-8"))


def parse(name: str, text: str) -> Suite:
    """A suite from CSV or JSON lines, whichever it is. Raises SuiteError, which names every row that is wrong."""
    return parse_jsonl(name, text) if text.lstrip("\ufeff \t\r\n").startswith("{") else parse_csv(name, text)


def parse_csv(name: str, text: str) -> Suite:
    """A suite from CSV with a heading. Raises SuiteError."""
    # Of the whole process, and below what a message may have; raising it harms nobody.
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_CELL))
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff"), newline=""))
    try:
        heading = [str(column).strip().lower() for column in reader.fieldnames or ()]
    except csv.Error as error:
        raise SuiteError([Fault(1, f"not CSV: {error}")]) from None
    missing = [column for column in ("id", "message") if column not in heading]
    if missing:
        raise SuiteError([Fault(1, f"the column {missing[0]!r} is missing; a suite has at least id and message")])
    unknown = [column for column in heading if column not in _FIELDS]
    if unknown:
        raise SuiteError([Fault(1, f"the column {quoted(unknown[0])} is not known; use {', '.join(_FIELDS)}")])
    twice = [column for column in heading if heading.count(column) > 1]
    if twice:
        why = f"the column {quoted(twice[0])} is there twice; a value can stand in one place only"
        raise SuiteError([Fault(1, why)])
    reader.fieldnames = heading
    rows: list[tuple[int, Mapping[str, object], str]] = []
    try:
        for row in reader:
            extra = row.pop(None, None)
            cells = {column: restored(value) for column, value in row.items() if value is not None}
            # A line number is what an editor shows; a quoted cell can span several.
            rows.append((reader.line_num, cells, "more cells than columns" if extra else ""))
    except csv.Error as error:  # nothing after it can be trusted
        rows.append(((rows[-1][0] if rows else 1) + 1, {}, f"not CSV: {error}"))
    return _suite(name, rows)


def parse_jsonl(name: str, text: str) -> Suite:
    """A suite from JSON lines: the names of the CSV, or `ranges`, `targets`, `previous` and `tags` as JSON."""
    rows: list[tuple[int, Mapping[str, object], str]] = []
    # Not `splitlines`, which also ends a line at separators that may stand inside a JSON string.
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text.lstrip("\ufeff")), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError as error:
            rows.append((number, {}, f"not JSON: {error}"))
            continue
        rows.append((number, value, "") if isinstance(value, dict) else (number, {}, "not a JSON object"))
    return _suite(name, rows)


def to_csv(suite: Suite) -> str:
    """The suite as CSV, safe to open in a spreadsheet; `parse_csv` gives the same suite again."""
    out = io.StringIO(newline="")
    # The writer quotes only the line ends it writes itself: with "\n" alone, a "\r" in a message would end its row.
    writer = csv.DictWriter(out, _FIELDS, lineterminator="\r\n")
    writer.writeheader()
    for case in suite.cases:
        row: dict[str, object] = {
            "id": case.id,
            "message": case.message,
            "note": case.note,
            "tags": " ".join(case.tags),
        }
        for domain in DOMAINS:
            name = domain.value.lower()
            if domain in case.ranges:
                row[f"{name}_min"], row[f"{name}_max"] = case.ranges[domain]
            if domain in case.targets:
                row[name] = case.targets[domain]
            if case.previous and domain in case.previous:
                row[f"previous_{name}"] = case.previous[domain]
        writer.writerow({name: neutralised(cell) if isinstance(cell, str) else cell for name, cell in row.items()})
    return out.getvalue()


def _suite(name: str, rows: Iterable[tuple[int, Mapping[str, object], str]]) -> Suite:
    cases: list[Case] = []
    faults: list[Fault] = []
    seen: dict[str, int] = {}
    for number, cells, problem in rows:
        if problem:
            faults.append(Fault(number, problem))
            continue
        try:
            case = _case(cells)
        except ValidationError as error:
            faults.append(Fault(number, _explained(error)))
            continue
        except ValueError as error:
            faults.append(Fault(number, str(error)))
            continue
        if case.id in seen:
            faults.append(Fault(number, f"the id {quoted(case.id)} is the one of row {seen[case.id]} too"))
            continue
        seen[case.id] = number
        cases.append(case)
    if not faults and not cases:
        faults.append(Fault(1, "there are no cases"))
    if len(cases) > MOST_CASES:
        faults.append(Fault(MOST_CASES + 1, f"there are {len(cases):,} cases; at most {MOST_CASES:,} can be run"))
    if faults:
        raise SuiteError(faults)
    return Suite(name, tuple(cases))


def _case(cells: Mapping[str, object]) -> Case:
    """A row with one cell per number, or with nested JSON."""
    values: dict[str, object] = {name: cells[name] for name in ("id", "message", "note") if name in cells}
    values["id"] = "" if values.get("id") is None else str(values["id"]).strip()
    ranges, targets, previous = (_nested(cells, name) for name in ("ranges", "targets", "previous"))
    for domain in DOMAINS:
        name = domain.value.lower()
        low, high = _number(cells, f"{name}_min"), _number(cells, f"{name}_max")
        if (low is None) != (high is None):
            raise ValueError(f"{name}_min and {name}_max go together; one of them is empty")
        if low is not None and high is not None:
            ranges[domain] = (low, high)
        if (target := _number(cells, name)) is not None:
            targets[domain] = target
        if (before := _number(cells, f"previous_{name}")) is not None:
            previous[domain] = before
    tags = cells.get("tags", ())
    words = tags.split() if isinstance(tags, str) else tags
    unknown = set(cells) - set(_FIELDS) - {"ranges", "targets", "previous"}
    if unknown:
        raise ValueError(f"{quoted(min(unknown))} is not known; use {', '.join(_FIELDS)}")
    return Case.model_validate(
        values | {"ranges": ranges, "targets": targets, "previous": previous or None, "tags": words}
    )


def _nested(cells: Mapping[str, object], name: str) -> dict[object, object]:
    value = cells.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"{name} is {quoted(value)}; it must be an object keyed {', '.join(DOMAINS)}")  # noqa: TRY004
    return dict(value)


def _number(cells: Mapping[str, object], name: str) -> float | None:
    value = cells.get(name)
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        number = float(str(value).strip())
    except ValueError:
        raise ValueError(f"{name} is {quoted(value)}; it must be a number from 0 to 1") from None
    if not 0.0 <= number <= 1.0:
        raise ValueError(f"{name} is {quoted(value)}; it must be a number from 0 to 1")
    return number


def quoted(value: object) -> str:
    """A cell in a message about it: its beginning, since a cell can be a megabyte."""
    text = repr(value)
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}…"


def _explained(error: ValidationError) -> str:
    fault = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in fault["loc"])
    message = fault["msg"].removeprefix("Value error, ")
    return f"{where}: {message[0].lower()}{message[1:]}" if where else message
