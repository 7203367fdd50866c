from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tests.statistics.simulation import coverage, ends, near_nominal
from vif.errors import InputError
from vif.statistics.position import position_bias
from vif.statistics.proportions import wilson


def test_position_bias_by_hand() -> None:
    # 9 of 10 to the left: 2 (1 + 10) / 2¹⁰ = 0.021484.
    bias = position_bias(9, 1)
    assert bias.left_share.estimate == 0.9
    assert ends(bias.left_share) == ends(wilson(9, 10))
    assert bias.p_value == pytest.approx(22 / 1024)


def test_position_bias_agrees_with_scipy(rng: np.random.Generator) -> None:
    for left, right in rng.integers(1, 300, (30, 2)):
        ours = position_bias(int(left), int(right))
        theirs = stats.binomtest(int(left), int(left + right))
        expected = theirs.proportion_ci(method="wilson")
        assert ours.p_value == pytest.approx(theirs.pvalue)
        assert ends(ours.left_share) == pytest.approx((expected.low, expected.high))


def test_a_known_leaning_is_recovered(rng: np.random.Generator) -> None:
    def chosen() -> int:
        return int(rng.binomial(120, 0.6))

    share = coverage(lambda: position_bias(left := chosen(), 120 - left).left_share, 0.6)
    assert near_nominal(share), share


def test_without_choices_there_is_no_bias_to_report() -> None:
    bias = position_bias(0, 0)
    assert (bias.left_share.estimate, bias.p_value) == (None, 1.0)
    with pytest.raises(InputError, match="right is -1"):
        position_bias(1, -1)
