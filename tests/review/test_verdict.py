from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from vif.domains import Domain
from vif.errors import InputError
from vif.evaluation.suite import parse_csv, to_csv
from vif.review.blind import order
from vif.review.labels import corrected_suite, label_lines
from vif.review.records import Answer, Campaign, Item, Output, Rating, Rubric, Scale
from vif.review.verdict import verdict

ANCHORS = ("1", "2", "3", "4", "5")


def item(id: str, *, systems: tuple[str, str] = ("llm1", "formula"), **more: object) -> Item:
    outputs = (
        Output(system=systems[0], domains={Domain.CD: 0.9, Domain.SD: 0.4, Domain.CUD: 0.1, Domain.ED: 0.2}),
        Output(system=systems[1], domains={Domain.CD: 0.4, Domain.SD: 0.4, Domain.CUD: 0.3, Domain.ED: 0.5}),
    )
    return Item.model_validate({"id": id, "message": f"message of {id}", "outputs": outputs, **more})


def campaign(items: list[Item], **more: object) -> Campaign:
    return Campaign.model_validate({"id": "c", "name": "Reader or formula?", "items": items, **more})


def rating(
    item_id: str, rater: str, choice: str | None, *, swapped: bool = False, seconds: float = 9.0, **more: object
) -> Rating:
    """`choice` of sides; not swapped, the first output (llm1) is on the left."""
    answer = None if choice is None else Answer.model_validate({"choice": choice, **more})
    return Rating(
        campaign_id="c", item_id=item_id, rater=rater, position=0, swapped=swapped, answer=answer, seconds=seconds
    )


def test_wins_are_of_systems_not_of_sides() -> None:
    asked = campaign([item("a"), item("b"), item("d")])
    found = verdict(
        asked,
        [
            rating("a", "anna", "left"),  # llm1
            rating("a", "ben", "left", swapped=True),  # formula
            rating("b", "anna", "right", swapped=True),  # llm1
            rating("b", "ben", "tie"),
            rating("d", "anna", "both_bad"),
            rating("d", "ben", None),
        ],
    )
    (preference,) = found.preferences
    assert (preference.first, preference.second) == ("llm1", "formula")
    # By item: (1 + 0) / 2, (1 + .5) / 2, .5; their mean is (.5 + .75 + .5) / 3.
    assert preference.rate.share.estimate == pytest.approx(1.75 / 3)
    assert (preference.rate.wins, preference.rate.ties, preference.rate.losses, preference.both_bad) == (2, 2, 1, 1)
    assert (found.rated, found.skipped, found.items, found.planned, preference.raters) == (5, 1, 3, 9, 2)
    # Three of three choices of a side: left, left, right.
    assert (found.position.left, found.position.right) == (2, 1)
    assert not found.enough
    assert found.headline.startswith("Not enough evidence: 5 judgements of 3 messages by 2 raters are too few")


def test_without_ratings_there_is_a_verdict_that_says_so() -> None:
    found = verdict(campaign([item("a")], rubric=Rubric(scales=(Scale(name="fit", anchors=ANCHORS),))), [])
    assert (found.headline, found.enough, found.rated, found.raters) == ("Nobody has rated anything yet.", False, 0, ())
    assert found.agreement.words == "Whether raters agree is not known: no unit has two ratings to compare."


def test_ratings_of_items_the_campaign_does_not_have_are_left_out() -> None:
    assert verdict(campaign([item("a")]), [rating("elsewhere", "anna", "left")]).rated == 0


def test_a_clear_preference_is_a_sentence_to_quote() -> None:
    asked = campaign([item(f"i{n}") for n in range(20)])
    # 16 of 20 items for llm1, by both raters alike: share .8, sign test 16 against 4: p = .0118.
    ratings = [rating(f"i{n}", rater, "left" if n < 16 else "right") for n in range(20) for rater in ("anna", "ben")]
    found = verdict(asked, ratings)
    assert found.enough
    assert found.headline.startswith(
        "People prefer readings of llm1 to those of formula 80 % of the time (95 % interval"
    )
    assert found.headline.endswith("; 40 judgements of 20 messages by 2 raters).")
    assert found.preferences[0].rate.p_value == pytest.approx(stats.binomtest(16, 20).pvalue)
    # The other way round it is the other one who is preferred, as much.
    other = verdict(asked, [one.model_copy(update={"swapped": True}) for one in ratings])
    assert other.headline.startswith("People prefer readings of formula to those of llm1 80 % of the time")


