"""The compiled engine: present with the extra ``trialwright[fast]`` (numba), None without it.

Each function has a plain NumPy twin beside its caller that gives the same decisions; tests compare the two.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

HAVE_NUMBA = find_spec("numba") is not None
"""Whether the compiled engine is there."""

box_muller: Callable[..., None] | None = None

if HAVE_NUMBA:
    pass
