"""Group-sequential boundaries for repeated looks at accumulating data.

Sources: Armitage, McPherson and Rowe, J R Stat Soc A 1969;132:235–244 (recursive integration); Jennison and Turnbull,
Group Sequential Methods, 2000, chapters 2, 7 and 19; Pocock, Biometrika 1977;64:191–199; O'Brien and Fleming,
Biometrics 1979;35:549–556; Lan and DeMets, Biometrika 1983;70:659–663.

Symbols: looks k = 1 … K at information fractions t_k (increasing, t_K = 1), statistic Z_k with mean θ√t_k, variance
1 and Cov(Z_j, Z_k) = √(t_j / t_k). The engine follows the density of √t_k Z_k on the region of continuation, which
has independent normal increments of variance t_k − t_{k−1}.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special
from scipy.optimize import brentq

from trialwright.statistics.arrays import Array, ArrayLike, vector
from trialwright.statistics.errors import CannotEstimate

Spending = Callable[[float], float]
"""Cumulative type-I error spent at information fraction t, from 0 at 0 to the whole of it at 1."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_FAR = 9.0  # standard deviations beyond which nothing is left (1e-19)


def pocock(looks: int, alpha: float = 0.05, sides: Literal[1, 2] = 2) -> Array:
    """The same critical value at each of ``looks`` equally spaced looks.

    Args:
        looks: number of looks, 1–50.
        alpha: type-I error over all looks, of all sides together.
        sides: 2 rejects for |Z| ≥ bound, 1 for Z ≥ bound.

    Returns:
        Critical values of Z, shape (looks,).

    Raises:
        CannotEstimate: arguments outside their range.
    """
    return _constant_times(np.ones(_whole(looks)), alpha, sides)


def obrien_fleming(looks: int, alpha: float = 0.05, sides: Literal[1, 2] = 2) -> Array:
    """Critical values c·√(K / k): hardly any chance early. Arguments as in :func:`pocock`.

    Raises:
        CannotEstimate: arguments outside their range.
    """
    count = _whole(looks)
    return _constant_times(np.sqrt(count / np.arange(1, count + 1)), alpha, sides)


def lan_demets_obrien_fleming(alpha: float = 0.05, sides: Literal[1, 2] = 2) -> Spending:
    """Spending like O'Brien-Fleming: for each side with error a, 2 − 2Φ(z_{1 − a/2} / √t).

    Raises:
        CannotEstimate: arguments outside their range.
    """
    _check_alpha(alpha, sides)
    z = float(special.ndtri(alpha / sides / 2))
    return lambda t: 0.0 if t <= 0 else sides * 2.0 * float(special.ndtr(z / np.sqrt(min(t, 1.0))))


def lan_demets_pocock(alpha: float = 0.05, sides: Literal[1, 2] = 2) -> Spending:
    """Spending like Pocock: α·ln(1 + (e − 1)t).

    Raises:
        CannotEstimate: arguments outside their range.
    """
    _check_alpha(alpha, sides)
    return lambda t: alpha * float(np.log1p((np.e - 1.0) * min(max(t, 0.0), 1.0)))


def spending_boundaries(information: Sequence[float], spending: Spending, sides: Literal[1, 2] = 2) -> Array:
    """Critical values that spend the type-I error as declared, for any timing of the looks.

    Args:
        information: fractions t_k of the planned information, increasing, the last at most 1.
        spending: cumulative error of all sides together, see :func:`lan_demets_obrien_fleming`.
        sides: as in :func:`pocock`.

    Returns:
        Critical values of Z, shape (K,); infinite where nothing is spent.

    Raises:
        CannotEstimate: fractions out of order, or a spending function that falls.
    """
    times = _times(information)
    _check_alpha(spending(1.0), sides)
    walk = _Walk.start()
    bounds: list[float] = []
    spent = 0.0
    for t in times:
        step = spending(float(t)) - spent
        if step < 0:
            raise CannotEstimate("the spending function falls", remedy="give a function that never falls")
        spent += step
        bound = _bound_for(walk, float(t), step, sides)
        bounds.append(bound)
        lower = -bound if sides == 2 else -np.inf
        walk = walk.step(float(t), lower, bound, 0.0)
    return np.asarray(bounds)


def crossing_probabilities(
    information: Sequence[float], lower: ArrayLike, upper: ArrayLike, drift: float = 0.0
) -> tuple[Array, Array]:
    """Probability of first leaving the region of continuation at each look, below and above.

    Args:
        information: fractions t_k, increasing.
        lower, upper: bounds of Z at each look, shape (K,); ``-inf`` for no lower bound.
        drift: mean of Z at full information (θ); 0 under the null hypothesis.

    Returns:
        (below, above), each of shape (K,); the sum of ``above`` is the power of an upper test.

    Raises:
        CannotEstimate: shapes that do not fit, or a lower bound above the upper one.
    """
    times = _times(information)
    low, high = np.asarray(lower, dtype=np.float64), np.asarray(upper, dtype=np.float64)
    if low.shape != times.shape or high.shape != times.shape or not (low <= high).all():
        raise CannotEstimate("the bounds do not fit the looks", remedy="give lower ≤ upper for each look")
    walk = _Walk.start()
    below, above = np.zeros(times.size), np.zeros(times.size)
    for k, t in enumerate(times):
        below[k], above[k] = walk.exits(float(t), float(low[k]), float(high[k]), drift)
        walk = walk.step(float(t), float(low[k]), float(high[k]), drift)
    return below, above


