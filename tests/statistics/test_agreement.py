from __future__ import annotations

import math

import krippendorff
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from tests.statistics.simulation import coverage, ends, near_nominal
from vif.errors import InputError
from vif.statistics.agreement import (
    IccForm,
    Scale,
    alpha_words,
    codes,
    icc_words,
    intraclass_correlation,
    krippendorff_alpha,
    percent_agreement,
)

NAN: float = math.nan

# The example of Krippendorff (2011, "Computing Krippendorff's Alpha-Reliability", section C): 4 observers, 12 units.
OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
    [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
]

# Shrout & Fleiss (1979), table 2: 6 targets, 4 judges.
JUDGES = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]


def test_nominal_alpha_by_hand(rng: np.random.Generator) -> None:
    # Two raters, units (a a) (a b) (b b) (b b): 8 values, 3 a and 5 b. Observed disagreement: one unit of four, so 2 of
    # 8 paired values. Expected: 2 · 3 · 5 / (8 − 1) = 30/7. Alpha = 1 − 2 / (30/7) = 1 − 14/30 = 0.53333.
    alpha = krippendorff_alpha(codes([["a", "a"], ["a", "b"], ["b", "b"], ["b", "b"]]), "nominal", rng=rng)
    assert alpha.value.estimate == pytest.approx(16 / 30)
    assert (alpha.value.n_cases, alpha.value.n_values, alpha.words) == (4, 8, "not enough to rely on")


def test_interval_alpha_by_hand(rng: np.random.Generator) -> None:
    # Units (1 2) (3 3) (5 4): observed 2 (1 + 0 + 1) = 4. Values 1 2 3 3 5 4: sum 18, squares 64; all pairs
    # 2 (6 · 64 − 18²) = 120, over 6 − 1 = 24. Alpha = 1 − 4/24 = 0.83333.
    alpha = krippendorff_alpha([[1, 2], [3, 3], [5, 4]], "interval", rng=rng)
    assert alpha.value.estimate == pytest.approx(5 / 6)
    assert alpha.words == "reliable"


def test_ordinal_alpha_by_hand(rng: np.random.Generator) -> None:
    # The same units: mean ranks 1, 2, 3.5, 3.5, 6, 5 (1 2 3 5 4). Observed 2 (1 + 0 + 1) = 4. Ranks: sum 21, squares
    # 1 + 4 + 24.5 + 36 + 25 = 90.5; 2 (6 · 90.5 − 441) / 5 = 40.8. Alpha = 1 − 4/40.8 = 0.90196.
    alpha = krippendorff_alpha([[1, 2], [3, 3], [5, 4]], "ordinal", rng=rng)
    assert alpha.value.estimate == pytest.approx(1 - 4 / 40.8)


