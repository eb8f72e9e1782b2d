"""Numbers are addressed by trial: nothing else changes them."""

from __future__ import annotations

import numpy as np
import pytest

from trialwright.operating_characteristics.compiled import HAVE_NUMBA
from trialwright.operating_characteristics.streams import BLOCK, Streams


def _philox(key: int, counter: int) -> list[int]:
    """Philox 4×64-10 written down from the paper, one block."""
    mask = (1 << 64) - 1
    c = [counter & mask, 0, 0, 0]
    k0, k1 = key & mask, key >> 64
    for _ in range(10):
        p0, p1 = 0xD2E7470EE14C6C93 * c[0], 0xCA5A826395121157 * c[2]
        c = [(p1 >> 64) ^ c[1] ^ k0, p1 & mask, (p0 >> 64) ^ c[3] ^ k1, p0 & mask]
        k0, k1 = (k0 + 0x9E3779B97F4A7C15) & mask, (k1 + 0xBB67AE8584CAA73B) & mask
    return c


def test_words_are_those_of_philox_at_the_address_that_the_description_gives():
    import hashlib

    block, purpose = 3, "outcome"
    words = Streams(7, "common", block).words(purpose, 10)

    for trial in (0, 1, BLOCK - 1):
        for value in range(10):
            address = "\x1f".join(("7", "common", purpose, str(value // 4))).encode()
            key = int.from_bytes(hashlib.sha256(address).digest()[:16], "little")
            assert int(words[value, trial]) == _philox(key, block * BLOCK + trial + 1)[value % 4]


def test_a_longer_request_begins_with_the_shorter_one():
    streams = Streams(1, "common", 0)

    for count in (1, 2, 5, 8):
        assert (streams.words("a", 13)[:count] == streams.words("a", count)).all()
        assert (streams.normals("a", 13)[:count] == streams.normals("a", count)).all()
        assert (streams.uniforms("a", 13)[:count] == streams.uniforms("a", count)).all()


@pytest.mark.parametrize("other", [Streams(2, "common", 0), Streams(1, "else", 0), Streams(1, "common", 1)])
def test_another_seed_stream_or_block_has_other_numbers(other):
    assert not (Streams(1, "common", 0).words("a", 4) == other.words("a", 4)).any()


def test_another_purpose_has_other_numbers():
    streams = Streams(1, "common", 0)

    assert not (streams.words("a", 4) == streams.words("b", 4)).any()


@pytest.mark.skipif(not HAVE_NUMBA, reason="the compiled engine (numba) is absent: nothing to compare")
def test_the_compiled_and_the_plain_normal_numbers_agree():
    compiled, plain = Streams(5, "common", 2), Streams(5, "common", 2, compiled=False)

    assert np.abs(compiled.normals("a", 40) - plain.normals("a", 40)).max() < 1e-13


@pytest.mark.parametrize("compiled", [True, False])
def test_normal_numbers_have_the_moments_and_tails_of_the_normal_distribution(compiled):
    z = np.concatenate([Streams(11, "common", b, compiled=compiled).normals("a", 16).ravel() for b in range(12)])
    n = z.size

    assert abs(z.mean()) < 4 / n**0.5
    assert abs(z.var() - 1) < 4 * (2 / n) ** 0.5
    assert abs((z**3).mean()) < 4 * (15 / n) ** 0.5
    assert abs((z**4).mean() - 3) < 4 * (96 / n) ** 0.5
    for bound, share in ((1.0, 0.3173105), (1.959964, 0.05), (3.0, 0.0026998)):
        assert abs((np.abs(z) > bound).mean() - share) < 4 * (share * (1 - share) / n) ** 0.5


def test_neighbouring_values_and_trials_are_uncorrelated():
    z = Streams(3, "common", 0).normals("a", 32)

    pairs = np.corrcoef(z)[np.triu_indices(32, 1)]
    trials = (z[:, 1:] * z[:, :-1]).mean()
    assert np.abs(pairs).max() < 5 / BLOCK**0.5
    assert abs(trials) < 4 / z.size**0.5


def test_uniform_numbers_lie_strictly_between_0_and_1():
    u = Streams(3, "common", 0).uniforms("a", 32)

    assert u.min() > 0
    assert u.max() < 1
