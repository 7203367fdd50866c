"""Cards: how a result looks in a notebook. Pure functions from plain words and numbers to HTML.

A card stands for itself: the radar is an inline SVG, nothing is fetched and no script runs. It takes the text colour of
the page it is in, and mixes its own colours with it, so that it fits light pages and dark ones without knowing which.
Messages and whatever models wrote are escaped, cut and kept from turning the text around them.

A class that mixes in `Shown` says what is on its card, and what its short `repr` says; the drawing is all here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from types import MappingProxyType

from vif.domains import DOMAINS

ACCENTS: Mapping[str, str] = MappingProxyType(
    {
        "llm1": "#6C5CE7",
        "formula": "#7C8BA1",
        "CD": "#1E88D6",
        "SD": "#0F9D76",
        "CuD": "#DB7420",
        "ED": "#C45C94",
    }
)
"""The figures' colours, each between the one for light pages and the one for dark pages."""

ACCENT_SHARE = 0.75
"""Of an accent in a colour on the page; the rest is the colour of the page's text."""

LONGEST_TEXT = 700
"""Characters of a text on a card."""

_LONGEST_IN_A_LINE = 48
_LONGEST_SUMMARY = 400
_UNSHOWABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


@dataclass(frozen=True, slots=True)
class Radar:
    """Activations by domain, 0 to 1; one that is not there counts 0. `reading` is None when LLM #1 did not read."""

    formula: Mapping[str, float] | None
    reading: Mapping[str, float] | None


@dataclass(frozen=True, slots=True)
class Meter:
    """A number on a scale, with its words.

    Attributes:
        label: what it is of; may be foreign text.
        value: 0 to 1, the length of the bar; None without one.
        words: what stands behind it.
        beside: 0 to 1, what it is to be compared with: the formula's value, a target.
        ends: 0 to 1, an interval around it.
        accent: one of `ACCENTS`.
    """

    label: str
    value: float | None
    words: str
    beside: float | None = None
    ends: tuple[float, float] | None = None
    accent: str = "llm1"


@dataclass(frozen=True, slots=True)
class Group:
    """Meters under one heading."""

    heading: str
    meters: Sequence[Meter]


@dataclass(frozen=True, slots=True)
class Card:
    """What is on a card, from top to bottom; what is empty is left out. Every text may be foreign.

    Attributes:
        kind: what it is a card of: "Interaction".
        headline: the one thing to read; `quoted` when it is somebody else's words.
        passages: heading and text, cut after 700 characters.
        notices: sentences that must not be overlooked.
        facts: short remarks at the bottom.
    """

    kind: str
    headline: str = ""
    quoted: bool = False
    notices: Sequence[str] = ()
    radar: Radar | None = None
    groups: Sequence[Group] = ()
    passages: Sequence[tuple[str, str]] = ()
    facts: Sequence[str] = ()


class Shown:
    """Mixed into a result: a short `repr`, and a card in notebooks."""

    __slots__ = ()

    def _summary(self) -> str:
        """What the `repr` says, on one line."""
        raise NotImplementedError

    def _card(self) -> Card:
        raise NotImplementedError

    def __repr__(self) -> str:
        summary = " ".join(self._summary()[:_LONGEST_SUMMARY].split())
        # What a terminal would act on, or show in another order than it has, may be in any name.
        printable = "".join(sign if sign.isprintable() else chr(0xFFFD) for sign in summary)
        return f"<{type(self).__name__} {printable}>"

    def __str__(self) -> str:
        return repr(self)

    def _repr_html_(self) -> str:
        return card_html(self._card())


# ── Words ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def in_short(text: str, longest: int = _LONGEST_IN_A_LINE) -> str:
    """Foreign text for a `repr`: quoted, on one line, nothing unprintable in it."""
    joined = " ".join(text[: 4 * longest].split())
    return repr(joined if len(joined) <= longest and len(text) <= 4 * longest else f"{joined[:longest].rstrip()}…")


