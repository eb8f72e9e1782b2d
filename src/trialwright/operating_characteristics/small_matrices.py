"""Small matrices, very many of them: the last axis counts trials, loops run over rows and columns.

Shapes are (k, k, trials). A matrix that is not positive definite does not stop the others: it is reported by a flag,
and its place in the result holds numbers without meaning.
"""

from __future__ import annotations

import numpy as np

from trialwright.operating_characteristics.estimates import Flags
from trialwright.statistics.arrays import Array


def cholesky(a: Array, least: float = 0.0) -> tuple[Array, Flags]:
    """L with LL' = a, and whether every pivot was above ``least``."""
    k = a.shape[0]
    root, ok = np.zeros_like(a), np.ones(a.shape[2], dtype=np.bool_)
    for j in range(k):
        pivot = a[j, j] - (root[j, :j] ** 2).sum(axis=0)
        good = pivot > least
        ok &= good
        root[j, j] = np.sqrt(np.where(good, pivot, 1.0))
        for i in range(j + 1, k):
            root[i, j] = (a[i, j] - (root[i, :j] * root[j, :j]).sum(axis=0)) / root[j, j]
    return root, ok


def log_determinant(root: Array) -> Array:
    """log |LL'|, shape (trials,)."""
    return np.asarray(2.0 * sum(np.log(root[j, j]) for j in range(root.shape[0])))


def solve(root: Array, b: Array) -> Array:
    """x with LL'x = b; b of shape (k, trials)."""
    k = root.shape[0]
    x = np.empty_like(b)
    for i in range(k):
        x[i] = (b[i] - (root[i, :i] * x[:i]).sum(axis=0)) / root[i, i]
    for i in reversed(range(k)):
        x[i] = (x[i] - (root[i + 1 :, i] * x[i + 1 :]).sum(axis=0)) / root[i, i]
    return x


def inverse(root: Array) -> Array:
    """(LL')⁻¹."""
    k = root.shape[0]
    half = np.zeros_like(root)  # L⁻¹
    for j in range(k):
        half[j, j] = 1.0 / root[j, j]
        for i in range(j + 1, k):
            half[i, j] = -(root[i, j:i] * half[j:i, j]).sum(axis=0) / root[i, i]
    out = np.empty_like(root)
    for i in range(k):
        for j in range(i + 1):
            out[i, j] = out[j, i] = (half[i:, i] * half[i:, j]).sum(axis=0)
    return out
