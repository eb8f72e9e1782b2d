"""Simulated error rates and powers against numbers found elsewhere by simulation.

SMART-MS: residual SD 1.52, 9 + 9 participants, 200,000 trials by another program: half-width 1.4955 and power
25.9 / 50.2 / 74.5 / 90.5 % for two-sample t; 1.553 and 24.5 / 47.5 / 71.5 / 88.2 % for ANCOVA with one covariate.
2×2 crossover under the null, n = 18, SD 1 between and 0.7 within, period effect 0.1, REML, 40,000 trials by another
program: unstructured, period + treatment: Satterthwaite 6.45 %, Kenward-Roger 5.16 %; with the sequence term 5.13 %;
random intercept 5.0 %.

Each must lie within three Monte-Carlo standard errors of both simulations.
"""

from __future__ import annotations

import numpy as np
import pytest

from trialwright.operating_characteristics.groups import alternating
from trialwright.operating_characteristics.mixed import Repeated, crossover_design
from trialwright.operating_characteristics.repeated import RepeatedWorld
from trialwright.operating_characteristics.streams import BLOCK, Streams
from trialwright.operating_characteristics.two_means import CompareMeans

BLOCKS = 20


def _shares(world, analysis, blocks=BLOCKS):
    found = [analysis.analyse(world.simulate(Streams(1, "common", b))) for b in range(blocks)]
    significant = np.concatenate([each.p_values() < 0.05 for each in found])
    return significant.mean(), np.concatenate([each.half_widths(0.05) for each in found])


def _within(share, expected, trials_there, trials_here=BLOCKS * BLOCK):
    error = (expected * (1 - expected) * (1 / trials_there + 1 / trials_here)) ** 0.5
    # The expected figures are rounded to 0.1 or 0.01 %.
    assert share == pytest.approx(expected, abs=3 * error + 0.0005)


@pytest.mark.parametrize(
    ("covariate", "half_width", "powers"),
    [(None, 1.4955, (0.259, 0.502, 0.745, 0.905)), (0, 1.553, (0.245, 0.475, 0.715, 0.882))],
)
def test_the_flagship_study_has_the_power_that_its_design_notes_state(covariate, half_width, powers):
    for difference, power in zip((1.0, 1.5, 2.0, 2.5), powers, strict=True):
        shifts = np.zeros((2, 1, 2))
        shifts[1, 0, 1] = difference
        world = RepeatedWorld(np.zeros(2), np.diag([1.0, 1.52**2]), shifts, alternating(18))
        share, half = _shares(world, CompareMeans(1, covariate=covariate))

        _within(share, power, 200_000)
        error = half.std() * (1 / 200_000 + 1 / half.size) ** 0.5
        assert half.mean() == pytest.approx(half_width, abs=3 * error + 0.0005)


@pytest.mark.parametrize(
    ("sequence", "structure", "method", "expected"),
    [
        (False, "unstructured", "satterthwaite", 0.0645),
        (False, "unstructured", "kenward_roger", 0.0516),
        (True, "unstructured", "kenward_roger", 0.0513),
        (False, "compound_symmetry", "kenward_roger", 0.050),
    ],
)
def test_a_small_crossover_has_the_known_type_1_error(sequence, structure, method, expected):
    world = RepeatedWorld(
        np.array([0.0, 0.1]), np.full((2, 2), 1.0) + 0.49 * np.eye(2), np.zeros((2, 1, 2)), alternating(18)
    )
    design, contrast = crossover_design(sequence=sequence)

    share, _ = _shares(world, Repeated((0, 1), design, contrast, structure, method))

    _within(share, expected, 40_000)
