"""Mixed model for repeated measures: REML, Satterthwaite and Kenward-Roger.

Sources: Patterson and Thompson, Biometrika 1971;58:545–554 (REML); Kenward and Roger, Biometrics 1997;53:983–997,
with the covariance of θ̂ from the observed information, as SAS PROC MIXED has it; Satterthwaite as in Fai and
Cornelius, J Stat Comput Simul 1996;54:363–378.

Model: y_i = X_i β + e_i, e_i ~ N(0, Σ_i), Σ_i the rows and columns of Σ(θ) for the visits of participant i.
Symbols: W = V⁻¹, Φ = (X'WX)⁻¹, V_j = ∂V/∂θ_j, V_jk = ∂²V/∂θ_j∂θ_k, and with them

    P_j = −X'W V_j W X,   Q_jk = X'W V_j W V_k W X,   R_jk = X'W V_jk W X,   C = Cov(θ̂) = 2 H⁻¹,

H the matrix of second derivatives of −2 × the restricted log-likelihood. The adjusted covariance of β̂ is
Φ_A = Φ + 2Φ {Σ_jk C_jk (Q_jk − P_j Φ P_k − R_jk / 4)} Φ.

For a pattern of visits everything above depends on the data only through S_ab = Σ_i x_ia x_ib', t_ab = Σ_i x_ia y_ib
and u_ab = Σ_i y_ia y_ib (a, b visits). One pass collects them; a Newton step then costs the same for any number of
participants.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from trialwright.statistics.arrays import Array, ArrayLike, matrix, vector
from trialwright.statistics.covariance import CovarianceStructure, structure
from trialwright.statistics.errors import CannotEstimate
from trialwright.statistics.estimate import Estimate, JointTest

Method = Literal["kenward_roger", "kenward_roger_linear", "satterthwaite"]

_MOST_STEPS = 100
_MOST_NUMBERS = 4_000_000  # held at once by one evaluation: 32 MB
_CONVERGED = 1e-10  # g'H⁻¹g: squared distance from the optimum in standard errors of θ̂, times two


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
        steps: how many steps the fit took.

    Raises:
        CannotEstimate: shapes that do not fit, two outcomes for one visit, dependent columns, a visit or a pair of
            visits that nobody has where the structure needs it, or no convergence.
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
        first_guess = _least_squares(outcome, design)
        # Residuals instead of outcomes: the sums below then lose no digits to a large mean.
        residuals = outcome - design @ first_guess
        self._structure = structure(covariance, int(visits.max()) + 1)
        data = _collect(residuals, design, people, visits)
        theta = self._structure.start(_moments(data))
        theta, state, self.steps = _maximise(self._structure, data, theta)
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
        gradient = -np.einsum("p,jpq,q->j", phi @ c, self._state.p_j, phi @ c)
        df = 2.0 * variance**2 / float(gradient @ self._theta_covariance @ gradient)
        adjusted = float(c @ self._coefficient_covariance(method) @ c)
        if not adjusted > 0.0:
            raise _too_few()
        return Estimate(float(c @ self.coefficients), float(np.sqrt(adjusted)), df)

    def joint(self, weights: ArrayLike, method: Method = "kenward_roger") -> JointTest:
        """Kenward-Roger F test that every row of ``weights`` (shape (l, p)) @ β is zero.

        Raises:
            CannotEstimate: another shape, dependent rows, or a method without a joint test.
        """
        rows = matrix(weights, name="weights")
        if rows.shape[1] != self.coefficients.size or np.linalg.matrix_rank(rows) < rows.shape[0]:
            raise CannotEstimate(
                "the contrasts do not fit the model or depend on each other",
                remedy="give independent rows with one weight for each coefficient",
            )
        if method == "satterthwaite":
            raise CannotEstimate("Satterthwaite tests one contrast", remedy="use Kenward-Roger for several")
        value = rows @ self.coefficients
        adjusted = rows @ self._coefficient_covariance(method) @ rows.T
        wald = float(value @ np.linalg.solve(adjusted, value)) / rows.shape[0]
        scale, df = self._f_approximation(rows)
        return JointTest(scale * wald, rows.shape[0], df)

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


@dataclass(frozen=True, eq=False)
class _Data:
    """The sums of every pattern of visits (m patterns), each padded with zeros to all q visits.

    Every M that is asked for is symmetric, so Σ_ab M_ab S_ab needs only a ≤ b, with S_ab + S_ba in place of S_ab
    off the diagonal, and only the upper triangle of the result. With Q = q(q + 1)/2 and P = p(p + 1)/2 the shapes
    are ``people`` (m,), ``present`` (m, q), ``s`` (m, Q, P), ``t`` (m, Q, p), ``u`` (m, Q).
    """

    people: Array
    present: npt.NDArray[np.bool_]
    s: Array
    t: Array
    u: Array


@dataclass(frozen=True, eq=False)
class _State:
    """The restricted likelihood at one θ, with what its derivatives and the adjustments need."""

    value: float
    beta: Array
    phi: Array
    gradient: Array
    hessian: Array
    expected: Array
    p_j: Array
    q_jk: Array
    r_jk: Array | None


def _clusters(y: Array, x: Array, participant: Sequence[object] | ArrayLike, visit: ArrayLike) -> tuple[Array, Array]:
    """Participants and visits as whole numbers, checked."""
    visits = vector(visit, name="visit")
    try:
        people = np.unique(np.asarray(participant), return_inverse=True)[1].astype(np.float64)
    except TypeError as error:
        raise CannotEstimate("participants cannot be told apart", remedy="give numbers or text") from error
    if not y.size == x.shape[0] == visits.size == people.size:
        raise CannotEstimate("arguments of different length", remedy="give one row for each outcome")
    if (visits < 0).any() or (visits != np.floor(visits)).any():
        raise CannotEstimate("a visit is not a whole number from 0", remedy="number the visits 0, 1, 2 …")
    if np.unique(visits).size != int(visits.max()) + 1:
        raise CannotEstimate("a visit has no outcome at all", remedy="number only the visits that have outcomes")
    if np.unique(np.stack([people, visits]), axis=1).shape[1] != y.size:
        raise CannotEstimate("two outcomes for one participant and visit", remedy="decide on one of them")
    return people, visits


def _least_squares(y: Array, x: Array) -> Array:
    if x.shape[0] <= x.shape[1]:
        raise CannotEstimate(
            f"{x.shape[0]} outcomes for {x.shape[1]} coefficients", remedy="use fewer terms, or more data"
        )
    scale = np.sqrt((x**2).sum(axis=0))
    if (scale == 0).any() or np.linalg.matrix_rank(x / scale) < x.shape[1]:
        raise CannotEstimate(
            "columns of the design depend on each other",
            remedy="leave out a term that the others determine, or an empty level",
        )
    return np.asarray(np.linalg.lstsq(x / scale, y, rcond=None)[0] / scale, dtype=np.float64)


def _collect(y: Array, x: Array, people: Array, visits: Array) -> _Data:
    order = np.lexsort((visits, people))
    y, x, people, visit = y[order], x[order], people[order], visits[order].astype(np.intp)
    starts = np.flatnonzero(np.r_[True, people[1:] != people[:-1]])
    sizes = np.diff(np.r_[starts, people.size])
    members: dict[tuple[int, ...], list[int]] = {}
    for start, size in zip(starts.tolist(), sizes.tolist(), strict=True):
        members.setdefault(tuple(visit[start : start + size].tolist()), []).append(start)
    m, q, p = len(members), int(visit.max()) + 1, x.shape[1]
    present = np.zeros((m, q), dtype=np.bool_)
    s, t, u = np.zeros((m, q, q, p, p)), np.zeros((m, q, q, p)), np.zeros((m, q, q))
    for n, (key, first_rows) in enumerate(members.items()):
        have = np.array(key)
        rows = np.array(first_rows)[:, None] + np.arange(have.size)
        outcome, design = y[rows], x[rows].reshape(len(first_rows), -1)
        r, cells = have.size, (n, have[:, None], have[None, :])
        present[n, have] = True
        s[cells] = (design.T @ design).reshape(r, p, r, p).transpose(0, 2, 1, 3)
        t[cells] = (design.T @ outcome).reshape(r, p, r).transpose(0, 2, 1)
        u[cells] = outcome.T @ outcome
    return _Data(
        people=np.array([float(len(rows)) for rows in members.values()]),
        present=present,
        s=_fold(s)[(..., *_upper(p))],
        t=_fold(t),
        u=_fold(u),
    )


@cache
def _upper(n: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Rows and columns of the upper triangle of an n × n matrix, the diagonal included."""
    return np.triu_indices(n)


