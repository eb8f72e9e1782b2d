"""Several hypotheses, one error: tests in a declared order, and Holm's.

Sources: Holm, Scand J Stat 1979;6:65–70; Maurer, Hothorn and Lehmacher, in Biometrie in der chemisch-pharmazeutischen
Industrie 6, 1995 (fixed sequence); Westfall and Krishen, J Stat Plan Inference 2001;99:25–40 (serial gatekeeping);
adjusted p-values as in Wright, Biometrics 1992;48:1005–1013.

The adjusted p-value of a hypothesis is the smallest error of all hypotheses together at which it would be rejected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trialwright.statistics.errors import CannotEstimate


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of one hypothesis.

    Attributes:
        name: as it was given.
        p_value: as it was given.
        adjusted: its adjusted p-value, at most 1.
        rejected: whether ``adjusted`` is at most alpha.
    """

    name: str
    p_value: float
    adjusted: float
    rejected: bool


def fixed_sequence(p_values: Mapping[str, float], alpha: float = 0.05) -> tuple[Decision, ...]:
    """Each is tested at alpha in the order given, until the first that is not rejected.

    Args:
        p_values: by name, in the declared order.
        alpha: error of all together.

    Raises:
        CannotEstimate: no p-value, or one outside 0 … 1, or alpha outside it.
    """
    return gatekeeping([{name: p} for name, p in p_values.items()], alpha)


def holm(p_values: Mapping[str, float], alpha: float = 0.05) -> tuple[Decision, ...]:
    """The smallest of m p-values is compared with alpha / m, the next with alpha / (m − 1) …, in the order given.

    Raises:
        CannotEstimate: as :func:`fixed_sequence`.
    """
    return gatekeeping([p_values], alpha)


def gatekeeping(families: Sequence[Mapping[str, float]], alpha: float = 0.05) -> tuple[Decision, ...]:
    """Families in the declared order; one is tested, by Holm's method, only when all before it were wholly rejected.

    Args:
        families: each maps names to p-values; no name twice.
        alpha: error of all together.

    Raises:
        CannotEstimate: no p-value, one outside 0 … 1, a name twice, or alpha outside 0 … 1.
    """
    names = [name for family in families for name in family]
    if not names or len(set(names)) < len(names) or not all(families):
        raise CannotEstimate("an empty family, or a name twice", remedy="name every hypothesis once")
    if not 0 < alpha < 1:
        raise CannotEstimate(f"an error of {alpha}", remedy="give alpha between 0 and 1")
    gate, decisions = 0.0, []
    for family in families:
        adjusted = {name: max(gate, p) for name, p in _holm_adjusted(family).items()}
        decisions += [Decision(name, family[name], p, p <= alpha) for name, p in adjusted.items()]
        gate = max(adjusted.values())
    return tuple(decisions)


def _holm_adjusted(family: Mapping[str, float]) -> dict[str, float]:
    wrong = [name for name, p in family.items() if not 0 <= p <= 1]
    if wrong:
        raise CannotEstimate(f"the p-value of {wrong[0]!r} is {family[wrong[0]]}", remedy="give one between 0 and 1")
    largest, found = 0.0, {}
    for place, name in enumerate(sorted(family, key=lambda name: family[name])):
        largest = max(largest, min((len(family) - place) * family[name], 1.0))
        found[name] = largest
    return {name: found[name] for name in family}
