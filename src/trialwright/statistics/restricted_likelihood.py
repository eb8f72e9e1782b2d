"""The restricted likelihood of repeated outcomes, its first two derivatives, and its maximum.

Symbols as in :mod:`trialwright.statistics.mixed_model`. A step costs the same for any number of participants: it
works on the sums of :mod:`trialwright.statistics.repeated_sums`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from trialwright.statistics.arrays import Array
from trialwright.statistics.covariance import CovarianceStructure
from trialwright.statistics.errors import CannotEstimate, NotConverged
from trialwright.statistics.estimate import Convergence
from trialwright.statistics.repeated_sums import Index, Sums, moments, upper

_MOST_STEPS = 100
_MOST_NUMBERS = 4_000_000  # held at once by one evaluation: 32 MB
_CONVERGED = 1e-10  # g'H⁻¹g: squared distance from the optimum in standard errors of θ̂, times two
_FLAT = 1e-9  # smallest eigenvalue of the scaled second derivatives below which the data say nothing of a direction


@dataclass(frozen=True, eq=False)
class State:
    """The restricted likelihood at one θ (length k), with what its derivatives and the adjustments need.

    Attributes:
        value: −2 × restricted log-likelihood without (n − p) log 2π.
        beta, phi: β̂ (p,) and Φ (p, p).
        gradient, hessian: of ``value`` in θ; ``expected`` is its expectation.
        p_j, q_jk, r_jk: P_j (k, p, p), Q_jk and R_jk (k, k, p, p); r_jk is None where Σ is linear in θ.
    """

    value: float
    beta: Array
    phi: Array
    gradient: Array
    hessian: Array
    expected: Array
    p_j: Array
    q_jk: Array
    r_jk: Array | None


def maximise(shape: CovarianceStructure, sums: Sums) -> tuple[Array, State, Convergence]:
    """θ̂: one Fisher-scoring step from the residual moments, then Newton steps, halved until the likelihood grows.

    Raises:
        NotConverged: no optimum was found.
        CannotEstimate: an optimum that the data do not determine.
    """
    spread = moments(sums)
    theta = shape.start(spread)
    state = evaluate(shape, sums, theta)
    if state is None:
        theta = shape.start(np.diag(np.diagonal(spread)))
        state = evaluate(shape, sums, theta)
    if state is None:
        raise NotConverged("no starting point for the covariance", remedy="choose a simpler structure")
    for count in range(_MOST_STEPS):
        direction, length = _direction(state, newton=count >= 1)
        if length < _CONVERGED:
            return theta, state, _determined(state, count, length)
        moved = _halve(shape, sums, theta, state, direction)
        if moved is None:  # no better point at any step: rounding decides, if the optimum is near
            if length < 1e-6:
                return theta, state, _determined(state, count, length)
            break
        theta, state = moved
    raise NotConverged(
        "the covariance of the outcomes did not converge",
        remedy="choose a structure with fewer parameters, or look for visits with hardly any data",
    )


def _direction(state: State, *, newton: bool) -> tuple[Array, float]:
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
    shape: CovarianceStructure, sums: Sums, theta: Array, state: State, direction: Array
) -> tuple[Array, State] | None:
    for halving in range(40):
        nearer = theta + direction / 2.0**halving
        found = evaluate(shape, sums, nearer)
        if found is not None and found.value < state.value:
            return nearer, found
    return None


def _determined(state: State, steps: int, decrement: float) -> Convergence:
    """The second derivatives must be positive definite, else the data do not determine θ."""
    scale = np.sqrt(np.abs(np.diagonal(state.hessian)))
    smallest = 0.0
    if (scale > 0).all():
        smallest = float(np.linalg.eigvalsh(state.hessian / np.outer(scale, scale)).min())
    if smallest <= _FLAT:
        raise CannotEstimate(
            "the data do not determine the covariance of the outcomes",
            remedy="choose a structure with fewer parameters",
        )
    return Convergence(steps, decrement, smallest)


def evaluate(shape: CovarianceStructure, sums: Sums, theta: Array) -> State | None:
    """The likelihood and its derivatives at θ, or None where Σ(θ) is not positive definite."""
    sigma = shape.matrix(theta)
    if not np.isfinite(sigma).all():
        return None
    try:
        np.linalg.cholesky(sigma)
    except np.linalg.LinAlgError:
        return None
    first, second = shape.first(theta), shape.second(theta)
    products = _Products(theta.size, sums.coefficients, second is not None)
    at_once = max(1, _MOST_NUMBERS // max(products.total.shape[0] * sums.xyu.shape[1], first.size * theta.size))
    try:
        for start in range(0, sums.people.size, at_once):
            products.add(sums, slice(start, start + at_once), sigma, first, second)
        return products.state()
    except np.linalg.LinAlgError:  # Σ singular but for rounding, or so large that X'WX vanishes: no point to go to
        return None


@cache
def _mirrored(k: int, q: int) -> tuple[Index, Index]:
    """Places of (j, a, b, l) and (j, b, a, l), j ≤ l and a ≤ b, in an array (k, q, k, q) indexed [j, a, l, b]."""
    j, m = (index[:, None] for index in upper(k))
    a, b = upper(q)
    return ((j * q + a) * k + m) * q + b, ((j * q + b) * k + m) * q + a


@cache
def _unit(q: int) -> Array:
    return np.eye(q)


class _Products:
    """X'MX, X'My and y'My, summed over patterns, for M = W, W V_j W, W V_j W V_k W and W V_jk W."""

    def __init__(self, k: int, p: int, curved: bool) -> None:
        self.k, self.p = k, p
        # W V_j W V_k W is taken with its transpose: only their sum is ever used, and pairs j ≤ k are enough.
        self.pairs = k * (k + 1) // 2
        self.curved = curved
        matrices = 1 + k + self.pairs * (2 if curved else 1)
        self.total = np.zeros((matrices, p * (p + 1) // 2 + p + 1))
        self.trace_1, self.trace_11, self.trace_2 = np.zeros(k), np.zeros((k, k)), np.zeros((k, k))
        self.log_det = 0.0

    def add(self, sums: Sums, part: slice, sigma: Array, first: Array, second: Array | None) -> None:
        """Add some patterns (m of them here)."""
        k, people, present = self.k, sums.people[part], sums.present[part]
        m, q = present.shape
        a, b = upper(q)
        both = present[:, :, None] & present[:, None, :]
        # Unit rows where a visit is absent: inverse and determinant of the rest are not touched by them.
        padded = np.where(both, sigma, _unit(q))
        w = np.linalg.inv(padded) * both
        self.log_det += float(people @ np.linalg.slogdet(padded)[1])
        # Blocks of k matrices as one tall matrix each: products of few large ones instead of many small ones.
        v_w = (first.reshape(k * q, q) @ w).reshape(m, k, q, q)  # V_j W
        w_v = np.swapaxes(v_w, 2, 3).reshape(m, k * q, q)  # W V_j = (V_j W)'
        w_v_w = (w_v @ w).reshape(m, k, q, q)  # W V_j W
        beside = np.ascontiguousarray(v_w.transpose(0, 2, 1, 3)).reshape(m, q, k * q)
        middle = (w_v_w.reshape(m, k * q, q) @ beside).reshape(m, -1)  # W V_j W V_k W at [j, a, k, b]
        there, mirrored = _mirrored(k, q)
        blocks = [
            w[:, None, a, b],
            w_v_w[:, :, a, b],
            (np.take(middle, there, axis=1) + np.take(middle, mirrored, axis=1)) / 2.0,
        ]
        self.trace_1 += people @ np.trace(v_w, axis1=2, axis2=3)
        weighted = people[:, None, None] * v_w.reshape(m, k, q * q)
        self.trace_11 += (weighted @ np.swapaxes(w_v.reshape(m, k, q * q), 1, 2)).sum(axis=0)
        if second is not None:
            v2_w = second.reshape(k * k * q, q) @ w
            self.trace_2 += (people @ np.trace(v2_w.reshape(m, k * k, q, q), axis1=2, axis2=3)).reshape(k, k)
            v2_w = v2_w.reshape(m, k, k, q, q)[:, *upper(k)]
            w_v2 = np.swapaxes(v2_w, 2, 3).reshape(m, -1, q)
            blocks.append((w_v2 @ w).reshape(m, -1, q, q)[:, :, a, b])
        matrices = np.concatenate(blocks, axis=1)  # (m, M, Q)
        flat = np.swapaxes(matrices, 0, 1).reshape(self.total.shape[0], -1)  # a row for each M, patterns side by side
        self.total += flat @ sums.xyu[part].reshape(flat.shape[1], -1)

    def state(self) -> State:
        """Assemble value, gradient and second derivatives of −2 × the restricted log-likelihood."""
        k, p = self.k, self.p
        a, b = upper(p)
        s = np.empty((self.total.shape[0], p, p))
        s[:, a, b] = s[:, b, a] = self.total[:, : a.size]
        t, u = self.total[:, a.size : -1], self.total[:, -1]
        phi = np.linalg.inv(s[0])
        beta = phi @ t[0]
        s_beta = s @ beta
        quadratic = u + (s_beta - 2.0 * t) @ beta  # e'Me
        one = slice(1, 1 + k)
        x_1, e_1 = s[one], t[one] - s_beta[one]  # X'W V_j W X, X'W V_j W e
        two = slice(1 + k, 1 + k + self.pairs)
        q_jk, e_jk = self._square(s[two]), self._square(quadratic[two])
        phi_x = phi @ x_1
        turned = np.swapaxes(phi_x, 1, 2).reshape(k, -1)
        traces = q_jk.reshape(k, k, -1) @ phi.ravel()
        expected = self.trace_11 - 2.0 * traces + phi_x.reshape(k, -1) @ turned.T
        gradient = self.trace_1 - np.trace(phi_x, axis1=1, axis2=2) - quadratic[one]
        hessian = -expected + 2.0 * (e_jk - e_1 @ phi @ e_1.T)
        r_jk = None
        if self.curved:
            curved = slice(1 + k + self.pairs, None)
            r_jk, e_2 = self._square(s[curved]), self._square(quadratic[curved])
            hessian = hessian + self.trace_2 - r_jk.reshape(k, k, -1) @ phi.ravel() - e_2
        value = self.log_det + float(np.linalg.slogdet(s[0])[1]) + float(quadratic[0])
        return State(
            value=value,
            beta=beta,
            phi=phi,
            gradient=gradient,
            hessian=(hessian + hessian.T) / 2.0,
            expected=expected,
            p_j=-x_1,
            q_jk=q_jk,
            r_jk=r_jk,
        )

    def _square(self, pairs: Array) -> Array:
        """Values for j ≤ k as a symmetric (k, k, …) array."""
        j_s, k_s = upper(self.k)
        square = np.empty((self.k, self.k, *pairs.shape[1:]))
        square[j_s, k_s] = square[k_s, j_s] = pairs
        return square
