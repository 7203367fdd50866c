"""What each of the seven stages came to, in a line of Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from pages._text import plain
from pages._theme import coloured
from vif.boundaries import TRANSCENDENT_ABOVE, Status
from vif.domains import DOMAINS
from vif.figures import boundary_label
from vif.flow import RUNGS, DevelopmentalStage
from vif.interaction import BoundaryQualities, Interaction
from vif.interfaces import Interface


def domains_in_short(interaction: Interaction) -> str:
    known = [domain for domain in DOMAINS if domain in interaction.domains]
    if not known:
        return "no domain was kept"
    leading = max(known, key=interaction.domains.__getitem__)
    return f"{coloured(leading)} leads with {interaction.domains[leading]:.2f}"


def boundaries_in_short(interaction: Interaction) -> str:
    statuses = [boundary.status for boundary in interaction.boundaries]
    counts = [f"{statuses.count(status)} {status}" for status in reversed(Status) if status in statuses]
    return ", ".join(counts) or "no boundaries"


def interfaces_in_short(interfaces: Sequence[Interface]) -> str:
    if not interfaces:
        return "no interface came forward"
    first = plain(boundary_label(interfaces[0].boundary))
    if len(interfaces) == 1:
        return f"one interface came forward: {first}"
    return f"{len(interfaces)} interfaces came forward, {first} first"


def qualities_in_short(qualities: Sequence[BoundaryQualities]) -> str:
    if not qualities:
        return "none: no boundary is Transcendent"
    return "at one boundary" if len(qualities) == 1 else f"at {len(qualities)} boundaries"


def reply_in_short(interaction: Interaction) -> str:
    response = interaction.response
    if response is None:
        return "was not asked"
    if response.error:
        return f"{plain(response.model, 40)} gave no {'whole ' if interaction.reply else ''}reply"
    return f"{plain(response.model, 40)}, {response.output_tokens:,} tokens"


def continuity_in_short(interaction: Interaction) -> str:
    pattern = plain(", ".join(interaction.patterns)) or "no pattern"
    number = len(interaction.anchors)
    return f"{pattern}, {'no anchors' if not number else 'one anchor' if number == 1 else f'{number} anchors'}"


def no_transcendent(interaction: Interaction) -> str:
    widest = max(interaction.boundaries, key=lambda boundary: boundary.permeability, default=None)
    if widest is None:
        return "There are no boundaries."
    return (
        f"No boundary is above {TRANSCENDENT_ABOVE}: the most permeable one, {plain(boundary_label(widest.name))}, is "
        f"at {widest.permeability:.2f}."
    )


def next_rung_in_words(reached: DevelopmentalStage, transcendent: int, mean: float) -> str:
    """What the developmental stage above this one would need, and what there is."""
    above = next((rung for rung in reversed(RUNGS) if _rank(rung.stage) > _rank(reached)), None)
    if above is None:
        return f"**{reached}** is the highest there is."
    needs: list[str] = []
    if transcendent < above.boundaries:
        wanted = "one Transcendent boundary" if above.boundaries == 1 else f"{above.boundaries} Transcendent boundaries"
        there = "there is one" if transcendent == 1 else f"there are {transcendent or 'none'}"
        needs.append(f"{wanted} ({there})")
    if not transcendent:
        needs.append(f"a mean emergence above {above.emergence} there")
    elif not mean > above.emergence:
        needs.append(f"a mean emergence above {above.emergence} (it is {mean:.2f})")
    return f"**{reached}**. The next one, {above.stage}, would need {' and '.join(needs)}."


def _rank(stage: DevelopmentalStage) -> int:
    return list(DevelopmentalStage).index(stage)
