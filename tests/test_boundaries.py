from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vif.boundaries import (
    BOUNDARY_NAMES,
    DEFAULT_BOUNDARIES,
    Boundary,
    Status,
    dissolve,
    oscillate,
    permeability_between,
    resonance,
    resonating_names,
    status_of,
)


def test_the_six_boundaries_have_a_fixed_order_and_default_oscillation() -> None:
    assert BOUNDARY_NAMES == ("CD-SD", "CD-CuD", "CD-ED", "SD-CuD", "SD-ED", "CuD-ED")
    assert [boundary.name for boundary in DEFAULT_BOUNDARIES] == list(BOUNDARY_NAMES)
    assert {(b.frequency, b.amplitude, b.phase) for b in DEFAULT_BOUNDARIES} == {(1.0, 0.1, 0.0)}


@pytest.mark.parametrize(
    ("name", "sides"),
    [("CD-SD", ("CD", "SD")), ("CD-", ("CD", "")), ("CD", None), ("", None), ("CD-SD-ED", None), ("CD--SD", None)],
)
def test_only_a_name_of_two_parts_has_sides(name: str, sides: tuple[str, str] | None) -> None:
    assert Boundary(name).sides == sides


@pytest.mark.parametrize(
    ("permeability", "status"),
    [
        (0.0, Status.MAINTAINED),
        (0.6, Status.MAINTAINED),
        (math.nextafter(0.6, 1), Status.TRANSITIONAL),
        (0.8, Status.TRANSITIONAL),
        (math.nextafter(0.8, 1), Status.TRANSCENDENT),
        (1.0, Status.TRANSCENDENT),
    ],
)
def test_the_status_follows_the_permeability_with_the_limit_below(permeability: float, status: Status) -> None:
    assert status_of(permeability) is status


def test_the_permeability_is_the_geometric_mean() -> None:
    assert permeability_between(0.5, 0.125) == 0.25  # √0.0625


def test_dissolving_replaces_permeability_and_status_and_nothing_else() -> None:
    given_boundary = Boundary("CD-ED", 0.1, "whatever", 2.0, 0.4, -1.0)
    # √(0.8·0.9) = √0.72 = 0.8485…
    assert dissolve([given_boundary], {"CD": 0.8, "ED": 0.9}) == (
        Boundary("CD-ED", math.sqrt(0.8 * 0.9), "Transcendent", 2.0, 0.4, -1.0),
    )


def test_dissolving_counts_a_missing_domain_as_nothing() -> None:
    assert dissolve([Boundary("CD-XX", 0.9, "Transcendent")], {"CD": 1.0}) == (Boundary("CD-XX", 0.0, "Maintained"),)


def test_dissolving_keeps_a_boundary_without_two_sides() -> None:
    alone = Boundary("Alone", 0.9, "anything")
    assert dissolve([alone], {"CD": 1.0}) == (alone,)


# ── Resonance ───────────────────────────────────────────────────────────────────────────────────────────────────────


def pair(f1: float, f2: float, phase1: float = 0.0, phase2: float = 0.0) -> tuple[Boundary, Boundary]:
    return Boundary("CD-SD", frequency=f1, phase=phase1), Boundary("CD-ED", frequency=f2, phase=phase2)


def test_frequencies_resonate_strictly_within_a_fifth_of_the_larger() -> None:
    assert not resonance(*pair(10.0, 8.0)).resonates  # 2 is not below 0.2·10
    assert resonance(*pair(10.0, math.nextafter(8.0, 9.0))).resonates


def test_phases_resonate_strictly_within_a_fifth_of_a_half_turn() -> None:
    limit = 0.2 * math.pi
    assert not resonance(*pair(1.0, 1.0, limit)).resonates
    assert resonance(*pair(1.0, 1.0, math.nextafter(limit, 0.0))).resonates


def test_phases_are_compared_the_short_way_round() -> None:
    assert resonance(*pair(1.0, 1.0, 0.1, 2 * math.pi - 0.1)).resonates
    assert resonance(*pair(1.0, 1.0, 0.0, 100 * 2 * math.pi)).resonates
    assert resonance(*pair(1.0, 1.0, -0.1, 0.1)).resonates


def test_two_boundaries_at_rest_do_not_resonate_although_their_strength_is_full() -> None:
    assert resonance(*pair(0.0, 0.0)) == resonance(*pair(-1.0, -1.0))
    assert not resonance(*pair(0.0, 0.0)).resonates
    assert resonance(*pair(0.0, 0.0)).strength == 1.0


def test_the_strength_weighs_frequency_and_phase() -> None:
    # fs = 1 − |2 − 1|/2 = 0.5; δ = π/2, pa = 1 − 0.5 = 0.5; 0.6·0.5 + 0.4·0.5
    assert resonance(*pair(2.0, 1.0, math.pi / 2)).strength == 0.5
    # Opposite signs: |1 + 3|/1 is limited to 1, fs = 0; pa = 1
    assert resonance(*pair(1.0, -3.0)).strength == 0.4


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(-20, 20), st.floats(-20, 20))
def test_resonance_is_symmetric(f1: float, f2: float, phase1: float, phase2: float) -> None:
    one, other = pair(f1, f2, phase1, phase2)
    assert resonance(one, other) == resonance(other, one)


def test_companions_are_named_in_boundary_order() -> None:
    together = [Boundary("CuD-ED"), Boundary("CD-SD", frequency=3.0), Boundary("CD-ED"), Boundary("SD-ED")]
    assert resonating_names(together) == (("CD-ED", "SD-ED"), (), ("CuD-ED", "SD-ED"), ("CuD-ED", "CD-ED"))


# ── Oscillation ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_quarter_of_a_swing_adds_the_whole_amplitude() -> None:
    swung = oscillate(Boundary("CD-SD", 0.9, "Transcendent", 1.0, 0.25, 0.0), 0.25, 0.5)
    # sin(2π·1·0.25) = 1: 0.5 + 0.25; the phase moves on by π/2
    assert swung == Boundary("CD-SD", 0.75, "Transcendent", 1.0, 0.25, math.pi / 2)


def test_the_old_phase_counts_and_nothing_accumulates() -> None:
    start = Boundary("CD-SD", 0.9, "as it was", 1.0, 0.25, math.pi)
    swung = oscillate(start, 0.25, 0.5)
    # sin(π/2 + π) = −1: 0.5 − 0.25; phase π + π/2
    assert (swung.permeability, swung.phase) == pytest.approx((0.25, 1.5 * math.pi))
    again = oscillate(swung, 0.0, 0.5)
    assert (again.permeability, again.phase) == pytest.approx((0.25, 1.5 * math.pi))  # 0.5 + 0.25·sin(3π/2)


@pytest.mark.parametrize(("base", "permeability"), [(2.0, 1.0), (-2.0, 0.0)])
def test_the_permeability_stays_from_0_to_1(base: float, permeability: float) -> None:
    assert oscillate(Boundary("CD-SD"), 0.1, base).permeability == permeability


def test_a_negative_sum_keeps_its_sign() -> None:
    # −2.25 turns: the truncated remainder is −0.25 turns, not 0.75.
    assert oscillate(Boundary("CD-SD"), -2.25, 0.5).phase == pytest.approx(-0.5 * math.pi)
