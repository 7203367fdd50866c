"""The volume shows the numbers it was given, and tells statuses apart without colour."""

from __future__ import annotations

import math
from itertools import combinations

import pytest

from vif.boundaries import DEFAULT_BOUNDARIES, Boundary, dissolve
from vif.domains import DOMAINS, Domain
from vif.figures import FORMULA, LIGHT, READER, describe_volume, volume
from vif.figures.volume import VERTICES

DOMAINS_READ = {"CD": 0.95, "SD": 0.5, "CuD": 0.3, "ED": 0.9}
# √(0.95·0.5) = 0.69, √(0.95·0.3) = 0.53, √(0.95·0.9) = 0.92, √(0.5·0.3) = 0.39, √(0.5·0.9) = 0.67, √(0.3·0.9) = 0.52
BOUNDARIES = dissolve(DEFAULT_BOUNDARIES, DOMAINS_READ)


def traces(reader: str = READER, **domains: float) -> dict[str, object]:
    """The traces of the figure by name."""
    figure = volume({**DOMAINS_READ, **domains}, BOUNDARIES, reader=reader)
    return {trace.name: trace for trace in figure.data}


def test_the_four_domains_are_the_corners_of_a_regular_tetrahedron() -> None:
    # edge of a tetrahedron in a sphere of radius 1: √(8/3) = 1.633
    for one, other in combinations(VERTICES.values(), 2):
        assert math.dist(one, other) == pytest.approx(1.63299, abs=1e-5)
    found = traces()
    for domain in DOMAINS:
        trace = found[domain.label]
        assert (trace.x[0], trace.y[0], trace.z[0]) == VERTICES[domain]  # type: ignore[attr-defined]
        assert trace.marker.color == LIGHT.domains[domain]  # type: ignore[attr-defined]


def test_a_corner_grows_with_its_activation() -> None:
    # from 3 at 0 to 15 at 1: 0.5 gives 9
    found = traces()
    assert found["Scientific"].marker.size == pytest.approx(9.0)  # type: ignore[attr-defined]
    assert found["Computational"].marker.size == pytest.approx(14.4)  # type: ignore[attr-defined]
    assert found["Computational"].text == ("<b>Computational</b><br>LLM #1: activation 0.95",)  # type: ignore[attr-defined]


def test_a_domain_that_is_missing_counts_zero() -> None:
    figure = volume({"CD": 0.5}, BOUNDARIES)
    (vertex,) = [trace for trace in figure.data if trace.name == "Experiential"]
    assert vertex.marker.size == 3.0
    assert "0.00" in vertex.text[0]


def test_every_boundary_is_an_edge_as_wide_as_it_is_permeable() -> None:
    found = traces()
    for boundary in BOUNDARIES:
        # from 2.5 pixels at 0 to 11 at 1
        assert found[boundary.name].line.width == pytest.approx(2.5 + 8.5 * boundary.permeability)  # type: ignore[attr-defined]


def test_an_edge_lies_between_its_two_domains() -> None:
    edge = traces()["CD-ED"]
    start, end = VERTICES[Domain.CD], VERTICES[Domain.ED]
    for x, y, z in zip(edge.x, edge.y, edge.z, strict=True):  # type: ignore[attr-defined]
        assert math.dist(start, (x, y, z)) + math.dist((x, y, z), end) == pytest.approx(math.dist(start, end))


def test_statuses_differ_in_the_number_of_strokes_not_in_colour_alone() -> None:
    found = traces()
    strokes = {name: list(found[name].x).count(None) for name in ("CD-CuD", "CD-SD", "CD-ED")}  # type: ignore[attr-defined]
    assert strokes == {"CD-CuD": 17, "CD-SD": 7, "CD-ED": 0}, "Maintained, Transitional, Transcendent"
    legend = [trace for trace in volume(DOMAINS_READ, BOUNDARIES).data if trace.showlegend is None]
    assert [(trace.name, trace.line.dash) for trace in legend] == [
        ("Maintained", "dot"),
        ("Transitional", "dash"),
        ("Transcendent", "solid"),
    ]


def test_hovering_along_an_edge_says_the_same_words_everywhere() -> None:
    edge = traces()["CD-ED"]
    # √(0.95 · 0.9) = 0.925
    assert set(edge.text) == {  # type: ignore[attr-defined]
        "<b>Computational – Experiential</b><br>LLM #1: permeability 0.92<br>"
        "Transcendent: the two are open to each other"
    }


def test_both_readers_are_seen_from_the_same_place_in_different_colours() -> None:
    one, other = volume(DOMAINS_READ, BOUNDARIES), volume(DOMAINS_READ, BOUNDARIES, reader=FORMULA)
    assert one.layout.scene.camera == other.layout.scene.camera
    assert traces()["CD-ED"].line.color.startswith(LIGHT.llm1)  # type: ignore[attr-defined]
    assert traces(FORMULA)["CD-ED"].line.color.startswith(LIGHT.formula)  # type: ignore[attr-defined]
    assert "Rust formula" in traces(FORMULA)["CD-ED"].text[0]  # type: ignore[attr-defined]


def test_the_page_shows_through_and_no_axis_is_drawn() -> None:
    scene = volume(DOMAINS_READ, BOUNDARIES).layout.scene
    assert scene.bgcolor == "rgba(0,0,0,0)"
    assert [axis.visible for axis in (scene.xaxis, scene.yaxis, scene.zaxis)] == [False] * 3
    assert scene.dragmode == "turntable"


def test_a_boundary_outside_the_four_domains_has_no_edge_and_a_foreign_status_a_solid_one() -> None:
    figure = volume(DOMAINS_READ, [Boundary("CD-XX", 0.9), Boundary("odd", 0.9), Boundary("CD-SD", 0.9, "Dissolved")])
    (edge,) = [trace for trace in figure.data if "-" in trace.name]
    assert edge.name == "CD-SD"
    assert None not in edge.x
    assert edge.text[0].endswith("<br>Dissolved")


def test_the_volume_is_also_told_in_words() -> None:
    words = describe_volume(DOMAINS_READ, BOUNDARIES)
    assert "as LLM #1 reads them: computational 0.95, scientific 0.50, cultural 0.30, experiential 0.90" in words
    assert "Computational – Experiential 0.92 Transcendent" in words
    assert "as the Rust formula reads" in describe_volume(DOMAINS_READ, BOUNDARIES, FORMULA)
