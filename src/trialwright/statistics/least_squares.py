"""Triangles of a design: the columns are scaled, checked for dependence, and turned into Q and R."""

from __future__ import annotations

import numpy as np
from scipy import linalg

from trialwright.statistics.arrays import Array
from trialwright.statistics.errors import CannotEstimate, DependentColumns


def triangle(x: Array) -> tuple[Array, Array, Array]:
    """(Q, R, scale) with x = QR·diag(scale), Q (n, p) orthonormal, R (p, p) upper triangular.

    Columns of very different size (year of birth, intercept) must not look dependent, hence the scale.

    Raises:
        CannotEstimate: not more rows than columns.
        DependentColumns: columns that determine each other; ``given["columns"]`` holds their numbers.
    """
    n, p = x.shape
    if n <= p:
        raise CannotEstimate(f"{n} outcomes for {p} coefficients", remedy="use fewer terms, or more data")
    scale = np.sqrt((x**2).sum(axis=0))
    if (scale == 0).any():
        raise dependent(np.flatnonzero(scale == 0).tolist())
    q, r = np.linalg.qr(x / scale)
    sizes = np.linalg.svd(r, compute_uv=False)
    if sizes[-1] <= sizes[0] * n * np.finfo(np.float64).eps:
        raise dependent(_redundant(r))
    return q, r, scale


def dependent(columns: list[int]) -> DependentColumns:
    """The error for these columns, which are zero or a combination of the others."""
    return DependentColumns(
        f"columns of the design depend on each other: number {', '.join(map(str, columns))} (from 0) adds nothing",
        remedy="leave out a term that the others determine, or an empty level",
        columns=tuple(columns),
    )


def _redundant(r: Array) -> list[int]:
    """Columns that those before them span, or else the one that pivoting leaves to the end."""
    within = np.abs(np.diagonal(r)) <= 1e-10  # the columns of r have length 1
    if within.any():
        return np.flatnonzero(within).tolist()
    pivoted, order = linalg.qr(r, mode="r", pivoting=True)
    sizes = np.abs(np.diagonal(pivoted))
    return sorted(order[sizes <= sizes[0] * 1e-10].tolist()) or [int(order[-1])]
