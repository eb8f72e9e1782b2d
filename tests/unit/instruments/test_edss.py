"""EDSS: every combination of converted grades against a second, differently built implementation."""

from decimal import Decimal
from itertools import product

import pytest

from trialwright.foundation.errors import InvalidValue
from trialwright.instruments import edss

SYSTEMS = {
    "visual": 6,
    "brainstem": 5,
    "pyramidal": 6,
    "cerebellar": 5,
    "sensory": 6,
    "bowel_bladder": 6,
    "cerebral": 5,
}
# A raw grade for each converted grade.
RAW_VISUAL = {0: 0, 1: 1, 2: 2, 3: 4, 4: 6}
RAW_BOWEL_BLADDER = {0: 0, 1: 1, 2: 2, 3: 3, 4: 5, 5: 6}

# The second implementation. Each row says: at least so many systems at or above 5, 4, 3, 2, 1 and at least this
# ambulation; the step is the highest row that is met. It knows no highest grade, no ties and no order of rules.
PATTERNS = [
    # ≥5 ≥4 ≥3 ≥2 ≥1 walk step
    (1, 0, 0, 0, 0, 0, "5.0"),
    (0, 2, 0, 0, 0, 0, "5.0"),
    (0, 1, 4, 0, 0, 0, "5.0"),
    (0, 0, 6, 0, 0, 0, "5.0"),
    (0, 1, 0, 2, 0, 0, "4.5"),
    (0, 0, 5, 0, 0, 0, "4.5"),
    (0, 0, 0, 0, 0, 2, "4.5"),
    (0, 1, 0, 0, 0, 0, "4.0"),
    (0, 0, 3, 0, 0, 0, "4.0"),
    (0, 0, 2, 3, 0, 0, "4.0"),
    (0, 0, 1, 4, 0, 0, "4.0"),
    (0, 0, 0, 6, 0, 0, "4.0"),
    (0, 0, 2, 0, 0, 0, "3.5"),
    (0, 0, 1, 2, 0, 0, "3.5"),
    (0, 0, 0, 5, 0, 0, "3.5"),
    (0, 0, 1, 0, 0, 0, "3.0"),
    (0, 0, 0, 3, 0, 0, "3.0"),
    (0, 0, 0, 2, 0, 0, "2.5"),
    (0, 0, 0, 1, 0, 0, "2.0"),
    (0, 0, 0, 0, 0, 1, "2.0"),
    (0, 0, 0, 0, 2, 0, "1.5"),
    (0, 0, 0, 0, 1, 0, "1.0"),
    (0, 0, 0, 0, 0, 0, "0"),
]


def by_pattern(converted, walk):
    reached = [sum(grade >= limit for grade in converted) for limit in (5, 4, 3, 2, 1)]
    return max(
        Decimal(step)
        for *least, least_walk, step in PATTERNS
        if walk >= least_walk and all(have >= need for have, need in zip(reached, least, strict=True))
    )


def multisets():
    """One raw assignment for each multiset of converted grades that seven systems can have."""
    seen = {}
    for grades in product(range(5), range(6), range(7), range(6), range(7), range(6), range(6)):
        seen.setdefault(tuple(sorted(grades)), grades)
    return seen


MULTISETS = multisets()


def scored(converted, walk):
    visual, brainstem, pyramidal, cerebellar, sensory, bowel_bladder, cerebral = converted
    return edss.score(
        visual=RAW_VISUAL[visual],
        brainstem=brainstem,
        pyramidal=pyramidal,
        cerebellar=cerebellar,
        sensory=sensory,
        bowel_bladder=RAW_BOWEL_BLADDER[bowel_bladder],
        cerebral=cerebral,
        ambulation=walk,
    )


def test_there_are_1503_multisets_of_converted_grades():
    assert len(MULTISETS) == 1503


