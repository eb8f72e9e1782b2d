"""Group-sequential trials: looks at accumulating data, with critical values of :mod:`trialwright.statistics`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from trialwright.operating_characteristics.contracts import Data, Method
from trialwright.operating_characteristics.errors import CannotSimulate
from trialwright.operating_characteristics.tallies import tally_numbers
from trialwright.statistics import (
    CannotEstimate,
    lan_demets_obrien_fleming,
    lan_demets_pocock,
    obrien_fleming,
    pocock,
    spending_boundaries,
)
from trialwright.statistics.arrays import Array


@dataclass(frozen=True, eq=False)
class Looks:
    """Looks at the first participants of a parallel trial.

    Args:
        analysis: what is done at every look, with the participants who have their outcome then.
        participants: how many have their outcome at each look, increasing.
        bounds: critical value of \\|Z\\| at each look. Z is the normal deviate with the p-value of the t-test.

    Raises:
        CannotSimulate: looks out of order, or another number of bounds.
    """

    analysis: Method
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

    def first_crossing(self, data: Data) -> npt.NDArray[np.intp]:
        """The look at which each trial stops with a difference, from 1; 0 where none does."""
        found: npt.NDArray[np.intp] | None = None
        for look, (n, bound) in enumerate(zip(self.participants, self.bounds, strict=True), start=1):
            z = -special.ndtri(self.analysis.analyse(data.head(n)).p_values() / 2.0)
            crossed = z >= bound
            found = np.zeros(z.shape, dtype=np.intp) if found is None else found
            found[(found == 0) & crossed] = look
        assert found is not None, "there is a look"
        return found

    def first_crossing_of(self, data: Data, trial: int) -> int:
        """The same for one trial by the full functions of the statistics."""
        for look, (n, bound) in enumerate(zip(self.participants, self.bounds, strict=True), start=1):
            try:
                estimate = self.analysis.reference(data.head(n), trial)
            except CannotEstimate:
                continue
            if -special.ndtri(estimate.p_value / 2.0) >= bound:
                return look
        return 0


def bounds_of(boundaries: str, fractions: Sequence[float], alpha: float) -> Array:
    """Critical values of \\|Z\\| at each look.

    Args:
        boundaries: ``pocock`` or ``obrien_fleming``, for looks at equal distances; ``lan_demets_pocock`` or
            ``lan_demets_obrien_fleming``.
        fractions: of the information, increasing to 1.
        alpha: of both sides together.
    """
    match boundaries:
        case "pocock":
            return pocock(len(fractions), alpha)
        case "obrien_fleming":
            return obrien_fleming(len(fractions), alpha)
        case "lan_demets_pocock":
            return spending_boundaries(fractions, lan_demets_pocock(alpha))
        case _:
            return spending_boundaries(fractions, lan_demets_obrien_fleming(alpha))


def tally_looks(looks: Looks, data: Data, trials: int) -> dict[str, float]:
    """Sums over the first ``trials`` trials of a block: how many stop at each look, and participants until then."""
    crossings = looks.first_crossing(data)[:trials]
    stopped = {f"stopped_{k}": float((crossings == k).sum()) for k in range(1, len(looks.participants) + 1)}
    needed = np.array([looks.participants[-1], *looks.participants], dtype=np.float64)[crossings]
    return {"trials": float(trials), **stopped, **tally_numbers("participants", needed)}


def stopping(crossings: Sequence[npt.NDArray[np.intp]], looks: int) -> Array:
    """Share of trials that stop at each look, shape (looks,)."""
    every = np.concatenate(list(crossings))
    return np.array([(every == look).mean() for look in range(1, looks + 1)])
