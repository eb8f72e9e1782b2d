"""Any k shares rebuild the secret; k-1 shares are uniform whatever the secret is, shown by trying everything."""

from collections import Counter
from itertools import combinations

import pytest

from trialwright.foundation.ports import DerivedEntropy
from trialwright.sealing import InvalidShares
from trialwright.sealing.shamir import Share, _inverse, _times, combine, split


class GivenCoefficients:
    """Entropy whose bytes are the coefficients a test wants."""

    origin = "test"

    def __init__(self, *coefficients):
        self._coefficients = coefficients

    def bytes(self, count, *, purpose, stream, position):
        assert count == 1
        return bytes([self._coefficients[position - 1]])


def schoolbook_product(a, b):
    """Multiply as polynomials over GF(2), then divide by x^8 + x^4 + x^3 + x + 1."""
    product = 0
    for i in range(8):
        if b >> i & 1:
            product ^= a << i
    for i in range(14, 7, -1):
        if product >> i & 1:
            product ^= 0b100011011 << (i - 8)
    return product


def test_multiplication_is_that_of_the_field():
    assert all(_times(a, b) == schoolbook_product(a, b) for a in range(256) for b in range(256))
    assert _times(0x57, 0x83) == 0xC1  # the example of FIPS 197, section 4.2


def test_every_element_but_zero_has_its_inverse():
    assert all(_times(a, _inverse(a)) == 1 for a in range(1, 256))


@pytest.mark.parametrize(("needed", "shares"), [(2, 2), (2, 3), (3, 5), (4, 6)])
def test_any_k_shares_rebuild_the_secret_in_any_order(needed, shares):
    secret = bytes(range(100, 132))
    parts = split(secret, shares=shares, needed=needed, entropy=DerivedEntropy(1), stream="key")

    for size in range(needed, shares + 1):
        for chosen in combinations(parts, size):
            assert combine(chosen) == combine(chosen[::-1]) == secret


def test_with_two_needed_one_share_takes_every_value_once_for_every_secret():
    for secret in range(256):
        drawn = [
            split(bytes([secret]), shares=2, needed=2, entropy=GivenCoefficients(c), stream="") for c in range(256)
        ]
        for share in (0, 1):
            assert len({parts[share].value for parts in drawn}) == 256


@pytest.mark.parametrize("secret", [201])
def test_with_three_needed_two_shares_take_every_pair_of_values_once(secret):
    pairs = Counter()
    for first in range(256):
        for second in range(256):
            parts = split(bytes([secret]), shares=3, needed=3, entropy=GivenCoefficients(first, second), stream="")
            pairs[parts[0].value, parts[2].value] += 1

    assert len(pairs) == 65_536
    assert set(pairs.values()) == {1}


@pytest.mark.parametrize(("needed", "shares"), [(1, 3), (4, 3), (2, 256), (0, 0)])
def test_impossible_numbers_of_shares_are_refused(needed, shares):
    with pytest.raises(InvalidShares):
        split(b"secret", shares=shares, needed=needed, entropy=DerivedEntropy(1), stream="key")


def test_an_empty_secret_is_refused():
    with pytest.raises(InvalidShares):
        split(b"", shares=3, needed=2, entropy=DerivedEntropy(1), stream="key")


@pytest.mark.parametrize(
    "shares",
    [
        [],
        [Share(1, b"a"), Share(1, b"b")],
        [Share(0, b"a"), Share(1, b"b")],
        [Share(256, b"a"), Share(1, b"b")],
        [Share(1, b"a"), Share(2, b"bc")],
    ],
)
def test_shares_that_do_not_belong_together_are_refused(shares):
    with pytest.raises(InvalidShares):
        combine(shares)
