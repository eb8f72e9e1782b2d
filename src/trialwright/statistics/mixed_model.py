"""Mixed model for repeated measures: REML, Satterthwaite and Kenward-Roger.

Sources: Patterson and Thompson, Biometrika 1971;58:545–554 (REML); Kenward and Roger, Biometrics 1997;53:983–997,
with the covariance of θ̂ from the observed information, as SAS PROC MIXED has it; Satterthwaite as in Fai and
Cornelius, J Stat Comput Simul 1996;54:363–378.

Model: y_i = X_i β + e_i, e_i ~ N(0, Σ_i), Σ_i the rows and columns of Σ(θ) for the visits of participant i.
Symbols: W = V⁻¹, Φ = (X'WX)⁻¹, V_j = ∂V/∂θ_j, V_jk = ∂²V/∂θ_j∂θ_k, and with them

    P_j = −X'W V_j W X,   Q_jk = X'W V_j W V_k W X,   R_jk = X'W V_jk W X,   C = Cov(θ̂) = 2 H⁻¹,

H the matrix of second derivatives of −2 × the restricted log-likelihood. The adjusted covariance of β̂ is
Φ_A = Φ + 2Φ {Σ_jk C_jk (Q_jk − P_j Φ P_k − R_jk / 4)} Φ.

One pass over the data collects sums (:mod:`~trialwright.statistics.repeated_sums`); a Newton step then costs the same
for any number of participants (:mod:`~trialwright.statistics.restricted_likelihood`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from trialwright.statistics.arrays import Array, ArrayLike, matrix, vector
from trialwright.statistics.covariance import structure
from trialwright.statistics.errors import CannotEstimate
from trialwright.statistics.estimate import Estimate, JointTest
from trialwright.statistics.least_squares import triangle
from trialwright.statistics.repeated_sums import Index, collect
from trialwright.statistics.restricted_likelihood import maximise

Method = Literal["kenward_roger", "kenward_roger_linear", "satterthwaite"]
METHODS: tuple[Method, ...] = get_args(Method)


def method_of(name: str) -> Method:
    """The method of that name, written with hyphens or underscores.

    Raises:
        CannotEstimate: an unknown name.
    """
    for method in METHODS:
        if name.replace("-", "_") == method:
            return method
    raise CannotEstimate(f"unknown method {name[:40]!r}", remedy=f"use one of {', '.join(METHODS)}")


class MixedModel:
    """A fitted mixed model for repeated measures.

    Args:
        y: shape (n,): observed outcomes; rows with a missing outcome are left out by the caller.
        x: shape (n, p): design matrix, the intercept column included by the caller.
        participant: length n: whose outcome it is (numbers or text).
        visit: length n: 0-based number of the visit, one outcome for each participant and visit.
        covariance: a name of :data:`~trialwright.statistics.covariance.STRUCTURES`.

    Attributes:
        coefficients: β̂, shape (p,).
        covariance: Σ̂, shape (q, q).
        minus_two_log_likelihood: −2 × restricted log-likelihood, constants as in SAS PROC MIXED.
        convergence: how the fit ended.

    Raises:
        CannotEstimate: shapes that do not fit, two outcomes for one visit, a visit or a pair of visits that nobody
            has where the structure needs it.
        DependentColumns: columns of the design that determine each other.
        NotConverged: no optimum was found.
    """

    def __init__(
        self,
        y: ArrayLike,
        x: ArrayLike,
        participant: Sequence[object] | ArrayLike,
        visit: ArrayLike,
        covariance: str = "unstructured",
    ) -> None:
        outcome, design = vector(y, name="y"), matrix(x, name="x")
        people, visits = _clusters(outcome, design, participant, visit)
        q, r, scale = triangle(design)
        first_guess = np.linalg.solve(r, q.T @ outcome) / scale
        # Residuals instead of outcomes: the sums below then lose no digits to a large mean.
        residuals = outcome - design @ first_guess
        self._structure = structure(covariance, int(visits.max()) + 1)
        theta, state, self.convergence = maximise(self._structure, collect(residuals, design, people, visits))
        self.coefficients: Array = first_guess + state.beta
        self.covariance: Array = self._structure.matrix(theta)
        n, p = design.shape
        self.minus_two_log_likelihood = float(state.value + (n - p) * np.log(2 * np.pi))
        self._state = state
        self._adjusted: dict[Method, Array] = {"satterthwaite": state.phi}
        self._theta_covariance: Array = np.asarray(2.0 * np.linalg.inv(state.hessian), dtype=np.float64)

    def contrast(self, weights: ArrayLike, method: Method = "kenward_roger") -> Estimate:
        """Estimate of ``weights @ β``, weights of shape (p,).

        Args:
            weights: one for each coefficient, not all zero.
            method: ``kenward_roger``; ``kenward_roger_linear`` leaves out the second derivatives of Σ (the same
                for structures that are linear in θ); ``satterthwaite`` does not adjust the standard error.

        Raises:
            CannotEstimate: another number of weights, all zero, or too few data for the adjustment.
        """
        c = vector(weights, name="weights")
        if c.size != self.coefficients.size or not c.any():
            raise CannotEstimate(
                f"{c.size} weights for {self.coefficients.size} coefficients",
                remedy="give one weight for each coefficient, not all zero",
            )
        phi = self._state.phi
        variance = float(c @ phi @ c)
        # ∂(c'Φc)/∂θ_j = −c'Φ P_j Φ c, with the sign of P_j as above
        turned = phi @ c
        gradient = -(self._state.p_j @ turned) @ turned
        df = 2.0 * variance**2 / float(gradient @ self._theta_covariance @ gradient)
        adjusted = float(c @ self._coefficient_covariance(method) @ c)
        if not adjusted > 0.0:
            raise _too_few()
        return Estimate(float(c @ self.coefficients), float(np.sqrt(adjusted)), df)

    def joint(self, weights: ArrayLike, method: Method = "kenward_roger") -> JointTest:
        """F test that every row of ``weights`` (shape (l, p)) @ β is zero.

        Raises:
            CannotEstimate: another shape, dependent rows, or too few data for the approximation.
        """
        rows = matrix(weights, name="weights")
        if rows.shape[1] != self.coefficients.size or np.linalg.matrix_rank(rows) < rows.shape[0]:
            raise CannotEstimate(
                "the contrasts do not fit the model or depend on each other",
                remedy="give independent rows with one weight for each coefficient",
            )
        value = rows @ self.coefficients
        adjusted = rows @ self._coefficient_covariance(method) @ rows.T
        wald = float(value @ np.linalg.solve(adjusted, value)) / rows.shape[0]
        scale, df = (1.0, self._independent_df(rows)) if method == "satterthwaite" else self._f_approximation(rows)
        return JointTest(scale * wald, rows.shape[0], df)

    def _independent_df(self, rows: Array) -> float:
        """Denominator degrees of freedom of Fai and Cornelius.

        F is the mean of t² of l independent contrasts. With ν_i their degrees of freedom, E = Σ ν_i / (ν_i − 2) is
        the expectation of l·F, and 2E / (E − l) the degrees of freedom of an F distribution that has it.
        """
        turned = np.linalg.eigh(rows @ self._state.phi @ rows.T)[1].T @ rows
        each = np.array([self.contrast(row, "satterthwaite").df for row in turned])
        if (each <= 2).any():
            raise _too_few()
        total = float((each / (each - 2)).sum())
        return float(2 * total / (total - rows.shape[0]))

    def _coefficient_covariance(self, method: Method) -> Array:
        if method not in self._adjusted:
            state, phi = self._state, self._state.phi
            inner = state.q_jk - (state.p_j @ phi)[:, None] @ state.p_j
            if method == "kenward_roger" and state.r_jk is not None:
                inner = inner - state.r_jk / 4.0
            correction = np.tensordot(self._theta_covariance, inner, axes=2)
            self._adjusted[method] = np.asarray(phi + 2.0 * phi @ correction @ phi)
        return self._adjusted[method]

    def _f_approximation(self, rows: Array) -> tuple[float, float]:
        """(λ, m): λ·F has approximately an F distribution with l and m degrees of freedom (K-R 1997, section 3)."""
        phi, count = self._state.phi, rows.shape[0]
        theta = rows.T @ np.linalg.solve(rows @ phi @ rows.T, rows)
        parts = theta @ phi @ self._state.p_j @ phi
        traces = np.trace(parts, axis1=1, axis2=2)
        a1 = float(traces @ self._theta_covariance @ traces)
        a2 = float(np.einsum("jk,jpq,kqp->", self._theta_covariance, parts, parts))
        if a2 >= count:
            raise _too_few()
        b = (a1 + 6 * a2) / (2 * count)
        g = ((count + 1) * a1 - (count + 4) * a2) / ((count + 2) * a2)
        below = 3 * count + 2 * (1 - g)
        c1, c2, c3 = g / below, (count - g) / below, (count + 2 - g) / below
        mean = 1 / (1 - a2 / count)
        variance = (2 / count) * (1 + c1 * b) / ((1 - c2 * b) ** 2 * (1 - c3 * b))
        ratio = variance / (2 * mean**2)
        m = 4 + (count + 2) / (count * ratio - 1)
        if not m > 2:
            raise _too_few()
        return m / (mean * (m - 2)), m


def _too_few() -> CannotEstimate:
    return CannotEstimate(
        "the data are too few for the approximation to hold",
        remedy="choose a structure with fewer parameters, or test fewer contrasts at once",
    )


def _clusters(y: Array, x: Array, participant: Sequence[object] | ArrayLike, visit: ArrayLike) -> tuple[Index, Index]:
    """Participants and visits as whole numbers, checked."""
    visits = vector(visit, name="visit")
    try:
        people = np.unique(np.asarray(participant), return_inverse=True)[1]
    except TypeError as error:
        raise CannotEstimate("participants cannot be told apart", remedy="give numbers or text") from error
    if not y.size == x.shape[0] == visits.size == people.size:
        raise CannotEstimate("arguments of different length", remedy="give one row for each outcome")
    if (visits < 0).any() or (visits != np.floor(visits)).any() or visits.max() >= visits.size:
        raise CannotEstimate("a visit is not a whole number from 0", remedy="number the visits 0, 1, 2 …")
    numbers = visits.astype(np.intp)
    if not np.bincount(numbers).all():
        raise CannotEstimate("a visit has no outcome at all", remedy="number only the visits that have outcomes")
    if np.bincount(people * (int(numbers.max()) + 1) + numbers).max() > 1:
        raise CannotEstimate("two outcomes for one participant and visit", remedy="decide on one of them")
    return people, numbers
