"""A campaign's ratings and verdict as files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from vif.domains import DOMAINS
from vif.review.findings import Verdict
from vif.review.records import Campaign, Rating
from vif.spreadsheet import neutralised

Cell = str | float | None


def ratings_csv(campaign: Campaign, ratings: Sequence[Rating]) -> str:
    """One row per rating, sides named by their systems; text cells are neutralised for spreadsheets."""
    rows = [_row(campaign, rating) for rating in ratings]
    heading = list(dict.fromkeys(column for row in rows for column in row)) or ["item"]
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, heading, lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: neutralised(cell) if isinstance(cell, str) else cell for name, cell in row.items()})
    return out.getvalue()


def verdict_json(campaign: Campaign, ratings: Sequence[Rating], verdict: Verdict) -> str:
    """Everything: the campaign, its ratings, and what they come to."""
    return json.dumps(
        {
            "campaign": campaign.model_dump(mode="json"),
            "ratings": [rating.model_dump(mode="json") for rating in ratings],
            "verdict": asdict(verdict),
        },
        ensure_ascii=False,
        indent=1,
    )


def _row(campaign: Campaign, rating: Rating) -> Mapping[str, Cell]:
    item, answer = campaign.item(rating.item_id), rating.answer
    row: dict[str, Cell] = {
        "item": item.id,
        "message": item.message,
        "tags": " ".join(item.tags),
        "rater": rating.rater,
        "left": rating.side(item, "left").system,
        "right": rating.side(item, "right").system,
        "choice": answer.choice if answer else "skipped",
        "winner": rating.winner(item),
        "confidence": answer.confidence if answer else None,
        "seconds": round(rating.seconds, 1),
        "position": rating.position,
        "revision": rating.revision,
        "at": rating.at.isoformat(),
        "reasons": "; ".join(answer.reasons) if answer else "",
        "comment": answer.comment if answer else "",
    }
    for domain in DOMAINS:
        row[f"corrected {domain.value}"] = answer.corrections.get(domain) if answer else None
    for scale in campaign.rubric.scales:
        scores = answer.scales.get(scale.name, (None, None)) if answer else (None, None)
        for side, score in zip(("left", "right"), scores, strict=True):
            row[f"{scale.name} {side}"] = score
    return row
