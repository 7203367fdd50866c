"""docs/troubleshooting.md has an entry for everything that can go wrong, and none for what cannot."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import dev
import vif.backup.form  # for the errors that live there
import vif.evaluation.suite
import vif.store.errors  # noqa: F401
from vif.config import DualLlmConfig
from vif.errors import ConfigError, ModelError, Reason, VifError

TEXT = (dev.ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in TEXT.splitlines() if line.startswith("| ")]
SOURCES = [
    path
    for folder in ("vif", "pages")
    for path in sorted((dev.ROOT / folder).rglob("*.py"))
    if "statistics" not in path.parts
]
VALUE = "\0"
"""Stands in a message for what is only known when it is said."""


def errors(base: type[VifError] = VifError) -> Iterator[type[VifError]]:
    for one in base.__subclasses__():
        yield one
        yield from errors(one)


def kinds() -> dict[str, type[VifError]]:
    every: list[type[VifError]] = [VifError, *errors()]
    return {one.__name__: one for one in every if one.__module__.startswith("vif.")}


def quoted() -> list[str]:
    """The messages of the page: code in the first cell of a row, or what the page says for a reason."""
    names = {*kinds(), *Reason}
    cells = [row[1] if row[0].strip("`") in set(Reason) else row[0] for row in ROWS]
    found = [text for cell in cells for text in re.findall(r"`([^`]+)`", cell)]
    return [text for text in found if text not in names and not text.startswith(("/", ".", "VIF_LLM"))]


def covers(message: str, text: str) -> bool:
    """Whether the page's message is what the code says; one that is hardly more than gaps has to be just that."""
    known = pattern(message)
    return message == text.replace(VALUE, "…") if known is None else known.fullmatch(text) is not None


@cache
def pattern(message: str) -> re.Pattern[str] | None:
    if len(re.sub(r"[\W_]", "", message)) < 4:
        return None
    return re.compile(".*".join(re.escape(part) for part in re.split("…+", message)), re.DOTALL)


def template(node: ast.expr) -> str | None:
    """A text of the code, with `VALUE` for what is filled in."""
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else VALUE for part in node.values)  # type: ignore[misc]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"\{[^}]*\}", VALUE, node.value)
    return None


@cache
def nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text("utf-8"))))


def texts(path: Path) -> Iterator[str]:
    for node in nodes(path):
        if isinstance(node, ast.expr) and (text := template(node)) is not None:
            yield text


def raised(path: Path) -> Iterator[str]:
    """What the errors of this file say: `SomeError("…")` and `fail(SomeError, "…")`."""
    names = {*kinds(), "UsageError"}
    for node in nodes(path):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        first = node.args[0]
        said = (
            first if called in names else node.args[1] if getattr(first, "id", "") in names and node.args[1:] else None
        )
        if said is not None and (text := template(said)) is not None:
            yield text


@pytest.mark.parametrize("path", [path for path in SOURCES if any(raised(path))], ids=lambda path: path.stem)
def test_every_line_an_error_can_say_has_an_entry(path: Path) -> None:
    known = quoted()
    assert [text for text in raised(path) if not any(covers(message, text) for message in known)] == []


def test_every_line_the_gate_can_say_has_an_entry() -> None:
    tree = ast.parse((dev.ROOT / "pages" / "_gate.py").read_text("utf-8"))
    (refusal,) = (one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name == "refusal")
    lines = {
        text for one in ast.walk(refusal) if isinstance(one, ast.Return) and one.value for text in [template(one.value)]
    }
    assert lines - {None} <= set(quoted())
    assert len(lines) >= 3


def test_every_line_of_the_page_is_one_the_code_can_say() -> None:
    said = {text for path in SOURCES for text in texts(path) if " " in text and len(text) < 300}
    assert [message for message in quoted() if not any(covers(message, text) for text in said)] == []


def test_an_entry_is_found_by_its_words() -> None:
    assert covers("the budget is $…", "the budget is $\0")
    assert not covers("the budget is $…", "the budget was $\0")
    assert covers("…: …", "\0: \0")
    assert not covers("…: …", "the disk \0: it is full")


def test_every_class_of_error_has_an_entry_and_nothing_else_has() -> None:
    start = next(index for index, row in enumerate(ROWS) if row[0] == "class")
    listed = [row[0].strip("`") for row in ROWS[start + 1 :] if re.fullmatch(r"`\w+Error`", row[0])]
    assert sorted(listed) == sorted(kinds())


def test_the_entry_of_an_error_of_a_model_names_its_reason() -> None:
    rows = {row[0].strip("`"): row[-1] for row in ROWS}
    for name, kind in kinds().items():
        if issubclass(kind, ModelError) and "reason" in vars(kind):
            assert f"reason `{kind.reason}`" in rows[name]


def test_every_reason_of_a_fallback_has_an_entry() -> None:
    assert [row[0].strip("`") for row in ROWS if row[0].strip("`") in set(Reason)] == [
        *("timeout", "deadline", "connection", "auth", "rate_limit", "server_error", "invalid_json", "schema"),
        *("refusal", "truncated", "circuit_open", "budget", "not_configured"),
    ]
    assert {row[0].strip("`") for row in ROWS} >= set(Reason)


def test_a_refused_setting_reads_as_on_the_page() -> None:
    with pytest.raises(ConfigError) as caught:
        DualLlmConfig(llm1_timeout_ms=0)
    assert f"“{caught.value}”" in TEXT
