"""Re-randomisation: against a slow count over lists, its level, its interval, and procedures that do not fit."""

from itertools import combinations
from math import comb

import numpy as np
import pytest
from scipy import stats

from trialwright.statistics import (
    CannotEstimate,
    EmptyCell,
    Rerandomised,
    ancova,
    exact_rerandomisation_test,
    rerandomisation_test,
)

Y = [3.1, 5.4, 2.2, 6.9, 4.1, 5.9, 3.3, 7.2]
USED = list("PTPTPTPT")


def halves(n):
    """All lists with half of n on T, equally probable."""
    chance = 1 / comb(n, n // 2)
    return [(["T" if i in chosen else "P" for i in range(n)], chance) for chosen in combinations(range(n), n // 2)]


def test_all_halves_are_the_permutation_test():
    found = exact_rerandomisation_test(Y, USED, halves(8), arm="T")
    y, on = np.array(Y), np.array(USED) == "T"
    slow = stats.permutation_test((y[on], y[~on]), lambda a, b: a.mean() - b.mean(), n_resamples=np.inf)
    assert found.p_value == pytest.approx(slow.pvalue, abs=1e-12)
    assert found.value == pytest.approx(y[on].mean() - y[~on].mean())
    assert (found.lists, found.distinct, found.monte_carlo_error) == (70, 70, 0.0)
    assert isinstance(found, Rerandomised)


def test_with_covariates_and_unequal_probabilities_lists_are_ordered_by_the_t_of_ancova():
    rng = np.random.default_rng(3)
    base = rng.normal(size=8)
    lists = [(row, p) for (row, _), p in zip(halves(8), rng.dirichlet(np.ones(70)), strict=True)]
    found = exact_rerandomisation_test(Y, USED, lists, arm="T", covariates=[base])

    def t(row):
        return abs(ancova(Y, [float(label == "T") for label in row], [base])[0].t)

    slow = sum(p for row, p in lists if t(row) >= t(USED) - 1e-9)
    assert found.p_value == pytest.approx(slow, abs=1e-10)
    assert found.value == pytest.approx(ancova(Y, [0, 1] * 4, [base])[0].value)


def test_the_interval_holds_the_differences_that_are_not_rejected():
    found = exact_rerandomisation_test(Y, USED, halves(8), arm="T")
    low, high = found.confidence_interval(0.9)
    assert low < found.value < high
    on = np.array([label == "T" for label in USED], dtype=float)
    for delta, kept in ((low - 1e-6, False), (low + 1e-6, True), (high - 1e-6, True), (high + 1e-6, False)):
        shifted = exact_rerandomisation_test(np.array(Y) - delta * on, USED, halves(8), arm="T")
        assert (shifted.p_value > 0.1) is kept


def replay(number):
    """Permuted blocks of two, drawn by number."""
    flips = np.random.Generator(np.random.Philox(key=[1, number])).random(6) < 0.5
    return [label for flip in flips for label in ("TP" if flip else "PT")]


def test_the_level_is_held_when_nothing_differs_even_with_a_trend_over_entry():
    """Blocks of two protect against the trend; a test that ignored them would reject far too rarely."""
    rng = np.random.default_rng(12)
    rejected = 0
    for trial in range(250):
        y = np.arange(12.0) + rng.normal(size=12)
        rejected += rerandomisation_test(y, replay(10_000 + trial), replay, arm="T", draws=99).p_value <= 0.1
    assert rejected / 250 == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / 250))


def test_the_same_replay_gives_the_same_answer():
    y = np.random.default_rng(1).normal(size=12)
    one, other = (rerandomisation_test(y, replay(0), replay, arm="T", draws=300) for _ in range(2))
    assert (one.p_value, one.confidence_interval()) == (other.p_value, other.confidence_interval())
    assert 0 < one.distinct <= 64


Y12 = np.random.default_rng(8).normal(size=12)


@pytest.mark.parametrize(
    ("error", "call"),
    [
        (CannotEstimate, lambda: rerandomisation_test(Y12, replay(0), replay, arm="T", draws=10)),
        (CannotEstimate, lambda: rerandomisation_test(Y12, replay(0), replay, arm="X")),
        (CannotEstimate, lambda: rerandomisation_test(Y12, ["T"] * 12, replay, arm="T")),
        (CannotEstimate, lambda: rerandomisation_test(Y12, replay(0), lambda n: ["T", "P"], arm="T")),
        (CannotEstimate, lambda: rerandomisation_test(Y12, replay(0), lambda n: ["T", "A"] * 6, arm="T")),
        (CannotEstimate, lambda: rerandomisation_test(Y12[:4], replay(0), replay, arm="T", draws=99)),
        (EmptyCell, lambda: rerandomisation_test(Y12, replay(0), lambda n: ["T"] * 12, arm="T", draws=99)),
        (CannotEstimate, lambda: exact_rerandomisation_test(Y, USED, halves(8)[:60], arm="T")),
        (CannotEstimate, lambda: exact_rerandomisation_test(Y, USED, [], arm="T")),
        (CannotEstimate, lambda: exact_rerandomisation_test(Y, USED, [(list("TPTPTPTP"), 1.0)], arm="T")),
        (CannotEstimate, lambda: exact_rerandomisation_test(Y, USED, halves(8), arm="T").confidence_interval(0.999)),
        (CannotEstimate, lambda: exact_rerandomisation_test(Y, USED, halves(8), arm="T").confidence_interval(1.0)),
    ],
)
def test_a_procedure_that_does_not_fit_is_refused(error, call):
    with pytest.raises(error):
        call()
