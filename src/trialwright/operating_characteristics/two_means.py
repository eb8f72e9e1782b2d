"""Two-arm comparison of means, with or without one covariate, and the complete 2×2 crossover: closed forms.

Letters as in :mod:`trialwright.statistics.linear_model`: with one covariate x the common slope within arms is
b = Σ S_xy / Σ S_xx, the difference ȳ_1 − ȳ_0 − b (x̄_1 − x̄_0), its variance
s² (1/n_1 + 1/n_0 + (x̄_1 − x̄_0)² / S_xx) with n − 3 degrees of freedom.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trialwright.operating_characteristics.estimates import Estimates, Flags
from trialwright.operating_characteristics.repeated import RepeatedData
from trialwright.statistics import CannotEstimate, Estimate, TwoByTwo, ancova
from trialwright.statistics.arrays import Array


@dataclass(frozen=True)
class CompareMeans:
    """Outcome at one visit: group 1 − group 0, adjusted for at most one covariate; complete cases.

    Attributes:
        visit: where the outcome is.
        change_from: subtract this visit from the outcome.
        covariate: visit whose value is the covariate.
    """

    visit: int
    change_from: int | None = None
    covariate: int | None = None

    def analyse(self, data: RepeatedData) -> Estimates:
        """The difference in every trial of the block."""
        y = data.y[:, self.visit]
        if self.change_from is not None:
            y = y - data.y[:, self.change_from]
        x = None if self.covariate is None else data.y[:, self.covariate]
        return compare_means(y, data.group == 1, x, self._complete(data))

    def reference(self, data: RepeatedData, trial: int) -> Estimate:
        """The same for one trial of the block, by the full function of the statistics.

        Raises:
            CannotEstimate: the trial's data do not allow it.
        """
        y, seen, group = data.one(trial)
        kept = seen[:, [v for v in (self.visit, self.change_from, self.covariate) if v is not None]].all(axis=1)
        outcome = y[kept, self.visit] - (y[kept, self.change_from] if self.change_from is not None else 0.0)
        covariates = [] if self.covariate is None else [y[kept, self.covariate]]
        if not kept.any():
            raise CannotEstimate("nobody was observed", remedy="plan more participants")
        return ancova(outcome, group[kept].astype(np.float64), covariates)[0]

    def _complete(self, data: RepeatedData) -> Flags | None:
        if data.observed is None:
            return None
        needed = [visit for visit in (self.visit, self.change_from, self.covariate) if visit is not None]
        return np.asarray(data.observed[:, needed].all(axis=1))


@dataclass(frozen=True)
class CompletePairs:
    """2×2 crossover, complete pairs: arm 1 − arm 0 within participants, adjusted for period.

    Group 0 receives arm 1 in the first period, group 1 in the second.
    """

    first: int
    second: int

    def analyse(self, data: RepeatedData) -> Estimates:
        """The treatment effect in every trial of the block."""
        gain = data.y[:, self.first] - data.y[:, self.second]
        seen = None if data.observed is None else data.observed[:, self.first] & data.observed[:, self.second]
        twice = compare_means(gain, data.group == 0, None, seen)
        return Estimates(twice.value / 2.0, twice.standard_error / 2.0, twice.df)

    def reference(self, data: RepeatedData, trial: int) -> Estimate:
        """The same for one trial of the block, by the full function of the statistics.

        Raises:
            CannotEstimate: the trial's data do not allow it.
        """
        y, seen, group = data.one(trial)
        pairs = y[:, [self.first, self.second]]
        kept = seen[:, self.first] & seen[:, self.second]
        return TwoByTwo(pairs[kept & (group == 0)], pairs[kept & (group == 1)]).treatment()


def compare_means(y: Array, treated: Flags, x: Array | None = None, seen: Flags | None = None) -> Estimates:
    """Mean difference, treated − others, in every trial.

    Args:
        y: shape (n, trials).
        treated: shape (n, trials) or (n, 1).
        x: shape (n, trials): the covariate, or None.
        seen: shape (n, trials): rows that count, or None for all.
    """
    if seen is None and treated.shape[1] == 1:
        return _fixed(y, treated[:, 0], x)
    one = (treated if seen is None else treated & seen).astype(np.float64)
    other = (~treated if seen is None else ~treated & seen).astype(np.float64)
    n_1, n_0 = one.sum(axis=0), other.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        y_1, y_0 = _dot(one, y) / n_1, _dot(other, y) / n_0
        e = y - one * y_1 - other * y_0
        weight = one + other
        s_yy = _dot(weight, e * e)
        if x is None:
            return _two_groups(y_1 - y_0, s_yy, n_1, n_0)
        x_1, x_0 = _dot(one, x) / n_1, _dot(other, x) / n_0
        d = x - one * x_1 - other * x_0
        return _adjusted(y_1 - y_0, x_1 - x_0, s_yy, _dot(weight, d * e), _dot(weight, d * d), n_1, n_0)


def _fixed(y: Array, treated: Flags, x: Array | None) -> Estimates:
    """All trials have the same list and nothing is missing."""
    one, other = y[treated], y[~treated]
    n_1, n_0 = np.float64(len(one)), np.float64(len(other))
    with np.errstate(invalid="ignore", divide="ignore"):
        y_1, y_0 = one.sum(axis=0) / n_1, other.sum(axis=0) / n_0
        one -= y_1  # indexing by flags has made a copy
        other -= y_0
        s_yy = _dot(one, one) + _dot(other, other)
        if x is None:
            return _two_groups(y_1 - y_0, s_yy, n_1, n_0)
        d_1, d_0 = x[treated], x[~treated]
        x_1, x_0 = d_1.sum(axis=0) / n_1, d_0.sum(axis=0) / n_0
        d_1 -= x_1
        d_0 -= x_0
        s_xy, s_xx = _dot(d_1, one) + _dot(d_0, other), _dot(d_1, d_1) + _dot(d_0, d_0)
        return _adjusted(y_1 - y_0, x_1 - x_0, s_yy, s_xy, s_xx, n_1, n_0)


def _two_groups(difference: Array, s_yy: Array, n_1: Array | np.float64, n_0: Array | np.float64) -> Estimates:
    df = n_1 + n_0 - 2
    usable = (n_1 > 0) & (n_0 > 0) & (df > 0)
    variance = np.where(usable, s_yy / df * (1 / n_1 + 1 / n_0), np.nan)
    return Estimates.of(difference, variance, np.asarray(df))


def _adjusted(
    difference: Array, imbalance: Array, s_yy: Array, s_xy: Array, s_xx: Array,
    n_1: Array | np.float64, n_0: Array | np.float64,
) -> Estimates:  # fmt: skip
    df = n_1 + n_0 - 3
    slope = s_xy / s_xx
    usable = (n_1 > 0) & (n_0 > 0) & (df > 0) & (s_xx > 0)
    left = s_yy - slope * s_xy
    variance = np.where(usable, left / df * (1 / n_1 + 1 / n_0 + imbalance**2 / s_xx), np.nan)
    return Estimates.of(difference - slope * imbalance, variance, np.asarray(df))


def _dot(a: Array, b: Array) -> Array:
    return np.asarray(np.einsum("nt,nt->t", a, b))
