"""What a study may declare, and how it is told otherwise."""

from fractions import Fraction

import pytest

from trialwright.randomisation import (
    BiasedCoin,
    Complete,
    Design,
    InvalidDesign,
    InvalidFactors,
    InvalidListLength,
    PermutedBlocks,
    RandomPermutedBlocks,
    choose,
    declare,
    generate,
    generate_stratified,
    list_probabilities,
    strata,
    stratum_of,
)

EQUAL = {"A": 1, "B": 1}


@pytest.mark.parametrize(
    ("method", "units", "parameters", "said"),
    [
        ("permuted_block", EQUAL, {"size": 4}, "did you mean permuted_blocks"),
        ("permuted_blocks", EQUAL, {}, "give size"),
        ("permuted_blocks", EQUAL, {"size": 4, "seed": 1}, "give size"),
        ("complete", EQUAL, {"size": 4}, "give none"),
        ("maximal_procedure", EQUAL, {}, "balanced_end may be added"),
        ("maximal_procedure", EQUAL, {"tolerance": 3, "balanced_end": 1}, "true or false"),
        ("permuted_blocks", EQUAL, {"size": 3}, "multiple of 2"),
        ("permuted_blocks", EQUAL, {"size": 0}, "1 or more"),
        ("permuted_blocks", EQUAL, {"size": True}, "1 or more"),
        ("permuted_blocks", EQUAL, {"size": "4"}, "1 or more"),
        ("permuted_blocks", {"A": 2, "B": 1}, {"size": 4}, "multiple of 3"),
        ("random_permuted_blocks", EQUAL, {"sizes": [4]}, "two or more different sizes"),
        ("random_permuted_blocks", EQUAL, {"sizes": 4}, "two or more different sizes"),
        ("random_permuted_blocks", EQUAL, {"sizes": None}, "two or more different sizes"),
        ("random_permuted_blocks", EQUAL, {"sizes": [[2], [4]]}, "1 or more"),
        ("random_permuted_blocks", EQUAL, {"sizes": "24"}, "two or more different sizes"),
        ("random_permuted_blocks", EQUAL, {"sizes": [2, 2]}, "two or more different sizes"),
        ("random_permuted_blocks", EQUAL, {"sizes": [2, 3]}, "multiple of 2"),
        ("big_stick", {"A": 2, "B": 1}, {"tolerance": 3}, "1:1"),
        ("big_stick", {"A": 1, "B": 1, "C": 1}, {"tolerance": 3}, "1:1"),
        ("maximal_procedure", {"A": 2, "B": 1}, {"tolerance": 3}, "1:1"),
        ("biased_coin", EQUAL, {"probability": "1/3"}, "from 1/2 to 1"),
        ("biased_coin", EQUAL, {"probability": 0.8}, "as text"),
        ("biased_coin", EQUAL, {"probability": "1/0"}, "as text"),
        ("biased_coin", EQUAL, {"probability": "1e999999999"}, "as text"),
        ("biased_coin", EQUAL, {"probability": "nan"}, "as text"),
        ("biased_coin", EQUAL, {"probability": True}, "as text"),
        ("biased_coin", EQUAL, {"probability": None}, "as text"),
        ("wei_urn", {"A": 2, "B": 1}, {"initial": 0, "added": 1}, "equal ratios"),
        ("wei_urn", EQUAL, {"initial": -1, "added": 1}, "0 or more"),
        ("wei_urn", EQUAL, {"initial": 0, "added": 0}, "1 or more"),
        ("block_urn", EQUAL, {"balanced_sets": 0}, "1 or more"),
        ("complete", {"A": 1}, {}, "two or more different"),
        ("complete", {"A": 1, "": 1}, {}, "non-empty"),
        ("complete", {"A": 1, "B": 0}, {}, "1 or more"),
        ("complete", {"A": 1, "B": "1"}, {}, "1 or more"),
    ],
)
def test_an_impossible_design_is_refused_with_a_remedy(method, units, parameters, said):
    with pytest.raises(InvalidDesign) as refused:
        declare(method, units, **parameters)
    assert said in refused.value.remedy
    assert refused.value.as_dict()["error"] == "randomisation.design_invalid"


