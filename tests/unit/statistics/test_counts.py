"""Regression of counts: against closed forms, the written-out likelihood, and data that cannot answer."""

import numpy as np
import pytest
from scipy import stats

from trialwright.statistics import (
    CannotEstimate,
    CountModel,
    DependentColumns,
    EmptyCell,
    NotConverged,
    count_regression,
)


def overdispersed(seed=3, people=60):
    rng = np.random.default_rng(seed)
    arm, age = np.arange(people) % 2, rng.normal(size=people)
    time = rng.uniform(0.5, 2.0, people)
    rate = time * np.exp(0.8 - 0.5 * arm + 0.2 * age) * rng.gamma(1.5, 1 / 1.5, people)
    return rng.poisson(rate).astype(float), np.column_stack([np.ones(people), arm, age]).astype(float), time


def test_poisson_rates_of_two_arms_are_events_over_time():
    y, time = np.array([3, 1, 4, 0, 2, 1.0]), np.array([1, 2, 1, 0.5, 1, 2])
    x = np.column_stack([np.ones(6), [0, 0, 0, 1, 1, 1]])
    model = CountModel(y, x, time, dispersion=0)
    assert np.exp(model.coefficients) == pytest.approx([8 / 4, (3 / 3.5) / (8 / 4)])
    ratio = model.contrast([0, 1])
    assert ratio.standard_error == pytest.approx(np.sqrt(1 / 8 + 1 / 3))
    assert ratio.df == np.inf


def test_with_equal_exposure_the_ratio_of_two_arms_is_that_of_means_whatever_the_dispersion():
    y = np.array([0, 9, 2, 14, 1, 5, 0, 0, 7, 2.0])
    x = np.column_stack([np.ones(10), np.repeat([0, 1], 5)])
    for dispersion in (0.0, 0.7, None):
        model = CountModel(y, x, dispersion=dispersion)
        assert np.exp(model.coefficients[1]) == pytest.approx(y[5:].mean() / y[:5].mean(), rel=1e-8)


def minus_log_likelihood(y, x, time, theta):
    kappa = np.exp(theta[-1])
    mu = time * np.exp(x @ theta[:-1])
    return -stats.nbinom.logpmf(y, 1 / kappa, 1 / (1 + kappa * mu)).sum()


def test_the_negative_binomial_maximum_and_its_curvature_are_those_of_the_written_out_likelihood():
    y, x, time = overdispersed()
    model = CountModel(y, x, time)
    at, h = np.r_[model.coefficients, np.log(model.dispersion)], 1e-3
    here = minus_log_likelihood(y, x, time, at)
    assert model.log_likelihood == pytest.approx(-here, abs=1e-9)
    steps = np.eye(4) * h

    def value(step):
        return minus_log_likelihood(y, x, time, at + step)

    assert [(value(d) - value(-d)) / (2 * h) for d in steps] == pytest.approx([0] * 4, abs=1e-4)
    bend = [
        [sum(s * r * value(s * d + r * e) for s in (1, -1) for r in (1, -1)) / (4 * h**2) for e in steps]
        for d in steps
    ]
    np.testing.assert_allclose(model.covariance, np.linalg.inv(bend)[:3, :3], rtol=1e-4)
    assert model.convergence.decrement < 1e-8
    joint = model.joint([[0, 1, 0], [0, 0, 1]])
    b, v = model.coefficients[1:], model.covariance[1:, 1:]
    assert joint.p_value == pytest.approx(stats.chi2.sf(b @ np.linalg.solve(v, b), 2), rel=1e-9)


def test_a_fixed_dispersion_near_zero_is_poisson():
    y, x, time = overdispersed()
    near, poisson = CountModel(y, x, time, dispersion=1e-8), CountModel(y, x, time, dispersion=0)
    assert near.coefficients == pytest.approx(poisson.coefficients, rel=1e-5)
    assert near.log_likelihood == pytest.approx(poisson.log_likelihood, abs=1e-4)


def test_adjusted_means_are_log_rates_at_exposure_one():
    y, x, time = overdispersed()
    data = {"y": [np.nan, *y[1:]], "arm": np.where(x[:, 1] == 1, "B", "A"), "time": time}
    fit = count_regression("y ~ arm", data, exposure="time")
    means = fit.ls_means("arm")
    assert fit.difference("arm", "B", "A").value == pytest.approx(means["B"].value - means["A"].value)
    assert (fit.used, fit.without_outcome) == (59, 1)


ONES = np.ones((6, 1))
ARM = np.column_stack([np.ones(6), [0, 0, 0, 1, 1, 1]])


@pytest.mark.parametrize(
    ("error", "call"),
    [
        (NotConverged, lambda: CountModel([2, 2, 2, 2, 2, 2], ONES)),  # varies less than Poisson
        (NotConverged, lambda: CountModel([1, 2, 3, 0, 0, 0], ARM, dispersion=0)),  # an arm without events
        (NotConverged, lambda: CountModel([1, 9, 3, 0, 0, 0], ARM)),
        (EmptyCell, lambda: CountModel([0] * 6, ONES)),
        (CannotEstimate, lambda: CountModel([1, 2.5, 3, 0, 0, 0], ONES)),
        (CannotEstimate, lambda: CountModel([1, -2, 3, 0, 0, 0], ONES)),
        (CannotEstimate, lambda: CountModel([1, 2, 3, 0, 0, 0], ONES, [1, 1, 1, 1, 1, 0])),
        (CannotEstimate, lambda: CountModel([1, 2, 3, 0, 0, 0], ONES, [1, 1])),
        (CannotEstimate, lambda: CountModel([1, 2, 3, 0, 0, 0], ONES, dispersion=-1)),
        (CannotEstimate, lambda: CountModel([1, 2, 3, 0, 0, 0], ONES, dispersion=float("nan"))),
        (CannotEstimate, lambda: count_regression("y ~ a", {"y": [1e308, 1, 2, 4], "a": [1.0, 2, 3, 7]})),
        (CannotEstimate, lambda: count_regression("y ~ a", {"y": [1, 0, 2, 4], "a": [1e200, 2, 3, 7]})),
        (DependentColumns, lambda: CountModel([1, 2, 3, 0, 0, 0], np.ones((6, 2)))),
        (CannotEstimate, lambda: CountModel([1, 2, 3, 0, 0, 0], ONES, dispersion=0).contrast([1, 0])),
        (CannotEstimate, lambda: count_regression("y ~ 1", {"y": [1, 2, 5]}, exposure="none")),
        (CannotEstimate, lambda: count_regression("y ~ 1", {"y": [1, 2, 5], "t": [1, None, 2]}, exposure="t")),
    ],
)
def test_what_the_data_cannot_answer_is_refused_by_name(error, call):
    with pytest.raises(error):
        call()
