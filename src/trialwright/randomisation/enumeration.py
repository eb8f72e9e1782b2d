"""Exact probabilities: of every list, of a correct guess, of an imbalance.

Guessing is by convergence (Blackwell and Hodges, Annals of Mathematical Statistics 28 (1957) 449-460): a person
who knows the earlier allocations guesses the unit that lags furthest behind its ratio; among units that lag
equally one is guessed by chance in proportion to their ratios.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import sqrt

from trialwright.randomisation.designs import Design, Sampler
from trialwright.randomisation.draws import Draws
from trialwright.randomisation.errors import InvalidListLength
from trialwright.randomisation.methods import Ratio
from trialwright.randomisation.walks import Choice, State

# Lists longer than this are many; the exact figures below do not need them one by one.
_MOST_LISTS = 50_000
# Beyond this many states an exact answer takes minutes; simulation gives three digits in seconds.
_MOST_STATES = 200_000

Counts = tuple[int, ...]


@dataclass(frozen=True)
class Exact:
    """Exact operating figures of a list design at length n.

    Attributes:
        predictability: expected share of correct convergence guesses, 0 … 1.
        mean_imbalance: expected final Σ_j |n_j - n·w_j/W|; for two units 1:1 this is E|n_1 - n_2|.
        largest_imbalance: the largest imbalance that any list shows at any position.
    """

    predictability: Fraction
    mean_imbalance: Fraction
    largest_imbalance: Fraction


@dataclass(frozen=True)
class Simulated:
    """Operating figures from simulated lists, each with its Monte-Carlo standard error."""

    lists: int
    predictability: float
    predictability_se: float
    mean_imbalance: float
    mean_imbalance_se: float


def list_probabilities(design: Design, n: int) -> dict[tuple[str, ...], Fraction]:
    """Every possible list of ``n`` allocations with its probability; for small n and exact tests.

    Raises:
        InvalidListLength: see :meth:`Design.walk`, or more than 50,000 lists.
    """
    walk = design.walk(n)
    reached: dict[tuple[tuple[str, ...], State], Fraction] = {((), walk.start): Fraction(1)}
    for _ in range(n):
        onwards: defaultdict[tuple[tuple[str, ...], State], Fraction] = defaultdict(Fraction)
        for (labels, state), probability in reached.items():
            for choice, share in _shares(walk.choices(state)):
                onwards[(*labels, design.units[choice.unit]), choice.then] += probability * share
        _refuse_above(_MOST_LISTS, len(onwards), n, remedy="ask for a shorter list, or use `exact`")
        reached = onwards
    lists: defaultdict[tuple[str, ...], Fraction] = defaultdict(Fraction)
    for (labels, _state), probability in reached.items():
        lists[labels] += probability
    return dict(lists)


def exact(design: Design, n: int) -> Exact:
    """Exact predictability and imbalance by dynamic programming over (state, counts).

    Raises:
        InvalidListLength: see :meth:`Design.walk`, or more than 200,000 states at one position.
    """
    walk, ratio = design.walk(n), design.ratio
    reached: dict[tuple[State, Counts], Fraction] = {(walk.start, (0,) * len(ratio)): Fraction(1)}
    correct = largest = Fraction(0)
    for _ in range(n):
        onwards: defaultdict[tuple[State, Counts], Fraction] = defaultdict(Fraction)
        for (state, counts), probability in reached.items():
            guess = _convergence_guess(counts, ratio)
            for choice, share in _shares(walk.choices(state)):
                onwards[choice.then, _counted(counts, choice.unit)] += probability * share
                correct += probability * share * guess[choice.unit]
        _refuse_above(_MOST_STATES, len(onwards), n, remedy="ask for a shorter list, or use `simulate`")
        reached = onwards
        largest = max(largest, *(imbalance(counts, ratio) for _, counts in reached))
    mean = sum((p * imbalance(counts, ratio) for (_, counts), p in reached.items()), Fraction(0))
    return Exact(correct / n, mean, largest)


def simulate(design: Design, n: int, *, lists: int, draws: Draws) -> Simulated:
    """The figures of :func:`exact` from ``lists`` ≥ 2 simulated lists.

    Raises:
        InvalidListLength: see :meth:`Design.walk`, or fewer than two lists.
    """
    if lists < 2:
        raise InvalidListLength(f"{lists} simulated lists were asked for", remedy="ask for 2 or more", lists=lists)
    sampler = Sampler(design.walk(n))
    samples = [sampler.sample(n, draws) for _ in range(lists)]
    return score(samples, design.ratio)


def score(samples: Sequence[Sequence[int]], ratio: Ratio) -> Simulated:
    """Convergence guesses and final imbalance of lists given as unit indices; two lists or more."""
    guess = cache(lambda counts: [float(share) for share in _convergence_guess(counts, ratio)])
    shares, imbalances = [], []
    for sample in samples:
        counts, hits = (0,) * len(ratio), 0.0
        for unit in sample:
            hits += guess(counts)[unit]
            counts = _counted(counts, unit)
        shares.append(hits / len(sample))
        imbalances.append(float(imbalance(counts, ratio)))
    return Simulated(len(samples), *_mean_and_error(shares), *_mean_and_error(imbalances))


def predictability(design: Design, n: int) -> Fraction:
    """Expected share of correct convergence guesses over ``n`` allocations, exactly."""
    return exact(design, n).predictability


def imbalance(counts: Counts, ratio: Ratio) -> Fraction:
    """Σ_j |n_j - n·w_j/W|: how far the counts are from the ratio; |n_1 - n_2| for two units 1:1."""
    total, whole = sum(counts), sum(ratio)
    return Fraction(sum(abs(c * whole - total * w) for c, w in zip(counts, ratio, strict=True)), whole)


def _convergence_guess(counts: Counts, ratio: Ratio) -> tuple[Fraction, ...]:
    """The probability that each unit is guessed."""
    filled = [Fraction(c, w) for c, w in zip(counts, ratio, strict=True)]
    lagging = [w if f == min(filled) else 0 for f, w in zip(filled, ratio, strict=True)]
    return tuple(Fraction(w, sum(lagging)) for w in lagging)


def _shares(choices: tuple[Choice, ...]) -> list[tuple[Choice, Fraction]]:
    total = sum(choice.weight for choice in choices)
    return [(choice, Fraction(choice.weight, total)) for choice in choices if choice.weight]


def _counted(counts: Counts, unit: int) -> Counts:
    return (*counts[:unit], counts[unit] + 1, *counts[unit + 1 :])


def _mean_and_error(values: list[float]) -> tuple[float, float]:
    size = len(values)
    mean = sum(values) / size
    variance = sum((value - mean) ** 2 for value in values) / (size - 1)
    return mean, sqrt(variance / size)


def _refuse_above(limit: int, found: int, n: int, *, remedy: str) -> None:
    if found > limit:
        raise InvalidListLength(
            f"an exact answer for {n} allocations needs more than {limit} cases", remedy=remedy, n=n
        )
