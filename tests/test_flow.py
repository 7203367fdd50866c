from __future__ import annotations

import pytest

from vif.boundaries import BOUNDARY_NAMES, Boundary
from vif.flow import Conclusion, DevelopmentalStage, Reading, Stage, conclude, read_formula, shape


def reading(*statuses: str, permeability: float = 0.9, **domains: float) -> Reading:
    """As many boundaries as statuses, all with one permeability."""
    named = zip(BOUNDARY_NAMES, statuses, strict=False)
    return Reading(domains, tuple(Boundary(name, permeability, status) for name, status in named))


def concluded(read: Reading, reply: str = "A reply.", message: str = "Hello") -> Conclusion:
    return conclude(shape(message, read), reply)


def test_the_stages_are_numbered_1_to_7() -> None:
    assert [stage.number for stage in Stage] == [1, 2, 3, 4, 5, 6, 7]


def test_the_formula_reads_every_message_alike_and_maintained() -> None:
    read = read_formula(0.55)
    assert read.domains == pytest.approx({"CD": 0.44, "SD": 0.385, "CuD": 0.33, "ED": 0.495})
    assert {boundary.status for boundary in read.boundaries} == {"Maintained"}
    # The largest is CD-ED: 0.55·√0.72 = 0.4667
    assert max(boundary.permeability for boundary in read.boundaries) == pytest.approx(0.4667, abs=1e-4)


def test_at_full_autonomy_only_one_boundary_is_transcendent() -> None:
    read = read_formula(1.0)
    assert [boundary.name for boundary in read.boundaries if boundary.status == "Transcendent"] == ["CD-ED"]


def test_shaping_touches_nothing_of_the_reading() -> None:
    read = reading("Transcendent", CD=0.2)
    context = shape("Hello", read)
    assert context.reading is read
    assert context.message == "Hello"


def test_only_transcendent_boundaries_have_emergent_qualities_boosted_by_their_strength() -> None:
    context = shape("Hello", reading("Maintained", "Transcendent", CD=1.0, CuD=0.5))
    (emergent,) = context.emergent
    assert emergent.boundary == "CD-CuD"
    # Strength 1·0.5: boost 1 + 0.5·0.2 = 1.1
    assert emergent.qualities == context.raw_qualities[1].boosted(1.1)


def test_the_stages_are_told_as_they_end() -> None:
    told: list[Stage] = []
    context = shape("Hello", reading(), told.append)
    conclude(context, "", told.append)
    assert told == list(Stage)[2:]


# ── Stage 6 ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_pattern_names_the_engaged_domains_in_order() -> None:
    assert concluded(reading(ED=0.9, XD=0.6, SD=0.5, CD=0.51)).pattern_domains == ("CD", "ED", "XD")


@pytest.mark.parametrize(("reply", "forms"), [("", False), (" ", True), ("Hello", True)])
def test_a_pattern_needs_a_reply_and_a_blank_one_counts(reply: str, forms: bool) -> None:
    assert bool(concluded(reading(CD=0.9), reply).pattern_domains) is forms


def test_an_anchor_needs_status_and_permeability_above_the_limit() -> None:
    assert concluded(reading("Transcendent", permeability=0.8)).anchors == ()
    assert concluded(reading("Transitional", permeability=0.9)).anchors == ()
    (anchor,) = concluded(reading("Maintained", "Transcendent", permeability=0.81)).anchors
    assert (anchor.boundary, anchor.domains, anchor.confidence) == ("CD-CuD", ("CD", "CuD"), 0.81)


def test_an_anchor_names_all_parts_of_its_boundary() -> None:
    read = Reading({}, (Boundary("A-B-C", 0.9, "Transcendent"), Boundary("Alone", 0.9, "Transcendent")))
    assert [anchor.domains for anchor in concluded(read).anchors] == [("A", "B", "C"), ("Alone",)]


# ── Stage 7 ─────────────────────────────────────────────────────────────────────────────────────────────────────────

HIGH, LOW = 1.0, -1.0


@pytest.mark.parametrize(
    ("transcendent", "permeability", "stage"),
    [
        (0, HIGH, DevelopmentalStage.RECOGNITION),
        (1, HIGH, DevelopmentalStage.INTEGRATION),
        (2, HIGH, DevelopmentalStage.GENERATION),
        (3, HIGH, DevelopmentalStage.RECURSION),
        (4, HIGH, DevelopmentalStage.TRANSCENDENCE),
        (6, HIGH, DevelopmentalStage.TRANSCENDENCE),
        (6, LOW, DevelopmentalStage.RECOGNITION),
    ],
)
def test_the_stage_grows_with_transcendent_boundaries_of_high_quality(
    transcendent: int, permeability: float, stage: DevelopmentalStage
) -> None:
    # "a a a …" 500 bytes long, A = 1, F = 1, P = 1 and all domains 1, so everything is boosted by 1.2:
    # clarity min((.5 + .3)·1.2, 1) = .96, depth min((.4 + .3 + .3)·1.2, 1) = 1, resonance 1,
    # coherence (.4 + 0 + .3·.5)·1.2 = .66; mean .905. With P = −1 everything is lower by .5, .3, 0 and .4 twice over.
    boundaries = tuple(
        Boundary(name, permeability, "Transcendent" if index < transcendent else "x", amplitude=1.0)
        for index, name in enumerate(BOUNDARY_NAMES)
    )
    read = Reading(dict.fromkeys(("CD", "SD", "CuD", "ED"), 1.0), boundaries)
    assert concluded(read, message="a " * 250).developmental_stage is stage


def test_without_emergent_qualities_the_mean_is_one_half_and_no_rung_is_reached() -> None:
    assert concluded(reading("Maintained")).developmental_stage is DevelopmentalStage.RECOGNITION


def test_many_transcendent_boundaries_of_middling_quality_reach_a_lower_rung() -> None:
    # Empty message, P = .9, A = .1, absent domains: boost 1 + .25·.2 = 1.05.
    # clarity .45 + .18 = .63, depth .04 + .27 = .31, resonance .4 + .04 + .06 = .5,
    # coherence .36 + .3·(1 − .2/.7) + .15 = .7243; mean 2.1643·1.05/4 = .568: above .5 only.
    read = reading(*["Transcendent"] * 6)
    assert concluded(read, message="").developmental_stage is DevelopmentalStage.INTEGRATION
