"""The ends of intervals, how often they hold the truth, and the band that is about the nominal rate."""

from __future__ import annotations

from collections.abc import Callable

from vif.statistics.bootstrap import Interval

SIMULATIONS = 500


def ends(interval: Interval) -> tuple[float, float]:
    """Low and high of an interval that must have them."""
    assert interval.low is not None, interval.reason
    assert interval.high is not None
    return interval.low, interval.high


def coverage(simulate: Callable[[], Interval], truth: float, simulations: int = SIMULATIONS) -> float:
    """The share of simulated intervals that hold the truth; one without ends holds nothing."""
    held = 0
    for _ in range(simulations):
        interval = simulate()
        if interval.low is not None and interval.high is not None:
            held += interval.low <= truth <= interval.high
    return held / simulations


def near_nominal(share: float) -> bool:
    """Whether 500 simulations are about 95 %: within three standard errors (0.01 each) below and above, and a bit.

    An interval that ignores repeats covers about 65 %, one at twice the width 99.9 %.
    """
    return 0.92 <= share <= 0.985
