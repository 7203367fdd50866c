"""Figures show exactly the numbers they are given, in colours that can be told apart, and say them in words too."""

from __future__ import annotations

import math
import subprocess
import sys
import tomllib
from itertools import combinations, pairwise
from pathlib import Path

import pytest

from vif.boundaries import BOUNDARY_NAMES, Boundary, Status, status_of
from vif.domains import DOMAINS, Domain
from vif.figures import (
    BANDS,
    DARK,
    LIGHT,
    Palette,
    boundary_chart,
    boundary_label,
    describe_boundaries,
    describe_radar,
    difference_in_words,
    differences,
    radar,
)

ROOT = Path(__file__).resolve().parent.parent
CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())

READING = {"CD": 0.95, "SD": 0.3, "CuD": 0.1, "ED": 0.2}
FORMULA = {"CD": 0.44, "SD": 0.385, "CuD": 0.33, "ED": 0.495}


def boundaries(*permeabilities: float) -> tuple[Boundary, ...]:
    return tuple(
        Boundary(name, value, status_of(value)) for name, value in zip(BOUNDARY_NAMES, permeabilities, strict=True)
    )


READ_BOUNDARIES = boundaries(0.53, 0.31, 0.44, 0.61, 0.81, 0.14)
FORMULA_BOUNDARIES = boundaries(0.41, 0.38, 0.47, 0.36, 0.44, 0.4)


def named(figure: object, name: str) -> dict[str, object]:
    """The trace of this name, as plain data."""
    traces = [trace for trace in figure.to_plotly_json()["data"] if trace.get("name") == name]  # type: ignore[attr-defined]
    assert len(traces) == 1, f"{len(traces)} traces are called {name!r}"
    trace: dict[str, object] = traces[0]
    return trace


def linear_channels(colour: str) -> list[float]:
    """Red, green and blue of "#rrggbb" without sRGB's gamma, 0 to 1."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]


def luminance(colour: str) -> float:
    """Relative luminance of "#rrggbb" as WCAG 2 defines it."""
    red, green, blue = linear_channels(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """1 to 21. Black on white: (1 + 0.05) / (0 + 0.05) = 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_contrast_formula_gives_21_for_black_on_white() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)


def test_the_radar_shows_both_readings_unchanged_and_closed() -> None:
    figure = radar(FORMULA, READING)
    assert named(figure, "LLM #1")["r"] == [0.95, 0.3, 0.1, 0.2, 0.95]
    assert named(figure, "Rust formula")["r"] == [0.44, 0.385, 0.33, 0.495, 0.44]
    assert named(figure, "LLM #1")["theta"] == [0, 90, 180, 270, 0]
    assert [label.split("<b>")[1].split("</b>")[0] for label in figure.layout.polar.angularaxis.ticktext] == [
        "Computational",
        "Scientific",
        "Cultural",
        "Experiential",
    ]
    assert figure.layout.polar.radialaxis.range == (0, 1)


def test_until_llm_1_has_read_the_radar_shows_the_formula_alone() -> None:
    names = [trace["name"] for trace in radar(FORMULA).to_plotly_json()["data"] if "name" in trace]
    assert names == ["Rust formula"]


def test_a_domain_that_is_missing_in_a_reading_counts_zero() -> None:
    assert named(radar(FORMULA, {"CD": 0.95}), "LLM #1")["r"] == [0.95, 0.0, 0.0, 0.0, 0.95]


def test_both_readers_differ_in_dash_marker_and_colour_not_in_colour_alone() -> None:
    one, other = (named(radar(FORMULA, READING), name) for name in ("LLM #1", "Rust formula"))
    assert one["line"]["dash"] != other["line"]["dash"]  # type: ignore[index]
    assert one["marker"]["symbol"] != other["marker"]["symbol"]  # type: ignore[index]
    assert one["line"]["color"] != other["line"]["color"]  # type: ignore[index]
    assert one["fill"] == other["fill"] == "toself"


def test_the_radar_leaves_the_page_behind_it_visible() -> None:
    assert radar(FORMULA, READING).layout.polar.bgcolor == "rgba(0,0,0,0)"


def test_hovering_explains_a_domain_in_words() -> None:
    hover = named(radar(FORMULA, READING), "LLM #1")["text"]
    # 0.95 − 0.44 = 0.51; 0.30 − 0.385 = −0.085
    assert hover[0] == "<b>Computational</b><br>LLM #1 reads 0.95<br>the formula 0.44<br>0.51 more"  # type: ignore[index]
    assert hover[1].endswith("0.09 less") or hover[1].endswith("0.08 less")  # type: ignore[index]


def test_the_boundary_chart_shows_every_permeability_of_both_readings() -> None:
    figure = boundary_chart(FORMULA_BOUNDARIES, READ_BOUNDARIES)
    assert named(figure, "LLM #1")["x"] == [0.53, 0.31, 0.44, 0.61, 0.81, 0.14]
    assert named(figure, "Rust formula")["x"] == [0.41, 0.38, 0.47, 0.36, 0.44, 0.4]
    # The first boundary is on top.
    assert named(figure, "LLM #1")["y"] == named(figure, "Rust formula")["y"] == [5, 4, 3, 2, 1, 0]


def test_the_status_bands_meet_at_0_6_and_0_8_and_are_labelled() -> None:
    figure = boundary_chart(FORMULA_BOUNDARIES, READ_BOUNDARIES)
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [(0.0, 0.6), (0.6, 0.8), (0.8, 1.0)]
    texts = [annotation.text for annotation in figure.layout.annotations]
    assert texts[:3] == ["Maintained", "Transitional", "Transcendent"]


