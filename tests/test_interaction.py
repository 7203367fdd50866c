from __future__ import annotations

from datetime import UTC, timedelta

import pytest
from pydantic import ValidationError

from vif.boundaries import Boundary
from vif.flow import DevelopmentalStage, EmergentQuality, Reading
from vif.interaction import (
    Attempt,
    BoundaryQualities,
    DomainActivations,
    FormulaReading,
    Interaction,
    Recognition,
    total_cost,
)
from vif.qualities import Qualities


def interaction(**changes: object) -> Interaction:
    values: dict[str, object] = {
        "message": "Hello",
        "mode": "formula",
        "autonomy": 0.55,
        "domains": {"CD": 0.44},
        "boundaries": (Boundary("CD-SD"),),
        "formula": FormulaReading(domains=DomainActivations(CD=0.4, SD=0.3, CuD=0.2, ED=0.1), boundaries=()),
        "interfaces": (),
        "qualities": (),
        "developmental_stage": DevelopmentalStage.RECOGNITION,
        "prompt": "…",
        "recognition": Recognition(source="formula"),
    }
    return Interaction.model_validate(values | changes)


def test_every_interaction_has_an_id_and_a_time_of_its_own() -> None:
    one, other = interaction(), interaction()
    assert one.id != other.id
    assert one.created_at.tzinfo is UTC
    assert timedelta(0) <= other.created_at - one.created_at


def test_an_interaction_comes_back_from_its_json_unchanged() -> None:
    one = interaction(reply="é😀\u2028\x1b", patterns=("CD",))
    assert Interaction.model_validate_json(one.model_dump_json()) == one


def test_an_interaction_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        interaction().reply = "another"  # type: ignore[misc]


def test_a_key_that_is_not_of_the_contract_is_refused() -> None:
    with pytest.raises(ValidationError, match="extra"):
        interaction(colour="blue")


def test_the_reading_is_what_the_stages_used() -> None:
    assert interaction().reading == Reading({"CD": 0.44}, (Boundary("CD-SD"),))


def test_a_duration_cannot_be_negative() -> None:
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        Attempt(provider="openai", model="m", outcome="ok", latency_ms=-1.0)


def test_qualities_keep_their_names() -> None:
    entry = EmergentQuality("CD-SD", Qualities(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7))
    assert BoundaryQualities.of(entry).model_dump() == {
        "boundary": "CD-SD",
        "clarity": 0.1,
        "depth": 0.2,
        "openness": 0.3,
        "precision": 0.4,
        "fluidity": 0.5,
        "resonance": 0.6,
        "coherence": 0.7,
    }


def test_the_total_cost_is_unknown_as_soon_as_one_is() -> None:
    assert total_cost([]) == 0.0
    assert total_cost([0.25, 0.5]) == 0.75
    assert total_cost([0.25, None, 0.5]) is None
