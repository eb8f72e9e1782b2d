"""Contrasts of coefficients that are normal in large samples."""

from __future__ import annotations

import numpy as np

from trialwright.statistics.arrays import Array, ArrayLike, matrix, vector
from trialwright.statistics.errors import CannotEstimate
from trialwright.statistics.estimate import Estimate, JointTest


def wald_contrast(coefficients: Array, covariance: Array, weights: ArrayLike) -> Estimate:
    """``weights @ β`` with a normal reference.

    Raises:
        CannotEstimate: another number of weights, or all zero.
    """
    c = vector(weights, name="weights")
    if c.size != coefficients.size or not c.any():
        raise CannotEstimate(
            f"{c.size} weights for {coefficients.size} coefficients",
            remedy="give one weight for each coefficient, not all zero",
        )
    return Estimate(float(c @ coefficients), float(np.sqrt(c @ covariance @ c)), float("inf"))


def wald_joint(coefficients: Array, covariance: Array, weights: ArrayLike) -> JointTest:
    """χ² test that every row of ``weights`` (l, p) @ β is zero, divided by l: F with infinitely many df.

    Raises:
        CannotEstimate: another shape, or dependent rows.
    """
    rows = matrix(weights, name="weights")
    if rows.shape[1] != coefficients.size or np.linalg.matrix_rank(rows) < rows.shape[0]:
        raise CannotEstimate(
            "the contrasts do not fit the model or depend on each other",
            remedy="give independent rows with one weight for each coefficient",
        )
    value = rows @ coefficients
    statistic = float(value @ np.linalg.solve(rows @ covariance @ rows.T, value))
    return JointTest(statistic / rows.shape[0], rows.shape[0], float("inf"))
