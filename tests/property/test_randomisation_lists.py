"""What every list must keep, whatever the design and the draws."""

import random
from math import gcd

from hypothesis import given, settings
from hypothesis import strategies as st

from trialwright.randomisation import declare, exact, generate, imbalance, list_probabilities

EQUAL = {"A": 1, "B": 1}


class MersenneDraws:
    def __init__(self, seed):
        self._random = random.Random(seed)

    def below(self, n):
        return self._random.randrange(n)

    def fraction(self):
        return self._random.random()


ratios = st.lists(st.integers(1, 3), min_size=2, max_size=4).map(lambda ws: {"ABCD"[i]: w for i, w in enumerate(ws)})
seeds = st.integers(0, 2**32)


def lowest_whole(units):
    return sum(units.values()) // gcd(*units.values())


@st.composite
def designs(draw):
    units = draw(ratios)
    whole = lowest_whole(units)
    block = st.integers(1, 3).map(lambda k: k * whole)
    pairs = st.sampled_from([(1, 2), (1, 3), (2, 3)]).map(lambda p: [k * whole for k in p])
    tolerance = st.integers(1, 5)
    options = [
        st.builds(lambda: declare("complete", units)),
        block.map(lambda size: declare("permuted_blocks", units, size=size)),
        pairs.map(lambda sizes: declare("random_permuted_blocks", units, sizes=sizes)),
        tolerance.map(lambda k: declare("block_urn", units, balanced_sets=k)),
        tolerance.map(lambda b: declare("big_stick", EQUAL, tolerance=b)),
        tolerance.map(lambda b: declare("maximal_procedure", EQUAL, tolerance=b)),
        st.sampled_from(["1/2", "2/3", "1"]).map(lambda p: declare("biased_coin", EQUAL, probability=p)),
        st.tuples(st.integers(0, 3), st.integers(1, 3)).map(
            lambda urn: declare("wei_urn", dict.fromkeys(units, 1), initial=urn[0], added=urn[1])
        ),
    ]
    return draw(st.one_of(options))


@settings(deadline=None)
@given(designs(), st.integers(1, 60), seeds)
def test_a_list_has_its_length_and_only_declared_labels(design, n, seed):
    one = generate(design, n, MersenneDraws(seed))

    assert len(one) == n
    assert set(one) <= set(design.units)
    assert one == generate(design, n, MersenneDraws(seed))


@settings(deadline=None)
@given(designs(), st.integers(1, 5), seeds)
def test_every_generated_list_is_among_the_enumerated_ones(design, n, seed):
    lists = list_probabilities(design, n)

    assert sum(lists.values()) == 1
    assert lists[generate(design, n, MersenneDraws(seed))] > 0


@settings(deadline=None, max_examples=40)
@given(designs(), st.integers(1, 12), seeds)
def test_no_list_is_further_out_of_balance_than_the_exact_largest(design, n, seed):
    one, largest = generate(design, n, MersenneDraws(seed)), exact(design, n).largest_imbalance

    for k in range(1, n + 1):
        assert imbalance(tuple(one[:k].count(u) for u in design.units), design.ratio) <= largest


@settings(deadline=None)
@given(ratios, st.integers(1, 3), st.integers(1, 4), seeds)
def test_each_full_block_holds_the_ratio(units, times, blocks, seed):
    size = times * lowest_whole(units)
    one = generate(declare("permuted_blocks", units, size=size), blocks * size, MersenneDraws(seed))
    whole = sum(units.values())
    for start in range(0, len(one), size):
        block = one[start : start + size]
        assert {u: block.count(u) * whole for u in units} == {u: w * size for u, w in units.items()}


@settings(deadline=None)
@given(ratios, st.integers(1, 10), seeds)
def test_the_random_allocation_rule_ends_in_the_ratio(units, times, seed):
    n = times * lowest_whole(units)
    one = generate(declare("random_allocation_rule", units), n, MersenneDraws(seed))

    assert imbalance(tuple(one.count(u) for u in units), tuple(units.values())) == 0


@settings(deadline=None)
@given(st.sampled_from(["big_stick", "maximal_procedure"]), st.integers(1, 6), st.integers(1, 80), seeds)
def test_tolerance_is_kept_at_every_position(method, tolerance, n, seed):
    one = generate(declare(method, EQUAL, tolerance=tolerance), n, MersenneDraws(seed))
    d = 0
    for label in one:
        d += 1 if label == "A" else -1
        assert abs(d) <= tolerance
