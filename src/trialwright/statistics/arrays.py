"""Arrays at the door of the engine: floats, of one shape, and finite."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trialwright.statistics.errors import CannotEstimate

Array = npt.NDArray[np.float64]
ArrayLike = npt.ArrayLike

LARGEST = 1e100
"""No value of a trial comes near it; sums of squares of larger ones overflow."""


def vector(values: ArrayLike, *, name: str) -> Array:
    """``values`` as a one-dimensional array of finite floats, at least one.

    Raises:
        CannotEstimate: another shape, no value, a missing value, or one beyond ±1e100.
    """
    return _checked(values, 1, name)


def matrix(values: ArrayLike, *, name: str) -> Array:
    """``values`` as a two-dimensional array of finite floats.

    Raises:
        CannotEstimate: another shape, no value, a missing value, or one beyond ±1e100.
    """
    return _checked(values, 2, name)


def _checked(values: ArrayLike, dimensions: int, name: str) -> Array:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise CannotEstimate(
            f"{name} is not a rectangle of numbers", remedy="give numbers only", name=name
        ) from error
    if array.ndim != dimensions or array.size == 0:
        raise CannotEstimate(
            f"{name} has shape {array.shape}", remedy=f"give {dimensions} dimension(s), not empty", name=name
        )
    if (np.abs(array) > LARGEST).any():
        raise CannotEstimate(
            f"{name} has a value beyond ±{LARGEST:g}, whose square no computer holds",
            remedy="use another unit, or look where it comes from",
            name=name,
        )
    if np.isnan(array).any():
        raise CannotEstimate(
            f"{name} has missing values",
            remedy="decide on missing values before the analysis: leave the rows out, or impute them",
            name=name,
        )
    return array
