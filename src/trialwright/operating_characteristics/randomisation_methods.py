"""Randomisation methods side by side, for the design in the study file.

Predictability is the share of allocations that a convergence guess gets right (Blackwell and Hodges 1957), exact
where the walk is small enough, else from simulated lists. The re-randomisation test refers the difference of means to
lists drawn again by the same method; its size is found under no treatment effect and with a drift over time, which
ordinary tests would take for noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trialwright.foundation.errors import TrialwrightError
from trialwright.operating_characteristics.errors import CannotSimulate
from trialwright.operating_characteristics.groups import Groups
from trialwright.operating_characteristics.lists import AddressedDraws, allocation_lists, declared_design
from trialwright.operating_characteristics.streams import BLOCK, Streams
from trialwright.operating_characteristics.tallies import share_and_error
from trialwright.protocol.folder import Study
from trialwright.randomisation import Design, declare, exact, simulate

_LISTS = 2000
_LONGEST_EXACT = 60


@dataclass(frozen=True)
class Assessed:
    """One method.

    Attributes:
        method: its name with its parameters.
        declared: whether it is the study's own (with usual parameters where the folder may not hold them).
        predictability: share of correct guesses, with its simulation error (0 where it is exact).
        imbalance: mean final imbalance, likewise.
        size: type-I error of the re-randomisation test at the study's alpha, with its simulation error.
    """

    method: str
    declared: bool
    predictability: tuple[float, float]
    imbalance: tuple[float, float]
    size: tuple[float, float]

    def as_dict(self) -> dict[str, object]:
        """Plain data for JSON."""
        return {
            "method": self.method,
            "declared": self.declared,
            "predictability": self.predictability,
            "imbalance": self.imbalance,
            "size_of_re_randomisation_test": self.size,
        }


def assess(study: Study, *, participants: int, seed: int) -> tuple[Assessed, ...]:
    """The study's method and the others that can serve its ratio, the study's first.

    Args:
        study: with ``randomisation.yaml``.
        participants: length of a list; strata have shorter ones.
        seed: of the simulation.

    Raises:
        CannotSimulate: more than two units, which the test here does not compare.
    """
    units = dict(study.randomisation.ratio)
    if len(units) != 2:
        raise CannotSimulate(f"{len(units)} units are randomised between", remedy="two are compared here")
    own = declared_design(study)
    alpha = float(study.analysis.alpha)
    found = [_assess(own, participants, seed, alpha, declared=True)]
    whole = sum(units.values())
    candidates: list[tuple[str, dict[str, object]]] = [
        ("permuted_blocks", {"size": whole}),
        ("permuted_blocks", {"size": 2 * whole}),
        ("random_permuted_blocks", {"sizes": (whole, 2 * whole, 3 * whole)}),
        ("random_allocation_rule", {}),
        ("maximal_procedure", {"tolerance": 3}),
        ("big_stick", {"tolerance": 3}),
        ("biased_coin", {"probability": "2/3"}),
        ("wei_urn", {"initial": 1, "added": 1}),
        ("block_urn", {"balanced_sets": 2}),
        ("complete", {}),
    ]
    for method, parameters in candidates:
        try:
            design = declare(method, units, **parameters)
            design.walk(participants)
        except TrialwrightError:  # the method cannot serve this ratio or length
            continue
        if design != own:
            found.append(_assess(design, participants, seed, alpha, declared=False))
    return tuple(found)


def re_randomisation_size(
    lists: Groups, reference: Groups, outcomes: np.ndarray[tuple[int, int], np.dtype[np.float64]], alpha: float
) -> tuple[float, float]:
    """Share of trials in which the re-randomisation test of no effect rejects, with its simulation error.

    Args:
        lists: shape (trials, n): the list of each trial.
        reference: shape (lists, n): drawn again by the same method.
        outcomes: shape (n, trials).
        alpha: level; p counts the trial's own list as one of the reference lists.
    """
    trials = outcomes.shape[1]
    own = _difference(lists.T.astype(np.float64), outcomes)
    ones = reference.astype(np.float64)
    n_1 = ones.sum(axis=1, keepdims=True)
    sum_1 = ones @ outcomes
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = np.abs(sum_1 / n_1 - (outcomes.sum(axis=0) - sum_1) / (ones.shape[1] - n_1))
    # A list without a comparison is no evidence for an effect.
    drawn = np.where(np.isnan(drawn), 0.0, drawn)
    as_large = (drawn >= np.abs(own) * (1 - 1e-12)).sum(axis=0)
    p = (1 + as_large) / (1 + len(reference))
    share = share_and_error(float((p <= alpha).sum()), float(trials))
    assert share is not None, "there are trials"
    return share


def _difference(
    ones: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    outcomes: np.ndarray[tuple[int, int], np.dtype[np.float64]],
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    n_1 = ones.sum(axis=0)
    sum_1 = (ones * outcomes).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = sum_1 / n_1 - (outcomes.sum(axis=0) - sum_1) / (len(ones) - n_1)
    return np.asarray(np.where(np.isnan(found), 0.0, found))


def _assess(design: Design, participants: int, seed: int, alpha: float, *, declared: bool) -> Assessed:
    predictability, imbalance = _figures(design, participants, seed)
    reference = allocation_lists(design, participants, seed, 1999)
    drawn = allocation_lists(design, participants, seed + 1, BLOCK)
    streams = Streams(seed, "randomisation", 0)
    drift = np.linspace(-1.0, 1.0, participants)[:, None]
    outcomes = streams.normals("outcome", participants) + drift
    size = re_randomisation_size(drawn, reference, outcomes, alpha)
    return Assessed(_named(design), declared, predictability, imbalance, size)


def _figures(design: Design, participants: int, seed: int) -> tuple[tuple[float, float], tuple[float, float]]:
    if participants <= _LONGEST_EXACT:
        try:
            figures = exact(design, participants)
            return (float(figures.predictability), 0.0), (float(figures.mean_imbalance), 0.0)
        except TrialwrightError:  # too many states
            pass
    draws = AddressedDraws(seed, f"assessment {participants}")
    found = simulate(design, participants, lists=_LISTS, draws=draws)
    return (
        (found.predictability, found.predictability_se),
        (found.mean_imbalance, found.mean_imbalance_se),
    )


def _named(design: Design) -> str:
    method = design.method
    parameters = {
        name: value
        for name in ("size", "sizes", "tolerance", "probability", "initial", "added", "balanced_sets")
        if (value := getattr(method, name, None)) is not None
    }
    shown = ", ".join(
        f"{name} {'/'.join(map(str, v)) if isinstance(v, tuple) else v}" for name, v in parameters.items()
    )
    return f"{method.name} ({shown})" if shown else method.name
