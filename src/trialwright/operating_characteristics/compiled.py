"""The compiled engine: present with the extra ``trialwright[fast]`` (numba), None without it.

Each function has a plain NumPy twin beside its caller that gives the same decisions; tests compare the two.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

HAVE_NUMBA = find_spec("numba") is not None
"""Whether the compiled engine is there."""

_KERNELS: Any = import_module("trialwright.operating_characteristics._numba_kernels") if HAVE_NUMBA else None

box_muller: Callable[..., None] | None = getattr(_KERNELS, "box_muller", None)
"""Random bits to normal numbers."""

reml: Callable[..., None] | None = getattr(_KERNELS, "reml", None)
"""Mixed models, one trial after the other."""
