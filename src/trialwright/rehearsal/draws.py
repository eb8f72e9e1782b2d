"""Chance of a rehearsal: each draw is addressed by what it is for, so no draw depends on the order of others."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from math import log
from statistics import NormalDist
from typing import TypeVar

T = TypeVar("T")

_NORMAL = NormalDist()


class Draws:
    """Reproducible numbers from a seed and an address.

    Args:
        seed: of the rehearsal.
    """

    def __init__(self, seed: int | str) -> None:
        self._key = hashlib.sha256(f"trialwright virtual world {seed}".encode()).digest()

    def uniform(self, *address: object) -> float:
        """Evenly in (0, 1), 53 bits, never an end point."""
        text = "\x1f".join(map(str, address)).encode()
        number = int.from_bytes(hashlib.blake2b(text, key=self._key, digest_size=8).digest(), "big") >> 11
        return (number + 0.5) / (1 << 53)

    def normal(self, *address: object) -> float:
        """Standard normal, by inversion."""
        return _NORMAL.inv_cdf(self.uniform(*address))

    def chance(self, probability: float, *address: object) -> bool:
        """Whether something of this probability happens."""
        return self.uniform(*address) < probability

    def choice(self, weights: Mapping[T, float], *address: object) -> T:
        """One key, by its weight; weights need not add up to 1."""
        left = self.uniform(*address) * sum(weights.values())
        last: T | None = None
        for key, weight in weights.items():
            last = key
            left -= weight
            if left < 0:
                return key
        assert last is not None, "a choice needs options"
        return last

    def whole(self, low: int, high: int, *address: object) -> int:
        """A whole number from ``low`` to ``high``, both included."""
        return low + int(self.uniform(*address) * (high - low + 1))

    def waiting(self, per_day: float, *address: object) -> timedelta:
        """Time until the next of events that come at a rate (exponential)."""

        return timedelta(days=-log(self.uniform(*address)) / per_day)
