"""The tables that docs/reference.py writes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs import reference
from vif.catalogue import CATALOGUE, find
from vif.config import OTHER_VARIABLES, Access, DualLlmConfig
from vif.identity import Admission

ALL = "\n".join(table() for table in reference.TABLES.values())


@pytest.mark.parametrize("page", reference.pages(), ids=lambda page: page.name)
def test_the_tables_of_a_page_are_what_the_code_gives_now(page: Path) -> None:
    text = page.read_text("utf-8")
    assert reference.renewed(text) == text, "run: python docs/reference.py"


def test_every_table_stands_on_a_page_and_every_mark_is_one_of_a_table() -> None:
    marks = [
        mark for page in reference.pages() for mark in re.findall(r"<!-- (?!end)(\S+) -->", page.read_text("utf-8"))
    ]
    assert sorted(marks) == sorted(reference.TABLES)


def test_every_variable_is_there_once_and_says_what_it_is_for() -> None:
    listed = re.findall(r"^\| `([A-Z]\w+)` \| .* \| (.+) \|$", ALL, re.MULTILINE)
    fields = (*DualLlmConfig.model_fields.items(), *Admission.model_fields.items(), *Access.model_fields.items())
    assert sorted(name for name, _ in listed) == sorted(reference.variable(name, field) for name, field in fields)
    assert {name for name, _ in listed} >= OTHER_VARIABLES
    assert all(meaning.strip() for _, meaning in listed)


@pytest.mark.parametrize(
    "row",
    [
        "| `VIF_AUTONOMY` | 0.55 | 0 to 1 | the formula's only input |",
        "| `VIF_LLM1_MAX_RETRIES` | 2 | 0 to 10 | on each rung, after the first attempt |",
        "| `VIF_CACHE_TTL_S` | 3600 | above 0 | seconds a reading is remembered |",
        "| `VIF_ENABLE_CACHING` | true | true, false | remember readings of equal questions |",
        "| `claude-3-haiku` | 2026-04-20 | `claude-haiku-5-5` |",
        "| `openai` | `gpt-6-luna` | `gpt-6.1-sol` |",
    ],
)
def test_a_row_reads(row: str) -> None:
    assert row in ALL.splitlines()


def test_every_model_that_ends_is_told_with_what_follows_it() -> None:
    ending = [entry for entry in CATALOGUE if entry.ends]
    assert ending
    rows = [line.split("`") for line in (reference.models_of_2025() + reference.models_that_end()).splitlines()[2:]]
    listed = [(find(parts[1]), parts[-2]) for parts in rows if len(parts) > 3]
    assert sorted((entry.model, after) for entry, after in listed if entry) == sorted(
        (entry.model, str(entry.successor)) for entry in ending
    )


def test_a_mark_of_no_table_is_an_error() -> None:
    with pytest.raises(KeyError, match="nothing"):
        reference.renewed("<!-- nothing -->\n\n<!-- end -->")
