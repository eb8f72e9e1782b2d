"""Names, types and units are checked with columns; independent mistakes are all told."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from trialwright.expressions import (
    BooleanType,
    CodeType,
    DateType,
    DecimalType,
    IntegerType,
    QuantityType,
    TextType,
    TooLarge,
    Type,
    TypeProblem,
    UnitProblem,
    UnknownName,
    check,
    inputs,
    parse,
    problems,
    references,
)
from trialwright.foundation.errors import InvalidValue


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ("age > 1", BooleanType()),
        ("age + 1", IntegerType()),
        ("age * 2.0", DecimalType()),
        ("age / 2", DecimalType()),
        ("weight", QuantityType("kg")),
        ("weight + 500 'g'", QuantityType("kg")),
        ("weight * weight", QuantityType("kg.kg")),
        ("weight / 2 'mL'", QuantityType("kg/mL")),
        ("2 / weight", QuantityType("/kg")),
        ("weight / 2 'g'", DecimalType()),
        ("temperature - temperature", QuantityType("K")),
        ("max(visit, birth)", DateType(partial=True)),
        ("years_between(birth, visit)", IntegerType()),
        ("coalesce(age, index)", DecimalType()),
        ("coalesce(age, 0.5)", DecimalType()),
        ("coalesce(sex, 'F')", CodeType(("F", "M"), "sex")),
        ("coalesce(remark, '')", TextType()),
    ],
)
def test_an_expression_has_a_type(text: str, type_: Type, scope: Mapping[str, Type]) -> None:
    assert check(parse(text), scope) == type_


@pytest.mark.parametrize(
    ("text", "kind", "column", "says"),
    [
        ("wieght > 1 'kg'", UnknownName, 1, "did you mean weight"),
        ("course == 'PPMS'", UnknownName, 1, "did you mean ms.course"),
        ("ms.course == SPMS", UnknownName, 14, "quotation marks"),
        ("ms.course == 'SMPS'", TypeProblem, 11, "did you mean 'SPMS'"),
        ("ms.course == sex", TypeProblem, 11, "one kind"),
        ("remark == ms.course", TypeProblem, 8, "one kind"),
        ("age > 'x'", TypeProblem, 5, "one kind"),
        ("visit > 3", TypeProblem, 7, "one kind"),
        ("age and pregnant", TypeProblem, 1, "compare it"),
        ("not weight", TypeProblem, 5, "compare it"),
        ("pregnant > true", TypeProblem, 10, "use == or !="),
        ("visit - birth > 3", TypeProblem, 7, "days_between(birth, visit)"),
        ("visit + 3 > 3", TypeProblem, 1, "days_between"),
        ("1 < 2", TypeProblem, 3, "compare an item"),
        ("min(1, 2) > age", TypeProblem, 1, "name an item"),
        ("years_between(age, visit) > 1", TypeProblem, 15, "two dates"),
        ("age / 0 > 1", TypeProblem, 5, "something else"),
        ("days_between(birth, visit) * age > 1", TypeProblem, 28, "full date"),
        ("weight > 3 'mmHg'", UnitProblem, 10, "mm[Hg]"),
        ("weight + 1 > 3 'kg'", UnitProblem, 8, "1 'kg'"),
        ("weight > age", UnitProblem, 8, "unit of the same kind"),
        ("platelets > 100 'g/L'", UnitProblem, 11, "10*9/L"),
        ("temperature + temperature > 3 'K'", UnitProblem, 13, "subtract"),
        ("-temperature > 3 'K'", UnitProblem, 1, "subtract"),
        ("age > 1000000000000001", TooLarge, 7, "1e15"),
    ],
)
def test_a_mistake_is_told_with_its_column_and_its_remedy(
    text: str, kind: type[Exception], column: int, says: str, scope: Mapping[str, Type]
) -> None:
    (found,) = problems(parse(text), scope)
    assert type(found) is kind
    assert found.column == column
    assert says in found.remedy


def test_mistakes_that_are_independent_are_all_told(scope: Mapping[str, Type]) -> None:
    found = problems(parse("wieght > 1 'kg' and age > 'x' and sex in ('F', 'X', 'Y')"), scope)
    assert [error.column for error in found] == [1, 25, 48, 53]


def test_a_criterion_must_be_a_condition(scope: Mapping[str, Type]) -> None:
    assert check(parse("age > 1"), scope, BooleanType()) == BooleanType()
    with pytest.raises(TypeProblem):
        check(parse("age"), scope, BooleanType())
    assert [type(error) for error in problems(parse("age"), scope, BooleanType())] == [TypeProblem]


@pytest.mark.parametrize(
    ("text", "expected", "serves"),
    [
        ("age", DecimalType(), True),
        ("index", IntegerType(), False),
        ("weight", QuantityType("g"), True),
        ("weight", QuantityType("cm"), False),
        ("edss", DecimalType(), False),
        ("sex", CodeType(("F", "M", "X"), "other"), True),
        ("sex", CodeType(("F",), "other"), False),
        ("visit", DateType(partial=True), True),
        ("birth", DateType(), True),
    ],
)
def test_a_derivation_must_serve_its_item(text: str, expected: Type, serves: bool, scope: Mapping[str, Type]) -> None:
    assert (problems(parse(text), scope, expected) == ()) is serves


def test_references_are_listed_once_each_with_their_columns() -> None:
    found = references(parse("a.b > 1 or at(week_4).a.b > latest(a.b, within=14) or a.b is missing"))
    assert [(reference.key, reference.column) for reference in found] == [
        ("a.b", 1),
        ("at(week_4).a.b", 12),
        ("latest(a.b, within=14)", 29),
    ]
    assert (found[1].encounter, found[1].item, found[2].latest, found[2].within) == ("week_4", "a.b", True, 14)


def test_the_scope_may_give_a_reference_its_own_type() -> None:
    scope = {"x": IntegerType(), "at(week_4).x": DateType()}
    assert inputs(parse("x > 1 and at(week_4).x > '2021'"), scope) == scope


def test_a_type_with_an_unknown_unit_cannot_be_made() -> None:
    with pytest.raises(InvalidValue):
        QuantityType("kilos")


def test_python_gives_precedence_as_python_does(scope: Mapping[str, Type]) -> None:
    """Each pair is the same tree: the brackets only say what precedence already does."""
    pairs = [
        ("pregnant or pregnant and not pregnant == true", "pregnant or (pregnant and (not (pregnant == true)))"),
        ("1 + age * 2 - 3 > 0", "((1 + (age * 2)) - 3) > 0"),
        ("-age * 2 > 0", "((-age) * 2) > 0"),
        ("age - 1 - 1 > 0", "((age - 1) - 1) > 0"),
        ("8 / age / 2 > 0", "((8 / age) / 2) > 0"),
        ("not age > 1 and pregnant", "(not (age > 1)) and pregnant"),
        ("not age in (1, 2)", "not (age in (1, 2))"),
        ("not age is missing", "not (age is missing)"),
        ("age + 1 in (1, 2)", "(age + 1) in (1, 2)"),
    ]
    for plain, bracketed in pairs:
        assert _shape(plain) == _shape(bracketed)


def _shape(text: str) -> str:
    import re

    return re.sub(r"columns?=\(?[0-9, ]*\)?", "", repr(parse(text).root))


def test_a_name_that_is_like_no_other_is_answered_with_names_that_count_here() -> None:
    facts = {"age": IntegerType(), "consented": BooleanType()}
    with pytest.raises(UnknownName) as error:
        check(parse("systolic > 3"), facts)
    assert error.value.remedy == "names that count here: age, consented"
    many = {f"fact_{letter}": IntegerType() for letter in "abcdefgh"}
    with pytest.raises(UnknownName) as error:
        check(parse("systolic > 3"), many)
    assert error.value.remedy == "names that count here: fact_a, fact_b, fact_c, fact_d, fact_e, fact_f …"
    with pytest.raises(UnknownName) as error:
        check(parse("systolic > 3"), {})
    assert error.value.remedy == "no name counts here"
