"""The pictures of the report as a page: small SVG drawings, each with its content in words.

Colours come from the style sheet by class, so that both themes share them. Who is who can be told by the marker too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from vif.domains import DOMAINS, Domain
from vif.evaluation._html_style import COLOURS, FORMULA_COLOUR
from vif.evaluation.measures import CaseReport, Metric, Report
from vif.evaluation.shown import number, one_line
from vif.evaluation.suite import Case
from vif.statistics.bootstrap import Interval

_Axis = Callable[[float], float]
"""From a value to a coordinate."""

MARKERS: tuple[str, ...] = (
    '<circle r="4.6"/>',
    '<path d="M0-6.2L6.2 0 0 6.2-6.2 0z"/>',
    '<path d="M-4.3-4.3h8.6v8.6h-8.6z"/>',
    '<path d="M0-5.6L5.8 4.6H-5.8z"/>',
    '<path d="M-1.9-5.8h3.8v3.9h3.9v3.8H1.9v3.9h-3.8V1.9h-3.9v-3.8h3.9z"/>',
    '<path d="M0-6.4L1.6-2 6.1-2 2.5 .9 3.8 5.3 0 2.7-3.8 5.3-2.5 .9-6.1-2-1.6-2z"/>',
)
"""Around 0, 0; in the order of the other figures' symbols."""

_STRIP, _LANE = 200, 13
_TOLERANCE = 0.02
"""Half the width of a bar that stands for a target and not for a range."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A subject as pictures show it: a name that can be shown, a colour, a marker."""

    name: str
    colour: str
    marker: int
    formula: bool

    def mark(self, x: float = 0, y: float = 0) -> str:
        at = f' x="{_short(x)}" y="{_short(y)}"' if x or y else ""
        return f'<use href="#m{self.marker}"{at} class="of-{self.colour}" fill="currentColor"/>'


def readers_of(report: Report) -> tuple[Reader, ...]:
    """In the run's order. The formula has its own colour."""
    formulas = {subject.name for subject in report.run.subjects if subject.formula}
    found, models = [], 0
    for place, subject in enumerate(report.subjects):
        formula = subject.name in formulas
        colour = FORMULA_COLOUR if formula else COLOURS[models % len(COLOURS)]
        models += not formula
        found.append(Reader(one_line(subject.name, 80), colour, place % len(MARKERS), formula))
    return tuple(found)


def definitions() -> str:
    """The markers and the scale of the strips, once for all pictures."""
    marks = "".join(f'<g id="m{place}">{shape}</g>' for place, shape in enumerate(MARKERS))
    return f'<svg width="0" height="0" aria-hidden="true" class="defs"><defs>{marks}</defs></svg>'


def legend_mark(reader: Reader) -> str:
    return f'<svg class="mark" viewBox="-7 -7 14 14" aria-hidden="true">{reader.mark()}</svg>'


def meter(metric: Metric, reader: Reader, most: float) -> str:
    """The interval against the target, on a scale from 0 to `most`. The same stands beside it in words."""
    interval, target = metric.interval, metric.target
    if target is None or interval.estimate is None:
        return ""
    scale = 120 / most

    def at(value: float) -> float:
        return 6 + min(max(value, 0.0), most) * scale

    good = (at(target.value), 126.0) if target.kind == "at least" else (6.0, at(target.value))
    aim = _short(at(target.value))
    return (
        '<svg class="meter" viewBox="0 0 132 14" aria-hidden="true"><path class="rule" d="M6 7H126"/>'
        f'<rect class="bar" x="{_short(good[0])}" y="4.5" width="{_short(good[1] - good[0])}" height="5" rx="2.5"/>'
        f'<path class="aim" d="M{aim} 1V13"/>'
        f"{_whisker(interval, reader, at, 7)}{reader.mark(at(interval.estimate), 7)}</svg>"
    )


def forest(interval: Interval, most: float) -> str:
    """A difference with its interval around 0, on a scale of ±`most`."""
    if interval.estimate is None:
        return ""

    def at(value: float) -> float:
        return 120 + 112 * max(-1.0, min(1.0, value / most))

    ends = ""
    if interval.low is not None and interval.high is not None:
        ends = f'<path class="whisker" d="M{_short(at(interval.low))} 12H{_short(at(interval.high))}"/>'
    return (
        '<svg class="forest" viewBox="0 0 240 24" aria-hidden="true"><path class="rule" d="M8 12H232"/>'
        f'<path class="aim" d="M120 3V21"/>{ends}<circle cx="{_short(at(interval.estimate))}" cy="12" r="4.6" '
        'fill="currentColor"/></svg>'
    )


