"""What raters corrected, to learn from: a suite to evaluate with, labels to train the embedded recogniser."""

from __future__ import annotations

from collections.abc import Iterable

from vif.domains import DOMAINS
from vif.errors import InputError
from vif.evaluation.suite import Case, Suite
from vif.review.findings import Corrected
from vif.review.records import Campaign

CLOSE_ENOUGH = 0.3
"""Raters whose corrections differ by more do not agree on what is right."""


def corrected_suite(campaign: Campaign, corrections: Iterable[Corrected], *, spread: float = CLOSE_ENOUGH) -> Suite:
    """The corrected items as cases with targets; those whose raters differ by more than `spread` are left out.

    Raises InputError when none is left.
    """
    cases = []
    for one in corrections:
        item = campaign.item(one.item_id)
        if one.spread <= spread:
            targets = {domain: round(target, 3) for domain, target in one.targets.items()}
            tags = tuple("_".join(tag.split()) for tag in item.tags)
            note = f"corrected by {one.raters} in the review {campaign.name!r}"
            case = Case(id=item.id, message=item.message, previous=item.previous, targets=targets, tags=tags, note=note)
            cases.append(case)
    if not cases:
        raise InputError("no item has corrections its raters agree on; nothing can be learnt from this campaign yet")
    return Suite(f"Corrections of {campaign.name}", tuple(cases))


def label_lines(campaign: Campaign, corrections: Iterable[Corrected], *, spread: float = CLOSE_ENOUGH) -> str:
    """The same as lines of `training/labels.txt`: "CD SD CuD ED | message", each message on one line.

    Only items with all four activations: a label needs them. The kind of message is for whoever adds them to say.
    """
    lines = []
    for one in corrections:
        if one.spread <= spread and len(one.targets) == len(DOMAINS):
            numbers = " ".join(f"{one.targets[domain]:.2f}" for domain in DOMAINS)
            lines.append(f"{numbers} | {' '.join(campaign.item(one.item_id).message.split())}")
    return "".join(f"{line}\n" for line in lines)
