"""Which group each participant is in: what all kinds of worlds share."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trialwright.operating_characteristics.errors import CannotSimulate
from trialwright.operating_characteristics.streams import Streams

Groups = npt.NDArray[np.int8]


def draw_groups(lists: Groups, streams: Streams) -> Groups:
    """One of the lists for each trial: shape (n, BLOCK), or (n, 1) where there is only one list."""
    if lists.shape[0] == 1:
        return lists.reshape(-1, 1)
    drawn = (streams.uniforms("allocation", 1)[0] * lists.shape[0]).astype(np.intp)
    return np.ascontiguousarray(lists[drawn].T)


def check_lists(lists: Groups, groups: int) -> None:
    """Lists are a rectangle of group numbers.

    Raises:
        CannotSimulate: another shape, nobody, or a group that is not there.
    """
    if lists.ndim != 2 or lists.size == 0:
        raise CannotSimulate(
            f"lists have shape {lists.shape}", remedy="give one row a list, at least one participant"
        )
    if lists.min() < 0 or lists.max() >= groups:
        raise CannotSimulate("a list names a group that is not there", remedy="number the groups from 0")


def alternating(participants: int) -> Groups:
    """One balanced list, shape (1, n): 0, 1, 0, 1 …"""
    return (np.arange(participants) % 2).astype(np.int8)[None]
