"""Minimisation, drawn anew very many times at once: all lists side by side, participant after participant.

The rule is that of :func:`trialwright.randomisation.minimise`, which a test holds beside it draw by draw; imbalance
is measured by the range, in whole numbers, so that ties are ties here too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import lcm

import numpy as np

from trialwright.analysis.errors import PlanCannotRun
from trialwright.analysis.numbered import NumberedDraws
from trialwright.protocol import Study
from trialwright.randomisation import MinimisationDesign, declare_minimisation
from trialwright.statistics.arrays import Array

ASSUMED = "The usual minimisation: probability 4/5, imbalance by range; the sealed specification was not given."
_AT_ONCE = 1_000

Whole = np.ndarray[tuple[int, ...], np.dtype[np.int64]]

Person = Mapping[str, str]
"""Factor → level of one participant."""


def usual_minimisation(study: Study, people: Sequence[Person]) -> MinimisationDesign:
    """The study's minimisation with the parameters that its folder may not hold taken as usual.

    Args:
        study: with ``randomisation.yaml``.
        people: everybody randomised; their sites are the levels of the factor ``site``.
    """
    randomisation = study.randomisation
    factors = {stratum.id: stratum.levels for stratum in randomisation.strata}
    if randomisation.by_site:
        factors["site"] = tuple(sorted({person["site"] for person in people}))
    weights = {stratum.id: stratum.weight for stratum in randomisation.strata}
    # Sorted as the allocation has them.
    units = dict(sorted(randomisation.ratio.items()))
    return declare_minimisation(units, factors, probability="4/5", weights=weights)


def minimised(
    design: MinimisationDesign, people: Sequence[Person], arm_of: Callable[[str], str]
) -> Callable[[int], tuple[str, ...]]:
    """Number of a draw → the arms that minimisation would give.

    Args:
        design: with the measure ``range``.
        people: factors of the participants in order of entry.
        arm_of: allocated unit (arm or sequence) → the arm that is compared.

    Raises:
        PlanCannotRun: a participant whose level of a factor is not known.
    """
    for person in people:
        for name, factor in design.factors.items():
            if person.get(name) not in factor.levels:
                raise PlanCannotRun(
                    f"a participant has the level {person.get(name)!r} of the minimisation factor {name}",
                    remedy="a minimisation is replayed from everybody's factors; look at ADSL",
                    factor=name,
                )
    arms = [arm_of(unit) for unit in design.units]
    drawn: dict[int, Whole] = {}

    def replay(number: int) -> tuple[str, ...]:
        block, place = divmod(number, _AT_ONCE)
        if block not in drawn:
            drawn.clear()  # draws are asked for in order
            drawn[block] = _lists(design, people, range(block * _AT_ONCE, (block + 1) * _AT_ONCE))
        return tuple(arms[int(unit)] for unit in drawn[block][place])

    return replay


def _lists(design: MinimisationDesign, people: Sequence[Person], numbers: range) -> Whole:
    """Places of the units allocated, shape (numbers, people)."""
    uniforms = np.array([_uniforms(number, len(people)) for number in numbers])
    scale, fine = lcm(*design.ratio), lcm(*(factor.weight.denominator for factor in design.factors.values()))
    steps = np.array([scale // ratio for ratio in design.ratio])
    weights = {name: int(factor.weight * fine) for name, factor in design.factors.items()}
    counts = {
        (name, level): np.zeros((len(numbers), steps.size), dtype=np.int64)
        for name, factor in design.factors.items()
        for level in factor.levels
    }
    found = np.empty((len(numbers), len(people)), dtype=np.int64)
    everyone = np.arange(len(numbers))
    for place, person in enumerate(people):
        imbalance = np.zeros((len(numbers), steps.size), dtype=np.int64)
        for name, weight in weights.items():
            level = counts[name, person[name]]
            for unit, step in enumerate(steps):
                tried = level.copy()
                tried[:, unit] += step
                imbalance[:, unit] += weight * (tried.max(axis=1) - tried.min(axis=1))
        found[:, place] = _drawn(design, imbalance, uniforms[:, place])
        for name in weights:
            counts[name, person[name]][everyone, found[:, place]] += steps[found[:, place]]
    return found


def _drawn(design: MinimisationDesign, imbalance: Whole, uniform: Array) -> Whole:
    """The unit whose share of the line from 0 to 1 holds the number; the shares of Han, Enas and McEntegart."""
    ratio, whole = np.array(design.ratio, dtype=np.float64), sum(design.ratio)
    rest = (1 - design.probability) / (whole - min(design.ratio))
    preferred = np.where(imbalance == imbalance.min(axis=1, keepdims=True), ratio, 0.0)
    shares = float(rest) * ratio + float(1 - rest * whole) * preferred / preferred.sum(axis=1, keepdims=True)
    passed = uniform[:, None] >= np.cumsum(shares, axis=1)[:, :-1]
    return np.asarray(passed.sum(axis=1), dtype=np.int64)


def _uniforms(number: int, count: int) -> list[float]:
    draws = NumberedDraws(f"replay/minimisation/{number}")
    return [draws.fraction() for _ in range(count)]
