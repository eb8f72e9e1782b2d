"""Estimates of a trial: crossover, analysis of covariance, mixed models, group-sequential boundaries.

Works on arrays of numbers and knows no trial. Needs the extra ``trialwright[analysis]``. Every method is tested
against numbers published elsewhere (``tests/reference``).
"""

from trialwright.statistics.crossover import TwoByTwo
from trialwright.statistics.errors import CannotEstimate
from trialwright.statistics.estimate import Estimate, JointTest
from trialwright.statistics.group_sequential import (
    crossing_probabilities,
    lan_demets_obrien_fleming,
    lan_demets_pocock,
    obrien_fleming,
    pocock,
    spending_boundaries,
)
from trialwright.statistics.linear_model import LinearModel, ancova

__all__ = [
    "CannotEstimate",
    "Estimate",
    "JointTest",
    "LinearModel",
    "TwoByTwo",
    "ancova",
    "crossing_probabilities",
    "lan_demets_obrien_fleming",
    "lan_demets_pocock",
    "obrien_fleming",
    "pocock",
    "spending_boundaries",
]
