"""Estimates of a trial: mixed models, crossover, analysis of covariance, times, counts and shares, repeated looks.

Works on arrays of numbers, or on tables of data with formulas, and knows no trial. Needs the extra
``trialwright[analysis]``. Every method is tested against numbers published elsewhere (``tests/reference``).
"""

from trialwright.statistics.carried_forward import last_observation_carried_forward
from trialwright.statistics.counts import CountModel, count_regression
from trialwright.statistics.covariance import SHORT_NAMES, STRUCTURES
from trialwright.statistics.crossover import TwoByTwo
from trialwright.statistics.crossover_model import Crossover, crossover
from trialwright.statistics.errors import CannotEstimate, DependentColumns, EmptyCell, NotConverged
from trialwright.statistics.estimate import Convergence, Estimate, JointTest
from trialwright.statistics.fits import Fit
from trialwright.statistics.group_sequential import (
    crossing_probabilities,
    lan_demets_obrien_fleming,
    lan_demets_pocock,
    obrien_fleming,
    pocock,
    spending_boundaries,
)
from trialwright.statistics.linear_model import LinearModel, ancova
from trialwright.statistics.mixed_model import METHODS, MixedModel
from trialwright.statistics.modelling import Repeated, least_squares, mmrm
from trialwright.statistics.multiplicity import Decision, fixed_sequence, gatekeeping, holm
from trialwright.statistics.proportional_hazards import CoxModel, cox, mean_count_ratio
from trialwright.statistics.proportions import (
    Interval,
    MantelHaenszel,
    cochran_mantel_haenszel,
    fisher_exact,
    mantel_haenszel,
    proportion,
    risk_difference,
)
from trialwright.statistics.rerandomisation import Rerandomised, exact_rerandomisation_test, rerandomisation_test
from trialwright.statistics.survival import ChiSquared, LogRank, Survival, kaplan_meier, log_rank

__all__ = [
    "METHODS",
    "SHORT_NAMES",
    "STRUCTURES",
    "CannotEstimate",
    "ChiSquared",
    "Convergence",
    "CountModel",
    "CoxModel",
    "Crossover",
    "Decision",
    "DependentColumns",
    "EmptyCell",
    "Estimate",
    "Fit",
    "Interval",
    "JointTest",
    "LinearModel",
    "LogRank",
    "MantelHaenszel",
    "MixedModel",
    "NotConverged",
    "Repeated",
    "Rerandomised",
    "Survival",
    "TwoByTwo",
    "ancova",
    "cochran_mantel_haenszel",
    "count_regression",
    "cox",
    "crossing_probabilities",
    "crossover",
    "exact_rerandomisation_test",
    "fisher_exact",
    "fixed_sequence",
    "gatekeeping",
    "holm",
    "kaplan_meier",
    "lan_demets_obrien_fleming",
    "lan_demets_pocock",
    "last_observation_carried_forward",
    "least_squares",
    "log_rank",
    "mantel_haenszel",
    "mean_count_ratio",
    "mmrm",
    "obrien_fleming",
    "pocock",
    "proportion",
    "rerandomisation_test",
    "risk_difference",
    "spending_boundaries",
]
