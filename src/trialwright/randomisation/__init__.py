"""Randomisation methods as pure functions: what a study declares goes in with a stream of draws, labels come out.

The unit is any label: an arm, or a sequence of a crossover. Probabilities are exact (integers and fractions);
the same walk makes the list, enumerates all lists and gives predictability and imbalance.
"""

from trialwright.randomisation.designs import (
    Design,
    declare,
    generate,
    generate_stratified,
)
from trialwright.randomisation.draws import Draws, choose
from trialwright.randomisation.enumeration import (
    Exact,
    Simulated,
    exact,
    imbalance,
    list_probabilities,
    predictability,
    score,
    simulate,
)
from trialwright.randomisation.errors import (
    InvalidDesign,
    InvalidFactors,
    InvalidHistory,
    InvalidListLength,
)
from trialwright.randomisation.methods import (
    METHODS,
    BiasedCoin,
    BigStick,
    BlockUrn,
    Complete,
    MaximalProcedure,
    Method,
    PermutedBlocks,
    RandomAllocationRule,
    RandomPermutedBlocks,
    WeiUrn,
)
from trialwright.randomisation.minimisation import (
    Draw,
    Factor,
    Measure,
    MinimisationDesign,
    Tally,
    declare_minimisation,
    minimise,
    simulate_minimisation,
)
from trialwright.randomisation.strata import strata, stratum_of

__all__ = [
    "METHODS",
    "BiasedCoin",
    "BigStick",
    "BlockUrn",
    "Complete",
    "Design",
    "Draw",
    "Draws",
    "Exact",
    "Factor",
    "InvalidDesign",
    "InvalidFactors",
    "InvalidHistory",
    "InvalidListLength",
    "MaximalProcedure",
    "Measure",
    "Method",
    "MinimisationDesign",
    "PermutedBlocks",
    "RandomAllocationRule",
    "RandomPermutedBlocks",
    "Simulated",
    "Tally",
    "WeiUrn",
    "choose",
    "declare",
    "declare_minimisation",
    "exact",
    "generate",
    "generate_stratified",
    "imbalance",
    "list_probabilities",
    "minimise",
    "predictability",
    "score",
    "simulate",
    "simulate_minimisation",
    "strata",
    "stratum_of",
]
