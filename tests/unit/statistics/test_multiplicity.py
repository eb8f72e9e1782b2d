"""Multiplicity against the closure principle, written out over all intersections."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialwright.statistics import (
    CannotEstimate,
    Decision,
    fixed_sequence,
    gatekeeping,
    holm,
    last_observation_carried_forward,
)


def closed(p_values, intersection):
    """Adjusted p-values: the largest p of all intersections that hold the hypothesis."""
    names = list(p_values)
    subsets = [set(s) for size in range(1, len(names) + 1) for s in combinations(names, size)]
    return {name: min(1.0, max(intersection(s) for s in subsets if name in s)) for name in names}


families = st.lists(st.lists(st.floats(0, 1), min_size=1, max_size=3), min_size=1, max_size=3).map(
    lambda values: [{f"h{i}{j}": p for j, p in enumerate(family)} for i, family in enumerate(values)]
)


@given(families)
def test_gatekeeping_is_the_closed_test_that_looks_at_the_first_family_only(declared):
    everything = {name: p for family in declared for name, p in family.items()}

    def intersection(subset):
        family = next(family for family in declared if subset & family.keys())
        here = [family[name] for name in subset & family.keys()]
        return len(here) * min(here)

    slow = closed(everything, intersection)
    for decision in gatekeeping(declared, 0.05):
        assert decision.adjusted == pytest.approx(slow[decision.name], abs=1e-12)
        assert decision.rejected is (decision.adjusted <= 0.05)


def test_the_order_decides():
    p_values = {"primary": 0.03, "first": 0.2, "second": 0.001}
    assert [d.rejected for d in fixed_sequence(p_values)] == [True, False, False]
    assert fixed_sequence(p_values)[2] == Decision("second", 0.001, 0.2, rejected=False)
    assert [d.rejected for d in holm(p_values)] == [False, False, True]


@pytest.mark.parametrize(
    "call",
    [
        lambda: holm({}),
        lambda: holm({"a": 1.2}),
        lambda: holm({"a": float("nan")}),
        lambda: fixed_sequence({"a": 0.1}, 1.0),
        lambda: gatekeeping([{"a": 0.1}, {"a": 0.2}]),
        lambda: gatekeeping([{"a": 0.1}, {}]),
    ],
)
def test_a_plan_that_cannot_be_is_refused(call):
    with pytest.raises(CannotEstimate):
        call()


@given(st.lists(st.lists(st.one_of(st.none(), st.integers(-9, 9)), min_size=4, max_size=4), min_size=1, max_size=6))
def test_the_last_observation_is_carried_forward_and_nothing_backward(rows):
    found = last_observation_carried_forward([[np.nan if v is None else v for v in row] for row in rows])
    for row, carried in zip(rows, found, strict=True):
        last = np.nan
        for value, here in zip(row, carried, strict=True):
            last = last if value is None else value
            assert here == last or (np.isnan(here) and np.isnan(last))


@pytest.mark.parametrize("values", [[1.0, 2.0], [["a"]], [[1.0], [1.0, 2.0]], [[np.inf]]])
def test_only_a_rectangle_of_numbers_can_be_carried_forward(values):
    with pytest.raises(CannotEstimate):
        last_observation_carried_forward(values)
