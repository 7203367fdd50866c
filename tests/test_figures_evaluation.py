"""Figures of an evaluation: what is hollow, what is joined, and that foreign text stays text."""

from __future__ import annotations

from vif.domains import DOMAINS, Domain
from vif.figures import (
    LIGHT,
    Offer,
    Strip,
    against,
    describe_against,
    describe_offers,
    describe_strips,
    offers_chart,
    strips,
)

EVIL = "<a href='https://example.org'>press</a>"


def four(*values: float) -> dict[Domain, float]:
    return dict(zip(DOMAINS, values, strict=True))


ROWS = [
    Strip(
        "T1",
        {Domain.CD: (0.9, 1.0), Domain.SD: (0.4, 0.6)},
        {"good": four(0.95, 0.5, 0.2, 0.3), "Rust formula": four(0.44, 0.385, 0.33, 0.495)},
        "Write a sorting algorithm",
    ),
    Strip("T2", {Domain.CD: (0.5, 0.7)}, {"good": four(0.8, 0.9, 0.4, 0.5)}),
]


def traces(figure: object, name: str) -> list[object]:
    return [trace for trace in figure.data if trace.name == name]  # type: ignore[attr-defined]


def test_a_marker_is_hollow_where_the_reading_is_not_as_expected() -> None:
    computational, scientific, cultural, _ = traces(strips(ROWS, ["good", "Rust formula"]), "good")
    assert list(computational.marker.symbol) == ["circle", "circle-open"]  # type: ignore[attr-defined]
    assert list(scientific.marker.symbol) == ["circle", "circle"]  # type: ignore[attr-defined]  # T2 expects nothing
    assert list(cultural.x) == [0.2, 0.4]  # type: ignore[attr-defined]


def test_an_expected_range_is_a_bar_of_its_row_and_none_without_one() -> None:
    figure = strips(ROWS, ["good"])
    computational, scientific, *_ = traces(figure, "as expected")
    assert list(computational.x) == [0.9, 1.0, None, 0.5, 0.7, None]  # type: ignore[attr-defined]
    assert list(scientific.x) == [0.4, 0.6, None, None, None, None]  # type: ignore[attr-defined]
    assert list(computational.y) == [0, 0, None, 1, 1, None]  # type: ignore[attr-defined]


def test_equal_readings_of_a_row_stand_side_by_side() -> None:
    same = Strip("T1", {}, {"one": four(0.5, 0.5, 0.5, 0.5), "other": four(0.5, 0.5, 0.5, 0.5)})
    figure = strips([same], ["one", "other"])
    # Two markers share half of a row's height: a quarter of it above and below the middle of each half.
    assert [traces(figure, name)[0].y[0] for name in ("one", "other")] == [-0.125, 0.125]  # type: ignore[attr-defined]


def test_the_formula_has_its_own_colour_and_the_first_reader_that_of_the_reader() -> None:
    figure = strips(ROWS, ["good", "Rust formula"])
    assert traces(figure, "good")[0].marker.color == LIGHT.llm1  # type: ignore[attr-defined]
    assert traces(figure, "Rust formula")[0].marker.color == LIGHT.formula  # type: ignore[attr-defined]


def test_the_words_count_activations_inside_their_ranges() -> None:
    words = describe_strips(ROWS, ["good", "Rust formula"])
    # good: .95 in .9-1, .5 in .4-.6, .8 not in .5-.7; formula: .44 and .385 outside.
    assert "good 2 of 3" in words
    assert "Rust formula 0 of 2" in words


def test_two_readers_meet_only_on_cases_that_both_have_read() -> None:
    figure = against(ROWS, "good", "Rust formula")
    assert [len(trace.x) for trace in figure.data] == [1, 1, 1, 1]
    # |.95−.44| + |.5−.385| + |.2−.33| + |.3−.495| = .51 + .115 + .13 + .195 = .95; a quarter of it is .2375
    assert "0.24 apart on average" in describe_against(ROWS, "good", "Rust formula")
    assert "no case read by both" in describe_against(ROWS, "good", "nobody")


def test_offers_that_nobody_beats_are_joined_from_the_fastest_to_the_slowest() -> None:
    offers = [
        Offer("slow and good", 0.02, 900.0, 0.001, on_front=True),
        Offer("fast and free", 0.25, 0.0, 0.0, on_front=True),
        Offer("beaten", 0.3, 1000.0, None, on_front=False),
    ]
    figure = offers_chart(offers)
    front = figure.data[0]
    assert list(front.y) == [0.25, 0.02]
    assert list(front.x) == [0.01, 900.0]  # a logarithmic axis has no 0
    sizes = {trace.name: trace.marker.size for trace in figure.data[1:]}
    assert sizes == {"<b>slow and good</b>": 40, "<b>fast and free</b>": 14, "beaten": 14}
    assert "price not known" in figure.data[3].hovertemplate
    assert describe_offers(offers).endswith("latency and cost: slow and good, fast and free.")


def test_foreign_names_and_messages_are_text_and_not_links() -> None:
    row = Strip(EVIL, {}, {EVIL: four(0.1, 0.2, 0.3, 0.4), "b": four(0.1, 0.2, 0.3, 0.4)}, EVIL)
    offer = Offer(EVIL, 0.1, 10.0, None, on_front=True)
    for figure in (strips([row], [EVIL]), against([row], EVIL, "b"), offers_chart([offer])):
        assert "<a " not in str(figure.to_json().encode().decode("unicode_escape"))


def test_figures_of_nothing_are_drawn_too() -> None:
    assert strips([], []).layout.height > 0
    assert describe_strips([], []) == "Activations inside what was expected, over 0 cases: nobody yet."
    assert offers_chart([]).layout.height > 0
