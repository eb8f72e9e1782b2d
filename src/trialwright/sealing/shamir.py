"""A secret in n shares of which any k rebuild it and any k-1 say nothing.

Source: Shamir, How to share a secret, Communications of the ACM 22 (1979) 612-613, byte by byte over
GF(2^8) = GF(2)[x] / (x^8 + x^4 + x^3 + x + 1). Share i of a byte s is s + c_1·i + … + c_{k-1}·i^(k-1) with
uniform c; given any k-1 shares each value of s is left with exactly one choice of c.

Done once by the study's custodians on an offline machine: the arithmetic is not constant in time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import xor

from trialwright.foundation.ports import Entropy
from trialwright.sealing.errors import InvalidShares


@dataclass(frozen=True)
class Share:
    """One share: the point ``index`` (1 … 255) and its value for each byte of the secret."""

    index: int
    value: bytes = field(repr=False)


def split(secret: bytes, *, shares: int, needed: int, entropy: Entropy, stream: str) -> tuple[Share, ...]:
    """The secret in ``shares`` shares, any ``needed`` of which rebuild it.

    Args:
        secret: at least one byte.
        shares: n, from ``needed`` to 255.
        needed: k, from 2 (one share alone must not be the secret).
        entropy: where the coefficients come from.
        stream: names the secret, to address the entropy.

    Raises:
        InvalidShares: numbers outside these limits.
    """
    if not secret or not 2 <= needed <= shares <= 255:
        raise InvalidShares(
            f"{needed} of {shares} shares of {len(secret)} bytes were asked for",
            remedy="ask for k of n with 2 ≤ k ≤ n ≤ 255, of a secret that is not empty",
            needed=needed,
            shares=shares,
        )
    higher = [
        entropy.bytes(len(secret), purpose="secret sharing", stream=stream, position=degree)
        for degree in range(1, needed)
    ]
    coefficients = list(zip(secret, *higher, strict=True))
    return tuple(Share(i, bytes(_value_at(i, c) for c in coefficients)) for i in range(1, shares + 1))


def combine(shares: Sequence[Share]) -> bytes:
    """The secret, by interpolation at 0. Fewer shares than needed give some other bytes: check the result.

    Raises:
        InvalidShares: none, two with the same index, an index out of range, or different lengths.
    """
    indices = [share.index for share in shares]
    distinct = len(set(indices)) == len(indices)
    if (
        not shares
        or not distinct
        or len({len(s.value) for s in shares}) > 1
        or not all(1 <= i <= 255 for i in indices)
    ):
        raise InvalidShares(
            f"the shares {indices} do not belong together",
            remedy="give different shares of one key, each once",
            indices=str(indices),
        )
    factors = [_lagrange_at_zero(i, indices) for i in indices]
    columns = zip(*(share.value for share in shares), strict=True)
    return bytes(reduce(xor, map(_times, factors, column)) for column in columns)


def _value_at(x: int, coefficients: Sequence[int]) -> int:
    value = 0
    for coefficient in reversed(coefficients):
        value = _times(value, x) ^ coefficient
    return value


def _lagrange_at_zero(i: int, indices: Sequence[int]) -> int:
    """Π_{m≠i} m / (m - i); in this field minus is plus is exclusive or."""
    product = 1
    for m in indices:
        if m != i:
            product = _times(product, _times(m, _inverse(m ^ i)))
    return product


def _times(a: int, b: int) -> int:
    product = 0
    while b:
        if b & 1:
            product ^= a
        a <<= 1
        if a & 0x100:
            a ^= 0x11B
        b >>= 1
    return product


def _inverse(a: int) -> int:
    """a^254, since a^255 = 1."""
    result, power, exponent = 1, a, 254
    while exponent:
        if exponent & 1:
            result = _times(result, power)
        power = _times(power, power)
        exponent >>= 1
    return result
