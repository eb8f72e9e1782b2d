"""Numbers that follow from a name."""

from __future__ import annotations

import hashlib
from itertools import count


class NumberedDraws:
    """A stream of uniform numbers that follows from a name: the same list for the same draw on any machine."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._blocks = (hashlib.sha256(f"{name}/{n}".encode()).digest() for n in count())

    def below(self, n: int) -> int:
        """An integer uniform on 0 … n − 1, by rejection."""
        if n <= 1:
            return 0
        room = 1 << 256
        while True:
            number = int.from_bytes(next(self._blocks), "big")
            if number < room - room % n:
                return number % n

    def fraction(self) -> float:
        """A multiple of 2^-53, uniform on [0, 1)."""
        return (int.from_bytes(next(self._blocks), "big") >> 203) * 2.0**-53
