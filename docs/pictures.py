"""The pictures of concepts.md, drawn from real readings by the embedded model.

The numbers a picture was drawn from are in it. Another processor reads a message a little differently, so a picture is
kept as long as its numbers are near to what is read here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

import vif
from vif.boundaries import TRANSCENDENT_ABOVE, TRANSITIONAL_ABOVE
from vif.domains import DOMAINS, formula_activations
from vif.notebook import ACCENTS
from vif.oscillation import Oscillation, permeability_at

NEAR = 0.03
"""How much a reading may differ from the one that was drawn."""

CONTRASTING = ("How do I implement quicksort?", "Why is the sky blue?", "What does this poem mean?")
CROSSING = "What does this poem mean?"
SWINGING = ("What does it feel like to understand something deeply?", "CuD-ED")

Numbers = dict[str, dict[str, float]]
"""By message or series, by domain or boundary."""

_STYLE = (
    "text{fill:#445}.strong{font-weight:600}.small{font-size:11px}.end{text-anchor:end}.middle{text-anchor:middle}"
    ".back{fill:#e9eaf3}.axis{stroke:#99a;fill:none}.mark{stroke:#445;stroke-width:2.5}"
    ".line{fill:none;stroke:#6C5CE7;stroke-width:2.5}.dot{fill:#6C5CE7}.frame{fill:#fff}"
    "@media (prefers-color-scheme:dark){text{fill:#cdd0e0}.back{fill:#303448}.mark{stroke:#eef}.frame{fill:#171923}"
    ".line{stroke:#9D92F5}.dot{fill:#9D92F5}}"
)


def read(messages: Iterable[str]) -> Mapping[str, vif.MessageReading]:
    """How the embedded model reads each message."""
    return {message: vif.read(message, using="offline") for message in messages}


def measured() -> dict[str, Numbers]:
    """What each picture shows, by its file's name, as it is read here and now."""
    readings = read({*CONTRASTING, CROSSING, SWINGING[0]})
    formula = formula_activations(vif.DualLlmConfig.model_fields["autonomy"].default)
    permeabilities = {
        message: {boundary.name: boundary.permeability for boundary in reading.boundaries}
        for message, reading in readings.items()
    }
    numbers: dict[str, dict[str, Mapping[str, float]]] = {
        "three-readings.svg": {
            **{message: readings[message].domains for message in CONTRASTING},
            "formula": formula,
        },
        "permeability.svg": {CROSSING: permeabilities[CROSSING]},
        "oscillation.svg": {SWINGING[0]: {SWINGING[1]: permeabilities[SWINGING[0]][SWINGING[1]]}},
    }
    return {
        file: {row: {str(name): round(value, 2) for name, value in values.items()} for row, values in rows.items()}
        for file, rows in numbers.items()
    }


def numbers_in(svg: str) -> Numbers:
    """The numbers a picture was drawn from. ValueError when there are none."""
    found = re.search(r"<metadata>(.*?)</metadata>", svg)
    if not found:
        raise ValueError("this picture does not hold its numbers")
    numbers: Numbers = json.loads(found[1].replace("&quot;", '"').replace("&#x27;", "'").replace("&amp;", "&"))
    return numbers


def near(one: Numbers, other: Numbers) -> bool:
    """Whether both have the same rows and values that differ by no more than `NEAR`."""
    return {row: set(values) for row, values in one.items()} == {
        row: set(values) for row, values in other.items()
    } and all(abs(value - other[row][name]) <= NEAR for row, values in one.items() for name, value in values.items())


def drawn(folder: Path) -> dict[str, str]:
    """Each picture as it should be in `folder`: from the numbers it has there, when they are near enough."""
    pictures = {}
    for file, numbers in measured().items():
        path = folder / file
        there = numbers_in(path.read_text("utf-8")) if path.exists() else {}
        pictures[file] = draw(file, there if near(there, numbers) else numbers)
    return pictures


def draw(file: str, numbers: Numbers) -> str:
    """One picture as SVG."""
    return DRAWN[file](numbers)


