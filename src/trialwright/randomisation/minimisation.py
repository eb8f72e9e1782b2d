"""Minimisation: each participant goes, most probably, where the marginal imbalance becomes least.

Source: Pocock and Simon, Biometrics 31 (1975) 103-115. Unequal ratios: Han, Enas and McEntegart, Statistics in
Medicine 28 (2009) 3329-3346 (biased-coin minimisation), which keeps the ratio that the plain form distorts.

Notation: unit j has ratio w_j, W = Σ w_j; factor i has weight a_i; x_ij counts earlier participants on unit j
who share the new participant's level of factor i. All arithmetic is exact, so ties are ties on every machine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from itertools import accumulate
from math import isqrt, lcm
from types import MappingProxyType

from trialwright.randomisation.designs import checked_ratio
from trialwright.randomisation.draws import Draws
from trialwright.randomisation.enumeration import Simulated, score
from trialwright.randomisation.errors import InvalidDesign, InvalidHistory, InvalidListLength
from trialwright.randomisation.methods import Ratio, exact_fraction
from trialwright.randomisation.strata import check_factors, check_values

# Square roots are taken to 40 decimals and compared at 30: equal sums of roots meet, unequal ones do not.
_ROOT, _COMPARED = 10**40, 10**30
_WHOLE = 2**53


class Measure(Enum):
    """How the counts of one factor's level, each divided by its unit's ratio, become one number.

    RANGE, VARIANCE (divisor: units - 1) and STANDARD_DEVIATION are taken *after* adding the participant to the
    unit under trial. MARGINAL_TOTAL is that unit's count *before* (Taves, Clinical Pharmacology and
    Therapeutics 15 (1974) 443-453).
    """

    RANGE = "range"
    VARIANCE = "variance"
    STANDARD_DEVIATION = "standard_deviation"
    MARGINAL_TOTAL = "marginal_total"


@dataclass(frozen=True)
class Factor:
    """A minimisation factor: its levels in order and its weight (exact, > 0)."""

    levels: tuple[str, ...]
    weight: Fraction = Fraction(1)


@dataclass(frozen=True)
class MinimisationDesign:
    """What a study declares about its minimisation.

    Args:
        units: labels of arms or sequences.
        ratio: whole numbers ≥ 1, one a unit.
        factors: name → :class:`Factor`, at least one.
        probability: of the preferred unit when it has the smallest ratio; from that unit's share
            min(w)/W up to 1, exact. 1 is deterministic and predictable.
        measure: see :class:`Measure`.

    Raises:
        InvalidDesign, InvalidFactors: what the values above rule out.
    """

    units: tuple[str, ...]
    ratio: Ratio
    factors: Mapping[str, Factor]
    probability: Fraction
    measure: Measure = Measure.RANGE

    def __post_init__(self) -> None:
        object.__setattr__(self, "ratio", checked_ratio(self.units, self.ratio))
        if not self.factors:
            raise InvalidDesign(
                "minimisation was given no factor", remedy="give at least one factor, or use a list method"
            )
        check_factors({name: factor.levels for name, factor in self.factors.items()})
        weighed = {name: _with_exact_weight(name, factor) for name, factor in self.factors.items()}
        object.__setattr__(self, "factors", MappingProxyType(weighed))
        p = exact_fraction(self.probability, of="the probability of minimisation")
        object.__setattr__(self, "probability", p)
        least = Fraction(min(self.ratio), sum(self.ratio))
        if not least <= p <= 1:
            raise InvalidDesign(
                f"minimisation was given the probability {p}",
                remedy=f"give a probability from {least} to 1 for the preferred unit, for example 4/5",
                probability=str(p),
            )


def declare_minimisation(
    units: Mapping[str, int],
    factors: Mapping[str, Iterable[str]],
    *,
    probability: object,
    weights: Mapping[str, object] | None = None,
    measure: str = "range",
) -> MinimisationDesign:
    """A minimisation design from plain values, as they stand in a study file.

    Args:
        units: label → ratio.
        factors: name → levels.
        probability: exact, as text or Fraction (``"4/5"``).
        weights: factor → weight, exact; 1 where not given.
        measure: ``range``, ``variance``, ``standard_deviation`` or ``marginal_total``.

    Raises:
        InvalidDesign, InvalidFactors: see :class:`MinimisationDesign`; also a weight for no factor.
    """
    known = [m.value for m in Measure]
    if measure not in known:
        raise InvalidDesign(
            f"{measure!r} is not a measure of imbalance",
            remedy=f"use one of: {', '.join(known)}",
            measure=measure,
        )
    given = dict(weights or {})
    if set(given) - set(factors):
        raise InvalidDesign(
            f"weights were given for {sorted(given)}",
            remedy=f"give weights only for: {', '.join(factors)}",
            given=str(sorted(given)),
        )
    weighed = {
        name: Factor(tuple(levels), exact_fraction(given.get(name, 1), of=f"the weight of {name}"))
        for name, levels in factors.items()
    }
    p = exact_fraction(probability, of="the probability of minimisation")
    return MinimisationDesign(tuple(units), tuple(units.values()), weighed, p, Measure(measure))


@dataclass(frozen=True)
class Draw:
    """One minimised allocation and everything that led to it.

    Attributes:
        label: the unit allocated.
        probability: that this unit had.
        number: the 53-bit integer drawn; the uniform number is ``number / 2**53``.
        probabilities: of each unit, in the design's order; they add up to 1.
        imbalance: G_j, the weighted imbalance that each unit would lead to.
        totals: x_ij before this draw: factor → counts in the design's unit order.
    """

    label: str
    probability: Fraction
    number: int
    probabilities: tuple[Fraction, ...]
    imbalance: tuple[Fraction, ...]
    totals: Mapping[str, tuple[int, ...]]


@dataclass
class Tally:
    """Running counts of (factor, level, unit): what minimisation needs to know of the past."""

    design: MinimisationDesign
    _counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def add(self, factors: Mapping[str, str], label: str) -> None:
        """Count one allocated participant.

        Raises:
            InvalidFactors: see :func:`minimise`.
            InvalidHistory: the label is no unit of the design.
        """
        check_values(_levels(self.design), factors)
        if label not in self.design.units:
            raise InvalidHistory(
                f"an earlier allocation is {label!r}",
                remedy=f"the design knows: {', '.join(self.design.units)}; replay with the design in force then",
                label=label,
            )
        self._counts.update((factor, level, label) for factor, level in factors.items())

    def totals(self, factors: Mapping[str, str]) -> dict[str, tuple[int, ...]]:
        """x_ij for a participant with these factors, in the design's order of factors and units."""
        return {
            name: tuple(self._counts[name, factors[name], unit] for unit in self.design.units)
            for name in self.design.factors
        }


