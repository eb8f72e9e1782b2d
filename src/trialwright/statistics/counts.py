"""Counts of events: Poisson and negative binomial regression with an exposure.

Source: Lawless, Can J Stat 1987;15:209–225; McCullagh and Nelder, Generalized Linear Models, 2nd ed. 1989, chapter 6.

Letters: count y_i ≥ 0 over exposure t_i, log μ_i = log t_i + x_i'β, Var y_i = μ_i + κ μ_i². With κ = 0 it is Poisson;
θ of R's glm.nb is 1 / κ. With m = 1 / κ,

    ℓ = Σ_i { log Γ(y_i + m) − log Γ(m) − log y_i! + y_i log(κ μ_i) − (y_i + m) log(1 + κ μ_i) }.

β and log κ are found together, and the covariance is the inverse of their observed information, as in SAS PROC
GENMOD; glm.nb takes the expected information of β alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from scipy import special

from trialwright.statistics.arrays import Array, ArrayLike, matrix, vector
from trialwright.statistics.errors import CannotEstimate, EmptyCell, NotConverged
from trialwright.statistics.estimate import Estimate, JointTest
from trialwright.statistics.fits import Fit
from trialwright.statistics.formulas import Design, naming, numbers, outcome_of, read_formula
from trialwright.statistics.least_squares import triangle
from trialwright.statistics.newton import climb
from trialwright.statistics.wald import wald_contrast, wald_joint

_NO_RATES = "look for an arm or level without events, or use fewer terms"
_NO_DISPERSION = "the counts vary no more than Poisson's: declare dispersion=0, or use fewer terms"
_LEAST = 1e-6  # a smaller dispersion cannot be told from none: the likelihood rises towards Poisson's


class CountModel:
    """A fitted regression of counts.

    Args:
        y: shape (n,): counts.
        x: shape (n, p): design matrix, the intercept column included by the caller.
        exposure: shape (n,): time at risk, above 0; 1 where not given.
        dispersion: κ where it is fixed, 0 for Poisson; None estimates it.

    Attributes:
        coefficients: β̂, log rates and log rate ratios, shape (p,).
        covariance: of β̂, (p, p).
        dispersion: κ̂, or the κ that was fixed.
        log_likelihood: at the estimates, constants included.
        convergence: how the fit ended.

    Raises:
        CannotEstimate: shapes that differ, missing values, something other than counts, exposure not above 0.
        DependentColumns: columns that determine each other.
        EmptyCell: no event at all.
        NotConverged: a coefficient that runs to infinity, or a dispersion that runs to 0.
    """

    def __init__(
        self, y: ArrayLike, x: ArrayLike, exposure: ArrayLike | None = None, *, dispersion: float | None = None
    ) -> None:
        counts, design = vector(y, name="y"), matrix(x, name="x")
        time = np.ones_like(counts) if exposure is None else vector(exposure, name="exposure")
        if not counts.size == design.shape[0] == time.size:
            raise CannotEstimate("arguments of different length", remedy="give one row for each count")
        if (counts < 0).any() or (counts != np.floor(counts)).any():
            raise CannotEstimate("the outcome is not a count", remedy="give whole numbers from 0")
        if (time <= 0).any():
            raise CannotEstimate("an exposure of zero or less", remedy="leave out who was never at risk")
        if dispersion is not None and not 0 <= dispersion < np.inf:
            raise CannotEstimate(f"a dispersion of {dispersion}", remedy="give 0 for Poisson, or None to estimate it")
        if not counts.any():
            raise EmptyCell("nobody had an event", remedy="nothing can be estimated")
        q, r, scale = triangle(design)
        rates = _Rates(counts, design, np.log(time))
        start = np.linalg.solve(r, q.T @ np.log((counts + 0.5) / time)) / scale
        p = design.shape[1]
        fixed = 0.0 if dispersion is None else dispersion
        beta, value, information, ended = climb(lambda b: rates.fixed(b, fixed), start, remedy=_NO_RATES)
        self.dispersion = fixed
        if dispersion is None:
            first = rates.moment(beta)
            theta, value, information, ended = climb(rates.free, np.r_[beta, np.log(first)], remedy=_NO_DISPERSION)
            beta, self.dispersion = theta[:p], float(np.exp(theta[p]))
            if self.dispersion < _LEAST:
                raise NotConverged("the dispersion runs to zero", remedy=_NO_DISPERSION)
        self.coefficients: Array = beta
        self.log_likelihood, self.convergence = value, ended
        self.covariance: Array = np.asarray(np.linalg.inv(information)[:p, :p], dtype=np.float64)

    def contrast(self, weights: ArrayLike) -> Estimate:
        """Estimate of ``weights @ β`` with a normal reference; its ``ratio()`` is a rate or a ratio of rates.

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


