"""Covariance of repeated outcomes: Σ(θ) with first and second derivatives, for q visits.

Sources: Jennrich and Schluchter, Biometrics 1986;42:805–820; SAS/STAT PROC MIXED documentation, table of TYPE=
structures (names in brackets below). Variances, not standard deviations, are the parameters, as there: the second
derivatives enter the Kenward-Roger adjustment, so the choice of parameters shows in the standard error.

Every structure answers the same five questions; θ has length k.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np

from trialwright.statistics.arrays import Array
from trialwright.statistics.errors import CannotEstimate


class CovarianceStructure(Protocol):
    """Σ(θ) and its derivatives."""

    def start(self, moments: Array) -> Array:
        """θ, shape (k,), near a positive definite matrix of residual moments, shape (q, q)."""
        ...

    def matrix(self, theta: Array) -> Array:
        """Σ(θ), shape (q, q); not necessarily positive definite."""
        ...

    def first(self, theta: Array) -> Array:
        """∂Σ/∂θ_j, shape (k, q, q)."""
        ...

    def second(self, theta: Array) -> Array | None:
        """∂²Σ/∂θ_j∂θ_k, shape (k, k, q, q), or None where all are zero."""
        ...


@dataclass(frozen=True, eq=False)
class _Linear:
    """Σ = Σ_j θ_j B_j with fixed symmetric matrices B_j of zeros and ones that do not share an entry."""

    basis: Array

    def start(self, moments: Array) -> Array:
        return np.asarray((self.basis * moments).sum(axis=(1, 2)) / self.basis.sum(axis=(1, 2)))

    def matrix(self, theta: Array) -> Array:
        return np.asarray((theta @ self.basis.reshape(theta.size, -1)).reshape(self.basis.shape[1:]))

    def first(self, theta: Array) -> Array:
        return self.basis

    def second(self, theta: Array) -> Array | None:
        return None


class _Correlation(Protocol):
    """R(ρ) with unit diagonal: start (m,), matrix (q, q), first (m, q, q), second (m, m, q, q)."""

    def start(self, correlations: Array) -> Array: ...

    def matrix(self, rho: Array) -> Array: ...

    def first(self, rho: Array) -> Array: ...

    def second(self, rho: Array) -> Array: ...


@dataclass(frozen=True, eq=False)
class _Exchangeable:
    """R_ij = ρ_{g(i,j)}: off-diagonal entries are grouped (all together, or by lag)."""

    groups: Array  # (m, q, q) of zeros and ones

    def start(self, correlations: Array) -> Array:
        return np.asarray((self.groups * correlations).sum(axis=(1, 2)) / self.groups.sum(axis=(1, 2)))

    def matrix(self, rho: Array) -> Array:
        return np.asarray(np.eye(self.groups.shape[1]) + np.tensordot(rho, self.groups, axes=1))

    def first(self, rho: Array) -> Array:
        return self.groups

    def second(self, rho: Array) -> Array:
        m, q, _ = self.groups.shape
        return np.zeros((m, m, q, q))


@dataclass(frozen=True, eq=False)
class _Autoregressive:
    """R_ij = ρ^|i − j|."""

    lag: Array  # (q, q)

    def start(self, correlations: Array) -> Array:
        return np.array([correlations[self.lag == 1].mean()])

    def matrix(self, rho: Array) -> Array:
        return _power(rho[0], self.lag)

    def first(self, rho: Array) -> Array:
        return (self.lag * _power(rho[0], self.lag - 1))[None]

    def second(self, rho: Array) -> Array:
        return (self.lag * (self.lag - 1) * _power(rho[0], self.lag - 2))[None, None]


@dataclass(frozen=True, eq=False)
class _AnteDependent:
    """R_ij = ρ_i ρ_{i+1} … ρ_{j−1} for i < j: first-order ante-dependence."""

    uses: Array  # (q − 1, q, q): 1 where ρ_m is a factor of R_ij

    def start(self, correlations: Array) -> Array:
        return np.diagonal(correlations, offset=1).copy()

    def matrix(self, rho: Array) -> Array:
        return self._product(rho, ())

    def first(self, rho: Array) -> Array:
        return np.stack([self.uses[m] * self._product(rho, (m,)) for m in range(rho.size)])

    def second(self, rho: Array) -> Array:
        def entry(m: int, n: int) -> Array:
            if m == n:  # each ρ_m appears at most once in a product
                return np.zeros(self.uses.shape[1:])
            return np.asarray(self.uses[m] * self.uses[n] * self._product(rho, (m, n)))

        return np.stack([np.stack([entry(m, n) for n in range(rho.size)]) for m in range(rho.size)])

    def _product(self, rho: Array, without: tuple[int, ...]) -> Array:
        result = np.ones(self.uses.shape[1:])
        for m in range(rho.size):
            if m not in without:
                result *= np.where(self.uses[m] == 1, rho[m], 1.0)
        return result


@dataclass(frozen=True, eq=False)
class _Scaled:
    """Σ_ij = √v_i √v_j R_ij(ρ), with one variance for all visits or one for each; θ = (v, ρ)."""

    correlation: _Correlation
    heterogeneous: bool
    visits: int

    def start(self, moments: Array) -> Array:
        variances = np.diagonal(moments)
        scale = np.sqrt(variances)
        rho = self.correlation.start(moments / np.outer(scale, scale))
        return np.concatenate([variances if self.heterogeneous else [variances.mean()], rho])

    def matrix(self, theta: Array) -> Array:
        s, rho = self._parts(theta)
        return np.asarray(np.outer(s, s) * self.correlation.matrix(rho))

    def first(self, theta: Array) -> Array:
        s, rho = self._parts(theta)
        by_variance = self._scale_first(s) * self.correlation.matrix(rho)
        by_rho = np.outer(s, s) * self.correlation.first(rho)
        return np.concatenate([by_variance, by_rho])

    def second(self, theta: Array) -> Array | None:
        s, rho = self._parts(theta)
        first, q = self.correlation.first(rho), self.visits
        scales, rhos = self._scale_first(s), first.shape[0]
        n = scales.shape[0]
        result = np.zeros((n + rhos, n + rhos, q, q))
        result[:n, :n] = self._scale_second(s) * self.correlation.matrix(rho)
        result[:n, n:] = scales[:, None] * first[None, :]
        result[n:, :n] = np.swapaxes(result[:n, n:], 0, 1)
        result[n:, n:] = np.outer(s, s) * self.correlation.second(rho)
        return result

    def _parts(self, theta: Array) -> tuple[Array, Array]:
        n = self.visits if self.heterogeneous else 1
        # A step may leave the positive variances; NaN then marks the point as infeasible.
        variances = np.where(theta[:n] > 0, theta[:n], np.nan)
        return np.sqrt(np.broadcast_to(variances, (self.visits,))), theta[n:]

    def _scale_first(self, s: Array) -> Array:
        """∂(s_i s_j)/∂v: (n, q, q)."""
        q = self.visits
        if not self.heterogeneous:
            return np.ones((1, q, q))
        # ∂s_i/∂v_i = 1 / (2 s_i)
        part = np.eye(q)[:, :, None] * (s[None, None, :] / (2 * s[:, None, None]))
        return np.asarray(part + np.swapaxes(part, 1, 2))

    def _scale_second(self, s: Array) -> Array:
        """∂²(s_i s_j)/∂v∂v: (n, n, q, q)."""
        q = self.visits
        if not self.heterogeneous:
            return np.zeros((1, 1, q, q))
        result = np.zeros((q, q, q, q))
        for i in range(q):
            for j in range(q):
                if i != j:
                    mixed = 1 / (4 * s[i] * s[j])
                    result[i, j, i, j] = result[i, j, j, i] = mixed
                    result[i, i, i, j] = result[i, i, j, i] = -s[j] / (4 * s[i] ** 3)
        return result


def structure(name: str, visits: int) -> CovarianceStructure:
    """The covariance structure of that name for q = ``visits``.

    Args:
        name: one of :data:`STRUCTURES`, or its short name in :data:`SHORT_NAMES`.
        visits: number of visits, at least 2.

    Raises:
        CannotEstimate: an unknown name, or fewer than two visits.
    """
    full = SHORT_NAMES.get(name, name)
    if full not in _MAKERS:
        raise CannotEstimate(
            f"unknown covariance structure {name[:40]!r}",
            remedy=f"use one of {', '.join((*SHORT_NAMES, *STRUCTURES))}",
        )
    if visits < 2:
        raise CannotEstimate("repeated outcomes need at least two visits", remedy="use a linear model")
    return _made(full, visits)


@cache
def _made(name: str, visits: int) -> CovarianceStructure:
    """Structures hold fixed matrices only, so one of a kind is enough."""
    return _MAKERS[name](visits)


def _lags(q: int) -> Array:
    index = np.arange(q, dtype=np.float64)
    return np.abs(index[:, None] - index[None, :])


def _power(base: float, exponent: Array) -> Array:
    """base**exponent, 0 where the exponent is negative (there a zero factor stands before it)."""
    return np.where(exponent >= 0, base ** np.maximum(exponent, 0), 0.0)


def _unstructured(q: int) -> CovarianceStructure:
    basis = np.zeros((q * (q + 1) // 2, q, q))
    for n, (row, column) in enumerate(zip(*np.tril_indices(q), strict=True)):
        basis[n, row, column] = basis[n, column, row] = 1.0
    return _Linear(basis)


def _compound_symmetry(q: int) -> CovarianceStructure:
    return _Linear(np.stack([np.eye(q), np.ones((q, q)) - np.eye(q)]))


def _toeplitz(q: int) -> CovarianceStructure:
    return _Linear(np.stack([(_lags(q) == lag).astype(np.float64) for lag in range(q)]))


def _heterogeneous_compound_symmetry(q: int) -> CovarianceStructure:
    return _Scaled(_Exchangeable((np.ones((q, q)) - np.eye(q))[None]), heterogeneous=True, visits=q)


def _heterogeneous_toeplitz(q: int) -> CovarianceStructure:
    groups = np.stack([(_lags(q) == lag).astype(np.float64) for lag in range(1, q)])
    return _Scaled(_Exchangeable(groups), heterogeneous=True, visits=q)


def _autoregressive(q: int) -> CovarianceStructure:
    return _Scaled(_Autoregressive(_lags(q)), heterogeneous=False, visits=q)


def _heterogeneous_autoregressive(q: int) -> CovarianceStructure:
    return _Scaled(_Autoregressive(_lags(q)), heterogeneous=True, visits=q)


def _ante_dependence(q: int) -> CovarianceStructure:
    low = np.minimum.outer(np.arange(q), np.arange(q))
    high = np.maximum.outer(np.arange(q), np.arange(q))
    uses = np.stack([((low <= m) & (m < high)).astype(np.float64) for m in range(q - 1)])
    return _Scaled(_AnteDependent(uses), heterogeneous=True, visits=q)


_MAKERS: dict[str, Callable[[int], CovarianceStructure]] = {
    "unstructured": _unstructured,  # UN
    "compound_symmetry": _compound_symmetry,  # CS
    "heterogeneous_compound_symmetry": _heterogeneous_compound_symmetry,  # CSH
    "autoregressive": _autoregressive,  # AR(1)
    "heterogeneous_autoregressive": _heterogeneous_autoregressive,  # ARH(1)
    "toeplitz": _toeplitz,  # TOEP
    "heterogeneous_toeplitz": _heterogeneous_toeplitz,  # TOEPH
    "ante_dependence": _ante_dependence,  # ANTE(1)
}
STRUCTURES = tuple(sorted(_MAKERS))
"""Names of the structures."""
SHORT_NAMES = {
    "us": "unstructured",
    "cs": "compound_symmetry",
    "csh": "heterogeneous_compound_symmetry",
    "ar1": "autoregressive",
    "arh1": "heterogeneous_autoregressive",
    "toep": "toeplitz",
    "toeph": "heterogeneous_toeplitz",
    "ad": "ante_dependence",
    "ante1": "ante_dependence",
}
"""Short names of the structures, as plans and SAS write them."""