def minimise(
    design: MinimisationDesign,
    history: Iterable[tuple[Mapping[str, str], str]] | Tally,
    factors: Mapping[str, str],
    draws: Draws,
) -> Draw:
    """The next allocation.

    One call of ``draws.fraction()``; the unit is the first whose cumulated probability exceeds it.

    Args:
        design: as declared.
        history: earlier participants as (factor → level, label), or a :class:`Tally` that holds them already.
            Neither is changed.
        factors: the new participant's factor → level, every factor of the design.
        draws: where the number comes from.

    Raises:
        InvalidFactors: a factor is missing or unknown, or holds an undeclared level.
        InvalidHistory: an earlier allocation is no unit of the design.
    """
    check_values(_levels(design), factors)
    tally = history if isinstance(history, Tally) else _tallied(design, history)
    totals = tally.totals(factors)
    imbalances = _imbalances(design, totals)
    probabilities = _probabilities(design, imbalances)
    number = int(draws.fraction() * _WHOLE)
    uniform = Fraction(number, _WHOLE)
    unit = next(j for j, cumulated in enumerate(accumulate(probabilities)) if uniform < cumulated)
    return Draw(
        label=design.units[unit],
        probability=probabilities[unit],
        number=number,
        probabilities=probabilities,
        imbalance=imbalances,
        totals=totals,
    )