def activations_in_short(activations: Mapping[str, float]) -> str:
    """ "CD 0.95, SD 0.30, CuD 0.10, ED 0.20"."""
    return ", ".join(f"{domain.value} {activations.get(domain.value, 0.0):.2f}" for domain in DOMAINS)


def counted(number: int, what: str) -> str:
    """ "1 attempt", "2 attempts"."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def domain_meters(reading: Mapping[str, float] | None, formula: Mapping[str, float] | None) -> Group:
    """The four activations; of the formula's alone when LLM #1 did not read."""
    shown, beside = (reading, formula) if reading is not None else (formula or {}, None)
    meters = []
    for domain in DOMAINS:
        value = shown.get(domain.value, 0.0)
        other = None if beside is None else beside.get(domain.value, 0.0)
        words = f"{value:.2f}" if other is None else f"{value:.2f} ({other:.2f})"
        meters.append(Meter(domain.label, value, words, other, accent=domain.value))
    return Group("Domains" if beside is None else "Domains, the formula’s in brackets", meters)


# ── HTML ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def card_html(card: Card) -> str:
    """The card as one element. Safe to put into any page, whatever is in it."""
    parts = [f'<div class="vif-kind">{_text(card.kind)}</div>']
    if card.headline:
        kind = "vif-head vif-quote" if card.quoted else "vif-head"
        parts.append(f'<div class="{kind}">{_text(card.headline, 280)}</div>')
    parts += [f'<div class="vif-notice">{_text(notice)}</div>' for notice in card.notices]
    body = radar_svg(card.radar) if card.radar else ""
    if card.groups:
        body += f'<div class="vif-groups">{"".join(map(_group, card.groups))}</div>'
    if body:
        parts.append(f'<div class="vif-body">{body}</div>')
    parts += [
        f'<div class="vif-label">{_text(heading)}</div><div class="vif-passage">{_text(text)}</div>'
        for heading, text in card.passages
        if text
    ]
    if card.facts:
        parts.append(f'<div class="vif-facts">{" · ".join(_text(fact, 120) for fact in card.facts if fact)}</div>')
    # Notebooks typeset dollar signs as formulas, except in elements of these classes.
    return f'<div class="vif-card tex2jax_ignore mathjax_ignore">{_STYLE}{"".join(parts)}</div>'


def _text(text: str, longest: int = LONGEST_TEXT) -> str:
    """Text that stays text, in whatever direction it runs."""
    cut = text if len(text) <= longest else f"{text[:longest].rstrip()}…"
    return f"<bdi>{escape(_UNSHOWABLE.sub(chr(0xFFFD), cut))}</bdi>"


def _group(group: Group) -> str:
    rows = "".join(
        '<div class="vif-row" role="listitem">'
        f'<span class="vif-name of-{meter.accent}">{_text(meter.label, 60)}</span> {meter_svg(meter)} '
        f'<span class="vif-words">{_text(meter.words, 120)}</span></div>'
        for meter in group.meters
    )
    heading = f'<div class="vif-label">{_text(group.heading)}</div>' if group.heading else ""
    return f'{heading}<div class="vif-rows" role="list">{rows}</div>'


_BAR = 100


def meter_svg(meter: Meter) -> str:
    """The bar alone; the words beside it say the same, so it is hidden from screen readers."""
    drawn = '<rect class="vif-track" y="4" width="100" height="6" rx="3"/>'
    if meter.value is not None:
        width = _short(_BAR * _unit(meter.value))
        drawn += f'<rect class="vif-bar" y="4" width="{width}" height="6" rx="3"/>'
    if meter.ends is not None:
        low, high = (_short(_BAR * _unit(end)) for end in meter.ends)
        drawn += f'<path class="vif-ends" d="M{low} 7H{high}M{low} 3V11M{high} 3V11"/>'
    if meter.beside is not None:
        drawn += f'<path class="vif-beside" d="M{_short(_BAR * _unit(meter.beside))} 0V14"/>'
    return (
        f'<svg class="vif-meter of-{meter.accent}" width="102" height="14" viewBox="-1 0 102 14" '
        'preserveAspectRatio="none" aria-hidden="true">'
        f"{drawn}</svg>"
    )


