"""The learning curve: error on labels held out, against the number of labels and of kinds a head was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from train_head import Label, Matrix, fit, predicted  # type: ignore[import-not-found]  # beside this script

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "images" / "learning-curve.svg"
REPEATS = 3
PER_KIND = (2, 4, 8)
KIND_COUNTS = (11, 23, 46)
Point = tuple[int, float]


def draw(labels: Sequence[Label], states: Matrix) -> list[str]:
    """Write the picture; the lines that say its numbers."""
    by_labels, by_kinds = curve_of_labels(labels, states), curve_of_kinds(labels, states)
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(svg(by_labels, by_kinds), encoding="utf-8")
    return [f"{count} labels: error {error:.4f}" for count, error in by_labels] + [
        f"{count} kinds: error on kinds never seen {error:.4f}" for count, error in by_kinds
    ]


def curve_of_labels(labels: Sequence[Label], states: Matrix) -> list[Point]:
    """All kinds, a growing number of labels of each; judged with a fifth of every kind that is never trained on."""
    kinds = np.array([label.kind for label in labels])
    errors: dict[int, list[Point]] = {}
    for repeat in range(REPEATS):
        rng = np.random.default_rng(repeat)
        shuffled = [rng.permutation(np.flatnonzero(kinds == kind)) for kind in sorted(set(kinds))]
        test = np.concatenate([rows[: len(rows) // 5] for rows in shuffled])
        for count in (*PER_KIND, len(labels)):
            train = np.concatenate([rows[len(rows) // 5 :][:count] for rows in shuffled])
            errors.setdefault(count, []).append((len(train), _error(labels, states, train, test)))
    return [_mean(points) for points in errors.values()]


def curve_of_kinds(labels: Sequence[Label], states: Matrix) -> list[Point]:
    """A growing number of kinds, judged with a fifth of the kinds, of which no label is ever trained on."""
    kinds = np.array([label.kind for label in labels])
    errors: dict[int, list[Point]] = {}
    for repeat in range(REPEATS):
        shuffled = np.random.default_rng(repeat).permutation(sorted(set(kinds)))
        hidden, known = shuffled[: len(shuffled) // 5], shuffled[len(shuffled) // 5 :]
        test = np.flatnonzero(np.isin(kinds, hidden))
        for count in sorted({min(count, len(known)) for count in (*KIND_COUNTS, len(known))}):
            train = np.flatnonzero(np.isin(kinds, known[:count]))
            errors.setdefault(count, []).append((count, _error(labels, states, train, test)))
    return [_mean(points) for points in errors.values()]


def _error(labels: Sequence[Label], states: Matrix, train: NDArray[np.intp], test: NDArray[np.intp]) -> float:
    head = fit([labels[int(row)] for row in train], states[train], "")
    targets = np.array([labels[int(row)].activations for row in test])
    return float(np.abs(predicted(head, states[test]) - targets).mean())


def _mean(points: Sequence[Point]) -> Point:
    return round(float(np.mean([count for count, _ in points]))), float(np.mean([error for _, error in points]))


def svg(by_labels: Sequence[Point], by_kinds: Sequence[Point]) -> str:
    """Two panels beside each other, readable on light and on dark pages."""
    panels = _panel(60, "labels trained on (all kinds)", by_labels), _panel(430, "kinds trained on", by_kinds)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 780 320" font-family="sans-serif" font-size="13" '
        'role="img" aria-label="Error on labels never seen falls with labels and with kinds">'
        "<style>text{fill:#667}.axis{stroke:#889;fill:none}.line{stroke:#2a7fb8;fill:none;stroke-width:2.5}"
        ".dot{fill:#2a7fb8}</style>"
        f'<text x="60" y="20">mean absolute error on labels held out</text>'
        f'<text x="430" y="20">mean absolute error on kinds held out</text>{"".join(panels)}</svg>\n'
    )


def _panel(left: int, title: str, points: Sequence[Point]) -> str:
    width, top, height, most = 300, 40, 210, 0.25
    logs = np.log([count for count, _ in points])
    across = left + 15 + (logs - logs[0]) / (logs[-1] - logs[0]) * (width - 40)
    down = [top + height * (1 - error / most) for _, error in points]
    parts = [f'<path class="axis" d="M{left} {top}V{top + height}H{left + width}"/>']
    for tick in (0.0, 0.05, 0.1, 0.15, 0.2, 0.25):
        level = top + height * (1 - tick / most)
        parts.append(f'<text x="{left - 6}" y="{level + 4:.0f}" text-anchor="end">{tick:.2f}</text>')
    places = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across, down, strict=True))
    parts.append(f'<polyline class="line" points="{places}"/>')
    for (count, error), x, y in zip(points, across, down, strict=True):
        parts.append(f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="4"/>')
        parts.append(f'<text x="{x:.1f}" y="{y - 10:.1f}" text-anchor="middle">{error:.3f}</text>')
        parts.append(f'<text x="{x:.1f}" y="{top + height + 18}" text-anchor="middle">{count}</text>')
    parts.append(f'<text x="{left + width / 2}" y="{top + height + 42}" text-anchor="middle">{title}</text>')
    return "".join(parts)