def _fold(sums: Array) -> Array:
    """(m, q, q, …) to (m, Q, …): the upper triangle, off the diagonal with its mirror image added."""
    a, b = _upper(sums.shape[1])
    folded = sums[:, a, b] + sums[:, b, a]
    folded[:, a == b] /= 2.0
    return np.asarray(folded)


def _moments(data: _Data) -> Array:
    """Residual second moments from all available pairs, shrunk to the diagonal until positive definite."""
    q = data.present.shape[1]
    present = data.present.astype(np.float64)
    counts = np.einsum("m,ma,mb->ab", data.people, present, present)
    a, b = _upper(q)
    total = np.zeros((q, q))
    total[a, b] = total[b, a] = np.where(a == b, 1.0, 0.5) * data.u.sum(axis=0)
    moments = np.divide(total, counts, out=np.zeros_like(total), where=counts > 0)
    diagonal = np.diag(np.diagonal(moments))
    if (np.diagonal(moments) <= 0).any():
        raise CannotEstimate("the model fits a visit without error", remedy="use fewer terms, or more data")
    for _ in range(60):
        if float(np.linalg.eigvalsh(moments).min()) > 1e-4 * float(np.diagonal(moments).min()):
            return np.asarray(moments, dtype=np.float64)
        moments = 0.9 * moments + 0.1 * diagonal
    return np.asarray(diagonal, dtype=np.float64)