@pytest.mark.parametrize(("scale", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_of_krippendorffs_own_example(scale: Scale, published: float, rng: np.random.Generator) -> None:
    alpha = krippendorff_alpha(np.array(OBSERVERS).T, scale, rng=rng)
    assert alpha.value.estimate == pytest.approx(published, abs=0.0006)
    # The twelfth unit has one rating only.
    assert (alpha.value.n_cases, alpha.value.n_values) == (11, 40)
    low, high = ends(alpha.value)
    assert low < published < high <= 1


@pytest.mark.parametrize("scale", ["nominal", "ordinal", "interval"])
def test_alpha_agrees_with_the_krippendorff_package(scale: Scale, rng: np.random.Generator) -> None:
    for _ in range(40):
        units, raters = int(rng.integers(3, 20)), int(rng.integers(2, 6))
        truth = rng.integers(1, 6, (units, 1))
        ratings = np.clip(truth + rng.integers(-1, 2, (units, raters)), 1, 5) / 4 - 7
        ratings[rng.random(ratings.shape) < 0.2] = NAN
        ratings[:2, :2] = [[-6.75, -6.5], [-6.25, -6.25]]
        theirs = krippendorff.alpha(reliability_data=ratings.T, level_of_measurement=scale)
        ours = krippendorff_alpha(ratings, scale, rng=rng, resamples=100).value.estimate
        assert ours == pytest.approx(theirs, abs=1e-10)


@pytest.mark.parametrize("scale", ["nominal", "ordinal", "interval"])
def test_each_resample_has_the_alpha_of_its_units(scale: Scale) -> None:
    ratings = np.random.default_rng(3).integers(1, 4, (8, 3)) * 1.0
    ours = krippendorff_alpha(ratings, scale, rng=np.random.default_rng(4), resamples=200)
    generator = np.random.default_rng(4)
    picks = np.sort(generator.integers(8, size=(200, 8)), axis=1)
    alphas = [krippendorff.alpha(ratings[pick].T, level_of_measurement=scale) for pick in picks]
    low_p = stats.norm.cdf(math.sqrt(8 / 7) * stats.t.ppf(0.025, 7))
    assert ends(ours.value) == pytest.approx(tuple(np.quantile(alphas, [low_p, 1 - low_p])), abs=1e-9)


def test_without_variation_alpha_is_not_known(rng: np.random.Generator) -> None:
    same = krippendorff_alpha([[3, 3]] * 10, "ordinal", rng=rng)
    assert (same.value.estimate, same.words) == (None, "not known")
    assert "all ratings are the same" in same.value.reason
    alone = krippendorff_alpha([[1, NAN], [NAN, 2]], "nominal", rng=rng)
    assert alone.value.reason == "no unit has two ratings to compare"
    assert krippendorff_alpha([], "nominal", rng=rng).value.estimate is None


def test_perfect_agreement_is_one_without_an_interval(rng: np.random.Generator) -> None:
    alpha = krippendorff_alpha([[value, value] for value in range(10)], "interval", rng=rng)
    assert alpha.value.estimate == pytest.approx(1)
    assert alpha.value.low is None
    assert alpha.words == "reliable"


def test_labels_become_numbers_and_none_is_missing() -> None:
    assert np.array_equal(codes([["left", None], ["tie", "left"]]), np.array([[0, NAN], [1, 0]]), equal_nan=True)
    with pytest.raises(InputError, match=r"units have \[1, 2\] ratings"):
        codes([["a"], ["a", "b"]])


def simulated_raters(rng: np.random.Generator, units: int = 40, bias: float = 0.0) -> NDArray[np.float64]:
    """Three raters of units that differ with SD 1, their noise SD 0.5; the third is `bias` more generous."""
    noisy = rng.normal(size=(units, 1)) + rng.normal(0, 0.5, (units, 3))
    return np.asarray(noisy + np.array([0, 0, bias]), dtype=np.float64)


def test_alpha_of_simulated_raters_covers_the_truth(rng: np.random.Generator) -> None:
    # Raters without bias: alpha is the share of variance from units, 1 / (1 + 0.25) = 0.8.
    share = coverage(lambda: krippendorff_alpha(simulated_raters(rng), "interval", rng=rng, resamples=300).value, 0.8)
    assert near_nominal(share), share


def test_nominal_alpha_of_simulated_raters_covers_the_truth(rng: np.random.Generator) -> None:
    # Three equally frequent labels; a rater sees the right one with 0.7 and guesses otherwise: 0.7² = 0.49.
    def rated() -> NDArray[np.float64]:
        truth, guess = rng.integers(0, 3, (50, 1)), rng.integers(0, 3, (50, 3))
        return np.where(rng.random((50, 3)) < 0.7, truth, guess).astype(np.float64)

    share = coverage(lambda: krippendorff_alpha(rated(), "nominal", rng=rng, resamples=300).value, 0.49)
    assert near_nominal(share), share


@pytest.mark.parametrize(("form", "truth"), [(IccForm.ONE_SINGLE, 0.8), (IccForm.ONE_AVERAGE, 3 / 3.25)])
def test_icc_of_simulated_raters_covers_the_truth(form: IccForm, truth: float, rng: np.random.Generator) -> None:
    share = coverage(lambda: intraclass_correlation(simulated_raters(rng), form).value, truth)
    assert near_nominal(share), share


def test_consistency_forgives_a_generous_rater_and_agreement_does_not(rng: np.random.Generator) -> None:
    share = coverage(
        lambda: intraclass_correlation(simulated_raters(rng, bias=2), IccForm.CONSISTENCY_SINGLE).value, 0.8
    )
    assert near_nominal(share), share
    # The raters' means 0, 0, 2 have variance 4/3: 1 / (1 + 4/3 + 0.25) = 0.387.
    strict = intraclass_correlation(simulated_raters(rng, 400, bias=2), IccForm.AGREEMENT_SINGLE).value.estimate
    assert strict == pytest.approx(0.387, abs=0.05)


@pytest.mark.parametrize(
    ("form", "estimate", "low", "high"),
    [
        # Mean squares by hand: units 11.24, judges 32.49, within 6.26, error 1.02.
        # ICC(1) = (11.24 − 6.26) / (11.24 + 3 · 6.26) = 0.166; ICC(C,1) = (11.24 − 1.02) / (11.24 + 3 · 1.02) = 0.715;
        # ICC(A,1) = 10.22 / (11.24 + 3.06 + 4 (32.49 − 1.02) / 6) = 10.22 / 35.28 = 0.290.
        # Intervals as published for this example (R package psych, `ICC(sf)`).
        (IccForm.ONE_SINGLE, 0.17, -0.133, 0.723),
        (IccForm.AGREEMENT_SINGLE, 0.29, 0.019, 0.761),
        (IccForm.CONSISTENCY_SINGLE, 0.71, 0.342, 0.946),
        (IccForm.ONE_AVERAGE, 0.44, -0.884, 0.912),
        (IccForm.AGREEMENT_AVERAGE, 0.62, 0.071, 0.927),
        (IccForm.CONSISTENCY_AVERAGE, 0.91, 0.676, 0.986),
    ],
)
def test_icc_of_shrout_and_fleiss(form: IccForm, estimate: float, low: float, high: float) -> None:
    icc = intraclass_correlation(JUDGES, form)
    assert icc.value.estimate == pytest.approx(estimate, abs=0.006)
    assert ends(icc.value) == pytest.approx((low, high), abs=0.0015)
    assert icc.form is form
    assert (icc.value.n_cases, icc.value.n_values) == (6, 24)


def test_icc_agrees_with_the_analysis_of_variance_of_statsmodels(rng: np.random.Generator) -> None:
    for _ in range(4):
        n, k = int(rng.integers(5, 15)), int(rng.integers(2, 5))
        ratings = rng.normal(size=(n, 1)) + rng.normal(0, 0.7, (n, k)) + rng.normal(0, 0.4, k)
        data = pd.DataFrame(
            {"y": ratings.ravel(), "unit": np.repeat(np.arange(n), k), "rater": np.tile(np.arange(k), n)}
        )
        two_way = anova_lm(ols("y ~ C(unit) + C(rater)", data).fit())
        msb, msc, mse = (two_way["sum_sq"] / two_way["df"])[["C(unit)", "C(rater)", "Residual"]]
        one_way = anova_lm(ols("y ~ C(unit)", data).fit())
        msw = one_way["sum_sq"]["Residual"] / one_way["df"]["Residual"]
        expected = {
            IccForm.ONE_SINGLE: (msb - msw) / (msb + (k - 1) * msw),
            IccForm.ONE_AVERAGE: (msb - msw) / msb,
            IccForm.CONSISTENCY_SINGLE: (msb - mse) / (msb + (k - 1) * mse),
            IccForm.CONSISTENCY_AVERAGE: (msb - mse) / msb,
            IccForm.AGREEMENT_SINGLE: (msb - mse) / (msb + (k - 1) * mse + k * (msc - mse) / n),
            IccForm.AGREEMENT_AVERAGE: (msb - mse) / (msb + (msc - mse) / n),
        }
        for form, value in expected.items():
            assert intraclass_correlation(ratings, form).value.estimate == pytest.approx(value)
        low, high = ends(intraclass_correlation(ratings, IccForm.CONSISTENCY_AVERAGE, level=0.9).value)
        freedom = (n - 1) * (k - 1)
        assert low == pytest.approx(1 - mse / msb * stats.f.ppf(0.95, n - 1, freedom))
        assert high == pytest.approx(1 - mse / msb / stats.f.ppf(0.95, freedom, n - 1))


def test_icc_without_noise_or_without_units_says_so() -> None:
    same = intraclass_correlation([[4, 4], [4, 4], [4, 4]], IccForm.ONE_SINGLE)
    assert (same.value.estimate, same.words) == (None, "not known")
    exact = intraclass_correlation([[1, 1], [2, 2], [5, 5]], IccForm.AGREEMENT_SINGLE)
    assert (exact.value.estimate, exact.value.low, exact.value.reason) == (1, None, "raters never differ")
    # Raters two apart in every unit: consistent, not in agreement.
    # Units 1 … 4 twice: MSB 2 · 5 / 3 = 3.33, MSC 4 · 2 = 8, MSE 0: 3.33 / (3.33 + 2 · 8 / 4) = 0.4545.
    apart = intraclass_correlation([[1, 3], [2, 4], [3, 5], [4, 6]], IccForm.AGREEMENT_SINGLE)
    assert apart.value.estimate == pytest.approx(5 / 11)
    flat = intraclass_correlation([[1, 3], [3, 1], [2, 2]], IccForm.ONE_AVERAGE)
    assert flat.value.estimate is None
    assert "do not differ" in flat.value.reason


def test_percent_agreement_by_hand(rng: np.random.Generator) -> None:
    # (a a b): 1 pair of 3; (a a): 1 of 1; (b c): 0; a lone rating does not count. (1/3 + 1 + 0) / 3 = 0.44444.
    ratings = codes([["a", "a", "b"], ["a", "a", None], ["b", None, "c"], ["c", None, None]])
    interval = percent_agreement(ratings, rng=rng)
    assert interval.estimate == pytest.approx(4 / 9)
    assert (interval.n_cases, interval.n_values) == (3, 7)
    assert percent_agreement([], rng=rng).reason == "there are no cases"


def test_percent_agreement_of_two_is_the_share_of_equal_ones(rng: np.random.Generator) -> None:
    ratings = rng.integers(0, 3, (50, 2))
    expected = np.mean(ratings[:, 0] == ratings[:, 1])
    assert percent_agreement(ratings, rng=rng).estimate == pytest.approx(expected)


def test_words_change_at_the_published_limits() -> None:
    assert [alpha_words(one) for one in (None, -0.2, 0.666, 0.667, 0.8, 0.801)] == [
        "not known",
        "not enough to rely on",
        "not enough to rely on",
        "tentative",
        "tentative",
        "reliable",
    ]
    assert [icc_words(one) for one in (None, 0.49, 0.5, 0.75, 0.9, 0.91)] == [
        "not known",
        "poor",
        "moderate",
        "good",
        "good",
        "excellent",
    ]


def test_impossible_arguments_are_named(rng: np.random.Generator) -> None:
    with pytest.raises(InputError, match="scale is 'ratio'; it must be one of nominal, ordinal, interval"):
        krippendorff_alpha([[1, 2]], "ratio", rng=rng)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="the rating of unit 1 by rater 0 is infinite"):
        krippendorff_alpha([[1.0, 2.0], [math.inf, 2.0]], "interval", rng=rng)
    with pytest.raises(InputError, match=r"ratings have shape \(2,\)"):
        percent_agreement([1, 2], rng=rng)
    with pytest.raises(InputError, match="`codes` makes them of labels"):
        krippendorff_alpha([["left", "right"]], "nominal", rng=rng)
    with pytest.raises(InputError, match=r"ratings has nan at \(1, 0\)"):
        intraclass_correlation([[1.0, 2.0], [NAN, 3.0]], IccForm.ONE_SINGLE)
    with pytest.raises(InputError, match="at least two of each"):
        intraclass_correlation([[1, 2]], IccForm.ONE_SINGLE)
