from __future__ import annotations

import math

import pytest

from vif.domains import (
    DEFAULT_AUTONOMY,
    DOMAINS,
    Domain,
    check_autonomy,
    emerging,
    formula_activations,
    substates,
)
from vif.errors import InputError


def test_the_domains_have_a_fixed_order_and_words_for_people() -> None:
    assert [(domain.value, domain.label) for domain in DOMAINS] == [
        ("CD", "Computational"),
        ("SD", "Scientific"),
        ("CuD", "Cultural"),
        ("ED", "Experiential"),
    ]


def test_the_default_autonomy_is_what_the_fixed_factors_give() -> None:
    # 0.4·0.4 + 0.7·0.3 + 0.5·0.2 + 0.8·0.1 = 0.16 + 0.21 + 0.10 + 0.08
    assert DEFAULT_AUTONOMY == 0.55 == ((0.4 * 0.4 + 0.7 * 0.3) + 0.5 * 0.2) + 0.8 * 0.1


def test_the_formula_gives_weight_times_autonomy() -> None:
    assert formula_activations(1.0) == {"CD": 0.8, "SD": 0.7, "CuD": 0.6, "ED": 0.9}
    # 0.8·0.5, 0.7·0.5, 0.6·0.5, 0.9·0.5
    assert formula_activations(0.5) == {"CD": 0.4, "SD": 0.35, "CuD": 0.3, "ED": 0.45}


def test_a_domain_at_the_threshold_does_not_emerge() -> None:
    assert emerging({"CD": 0.3, "SD": math.nextafter(0.3, 1.0), "CuD": 0.0, "ED": 2.0}) == {
        "SD": math.nextafter(0.3, 1.0),
        "ED": 2.0,  # no upper limit
    }


@pytest.mark.parametrize("autonomy", [0.0, 0.55, 1.0])
def test_an_autonomy_in_range_is_taken(autonomy: float) -> None:
    assert check_autonomy(autonomy) == autonomy


@pytest.mark.parametrize("autonomy", [-0.001, 1.001, math.inf, math.nan])
def test_an_autonomy_out_of_range_is_named(autonomy: float) -> None:
    with pytest.raises(InputError, match=f"autonomy is {autonomy!r}; it must be a number from 0 to 1"):
        check_autonomy(autonomy)


def test_each_domain_has_four_substates() -> None:
    assert {domain: list(substates(domain, 1.0).items()) for domain in DOMAINS} == {
        Domain.CD: [("analytical", 0.9), ("logical", 0.85), ("pattern", 0.95), ("systematic", 0.8)],
        Domain.SD: [("evidence", 0.95), ("theoretical", 0.85), ("empirical", 0.9), ("rigorous", 0.8)],
        Domain.CUD: [("contextual", 0.9), ("narrative", 0.85), ("perspectival", 0.8), ("meaningful", 0.95)],
        Domain.ED: [("experiential", 0.95), ("qualitative", 0.9), ("present", 0.85), ("engaged", 0.9)],
    }


def test_substates_scale_with_the_activation_and_are_not_rounded() -> None:
    assert substates("CD", 0.44)["logical"] == 0.44 * 0.85  # 0.374


def test_a_domain_of_another_name_has_one_substate() -> None:
    assert substates("XD", 0.123) == {"activation": 0.123}