def _maximise(shape: CovarianceStructure, data: _Data, theta: Array) -> tuple[Array, _State, int]:
    """Two Fisher-scoring steps from the residual moments, then Newton steps, halved until the likelihood grows."""
    state = _evaluate(shape, data, theta)
    if state is None:
        theta = shape.start(np.diag(np.diagonal(_moments(data))))
        state = _evaluate(shape, data, theta)
    if state is None:
        raise CannotEstimate("no starting point for the covariance", remedy="choose a simpler structure")
    for count in range(_MOST_STEPS):
        direction, length = _direction(state, newton=count >= 2)
        if length < _CONVERGED:
            _check_determined(state)
            return theta, state, count
        moved = _halve(shape, data, theta, state, direction)
        if moved is None:  # no better point at any step: rounding decides, if the optimum is near
            if length < 1e-6:
                _check_determined(state)
                return theta, state, count
            break
        theta, state = moved
    raise CannotEstimate(
        "the covariance of the outcomes did not converge",
        remedy="choose a structure with fewer parameters, or look for visits with hardly any data",
    )


def _direction(state: _State, *, newton: bool) -> tuple[Array, float]:
    """A step downhill for −2 log-likelihood, and the decrement it promises."""
    if newton:
        try:
            np.linalg.cholesky(state.hessian)
            step = np.asarray(-np.linalg.solve(state.hessian, state.gradient), dtype=np.float64)
            return step, float(-step @ state.gradient)
        except np.linalg.LinAlgError:  # not convex here
            pass
    step = np.asarray(-np.linalg.lstsq(state.expected, state.gradient, rcond=1e-12)[0], dtype=np.float64)
    return step, float(-step @ state.gradient)


def _halve(
    shape: CovarianceStructure, data: _Data, theta: Array, state: _State, direction: Array
) -> tuple[Array, _State] | None:
    for halving in range(40):
        nearer = theta + direction / 2.0**halving
        found = _evaluate(shape, data, nearer)
        if found is not None and found.value < state.value:
            return nearer, found
    return None


def _check_determined(state: _State) -> None:
    """The second derivatives must be positive definite, else the data do not determine θ."""
    scale = np.sqrt(np.abs(np.diagonal(state.hessian)))
    ok = (scale > 0).all() and float(np.linalg.eigvalsh(state.hessian / np.outer(scale, scale)).min()) > 1e-9
    if not ok:
        raise CannotEstimate(
            "the data do not determine the covariance of the outcomes",
            remedy="choose a structure with fewer parameters",
        )


