"""docs/security.md says what is so: every attack that is carried out, and only tests there are."""

from __future__ import annotations

import ast
import re

import pytest

import dev
import vif
from tests.security.attacks import ATTACKS
from vif.config import STRANGERS_LIMITS, unknown_variables

TEXT = (dev.ROOT / "docs" / "security.md").read_text("utf-8")
ROWS = [
    line.split("|")[1] for line in TEXT.partition("## Attacks")[2].partition("## Limits")[0].splitlines() if "|" in line
]
TESTS = sorted(set(re.findall(r"\btests/[\w/]+\.py::\w+", TEXT)))


def test_every_attack_that_is_carried_out_is_described_and_no_other() -> None:
    named = [name for row in ROWS for name in re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`", row)]
    assert sorted(named) == sorted(ATTACKS)


@pytest.mark.parametrize("test", TESTS)
def test_every_test_it_names_exists(test: str) -> None:
    path, _, name = test.partition("::")
    tree = ast.parse((dev.ROOT / path).read_text("utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_the_places_and_settings_it_names_exist() -> None:
    for place in re.findall(r"`((?:vif|pages|docs)/[\w/.]+)`", TEXT):
        assert (dev.ROOT / place).exists(), place
    named = set(re.findall(r"\bVIF_\w+", TEXT))
    assert unknown_variables(dict.fromkeys(named, "")) == []


def test_the_limits_are_those_that_hold() -> None:
    for name, limit in STRANGERS_LIMITS.items():
        shown = f"{limit:.2f}" if "usd" in name else f"{limit}"
        assert f"| `VIF_{name.upper()}` | {shown} |" in TEXT
    assert set(STRANGERS_LIMITS) <= set(vif.DualLlmConfig.model_fields)