@pytest.mark.parametrize(
    ("method", "parameters", "n"),
    [
        ("random_allocation_rule", {}, 7),
        ("maximal_procedure", {"tolerance": 3, "balanced_end": True}, 7),
        ("maximal_procedure", {"tolerance": 3}, 5000),
        ("maximal_procedure", {"tolerance": 10**12}, 4000),
        ("complete", {}, 0),
        ("complete", {}, -3),
        ("complete", {}, 100_001),
    ],
)
def test_an_impossible_length_is_refused(method, parameters, n, mersenne):
    with pytest.raises(InvalidListLength):
        generate(declare(method, EQUAL, **parameters), n, mersenne(1))


def test_a_tolerance_that_never_binds_is_complete_randomisation():
    wide, coin = declare("maximal_procedure", EQUAL, tolerance=10**12), declare("complete", EQUAL)

    assert list_probabilities(wide, 6) == list_probabilities(coin, 6)


def test_the_same_label_twice_is_refused():
    with pytest.raises(InvalidDesign):
        Design(Complete(), ("A", "A"), (1, 1))


def test_a_ratio_is_kept_in_lowest_terms():
    assert Design(PermutedBlocks(2), ("A", "B"), (3, 3)).ratio == (1, 1)


def test_declared_values_become_the_method():
    assert declare("biased_coin", EQUAL, probability="2/3").method == BiasedCoin(Fraction(2, 3))
    assert declare("random_permuted_blocks", EQUAL, sizes=[2, 4]).method == RandomPermutedBlocks((2, 4))


def test_sequences_are_units_like_any_other(mersenne):
    design = declare("permuted_blocks", {"cells then placebo": 1, "placebo then cells": 1}, size=4)

    one = generate(design, 8, mersenne(3))

    assert sorted(one[:4]) == ["cells then placebo"] * 2 + ["placebo then cells"] * 2


def test_a_choice_is_proportional_to_its_weight(all_draws):
    found = all_draws(lambda draws: choose((2, 0, 3), draws))

    assert found == {0: Fraction(2, 5), 2: Fraction(3, 5)}


def test_strata_are_all_combinations_spelled_alike_everywhere():
    factors = {"site": ["bergen", "oslo"], "sex": ["f", "m"]}

    assert strata(factors) == ("site=bergen,sex=f", "site=bergen,sex=m", "site=oslo,sex=f", "site=oslo,sex=m")
    assert stratum_of(factors, {"sex": "m", "site": "oslo"}) == "site=oslo,sex=m"
    assert strata({}) == ("",)
    assert stratum_of({}, {}) == ""


@pytest.mark.parametrize(
    "values", [{}, {"site": "oslo"}, {"site": "oslo", "sex": "x"}, {"site": "oslo", "sex": "f", "age": "1"}]
)
def test_a_participant_outside_the_strata_is_refused(values):
    with pytest.raises(InvalidFactors):
        stratum_of({"site": ["bergen", "oslo"], "sex": ["f", "m"]}, values)


@pytest.mark.parametrize(
    "factors",
    [
        {"site": []},
        {"site": ["a", "a"]},
        {"si=te": ["a"]},
        {"site": ["a,b"]},
        {f"factor {i}": [str(j) for j in range(10)] for i in range(12)},
    ],
)
def test_ambiguous_factors_are_refused(factors):
    with pytest.raises(InvalidFactors):
        strata(factors)


def test_the_list_of_a_stratum_does_not_depend_on_the_other_strata(mersenne):
    design = declare("random_permuted_blocks", EQUAL, sizes=[2, 4])

    both = generate_stratified(design, {"oslo": 20, "bergen": 12}, mersenne)
    alone = generate_stratified(design, {"bergen": 12}, mersenne)

    assert both["bergen"] == alone["bergen"] == generate(design, 12, mersenne("bergen"))
    assert len(both["oslo"]) == 20


def test_a_stratified_list_without_strata_is_refused(mersenne):
    with pytest.raises(InvalidDesign):
        generate_stratified(declare("complete", EQUAL), {}, mersenne)
