"""Every list method against a slow, literal reading of its definition, list by list, at small n.

``all_draws`` runs ``generate`` through every possible outcome of its draws, so what is compared is the exact
distribution of the lists that would be used, not a sample.
"""

from collections import Counter
from fractions import Fraction
from itertools import permutations, product

import pytest

from trialwright.randomisation import METHODS, declare, generate, list_probabilities

HALF = Fraction(1, 2)


def uniform(lists):
    lists = set(lists)
    return {one: Fraction(1, len(lists)) for one in lists}


def arrangements(units, size):
    whole = sum(units.values())
    block = [label for label, w in units.items() for _ in range(w * size // whole)]
    return set(permutations(block))


def complete(units, n):
    whole = sum(units.values())
    result = {}
    for one in product(units, repeat=n):
        p = Fraction(1)
        for label in one:
            p *= Fraction(units[label], whole)
        result[one] = p
    return result


def random_allocation_rule(units, n):
    return uniform(arrangements(units, n))


def permuted_blocks(units, n, size):
    blocks = -(-n // size)
    result = Counter()
    lists = list(product(arrangements(units, size), repeat=blocks))
    for one in lists:
        result[tuple(label for block in one for label in block)[:n]] += Fraction(1, len(lists))
    return dict(result)


def random_permuted_blocks(units, n, sizes):
    result = Counter()

    def grow(labels, p):
        if len(labels) >= n:
            result[labels[:n]] += p
            return
        for size in sizes:
            blocks = arrangements(units, size)
            for block in blocks:
                grow((*labels, *block), p / len(sizes) / len(blocks))

    grow((), Fraction(1))
    return dict(result)


def by_coin(n, chance_of_first):
    """All lists of two units, each with the product of its coin's chances."""
    result = {}
    for one in product("AB", repeat=n):
        p, d = Fraction(1), 0
        for label in one:
            first = chance_of_first(d)
            p *= first if label == "A" else 1 - first
            d += 1 if label == "A" else -1
        if p:
            result[one] = p
    return result


def big_stick(units, n, tolerance):
    return by_coin(n, lambda d: Fraction(0) if d >= tolerance else Fraction(1) if d <= -tolerance else HALF)


def biased_coin(units, n, probability):
    p = Fraction(probability)
    return by_coin(n, lambda d: HALF if d == 0 else p if d < 0 else 1 - p)


def maximal_procedure(units, n, tolerance, balanced_end=False):
    def admissible(one):
        path, d = [], 0
        for label in one:
            d += 1 if label == "A" else -1
            path.append(d)
        return max(map(abs, path)) <= tolerance and (d == 0 or not balanced_end)

    return uniform(one for one in product("AB", repeat=n) if admissible(one))


def wei_urn(units, n, initial, added):
    """Balls in an urn, put back with ``added`` balls of every other colour."""
    result = Counter()

    def grow(labels, urn, p):
        if len(labels) == n:
            result[labels] += p
            return
        balls = list(urn.elements()) or list(units)
        for ball in balls:
            more = Counter({label: added for label in units if label != ball})
            grow((*labels, ball), urn + more, p / len(balls))

    grow((), Counter(dict.fromkeys(units, initial)), Fraction(1))
    return dict(result)


def block_urn(units, n, balanced_sets):
    """An active urn, and an inactive one that gives back each complete balanced set."""
    result = Counter()
    one_set = Counter(units)

    def grow(labels, active, inactive, p):
        if len(labels) == n:
            result[labels] += p
            return
        balls = list(active.elements())
        for ball in balls:
            out = inactive + Counter([ball])
            left = active - Counter([ball])
            if all(out[label] >= w for label, w in units.items()):
                grow((*labels, ball), left + one_set, out - one_set, p / len(balls))
            else:
                grow((*labels, ball), left, out, p / len(balls))

    active = Counter({label: w * balanced_sets for label, w in units.items()})
    grow((), active, Counter(), Fraction(1))
    return dict(result)


EQUAL, TWO_TO_ONE, THREE = {"A": 1, "B": 1}, {"A": 2, "B": 1}, {"A": 1, "B": 1, "C": 1}
CASES = [
    (complete, EQUAL, 6, {}),
    (complete, TWO_TO_ONE, 5, {}),
    (complete, {"A": 3, "B": 1, "C": 2}, 3, {}),
    (random_allocation_rule, EQUAL, 8, {}),
    (random_allocation_rule, TWO_TO_ONE, 6, {}),
    (random_allocation_rule, {"A": 1, "B": 1, "C": 2}, 8, {}),
    (permuted_blocks, EQUAL, 8, {"size": 4}),
    (permuted_blocks, EQUAL, 7, {"size": 2}),
    (permuted_blocks, EQUAL, 6, {"size": 4}),
    (permuted_blocks, TWO_TO_ONE, 7, {"size": 3}),
    (permuted_blocks, THREE, 7, {"size": 6}),
    (random_permuted_blocks, EQUAL, 7, {"sizes": (2, 4)}),
    (random_permuted_blocks, EQUAL, 8, {"sizes": (2, 4, 6)}),
    (random_permuted_blocks, TWO_TO_ONE, 7, {"sizes": (3, 6)}),
    (big_stick, EQUAL, 8, {"tolerance": 1}),
    (big_stick, EQUAL, 8, {"tolerance": 3}),
    (biased_coin, EQUAL, 7, {"probability": "2/3"}),
    (biased_coin, EQUAL, 7, {"probability": "1/2"}),
    (biased_coin, EQUAL, 7, {"probability": "1"}),
    (maximal_procedure, EQUAL, 8, {"tolerance": 1}),
    (maximal_procedure, EQUAL, 9, {"tolerance": 3}),
    (maximal_procedure, EQUAL, 8, {"tolerance": 3, "balanced_end": True}),
    (maximal_procedure, EQUAL, 1, {"tolerance": 2}),
    (maximal_procedure, EQUAL, 6, {"tolerance": 9}),
    (wei_urn, EQUAL, 6, {"initial": 0, "added": 1}),
    (wei_urn, EQUAL, 4, {"initial": 2, "added": 3}),
    (wei_urn, THREE, 5, {"initial": 1, "added": 1}),
    (block_urn, EQUAL, 7, {"balanced_sets": 2}),
    (block_urn, EQUAL, 6, {"balanced_sets": 1}),
    (block_urn, TWO_TO_ONE, 6, {"balanced_sets": 2}),
    (block_urn, {"A": 1, "B": 1, "C": 2}, 5, {"balanced_sets": 2}),
]
NAMED = [pytest.param(*case, id=f"{case[0].__name__}-{i}") for i, case in enumerate(CASES)]


@pytest.mark.parametrize(("reading", "units", "n", "parameters"), NAMED)
def test_list_probabilities_equal_the_definition(reading, units, n, parameters):
    expected = reading(units, n, **parameters)
    assert sum(expected.values()) == 1  # the reading itself is a distribution

    assert list_probabilities(declare(reading.__name__, units, **parameters), n) == expected


@pytest.mark.parametrize(("reading", "units", "n", "parameters"), NAMED)
def test_generated_lists_have_exactly_these_probabilities(reading, units, n, parameters, all_draws):
    # Shorter lists here: the number of different streams of draws grows much faster than the number of lists.
    short = min(n, 4 if reading is maximal_procedure else 5 if reading is wei_urn else 6)
    if reading is random_allocation_rule:
        short -= short % sum(units.values())
    design = declare(reading.__name__, units, **parameters)

    found = all_draws(lambda draws: generate(design, short, draws))

    assert found == reading(units, short, **parameters)


def test_every_method_is_enumerated_here():
    assert {reading.__name__ for reading, *_ in CASES} == set(METHODS)
