"""One interaction in a line, and two of them in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from pages import _words
from pages._history_kept import Kept
from pages._text import plain
from pages._theme import coloured
from vif import figures
from vif.domains import DOMAINS
from vif.interaction import Interaction, Recognition, Source
from vif.store.history import Summary

PARAMETER, OTHER = "interaction", "with"
"""In the address: which interaction is open, and which one it is compared with."""

MOST_MOVES = 3
NO_BREAK = "\N{NO-BREAK SPACE}"

_BARS = "▁▂▃▄▅▆▇█"
_SOURCES: tuple[Source, ...] = ("llm1", "cache", "secondary", "embedded", "formula")


def source_label(source: str) -> str:
    """Where a reading came from."""
    return next((_words.source_badge(Recognition(source=known)).label for known in _SOURCES if known == source), source)


def facts(kept: Kept, moment: str) -> str:
    """When, how it was read and by whom, models, cost and time, as one line of Markdown."""
    row, interaction = kept.row, kept.interaction
    parts = [f":gray[{moment}]".replace(" ", NO_BREAK)]
    if interaction is not None:
        parts += [mini_reading(interaction), _badge(interaction.recognition)]
    else:
        parts.append(":orange-badge[:material/broken_image: Of another version]")
    parts.append(f":gray[{models(row)}]")
    if row.cost_usd != 0:
        parts.append(_words.dollars(row.cost_usd).replace("$", r"\$"))
    parts.append(f":gray[{_words.seconds(row.latency_ms)}]".replace(" ", NO_BREAK))
    if row.failed:
        parts.append(":red-badge[:material/error: No whole reply]")
    return " · ".join(parts)


def mini_reading(interaction: Interaction) -> str:
    """Four small bars in the colours of the domains, and the one that leads."""
    known = [domain for domain in DOMAINS if domain in interaction.domains]
    if not known:
        return "no domain"
    bars = "".join(coloured(domain, _bar(interaction.domains.get(domain, 0.0))) for domain in DOMAINS)
    leading = max(known, key=interaction.domains.__getitem__)
    return f"{bars} {coloured(leading)}{NO_BREAK}{interaction.domains[leading]:.2f}"


def models(row: Summary) -> str:
    """Who read and who answered, without their providers; one name when it is the same."""
    names = [plain(name.partition(":")[2], 40) for name in (row.llm1, row.llm2) if name]
    return " → ".join(dict.fromkeys(names)) or "no model"


def when(at: datetime, zone: tzinfo, today: datetime) -> str:
    """A moment on the reader's clock, as short as it can be understood `today`."""
    local, here = at.astimezone(zone), today.astimezone(zone)
    time = f"{local:%H:%M}"
    days = (here.date() - local.date()).days
    if days == 0:
        return f"Today, {time}"
    if days == 1:
        return f"Yesterday, {time}"
    return f"{local:%-d %b}, {time}" if local.year == here.year else f"{local:%-d %b %Y}, {time}"


def exactly_when(at: datetime, zone: tzinfo) -> str:
    """Day, time and zone."""
    local = at.astimezone(zone)
    name = zone.key if isinstance(zone, ZoneInfo) else "UTC"
    return f"{local:%-d %B %Y, %H:%M:%S} ({name})"


def difference(first: Interaction, second: Interaction) -> tuple[str, ...]:
    """What the second is against the first, as Markdown sentences, weightiest first."""
    said = [f"**Domains.** {_domains(first, second)}", f"**Boundaries.** {_boundaries(first, second)}"]
    if first.message != second.message:
        said.insert(0, "**Messages.** Two different ones, so the readings may differ for good reason.")
    if first.autonomy != second.autonomy:
        said.append(f"**Autonomy.** {first.autonomy:.2f} → **{second.autonomy:.2f}**.")
    if first.developmental_stage != second.developmental_stage:
        said.append(f"**Developmental stage.** {first.developmental_stage} → **{second.developmental_stage}**.")
    said.append(f"**Replies.** {_replies(first, second)}")
    return tuple(said)


def _domains(first: Interaction, second: Interaction) -> str:
    moved = sorted(figures.differences(second.domains, first.domains), key=lambda entry: -abs(entry.change))
    notable = [entry for entry in moved if abs(entry.change) >= figures.NOTABLE]
    if not notable:
        return "Both messages are read alike." if first.message != second.message else "Both readings are alike."
    return (
        ", ".join(
            f"{coloured(entry.domain)} {entry.formula:.2f} → **{entry.reading:.2f}** ({entry.change:+.2f})"
            for entry in notable
        )
        + "."
    )


def _boundaries(first: Interaction, second: Interaction) -> str:
    before = {boundary.name: boundary for boundary in first.boundaries}
    pairs = [(before[now.name], now) for now in second.boundaries if now.name in before]
    changed = [
        f"{plain(figures.boundary_label(now.name))} {plain(was.status)} → **{plain(now.status)}**"
        for was, now in sorted(pairs, key=lambda pair: -abs(pair[1].permeability - pair[0].permeability))
        if was.status != now.status
    ]
    if changed:
        more = len(changed) - MOST_MOVES
        return ", ".join(changed[:MOST_MOVES]) + (f", and {more} more." if more > 0 else ".")
    furthest = max((now.permeability - was.permeability for was, now in pairs), key=abs, default=0.0)
    if abs(furthest) < figures.NOTABLE:
        return "Every one keeps its status and, nearly, its permeability."
    return f"Every one keeps its status; the furthest move is {furthest:+.2f}."


def _replies(first: Interaction, second: Interaction) -> str:
    if first.reply == second.reply:
        return "The same, word for word." if first.reply else "Neither has one."
    lengths = [len(entry.reply.split()) for entry in (first, second)]
    took = [_words.seconds(entry.timings_ms.total) for entry in (first, second)]
    return f"{_in_words(lengths)}; {took[0]} and {took[1]} in all."


def _in_words(lengths: Sequence[int]) -> str:
    return f"{lengths[0]:,} and {lengths[1]:,} words"


def _badge(recognition: Recognition) -> str:
    badge = _words.source_badge(recognition)
    return f":{badge.colour}-badge[{badge.icon} {badge.label}]"


def _bar(value: float) -> str:
    return _BARS[min(int(max(value, 0.0) * len(_BARS)), len(_BARS) - 1)]
