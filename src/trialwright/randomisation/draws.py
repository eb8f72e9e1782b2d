"""Where chance enters: the port every method draws from, and the one way a draw becomes a choice."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Protocol


class Draws(Protocol):
    """A stream of uniform numbers. The generator behind it is the caller's business."""

    def below(self, n: int) -> int:
        """An integer uniform on 0 … n-1, exactly (by rejection, never by a remainder); ``n`` ≥ 1, of any size."""
        ...

    def fraction(self) -> float:
        """A multiple of 2^-53, uniform on [0, 1)."""
        ...


def choose(weights: Sequence[int], draws: Draws) -> int:
    """The index drawn with probability ``weights[i] / sum(weights)``.

    One call of ``draws.below(sum(weights))``; the answer is the first index whose cumulated weight exceeds the
    number drawn. Weights are integers, so the probability is exact.
    """
    number = draws.below(sum(weights))
    return next(index for index, cumulated in enumerate(accumulate(weights)) if number < cumulated)