_CENTRE_X, _CENTRE_Y, _RADIUS = 169.0, 102.0, 74.0
_AXES = ((0.0, -1.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0))
"""Clockwise from the top, as in the dashboard."""


def radar_svg(radar: Radar) -> str:
    """The four activations on a radar: the formula dashed with diamonds, LLM #1 solid over it with discs."""
    rings = "".join(
        f'<circle class="vif-grid" cx="{_short(_CENTRE_X)}" cy="{_short(_CENTRE_Y)}" r="{_short(_RADIUS * ring)}"/>'
        for ring in (0.25, 0.5, 0.75, 1.0)
    )
    cross = f"M{_at(0, 1.0)}L{_at(2, 1.0)}M{_at(1, 1.0)}L{_at(3, 1.0)}"
    drawn = [f'{rings}<path class="vif-grid" d="{cross}"/>']
    places = ((169, 16, "middle"), (251, 106, "start"), (169, 197, "middle"), (88, 106, "end"))
    for domain, (x, y, anchor) in zip(DOMAINS, places, strict=True):
        drawn.append(f'<text class="of-{domain.value}" x="{x}" y="{y}" text-anchor="{anchor}">{domain.label}</text>')
    keys = []
    for values, who, name, mark in (
        (
            radar.formula,
            "formula",
            "Rust formula",
            '<path class="vif-mark" d="M{x} {y}m0-4.6l4.6 4.6-4.6 4.6-4.6-4.6z"/>',
        ),
        (radar.reading, "llm1", "LLM #1", '<circle class="vif-mark" cx="{x}" cy="{y}" r="4"/>'),
    ):
        if values is None:
            continue
        points = [_point(axis, values.get(domain.value, 0.0)) for axis, domain in enumerate(DOMAINS)]
        outline = " ".join(f"{_short(x)},{_short(y)}" for x, y in points)
        marks = "".join(mark.format(x=_short(x), y=_short(y)) for x, y in points)
        drawn.append(f'<g class="of-{who}"><polygon class="vif-area vif-{who}" points="{outline}"/>{marks}</g>')
        keys.append((who, name, mark))
    drawn += _keys(keys)
    title, words = escape(_title(radar)), escape(_in_words(radar))
    return (
        '<svg class="vif-radar" role="img" width="322" height="232" viewBox="0 0 322 232" '
        f'aria-label="{title}: {words}">'
        f"<title>{title}</title><desc>{words}</desc>{''.join(drawn)}</svg>"
    )


def _keys(keys: Sequence[tuple[str, str, str]]) -> list[str]:
    """Who is who, below the radar."""
    places = (77.0, 201.0) if len(keys) > 1 else (127.0,)
    return [
        f'<g class="of-{who}">{mark.format(x=_short(x), y="222")}'
        f'<text class="vif-key" x="{_short(x + 10)}" y="226">{escape(name)}</text></g>'
        for x, (who, name, mark) in zip(places, keys, strict=True)
    ]


def _title(radar: Radar) -> str:
    who = [
        name for name, values in (("LLM #1", radar.reading), ("the Rust formula", radar.formula)) if values is not None
    ]
    return f"Radar of the four domains as {' and '.join(who)} {'read' if len(who) > 1 else 'reads'} them"


def _in_words(radar: Radar) -> str:
    group = domain_meters(radar.reading, radar.formula)
    brackets = ", the formula’s in brackets" if radar.reading is not None and radar.formula is not None else ""
    return ", ".join(f"{meter.label.lower()} {meter.words}" for meter in group.meters) + brackets


def _point(axis: int, value: float) -> tuple[float, float]:
    x, y = _AXES[axis]
    return _CENTRE_X + x * _RADIUS * _unit(value), _CENTRE_Y + y * _RADIUS * _unit(value)


def _at(axis: int, value: float) -> str:
    return " ".join(_short(part) for part in _point(axis, value))


