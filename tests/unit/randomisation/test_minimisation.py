"""Minimisation against a literal reading of Pocock and Simon, and by enumeration of the number drawn."""

from collections import Counter
from fractions import Fraction
from math import sqrt
from statistics import variance

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialwright.randomisation import (
    InvalidDesign,
    InvalidFactors,
    InvalidHistory,
    InvalidListLength,
    Tally,
    declare_minimisation,
    minimise,
    simulate_minimisation,
)

FACTORS = {"site": ["oslo", "bergen", "tromso"], "sex": ["f", "m"], "age": ["young", "old"]}


class OneNumber:
    """The same fraction each time it is asked."""

    def __init__(self, fraction):
        self._fraction = fraction

    def below(self, n):
        raise AssertionError("minimisation draws one fraction and nothing else")

    def fraction(self):
        return float(self._fraction)


def plain_imbalance(design, history, factors, label):
    """G for one unit: count, add the participant, divide by the ratio, measure, weigh, add up."""
    total = 0.0
    for name, factor in design.factors.items():
        counts = Counter(unit for earlier, unit in history if earlier[name] == factors[name])
        if design.measure.value != "marginal_total":
            counts[label] += 1
        level = [counts[u] / w for u, w in zip(design.units, design.ratio, strict=True)]
        measured = {
            "range": lambda x: max(x) - min(x),
            "variance": variance,
            "standard_deviation": lambda x: sqrt(variance(x)),
            "marginal_total": lambda x: x[design.units.index(label)],
        }[design.measure.value](level)
        total += float(factor.weight) * measured
    return total


people = st.fixed_dictionaries({name: st.sampled_from(levels) for name, levels in FACTORS.items()})


@st.composite
def situations(draw):
    units = draw(
        st.sampled_from([{"A": 1, "B": 1}, {"A": 2, "B": 1}, {"A": 1, "B": 1, "C": 1}, {"A": 3, "B": 2, "C": 1}])
    )
    weights = {name: draw(st.sampled_from(["1", "2", "1/3", "0.7"])) for name in FACTORS}
    measure = draw(st.sampled_from(["range", "variance", "standard_deviation", "marginal_total"]))
    probability = draw(st.sampled_from(["1", "4/5", "0.7"]))
    design = declare_minimisation(units, FACTORS, probability=probability, weights=weights, measure=measure)
    history = draw(st.lists(st.tuples(people, st.sampled_from(list(units))), max_size=25))
    return design, history, draw(people)


@settings(deadline=None)
@given(situations())
def test_every_draw_agrees_with_the_plain_reading(situation):
    design, history, person = situation

    draw = minimise(design, history, person, OneNumber(0))

    plain = [plain_imbalance(design, history, person, label) for label in design.units]
    assert [float(g) for g in draw.imbalance] == pytest.approx(plain, abs=1e-9)
    lagging = [g <= min(plain) + 1e-9 for g in plain]
    # Exact ties and ties of doubles within 1e-9 are the same ties: the preferred units share one favour.
    whole, least = sum(design.ratio), min(design.ratio)
    base = (1 - design.probability) / (whole - least)
    tied = sum(w for w, is_lagging in zip(design.ratio, lagging, strict=True) if is_lagging)
    expected = [
        base * w + ((1 - base * whole) * Fraction(w, tied) if is_lagging else 0)
        for w, is_lagging in zip(design.ratio, lagging, strict=True)
    ]
    assert list(draw.probabilities) == expected
    assert sum(draw.probabilities) == 1


@settings(deadline=None)
@given(situations(), st.integers(0, 2**53 - 1))
def test_the_label_is_the_first_whose_cumulated_probability_exceeds_the_number(situation, number):
    design, history, person = situation

    draw = minimise(design, history, person, OneNumber(number / 2**53))

    before = sum(draw.probabilities[: design.units.index(draw.label)])
    assert before <= Fraction(number, 2**53) < before + draw.probability
    assert draw.number == number
    assert draw.probability == draw.probabilities[design.units.index(draw.label)]


