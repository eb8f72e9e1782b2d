"""The pinned expansion: published vectors, exact uniformity, independence of its streams."""

import importlib.util
import json
import sys
from collections import Counter
from pathlib import Path

import pytest

from trialwright.foundation.errors import InvalidValue
from trialwright.randomisation import declare, generate
from trialwright.sealing import CommittedNumber, ExpandedDraws, InvalidKey

HERE = Path(__file__).parent
VECTORS = HERE.parents[2] / "docs" / "explanation" / "sealing-vectors.json"


@pytest.fixture(scope="module")
def vectors():
    return json.loads(VECTORS.read_text("utf-8"))


def test_the_published_vectors_are_those_of_the_written_description(vectors):
    spec = importlib.util.spec_from_file_location("make_vectors", HERE / "make_vectors.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["make_vectors"] = module
    spec.loader.exec_module(module)

    assert module.vectors() == vectors


def test_draws_follow_the_published_vectors(vectors):
    published = vectors["draws"]
    seed = bytes.fromhex(published["seed"])
    draws, numbers = ExpandedDraws(seed, published["purpose"]), ExpandedDraws(seed, "minimisation")

    assert [[n, str(draws.below(int(n)))] for n, _ in published["below"]] == published["below"]
    assert [numbers.number() for _ in range(5)] == published["minimisation_numbers"]


def test_an_independent_statistician_regenerates_the_list(vectors):
    published = vectors["permuted_blocks_of_4"]
    draws = ExpandedDraws(bytes.fromhex(published["seed"]), published["purpose"])

    assert list(generate(declare("permuted_blocks", {"A": 1, "B": 1}, size=4), 12, draws)) == published["labels"]


class OneByteThenStop(ExpandedDraws):
    """Draws whose bytes are given, to count how many of them lead to each number."""

    def __init__(self, data):
        super().__init__(bytes(32), "test")
        self._left = data

    def _take(self, count):
        if len(self._left) < count:
            raise EOFError
        return super()._take(count)


def outcomes(n, size):
    """How many byte strings of ``size`` give each number at the first try."""
    found = Counter()
    for value in range(256**size):
        try:
            found[OneByteThenStop(value.to_bytes(size, "big")).below(n)] += 1
        except EOFError:
            found["rejected"] += 1
    return found


@pytest.mark.parametrize("n", [2, 3, 5, 6, 7, 8, 10, 100, 129, 200, 255, 256])
def test_below_is_exactly_uniform_over_one_byte(n):
    found = outcomes(n, 1)

    assert len({found[number] for number in range(n)}) == 1
    assert set(found) <= {*range(n), "rejected"}
    assert found["rejected"] < 128  # fewer than half of the tries are lost


@pytest.mark.parametrize("n", [257, 300, 1000])
def test_below_is_exactly_uniform_over_two_bytes(n):
    found = outcomes(n, 2)

    assert len({found[number] for number in range(n)}) == 1


def test_below_one_takes_nothing_from_the_stream():
    with_ones, without = ExpandedDraws(bytes(32), "a"), ExpandedDraws(bytes(32), "a")

    assert [with_ones.below(1) for _ in range(5)] == [0] * 5
    assert with_ones.below(1000) == without.below(1000)


def test_fractions_are_multiples_of_two_to_the_minus_53_below_one():
    draws, again = ExpandedDraws(bytes(32), "a"), ExpandedDraws(bytes(32), "a")
    for _ in range(200):
        fraction, number = draws.fraction(), again.number()
        assert fraction * 2**53 == number
        assert 0 <= fraction < 1


def test_a_committed_number_gives_the_fraction_that_the_stream_would_have_given():
    draws, again = ExpandedDraws(bytes(32), "a"), ExpandedDraws(bytes(32), "a")

    assert CommittedNumber(draws.number()).fraction() == again.fraction()
    assert CommittedNumber(2**53 - 1).below(7) == 6


def test_streams_of_other_seeds_and_purposes_differ():
    first = [ExpandedDraws(bytes(32), "a").below(2**128), ExpandedDraws(bytes(32), "b").below(2**128)]
    other = [ExpandedDraws(b"\1" * 32, "a").below(2**128), ExpandedDraws(b"\1" * 32, "b").below(2**128)]

    assert len({*first, *other}) == 4


@pytest.mark.parametrize(("seed", "purpose"), [(b"short", "a"), (bytes(33), "a"), (bytes(32), "a\x00b")])
def test_a_seed_that_is_not_256_bits_is_refused(seed, purpose):
    with pytest.raises(InvalidKey):
        ExpandedDraws(seed, purpose)


def test_no_number_is_below_zero():
    with pytest.raises(InvalidValue):
        ExpandedDraws(bytes(32), "a").below(0)
