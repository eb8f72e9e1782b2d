"""Arrays at the door of the engine: floats, of one shape, and finite."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trialwright.statistics.errors import CannotEstimate

Array = npt.NDArray[np.float64]
ArrayLike = npt.ArrayLike


def vector(values: ArrayLike, *, name: str) -> Array:
    """``values`` as a one-dimensional array of finite floats, at least one.

    Raises:
        CannotEstimate: another shape, no value, a missing or infinite value.
    """
    return _checked(values, 1, name)


def matrix(values: ArrayLike, *, name: str) -> Array:
    """``values`` as a two-dimensional array of finite floats.

    Raises:
        CannotEstimate: another shape, no value, a missing or infinite value.
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
    if not np.isfinite(array).all():
        raise CannotEstimate(
            f"{name} has missing or infinite values",
            remedy="decide on missing values before the analysis: leave the rows out, or impute them",
            name=name,
        )
    return array
