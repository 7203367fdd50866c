"""The deterministic flow as JSON in and JSON out: the contract of `vif flow`, with full float precision."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from vif.boundaries import DEFAULT_BOUNDARIES, Boundary, resonance
from vif.domains import DEFAULT_AUTONOMY
from vif.flow import Reading, conclude, read_formula, shape
from vif.prompt import rounded_substates


class FlowInput(BaseModel):
    """One line of input. With `domains`, they and the boundaries are taken as the results of stages 1 and 2."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    message: str
    autonomy: float = DEFAULT_AUTONOMY
    llm_response: str = ""
    boundaries: tuple[Boundary, ...] = DEFAULT_BOUNDARIES
    domains: Mapping[str, float] | None = None


def run_flow(given: FlowInput) -> dict[str, object]:
    """All stages of one input, keyed as in the reference data."""
    if given.domains is None:
        reading = read_formula(given.autonomy, given.boundaries)
    else:
        reading = Reading(dict(given.domains), given.boundaries)
    context = shape(given.message, reading)
    conclusion = conclude(context, given.llm_response)
    boundaries = reading.boundaries
    return {
        "domains": dict(reading.domains),
        "boundaries": [
            {
                "name": boundary.name,
                "permeability": boundary.permeability,
                "status": boundary.status,
                "frequency": boundary.frequency,
                "amplitude": boundary.amplitude,
                "phase": boundary.phase,
            }
            for boundary in boundaries
        ],
        "resonance": [
            [i, j, pair.resonates, pair.strength]
            for i in range(len(boundaries))
            for j in range(i + 1, len(boundaries))
            for pair in (resonance(boundaries[i], boundaries[j]),)
        ],
        "activation": [
            _engagement(entry.name, entry.activation_strength, entry.resonates_with, entry.priority)
            for entry in context.activated
        ],
        "selected": [
            _engagement(interface.boundary, interface.activation_strength, interface.resonates_with, interface.priority)
            | {
                "primary_quality": interface.primary_quality,
                "rhythm": interface.rhythm,
                "resonates_with": list(interface.resonates_with),
            }
            for interface in context.interfaces
        ],
        "raw_qualities": {
            boundary.name: list(scores) for boundary, scores in zip(boundaries, context.raw_qualities, strict=True)
        },
        "emergent_qualities": [{"name": e.boundary, "values": list(e.qualities)} for e in context.emergent],
        "substates": rounded_substates(reading.domains),
        "pattern_domains": sorted(conclusion.pattern_domains) or None,
        "anchors": [{"name": anchor.boundary, "confidence": anchor.confidence} for anchor in conclusion.anchors],
        "stage": conclusion.developmental_stage,
    }


def _engagement(name: str, strength: float, resonates_with: tuple[str, ...], priority: float) -> dict[str, object]:
    return {
        "name": name,
        "activation_strength": strength,
        "is_resonating": bool(resonates_with),
        "resonance_cluster_size": len(resonates_with),
        "priority_score": priority,
    }
