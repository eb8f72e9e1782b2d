"""Estimates of a trial: crossover, analysis of covariance, mixed models, group-sequential boundaries.

Works on arrays of numbers and knows no trial. Needs the extra ``trialwright[analysis]``. Every method is tested
against numbers published elsewhere (``tests/reference``).
"""

from trialwright.statistics.covariance import STRUCTURES
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
from trialwright.statistics.mixed_model import MixedModel

__all__ = [
    "STRUCTURES",
    "CannotEstimate",
    "Estimate",
    "JointTest",
    "LinearModel",
    "MixedModel",
    "TwoByTwo",
    "ancova",
    "crossing_probabilities",
    "lan_demets_obrien_fleming",
    "lan_demets_pocock",
    "obrien_fleming",
    "pocock",
    "spending_boundaries",
]
