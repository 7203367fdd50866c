"""A campaign's ratings and verdict as files, and ratings back from them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from pydantic import ValidationError

from vif.domains import DOMAINS
from vif.errors import InputError
from vif.review.findings import Verdict
from vif.review.records import Answer, Campaign, Rating
from vif.spreadsheet import neutralised, restored

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


def read_ratings_csv(campaign: Campaign, text: str) -> tuple[Rating, ...]:
    """The ratings that `ratings_csv` wrote; the same again.

    Raises InputError, which names the row, for anything else: an item the campaign does not have, sides that are not
    its systems, a choice its rubric does not offer, two ratings of one item by one rater.
    """
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff"), newline=""))
    found: dict[tuple[str, str, str], Rating] = {}
    try:
        for row in reader:
            try:
                rating = _rating(campaign, {name: restored(cell) for name, cell in row.items() if name and cell})
            except (KeyError, ValueError) as error:
                raise InputError(f"row {reader.line_num}: {_why(error)}") from None
            if rating.key in found:
                raise InputError(
                    f"row {reader.line_num}: {rating.rater!r} has rated the item {rating.item_id!r} before"
                )
            found[rating.key] = rating
    except csv.Error as error:
        raise InputError(f"row {reader.line_num + 1}: not CSV: {error}") from None
    return tuple(found.values())


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
        "seconds": rating.seconds,
        "position": rating.position,
        "revision": rating.revision,
        "at": rating.at.isoformat(),
        "reasons": json.dumps(answer.reasons, ensure_ascii=False) if answer and answer.reasons else "",
        "comment": answer.comment if answer else "",
    }
    for domain in DOMAINS:
        row[f"corrected {domain.value}"] = answer.corrections.get(domain) if answer else None
    for scale in campaign.rubric.scales:
        scores = answer.scales.get(scale.name, (None, None)) if answer else (None, None)
        for side, score in zip(("left", "right"), scores, strict=True):
            row[f"{scale.name} {side}"] = score
    return row


def _rating(campaign: Campaign, row: Mapping[str, str]) -> Rating:
    item = campaign.item(row["item"])
    names = [output.system for output in item.outputs]
    sides = [row["left"], row["right"]]
    if sides not in (names, names[::-1]):
        raise ValueError(f"the sides are {sides}; of this item they can only be {names}, in either order")
    answer = None
    if row["choice"] != "skipped":
        if row["choice"] not in campaign.rubric.choices:
            raise ValueError(f"choice is {row['choice']!r}; it must be one of {', '.join(campaign.rubric.choices)}")
        corrections = {domain: row.get(f"corrected {domain.value}") for domain in DOMAINS}
        scales = {
            scale.name: tuple(row.get(f"{scale.name} {side}") for side in ("left", "right"))
            for scale in campaign.rubric.scales
        }
        answer = Answer.model_validate(
            {
                "choice": row["choice"],
                "confidence": int(row["confidence"]) if "confidence" in row else None,
                "corrections": {domain: float(cell) for domain, cell in corrections.items() if cell is not None},
                "scales": {
                    name: tuple(None if cell is None else int(cell) for cell in cells)
                    for name, cells in scales.items()
                    if any(cell is not None for cell in cells)
                },
                "reasons": json.loads(row.get("reasons", "[]")),
                "comment": row.get("comment", ""),
            }
        )
    return Rating.model_validate(
        {
            "campaign_id": campaign.id,
            "item_id": item.id,
            "rater": row["rater"],
            "position": row["position"],
            "swapped": sides != names,
            "answer": answer,
            "seconds": row["seconds"],
            "revision": row["revision"],
            "at": row["at"],
        }
    )


def _why(error: Exception) -> str:
    if isinstance(error, ValidationError):
        fault = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
    if isinstance(error, KeyError) and "campaign" not in str(error):
        return f"the column {error} is missing or empty"
    return str(error.args[0]) if error.args else type(error).__name__
