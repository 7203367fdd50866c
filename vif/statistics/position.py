"""Do raters prefer a side, whatever stands there?"""

from __future__ import annotations

from dataclasses import dataclass

from vif.errors import InputError
from vif.statistics.bootstrap import Interval
from vif.statistics.distributions import fair_coin_p
from vif.statistics.proportions import wilson


@dataclass(frozen=True, slots=True)
class PositionBias:
    """How often the left side was chosen.

    Attributes:
        left_share: of choices for a side, 0 to 1; 0.5 without bias when sides were randomised.
        p_value: exact two-sided test against one half, 0 to 1.
        left, right: choices.
    """

    left_share: Interval
    p_value: float
    left: int
    right: int


def position_bias(left: int, right: int, *, level: float = 0.95) -> PositionBias:
    """The share of left choices with Wilson's interval (1927) and an exact binomial test against one half.

    Ties and "both bad" name no side and are not counted. Best asked per rater: choices of several raters on one item
    lean the same way when an item is easy, but its sides were drawn anew for each rater, so they may also be pooled.

    Args:
        left, right: how often each side was chosen, 0 or more.
        level: above 0, below 1.

    Raises:
        InputError: a negative count, a level outside its range.
    """
    for name, count in (("left", left), ("right", right)):
        if count < 0:
            raise InputError(f"{name} is {count!r}; it must be 0 or more")
    return PositionBias(wilson(left, left + right, level=level), fair_coin_p(left, right), left, right)
