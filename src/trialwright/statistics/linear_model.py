"""Ordinary least squares with contrasts, and the analysis of covariance built on it.

Source: Seber and Lee, Linear Regression Analysis, 2nd ed. 2003, chapters 3–4; adjusted means as in Searle, Speed and
Milliken, Am Stat 1980;34:216–221.

Symbols: y (n), X (n × p) of full column rank, β̂ = (X'X)⁻¹X'y, s² = |y − Xβ̂|² / (n − p).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trialwright.statistics.arrays import Array, ArrayLike, matrix, vector
from trialwright.statistics.errors import CannotEstimate
from trialwright.statistics.estimate import Estimate, JointTest
from trialwright.statistics.least_squares import triangle


class LinearModel:
    """A fitted linear model.

    Args:
        y: shape (n,): the outcome.
        x: shape (n, p): the design matrix, the intercept column included by the caller.

    Attributes:
        coefficients: shape (p,).
        residual_variance: s².
        df: n − p.

    Raises:
        CannotEstimate: shapes that do not fit, or no residual degree of freedom.
        DependentColumns: columns that determine each other.
    """

    def __init__(self, y: ArrayLike, x: ArrayLike) -> None:
        outcome, design = vector(y, name="y"), matrix(x, name="x")
        rows, columns = design.shape
        if rows != outcome.size:
            raise CannotEstimate(
                f"{outcome.size} outcomes and {rows} rows of the design", remedy="give one row for each outcome"
            )
        q, r, scale = triangle(design)
        self.coefficients: Array = np.linalg.solve(r, q.T @ outcome) / scale
        inverse = np.linalg.inv(r) / scale[:, None]
        self._unscaled: Array = inverse @ inverse.T
        self.df = rows - columns
        residuals = outcome - design @ self.coefficients
        self.residual_variance = float(residuals @ residuals) / self.df
        if self.residual_variance <= (1e-14 * float(np.abs(outcome).max())) ** 2:  # rounding, not error
            raise CannotEstimate("the model fits without error", remedy="check that the outcome is no predictor")

    def contrast(self, weights: ArrayLike) -> Estimate:
        """Estimate of ``weights @ β``, weights of shape (p,).

        Raises:
            CannotEstimate: another number of weights, or all zero.
        """
        c = vector(weights, name="weights")
        if c.size != self.coefficients.size or not c.any():
            raise CannotEstimate(
                f"{c.size} weights for {self.coefficients.size} coefficients",
                remedy="give one weight for each coefficient, not all zero",
            )
        variance = float(c @ self._unscaled @ c) * self.residual_variance
        return Estimate(float(c @ self.coefficients), float(np.sqrt(variance)), float(self.df))

    def joint(self, weights: ArrayLike) -> JointTest:
        """F test that every row of ``weights`` (shape (l, p), independent rows) @ β is zero.

        Raises:
            CannotEstimate: another shape, or rows that depend on each other.
        """
        rows = matrix(weights, name="weights")
        if rows.shape[1] != self.coefficients.size or np.linalg.matrix_rank(rows) < rows.shape[0]:
            raise CannotEstimate(
                "the contrasts do not fit the model or depend on each other",
                remedy="give independent rows with one weight for each coefficient",
            )
        value = rows @ self.coefficients
        covariance = rows @ self._unscaled @ rows.T * self.residual_variance
        f = float(value @ np.linalg.solve(covariance, value)) / rows.shape[0]
        return JointTest(f, rows.shape[0], float(self.df))


def ancova(
    y: ArrayLike, treated: ArrayLike, covariates: Sequence[ArrayLike] = ()
) -> tuple[Estimate, Estimate, Estimate]:
    """Analysis of covariance of two arms: y = intercept + arm + covariates.

    Args:
        y: shape (n,): the outcome.
        treated: shape (n,): 1 in the arm of interest, 0 in the other.
        covariates: each of shape (n,); a factor is given as indicator columns without its reference level.

    Returns:
        (difference of the arms, adjusted mean of the arm of interest, adjusted mean of the other), the means at
        the average of every covariate.

    Raises:
        CannotEstimate: arms other than 0 and 1, or whatever :class:`LinearModel` refuses.
    """
    arm = vector(treated, name="treated")
    if set(np.unique(arm)) != {0.0, 1.0}:
        raise CannotEstimate("the arms are not 0 and 1", remedy="give 1 for the arm of interest, 0 for the other")
    columns = [vector(values, name="covariate") for values in covariates]
    if any(column.size != arm.size for column in columns):
        raise CannotEstimate("covariates of another length", remedy="give one value for each participant")
    model = LinearModel(y, np.column_stack([np.ones_like(arm), arm, *columns]))
    centre = [float(column.mean()) for column in columns]
    return (
        model.contrast([0.0, 1.0, *[0.0] * len(columns)]),
        model.contrast([1.0, 1.0, *centre]),
        model.contrast([1.0, 0.0, *centre]),
    )
