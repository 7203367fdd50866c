"""Percentiles against values worked by hand."""

from __future__ import annotations

import pytest

from vif.percentiles import Percentiles


def test_percentiles_lie_between_the_two_nearest_values() -> None:
    # Of 10, 20, 30, 40, 50: the place of p95 is 0.95 · 4 = 3.8, so 40 + 0.8 · 10 = 48; of p99 3.96, so 49.6.
    found = Percentiles.of([50, 10, 40, 20, 30])
    assert found is not None
    assert (found.n, found.p50) == (5, 30)
    assert [found.p95, found.p99] == pytest.approx([48, 49.6])
    assert Percentiles.of([7]) == Percentiles(1, 7, 7, 7)
    assert Percentiles.of([]) is None
