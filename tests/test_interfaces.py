from __future__ import annotations

import math

import pytest

from vif.boundaries import BOUNDARY_NAMES, Boundary
from vif.interfaces import Interface, Rhythm, activate, activation_strength, rhythm_of, select
from vif.qualities import MessageFeatures, qualities_of


def chosen(boundaries: list[Boundary], **activations: float) -> tuple[Interface, ...]:
    features = MessageFeatures.of("")
    raw = [qualities_of(boundary, features) for boundary in boundaries]
    return select(boundaries, activate(boundaries, activations), raw)


@pytest.mark.parametrize(
    ("frequency", "amplitude", "rhythm"),
    [
        (0.5, 0.5, Rhythm.NONE),
        (0.51, 0.5, Rhythm.GENTLE),
        (0.8, 0.5, Rhythm.GENTLE),
        (0.81, 0.5, Rhythm.NATURAL),
        (1.5, 0.5, Rhythm.NATURAL),
        (1.51, 0.5, Rhythm.RAPID),
        (9.0, 0.1, Rhythm.NONE),
        (9.0, math.nextafter(0.1, 1), Rhythm.RAPID),
    ],
)
def test_the_rhythm_has_strict_limits(frequency: float, amplitude: float, rhythm: Rhythm) -> None:
    assert rhythm_of(Boundary("CD-SD", frequency=frequency, amplitude=amplitude)) is rhythm


def test_the_strength_is_the_product_of_both_sides() -> None:
    assert activation_strength(Boundary("CD-SD"), {"CD": 0.5, "SD": 0.4}) == 0.2
    assert activation_strength(Boundary("CD-SD"), {"CD": 0.5}) == 0.25  # an absent domain counts 0.5
    assert activation_strength(Boundary("CD-SD"), {}) == 0.25
    assert activation_strength(Boundary("Alone"), {"Alone": 1.0}) == 0.0


def test_the_priority_grows_with_every_companion() -> None:
    one, two, far = Boundary("CD-SD", 0.5), Boundary("CD-ED", 0.5), Boundary("SD-ED", 0.5, frequency=3.0)
    first, second, third = activate([one, two, far], {"CD": 0.5, "SD": 0.5, "ED": 0.5})
    # s = 0.25: (0.25·0.4 + 0.5·0.3) = 0.25; with one companion times 1.2
    assert (first.priority, second.priority, third.priority) == pytest.approx((0.3, 0.3, 0.25))
    assert (first.resonates_with, second.resonates_with, third.resonates_with) == (("CD-ED",), ("CD-SD",), ())


def test_a_boundary_comes_forward_by_priority_or_by_permeability() -> None:
    # Alone, absent domains: s = 0.25, so p = 0.1 + 0.3·P; above 0.3 from P = 0.667 on.
    apart = [
        Boundary("CD-SD", 0.66, frequency=1.0),
        Boundary("CD-CuD", 0.68, frequency=2.0),
        Boundary("CD-ED", 0.7, frequency=4.0),
    ]
    assert [interface.boundary for interface in chosen(apart)] == ["CD-ED", "CD-CuD"]
    # No strength: p = 0.3·P stays below 0.3; only P above 0.7 helps.
    weak = [Boundary("CD-SD", 0.7, frequency=1.0), Boundary("CD-CuD", 0.71, frequency=2.0)]
    assert [interface.boundary for interface in chosen(weak, CD=0.0)] == ["CD-CuD"]


def test_at_most_six_come_forward_in_order_of_priority() -> None:
    eight = [
        Boundary(f"{name}x", 0.9 - 0.01 * index, frequency=2.0**index)
        for index, name in enumerate((*BOUNDARY_NAMES, "a-", "b-"))
    ]
    assert [interface.boundary for interface in chosen(list(reversed(eight)))] == [b.name for b in eight[:6]]


def test_an_interface_carries_numbers_and_words() -> None:
    (interface,) = chosen([Boundary("CD-ED", 0.9, "Transcendent", 2.0, 0.5)], CD=1.0, ED=0.5)
    assert interface.priority == pytest.approx(0.5 * 0.4 + 0.9 * 0.3)
    assert (interface.activation_strength, interface.rhythm, interface.resonates_with) == (0.5, "rapid", ())
    # Empty message, P = 0.9, A = 0.5, F = 2: clarity .55, depth .47, openness .23, precision .4+.27+.09 = .76,
    # fluidity .2, resonance .4+.4+.06 = .86, coherence .36 + .3·(1 − .2/.7) + .15 = .724
    assert interface.primary_quality == "resonance"
    assert all((interface.invitation, interface.attention, interface.resonance, interface.emergence))
