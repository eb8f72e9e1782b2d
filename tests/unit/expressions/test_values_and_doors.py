"""The door: values as entered become numbers, days and texts, or unknown with a reason; nothing else gets in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from trialwright.expressions import (
    Answer,
    BooleanType,
    DateType,
    DecimalType,
    IntegerType,
    Missing,
    Obstacle,
    QuantityType,
    Reason,
    TextType,
    Type,
    TypeProblem,
    Verdict,
    admit,
    compile_python,
    parse,
)
from trialwright.foundation.dates import PartialDate
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.missing import MissingReason
from trialwright.foundation.quantities import IncommensurableUnits, Quantity
from trialwright.foundation.truth import Truth


@pytest.mark.parametrize(
    ("type_", "value", "cell"),
    [
        (IntegerType(), 3, 3.0),
        (IntegerType(), "3", 3.0),
        (IntegerType(), 3.0, 3.0),
        (DecimalType(), "0.1", 0.1),
        (DecimalType(), Decimal("0.1"), 0.1),
        (DecimalType(), Fraction(1, 3), 1 / 3),
        (DecimalType(), -0.0, 0.0),
        (DecimalType(), "72.50", 72.5),
        (DecimalType(), Quantity("4.5", "{score}"), 4.5),
        (QuantityType("kg"), "72.5", 72.5),
        (QuantityType("kg"), Quantity("500", "g"), 0.5),
        (QuantityType("Cel"), Quantity("98.6", "[degF]"), 37.0),
        (TextType(), "", ""),
        (BooleanType(), False, False),
        (DateType(), "2021-06-14", date(2021, 6, 14)),
        (DateType(), date(2021, 6, 14), date(2021, 6, 14)),
        (DateType(partial=True), PartialDate(2021, 2), (date(2021, 2, 1), date(2021, 2, 28))),
        (DateType(partial=True), "2021-06-14", (date(2021, 6, 14), date(2021, 6, 14))),
    ],
)
def test_a_value_as_entered_comes_in(type_: Type, value: Any, cell: Any) -> None:
    assert admit({"x": type_}, {"x": value}).cells == {"x": cell}


@pytest.mark.parametrize(
    ("type_", "value", "why"),
    [
        (IntegerType(), None, MissingReason.NOT_ASKED),
        (IntegerType(), Missing(), MissingReason.NOT_ASKED),
        (TextType(), Missing(MissingReason.REFUSED), MissingReason.REFUSED),
        (DecimalType(), math.nan, Obstacle.OUT_OF_RANGE),
        (DecimalType(), math.inf, Obstacle.OUT_OF_RANGE),
        (DecimalType(), Decimal("NaN"), Obstacle.OUT_OF_RANGE),
        (DecimalType(), Decimal("-Infinity"), Obstacle.OUT_OF_RANGE),
        (DecimalType(), 1.1e15, Obstacle.OUT_OF_RANGE),
        (DecimalType(), 10**400, Obstacle.OUT_OF_RANGE),
        (DecimalType(), Fraction(1, 10**400), Obstacle.OUT_OF_RANGE),
        (DecimalType(), 5e-324, Obstacle.OUT_OF_RANGE),
        (QuantityType("kg"), Quantity("0.0000001", "ug"), Obstacle.OUT_OF_RANGE),
        (DateType(), "2021-06", Obstacle.PARTIAL_DATE),
    ],
)
def test_what_cannot_be_used_is_unknown_with_its_reason(type_: Type, value: Any, why: Any) -> None:
    row = admit({"x": type_}, {"x": value})
    assert row.cells == {"x": None}
    assert row.reasons == {"x": why}


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (IntegerType(), 3.5),
        (IntegerType(), "3.5"),
        (IntegerType(), True),
        (DecimalType(), "1,5"),
        (DecimalType(), "many"),
        (DecimalType(), date(2021, 1, 1)),
        (TextType(), 3),
        (BooleanType(), "yes"),
        (BooleanType(), 1),
        (DateType(), 20210614),
        (DateType(), "14/06/2021"),
        (DateType(), datetime(2021, 6, 14, tzinfo=UTC)),
        (DecimalType(), object()),
    ],
)
def test_a_value_of_another_kind_is_refused_by_name(type_: Type, value: Any) -> None:
    with pytest.raises(InvalidValue):
        admit({"x": type_}, {"x": value})


def test_a_quantity_of_another_kind_is_refused_by_name() -> None:
    with pytest.raises(IncommensurableUnits):
        admit({"x": QuantityType("kg")}, {"x": Quantity("5", "cm")})


def test_a_boundary_in_another_unit_is_met_exactly(scope: Mapping[str, Type]) -> None:
    """0.1 × 3 in doubles is not 0.3; conversion is exact before it becomes a double."""
    compiled = compile_python(parse("weight >= 300000 'mg'"), scope)
    assert compiled.verdict({"weight": Quantity("0.3", "kg")}).truth is Truth.YES
    compiled = compile_python(parse("temperature >= 100.4 '[degF]'"), scope)
    assert compiled.verdict({"temperature": "38"}).truth is Truth.YES
    assert compiled.verdict({"temperature": "37.9"}).truth is Truth.NO


def test_reasons_are_those_of_the_parts_that_leave_it_open(scope: Mapping[str, Type]) -> None:
    compiled = compile_python(parse("(age > 1 or pregnant) and weight > 50 'kg' and index > 0"), scope)
    verdict = compiled.verdict({"age": 2, "weight": Missing(MissingReason.PENDING), "index": math.nan})
    assert verdict == Verdict(
        Truth.UNKNOWN, (Reason("weight", MissingReason.PENDING), Reason("index", Obstacle.OUT_OF_RANGE))
    )


def test_a_derived_date_that_is_open_is_unknown(scope: Mapping[str, Type]) -> None:
    compiled = compile_python(parse("max(birth, visit)"), scope)
    assert compiled({"birth": "2021", "visit": "2022-01-01"}) == Answer(date(2022, 1, 1))
    assert compiled({"birth": "2021", "visit": "2021-03-01"}) == Answer(
        None, (Reason("birth", Obstacle.PARTIAL_DATE),)
    )


def test_only_a_condition_has_a_verdict(scope: Mapping[str, Type]) -> None:
    with pytest.raises(TypeProblem):
        compile_python(parse("age + 1"), scope).verdict({"age": 1})
