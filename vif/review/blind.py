"""What a rater gets to see, and in which order: nothing of it tells which system is which.

The order of items and the sides are drawn from the campaign's seed and the rater's id, so they are the same after a
reload, different for every rater, and can be worked out again for an audit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from vif.boundaries import Boundary
from vif.domains import Domain
from vif.review.records import Campaign, Item, Output


class Place(NamedTuple):
    """An item in a rater's order; `swapped`: the second output stands on the left."""

    item_id: str
    swapped: bool


@dataclass(frozen=True, slots=True)
class Side:
    """An output without its system."""

    domains: Mapping[Domain, float]
    boundaries: tuple[Boundary, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Shown:
    """An item as a rater sees it. `position` counts from 0 in the rater's order."""

    item_id: str
    position: int
    message: str
    previous: Mapping[Domain, float] | None
    left: Side
    right: Side


def order(campaign: Campaign, rater: str) -> tuple[Place, ...]:
    """All items in the order of this rater: the pilot first, and each side as often left as right, but for one."""
    digest = hashlib.sha256(f"{campaign.id}\0{campaign.seed}\0{rater}".encode()).digest()
    random = Random(digest)  # noqa: S311  # nobody gains by guessing it, and it must be repeatable
    pilot = [item.id for item in campaign.items if item.pilot]
    rest = [item.id for item in campaign.items if not item.pilot]
    random.shuffle(pilot)
    random.shuffle(rest)
    swaps = [index % 2 == 0 for index in range(len(campaign.items))]
    random.shuffle(swaps)
    return tuple(map(Place, [*pilot, *rest], swaps))


def shown(item: Item, position: int, swapped: bool) -> Shown:
    """The item without anything that names a system."""
    first, second = map(_side, item.outputs)
    left, right = (second, first) if swapped else (first, second)
    return Shown(item.id, position, item.message, item.previous, left, right)


def _side(output: Output) -> Side:
    return Side(dict(output.domains), output.boundaries, output.text)
