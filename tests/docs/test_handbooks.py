"""What the handbooks say of operations, evaluation and review is what the code does."""

from __future__ import annotations

import re
from typing import get_args

import pytest
from prometheus_client import generate_latest

import dev
from pages._rate import TOO_SOON_S
from vif.config import DualLlmConfig, unknown_variables
from vif.evaluation.measures import METRICS
from vif.evaluation.suite import shipped
from vif.evaluation.targets import TARGETS
from vif.identity import Role
from vif.recognition.drill import Fault
from vif.review.records import Choice
from vif.review.service import LEFT_AFTER
from vif.state import REDIS_PAUSE_S, REDIS_TIMEOUT_S
from vif.telemetry.metrics import Metrics

TEXTS = {path.relative_to(dev.ROOT).as_posix(): path.read_text("utf-8") for path in (dev.ROOT / "docs").rglob("*.md")}
OPERATIONS, EVALUATION, REVIEW = (TEXTS[f"docs/{name}.md"] for name in ("operations", "evaluation", "review"))
LANGUAGES = {"ar", "de", "en", "es", "fr", "it", "ja", "ko", "pt", "ru", "zh"}


@pytest.mark.parametrize("page", sorted(TEXTS))
def test_the_settings_and_files_a_page_names_exist(page: str) -> None:
    text = TEXTS[page]
    settings = set(re.findall(r"`(VIF_[A-Z0-9_]*[A-Z0-9])`", text))
    assert unknown_variables(dict.fromkeys(settings, "")) == []
    named = re.findall(r"`((?:vif|pages|docs|tests|examples|benchmarks|training)/[\w/.-]+)`", text)
    assert [name for name in named if not (dev.ROOT / name).exists()] == []


def test_operations_tells_of_every_metric_and_of_no_other() -> None:
    served = set(
        re.findall(r"^# HELP (vif_\w+?)(?:_created)? ", generate_latest(Metrics().registry).decode(), re.MULTILINE)
    )
    described = {name for row in re.findall(r"^\| (`vif_.*?) \|", OPERATIONS, re.MULTILINE) for name in _names(row)}
    assert {name.removesuffix("_total") for name in described} == {name.removesuffix("_total") for name in served}


def _names(cell: str) -> list[str]:
    return re.findall(r"`(vif_\w+)", cell)


def test_operations_has_the_numbers_of_the_code() -> None:
    fields = DualLlmConfig.model_fields
    assert f"after {fields['breaker_failures'].default} failures in a row" in OPERATIONS
    assert f"left alone for {fields['breaker_reset_s'].default:g} s" in OPERATIONS
    assert f"after {REDIS_TIMEOUT_S:g} s" in OPERATIONS
    assert f"again after {REDIS_PAUSE_S:g} s" in OPERATIONS
    assert f"`VIF_LOG_LEVEL` is `{fields['log_level'].default}`" in OPERATIONS


def test_operations_lists_every_fault_of_the_drill() -> None:
    listed = OPERATIONS.partition("choose what LLM #1 does (")[2].partition(")")[0].replace("\n", " ")
    assert sorted(listed.split(", ")) == sorted(Fault)


def test_operations_and_review_name_every_role() -> None:
    assert [role for role in Role if f"{role} " not in OPERATIONS] == []


def test_evaluation_describes_the_suites_that_are_shipped() -> None:
    broad = shipped("broad")
    tags = {tag for case in broad.cases for tag in case.tags}
    assert f"the {len(shipped('standard').cases)} cases" in EVALUATION
    assert f"`broad` ({len(broad.cases)} of our own" in EVALUATION
    assert tags & LANGUAGES == LANGUAGES
    assert "eleven languages" in EVALUATION
    assert f"{sum('injection' in case.tags for case in broad.cases)} injections" in EVALUATION
    assert max(len(case.message) for case in broad.cases) == 20_000
    assert "20,000 characters" in EVALUATION


def test_evaluation_has_the_targets_of_the_code() -> None:
    table = EVALUATION.partition("## What is measured")[2]
    shown = re.findall(r"\| (?:≥|<) \$?([\d.]+)( %| ms)?", table)
    wanted = []
    for name in METRICS:
        if name in TARGETS:
            share = TARGETS[name].kind == "at least"
            wanted.append(f"{TARGETS[name].value * 100:g}" if share else f"{TARGETS[name].value:g}")
    assert [value for value, _ in shown] == wanted


def test_review_has_the_numbers_of_the_code() -> None:
    assert f"first {TOO_SOON_S:g} seconds" in REVIEW
    assert LEFT_AFTER.total_seconds() == 1800
    assert "half an hour" in REVIEW
    assert len(get_args(Choice)) == 4
    assert "A is better, B is better, equally good, both bad" in REVIEW