def count_regression(
    formula: str,
    data: Mapping[str, Any],
    *,
    exposure: str | None = None,
    dispersion: float | None = None,
    factors: Collection[str] = (),
) -> Fit[CountModel]:
    """Negative binomial regression (or Poisson, with ``dispersion=0``) from a formula and a table of data.

    Args:
        formula: ``relapses ~ arm + earlier``; see :mod:`trialwright.statistics.formulas`.
        data: a data frame, or columns by name; one row a participant. Rows without count are left out and counted.
        exposure: column of time at risk.
        dispersion: see :class:`CountModel`.
        factors: columns of numbers that are levels.

    Returns:
        A fit on the scale of logarithms, means at exposure 1: ``fit.difference("arm", "B", "A").ratio()`` is a ratio
        of rates.

    Raises:
        CannotEstimate: a formula or column that cannot be used, or missing values.
        DependentColumns, EmptyCell, NotConverged: see :class:`CountModel`.
    """
    read = read_formula(formula)
    y, rows = outcome_of(read, data)
    design = Design(read, data, rows, factors)
    time = None if exposure is None else numbers(data, exposure)[rows]
    with naming(design.names):
        model = CountModel(y[rows], design.x, time, dispersion=dispersion)
    return Fit(model, design, used=rows.size, without_outcome=y.size - rows.size)


class _Rates:
    """Log-likelihood with gradient and observed information, in β at a fixed κ, and in (β, log κ)."""

    def __init__(self, y: Array, x: Array, offset: Array) -> None:
        self.y, self.x, self.offset = y, x, offset
        self.constant = float(special.gammaln(y + 1.0).sum())

    def fixed(self, beta: Array, kappa: float | np.float64) -> tuple[float, Array, Array]:
        """At β, with κ known."""
        y, x = self.y, self.x
        eta = self.offset + x @ beta
        mu = np.exp(eta)
        slope = (y - mu) / (1 + kappa * mu)  # ∂ℓ/∂η
        bend = mu * (1 + kappa * y) / (1 + kappa * mu) ** 2  # −∂²ℓ/∂η²
        return self._value(eta, mu, kappa), x.T @ slope, (x * bend[:, None]).T @ x

    def free(self, theta: Array) -> tuple[float, Array, Array]:
        """At (β, log κ)."""
        y, x, p = self.y, self.x, self.x.shape[1]
        kappa = np.float64(np.exp(theta[p]))  # where it vanishes, what follows is not finite and the step is halved
        value, slope, information = self.fixed(theta[:p], kappa)
        mu = np.exp(self.offset + x @ theta[:p])
        m, spread = 1 / kappa, 1 + kappa * mu
        # ℓ as a function of m: first and second derivative, then by the chain rule in log κ = −log m
        first = special.digamma(y + m) - special.digamma(m) + np.log(m / (m + mu)) + (mu - y) / (m + mu)
        second = (
            special.polygamma(1, y + m) - special.polygamma(1, m) + 1 / m - 1 / (m + mu) - (mu - y) / (m + mu) ** 2
        )
        by_kappa = float(-m * first.sum())
        cross = kappa * (y - mu) * mu / spread**2  # −∂²ℓ/∂η ∂log κ
        full = np.empty((p + 1, p + 1))
        full[:p, :p] = information
        full[:p, p] = full[p, :p] = x.T @ cross
        full[p, p] = -float((m**2 * second + m * first).sum())
        return value, np.r_[slope, by_kappa], full

    def moment(self, beta: Array) -> float:
        """κ from the residuals of Poisson's model, kept away from zero."""
        mu = np.exp(self.offset + self.x @ beta)
        return max(float((((self.y - mu) ** 2 - mu) / mu**2).mean()), 0.05)

    def _value(self, eta: Array, mu: Array, kappa: float | np.float64) -> float:
        y = self.y
        if kappa == 0.0:
            return float((y * eta - mu).sum()) - self.constant
        m = 1 / kappa
        gammas = special.gammaln(y + m) - special.gammaln(m)
        return float((gammas + y * (eta + np.log(kappa)) - (y + m) * np.log1p(kappa * mu)).sum()) - self.constant
