"""Kernels for numba. Letters as in the plain twins, which stand beside their callers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

_LN2 = math.log(2.0)
_ROOT_HALF_BITS = 0x95F6400000000  # mantissa bits above √2, so that the mantissa m below lies within [√½, √2)


@njit(cache=True, nogil=True, error_model="numpy")
def box_muller(raw: Any, out: Any) -> None:
    """``raw``: 64 random bits, (trials, 4); ``out``: four normal numbers of each trial, (4, trials).

    Logarithm, sine and cosine are series (atanh; Taylor around the nearest quarter turn) without a branch, so that
    the processor does eight trials at a time.
    """
    unit = 2.0**-53
    for pair in range(2):
        for t in range(raw.shape[0]):
            u = (float(np.int64(raw[t, 2 * pair] >> np.uint64(11))) + 0.5) * unit
            bits = np.float64(u).view(np.int64)
            e = ((bits + _ROOT_HALF_BITS) >> 52) - 1023
            m = np.int64(bits - (e << 52)).view(np.float64)
            r = (m - 1.0) / (m + 1.0)
            z = r * r
            tail = 1 / 11 + z * (1 / 13 + z * (1 / 15 + z * (1 / 17 + z * (1 / 19 + z / 21))))
            log_m = 2.0 * r * (1 + z * (1 / 3 + z * (1 / 5 + z * (1 / 7 + z * (1 / 9 + z * tail)))))
            length = math.sqrt(-2.0 * (log_m + e * _LN2))
            turn = 4.0 * ((float(np.int64(raw[t, 2 * pair + 1] >> np.uint64(11))) + 0.5) * unit)
            quarter = math.floor(turn + 0.5)
            x = (turn - quarter) * (math.pi / 2.0)
            y = x * x
            s = 1 - y * (1 / 72) * (1 - y * (1 / 110) * (1 - y * (1 / 156) * (1 - y * (1 / 210))))
            s = x * (1 - y * (1 / 6) * (1 - y * (1 / 20) * (1 - y * (1 / 42) * s)))
            c = 1 - y * (1 / 56) * (1 - y * (1 / 90) * (1 - y * (1 / 132) * (1 - y * (1 / 182))))
            c = 1 - y * (1 / 2) * (1 - y * (1 / 12) * (1 - y * (1 / 30) * c))
            i = np.int64(quarter)
            odd = (i & 1) == 1
            sine = (c if odd else s) * (1 - (i & 2))
            cosine = (s if odd else c) * (1 - ((i + 1) & 2))
            out[2 * pair, t] = length * cosine
            out[2 * pair + 1, t] = length * sine
