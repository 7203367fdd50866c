"""What the Evaluate page says in one way everywhere: who reads, when, how long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from pages import _choices
from pages._text import plain
from pages._theme import THEMED
from vif.evaluation.records import Run

PARAMETER = "run"
"""In the address: which run is looked at."""

LONGEST_FAULT = 300

_FREE = ("#000007", "#000008", "#000009", "#000010")
"""Places of the theme's chart colours that are nobody's; see `_theme.THEMED`."""


def names_of(run: Run) -> Mapping[str, str]:
    """What each subject is called on the page, by its name in the run."""
    return {subject.name: _choices.label(subject.name) for subject in run.subjects}


def listed(names: Sequence[str]) -> str:
    """Subjects as Markdown."""
    return ", ".join(plain(_choices.label(name), 60) for name in names)


def duration(seconds: float) -> str:
    """About so long."""
    if seconds < 1.5:
        return "a second"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours"


def money(usd: float) -> str:
    """An amount as Markdown."""
    if usd == 0:
        return "nothing"
    return r"under \$0.0001" if usd < 0.0001 else rf"\${usd:,.4f}" if usd < 1 else rf"\${usd:,.2f}"


def counted(number: int, one: str, many: str | None = None) -> str:
    """ "1 case", "15 cases"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def shortened(text: str, longest: int = LONGEST_FAULT) -> str:
    """A fault that quotes a cell of a megabyte is shown with its ends."""
    return text if len(text) <= longest else f"{text[: longest // 2]} … {text[-longest // 2 :]}"


def is_phone() -> bool:
    """Whether the browser calls itself one."""
    return "Mobi" in (st.context.headers.get("User-Agent") or "")


def colours_of(run: Run) -> Mapping[str, str]:
    """A colour of the theme for each subject, by what it is called: those of reader and formula, then those no domain
    has.
    """
    names = names_of(run)
    models = [subject.name for subject in run.subjects if not subject.formula]
    free = [THEMED.llm1, *_FREE]
    found = {names[model]: free[number % len(free)] for number, model in enumerate(models)}
    return found | {names[subject.name]: THEMED.formula for subject in run.subjects if subject.formula}