@settings(deadline=None)
@given(situations())
def test_a_running_tally_says_what_the_whole_history_says(situation):
    design, history, person = situation
    tally = Tally(design)
    for earlier, label in history:
        tally.add(earlier, label)

    assert minimise(design, tally, person, OneNumber(0.5)) == minimise(design, history, person, OneNumber(0.5))


@settings(deadline=None)
@given(situations(), st.randoms(use_true_random=False))
def test_the_order_of_the_history_does_not_matter(situation, shuffler):
    design, history, person = situation
    shuffled = list(history)
    shuffler.shuffle(shuffled)

    assert minimise(design, history, person, OneNumber(0.3)) == minimise(design, shuffled, person, OneNumber(0.3))


def test_equal_units_get_the_declared_probability_and_share_the_rest():
    design = declare_minimisation({"A": 1, "B": 1, "C": 1}, {"sex": ["f", "m"]}, probability="4/5")
    history = [({"sex": "f"}, "A"), ({"sex": "f"}, "B")]

    draw = minimise(design, history, {"sex": "f"}, OneNumber(0))

    assert draw.probabilities == (Fraction(1, 10), Fraction(1, 10), Fraction(4, 5))


def test_the_first_participant_is_drawn_in_the_ratio():
    design = declare_minimisation({"A": 2, "B": 1}, {"sex": ["f", "m"]}, probability="9/10", measure="marginal_total")

    assert minimise(design, [], {"sex": "f"}, OneNumber(0)).probabilities == (Fraction(2, 3), Fraction(1, 3))


def test_biased_coin_minimisation_of_han_enas_and_mcentegart_for_two_to_one():
    # With p_H = 0.9 for the smaller arm, their rule gives the larger arm, when preferred, 1 - (1/2)(0.1) = 0.95.
    design = declare_minimisation({"A": 2, "B": 1}, {"sex": ["f", "m"]}, probability="9/10")
    lacks_b = [({"sex": "f"}, "A")] * 4
    lacks_a = [({"sex": "f"}, "B")] * 4

    assert minimise(design, lacks_b, {"sex": "f"}, OneNumber(0)).probabilities == (Fraction(1, 10), Fraction(9, 10))
    assert minimise(design, lacks_a, {"sex": "f"}, OneNumber(0)).probabilities == (Fraction(19, 20), Fraction(1, 20))


def test_the_worked_example_of_pocock_1983():
    # Pocock, Clinical Trials: A Practical Approach (1983), section 5.3: 80 patients with advanced breast cancer.
    # The next is ambulatory, under 50, disease-free for 2 years or more, visceral lesion: 76 against 77.
    factors = {
        "status": ["ambulatory", "non-ambulatory"],
        "age": ["under 50", "50 or more"],
        "interval": ["under 2 years", "2 years or more"],
        "lesion": ["visceral", "osseous", "soft tissue"],
    }
    totals = {
        "status": {"ambulatory": (30, 31), "non-ambulatory": (10, 9)},
        "age": {"under 50": (18, 17), "50 or more": (22, 23)},
        "interval": {"under 2 years": (31, 32), "2 years or more": (9, 8)},
        "lesion": {"visceral": (19, 21), "osseous": (8, 7), "soft tissue": (13, 12)},
    }
    history = []
    for arm, label in enumerate("AB"):
        columns = {
            name: [level for level, counts in levels.items() for _ in range(counts[arm])]
            for name, levels in totals.items()
        }
        history += [({name: columns[name][i] for name in columns}, label) for i in range(40)]
    person = {"status": "ambulatory", "age": "under 50", "interval": "2 years or more", "lesion": "visceral"}
    design = declare_minimisation({"A": 1, "B": 1}, factors, probability="1", measure="marginal_total")

    draw = minimise(design, history, person, OneNumber(0.999))

    assert draw.imbalance == (76, 77)
    assert draw.label == "A"
    assert draw.totals == {"status": (30, 31), "age": (18, 17), "interval": (9, 8), "lesion": (19, 21)}