def _svg(width: int, height: int, label: str, numbers: Numbers, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="13" role="img" aria-label="{escape(label)}">\n'
        f"<metadata>{escape(json.dumps(numbers))}</metadata>\n<style>{_STYLE}</style>\n"
        f'<rect class="frame" width="{width}" height="{height}" rx="10"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _text(x: float, y: float, words: str, kind: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}"' + (f' class="{kind}"' if kind else "") + f">{escape(words)}</text>"


def _three_readings(numbers: Numbers) -> str:
    """A bar for each domain, by message; a tick where the formula stands, for every message the same."""
    width, long = 800, 260
    parts = []
    for index, message in enumerate(CONTRASTING):
        top = 34 + index * 132
        parts.append(_text(24, top, f"“{message}”", "strong"))
        for row, domain in enumerate(DOMAINS):
            y, value, formula = top + 14 + row * 24, numbers[message][domain], numbers["formula"][domain]
            parts += [
                _text(150, y + 12, domain.label, "end"),
                f'<rect class="back" x="162" y="{y}" width="{long}" height="16" rx="4"/>',
                f'<rect x="162" y="{y}" width="{long * value:g}" height="16" rx="4" fill="{ACCENTS[domain]}"/>',
                f'<path class="mark" d="M{162 + long * formula:g} {y - 2}v20"/>',
                _text(432, y + 12, f"{value:.2f}, formula {formula:.2f}"),
            ]
    parts += [
        _text(600, 34, "bar: how strongly", "small"),
        _text(600, 50, "LLM #1 sees it engaged", "small"),
        _text(600, 74, "line: what the formula says,", "small"),
        _text(600, 90, "the same of every message", "small"),
    ]
    said = "; ".join(
        f"{message} {', '.join(f'{name} {value:.2f}' for name, value in numbers[message].items())}"
        for message in CONTRASTING
    )
    return _svg(width, 420, f"Three messages, four domains each. {said}. The formula does not change.", numbers, parts)


def _permeability(numbers: Numbers) -> str:
    """Six boundaries of one message on a scale with the three statuses."""
    left, long, top = 130, 600, 96
    bands = (
        ("Maintained", 0.0, TRANSITIONAL_ABOVE, 0.12),
        ("Transitional", TRANSITIONAL_ABOVE, TRANSCENDENT_ABOVE, 0.26),
        ("Transcendent", TRANSCENDENT_ABOVE, 1.0, 0.42),
    )
    values = numbers[CROSSING]
    bottom = top + 30 * len(values)
    parts = [_text(24, 34, f"“{CROSSING}”", "strong")]
    for name, low, high, depth in bands:
        x, wide = left + long * low, long * (high - low)
        parts += [
            f'<rect x="{x:g}" y="{top - 20}" width="{wide:g}" height="{bottom - top + 24}" fill="#6C5CE7" '
            f'fill-opacity="{depth}"/>',
            _text(x + wide / 2, top - 28, name, "middle small"),
            _text(x, bottom + 20, f"{low:g}", "middle small"),
        ]
    parts.append(_text(left + long, bottom + 20, "1", "middle small"))
    for row, (name, value) in enumerate(values.items()):
        y = top + row * 30
        parts += [
            _text(left - 12, y + 4, name, "end"),
            f'<path class="axis" d="M{left} {y}h{long}"/>',
            f'<circle class="dot" cx="{left + long * value:g}" cy="{y}" r="7"/>',
            _text(left + long * value + 12, y - 4, f"{value:.2f}", "small"),
        ]
    said = ", ".join(f"{name} {value:.2f}" for name, value in values.items())
    return _svg(800, bottom + 40, f"Permeability of the six boundaries of one message: {said}", numbers, parts)


def _oscillation(numbers: Numbers) -> str:
    """The permeability of one boundary over two seconds, with the default oscillation."""
    message, boundary = SWINGING
    base = numbers[message][boundary]
    left, long, top, tall = 70, 660, 56, 200
    low, high = 0.5, 1.0

    def y(value: float) -> float:
        return top + tall * (high - value) / (high - low)

    points = " ".join(
        f"{left + long * step / 120:.1f},{y(permeability_at(base, Oscillation(), step / 60)):.1f}"
        for step in range(121)
    )
    parts = [
        _text(24, 32, f"“{message}”, {boundary}", "strong"),
        f'<rect x="{left}" y="{top}" width="{long}" height="{y(TRANSCENDENT_ABOVE) - top:g}" fill="#6C5CE7" '
        'fill-opacity=".18"/>',
        _text(left + long - 8, top + 16, "Transcendent", "end small"),
        _text(left + long - 8, y(TRANSCENDENT_ABOVE) + 14, "Transitional", "end small"),
        _text(left + long - 8, y(TRANSITIONAL_ABOVE) + 14, "Maintained", "end small"),
        *(_text(left - 8, y(value) + 4, f"{value:g}", "end small") for value in (0.5, 0.6, 0.8, 1.0)),
        *(
            f'<path class="axis" d="M{left} {y(value):g}h{long}"/>'
            for value in (0.5, TRANSITIONAL_ABOVE, TRANSCENDENT_ABOVE)
        ),
        f'<polyline class="line" points="{points}"/>',
        *(_text(left + long * second / 2, top + tall + 20, f"{second} s", "middle small") for second in range(3)),
    ]
    label = f"A permeability of {base:.2f} that swings by 0.1 once a second, and is above 0.8 for a part of it"
    return _svg(800, 296, label, numbers, parts)


DRAWN: Mapping[str, Callable[[Numbers], str]] = {
    "three-readings.svg": _three_readings,
    "permeability.svg": _permeability,
    "oscillation.svg": _oscillation,
}
