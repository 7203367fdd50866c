"""Oscillation over time, its starting points and its short text form."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vif.boundaries import BOUNDARY_NAMES, DEFAULT_BOUNDARIES, Boundary, oscillate
from vif.errors import InputError
from vif.oscillation import (
    DEFAULT,
    HIGHEST_PHASE,
    STARTING_POINTS,
    Oscillation,
    from_text,
    permeability_at,
    swinging,
    swinging_like,
    to_text,
)

OSCILLATIONS = st.builds(
    Oscillation,
    frequency=st.floats(0, 3),
    amplitude=st.floats(0, 1),
    phase=st.floats(0, HIGHEST_PHASE),
)


def test_a_quarter_of_a_period_after_phase_0_the_permeability_is_highest() -> None:
    # 1 Hz: a quarter of a second is π/2, whose sine is 1: 0.5 + 0.3 · 1
    assert permeability_at(0.5, Oscillation(1.0, 0.3), 0.25) == pytest.approx(0.8, abs=1e-12)


def test_permeability_stays_within_0_and_1() -> None:
    assert permeability_at(0.9, Oscillation(1.0, 1.0), 0.25) == 1.0
    assert permeability_at(0.1, Oscillation(1.0, 1.0), 0.75) == 0.0


@given(OSCILLATIONS, st.floats(0, 1), st.floats(0, 20))
def test_it_is_the_first_oscillation_step(oscillation: Oscillation, base: float, seconds: float) -> None:
    (boundary,) = swinging([Boundary("CD-SD")], [oscillation])
    step = oscillate(boundary, seconds, base)
    assert permeability_at(base, oscillation, seconds) == pytest.approx(step.permeability, abs=1e-12)


@pytest.mark.parametrize(
    ("values", "named"),
    [((3.1, 0.1, 0.0), "frequency"), ((1.0, -0.1, 0.0), "amplitude"), ((1.0, 0.1, 7.0), "phase")],
)
def test_a_value_out_of_range_is_named(values: tuple[float, float, float], named: str) -> None:
    with pytest.raises(InputError, match=f"^{named} is"):
        Oscillation(*values)


def test_not_a_number_is_refused() -> None:
    with pytest.raises(InputError):
        Oscillation(math.nan)


def test_the_defaults_are_those_of_the_boundaries() -> None:
    assert swinging(DEFAULT_BOUNDARIES, STARTING_POINTS["Defaults"]) == DEFAULT_BOUNDARIES


@pytest.mark.parametrize("name", STARTING_POINTS)
def test_a_starting_point_has_an_oscillation_for_each_boundary(name: str) -> None:
    assert len(STARTING_POINTS[name]) == len(BOUNDARY_NAMES)


def test_the_defaults_have_no_text() -> None:
    assert to_text((DEFAULT,) * 6) == ""
    assert from_text("") == (DEFAULT,) * 6


@given(st.lists(OSCILLATIONS, min_size=6, max_size=6))
def test_the_text_comes_back_as_the_same_to_four_decimals(oscillations: list[Oscillation]) -> None:
    for before, after in zip(oscillations, from_text(to_text(oscillations)), strict=True):
        assert after.frequency == pytest.approx(before.frequency, abs=1.01e-4)
        assert after.amplitude == pytest.approx(before.amplitude, abs=1.01e-4)
        assert after.phase == pytest.approx(before.phase, abs=1.01e-4)


@pytest.mark.parametrize(
    "text", ["1", "1-2-3", "_".join(["1-0.1"] * 6), "_".join(["1-9-0"] * 6), "_".join(["a-b-c"] * 6)]
)
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        from_text(text)


def test_a_boundary_takes_the_oscillation_of_its_namesake_only() -> None:
    fast = Boundary("CD-SD", 0.1, "Maintained", 3.0, 0.5, 1.0)
    taken = swinging_like(Boundary("CD-SD", 0.7, "Transitional"), {"CD-SD": fast})
    assert taken == Boundary("CD-SD", 0.7, "Transitional", 3.0, 0.5, 1.0)
    other = Boundary("CD-ED")
    assert swinging_like(other, {"CD-SD": fast}) is other