def test_equal_sums_of_different_roots_are_a_tie():
    # Counts at the person's level: x (0, 1, 1, 1) and y (3, 0, 2, 2). Unit A gives variances 0 and 8/3, unit B
    # 2/3 and 2/3, and √0 + √(8/3) = √(2/3) + √(2/3); cut off at any decimal the two sides differ in the last.
    factors = {"x": ["here", "elsewhere"], "y": ["here", "elsewhere"]}
    design = declare_minimisation(dict.fromkeys("ABCD", 1), factors, probability="1", measure="standard_deviation")
    history = [({"x": "here", "y": "elsewhere"}, label) for label in "BCD"]
    history += [({"x": "elsewhere", "y": "here"}, label) for label in "AAACCDD"]

    draw = minimise(design, history, {"x": "here", "y": "here"}, OneNumber(0))

    assert draw.probabilities == (Fraction(1, 2), Fraction(1, 2), 0, 0)
    assert float(draw.imbalance[0]) == pytest.approx(sqrt(8 / 3))


def test_minimisation_keeps_the_margins_closer_than_chance_does(mersenne):
    design = declare_minimisation({"A": 1, "B": 1}, FACTORS, probability="9/10")
    draws, profile = mersenne(11), mersenne(12)
    tally, people_so_far, labels = Tally(design), [], []
    for _ in range(200):
        person = {name: levels[profile.below(len(levels))] for name, levels in FACTORS.items()}
        label = minimise(design, tally, person, draws).label
        tally.add(person, label)
        people_so_far.append(person)
        labels.append(label)

    for name, levels in FACTORS.items():
        for level in levels:
            here = [label for person, label in zip(people_so_far, labels, strict=True) if person[name] == level]
            assert abs(here.count("A") - here.count("B")) <= 5  # by a coin: standard deviation 8 to 10


def test_a_fair_coin_is_what_minimisation_without_preference_simulates(mersenne):
    coin = declare_minimisation({"A": 1, "B": 1}, FACTORS, probability="1/2")
    strict = declare_minimisation({"A": 1, "B": 1}, FACTORS, probability="9/10")

    loose, tight = (simulate_minimisation(d, 30, trials=150, draws=mersenne(4)) for d in (coin, strict))

    # E|n_A - n_B| of 30 fair coins is 30·C(30, 15)/2^30 = 4.334.
    assert abs(loose.predictability - 0.5) < 4.5 * loose.predictability_se
    assert abs(loose.mean_imbalance - 4.334) < 4.5 * loose.mean_imbalance_se
    assert tight.mean_imbalance < loose.mean_imbalance / 2
    assert tight.predictability > 0.6
    with pytest.raises(InvalidListLength):
        simulate_minimisation(coin, 30, trials=1, draws=mersenne(4))


@pytest.mark.parametrize("probability", ["1/3", "2", 0.8, "much", None])
def test_an_impossible_probability_is_refused(probability):
    with pytest.raises(InvalidDesign):
        declare_minimisation({"A": 1, "B": 1}, FACTORS, probability=probability)


@pytest.mark.parametrize(
    ("factors", "options", "error"),
    [
        ({}, {}, InvalidDesign),
        ({"sex": []}, {}, InvalidFactors),
        (FACTORS, {"weights": {"height": "1"}}, InvalidDesign),
        (FACTORS, {"weights": {"sex": "0"}}, InvalidDesign),
        (FACTORS, {"weights": {"sex": "-1"}}, InvalidDesign),
        (FACTORS, {"measure": "ranges"}, InvalidDesign),
    ],
)
def test_an_impossible_minimisation_is_refused(factors, options, error):
    with pytest.raises(error):
        declare_minimisation({"A": 1, "B": 1}, factors, probability="4/5", **options)


def test_a_participant_or_a_history_outside_the_design_is_refused():
    design = declare_minimisation({"A": 1, "B": 1}, {"sex": ["f", "m"]}, probability="4/5")
    with pytest.raises(InvalidFactors):
        minimise(design, [], {"sex": "x"}, OneNumber(0))
    with pytest.raises(InvalidFactors):
        minimise(design, [], {}, OneNumber(0))
    with pytest.raises(InvalidFactors):
        minimise(design, [({"sex": "x"}, "A")], {"sex": "f"}, OneNumber(0))
    with pytest.raises(InvalidHistory):
        minimise(design, [({"sex": "f"}, "C")], {"sex": "f"}, OneNumber(0))
