"""Exact figures against a plain sum over all lists."""

from fractions import Fraction

import pytest

from trialwright.randomisation import (
    InvalidListLength,
    declare,
    exact,
    generate,
    imbalance,
    list_probabilities,
    predictability,
    simulate,
)

EQUAL = {"A": 1, "B": 1}


def guessed_plainly(one, units):
    """The expected share of correct convergence guesses in one list."""
    counts, correct = dict.fromkeys(units, 0), Fraction(0)
    for label in one:
        fill = {u: Fraction(counts[u], w) for u, w in units.items()}
        tied = {u: w for u, w in units.items() if fill[u] == min(fill.values())}
        correct += Fraction(tied.get(label, 0), sum(tied.values()))
        counts[label] += 1
    return correct / len(one)


@pytest.mark.parametrize(
    ("method", "units", "n", "parameters"),
    [
        ("complete", EQUAL, 7, {}),
        ("complete", {"A": 2, "B": 1, "C": 1}, 5, {}),
        ("random_permuted_blocks", EQUAL, 9, {"sizes": [2, 4]}),
        ("block_urn", {"A": 2, "B": 1}, 7, {"balanced_sets": 2}),
        ("maximal_procedure", EQUAL, 9, {"tolerance": 2}),
        ("big_stick", EQUAL, 8, {"tolerance": 2}),
    ],
)
def test_exact_figures_are_the_sum_over_all_lists(method, units, n, parameters):
    design = declare(method, units, **parameters)
    lists = list_probabilities(design, n)
    ratio = tuple(units.values())

    def final(one):
        return imbalance(tuple(one.count(u) for u in units), ratio)

    figures = exact(design, n)

    assert figures.predictability == sum(p * guessed_plainly(one, units) for one, p in lists.items())
    assert figures.mean_imbalance == sum(p * final(one) for one, p in lists.items())
    assert figures.largest_imbalance == max(final(one[:k]) for one in lists for k in range(1, n + 1))
    assert predictability(design, n) == figures.predictability


def test_blocks_of_two_are_guessed_three_times_in_four():
    assert predictability(declare("permuted_blocks", EQUAL, size=2), 18) == Fraction(3, 4)


def test_complete_randomisation_cannot_be_guessed():
    assert predictability(declare("complete", EQUAL), 40) == Fraction(1, 2)


def test_imbalance_of_two_equal_units_is_the_difference_of_their_counts():
    assert imbalance((7, 3), (1, 1)) == 4
    assert imbalance((6, 3), (2, 1)) == 0
    assert imbalance((5, 4), (2, 1)) == 2


def test_simulation_reports_its_error_and_agrees_with_the_exact_figures(mersenne):
    design = declare("block_urn", {"A": 2, "B": 1}, balanced_sets=3)

    simulated, figures = simulate(design, 20, lists=3000, draws=mersenne(7)), exact(design, 20)

    assert 0 < simulated.predictability_se < 0.01
    assert abs(simulated.predictability - float(figures.predictability)) < 4.5 * simulated.predictability_se
    assert abs(simulated.mean_imbalance - float(figures.mean_imbalance)) < 4.5 * simulated.mean_imbalance_se


def test_a_simulation_needs_two_lists(mersenne):
    with pytest.raises(InvalidListLength, match="2 or more"):
        simulate(declare("complete", EQUAL), 4, lists=1, draws=mersenne(1))


def test_too_many_lists_to_enumerate_are_refused_by_name():
    with pytest.raises(InvalidListLength, match="exact"):
        list_probabilities(declare("complete", EQUAL), 30)


def test_a_list_is_a_function_of_its_draws(mersenne):
    design = declare("big_stick", EQUAL, tolerance=3)

    assert generate(design, 200, mersenne(5)) == generate(design, 200, mersenne(5))
    assert generate(design, 200, mersenne(5)) != generate(design, 200, mersenne(6))
