"""What the likelihood of repeated outcomes needs of the data: sums of products for each pattern of visits.

For a pattern of visits the restricted likelihood and its derivatives depend on the data only through
S_ab = Σ_i x_ia x_ib', t_ab = Σ_i x_ia y_ib and u_ab = Σ_i y_ia y_ib (a, b visits), so one pass collects them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from trialwright.statistics.arrays import Array
from trialwright.statistics.errors import CannotEstimate

Index = npt.NDArray[np.intp]

_MOST_NUMBERS = 4_000_000  # held at once: 32 MB


@dataclass(frozen=True, eq=False)
class Sums:
    """The sums of every pattern of visits (m patterns), each padded with zeros to all q visits.

    Every M that is asked for is symmetric, so Σ_ab M_ab S_ab needs only a ≤ b, with S_ab + S_ba in place of S_ab
    off the diagonal, and only the upper triangle of the result. With Q = q(q + 1)/2, P = p(p + 1)/2 the shapes
    are ``people`` (m,), ``present`` (m, q) and ``xyu`` (m, Q, P + p + 1): S, t and u side by side.
    """

    people: Array
    present: npt.NDArray[np.bool_]
    xyu: Array
    coefficients: int

    @property
    def u(self) -> Array:
        """u, shape (m, Q)."""
        return self.xyu[:, :, -1]


def collect(y: Array, x: Array, people: Index, visits: Index) -> Sums:
    """The sums of outcomes y (n,) and design x (n, p).

    Args:
        people: (n,), whole numbers 0 … without gaps: whose row it is.
        visits: (n,), whole numbers 0 … q − 1, one row for each participant and visit.
    """
    count, q, p = int(people.max()) + 1, int(visits.max()) + 1, x.shape[1]
    present = np.zeros((count, q), dtype=np.bool_)
    present[people, visits] = True
    patterns, order, starts = _grouped(present)
    place = np.empty(count, dtype=np.intp)
    place[order] = np.arange(count)
    # One rectangle: a participant a row, zeros where a visit is absent, so that a pattern is one matrix product.
    rectangle = np.zeros((count, q, p + 1))
    row = place[people]
    rectangle[row, visits, :p] = x
    rectangle[row, visits, p] = y
    flat = rectangle.reshape(count, -1)
    ends = np.append(starts[1:], count)
    at_once = max(1, _MOST_NUMBERS // flat.shape[1] ** 2)
    folded = [
        _fold(flat, starts[first : first + at_once], ends[first : first + at_once], q)
        for first in range(0, starts.size, at_once)
    ]
    xyu = folded[0] if len(folded) == 1 else np.concatenate(folded)
    return Sums((ends - starts).astype(np.float64), patterns, xyu, p)


def _grouped(present: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.bool_], Index, Index]:
    """Patterns (m, q), participants ordered by pattern, and where each pattern starts among them."""
    order = np.lexsort(present.T)
    ordered = present[order]
    starts = np.flatnonzero(np.r_[True, (ordered[1:] != ordered[:-1]).any(axis=1)])
    return ordered[starts], order, starts


@cache
def upper(n: int) -> tuple[Index, Index]:
    """Rows and columns of the upper triangle of an n × n matrix, the diagonal included."""
    rows, columns = np.triu_indices(n)
    return rows, columns


def _fold(flat: Array, starts: Index, ends: Index, q: int) -> Array:
    """S, t and u side by side, (m, Q, P + p + 1), of the patterns that are the rows from ``starts`` to ``ends``."""
    p = flat.shape[1] // q - 1
    pairs = zip(starts.tolist(), ends.tolist(), strict=True)
    products = np.stack([flat[start:end].T @ flat[start:end] for start, end in pairs])
    places = _places(q, p)
    products = products.reshape(starts.size, -1)
    folded = products[:, places[0]] + products[:, places[1]]
    a, b = upper(q)
    folded[:, a == b] /= 2.0
    return np.asarray(folded)


@cache
def _places(q: int, p: int) -> tuple[Index, Index]:
    """Where S_ab, t_ab, u_ab and their mirror images S_ba, t_ba, u_ba lie in a product (q, p + 1, q, p + 1)."""
    a, b = (index[:, None] for index in upper(q))
    i, j = upper(p)
    # S_ab + S_ba is symmetric; t is x_a y_b + x_b y_a; u is y_a y_b twice. The last column of a row is y.
    rows, columns = np.r_[i, np.arange(p), p], np.r_[j, np.full(p, p), p]
    width = q * (p + 1)
    there = (a * (p + 1) + rows) * width + b * (p + 1) + columns
    mirrored = (b * (p + 1) + rows) * width + a * (p + 1) + columns
    return there, mirrored


def moments(sums: Sums) -> Array:
    """Residual second moments (q, q) from all available pairs, shrunk to the diagonal until positive definite.

    Raises:
        CannotEstimate: a visit without any residual.
    """
    q = sums.present.shape[1]
    present = sums.present.astype(np.float64)
    counts = (present * sums.people[:, None]).T @ present
    a, b = upper(q)
    total = np.zeros((q, q))
    total[a, b] = total[b, a] = np.where(a == b, 1.0, 0.5) * sums.u.sum(axis=0)
    found = np.divide(total, counts, out=np.zeros_like(total), where=counts > 0)
    diagonal = np.diag(np.diagonal(found))
    if (np.diagonal(found) <= 0).any():
        raise CannotEstimate("the model fits a visit without error", remedy="use fewer terms, or more data")
    for _ in range(60):
        if float(np.linalg.eigvalsh(found).min()) > 1e-4 * float(np.diagonal(found).min()):
            return np.asarray(found, dtype=np.float64)
        found = 0.9 * found + 0.1 * diagonal
    return np.asarray(diagonal, dtype=np.float64)