def _unit(value: float) -> float:
    """Inside the picture, whatever it is."""
    return min(max(value, 0.0), 1.0) if math.isfinite(value) else 0.0


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _mixed(colour: str, share: float = ACCENT_SHARE, other: str = "currentColor") -> str:
    return f"color-mix(in srgb,{colour} {share:.0%},{other})"


def _style() -> str:
    """Everything below one class; a browser without color-mix takes the accents as they are."""
    faint, soft = _mixed("currentColor", 0.18, "transparent"), _mixed("currentColor", 0.68, "transparent")
    accents = "".join(
        f".vif-card .of-{name}{{--vif-accent:{colour};--vif-accent:{_mixed(colour)}}}"
        for name, colour in ACCENTS.items()
    )
    return (
        "<style>"
        ".vif-card{box-sizing:border-box;max-width:46rem;padding:.9rem 1.1rem 1rem;margin:.25rem 0;border-radius:.6rem;"
        f"border:1px solid #80889666;border:1px solid {faint};font-size:.92rem;line-height:1.45;"
        "overflow-wrap:anywhere;font-variant-numeric:tabular-nums;text-align:start}"
        f".vif-card .vif-kind,.vif-card .vif-label,.vif-card .vif-facts{{color:{soft};font-size:.82rem}}"
        ".vif-card .vif-head{font-size:1.08rem;font-weight:600;line-height:1.35;margin:.1rem 0 .5rem;"
        "white-space:pre-wrap}"
        ".vif-card .vif-quote bdi::before{content:'\\201C'}.vif-card .vif-quote bdi::after{content:'\\201D'}"
        f".vif-card .vif-notice{{border-inline-start:3px solid {_mixed('#D9822B')};padding:.1rem .7rem;margin:.4rem 0}}"
        ".vif-card .vif-body{display:flex;flex-wrap:wrap;gap:.4rem 1.2rem;align-items:center}"
        ".vif-card .vif-radar{flex:0 1 290px;min-width:0;max-width:100%;height:auto}"
        ".vif-card .vif-groups{flex:1 1 21rem;min-width:0}"
        ".vif-card .vif-rows{display:grid;"
        "grid-template-columns:fit-content(15rem) minmax(2rem,102px) minmax(max-content,1fr);"
        "gap:.12rem .7rem;margin:.1rem 0 .6rem;align-items:center}"
        ".vif-card .vif-row{display:contents}.vif-card .vif-meter{width:100%;height:14px}"
        f"{accents}"
        ".vif-card .vif-name{color:var(--vif-accent);font-weight:600;min-width:7.65rem}"
        f".vif-card .vif-words{{color:{_mixed('currentColor', 0.85, 'transparent')}}}"
        ".vif-card svg{display:block;overflow:visible}"
        ".vif-card svg text{fill:var(--vif-accent);font:600 13px system-ui,sans-serif;stroke:none}"
        ".vif-card svg text.vif-key{font-weight:500;font-size:12.5px}"
        ".vif-card .vif-grid{fill:none;stroke:currentColor;stroke-opacity:.2}"
        ".vif-card .vif-area{stroke:var(--vif-accent);stroke-width:2;fill:var(--vif-accent);fill-opacity:.2;"
        "stroke-linejoin:round}"
        ".vif-card .vif-formula{stroke-dasharray:2 4;stroke-linecap:round;fill-opacity:.07}"
        ".vif-card .vif-mark{fill:var(--vif-accent)}"
        ".vif-card .vif-track{fill:currentColor;fill-opacity:.12}"
        ".vif-card .vif-bar{fill:var(--vif-accent)}"
        ".vif-card .vif-ends{stroke:currentColor;stroke-width:1.5;fill:none;stroke-linecap:round}"
        ".vif-card .vif-beside{stroke:currentColor;stroke-width:2;stroke-opacity:.75}"
        f".vif-card .vif-passage{{white-space:pre-wrap;margin:.05rem 0 .55rem}}"
        "</style>"
    )


_STYLE = _style()
