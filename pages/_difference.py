"""What two readings of one message make different in the prompt for LLM #2: in words, and as changed lines."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from pages._theme import coloured
from vif import figures
from vif.domains import DOMAINS
from vif.flow import FlowContext

SECTIONS = ("domains", "boundaries", "interfaces", "qualities")
"""The parts of a structured prompt, in the order in which they matter."""


def changed_lines(before: str, after: str) -> str:
    """Only what differs: "- " the line of `before`, "+ " that of `after`, under the name of its part.

    A prompt without parts is compared as a whole. Empty when nothing differs.
    """
    parts = []
    for name in SECTIONS:
        old, before = _taken_out(before, name)
        new, after = _taken_out(after, name)
        parts.append((name, _changes(old, new)))
    parts.append(("the rest", _changes(before.splitlines(), after.splitlines())))
    named = [(name, lines) for name, lines in parts if lines]
    if [name for name, _ in named] == ["the rest"]:
        return "\n".join(named[0][1])
    return "\n".join(line for name, lines in named for line in (f"@@ {name} @@", *lines))


def in_words(formula: FlowContext, reading: FlowContext) -> tuple[str, ...]:
    """What LLM #1's reading changes in the prompt against the formula's, as Markdown sentences, weightiest first."""
    return (
        f"**Domains.** {_domains(formula, reading)}",
        f"**Boundaries.** {_boundaries(formula, reading)}",
        f"**Interfaces.** {_interfaces(formula, reading)}",
        f"**Qualities.** {_qualities(formula, reading)}",
    )


def _domains(formula: FlowContext, reading: FlowContext) -> str:
    before, after = formula.reading.domains, reading.reading.domains
    moved = []
    for entry in figures.differences(after, before):
        if abs(entry.change) < figures.NOTABLE:
            continue
        was = f"{entry.formula:.2f}" if entry.domain in before else "left out"
        now = f"**{entry.reading:.2f}**" if entry.domain in after else "**left out**"
        moved.append(f"{coloured(entry.domain)} {was} → {now}")
    if not moved:
        return f"All {len(DOMAINS)} are within {figures.NOTABLE:.2f} of the formula."
    return f"{', '.join(moved)}."


def _boundaries(formula: FlowContext, reading: FlowContext) -> str:
    before = {boundary.name: boundary for boundary in formula.reading.boundaries}
    changed = [
        f"{figures.boundary_label(now.name)} {before[now.name].status} → **{now.status}**"
        for now in reading.reading.boundaries
        if now.name in before and before[now.name].status != now.status
    ]
    if changed:
        return f"{', '.join(changed)}."
    moves = [now.permeability - before[now.name].permeability for now in reading.reading.boundaries]
    furthest = max(moves, key=abs, default=0.0)
    return f"Every one keeps its status; the furthest move is {furthest:+.2f}."


def _interfaces(formula: FlowContext, reading: FlowContext) -> str:
    before = [entry.boundary for entry in formula.interfaces]
    after = [entry.boundary for entry in reading.interfaces]
    come = [name for name in after if name not in before]
    gone = [name for name in before if name not in after]
    parts = []
    if come:
        parts.append(f"{_listed(come)} {'comes' if len(come) == 1 else 'come'} forward")
    if gone:
        parts.append(f"{_listed(gone)} {'steps' if len(gone) == 1 else 'step'} back")
    if not parts and before != after:
        parts.append(f"The same {len(after)}, in another order: {_listed(after[:1])} leads")
    if not after:
        parts.append("none is left")
    return f"{', '.join(parts)}." if parts else "The same ones, in the same order."


def _qualities(formula: FlowContext, reading: FlowContext) -> str:
    before, after = (_listed([e.boundary for e in context.emergent]) for context in (formula, reading))
    if not before and not after:
        return "None emerge in either prompt: that takes a Transcendent boundary."
    return f"They emerge at {after or 'no boundary'}; to the formula at {before or 'none'}."


def _listed(names: Sequence[str]) -> str:
    return ", ".join(figures.boundary_label(name) for name in names)


def _taken_out(prompt: str, name: str) -> tuple[list[str], str]:
    """The lines of one part, without its tags, and the prompt without them."""
    # A user's text cannot hold a tag: it is escaped.
    found = re.search(rf"^  <{name}>\n(.*?)^  </{name}>\n", prompt, re.DOTALL | re.MULTILINE)
    if found is None:
        return [], prompt
    return found[1].splitlines(), prompt[: found.start()] + prompt[found.end() :]


def _changes(old: Sequence[str], new: Sequence[str]) -> list[str]:
    lines: list[str] = []
    for kind, start, end, other_start, other_end in difflib.SequenceMatcher(None, old, new, False).get_opcodes():
        if kind == "equal":
            continue
        removed = [f"- {line.strip()}" for line in old[start:end]]
        added = [f"+ {line.strip()}" for line in new[other_start:other_end]]
        if len(removed) == len(added):  # a line and what became of it, one below the other
            lines += [line for pair in zip(removed, added, strict=True) for line in pair]
        else:
            lines += removed + added
    return lines
