from __future__ import annotations

import numpy as np
import pytest

from vif.errors import InputError
from vif.statistics.pareto import Candidate, pareto_front


def test_the_front_by_hand() -> None:
    best = Candidate("best", 0.95, 300, 0.004)
    cheap = Candidate("cheap", 0.90, 300, 0.001)
    beaten = Candidate("beaten", 0.90, 350, 0.001)  # as good and as cheap as `cheap`, but slower
    fast = Candidate("fast", 0.60, 60, 0.0)
    worst = Candidate("worst", 0.50, 400, 0.005)
    assert pareto_front([worst, fast, beaten, cheap, best]) == (fast, cheap, best)


def test_equals_both_stay_and_no_one_is_no_front() -> None:
    twins = (Candidate("a", 1, 1, 1), Candidate("b", 1, 1, 1))
    assert pareto_front(twins) == twins
    assert pareto_front([]) == ()


def test_everyone_off_the_front_is_beaten_by_one_on_it_and_no_one_on_it_is_beaten(rng: np.random.Generator) -> None:
    points = rng.integers(0, 5, (60, 3))
    candidates = [Candidate(str(place), *map(float, row)) for place, row in enumerate(points)]
    front = {int(one.name) for one in pareto_front(candidates)}
    # Larger is better in every column, once latency and cost have changed their signs.
    better = points * [1, -1, -1]
    at_least = (better[:, None, :] >= better[None, :, :]).all(axis=2)
    beats = at_least & ~at_least.T
    assert front == set(np.flatnonzero(~beats.any(axis=0)).tolist())


def test_what_was_not_measured_is_named() -> None:
    with pytest.raises(InputError, match="latency_ms of 'a' is nan"):
        pareto_front([Candidate("a", 1, float("nan"), 0)])
