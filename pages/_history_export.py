"""What was found, to take along: whole as JSON lines, or as a table for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from pages._history_kept import Kept
from vif.boundaries import BOUNDARY_NAMES
from vif.domains import DOMAINS
from vif.spreadsheet import neutralised

Cell = str | int | float | None

BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel takes UTF-8 for something else."""


def as_json_lines(found: Iterable[Kept]) -> str:
    """One Interaction a line; those that this version cannot read are left out."""
    return "".join(f"{kept.interaction.model_dump_json()}\n" for kept in found if kept.interaction is not None)


def as_table(found: Iterable[Kept]) -> str:
    """CSV with a line of heads; no cell is a formula to a spreadsheet."""
    file = io.StringIO()
    file.write(BYTE_ORDER_MARK)
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(HEADS)
    for kept in found:
        writer.writerow([neutralised(cell) if isinstance(cell, str) else cell for cell in _cells(kept)])
    return file.getvalue()


HEADS = (
    *("id", "created_at", "conversation", "favourite", "mode", "preset", "autonomy", "message", "reply"),
    *("source", "fallback_reason", "llm1", "llm2", "cost_usd", "latency_ms", "failed"),
    *(str(domain) for domain in DOMAINS),
    *(f"formula {domain}" for domain in DOMAINS),
    *BOUNDARY_NAMES,
    "developmental_stage",
)


def _cells(kept: Kept) -> list[Cell]:
    row, interaction = kept.row, kept.interaction
    formula = interaction.formula.domains.model_dump() if interaction else {}
    permeabilities = (
        {boundary.name: boundary.permeability for boundary in interaction.boundaries} if interaction else {}
    )
    domains = interaction.domains if interaction else {}
    return [
        *(row.id, row.created_at.isoformat(), row.conversation, int(kept.favourite), row.mode, row.preset),
        *(interaction.autonomy if interaction else None, row.message, interaction.reply if interaction else None),
        *(row.source, interaction.recognition.fallback_reason if interaction else None),
        *(row.llm1, row.llm2, row.cost_usd, row.latency_ms, int(row.failed)),
        *(domains.get(domain) for domain in DOMAINS),
        *(formula.get(domain) for domain in DOMAINS),
        *(permeabilities.get(name) for name in BOUNDARY_NAMES),
        str(interaction.developmental_stage) if interaction else None,
    ]
