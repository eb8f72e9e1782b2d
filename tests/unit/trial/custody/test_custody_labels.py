"""Identifiers for labels, after the study's pattern."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialwright.trial.custody.labels import sample_identifier


@given(drawn=st.lists(st.integers(0, 10_000), min_size=32, max_size=32))
def test_whatever_is_drawn_the_identifier_fits_the_pattern(drawn: list[int]) -> None:
    pattern = r"SMS-[0-9]{2}-[0-9]{3}-[12]-[A-Z0-9]{4}"
    text = sample_identifier(pattern, lambda place, letters: drawn[place] % letters)
    assert re.fullmatch(pattern, text)


def test_every_letter_of_a_set_can_be_drawn() -> None:
    assert {sample_identifier("[a-c9]", lambda place, letters, n=n: n) for n in range(4)} == {"a", "b", "c", "9"}


def test_a_pattern_that_says_more_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no identifier can be made"):
        sample_identifier("(a|b)+", lambda place, letters: 0)
