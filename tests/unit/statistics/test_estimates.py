"""Crossover, least squares and analysis of covariance on numbers that can be worked out by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from trialwright.statistics import CannotEstimate, Estimate, JointTest, LinearModel, TwoByTwo, ancova


def test_an_estimate_knows_its_test_and_its_interval():
    estimate = Estimate(2.0, 0.5, 10)
    assert estimate.t == 4.0
    assert estimate.p_value == pytest.approx(2 * stats.t.sf(4, 10), rel=1e-12)
    low, high = estimate.confidence_interval(0.9)
    assert (low + high) / 2 == pytest.approx(2.0)
    assert high - 2.0 == pytest.approx(0.5 * stats.t.ppf(0.95, 10), rel=1e-12)
    assert Estimate(1.96, 1.0, np.inf).p_value == pytest.approx(0.05, abs=1e-5)
    assert JointTest(4.0, 2, 20.0).p_value == pytest.approx(stats.f.sf(4, 2, 20), rel=1e-12)
    with pytest.raises(CannotEstimate):
        estimate.confidence_interval(1.0)


AB = [[10.0, 6.0], [12.0, 9.0], [11.0, 7.0]]
BA = [[5.0, 10.0], [7.0, 9.0]]


def test_a_crossover_by_hand():
    design = TwoByTwo(AB, BA)
    # d: AB 4, 3, 4 (mean 11/3); BA −5, −2 (mean −3.5)
    assert design.treatment().value == pytest.approx((11 / 3 + 3.5) / 2)
    assert design.period().value == pytest.approx((11 / 3 - 3.5) / 2)
    assert design.treatment().standard_error == design.period().standard_error
    assert design.treatment().df == 3
    # s: AB 16, 21, 18; BA 15, 16
    assert design.carry_over().value == pytest.approx(55 / 3 - 15.5)
    # period 1: 10, 12, 11 against 5, 7
    first = stats.ttest_ind([10, 12, 11], [5, 7])
    assert design.first_period().t == pytest.approx(first.statistic)
    assert design.first_period().p_value == pytest.approx(first.pvalue)
    paired = stats.ttest_1samp([4, 3, 4, 5, 2], 0)
    assert design.treatment_ignoring_period().t == pytest.approx(paired.statistic)


numbers = st.floats(-1e3, 1e3).map(lambda v: round(v, 3))


@st.composite
def crossovers(draw):
    def rows(n):
        return draw(st.lists(st.tuples(numbers, numbers), min_size=n, max_size=8))

    ab, ba = np.array(rows(2)), np.array(rows(2))
    spread = np.var(ab[:, 0] - ab[:, 1]) + np.var(ba[:, 0] - ba[:, 1])
    return (ab, ba) if spread > 1e-3 else (ab + np.array([[0.0, 1.0]]) * np.arange(len(ab))[:, None], ba)


@settings(max_examples=60, deadline=None)
@given(crossovers(), numbers, numbers)
def test_a_shift_of_a_period_or_of_everything_leaves_the_treatment_effect(pairs, everywhere, second):
    ab, ba = pairs
    shift = np.array([[everywhere, everywhere + second]])
    here, there = TwoByTwo(ab, ba).treatment(), TwoByTwo(ab + shift, ba + shift).treatment()
    assert there.value == pytest.approx(here.value, abs=1e-6)
    assert there.standard_error == pytest.approx(here.standard_error, rel=1e-6, abs=1e-8)
    swapped = TwoByTwo(ba, ab).treatment()
    assert swapped.value == pytest.approx(-here.value, abs=1e-9)


def test_analysis_of_covariance_agrees_with_the_comparison_of_residuals():
    rng = np.random.default_rng(7)
    baseline, arm = rng.normal(size=18), np.repeat([0.0, 1.0], 9)
    y = 0.8 * baseline - 0.3 * arm + rng.normal(size=18)
    difference, treated, control = ancova(y, arm, [baseline])
    # Frisch-Waugh-Lovell: regress both on intercept and baseline, then residual on residual.
    frame = np.column_stack([np.ones(18), baseline])
    hat = frame @ np.linalg.solve(frame.T @ frame, frame.T)
    ry, ra = y - hat @ y, arm - hat @ arm
    slope = ra @ ry / (ra @ ra)
    error = np.sqrt(((ry - slope * ra) ** 2).sum() / 15 / (ra @ ra))
    assert difference.df == 15
    assert (difference.value, difference.standard_error) == pytest.approx((slope, error))
    assert treated.value - control.value == pytest.approx(difference.value)
    assert (treated.value + control.value) / 2 == pytest.approx(y.mean())


def test_without_covariates_it_is_the_two_sample_t_test():
    y, arm = [1.0, 2.0, 4.0, 3.0, 6.0, 8.0], [0, 0, 0, 1, 1, 1]
    difference, _, _ = ancova(y, arm)
    assert difference.p_value == pytest.approx(stats.ttest_ind(y[3:], y[:3]).pvalue)


def test_a_joint_test_of_one_contrast_is_the_square_of_t_and_of_all_groups_is_anova():
    groups = [[1.0, 2.0, 4.0], [3.0, 6.0, 8.0], [2.0, 2.5, 7.0]]
    y = np.concatenate(groups)
    x = np.column_stack([np.ones(9), np.repeat([0, 1, 0], 3), np.repeat([0, 0, 1], 3)])
    model = LinearModel(y, x)
    assert model.joint([[0, 1, 0]]).f == pytest.approx(model.contrast([0, 1, 0]).t ** 2)
    assert model.joint([[0, 1, 0], [0, 0, 1]]).p_value == pytest.approx(stats.f_oneway(*groups).pvalue)


def test_columns_of_very_different_size_are_not_called_dependent():
    day = np.arange(10.0)
    y = 3 + 2e-9 * day + np.tile([0.1, -0.1], 5)
    slope = LinearModel(y, np.column_stack([np.ones(10), day * 1e9])).contrast([0, 1])
    assert slope.value == pytest.approx(stats.linregress(day * 1e9, y).slope, rel=1e-6)


@pytest.mark.parametrize(
    "call",
    [
        lambda: TwoByTwo([[1.0, 2.0]], BA),
        lambda: TwoByTwo([[1.0, np.nan], [2.0, 3.0]], BA),
        lambda: TwoByTwo([[1.0, 2.0], [2.0]], BA),
        lambda: TwoByTwo([["a", "b"], ["c", "d"]], BA),
        lambda: TwoByTwo([[1.0, 0.0]] * 3, [[0.0, 1.0]] * 3).treatment(),
        lambda: ancova([1, 2, 3, 4], [1, 1, 2, 2]),
        lambda: ancova([1, 2, 3, 4], [1, 1, 0, 0], [[1, 1, 0, 0]]),
        lambda: ancova([1, 2, 3, 4], [1, 1, 0, 0], [[1, 2]]),
        lambda: LinearModel([1, 2], [[1, 0], [0, 1]]),
        lambda: LinearModel([1, 2, 3], [[1], [1]]),
        lambda: LinearModel([1.0, 2.0, 3.0], [[1], [2], [3]]),
        lambda: LinearModel([1.0, 2.0, 4.0], [[1], [1], [1]]).contrast([0.0]),
        lambda: LinearModel([1.0, 2.0, 4.0], [[1], [1], [1]]).joint([[1.0], [2.0]]),
    ],
)
def test_what_the_data_cannot_answer_is_refused(call):
    with pytest.raises(CannotEstimate):
        call()
