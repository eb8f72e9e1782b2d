"""What the simulated worlds contain is what was asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from trialwright.operating_characteristics.groups import alternating
from trialwright.operating_characteristics.repeated import RepeatedWorld, simulate_repeated
from trialwright.operating_characteristics.streams import BLOCK, Streams


@pytest.fixture
def world() -> RepeatedWorld:
    return RepeatedWorld(
        means=np.array([1.0, 2.0, 3.0]),
        covariance=np.array([[1.0, 0.5, 0.2], [0.5, 2.0, 0.9], [0.2, 0.9, 3.0]]),
        shifts=np.array([[[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]], [[0.0, 1.0, 0.25], [0.0, 0.0, -2.0]]]),
        lists=alternating(10),
    )


def _simulate(world: RepeatedWorld):
    return simulate_repeated(world, Streams(9, "common", 0))


def test_means_and_covariance_are_those_of_the_world(world):
    data = _simulate(world)
    control = data.y[data.group[:, 0] == 0].transpose(1, 0, 2).reshape(3, -1)
    n = control.shape[1]

    assert control.mean(axis=1) == pytest.approx(world.means, abs=5 * (3 / n) ** 0.5)
    assert np.cov(control) == pytest.approx(world.covariance, abs=5 * 3 * (2 / n) ** 0.5)


def test_a_treatment_adds_what_each_period_brings_to_each_visit(world):
    none, some = _simulate(replace(world, shifts=np.zeros((2, 2, 3)))), _simulate(world)

    difference = some.y - none.y
    assert difference[0::2] == pytest.approx(np.zeros((5, 3, BLOCK)))
    assert difference[1::2] == pytest.approx(np.broadcast_to(np.array([0, 1, -1.75])[:, None], (5, 3, BLOCK)))


def test_a_treatment_that_could_not_be_given_adds_nothing(world):
    not_given = np.array([[0.0, 0.0], [0.3, 0.0]])
    none, some = _simulate(replace(world, shifts=np.zeros((2, 2, 3)))), _simulate(replace(world, not_given=not_given))

    got = (some.y - none.y)[1::2]
    assert set(np.unique(got[:, 1].round(6))) == {0.0, 1.0}
    assert (got[:, 1] < 0.5).mean() == pytest.approx(0.3, abs=5 * (0.21 / got[:, 1].size) ** 0.5)
    assert set(np.unique(got[:, 2].round(6))) == {-2.0, -1.75}


def test_who_has_left_stays_away_and_a_higher_drop_out_loses_the_same_people_and_more(world):
    few = _simulate(replace(world, dropout=np.array([0.0, 0.1, 0.1]))).observed
    many = _simulate(replace(world, dropout=np.array([0.0, 0.2, 0.2]))).observed

    assert few is not None
    assert many is not None
    assert not (~few[:, 1] & few[:, 2]).any()
    assert not (many & ~few).any()
    assert (~few[:, 2]).mean() == pytest.approx(0.19, abs=5 * (0.16 / few[:, 2].size) ** 0.5)


def test_missed_visits_come_back_and_visits_that_are_always_made_are_never_missed(world):
    seen = _simulate(replace(world, missed=0.25, always=(0,))).observed

    assert seen is not None
    assert seen[:, 0].all()
    assert (~seen[:, 1]).mean() == pytest.approx(0.25, abs=5 * (0.19 / seen[:, 1].size) ** 0.5)
    assert (~seen[:, 1] & seen[:, 2]).any()


def test_values_are_misrated_clipped_and_rounded_in_this_order(world):
    exact = _simulate(world).y
    written = _simulate(replace(world, misrated=0.4, misrated_by=10.0, low=0.0, high=5.0, step=0.5)).y

    assert set(np.unique(written)) == set(np.arange(0.0, 5.5, 0.5))
    middle = (exact > 1) & (exact < 4)
    shares = [(written[middle] == 0.0).mean(), (written[middle] == 5.0).mean()]
    assert shares == pytest.approx([0.2, 0.2], abs=0.02)


def test_a_skewed_variable_is_the_exponential_of_a_normal_one(world):
    skewed = _simulate(replace(world, scale="lognormal", shifts=np.zeros((2, 2, 3)))).y
    normal = _simulate(replace(world, shifts=np.zeros((2, 2, 3)))).y

    assert np.log(skewed) == pytest.approx(normal)


def test_more_participants_begin_with_those_of_the_smaller_trial(world):
    small, big = _simulate(world), _simulate(world.with_lists(alternating(16)))

    assert (big.y[:10] == small.y).all()


def test_each_trial_draws_one_of_the_lists(world):
    lists = np.array([[0] * 10, [1] * 10, [0, 1] * 5], dtype=np.int8)
    data = _simulate(world.with_lists(lists))

    assert data.group.shape == (10, BLOCK)
    shares = [(row == data.group.T).all(axis=1).mean() for row in lists]
    assert shares == pytest.approx([1 / 3] * 3, abs=0.05)