def strips(case: Case, readers: Sequence[Reader], reports: Sequence[CaseReport]) -> str:
    """A strip per domain, 0 to 1: what is expected as a bar, each subject's mean and how far its readings reach."""
    return f'<div class="strips">{"".join(_strip(domain, case, readers, reports) for domain in DOMAINS)}</div>'


def _strip(domain: Domain, case: Case, readers: Sequence[Reader], reports: Sequence[CaseReport]) -> str:
    top, height = 22, 22 + _LANE * len(readers) + 6
    words, drawn = [], []
    if expected := _expected(case, domain):
        low, high, said = expected
        words.append(said)
        width = _short((high - low) * _STRIP)
        drawn.append(
            f'<rect class="bar" x="{_short(low * _STRIP)}" y="18" width="{width}" height="{height - 20}" rx="3"/>'
        )
    for lane, (reader, report) in enumerate(zip(readers, reports, strict=True)):
        if report.mean is None or domain not in report.mean:
            continue
        y = top + _LANE * lane + _LANE / 2
        values = [one[domain] for one in report.readings if domain in one] or [report.mean[domain]]
        words.append(f"{reader.name} {report.mean[domain]:.2f}")
        if max(values) - min(values) > 0.005:
            ends = f"M{_short(min(values) * _STRIP)} {_short(y)}H{_short(max(values) * _STRIP)}"
            drawn.append(f'<path class="whisker of-{reader.colour}" d="{ends}"/>')
        drawn.append(reader.mark(report.mean[domain] * _STRIP, y))
    title = escape(f"{domain.label}: {', '.join(words) or 'not read'}")
    return (
        f'<svg viewBox="-6 0 212 {height}" role="img" aria-label="{title}"><title>{title}</title>'
        f'<text y="11" class="of-{domain.value}">{domain.label}</text>'
        f'<path class="grid" d="M0 18V{height - 2}M50 18V{height - 2}M100 18V{height - 2}'
        f'M150 18V{height - 2}M200 18V{height - 2}"/>{"".join(drawn)}</svg>'
    )


def _expected(case: Case, domain: Domain) -> tuple[float, float, str] | None:
    if domain in case.ranges:
        low, high = case.ranges[domain]
        return low, high, f"expected {low:.2f} to {high:.2f}"
    if domain in case.targets:
        target = case.targets[domain]
        return max(target - _TOLERANCE, 0.0), min(target + _TOLERANCE, 1.0), f"expected {target:.2f}"
    return None


# ── Error against time ──────────────────────────────────────────────────────────────────────────────────────────────

_WIDTH, _HEIGHT = 520, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 16, 30, 52
_LABEL = 36
_MARGIN = 0.3
"""On both sides, in powers of ten."""


@dataclass(frozen=True, slots=True)
class _Offer:
    reader: Reader
    error: Interval
    milliseconds: float
    cost_usd: float | None
    front: bool