@pytest.mark.parametrize("walk", [0, 1, 2])
def test_every_multiset_of_grades_agrees_with_the_pattern_table(walk):
    disagree = {
        grades: (scored(raw, walk), by_pattern(grades, walk))
        for grades, raw in MULTISETS.items()
        if scored(raw, walk) != by_pattern(grades, walk)
    }
    assert disagree == {}


@pytest.mark.parametrize("walk", [0, 1, 2])
def test_the_step_is_legal_and_never_below_the_highest_grade(walk):
    for grades, raw in MULTISETS.items():
        step = scored(raw, walk)
        assert step in edss.STEPS
        assert step >= min(max(grades), 5)


NORMAL = dict.fromkeys(SYSTEMS, 0)


@pytest.mark.parametrize(
    ("raw", "walk", "step"),
    [
        ({}, 0, "0"),
        ({"sensory": 1}, 0, "1.0"),
        ({"sensory": 1, "pyramidal": 1}, 0, "1.5"),
        ({"visual": 3}, 0, "2.0"),  # raw visual 3 is converted 2
        ({"visual": 6}, 0, "4.0"),  # raw visual 6 is converted 4
        ({"bowel_bladder": 3}, 0, "3.0"),
        ({"bowel_bladder": 4}, 0, "3.0"),
        ({"bowel_bladder": 5}, 0, "4.0"),
        ({"bowel_bladder": 6}, 0, "5.0"),
        ({"pyramidal": 3, "cerebellar": 2}, 0, "3.5"),
        ({"pyramidal": 3, "cerebellar": 3}, 1, "3.5"),
        ({}, 1, "2.0"),
        ({}, 2, "4.5"),
        ({"pyramidal": 4}, 2, "4.5"),
        ({"pyramidal": 6}, 0, "5.0"),
    ],
)
def test_examples_from_the_rules(raw, walk, step):
    assert edss.score(**{**NORMAL, **raw}, ambulation=walk) == Decimal(step)


LONG = {3: "5", 4: "5.5", 5: "6", 6: "6", 7: "6", 8: "6.5", 9: "6.5", 10: "7", 11: "7.5", 12: "8", 13: "8.5"}
LONG |= {14: "9", 15: "9.5", 16: "10"}
SHORT = {3: "5", 4: "5.5", 5: "6", 6: "6.5", 7: "7", 8: "7.5", 9: "8", 10: "8.5", 11: "9", 12: "9.5"}


@pytest.mark.parametrize(
    ("scale", "walk", "step"),
    [("neurostatus16", *row) for row in LONG.items()] + [("kurtzke12", *row) for row in SHORT.items()],
)
def test_from_ambulation_3_on_walking_decides_alone(scale, walk, step):
    worst = dict(SYSTEMS)
    assert edss.score(**NORMAL, ambulation=walk, scale=scale) == Decimal(step)
    assert edss.score(**worst, ambulation=walk, scale=scale) == Decimal(step)


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, highest + 1) for name, highest in SYSTEMS.items()]
    + [("visual", -1), ("sensory", "1.5"), ("cerebral", True), ("ambulation", 17), ("pyramidal", "nan")]
    + [("pyramidal", "9" * 60), ("pyramidal", "Infinity"), ("pyramidal", "1e999999")],
)
def test_a_grade_that_does_not_exist_is_refused_by_name(name, value):
    with pytest.raises(InvalidValue, match=name):
        edss.score(**{**NORMAL, "ambulation": 0, name: value})


def test_the_scale_of_ambulation_is_explicit():
    with pytest.raises(InvalidValue, match="unknown ambulation scale"):
        edss.score(**NORMAL, ambulation=0, scale="kurtzke")
    with pytest.raises(InvalidValue, match="ambulation"):
        edss.score(**NORMAL, ambulation=13, scale="kurtzke12")


def test_half_a_step_is_not_a_step():
    assert not edss.is_step("0.5")
    assert not edss.is_step("x")
    assert edss.is_step(6.5)
    assert len(edss.STEPS) == 20