def _evaluate(shape: CovarianceStructure, data: _Data, theta: Array) -> _State | None:
    """The likelihood and its derivatives at θ, or None where Σ(θ) is not positive definite."""
    sigma = shape.matrix(theta)
    if not np.isfinite(sigma).all():
        return None
    try:
        np.linalg.cholesky(sigma)
    except np.linalg.LinAlgError:
        return None
    first, second = shape.first(theta), shape.second(theta)
    sums = _Sums(theta.size, data.t.shape[2], second is not None)
    at_once = max(1, _MOST_NUMBERS // (sums.s.shape[0] * (data.s.shape[1] + data.s.shape[2])))
    try:
        for start in range(0, data.people.size, at_once):
            sums.add(data, slice(start, start + at_once), sigma, first, second)
        return sums.state()
    except np.linalg.LinAlgError:  # Σ singular but for rounding, or so large that X'WX vanishes: no point to go to
        return None


class _Sums:
    """X'MX, X'My and y'My, summed over patterns, for M = W, W V_j W, W V_j W V_k W and W V_jk W."""

    def __init__(self, k: int, p: int, curved: bool) -> None:
        self.k, self.p = k, p
        # W V_j W V_k W is taken with its transpose: only their sum is ever used, and pairs j ≤ k are enough.
        self.upper = _upper(k)
        self.pairs = self.upper[0].size
        self.curved = curved
        matrices = 1 + k + self.pairs * (2 if curved else 1)
        self.s = np.zeros((matrices, p * (p + 1) // 2))
        self.t, self.u = np.zeros((matrices, p)), np.zeros(matrices)
        self.trace_1, self.trace_11 = np.zeros(k), np.zeros((k, k))
        self.trace_2 = np.zeros((k, k))
        self.log_det = 0.0

    def add(self, data: _Data, part: slice, sigma: Array, first: Array, second: Array | None) -> None:
        """Add some patterns (m of them here)."""
        k, people, present = self.k, data.people[part], data.present[part]
        m, q = present.shape
        j_s, k_s = self.upper
        both = present[:, :, None] & present[:, None, :]
        # Unit rows where a visit is absent: inverse and determinant of the rest are not touched by them.
        padded = np.where(both, sigma, np.eye(q))
        w = np.linalg.inv(padded) * both
        v_w = first @ w[:, None]  # V_j W: (m, k, q, q)
        w_v_w = w[:, None] @ v_w  # W V_j W
        middle = w_v_w[:, j_s] @ v_w[:, k_s]  # W V_j W V_k W
        blocks = [w[:, None], w_v_w, (middle + np.swapaxes(middle, 2, 3)) / 2.0]
        self.log_det += float(people @ np.linalg.slogdet(padded)[1])
        self.trace_1 += people @ np.trace(v_w, axis1=2, axis2=3)
        turned = np.swapaxes(v_w, 2, 3).reshape(m, k, q * q)
        weighted = people[:, None, None] * v_w.reshape(m, k, q * q)
        self.trace_11 += (weighted @ np.swapaxes(turned, 1, 2)).sum(axis=0)
        if second is not None:
            v2_w = second @ w[:, None, None]
            self.trace_2 += np.tensordot(people, np.trace(v2_w, axis1=3, axis2=4), axes=1)
            blocks.append(w[:, None] @ v2_w[:, j_s, k_s])
        upper = np.concatenate([block[(..., *_upper(q))] for block in blocks], axis=1)  # (m, M, Q)
        flat = np.swapaxes(upper, 0, 1).reshape(self.u.size, -1)  # one row for each M, all patterns side by side
        self.s += flat @ data.s[part].reshape(flat.shape[1], -1)
        self.t += flat @ data.t[part].reshape(flat.shape[1], -1)
        self.u += flat @ data.u[part].ravel()

    def state(self) -> _State:
        """Assemble value, gradient and second derivatives of −2 × the restricted log-likelihood."""
        k, p = self.k, self.p
        a, b = _upper(p)
        s = np.empty((self.u.size, p, p))
        s[:, a, b] = s[:, b, a] = self.s
        phi = np.linalg.inv(s[0])
        beta = phi @ self.t[0]
        quadratic = self.u - 2.0 * self.t @ beta + np.einsum("p,mpq,q->m", beta, s, beta)  # e'Me
        one = slice(1, 1 + k)
        x_1, e_1 = s[one], self.t[one] - s[one] @ beta  # X'W V_j W X, X'W V_j W e
        two = slice(1 + k, 1 + k + self.pairs)
        q_jk, e_jk = self._square(s[two]), self._square(quadratic[two])
        phi_x = phi @ x_1
        trace_pp = self.trace_11 - 2.0 * np.einsum("pq,jkqp->jk", phi, q_jk) + np.einsum("jpq,kqp->jk", phi_x, phi_x)
        gradient = self.trace_1 - np.trace(phi_x, axis1=1, axis2=2) - quadratic[one]
        hessian = -trace_pp + 2.0 * (e_jk - e_1 @ phi @ e_1.T)
        r_jk = None
        if self.curved:
            curved = slice(1 + k + self.pairs, None)
            r_jk, e_2 = self._square(s[curved]), self._square(quadratic[curved])
            hessian = hessian + self.trace_2 - np.einsum("pq,jkqp->jk", phi, r_jk) - e_2
        value = self.log_det + float(np.linalg.slogdet(s[0])[1]) + float(quadratic[0])
        return _State(
            value=value,
            beta=beta,
            phi=phi,
            gradient=gradient,
            hessian=(hessian + hessian.T) / 2.0,
            expected=trace_pp,
            p_j=-x_1,
            q_jk=q_jk,
            r_jk=r_jk,
        )

    def _square(self, pairs: Array) -> Array:
        """Values for j ≤ k as a symmetric (k, k, …) array."""
        j_s, k_s = self.upper
        square = np.empty((self.k, self.k, *pairs.shape[1:]))
        square[j_s, k_s] = square[k_s, j_s] = pairs
        return square
