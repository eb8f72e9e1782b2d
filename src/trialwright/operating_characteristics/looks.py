"""Group-sequential trials: looks at accumulating data, with critical values of :mod:`trialwright.statistics`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from trialwright.operating_characteristics.errors import CannotSimulate
from trialwright.operating_characteristics.repeated import RepeatedData
from trialwright.operating_characteristics.two_means import CompareMeans
from trialwright.statistics.arrays import Array


@dataclass(frozen=True, eq=False)
class Looks:
    """Looks at the first participants of a parallel trial.

    Args:
        analysis: what is done at every look.
        participants: how many have their outcome at each look, increasing.
        bounds: critical value of \\|Z\\| at each look. Z is the normal deviate with the p-value of the t-test.

    Raises:
        CannotSimulate: looks out of order, or another number of bounds.
    """

    analysis: CompareMeans
    participants: tuple[int, ...]
    bounds: Array

    def __post_init__(self) -> None:
        ordered = all(a < b for a, b in zip(self.participants, self.participants[1:], strict=False))
        if (
            not self.participants
            or not ordered
            or self.participants[0] < 4
            or self.bounds.shape != (len(self.participants),)
        ):
            raise CannotSimulate(
                f"looks after {list(self.participants)} participants with {self.bounds.size} bounds",
                remedy="give increasing numbers from 4 on, and one bound for each",
            )

    def first_crossing(self, data: RepeatedData) -> npt.NDArray[np.intp]:
        """The look at which each trial stops with a difference, from 1; 0 where none does."""
        found = np.zeros(data.y.shape[2], dtype=np.intp)
        for look, (n, bound) in enumerate(zip(self.participants, self.bounds, strict=True), start=1):
            seen = None if data.observed is None else data.observed[:n]
            p = self.analysis.analyse(RepeatedData(data.y[:n], seen, data.group[:n])).p_values()
            z = -special.ndtri(p / 2.0)
            found[(found == 0) & (z >= bound)] = look
        return found

    def first_crossing_of(self, data: RepeatedData, trial: int) -> int:
        """The same for one trial by the full functions of the statistics."""
        for look, (n, bound) in enumerate(zip(self.participants, self.bounds, strict=True), start=1):
            seen = None if data.observed is None else data.observed[:n]
            estimate = self.analysis.reference(RepeatedData(data.y[:n], seen, data.group[:n]), trial)
            if -special.ndtri(estimate.p_value / 2.0) >= bound:
                return look
        return 0


def stopping(crossings: Sequence[npt.NDArray[np.intp]], looks: int) -> Array:
    """Share of trials that stop at each look, shape (looks,)."""
    every = np.concatenate(list(crossings))
    return np.array([(every == look).mean() for look in range(1, looks + 1)])
