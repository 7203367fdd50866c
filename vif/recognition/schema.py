"""The wire contract of LLM #1: the JSON schema it is given, and the check of what it gives back."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from vif.boundaries import BOUNDARY_NAMES, Boundary, Status, permeability_between, status_of
from vif.domains import DOMAINS
from vif.errors import InvalidJsonError, RefusalError, SchemaError, TruncatedError
from vif.interaction import Correction
from vif.llm.protocol import Completion, Finish, OutputSchema
from vif.prompt import well_formed

RELATIVE_TOLERANCE = 0.15
ABSOLUTE_TOLERANCE = 0.05
"""A permeability further from √(a·b) than both is replaced by it."""

ROUNDING = 1e-9
"""In binary 1 − 0.85 is a little more than 0.15; a value on the limit is within it."""

MOST_PATTERNS = 5
LONGEST_TEXT = 400
"""Characters kept of the reasoning and of each pattern."""

HIGHEST_FREQUENCY = 3.0

M = TypeVar("M", bound=BaseModel)

_Unit = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]


class _Boundary(BaseModel):
    model_config = ConfigDict(frozen=True)  # unknown keys are ignored

    permeability: _Unit
    status: str


class _OscillatingBoundary(_Boundary):
    frequency: Annotated[float, Field(strict=True, ge=0, le=HIGHEST_FREQUENCY, allow_inf_nan=False)]
    amplitude: _Unit
    phase: Annotated[float, Field(strict=True, ge=0, le=2 * math.pi, allow_inf_nan=False)]


_Domains = create_model("_Domains", **{domain.value: (_Unit, ...) for domain in DOMAINS})  # type: ignore[call-overload]


class _Answer(BaseModel):
    reasoning: str = ""
    domains: dict[str, object]
    boundaries: dict[str, object]
    patterns: list[str] = []


@dataclass(frozen=True, slots=True)
class Answer:
    """A checked answer of LLM #1: all four domains, all six boundaries, in order."""

    domains: Mapping[str, float]
    boundaries: tuple[Boundary, ...]
    reasoning: str = ""
    patterns: tuple[str, ...] = ()
    corrections: tuple[Correction, ...] = ()


@cache
def output_schema(oscillation: bool) -> OutputSchema:
    """The JSON schema, legal in both providers' strict modes: every key required, no other allowed."""
    unit = {"type": "number", "minimum": 0, "maximum": 1}
    boundary: dict[str, object] = {
        "permeability": unit,
        "status": {"type": "string", "enum": [status.value for status in Status]},
    }
    if oscillation:
        boundary |= {
            "frequency": {"type": "number", "minimum": 0, "maximum": HIGHEST_FREQUENCY},
            "amplitude": unit,
            "phase": {"type": "number", "minimum": 0, "maximum": 2 * math.pi},
        }
    return OutputSchema(
        "reading",
        _closed(
            # The reasoning comes first: numbers written after a reason are better numbers.
            reasoning={"type": "string", "description": "one sentence"},
            domains=_closed(**dict.fromkeys((domain.value for domain in DOMAINS), unit)),
            boundaries=_closed(**dict.fromkeys(BOUNDARY_NAMES, _closed(**boundary))),
            patterns={
                "type": "array",
                "items": {"type": "string"},
                "description": "1 to 5 short observations from the message",
            },
        ),
    )


def _closed(**properties: object) -> dict[str, object]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def checked_answer(completion: Completion, boundaries: tuple[Boundary, ...], *, oscillation: bool = False) -> Answer:
    """What LLM #1 said, validated; `boundaries` give the oscillation when it is not asked for.

    A Markdown fence is taken off and unknown keys are ignored. A permeability far from √(a·b) or a status that does not
    belong to it is replaced and recorded. Raises RefusalError, TruncatedError, InvalidJsonError or SchemaError, whose
    message says what was wrong in words fit for the next attempt's prompt.
    """
    text, usage = completion.text, completion.usage
    if completion.finish is Finish.REFUSAL:
        raise RefusalError("the model declined to answer", raw_text=text, usage=usage)
    if completion.finish is Finish.LENGTH:
        raise TruncatedError("the answer was cut off at the token limit; be brief", raw_text=text, usage=usage)
    try:
        value = _parsed(text)
    except ValueError as error:
        if completion.finish is Finish.CUT and text.strip():
            raise TruncatedError("the answer stops in the middle", raw_text=text, usage=usage) from None
        raise InvalidJsonError(str(error), raw_text=text, usage=usage) from None
    if not isinstance(value, dict):
        raise SchemaError("the answer was JSON, but not an object", raw_text=text, usage=usage)
    try:
        return _validated(value, boundaries, oscillation)
    except ValidationError as error:
        raise SchemaError(_violation(error), raw_text=text, usage=usage) from None
    except _Violation as error:
        raise SchemaError(str(error), raw_text=text, usage=usage) from None


