"""Judge a head with sets that were written for judging alone; what is printed are totals, never messages.

`judging.csv`: kind, language, cd, sd, cud, ed, message. `judging_parallel.csv`: one message in five languages a row.
Nobody who writes labels reads these files, and every look at them is written down in README.md.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vif.domains import DOMAINS
from vif.recognition.embedded import EmbeddedReader

HERE = Path(__file__).resolve().parent
JUDGING = HERE / "judging.csv"
PARALLEL = HERE / "judging_parallel.csv"
TENTH = 0.1 + 1e-9

PURE_LEAD = 0.2
"""By how much the strongest domain of a pure kind leads the second in the kind's mean targets."""

Matrix = NDArray[np.float64]


async def judged(reader: EmbeddedReader) -> list[str]:
    """The lines of the report."""
    rows = _rows(JUDGING)
    targets = np.array([[float(row[domain.lower()]) for domain in DOMAINS] for row in rows])
    found = await _activations(reader, [row["message"] for row in rows])
    errors = np.abs(found - targets)
    kinds = np.array([row["kind"] for row in rows])
    pure = in_pure_kinds(kinds, targets)
    standard_error = errors.mean(axis=1).std(ddof=1) / len(rows) ** 0.5
    languages = await _translations(reader)
    edits = await _edits(reader, [row["message"] for row in rows])
    return [
        f"judging messages                {len(rows)} of {len({row['kind'] for row in rows})} kinds",
        f"error (MAE)                     {errors.mean():.4f} (standard error {standard_error:.4f}), "
        f"within 0.1: {(errors <= TENTH).mean():.3f}",
        "error by domain                 "
        + ", ".join(f"{domain} {value:.3f}" for domain, value in zip(DOMAINS, errors.mean(axis=0), strict=True)),
        "error by language               "
        + ", ".join(
            f"{language} {errors[[row['language'] == language for row in rows]].mean():.3f}"
            for language in sorted({row["language"] for row in rows})
        ),
        f"telling kinds apart (AUROC)     {_summary(separations(kinds, targets, found))}",
        f"  what the targets reach        {_summary(separations(kinds, targets, targets))}",
        f"telling {len(set(kinds[pure])):2} pure kinds apart      "
        f"{_summary(separations(kinds[pure], targets[pure], found[pure]))}",
        f"  what the targets reach        {_summary(separations(kinds[pure], targets[pure], targets[pure]))}",
        "difference from English         " + ", ".join(f"{name} {value:.3f}" for name, value in languages.items()),
        "mean effect of an edit          " + ", ".join(f"{name} {value:.4f}" for name, value in edits.items()),
    ]


def separations(kinds: NDArray[np.str_], targets: Matrix, found: Matrix) -> dict[str, float]:
    """For each domain, how well its activation tells messages of its kinds from all others: the area under the ROC
    curve. A kind belongs to the domain that is strongest in its mean targets. Domains without a kind are left out.
    """
    names = sorted(set(kinds))
    strongest = {name: int(targets[kinds == name].mean(axis=0).argmax()) for name in names}
    own = np.array([strongest[name] for name in kinds])
    return {
        domain.value: area_under_roc(found[own == index, index], found[own != index, index])
        for index, domain in enumerate(DOMAINS)
        if 0 < (own == index).sum() < len(own)
    }


def in_pure_kinds(kinds: NDArray[np.str_], targets: Matrix) -> NDArray[np.bool_]:
    """For each message, whether its kind is pure: one domain leads the others in the kind's mean targets."""
    pure = []
    for name in set(kinds):
        second, first = np.sort(targets[kinds == name].mean(axis=0))[-2:]
        if first - second >= PURE_LEAD - 1e-9:
            pure.append(name)
    return np.isin(kinds, pure)


def area_under_roc(positives: Matrix, negatives: Matrix) -> float:
    """The share of pairs in which the positive has the higher score; a tie counts half."""
    gaps = positives[:, None] - negatives[None, :]
    return float((gaps > 0).mean() + (gaps == 0).mean() / 2)


def _summary(areas: dict[str, float]) -> str:
    weakest = min(areas, key=lambda domain: areas[domain])
    return f"macro {np.mean(list(areas.values())):.3f}, worst {weakest} {areas[weakest]:.3f} of {len(areas)} domains"


async def _translations(reader: EmbeddedReader) -> dict[str, float]:
    rows = _rows(PARALLEL)
    columns = {name: await _activations(reader, [row[name] for row in rows]) for name in rows[0]}
    english = columns.pop("english")
    return {name: float(np.abs(found - english).mean()) for name, found in columns.items()}


async def _edits(reader: EmbeddedReader, messages: list[str]) -> dict[str, float]:
    short = [message for message in messages if 0 < len(message) <= 200][::3]
    plain = await _activations(reader, short)
    edits = {
        "capitals": [message.upper() for message in short],
        "lower case": [message.lower() for message in short],
        "full stop": [message + "." for message in short],
        "trailing space": [message + " " for message in short],
    }
    return {name: float(np.abs(await _activations(reader, edited) - plain).mean()) for name, edited in edits.items()}


async def _activations(reader: EmbeddedReader, messages: list[str]) -> Matrix:
    return np.array([list(reading.activations.values()) for reading in await reader.read_many(messages)])


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