def offers(report: Report, readers: Sequence[Reader]) -> str:
    """Error, with its interval, against the time 95 of 100 readings take at most; empty for fewer than two."""
    found = list(_offers(report, readers))
    if len(found) < 2:
        return ""
    times = [offer.milliseconds for offer in found]
    first, last = math.log10(min(times)) - _MARGIN, math.log10(max(times)) + _MARGIN
    reach = max(offer.error.high or offer.error.estimate or 0.0 for offer in found)
    worst = max(1, math.ceil(reach / _step(reach))) * _step(reach)

    def x(milliseconds: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (math.log10(milliseconds) - first) / (last - first)

    def y(error: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * error / worst

    drawn = [_axes(first, last, worst, x, y)]
    front = sorted((offer for offer in found if offer.front), key=lambda offer: offer.milliseconds)
    if len(front) > 1:
        line = " ".join(f"{_short(x(one.milliseconds))},{_short(y(one.error.estimate or 0.0))}" for one in front)
        drawn.append(f'<polyline class="front" points="{line}"/>')
    for offer in found:
        at_x, at_y = x(offer.milliseconds), y(offer.error.estimate or 0.0)
        if offer.error.low is not None and offer.error.high is not None:
            ends = f"M{_short(at_x)} {_short(y(offer.error.high))}V{_short(y(max(offer.error.low, 0.0)))}"
            drawn.append(f'<path class="whisker of-{offer.reader.colour}" d="{ends}"/>')
        drawn.append(offer.reader.mark(at_x, at_y))
    drawn.append(_labels(found, x, y))
    words = "; ".join(
        f"{offer.reader.name}: error {number(offer.error.estimate, 'activation')}, "
        f"{number(offer.milliseconds, 'ms')}, {_price(offer)}"
        for offer in found
    )
    title = escape(f"Error against time, for 95 of 100 readings. {words}.")
    return (
        f'<svg class="picture" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{title}">'
        f"<title>{title}</title>{''.join(drawn)}</svg>"
    )


def _offers(report: Report, readers: Sequence[Reader]) -> list[_Offer]:
    found = []
    for reader, subject in zip(readers, report.subjects, strict=True):
        error, time = subject.metrics.get("mae"), subject.metrics.get("latency_p95")
        cost = subject.metrics.get("cost")
        if error is None or time is None or error.interval.estimate is None or time.interval.estimate is None:
            continue
        # On a scale of powers of ten there is no 0; a hundredth of a millisecond is nothing to anybody.
        milliseconds = max(time.interval.estimate, 0.01)
        price = cost.interval.estimate if cost else None
        found.append(_Offer(reader, error.interval, milliseconds, price, subject.name in report.front))
    return found


def _axes(first: float, last: float, worst: float, x: _Axis, y: _Axis) -> str:
    drawn = []
    for milliseconds in _ticks(first, last):
        at = _short(x(milliseconds))
        drawn.append(f'<path class="grid" d="M{at} {_TOP}V{_HEIGHT - _BOTTOM}"/>')
        shown = f"{milliseconds / 1000:,g} s" if milliseconds >= 1000 else f"{milliseconds:g} ms"
        drawn.append(f'<text x="{at}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle">{shown}</text>')
    step = _step(worst)
    for tick in range(round(worst / step) + 1):
        error = tick * step
        at = _short(y(error))
        drawn.append(f'<path class="grid" d="M{_LEFT} {at}H{_WIDTH - _RIGHT}"/>')
        drawn.append(f'<text x="{_LEFT - 7}" y="{_short(y(error) + 4)}" text-anchor="end">{error:.2f}</text>')
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    drawn.append(f'<text x="{middle}" y="{_HEIGHT - 10}" text-anchor="middle">added time, P95 (left is faster)</text>')
    drawn.append(f'<text x="{_LEFT}" y="{_TOP - 14}">error (down is better)</text>')
    return "".join(drawn)


def _labels(found: Sequence[_Offer], x: _Axis, y: _Axis) -> str:
    """Names beside their markers, moved down where one would cover another."""
    drawn = []
    taken: list[tuple[float, float]] = []
    for offer in sorted(found, key=lambda offer: y(offer.error.estimate or 0.0)):
        at_x, at_y = x(offer.milliseconds), y(offer.error.estimate or 0.0) - 3
        while any(abs(at_x - other_x) < 170 and abs(at_y - other_y) < _LABEL for other_x, other_y in taken):
            at_y += 2
        at_y = min(at_y, _HEIGHT - _BOTTOM - 22.0)
        taken.append((at_x, at_y))
        left = at_x < (_LEFT + _WIDTH) / 2
        place = f'x="{_short(at_x + (11 if left else -11))}" text-anchor="{"start" if left else "end"}"'
        name = escape(offer.reader.name if len(offer.reader.name) <= 30 else f"{offer.reader.name[:29]}…")
        drawn.append(f'<text {place} y="{_short(at_y)}" class="label">{name}</text>')
        drawn.append(f'<text {place} y="{_short(at_y + 17)}">{escape(_price(offer))}</text>')
    return "".join(drawn)


def _price(offer: _Offer) -> str:
    return "price not known" if offer.cost_usd is None else f"{number(offer.cost_usd, 'usd')} a call"


def _ticks(first: float, last: float) -> list[float]:
    """Powers of ten; where there are few of them, twice and five times as much too."""
    steps = (1, 2, 5) if last - first < 1.5 else (1,)
    values = [step * 10.0**power for power in range(math.floor(first), math.ceil(last) + 1) for step in steps]
    return [value for value in values if first <= math.log10(value) <= last]


def _step(reach: float) -> float:
    """From line to line of the grid, so that there are two to six."""
    return next((step for step in (0.02, 0.05, 0.1) if reach <= 6 * step), 0.2)


def _whisker(interval: Interval, reader: Reader, at: _Axis, y: float) -> str:
    if interval.low is None or interval.high is None:
        return ""
    ends = f"M{_short(at(interval.low))} {_short(y)}H{_short(at(interval.high))}"
    return f'<path class="whisker of-{reader.colour}" d="{ends}"/>'


def _short(value: float) -> str:
    """A coordinate with one digit, as a page with thousands of them should not be heavy."""
    return f"{value:.1f}".removesuffix(".0")
