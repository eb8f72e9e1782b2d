"""A randomisation method as a walk: in each state a few choices with integer weights.

Writing every list method in this one form gives list generation, exact enumeration and exact operating
figures from the same few lines, so what is proved by enumeration is what is used to randomise.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import NamedTuple

State = Hashable


class Choice(NamedTuple):
    """One possible next allocation.

    ``weight`` ≥ 0 is relative to the other choices of the state; ``unit`` is the index of the arm or sequence.
    """

    weight: int
    unit: int
    then: State


@dataclass(frozen=True)
class Walk:
    """A starting state and, for each state, its choices in a fixed order.

    The order is part of the method: an independent statistician who regenerates a list needs it.
    """

    start: State
    choices: Callable[[State], tuple[Choice, ...]]
