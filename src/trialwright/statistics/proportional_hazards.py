"""Cox's model for the time to an event, and for recurrent events with a robust variance.

Sources: Cox, J R Stat Soc B 1972;34:187–220; ties as in Breslow, Biometrics 1974;30:89–99, and Efron, J Am Stat
Assoc 1977;72:557–565; counting-process form of Andersen and Gill, Ann Stat 1982;10:1100–1120; robust variance of Lin
and Wei, J Am Stat Assoc 1989;84:1074–1078, and for mean counts of Lin, Wei, Yang and Ying, J R Stat Soc B
2000;62:711–730.

Letters: row i is at risk over (start_i, time_i], with hazard λ_0(t) exp(x_i'β). At a time t with events D, d = |D|,
and everybody at risk R, step k = 0 … d − 1 weighs row j by c_jk = 1 − (k / d)·[j ∈ D] (Efron) or by 1 (Breslow):

    ℓ(β) = Σ_t { Σ_{i ∈ D} x_i'β − Σ_k log Σ_{j ∈ R} c_jk exp(x_j'β) }.

The robust variance is A⁻¹ (Σ_clusters u u') A⁻¹, A the information, u the sum over a cluster of the score residuals
u_i = [i ∈ D] (x_i − mean_k x̄_k) − Σ_t Σ_k c_ik exp(x_i'β) (x_i − x̄_k) / Σ_j c_jk exp(x_j'β).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from trialwright.statistics.arrays import Array, ArrayLike, matrix, vector
from trialwright.statistics.errors import CannotEstimate, EmptyCell
from trialwright.statistics.estimate import Estimate, JointTest
from trialwright.statistics.fits import Fit
from trialwright.statistics.formulas import Design, has_column, naming, numbers, read_formula
from trialwright.statistics.least_squares import triangle
from trialwright.statistics.newton import climb
from trialwright.statistics.survival import ChiSquared, followed, labelled
from trialwright.statistics.wald import wald_contrast, wald_joint

Ties = Literal["efron", "breslow"]
_REMEDY = "look for an arm or level without events, or use fewer terms"


class CoxModel:
    """A fitted proportional-hazards model.

    Args:
        time: shape (n,): to the event or to the end of follow-up.
        event: shape (n,): 1 where the event happened at ``time``, 0 where it did not.
        x: shape (n, p): design matrix without an intercept.
        start: shape (n,): when the row comes under observation, before ``time``; 0 where not given.
        strata: length n: rows of different strata have baseline hazards of their own.
        cluster: length n: rows of one participant; asks for the robust variance.
        ties: ``efron`` or ``breslow``.

    Attributes:
        coefficients: β̂, log hazard ratios, shape (p,).
        covariance: of β̂, (p, p): robust where clusters are given.
        log_likelihood: at β̂; ``null_log_likelihood`` at β = 0.
        convergence: how the fit ended.

    Raises:
        CannotEstimate: shapes that differ, missing values, a start not before its time.
        DependentColumns: columns that determine each other, or that do not vary within strata.
        EmptyCell: no event at all.
        NotConverged: a coefficient that runs to infinity, as when an arm has no event.
    """

    def __init__(
        self,
        time: ArrayLike,
        event: ArrayLike,
        x: ArrayLike,
        *,
        start: ArrayLike | None = None,
        strata: Sequence[object] | ArrayLike | None = None,
        cluster: Sequence[object] | ArrayLike | None = None,
        ties: Ties = "efron",
    ) -> None:
        times, events = followed(time, event)
        design = matrix(x, name="x")
        begins = np.full(times.size, -1.0) if start is None else vector(start, name="start")
        if not times.size == design.shape[0] == begins.size:
            raise CannotEstimate("arguments of different length", remedy="give one row for each time")
        if (begins >= times).any():
            raise CannotEstimate("a row ends when or before it starts", remedy="give rows with start < time")
        if ties not in ("efron", "breslow"):
            raise CannotEstimate(f"unknown ties {ties!r}", remedy="use efron or breslow")
        if not events.any():
            raise EmptyCell("nobody had the event", remedy="nothing can be estimated")
        _, stratum = labelled(np.zeros(times.size) if strata is None else strata, times.size, "strata")
        _check_varies(design, stratum)
        centre = design.mean(axis=0)
        self._sets = _Sets(times, events, design - centre, begins, stratum, ties == "efron")
        start_at = np.zeros(design.shape[1])
        self.null_log_likelihood, self._null_gradient, self._null_information = self._sets.likelihood(start_at)
        self.coefficients, self.log_likelihood, information, self.convergence = climb(
            self._sets.likelihood, start_at, remedy=_REMEDY
        )
        self.covariance: Array = np.asarray(np.linalg.inv(information), dtype=np.float64)
        self.robust = cluster is not None
        if cluster is not None:
            people, place = labelled(cluster, times.size, "cluster")
            if len(people) <= design.shape[1]:
                raise CannotEstimate("fewer clusters than coefficients", remedy="use fewer terms, or more data")
            scores = np.zeros((len(people), design.shape[1]))
            np.add.at(scores, place, self._sets.residuals(self.coefficients))
            influence = scores @ self.covariance
            self.covariance = np.asarray(influence.T @ influence)

    def contrast(self, weights: ArrayLike) -> Estimate:
        """Estimate of ``weights @ β`` with a normal reference; its ``ratio()`` is the hazard ratio.

        Raises:
            CannotEstimate: another number of weights, or all zero.
        """
        return wald_contrast(self.coefficients, self.covariance, weights)

    def joint(self, weights: ArrayLike) -> JointTest:
        """Wald test that every row of ``weights`` (l, p) @ β is zero, as F with infinitely many df.

        Raises:
            CannotEstimate: another shape, or dependent rows.
        """
        return wald_joint(self.coefficients, self.covariance, weights)

    def score_test(self) -> ChiSquared:
        """Whether β is zero, from the slope of the likelihood there; without ties the log-rank test."""
        step = np.linalg.solve(self._null_information, self._null_gradient)
        return ChiSquared(float(self._null_gradient @ step), self.coefficients.size)

    def likelihood_ratio_test(self) -> ChiSquared:
        """Whether β is zero, from the gain of likelihood; it means nothing where rows of a participant depend."""
        return ChiSquared(2.0 * (self.log_likelihood - self.null_log_likelihood), self.coefficients.size)


def cox(
    formula: str,
    data: Mapping[str, Any],
    *,
    time: str,
    event: str,
    start: str | None = None,
    strata: str | None = None,
    cluster: str | None = None,
    ties: Ties = "efron",
    factors: Collection[str] = (),
) -> Fit[CoxModel]:
    """Cox's model from a formula and a table of data.

    Args:
        formula: the terms alone: ``~ arm + age``.
        data: a data frame, or columns by name, nothing missing.
        time, event, start, strata, cluster: columns; see :class:`CoxModel`.
        ties: ``efron`` or ``breslow``.
        factors: columns of numbers that are levels.

    Returns:
        A fit with differences but without means: ``fit.difference("arm", "B", "A").ratio()`` is a hazard ratio.

    Raises:
        CannotEstimate: a formula or column that cannot be used, or missing values.
        DependentColumns, EmptyCell, NotConverged: see :class:`CoxModel`.
    """
    read = read_formula(formula)
    if read.outcome is not None or () not in read.terms or len(read.terms) < 2:
        raise CannotEstimate(
            f"the formula {formula[:200]!r} is not one of terms alone", remedy="write ~ term + term, without 0 or −1"
        )
    times = numbers(data, time)
    design = Design(read, data, np.arange(times.size), factors)
    with naming(design.names[1:]):
        model = CoxModel(
            times,
            numbers(data, event),
            design.x[:, 1:],
            start=None if start is None else numbers(data, start),
            strata=None if strata is None else np.asarray(has_column(data, strata)),
            cluster=None if cluster is None else np.asarray(has_column(data, cluster)),
            ties=ties,
        )
    return Fit(model, design, used=times.size, level=False)


def mean_count_ratio(
    formula: str,
    data: Mapping[str, Any],
    *,
    subject: str,
    start: str,
    stop: str,
    event: str,
    strata: str | None = None,
    ties: Ties = "efron",
    factors: Collection[str] = (),
) -> Fit[CoxModel]:
    """Recurrent events by the model of Lin, Wei, Yang and Ying (LWYY): proportional mean counts.

    The Andersen-Gill model with the robust variance over participants: no assumption of independent events.

    Args:
        formula: the terms alone: ``~ arm``.
        data: one row for each interval at risk (start, stop] of a participant, with 1 where an event ends it.
        subject, start, stop, event, strata: columns.
        ties: ``efron`` or ``breslow``.
        factors: columns of numbers that are levels.

    Raises:
        CannotEstimate: as :func:`cox`; intervals of one participant that overlap.
        DependentColumns, EmptyCell, NotConverged: see :class:`CoxModel`.
    """
    begins, ends = numbers(data, start), numbers(data, stop)
    _, person = labelled(np.asarray(has_column(data, subject)), begins.size, subject)
    order = np.lexsort((begins, person))
    same = person[order][1:] == person[order][:-1]
    if (same & (begins[order][1:] < ends[order][:-1])).any():
        raise CannotEstimate("intervals of one participant overlap", remedy="split time at each event")
    return cox(
        formula,
        data,
        time=stop,
        event=event,
        start=start,
        strata=strata,
        cluster=subject,
        ties=ties,
        factors=factors,
    )


def _check_varies(x: Array, stratum: npt.NDArray[np.intp]) -> None:
    """Columns that do not vary within strata, or determine each other there, have no coefficient."""
    sizes = np.bincount(stratum)
    means = np.stack([np.bincount(stratum, weights=column) / sizes for column in x.T], axis=1)
    within = x - means[stratum]
    within[np.abs(within) < 1e-12 * (np.abs(x).max(axis=0) + 1e-300)] = 0.0
    triangle(within)


class _Sets:
    """The risk sets of all times of events, with the sums that likelihood and residuals need.

    Rows enter and leave: sums over those at risk are sums of those not yet gone less those not yet come.
    """

    def __init__(
        self, times: Array, events: Array, x: Array, starts: Array, stratum: npt.NDArray[np.intp], efron: bool
    ) -> None:
        self.x, self.events = x, events > 0
        keys = np.stack([stratum[self.events].astype(np.float64), times[self.events]])
        moments, place = np.unique(keys, axis=1, return_inverse=True)
        self._stratum, self._moment = moments[0], moments[1]
        self._place = place.ravel()  # of each death among the moments
        self._deaths = np.bincount(self._place)
        # Rows at risk at a moment of their stratum: those numbered [first, last) among the moments.
        all_keys = list(zip(self._stratum.tolist(), self._moment.tolist(), strict=True))
        self._first = _place_among(all_keys, stratum, starts)
        self._last = _place_among(all_keys, stratum, times)
        # A step for each death of a moment: which moment, and the share of the tied deaths that has left already.
        self._step = np.repeat(np.arange(self._deaths.size), self._deaths)
        rank = np.arange(self._step.size) - np.repeat(np.cumsum(self._deaths) - self._deaths, self._deaths)
        self._gone = rank / self._deaths[self._step] if efron else np.zeros(self._step.size)

    def likelihood(self, beta: Array) -> tuple[float, Array, Array]:
        """Log-likelihood, its gradient and its information."""
        x, dead = self.x, self.events
        linear = x @ beta
        largest = float(linear.max())  # taken out of the exponentials, put back in the logarithms
        r = np.exp(linear - largest)
        s0, s1 = self._sums(r), self._sums(r[:, None] * x)
        mean = s1 / s0[:, None]
        cross = (r[:, None, None] * x[:, :, None] * x[:, None, :]).reshape(x.shape[0], -1)
        second = self._sums(cross) / s0[:, None]
        value = float(linear[dead].sum() - (np.log(s0) + largest).sum())
        gradient = x[dead].sum(axis=0) - mean.sum(axis=0)
        p = beta.size
        information = second.sum(axis=0).reshape(p, p) - mean.T @ mean
        return value, gradient, information

    def residuals(self, beta: Array) -> Array:
        """Score residuals u_i, (n, p)."""
        linear = self.x @ beta
        r = np.exp(linear - linear.max())
        s0 = self._sums(r)
        mean = self._sums(r[:, None] * self.x) / s0[:, None]
        count = self._deaths.size
        hazard = np.bincount(self._step, weights=1 / s0, minlength=count)
        moved = np.zeros((count, beta.size))
        np.add.at(moved, self._step, mean / s0[:, None])
        total, moving = np.r_[0.0, np.cumsum(hazard)], np.vstack([np.zeros(beta.size), np.cumsum(moved, axis=0)])
        passed = total[self._last] - total[self._first]
        drawn = moving[self._last] - moving[self._first]
        found = -r[:, None] * (self.x * passed[:, None] - drawn)
        # The dead: their own term, and the share of Efron's weights that they have left by each step.
        average = np.zeros((count, beta.size))
        np.add.at(average, self._step, mean / self._deaths[self._step][:, None])
        left = np.bincount(self._step, weights=self._gone / s0, minlength=count)
        left_mean = np.zeros((count, beta.size))
        np.add.at(left_mean, self._step, (self._gone / s0)[:, None] * mean)
        dead, place = self.events, self._place
        found[dead] += self.x[dead] - average[place]
        found[dead] += r[dead][:, None] * (self.x[dead] * left[place][:, None] - left_mean[place])
        return np.asarray(found)

    def _sums(self, values: Array) -> Array:
        """Σ_j c_jk values_j for each step: (steps,) or (steps, columns)."""
        shape = (self._deaths.size + 1, *values.shape[1:])
        change = np.zeros(shape)
        np.add.at(change, self._first, values)
        np.subtract.at(change, self._last, values)
        at_risk = np.cumsum(change, axis=0)[:-1]
        dead = np.zeros((self._deaths.size, *values.shape[1:]))
        np.add.at(dead, self._place, values[self.events])
        gone = self._gone.reshape(-1, *[1] * (values.ndim - 1))
        return np.asarray(at_risk[self._step] - gone * dead[self._step])


def _place_among(
    keys: list[tuple[float, float]], stratum: npt.NDArray[np.intp], times: Array
) -> npt.NDArray[np.intp]:
    """How many moments (stratum, time), in order, are at or before each (stratum, time)."""
    pairs = zip(stratum.tolist(), times.tolist(), strict=True)
    return np.array([bisect_right(keys, (float(s), t)) for s, t in pairs], dtype=np.intp)
