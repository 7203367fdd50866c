"""What the commands share: words for a terminal, exit statuses, consent to costs, warnings."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from vif.config import DualLlmConfig, ModelRef
    from vif.telemetry.observer import Observer

TARGET_MISSED, WRONG_USE, MODEL_FAILED, INTERRUPTED = 1, 2, 3, 130

_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What can make a terminal do something, or show text in another order than it has. Newline and tab are fine."""


def printable(text: str) -> str:
    """Text of others as a terminal may show it: no escape sequences."""
    return _UNSAFE.sub("", text)


def printable_json(text: str) -> str:
    """The same JSON, as a terminal may show it."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def fail(message: str, status: int) -> int:
    """Say on stderr, in one line, what went wrong; the exit status that belongs to it."""
    print(f"vif: {' '.join(printable(message).split())}", file=sys.stderr)
    return status


def agree(requests: int, dollars: float | None, yes: bool) -> None:
    """Say what it may cost; without `--yes` go on only when somebody says so."""
    cost = "a price that is not known" if dollars is None else f"about ${dollars:.2f}"
    notice = f"{requests} messages go to real providers, for {cost}"
    if yes:
        print(f"vif: warning: {notice}", file=sys.stderr)
    elif sys.stdin.isatty():
        click.confirm(f"{notice}. Go on?", abort=True, err=True)
    else:
        raise click.UsageError(f"{notice}; say --yes when that is meant")


def warn_of_unknown_variables() -> None:
    from vif.config import unknown_variables

    for warning in unknown_variables():
        print(f"vif: warning: {warning}", file=sys.stderr)


def warn_of_lifecycles(references: Iterable[ModelRef]) -> None:
    """Say which of these models end soon, or have ended."""
    from datetime import UTC, datetime

    from vif.catalogue import lifecycle_warning

    for reference in references:
        if warning := lifecycle_warning(reference.model, datetime.now(UTC).date()):
            print(f"vif: warning: {warning}", file=sys.stderr)


def observer_of(config: DualLlmConfig) -> Observer:
    """A log on stderr for who asks for one; others want to see the answer only."""
    from vif.telemetry.observer import NOBODY_LOOKS

    if not {"log_level", "log_messages"} & config.model_fields_set:
        return NOBODY_LOOKS
    from vif.telemetry.logs import LogObserver

    return LogObserver(config.log_level, messages=config.log_messages)