def test_agreement_of_raters_by_hand() -> None:
    asked = campaign([item("a"), item("b")])
    ratings = [
        rating("a", "anna", "left"),
        rating("a", "ben", "left"),
        rating("b", "anna", "left"),
        rating("b", "ben", "right"),
    ]
    found = verdict(asked, ratings).agreement
    # Values l l l r. Observed: 2 of 4 ordered pairs within items differ, 1/2. Expected: 2 · 3 · 1 / (4 · 3) = 1/2.
    assert found.nominal.value.estimate == pytest.approx(0.0)
    assert found.percent.estimate == pytest.approx(0.5)
    assert found.ordinal is not None


def test_disputes_come_with_the_most_divided_first() -> None:
    asked = campaign([item("a"), item("b"), item("d")])
    ratings = [
        *(rating("a", who, "left") for who in ("anna", "ben", "carl")),
        *(rating("b", who, choice) for who, choice in (("anna", "left"), ("ben", "left"), ("carl", "right"))),
        *(rating("d", who, choice) for who, choice in (("anna", "left"), ("ben", "right"), ("carl", "both_bad"))),
    ]
    found = verdict(asked, ratings).disputes
    # Of three pairs of raters all differ in d, and two in b; in a nobody does.
    assert [(one.item_id, one.split) for one in found] == [("d", 1.0), ("b", pytest.approx(2 / 3))]
    assert found[1].votes == {"anna": "llm1", "ben": "llm1", "carl": "formula"}


def test_an_odd_rater_is_pointed_out_with_the_reason() -> None:
    asked = campaign([item(f"i{n}", gold="llm1" if n < 10 else None) for n in range(30)])
    fair = [
        rating(f"i{n}", who, "right" if n % 2 else "left", swapped=bool(n % 2))
        for n in range(30)
        for who in ("a", "b", "c")
    ]
    # Always left, within a second: right by chance, as every second item has llm1 there.
    odd = [rating(f"i{n}", "x", "left", swapped=bool(n % 2), seconds=0.8) for n in range(30)]
    raters = {one.rater: one for one in verdict(asked, [*fair, *odd], resamples=200).raters}
    assert all(raters[who].warnings == () for who in ("a", "b", "c"))
    said = " / ".join(raters["x"].warnings)
    assert "says what most others say in 50 % of items; the others do in 100 %" in said
    assert "chose the left side 30 of 30 times" in said
    assert "takes 0.8 seconds for an item" in said
    assert (raters["x"].gold.estimate, raters["x"].gold.n_values) == (0.5, 10)
    assert raters["a"].gold.estimate == 1.0


def test_scales_are_of_the_system_that_stood_there() -> None:
    asked = campaign([item("a"), item("b")], rubric=Rubric(scales=(Scale(name="fit", anchors=ANCHORS),)))
    ratings = [
        rating("a", "anna", "left", scales={"fit": (5, 2)}),
        rating("a", "ben", "right", swapped=True, scales={"fit": (3, 4)}),
        rating("b", "anna", "left", scales={"fit": (5, None)}),
    ]
    (found,) = verdict(asked, ratings).scales
    # llm1: item a (5 + 4) / 2, item b 5, mean 4.75. formula: (2 + 3) / 2.
    assert found.means["llm1"].estimate == pytest.approx(4.75)
    assert found.means["formula"].estimate == pytest.approx(2.5)
    assert found.comparisons[0].difference.estimate == pytest.approx(2.0)
    assert found.icc is not None


def test_from_three_systems_on_strengths_are_estimated() -> None:
    pairs = [("strong", "middle"), ("strong", "weak"), ("middle", "weak")]
    items = [item(f"{a}-{b}-{n}", systems=(a, b), message=f"message {n}") for a, b in pairs for n in range(30)]
    # The first wins 24 of 30: strengths apart by log(4) each, but for strong against weak, where it is a compromise.
    ratings = [rating(one.id, "anna", "left" if int(one.id.rsplit("-", 1)[1]) < 24 else "right") for one in items]
    found = verdict(campaign(items), ratings, resamples=300)
    assert found.strengths is not None
    assert [one.name for one in found.strengths.systems] == ["strong", "middle", "weak"]
    assert found.headline.startswith("People prefer readings of strong to those of middle 80 % of the time")
    assert len(found.preferences) == 3
    assert found.agreement.ordinal is None


