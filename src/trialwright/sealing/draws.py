"""The pinned expansion of 256 bits of entropy into draws, so that anyone with the seed regenerates the list.

    block_i  = HMAC-SHA256(key = seed, message = "trialwright draws 1" ‖ 0x00 ‖ purpose ‖ 0x00 ‖ uint64_be(i))
    stream   = block_0 ‖ block_1 ‖ …
    below(n) = take ⌈k/8⌉ bytes as a big-endian integer, k = bits of n - 1, keep its lowest k bits;
               take again while the number is not below n. below(1) takes nothing.
    fraction = take 7 bytes as a big-endian integer, drop its lowest 3 bits, divide by 2^53.

Test vectors: ``docs/explanation/sealing-vectors.json``. HMAC-SHA256 (RFC 2104, FIPS 180-4) is at hand in every
statistics package, which a stream cipher is not.
"""

from __future__ import annotations

import hmac

from trialwright.foundation.errors import InvalidValue
from trialwright.sealing.errors import InvalidKey

_LABEL = b"trialwright draws 1\x00"


class ExpandedDraws:
    """A stream of uniform numbers from a seed and a purpose.

    Args:
        seed: 32 bytes of entropy; whoever has them has the list.
        purpose: names the stream (``list/<stratum>``, ``minimisation``); no NUL character.

    Raises:
        InvalidKey: the seed is not 32 bytes or the purpose holds a NUL.
    """

    def __init__(self, seed: bytes, purpose: str) -> None:
        if len(seed) != 32 or "\x00" in purpose:
            raise InvalidKey(
                f"a stream was asked for with {len(seed)} bytes of seed and the purpose {purpose!r}",
                remedy="give 32 bytes of entropy and a purpose without NUL",
                length=len(seed),
            )
        self._seed = seed
        self._message = _LABEL + purpose.encode("utf-8") + b"\x00"
        self._block = 0
        self._left = b""

    def below(self, n: int) -> int:
        """An integer uniform on 0 … n-1, exactly; ``n`` ≥ 1 of any size.

        Raises:
            InvalidValue: ``n`` is below 1.
        """
        if n < 1:
            raise InvalidValue(f"a number below {n} was asked for", remedy="ask for a number below 1 or more", n=n)
        bits = (n - 1).bit_length()
        mask = (1 << bits) - 1
        while True:
            number = int.from_bytes(self._take((bits + 7) // 8), "big") & mask
            if number < n:
                return number

    def number(self) -> int:
        """53 uniform bits: an integer from 0 to 2^53 - 1."""
        return int.from_bytes(self._take(7), "big") >> 3

    def fraction(self) -> float:
        """``number() / 2**53``, uniform on [0, 1) in steps of 2^-53."""
        return self.number() / 2**53

    def _take(self, count: int) -> bytes:
        while len(self._left) < count:
            block = self._message + self._block.to_bytes(8, "big")
            self._left += hmac.digest(self._seed, block, "sha256")
            self._block += 1
        taken, self._left = self._left[:count], self._left[count:]
        return taken


class CommittedNumber:
    """One number of a committed stream, in the shape that minimisation draws from."""

    def __init__(self, number: int) -> None:
        self._number = number

    def below(self, n: int) -> int:
        """⌊n · number / 2^53⌋; exact to 2^-53, which minimisation does not use."""
        return n * self._number >> 53

    def fraction(self) -> float:
        """``number / 2**53``."""
        return self._number / 2**53