def test_each_band_holds_the_permeabilities_of_its_status() -> None:
    for status, low, high in BANDS:
        assert status_of((low + high) / 2) is status
    assert all(one[2] == other[1] for one, other in pairwise(BANDS))


def test_the_boundary_chart_of_the_formula_alone_is_drawn_in_its_colour() -> None:
    figure = boundary_chart(FORMULA_BOUNDARIES)
    names = [trace.name for trace in figure.data if trace.name]
    assert names == ["Rust formula"]
    assert figure.data[0].line.color == LIGHT.formula


def test_the_largest_differences_are_told_in_words() -> None:
    # 0.95 − 0.44 = +0.51, 0.2 − 0.495 = −0.295, 0.1 − 0.33 = −0.23, 0.3 − 0.385 = −0.085
    assert difference_in_words({**READING, "ED": 0.195}, FORMULA) == (
        "reads 0.51 more computational and 0.30 less experiential than the formula"
    )
    assert difference_in_words(READING, FORMULA, most=1) == "reads 0.51 more computational than the formula"


def test_equal_readings_are_told_as_equal() -> None:
    assert difference_in_words(FORMULA, FORMULA) == "reads this message as the formula does"
    assert [entry.change for entry in differences(FORMULA, FORMULA)] == [0.0] * 4


def test_alternative_texts_hold_every_number() -> None:
    assert describe_radar(FORMULA, READING) == (
        "Radar of the four domains as LLM #1 reads the message: computational 0.95 (formula 0.44), "
        "scientific 0.30 (formula 0.39), cultural 0.10 (formula 0.33), experiential 0.20 (formula 0.49)."
    )
    assert "as the Rust formula reads every message: computational 0.44" in describe_radar(FORMULA)
    text = describe_boundaries(FORMULA_BOUNDARIES, READ_BOUNDARIES)
    assert "Computational – Scientific 0.53 Maintained" in text
    assert "Scientific – Cultural 0.61 Transitional" in text
    assert "Scientific – Experiential 0.81 Transcendent" in text
    assert "to the Rust formula" in describe_boundaries(FORMULA_BOUNDARIES)


def test_a_boundary_of_another_form_keeps_its_name() -> None:
    assert boundary_label("CuD-ED") == "Cultural – Experiential"
    assert boundary_label("CD-X") == "Computational – X"
    assert boundary_label("odd") == "odd"
    strange = (Boundary("odd", 0.5, Status.MAINTAINED),)
    assert any(annotation.text == "odd" for annotation in boundary_chart(strange).layout.annotations)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_every_colour_can_be_read_on_its_page(palette: Palette) -> None:
    assert palette.background is not None
    assert palette.text is not None
    for colour in (palette.llm1, palette.formula, *palette.domains.values()):
        # 4.5 rather than the 3 of graphics: the colours carry text too.
        assert contrast(colour, palette.background) >= 4.5, colour
    assert contrast(palette.text, palette.background) >= 7


# How linear red, green and blue arrive (Machado, Oliveira and Fernandes 2009, severity 1.0).
DEUTERANOPIA = ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881))
PROTANOPIA = ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998))
Matrix = tuple[tuple[float, float, float], ...]


def lab(colour: str, matrix: Matrix) -> tuple[float, float, float]:
    """CIE L*a*b* (D65) of a colour as it is seen through a matrix."""
    given = linear_channels(colour)
    red, green, blue = (
        min(max(sum(weight * channel for weight, channel in zip(row, given, strict=True)), 0.0), 1.0) for row in matrix
    )
    x = 0.4124 * red + 0.3576 * green + 0.1805 * blue
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = 0.0193 * red + 0.1192 * green + 0.9505 * blue
    fx, fy, fz = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x / 0.95047, y, z / 1.08883))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def test_white_has_the_lightness_100_and_no_hue() -> None:
    identity = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    assert lab("#FFFFFF", identity) == pytest.approx((100, 0, 0), abs=0.02)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("matrix", [DEUTERANOPIA, PROTANOPIA], ids=["deuteranopia", "protanopia"])
def test_the_domains_can_be_told_apart_with_red_green_blindness(palette: Palette, matrix: Matrix) -> None:
    for one, other in combinations(palette.domains.values(), 2):
        distance = math.dist(lab(one, matrix), lab(other, matrix))
        # Just noticeable is about 2.3.
        assert distance >= 20, f"{one} and {other} are {distance:.1f} apart"


@pytest.mark.parametrize(("theme", "palette"), [("light", LIGHT), ("dark", DARK)])
def test_the_theme_has_the_palette_of_the_figures(theme: str, palette: Palette) -> None:
    section = CONFIG["theme"][theme]
    expected = [palette.llm1, palette.formula, *(palette.domains[domain] for domain in DOMAINS)]
    assert section["chartCategoricalColors"][:6] == expected
    assert len(section["chartCategoricalColors"]) >= 10, "with fewer Plotly drops the palette"
    assert section["backgroundColor"] == palette.background
    assert section["textColor"] == palette.text
    for domain, name in {Domain.CD: "blue", Domain.SD: "green", Domain.CUD: "orange", Domain.ED: "violet"}.items():
        assert section[f"{name}TextColor"] == palette.domains[domain]


def test_a_figure_has_a_template_of_its_own() -> None:
    # `import streamlit` changes Plotly's default template, and an exported figure must not depend on it.
    assert radar(FORMULA, READING).layout.template.layout.to_plotly_json() == {}


def test_plotly_is_imported_when_the_first_figure_is_made() -> None:
    code = "import sys, vif.figures; assert not any(m.partition('.')[0] == 'plotly' for m in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
