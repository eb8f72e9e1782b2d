"""The last observation carried forward: only to repeat analyses that were planned so.

It assumes that nothing changes after the last visit, which is seldom credible (National Research Council, The
Prevention and Treatment of Missing Data in Clinical Trials, 2010, chapter 4). Plan a mixed model instead.
"""

from __future__ import annotations

import numpy as np

from trialwright.statistics.arrays import Array, ArrayLike
from trialwright.statistics.errors import CannotEstimate


def last_observation_carried_forward(values: ArrayLike) -> Array:
    """Each missing value becomes the last one before it in its row; what is missing from the start stays missing.

    Args:
        values: shape (participants, visits), visits in their order, NaN where missing.

    Raises:
        CannotEstimate: another shape, or infinite values.
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise CannotEstimate("values are not a rectangle of numbers", remedy="give participants × visits") from error
    if array.ndim != 2 or np.isinf(array).any():
        raise CannotEstimate(f"values of shape {array.shape}", remedy="give participants × visits, finite or missing")
    last = np.maximum.accumulate(np.where(np.isnan(array), 0, np.arange(array.shape[1])), axis=1)
    return np.asarray(np.take_along_axis(array, last, axis=1))
