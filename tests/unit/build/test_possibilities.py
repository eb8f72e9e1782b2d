"""What a simple condition can answer is found by few rows; trying very many rows finds nothing else."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialwright.build.formulas import CompiledExpression, compile_expression
from trialwright.build.possibilities import implies_no, rows, truths
from trialwright.expressions import BooleanType, CodeType, DateType, DecimalType, IntegerType, QuantityType, Type

SCOPE: dict[str, Type] = {
    "age": IntegerType(),
    "score": DecimalType(),
    "weight": QuantityType("kg"),
    "course": CodeType(("A", "B", "C"), "course"),
    "pregnant": BooleanType(),
    "born": DateType(partial=True),
}


def condition(text: str) -> CompiledExpression:
    return compile_expression(text, SCOPE)


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        ("age >= 18", {True, False, None}),
        ("age >= 18 or age < 18", {True, None}),
        ("age >= 18 and age < 18", {False, None}),
        ("age > 17 and age < 18", {False, None}),  # no whole number lies between
        ("score > 17 and score < 18", {True, False, None}),
        ('course in ("A", "B", "C")', {True, None}),
        ('course == "A" and course == "B"', {False, None}),
        ("weight > 5 'kg' or weight <= 5000 'g'", {True, None}),
        ("pregnant or not pregnant", {True, None}),
        ("age is missing", {True, False}),
        ("age is missing or age is not missing", {True}),
        ("born < '2000-01-01' and born > '2001-01-01'", {False, None}),
    ],
)
def test_all_answers_are_found(text: str, answers: set[bool | None]) -> None:
    assert truths(condition(text)) == answers


@pytest.mark.parametrize("text", ["age + 1 > 3", "score > age", "min(age, 3) > 2", "abs(score) > 1"])
def test_of_other_conditions_nothing_is_claimed(text: str) -> None:
    assert truths(condition(text)) is None
    assert rows(condition(text)) is None


def test_too_many_items_are_not_tried() -> None:
    scope: dict[str, Type] = {f"item_{n}": CodeType(tuple("ABCDEFGHIJ"), "letters") for n in range(10)}
    text = " or ".join(f'item_{n} == "A"' for n in range(10))
    assert truths(compile_expression(text, scope)) is None


@pytest.mark.parametrize(
    ("first", "second", "restates"),
    [
        ("age < 18 or age > 55", "18 <= age <= 55", True),
        ("age > 60", "age <= 55", True),
        ("age > 50", "age <= 55", False),
        ('course == "C"', 'course in ("A", "B")', True),
        ('course != "A"', 'course in ("A", "B")', False),
        ("not pregnant", "pregnant", True),
        ("age < 18 and age > 20", "age > 3", False),  # excludes nobody: another rule says so
        ("age is missing", "age > 3", False),  # unknown is not no
    ],
)
def test_restating_is_decided_by_meaning(first: str, second: str, restates: bool) -> None:
    assert implies_no(condition(first), condition(second)) is restates


ATOMS = [
    *(f"age {operator} {number}" for operator in ("<", "<=", ">", ">=", "==", "!=") for number in (-1, 0, 2, 3)),
    *(f"score {operator} {number}" for operator in ("<", "<=", ">", "==") for number in ("0.5", "1", "1.5")),
    *(f"weight {operator} {number}" for operator in ("<", ">=") for number in ("1 'kg'", "1500 'g'")),
    'course == "A"',
    'course in ("A", "B")',
    'course not in ("C")',
    "pregnant",
    "age is missing",
    "score is not missing",
    "0 < age <= 2",
]
CONDITIONS = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} and {pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} or {pair[1]})"),
        inner.map(lambda text: f"not ({text})"),
    ),
    max_leaves=5,
)
DENSE = {
    "age": [None, *map(float, range(-5, 8))],
    "score": [None, *(n / 4 for n in range(-4, 12))],
    "weight": [None, *(n / 8 for n in range(0, 24))],
    "course": [None, "A", "B", "C"],
    "pregnant": [None, True, False],
}


@settings(max_examples=150, deadline=None)
@given(CONDITIONS)
def test_a_dense_search_finds_the_same_answers(text: str) -> None:
    found = condition(text)
    keys = list(found.compiled.inputs)
    dense = {found.compiled.decide(dict(zip(keys, row, strict=True))) for row in product(*(DENSE[k] for k in keys))}
    assert truths(found) == dense
