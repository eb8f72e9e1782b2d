"""Boundaries: against a slow multivariate normal probability, and at the edges."""

import numpy as np
import pytest
from scipy import special
from scipy.stats import multivariate_normal

from trialwright.statistics import (
    CannotEstimate,
    crossing_probabilities,
    lan_demets_obrien_fleming,
    lan_demets_pocock,
    obrien_fleming,
    pocock,
    spending_boundaries,
)


def staying_inside(times, lower, upper, drift):
    """P(lower < Z < upper at every look) by scipy's integration of the multivariate normal density."""
    t = np.asarray(times)
    covariance = np.sqrt(np.minimum.outer(t, t) / np.maximum.outer(t, t))
    normal = multivariate_normal(drift * np.sqrt(t), covariance, abseps=1e-8, releps=1e-8, maxpts=2_000_000)
    return normal.cdf(np.asarray(upper), lower_limit=np.asarray(lower))


@pytest.mark.parametrize("drift", [0.0, 1.5, 3.2])
@pytest.mark.parametrize(
    ("times", "lower", "upper"),
    [
        ((0.3, 1.0), (-2.5, -2.0), (2.5, 2.0)),
        ((0.2, 0.25, 1.0), (-3.0, -2.5, -1.9), (3.0, 2.6, 2.0)),
        ((0.5, 0.9, 1.0), (-0.5, 0.3, 1.97), (2.8, 2.1, 1.97)),
    ],
)
def test_crossing_agrees_with_the_multivariate_normal(times, lower, upper, drift):
    below, above = crossing_probabilities(times, lower, upper, drift)
    assert 1 - below.sum() - above.sum() == pytest.approx(staying_inside(times, lower, upper, drift), abs=2e-7)


def test_one_look_is_the_ordinary_test():
    assert pocock(1)[0] == pytest.approx(-special.ndtri(0.025), abs=1e-12)
    assert spending_boundaries([1.0], lan_demets_pocock()) == pytest.approx(-special.ndtri(0.025), abs=1e-10)
    _, above = crossing_probabilities([1.0], [-np.inf], [1.96], drift=3.0)
    assert above[0] == pytest.approx(special.ndtr(3.0 - 1.96), abs=1e-15)


@pytest.mark.parametrize("sides", [1, 2])
@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_spent_error_is_the_declared_error_at_every_look(alpha, sides):
    times = (0.15, 0.4, 0.41, 0.8, 1.0)
    for make in (lan_demets_obrien_fleming, lan_demets_pocock):
        spending = make(alpha, sides)
        upper = spending_boundaries(times, spending, sides)
        lower = -upper if sides == 2 else np.full(5, -np.inf)
        below, above = crossing_probabilities(times, lower, upper)
        spent = np.cumsum(above + (below if sides == 2 else 0))
        np.testing.assert_allclose(spent, [spending(t) for t in times], atol=1e-11)


def test_constants_give_the_declared_error():
    for bounds in (pocock(7, 0.05), obrien_fleming(7, 0.05)):
        below, above = crossing_probabilities(np.arange(1, 8) / 7, -bounds, bounds)
        assert below.sum() + above.sum() == pytest.approx(0.05, abs=1e-10)


def test_nothing_to_spend_gives_an_infinite_bound():
    bounds = spending_boundaries([0.001, 1.0], lan_demets_obrien_fleming(), 2)
    assert np.isinf(bounds[0])
    assert bounds[1] == pytest.approx(-special.ndtri(0.025), abs=1e-9)


@pytest.mark.parametrize(
    "call",
    [
        lambda: pocock(0),
        lambda: obrien_fleming(51),
        lambda: pocock(3, alpha=0.0),
        lambda: pocock(3, alpha=0.6, sides=1),
        lambda: pocock(3, sides=3),
        lambda: spending_boundaries([0.5, 0.4], lan_demets_pocock()),
        lambda: spending_boundaries([0.5, 1.2], lan_demets_pocock()),
        lambda: spending_boundaries([], lan_demets_pocock()),
        lambda: spending_boundaries([0.5, 1.0], lambda t: 0.05 if t < 1 else 0.04),
        lambda: crossing_probabilities([0.5, 1.0], [1.0, -1.0], [0.0, 1.0]),
        lambda: crossing_probabilities([0.5, 1.0], [-1.0], [1.0]),
    ],
)
def test_a_plan_that_cannot_be_is_refused(call):
    with pytest.raises(CannotEstimate):
        call()