@dataclass(frozen=True)
class _Walk:
    """The score S = √t Z on the region of continuation after a look: nodes, and probability mass at each."""

    t: float
    nodes: Array
    mass: Array

    @staticmethod
    def start() -> _Walk:
        """All mass at zero, before any information."""
        return _Walk(0.0, np.zeros(1), np.ones(1))

    def exits(self, t: float, low: float, high: float, drift: float) -> tuple[float, float]:
        """Probability that Z at information ``t`` is below ``low``, and above ``high``."""
        centre = self.nodes + drift * (t - self.t)
        spread = np.sqrt(t - self.t)
        below = special.ndtr((low * np.sqrt(t) - centre) / spread)
        above = special.ndtr((centre - high * np.sqrt(t)) / spread)
        return float(self.mass @ below), float(self.mass @ above)

    def step(self, t: float, low: float, high: float, drift: float) -> _Walk:
        """The walk after continuing at information ``t`` between two bounds of Z."""
        spread = float(np.sqrt(t - self.t))
        reach = _FAR * np.sqrt(t)
        first = max(low * np.sqrt(t), drift * t - reach)
        last = min(high * np.sqrt(t), drift * t + reach)
        if last <= first:
            return _Walk(t, np.zeros(1), np.zeros(1))
        nodes, weights = _panels(first, last, spread)
        centre = self.nodes + drift * (t - self.t)
        distance = (nodes[:, None] - centre[None, :]) / spread
        density = np.exp(-0.5 * distance**2) @ self.mass / (spread * np.sqrt(2.0 * np.pi))
        return _Walk(t, nodes, weights * density)


def _panels(first: float, last: float, spread: float) -> tuple[Array, Array]:
    """Gauss-Legendre nodes in panels no wider than the kernel's standard deviation: errors below 1e-12."""
    count = max(1, int(np.ceil((last - first) / (1.5 * spread))))
    edges = np.linspace(first, last, count + 1)
    half = (edges[1:] - edges[:-1]) / 2.0
    middle = (edges[1:] + edges[:-1]) / 2.0
    nodes = (middle[:, None] + half[:, None] * _NODES[None, :]).ravel()
    return nodes, (half[:, None] * _WEIGHTS[None, :]).ravel()


def _bound_for(walk: _Walk, t: float, step: float, sides: int) -> float:
    """The bound that is crossed with probability ``step`` at this look."""

    def excess(bound: float) -> float:
        below, above = walk.exits(t, -bound if sides == 2 else -np.inf, bound, 0.0)
        return below + above - step

    if excess(_FAR) >= 0.0:  # less than 1e-18 to spend
        return float(np.inf)
    lowest = 0.0 if sides == 2 else -_FAR
    if excess(lowest) <= 0.0:
        raise CannotEstimate("more error is to be spent at a look than is left", remedy="check the spending function")
    return float(brentq(excess, lowest, _FAR, xtol=1e-13, rtol=1e-13))


def _constant_times(shape: Array, alpha: float, sides: Literal[1, 2]) -> Array:
    """c · shape, with the constant c for which all looks together have error alpha."""
    _check_alpha(alpha, sides)
    times = np.arange(1, shape.size + 1) / shape.size

    def excess(constant: float) -> float:
        upper = constant * shape
        lower = -upper if sides == 2 else np.full(shape.size, -np.inf)
        below, above = crossing_probabilities(times.tolist(), lower, upper)
        return float(below.sum() * (sides == 2) + above.sum()) - alpha

    return np.asarray(brentq(excess, 0.0 if sides == 2 else -_FAR / 2, _FAR, xtol=1e-13, rtol=1e-13) * shape)


def _times(information: Sequence[float]) -> Array:
    times = vector(list(information), name="information")
    if times[0] <= 0 or times[-1] > 1 + 1e-12 or not (np.diff(times) > 0).all():
        raise CannotEstimate(
            "the information fractions are not increasing from above 0 to at most 1",
            remedy="give for example (0.5, 1.0)",
        )
    return times


def _check_alpha(alpha: float, sides: int) -> None:
    if not 0.0 < alpha < 0.5 * sides or sides not in {1, 2}:
        raise CannotEstimate(
            f"a type-I error of {alpha} on {sides} side(s)",
            remedy="give an error above 0 and below one half a side, and 1 or 2 sides",
        )


def _whole(looks: int) -> int:
    if not 1 <= looks <= 50:
        raise CannotEstimate(f"{looks} looks", remedy="plan 1 to 50 looks", given=looks)
    return looks
