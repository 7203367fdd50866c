from __future__ import annotations

import numpy as np
import pytest

from vif.errors import InputError
from vif.statistics.cases import moments, numbers, same_length, vector


def test_moments_of_ragged_cases() -> None:
    # (1 + 2 + 6) / 3 = 3; (1-3)² + (2-3)² + (6-3)² = 4 + 1 + 9 = 14. A single 5: mean 5, no scatter.
    of_case = moments([[1, 2, 6], 5.0])
    assert of_case.counts.tolist() == [3, 1]
    assert of_case.means.tolist() == [3, 5]
    assert of_case.scatter.tolist() == [14, 0]
    assert (of_case.n_cases, of_case.n_values) == (2, 4)


def test_equal_repeats_have_no_scatter_whatever_their_digits() -> None:
    of_case = moments([[0.1] * 7, [0.3] * 3, [1e16 / 3] * 9])
    assert of_case.scatter.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("cases", "message"),
    [
        ([[1.0], [0.5, float("nan")]], r"cases\[1\] has nan at 1"),
        ([float("inf")], r"cases\[0\] has inf"),
        ([[[1.0, 2.0], [3.0, float("nan")]]], r"cases\[0\] has nan at \(1, 1\)"),
        ([[1.0], []], r"cases\[1\] has no values"),
        ([["high"]], r"cases\[0\] must hold numbers only"),
        ([[None]], r"cases\[0\] has nan at 0"),
    ],
)
def test_what_is_no_measurement_is_named_with_its_place(cases: list[list[float]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        moments(cases)


def test_a_vector_has_one_dimension() -> None:
    assert vector((1, 2), "x").tolist() == [1, 2]
    with pytest.raises(InputError, match=r"x has shape \(2, 2\); it must be one row"):
        vector(np.eye(2), "x")


def test_numbers_keep_their_shape() -> None:
    assert numbers([[1, 2], [3, 4]], "x").shape == (2, 2)


def test_lists_of_cases_must_match() -> None:
    with pytest.raises(InputError, match="a and b have 2 and 3 entries"):
        same_length([1, 2], [1, 2, 3], "a and b")