class _Violation(Exception):
    """What the contract does not allow, in words."""


_FENCE = re.compile(r"```[\w+-]*[ \t]*\r?\n(.*?)```", re.DOTALL)


def _parsed(text: str) -> object:
    bare = text.strip().removeprefix("\ufeff")
    if not bare:
        raise ValueError("the answer was empty; answer with the JSON object")
    if not bare.startswith("{") and (fenced := _FENCE.search(bare)):
        bare = fenced.group(1).strip()
    try:
        return json.loads(bare)
    except json.JSONDecodeError as error:
        raise ValueError(f"the answer was not JSON ({error.msg} at character {error.pos})") from None
    except (RecursionError, ValueError):  # nested without end, a number of thousands of digits
        raise ValueError("the answer was not usable JSON") from None


def _validated(value: object, defaults: tuple[Boundary, ...], oscillation: bool) -> Answer:
    wire = _Answer.model_validate(value)
    domains: dict[str, float] = _within("domains", _Domains, wire.domains).model_dump()
    kind = _OscillatingBoundary if oscillation else _Boundary
    by_name = {boundary.name: boundary for boundary in defaults}
    boundaries, corrections = [], []
    for name in BOUNDARY_NAMES:
        if name not in wire.boundaries:
            raise _Violation(f"boundaries.{name} is missing")
        given = _within(f"boundaries.{name}", kind, wire.boundaries[name])
        boundary, replaced = _corrected(name, given, domains)
        base = by_name.get(name, Boundary(name))
        if isinstance(given, _OscillatingBoundary):
            base = replace(base, frequency=given.frequency, amplitude=given.amplitude, phase=given.phase)
        boundaries.append(replace(base, permeability=boundary.permeability, status=boundary.status))
        corrections += replaced
    patterns = [_short(pattern) for pattern in wire.patterns if pattern.strip()][:MOST_PATTERNS]
    return Answer(domains, tuple(boundaries), _short(wire.reasoning), tuple(patterns), tuple(corrections))


def _within(place: str, kind: type[M], value: object) -> M:
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        raise _Violation(_violation(error, place)) from None


def _corrected(name: str, given: _Boundary, domains: Mapping[str, float]) -> tuple[_Boundary, list[Correction]]:
    first, second = name.split("-")
    expected = permeability_between(domains[first], domains[second])
    corrections = []
    permeability = given.permeability
    away = abs(permeability - expected) - ROUNDING
    if away > RELATIVE_TOLERANCE * expected and away > ABSOLUTE_TOLERANCE:
        permeability = expected
        corrections.append(
            Correction(
                boundary=name,
                field="permeability",
                given=given.permeability,
                used=expected,
                why=f"more than 15 % away from the square root of {first} times {second}",
            )
        )
    status = status_of(permeability)
    if given.status != status:
        why = f"does not belong to a permeability of {permeability:.2f}"
        corrections.append(Correction(boundary=name, field="status", given=_short(given.status), used=status, why=why))
    return _Boundary(permeability=permeability, status=status), corrections


def _violation(error: ValidationError, place: str = "") -> str:
    """All faults in one line, each with its place: "domains.CD is 1.5: should be less than or equal to 1"."""
    faults = []
    for fault in error.errors(include_url=False)[:4]:
        where = ".".join(filter(None, (place, *map(str, fault["loc"])))) or "the answer"
        if fault["type"] == "missing":
            faults.append(f"{where} is missing")
        else:
            shown = _short(json.dumps(fault["input"], default=str))[:60]
            faults.append(f"{where} is {shown}: {fault['msg'].removeprefix('Input ')}")
    return "; ".join(faults)


def _short(text: str) -> str:
    plain = " ".join(well_formed(text).split())
    return plain if len(plain) <= LONGEST_TEXT else plain[: LONGEST_TEXT - 1] + "…"
