from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from statsmodels.api import GLM, families

from tests.statistics.simulation import coverage, ends
from vif.errors import InputError
from vif.statistics.bootstrap import Interval
from vif.statistics.bradley_terry import BradleyTerry, Vote, bradley_terry

TRUTH = {"dual": 0.6, "embedded": 0.0, "formula": -0.6}


def simulated(rng: np.random.Generator, items: int) -> list[Vote]:
    """One vote on each of the three pairs per item, by strengths that are known."""
    pairs = [("dual", "embedded"), ("formula", "dual"), ("embedded", "formula")]
    return [
        Vote(str(item), a, b, float(rng.random() < 1 / (1 + np.exp(TRUTH[b] - TRUTH[a]))))
        for item in range(items)
        for a, b in pairs
    ]


def log_strengths(result: BradleyTerry) -> dict[str, float]:
    return {one.name: one.log_strength.estimate for one in result.systems if one.log_strength.estimate is not None}


def test_two_systems_by_hand(rng: np.random.Generator) -> None:
    # A wins 3 of 4, prior 0.2 adds 0.1 to either: 3.1 to 1.1. log(3.1 / 1.1) = 1.03609; half of it up, half down.
    # Against the average: 1 / (1 + e^−0.51805) = 0.62669.
    votes = [Vote("1", "A", "B", 1), Vote("2", "A", "B", 1), Vote("3", "B", "A", 0), Vote("4", "A", "B", 0)]
    result = bradley_terry(votes, rng=rng)
    strong, weak = result.systems
    assert (strong.name, strong.score, strong.votes) == ("A", 3, 4)
    assert (weak.name, weak.score, weak.votes) == ("B", 1, 4)
    assert strong.log_strength.estimate == pytest.approx(0.518046, abs=1e-5)
    assert weak.log_strength.estimate == pytest.approx(-0.518046, abs=1e-5)
    assert strong.win_probability.estimate == pytest.approx(0.62669, abs=1e-5)
    assert not result.separated


def test_a_tie_is_half_a_win_for_either(rng: np.random.Generator) -> None:
    tied = bradley_terry([Vote("1", "A", "B", 0.5), Vote("2", "A", "B", 0.5)], rng=rng)
    assert log_strengths(tied) == {"A": pytest.approx(0), "B": pytest.approx(0)}
    halves = bradley_terry([Vote("1", "A", "B", 1), Vote("1", "A", "B", 0.5), Vote("2", "A", "B", 0.5)], rng=rng)
    # 2 of 3: log(2.1 / 1.1) / 2 = 0.32331.
    assert log_strengths(halves)["A"] == pytest.approx(0.32331, abs=1e-5)


def test_strengths_agree_with_a_logistic_regression(rng: np.random.Generator) -> None:
    for systems in (3, 5):
        votes = []
        for item in range(80):
            first, second = rng.choice(systems, 2, replace=False)
            score = float(rng.choice([0, 0.5, 1], p=[0.3, 0.2, 0.5]))
            votes.append(Vote(str(item), f"s{first}", f"s{second}", score))
        # Two rows per vote or prior half-vote: the first wins with weight `score`, the second with the rest.
        rows, weights, won = [], [], []
        halves = [(vote.first, vote.second, vote.score, 1.0) for vote in votes]
        halves += [(f"s{a}", f"s{b}", 0.5, 0.2) for a in range(systems) for b in range(a)]
        for first, second, score, weight in halves:
            row = np.zeros(systems)
            row[int(first[1:])], row[int(second[1:])] = 1, -1
            rows += [row, row]
            weights += [weight * score, weight * (1 - score)]
            won += [1, 0]
        # The last system's strength is 0 there; here the mean is.
        model = GLM(np.array(won), np.array(rows)[:, :-1], family=families.Binomial(), var_weights=np.array(weights))
        theirs = np.append(model.fit(tol=1e-12).params, 0)
        theirs -= theirs.mean()
        ours = log_strengths(bradley_terry(votes, rng=rng, resamples=100))
        assert [ours[f"s{place}"] for place in range(systems)] == pytest.approx(list(theirs), abs=1e-6)


def test_strengths_are_the_most_likely_ones(rng: np.random.Generator) -> None:
    votes = simulated(rng, 20)
    names = sorted(TRUTH)

    def surprise(free: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
        strength = dict(zip(names, [*free, -free.sum()], strict=True))
        games = [(vote.first, vote.second, vote.score, 1.0) for vote in votes]
        games += [(a, b, 0.5, 0.2) for a in names for b in names if a < b]
        return float(
            sum(
                weight * (np.log1p(np.exp(strength[b] - strength[a])) + (1 - score) * (strength[a] - strength[b]))
                for a, b, score, weight in games
            )
        )

    best = minimize(surprise, np.zeros(2), tol=1e-12).x
    ours = log_strengths(bradley_terry(votes, rng=rng, resamples=100))
    assert [ours[name] for name in names[:2]] == pytest.approx(list(best), abs=1e-4)


def test_known_strengths_are_recovered_and_covered(rng: np.random.Generator) -> None:
    def strongest() -> Interval:
        result = bradley_terry(simulated(rng, 40), rng=rng, resamples=120)
        return next(one.log_strength for one in result.systems if one.name == "dual")

    share = coverage(strongest, TRUTH["dual"])
    assert 0.9 <= share <= 0.985, share
    many = log_strengths(bradley_terry(simulated(rng, 3000), rng=rng, resamples=100))
    assert many == {name: pytest.approx(value, abs=0.1) for name, value in TRUTH.items()}


def test_one_who_never_lost_stays_finite_and_is_said_to_be_separated(rng: np.random.Generator) -> None:
    votes = [Vote(str(item), "A", "B", 1) for item in range(10)] + [
        Vote(str(item), "B", "C", item % 2) for item in range(10)
    ]
    result = bradley_terry(votes, rng=rng)
    assert result.separated
    assert result.systems[0].name == "A"
    assert 1 < log_strengths(result)["A"] < 10


def test_systems_that_never_met_are_said_to_be_separated(rng: np.random.Generator) -> None:
    apart = [Vote(str(item), *pair, item % 2) for item in range(8) for pair in (("A", "B"), ("C", "D"))]
    result = bradley_terry(apart, rng=rng)
    assert result.separated
    assert list(log_strengths(result).values()) == pytest.approx([0, 0, 0, 0], abs=1e-6)


def test_the_win_probability_is_the_same_on_another_scale(rng: np.random.Generator) -> None:
    for one in bradley_terry(simulated(rng, 30), rng=rng).systems:
        low, high = ends(one.log_strength)
        assert ends(one.win_probability) == pytest.approx((1 / (1 + np.exp(-low)), 1 / (1 + np.exp(-high))), abs=1e-3)
        assert one.log_strength.n_cases == 30
        assert one.log_strength.n_values == 90


def test_impossible_votes_are_named(rng: np.random.Generator) -> None:
    with pytest.raises(InputError, match="votes is empty"):
        bradley_terry([], rng=rng)
    with pytest.raises(InputError, match=r"votes\[0\] compares 'A' with itself"):
        bradley_terry([Vote("1", "A", "A", 1)], rng=rng)
    with pytest.raises(InputError, match=r"votes\[0\] has score 2"):
        bradley_terry([Vote("1", "A", "B", 2)], rng=rng)
    with pytest.raises(InputError, match="prior is 0; it must be above 0"):
        bradley_terry([Vote("1", "A", "B", 1)], rng=rng, prior=0)
