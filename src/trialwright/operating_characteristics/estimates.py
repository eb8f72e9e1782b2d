"""Estimates of many trials at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from trialwright.statistics import Estimate
from trialwright.statistics.arrays import Array

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Estimates:
    """One contrast in each of many trials.

    Attributes:
        value, standard_error, df: shape (trials,), as in :class:`~trialwright.statistics.Estimate`; NaN where the
            data of a trial did not allow an estimate.
    """

    value: Array
    standard_error: Array
    df: Array

    @staticmethod
    def of(value: Array, variance: Array, df: Array | float) -> Estimates:
        """From variances; a variance that is not above zero is no estimate."""
        usable = (variance > 0.0) & np.isfinite(value) & np.isfinite(variance)
        with np.errstate(invalid="ignore"):
            error = np.where(usable, np.sqrt(np.where(usable, variance, 1.0)), np.nan)
        spread = np.broadcast_to(np.asarray(df, dtype=np.float64), value.shape)
        return Estimates(np.where(usable, value, np.nan), error, np.where(usable, spread, np.nan))

    def first(self, count: int) -> Estimates:
        """The first trials only."""
        return Estimates(self.value[:count], self.standard_error[:count], self.df[:count])

    def one(self, trial: int) -> Estimate:
        """The estimate of one trial, its number counted from 0 here."""
        return Estimate(float(self.value[trial]), float(self.standard_error[trial]), float(self.df[trial]))

    def p_values(self, truth: float = 0.0) -> Array:
        """Two-sided p-values of the hypothesis that the contrast is ``truth``; NaN where there is no estimate."""
        t = np.abs(self.value - truth) / self.standard_error
        return np.asarray(2.0 * special.stdtr(self.df, -t))

    def half_widths(self, alpha: float) -> Array:
        """Half the two-sided confidence interval of level 1 − alpha."""
        levels, place = np.unique(self.df, return_inverse=True)
        return np.asarray(special.stdtrit(levels, 1.0 - alpha / 2.0)[place] * self.standard_error)
