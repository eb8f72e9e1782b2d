"""Worlds and a study that the tests of this folder share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trialwright.build import Build, compile_study
from trialwright.operating_characteristics.groups import alternating
from trialwright.operating_characteristics.repeated import RepeatedWorld
from trialwright.protocol import load_study

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def smart_ms() -> Build:
    """The flagship study."""
    return compile_study(load_study(REPOSITORY / "studies" / "smart-ms"))


@pytest.fixture(scope="session")
def crossover_world() -> RepeatedWorld:
    """18 participants, SD 1 between and 0.7 within, a period effect of 0.1, no drop-out."""
    return RepeatedWorld(
        means=np.array([0.0, 0.1]),
        covariance=np.full((2, 2), 1.0) + 0.49 * np.eye(2),
        shifts=np.zeros((2, 2, 2)),
        lists=alternating(18),
    )