def simulate_minimisation(design: MinimisationDesign, n: int, *, trials: int, draws: Draws) -> Simulated:
    """Convergence guesses and final imbalance over ``trials`` ≥ 2 simulated trials of ``n`` ≥ 1 participants.

    The levels of each factor are equally likely and independent. The guesser sees the allocations, not the
    factors; with probability 1 a guesser who knows the factors as well is always right.

    Raises:
        InvalidListLength: fewer than two trials or no participant.
    """
    if trials < 2 or n < 1:
        raise InvalidListLength(
            f"{trials} trials of {n} participants were asked for",
            remedy="ask for at least 2 trials of at least 1 participant",
            trials=trials,
            n=n,
        )
    samples = [_simulated_trial(design, n, draws) for _ in range(trials)]
    return score(samples, design.ratio)


def _simulated_trial(design: MinimisationDesign, n: int, draws: Draws) -> list[int]:
    tally, units = Tally(design), []
    for _ in range(n):
        person = {name: f.levels[draws.below(len(f.levels))] for name, f in design.factors.items()}
        label = minimise(design, tally, person, draws).label
        tally.add(person, label)
        units.append(design.units.index(label))
    return units


def _tallied(design: MinimisationDesign, history: Iterable[tuple[Mapping[str, str], str]]) -> Tally:
    tally = Tally(design)
    for earlier, label in history:
        tally.add(earlier, label)
    return tally


def _imbalances(design: MinimisationDesign, totals: Mapping[str, tuple[int, ...]]) -> tuple[Fraction, ...]:
    """G_j = Σ_i a_i · D(x_i1/w_1, …, (x_ij + 1)/w_j, …) for each unit j."""
    return tuple(
        sum(
            (
                factor.weight * _spread(design.measure, totals[name], design.ratio, unit)
                for name, factor in design.factors.items()
            ),
            Fraction(0),
        )
        for unit in range(len(design.units))
    )


def _spread(measure: Measure, counts: tuple[int, ...], ratio: Ratio, unit: int) -> Fraction:
    if measure is Measure.MARGINAL_TOTAL:
        return Fraction(counts[unit], ratio[unit])
    # Everything over one denominator, so that the differences below are whole numbers.
    scale = lcm(*ratio)
    level = [(c + (j == unit)) * (scale // w) for j, (c, w) in enumerate(zip(counts, ratio, strict=True))]
    if measure is Measure.RANGE:
        return Fraction(max(level) - min(level), scale)
    size = len(level)
    variance = Fraction(size * sum(x * x for x in level) - sum(level) ** 2, size * (size - 1) * scale * scale)
    return variance if measure is Measure.VARIANCE else _root(variance)


def _root(value: Fraction) -> Fraction:
    """√value rounded down to 40 decimals; exact when value is the square of a short decimal."""
    return Fraction(isqrt(value.numerator * _ROOT * _ROOT // value.denominator), _ROOT)


def _probabilities(design: MinimisationDesign, imbalances: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    """c·w_j for every unit, and what is left shared among the preferred ones in proportion to their ratios.

    c = (1 - p) / (W - min w) is the constant of Han, Enas and McEntegart: a preferred unit with the smallest
    ratio gets exactly p, and each unit not preferred gets its ratio's share of the rest.
    """
    whole = sum(design.ratio)
    rest = (1 - design.probability) / (whole - min(design.ratio))
    compared = [round(g * _COMPARED) for g in imbalances]
    preferred = [w if g == min(compared) else 0 for g, w in zip(compared, design.ratio, strict=True)]
    favour = (1 - rest * whole) / sum(preferred)
    return tuple(rest * w + favour * f for w, f in zip(design.ratio, preferred, strict=True))


def _levels(design: MinimisationDesign) -> dict[str, tuple[str, ...]]:
    return {name: factor.levels for name, factor in design.factors.items()}


def _with_exact_weight(name: str, factor: Factor) -> Factor:
    weight = exact_fraction(factor.weight, of=f"the weight of {name}")
    if weight <= 0:
        raise InvalidDesign(
            f"factor {name!r} was given the weight {weight}",
            remedy="give a weight above 0, or leave the factor out",
            factor=name,
        )
    return Factor(tuple(factor.levels), weight)
