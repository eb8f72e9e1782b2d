"""Log-rank, shares, rates and looks: the fast kernels against plain definitions, trial by trial."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from trialwright.operating_characteristics.errors import CannotSimulate
from trialwright.operating_characteristics.groups import alternating
from trialwright.operating_characteristics.looks import Looks, stopping
from trialwright.operating_characteristics.repeated import RepeatedWorld
from trialwright.operating_characteristics.streams import BLOCK, Streams
from trialwright.operating_characteristics.survival import LogRank, SurvivalData, SurvivalWorld
from trialwright.operating_characteristics.tables import CompareRates, CompareShares, CountWorld, negative_binomial
from trialwright.operating_characteristics.two_means import CompareMeans
from trialwright.statistics import CannotEstimate, obrien_fleming, pocock

STREAMS = Streams(3, "common", 0)
LISTS = np.random.default_rng(1).integers(0, 2, (6, 30)).astype(np.int8)


def _assert_agrees(data, analysis, trials, relative=1e-9, absolute=1e-9):
    found = analysis.analyse(data)
    for trial in range(trials):
        try:
            full = analysis.reference(data, trial)
        except CannotEstimate:
            assert np.isnan(found.value[trial])
            continue
        fast = found.one(trial)
        assert fast.value == pytest.approx(full.value, rel=relative, abs=absolute)
        assert fast.standard_error == pytest.approx(full.standard_error, rel=relative)
        assert (found.p_values()[trial] < 0.05) == (full.p_value < 0.05)


@pytest.mark.parametrize("lists", [alternating(30), LISTS])
@pytest.mark.parametrize("dropout", [0.0, 0.05])
def test_the_log_rank_test_is_that_of_its_definition(lists, dropout):
    world = SurvivalWorld(lists, 0.08, 0.6, 6.0, 12.0, dropout)

    _assert_agrees(world.simulate(STREAMS), LogRank(), 60)


def test_the_log_rank_test_finds_the_published_result():
    """Remission times of Freireich et al. 1963 (in Cox, J R Stat Soc B 1972): 10.25 of 19.25 expected, χ² 16.79.

    Ties are broken by 1e-9 of a week, control first, then the treated; the statistic without ties then lies near the
    published one with the variance for ties.
    """
    control = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
    treated = [(t, 1) for t in (6, 6, 6, 7, 10, 13, 16, 22, 23)]
    treated += [(t, 0) for t in (6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35)]
    time = np.array([*control, *(t for t, _ in treated)], dtype=float)
    event = np.array([1] * 21 + [e for _, e in treated], dtype=bool)
    group = np.array([0] * 21 + [1] * 21, dtype=np.int8)
    rows = SurvivalData(time[:, None], event[:, None], group[:, None])

    full = LogRank().reference(rows, 0)

    surplus = full.value / full.standard_error**2
    assert surplus == pytest.approx(9 - 19.25, abs=0.005)
    assert full.t**2 == pytest.approx(16.79, abs=0.005)


@pytest.mark.parametrize("shares", [(0.3, 0.5), (0.02, 0.02)])
def test_compared_shares_have_pearsons_chi_square(shares):
    world = CountWorld(LISTS, np.array([[1 - p, p] for p in shares]), missing=0.1)
    data = world.simulate(STREAMS)

    _assert_agrees(data, CompareShares(), 60)
    zero, one = data.known(0)
    table = [[sum(zero), len(zero) - sum(zero)], [sum(one), len(one) - sum(one)]]
    if all(sum(column) for column in zip(*table, strict=True)):
        square = stats.chi2_contingency(table, correction=False).statistic
        assert CompareShares().analyse(data).one(0).t ** 2 == pytest.approx(square)


@pytest.mark.parametrize(("mean", "alpha"), [(2.0, 0.8), (0.6, 0.0), (5.0, 0.2)])
def test_compared_rates_are_those_of_a_general_maximiser(mean, alpha):
    parts = [negative_binomial(m, alpha) for m in (mean, mean / 2)]
    longest = max(p.size for p in parts)
    world = CountWorld(LISTS, np.stack([np.pad(p, (0, longest - p.size)) for p in parts]), missing=0.05)

    _assert_agrees(world.simulate(STREAMS), CompareRates(), 5, relative=2e-4, absolute=1e-4)


@pytest.mark.parametrize(("mean", "alpha"), [(2.0, 0.8), (0.6, 0.0), (5.0, 0.2)])
def test_negative_binomial_probabilities_have_their_mean_and_variance(mean, alpha):
    p = negative_binomial(mean, alpha)
    y = np.arange(p.size)

    assert p.sum() == pytest.approx(1.0)
    assert (p * y).sum() == pytest.approx(mean, rel=1e-8)
    assert (p * y**2).sum() - mean**2 == pytest.approx(mean + alpha * mean**2, rel=1e-7)


def _null(n: int) -> RepeatedWorld:
    return RepeatedWorld(np.zeros(1), np.eye(1), np.zeros((2, 1, 1)), alternating(n))


@pytest.mark.parametrize("bounds", [pocock, obrien_fleming])
def test_looks_hold_their_level_and_agree_with_the_full_analysis(bounds):
    looks = Looks(CompareMeans(0), (40, 80, 120), bounds(3))
    found = []
    for block in range(15):
        data = _null(120).simulate(Streams(6, "common", block))
        found.append(looks.first_crossing(data))
    stops = stopping(found, 3)

    n = 15 * BLOCK
    assert stops.sum() == pytest.approx(0.05, abs=3.5 * (0.05 * 0.95 / n) ** 0.5)
    assert [looks.first_crossing_of(data, t) for t in range(30)] == found[-1][:30].tolist()


@pytest.mark.parametrize(
    "make",
    [
        lambda: SurvivalWorld(alternating(4), -1.0, 1.0, 1.0, 1.0),
        lambda: SurvivalWorld(alternating(4), 1.0, 1.0, 0.0, 0.0),
        lambda: CountWorld(alternating(4), np.array([[0.5, 0.6], [0.5, 0.5]])),
        lambda: CountWorld(alternating(4), np.array([[0.5, 0.5]])),
        lambda: negative_binomial(0.0, 1.0),
        lambda: Looks(CompareMeans(0), (40, 30), pocock(2)),
        lambda: Looks(CompareMeans(0), (40, 80), pocock(3)),
    ],
)
def test_impossible_worlds_are_refused(make):
    with pytest.raises(CannotSimulate):
        make()