def test_corrections_say_whose_reading_was_nearer_and_become_a_suite_and_labels() -> None:
    asked = campaign([item("a", tags=("follow up",)), item("b"), item("d")], rubric=Rubric(corrections=True))
    full = {"CD": 0.8, "SD": 0.4, "CuD": 0.2, "ED": 0.2}
    ratings = [
        rating("a", "anna", "left", corrections=full),
        rating("a", "ben", "left", corrections={**full, "CD": 0.9}),
        rating("b", "anna", "left", corrections={"CD": 0.5}),
        rating("d", "anna", "left", corrections={"CD": 0.1}),
        rating("d", "ben", "left", corrections={"CD": 0.9}),
    ]
    found = verdict(asked, ratings)
    a, b, d = found.corrections
    assert a.targets == pytest.approx({Domain.CD: 0.85, Domain.SD: 0.4, Domain.CUD: 0.2, Domain.ED: 0.2})
    # llm1 .9 .4 .1 .2: (.05 + 0 + .1 + 0) / 4. formula .4 .4 .3 .5: (.45 + 0 + .1 + .3) / 4.
    assert a.errors == pytest.approx({"llm1": 0.0375, "formula": 0.2125})
    assert a.raters == 2
    assert [a.spread, b.errors["formula"], d.spread] == pytest.approx([0.1, 0.1, 0.8])
    assert found.closer is not None
    # b: llm1 .4, formula .1. d, target .5: the same. So (.0375 − .2125 + .3 + .3) / 3.
    assert found.closer.difference.estimate == pytest.approx(0.425 / 3)
    suite = corrected_suite(asked, found.corrections)
    assert [(case.id, dict(case.targets)[Domain.CD], case.tags) for case in suite.cases] == [
        ("a", 0.85, ("follow_up",)),
        ("b", 0.5, ()),
    ]
    assert parse_csv(suite.name, to_csv(suite)) == suite
    assert label_lines(asked, found.corrections) == "0.85 0.40 0.20 0.20 | message of a\n"
    with pytest.raises(InputError, match="no item has corrections its raters agree on"):
        corrected_suite(asked, [d])


def test_reasons_are_counted_for_the_winner_they_were_named_for() -> None:
    asked = campaign([item("a"), item("b")], rubric=Rubric(reasons=("misses the point", "sees the tone")))
    ratings = [
        rating("a", "anna", "left", reasons=("sees the tone",)),
        rating("a", "ben", "left", reasons=("sees the tone", "misses the point")),
        rating("b", "anna", "right", reasons=("misses the point",)),
    ]
    assert verdict(asked, ratings).reasons == {
        "llm1": {"sees the tone": 2, "misses the point": 1},
        "formula": {"misses the point": 1},
    }


def test_by_tag_and_rater_only_their_own_ratings_count() -> None:
    asked = campaign([item("a", tags=("short",)), item("b", tags=("short", "german"))])
    ratings = [rating("a", "anna", "left"), rating("b", "anna", "right"), rating("b", "ben", "right")]
    found = verdict(asked, ratings)
    assert found.by_tag["german"][0].rate.losses == 2
    assert found.by_tag["short"][0].rate.wins == 1
    assert found.by_rater["ben"][0].rate.share.estimate == 0.0


def test_simulated_raters_are_recovered_and_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """500 campaigns of 24 items and 3 raters each, who lean to the left and see a winner with noise.

    An item's own chance that llm1 wins is drawn from Beta(4.2, 1.8), whose mean is .7; a rater reports it truly but for
    10 % of votes, which go to the left side. Sides are balanced, so these are for llm1 half the time: .9 · .7 + .05.
    """
    truth = 0.9 * 0.7 + 0.05
    random = np.random.default_rng(20261123)
    asked = campaign([item(f"i{n}") for n in range(24)], seed=1)
    sides = {rater: dict(order(asked, rater)) for rater in ("a", "b", "c")}
    held = biased = 0
    estimates = []
    for _ in range(500):
        chances = random.beta(4.2, 1.8, size=24)
        ratings = []
        for rater, swapped_of in sides.items():
            for number in range(24):
                id = f"i{number}"
                llm1 = random.random() < chances[number]
                to_the_left = random.random() < 0.1
                choice = "left" if to_the_left or llm1 != swapped_of[id] else "right"
                ratings.append(rating(id, rater, choice, swapped=swapped_of[id]))
        found = verdict(asked, ratings, resamples=200)
        share = found.preferences[0].rate.share
        assert share.estimate is not None
        assert share.low is not None
        assert share.high is not None
        held += share.low <= truth <= share.high
        biased += found.position.left > found.position.right
        estimates.append(share.estimate)
    # Binomial(500, .95) lies within 462 and 488 in 99.5 of 100 cases; 24 items make the bootstrap a little short.
    assert 455 <= held <= 490
    assert np.mean(estimates) == pytest.approx(truth, abs=0.01)
    assert biased > 400
