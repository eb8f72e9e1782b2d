"""Kleene's tables, written out (S. C. Kleene, Introduction to Metamathematics, 1952, section 64)."""

from __future__ import annotations

from itertools import product

import pytest

from trialwright.foundation.truth import Truth, all_of, any_of

Y, N, U = Truth.YES, Truth.NO, Truth.UNKNOWN

AND = {(Y, Y): Y, (Y, N): N, (Y, U): U, (N, Y): N, (N, N): N, (N, U): N, (U, Y): U, (U, N): N, (U, U): U}
OR = {(Y, Y): Y, (Y, N): Y, (Y, U): Y, (N, Y): Y, (N, N): N, (N, U): U, (U, Y): Y, (U, N): U, (U, U): U}


@pytest.mark.parametrize("pair", list(product(Truth, repeat=2)))
def test_and_and_or_follow_the_tables(pair: tuple[Truth, Truth]) -> None:
    assert (pair[0] & pair[1]) is AND[pair]
    assert (pair[0] | pair[1]) is OR[pair]
    assert all_of(pair) is AND[pair]
    assert any_of(pair) is OR[pair]


def test_not_turns_yes_and_no_and_leaves_unknown() -> None:
    assert (~Y, ~N, ~U) == (N, Y, U)


def test_nothing_at_all_is_a_yes_for_all_and_a_no_for_any() -> None:
    assert all_of([]) is Y
    assert any_of([]) is N


def test_a_truth_cannot_be_used_as_a_yes_or_no() -> None:
    with pytest.raises(TypeError):
        bool(Truth.NO)


@pytest.mark.parametrize("value", [True, False, None])
def test_a_truth_is_made_from_and_read_as_an_optional_bool(value: bool | None) -> None:
    assert Truth.of(value).as_bool() is value
