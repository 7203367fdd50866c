"""The four domains: their names, the Rust formula's activations, stage 1 and the sub-states of the prompt.

Numbers from the project's numeric specification, sections 1, 2 (stage 1) and 2 (stage 5).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from vif.errors import InputError


class Domain(StrEnum):
    """A way of understanding. The order is fixed everywhere: prompt, JSON, charts."""

    CD = "CD"
    SD = "SD"
    CUD = "CuD"
    ED = "ED"

    @property
    def label(self) -> str:
        """The full word, for people: "Computational"."""
        return _LABELS[self]


_LABELS = {
    Domain.CD: "Computational",
    Domain.SD: "Scientific",
    Domain.CUD: "Cultural",
    Domain.ED: "Experiential",
}

DOMAINS: tuple[Domain, ...] = tuple(Domain)

DEFAULT_AUTONOMY = 0.55
"""`ambiguity·0.4 + receptivity·0.3 + stakes·0.2 + confidence·0.1` of the fixed factors 0.4, 0.7, 0.5, 0.8."""

EMERGENCE_THRESHOLD = 0.3
"""Stage 1 keeps a domain only above this (strictly)."""

_WEIGHTS: Mapping[Domain, float] = {Domain.CD: 0.8, Domain.SD: 0.7, Domain.CUD: 0.6, Domain.ED: 0.9}

_SUBSTATES: Mapping[str, tuple[tuple[str, float], ...]] = {
    Domain.CD: (("analytical", 0.9), ("logical", 0.85), ("pattern", 0.95), ("systematic", 0.8)),
    Domain.SD: (("evidence", 0.95), ("theoretical", 0.85), ("empirical", 0.9), ("rigorous", 0.8)),
    Domain.CUD: (("contextual", 0.9), ("narrative", 0.85), ("perspectival", 0.8), ("meaningful", 0.95)),
    Domain.ED: (("experiential", 0.95), ("qualitative", 0.9), ("present", 0.85), ("engaged", 0.9)),
}
_OTHER_SUBSTATES = (("activation", 1.0),)


def check_autonomy(autonomy: float) -> float:
    """`autonomy` itself when it is from 0 to 1; InputError otherwise (also for NaN)."""
    if not 0.0 <= autonomy <= 1.0:
        raise InputError(f"autonomy is {autonomy!r}; it must be a number from 0 to 1")
    return autonomy


def formula_activations(autonomy: float) -> dict[str, float]:
    """The Rust formula: weight × autonomy for all four domains, whatever the message."""
    return {domain.value: weight * autonomy for domain, weight in _WEIGHTS.items()}


def emerging(activations: Mapping[str, float]) -> dict[str, float]:
    """Stage 1: the domains whose activation is above the threshold."""
    return {name: value for name, value in activations.items() if value > EMERGENCE_THRESHOLD}


def substates(name: str, activation: float) -> dict[str, float]:
    """Stage 5: the sub-states of a domain, not yet rounded. A domain of another name has one, `activation`."""
    return {label: activation * factor for label, factor in _SUBSTATES.get(name, _OTHER_SUBSTATES)}
