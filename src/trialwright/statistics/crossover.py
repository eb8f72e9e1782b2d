"""The 2×2 crossover in closed form, from complete pairs.

Sources: Jones and Kenward, Design and Analysis of Cross-Over Trials, 3rd ed. 2014, sections 2.3–2.6; Senn,
Cross-over Trials in Clinical Research, 2nd ed. 2002, chapter 3.

Letters: y_ijk is the outcome of participant k of sequence i (1 = AB, 2 = BA) in period j. With d = y_i1k − y_i2k and
s = y_i1k + y_i2k, the treatment effect A − B is (d̄_1 − d̄_2) / 2, the period effect (period 1 − period 2) is
(d̄_1 + d̄_2) / 2, and the difference in carry-over is s̄_1 − s̄_2; each with the pooled variance of d or s and
n_1 + n_2 − 2 degrees of freedom. For complete pairs this is what a mixed model with participant, period, treatment
and sequence gives for the treatment effect.
"""

from __future__ import annotations

import numpy as np

from trialwright.statistics.arrays import Array, ArrayLike, matrix
from trialwright.statistics.errors import CannotEstimate
from trialwright.statistics.estimate import Estimate


class TwoByTwo:
    """Estimates of a 2×2 crossover.

    Args:
        ab: shape (n_1, 2): outcomes in periods 1 and 2 of participants who received A, then B.
        ba: shape (n_2, 2): the same of those who received B, then A.

    Raises:
        CannotEstimate: another shape, missing values, or fewer than two participants in a sequence.
    """

    def __init__(self, ab: ArrayLike, ba: ArrayLike) -> None:
        self._ab = _pairs(ab, "ab")
        self._ba = _pairs(ba, "ba")

    def treatment(self) -> Estimate:
        """A − B within participants, adjusted for period."""
        return _halved(_difference(_within(self._ab), _within(self._ba)))

    def treatment_ignoring_period(self) -> Estimate:
        """A − B by the paired t-test: biased by a period effect when the sequences differ in size."""
        gains = np.concatenate([_within(self._ab), -_within(self._ba)])
        return _one_mean(gains)

    def period(self) -> Estimate:
        """Period 1 − period 2, adjusted for treatment."""
        return _halved(_difference(_within(self._ab), -_within(self._ba)))

    def carry_over(self) -> Estimate:
        """Difference in carry-over of A and B, between participants.

        Never use it to decide how to analyse (the two-stage procedure): it has little power, and choosing by it
        inflates the type-I error (Freeman, Stat Med 1989;8:1421–1432). It is reported, not acted on.
        """
        return _difference(self._ab.sum(axis=1), self._ba.sum(axis=1))

    def first_period(self) -> Estimate:
        """A − B from period 1 alone, between participants: unbiased whatever carries over."""
        return _difference(self._ab[:, 0], self._ba[:, 0])


def _pairs(values: ArrayLike, name: str) -> Array:
    array = matrix(values, name=name)
    if array.shape[1] != 2 or array.shape[0] < 2:
        raise CannotEstimate(
            f"{name} has shape {array.shape}",
            remedy="give one row for each participant, at least two rows, and the two periods as columns",
            name=name,
        )
    return array


def _within(pairs: Array) -> Array:
    return np.asarray(pairs[:, 0] - pairs[:, 1], dtype=np.float64)


def _difference(one: Array, two: Array) -> Estimate:
    """Difference of two means with the pooled variance."""
    df = one.size + two.size - 2
    squares = float(((one - one.mean()) ** 2).sum() + ((two - two.mean()) ** 2).sum())
    return _estimate(float(one.mean() - two.mean()), squares / df * (1 / one.size + 1 / two.size), df)


def _one_mean(values: Array) -> Estimate:
    return _estimate(float(values.mean()), float(values.var(ddof=1)) / values.size, values.size - 1)


def _halved(estimate: Estimate) -> Estimate:
    return Estimate(estimate.value / 2, estimate.standard_error / 2, estimate.df)


def _estimate(value: float, variance: float, df: float) -> Estimate:
    if variance <= 0.0:
        raise CannotEstimate(
            "the outcome does not vary between participants", remedy="check that the data are complete"
        )
    return Estimate(value, float(np.sqrt(variance)), float(df))
