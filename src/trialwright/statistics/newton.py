"""Newton's method for log-likelihoods that are concave where it matters, with step-halving."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from trialwright.statistics.arrays import Array
from trialwright.statistics.errors import NotConverged
from trialwright.statistics.estimate import Convergence

_MOST_STEPS = 60
_NEAR = 1e-10  # g'H⁻¹g before the last step, which squares it
_LEFT = 1e-6  # share of the curvature at the start
_FLAT = 1e-9  # smallest eigenvalue of scaled second derivatives that counts as curved

Likelihood = Callable[[Array], tuple[float, Array, Array]]
"""θ (k,) → (log-likelihood, gradient (k,), −second derivatives (k, k))."""


def climb(likelihood: Likelihood, start: Array, *, remedy: str) -> tuple[Array, float, Array, Convergence]:
    """(θ̂, log-likelihood, observed information, how it ended).

    Args:
        likelihood: and its derivatives.
        start: where to begin.
        remedy: what the user can do when there is no maximum.

    Raises:
        NotConverged: no maximum, or one that the data do not determine: some direction of θ runs to infinity.
    """
    theta = start
    value, gradient, information = likelihood(theta)
    first = information
    for count in range(_MOST_STEPS):
        smallest = _curvature(information)
        step = _uphill(information, gradient, smallest, remedy)
        decrement = 2.0 * float(step @ gradient)
        if decrement < _NEAR:
            if smallest <= _FLAT or _levelled(first, information):
                raise NotConverged("an estimate runs to infinity, or the data say nothing of it", remedy=remedy)
            # The gradient has more digits here than the likelihood, so the last step is taken on its word.
            value, gradient, information = likelihood(theta + step)
            left = 2.0 * float(gradient @ np.linalg.solve(information, gradient))
            return theta + step, value, information, Convergence(count + 1, left, _curvature(information))
        moved = _halved(likelihood, theta, step, value)
        if moved is None:
            break
        theta, (value, gradient, information) = moved
    raise NotConverged("the likelihood has no maximum that could be found", remedy=remedy)


def _levelled(first: Array, last: Array) -> bool:
    """Whether in some direction hardly anything is left of the curvature at the start: the way to an infinite θ."""
    try:
        root = np.linalg.cholesky(first)
    except np.linalg.LinAlgError:  # not concave at the start, so no measure
        return False
    left = np.linalg.solve(root, np.linalg.solve(root, last).T)
    return float(np.linalg.eigvalsh((left + left.T) / 2.0).min()) < _LEFT


def _halved(
    likelihood: Likelihood, theta: Array, step: Array, value: float
) -> tuple[Array, tuple[float, Array, Array]] | None:
    for halving in range(40):
        nearer = theta + step / 2.0**halving
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            found = likelihood(nearer)
        if np.isfinite(found[0]) and np.isfinite(found[2]).all() and found[0] > value:
            return nearer, found
    return None


def _curvature(information: Array) -> float:
    scale = np.sqrt(np.abs(np.diagonal(information)))
    if not (scale > 0).all():
        return 0.0
    return float(np.linalg.eigvalsh(information / np.outer(scale, scale)).min())


def _uphill(information: Array, gradient: Array, smallest: float, remedy: str) -> Array:
    if np.diagonal(information).max(initial=0.0) <= 0:
        raise NotConverged("the likelihood is flat: the data do not determine the parameters", remedy=remedy)
    scale = np.sqrt(np.maximum(np.abs(np.diagonal(information)), 1e-300))
    scaled = information / np.outer(scale, scale)
    if smallest <= _FLAT:  # not concave here, or flat in some direction: a ridge keeps the step uphill and finite
        scaled = scaled + (1e-3 - min(smallest, 0.0)) * np.eye(scale.size)
    return np.asarray(np.linalg.solve(scaled, gradient / scale) / scale)
