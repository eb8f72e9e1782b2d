"""What an expression is given and what it answers; the door through which every value comes in.

Inside, a number is an IEEE double, a date is a day, and a value that may be one of several (a partial date, or a
difference of partial dates) is the pair of its ends. Nothing else gets in: a number that is not finite, or so large
or small that the targets could disagree, is unknown from the door on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from fractions import Fraction

from trialwright.expressions.types import (
    BooleanType,
    CodeType,
    DateType,
    DecimalType,
    IntegerType,
    QuantityType,
    TextType,
    Type,
    describe,
)
from trialwright.foundation.dates import PartialDate
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.missing import MissingReason
from trialwright.foundation.quantities import Quantity, exact
from trialwright.foundation.truth import Truth

LARGEST, SMALLEST = 1e15, 1e-15
"""Numbers beyond these magnitudes (zero excepted) are unknown; whole numbers up to the first are exact doubles."""
_LARGEST_WHOLE = 10**15
"""The same, as fractions are compared with it fastest."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A value that is not there, and why."""

    reason: MissingReason = MissingReason.NOT_ASKED


class Obstacle(Enum):
    """Why values that *are* there give no answer."""

    DIVISION_BY_ZERO = "division_by_zero"
    OUT_OF_RANGE = "out_of_range"
    PARTIAL_DATE = "partial_date"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an answer is unknown.

    Args:
        about: the key of the reference concerned; for a division by zero, a reference in the divisor (empty when the
            divisor is made of literals only); for a partial date in the expression itself, its text.
        why: the missing reason, or what stood in the way.
    """

    about: str
    why: MissingReason | Obstacle


@dataclass(frozen=True, slots=True)
class Verdict:
    """Yes, no or unknown; an unknown says why, in the order of the expression, each reason once."""

    truth: Truth
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """The value of an expression that is not a condition: a number (in the unit of the expression's type), a text,
    a code or a day; None when unknown, and then why."""

    value: float | str | date | None
    reasons: tuple[Reason, ...] = ()


Value = bool | int | float | Decimal | Fraction | str | date | PartialDate | Quantity | Missing | None
"""What a caller may give for a reference: the value as entered. None and an absent key are ``NOT_ASKED``."""

Cell = bool | float | str | date | tuple[date, date] | None
"""A value behind the door."""


@dataclass(frozen=True, slots=True)
class Row:
    """Values behind the door: one cell for each reference, None when unknown, with the reasons beside them."""

    cells: dict[str, Cell] = field(default_factory=dict)
    reasons: dict[str, MissingReason | Obstacle] = field(default_factory=dict)


def admit(types: Mapping[str, Type], values: Mapping[str, Value]) -> Row:
    """Bring the values of one participant in, once, for any number of expressions.

    Args:
        types: reference keys and their types, see :func:`trialwright.expressions.inputs`.
        values: reference keys and values as entered; others are ignored.

    Raises:
        InvalidValue: a value that cannot be of its type, or a quantity in a unit of another kind.
    """
    row = Row()
    for key, type_ in types.items():
        cell = _cell(key, type_, values.get(key))
        if isinstance(cell, MissingReason | Obstacle):
            row.reasons[key] = cell
            row.cells[key] = None
        else:
            row.cells[key] = cell
    return row


def _cell(key: str, type_: Type, value: Value) -> Cell | MissingReason | Obstacle:
    if value is None:
        return MissingReason.NOT_ASKED
    if isinstance(value, Missing):
        return value.reason
    match type_:
        case IntegerType() | DecimalType():
            return _number(key, type_, value, None)
        case QuantityType(unit=code):
            return _number(key, type_, value, code)
        case DateType(partial=partial):
            return _days(key, type_, value, partial)
        case BooleanType():
            if isinstance(value, bool):
                return value
        case TextType() | CodeType():
            if isinstance(value, str):
                return value
    raise _misfit(key, type_, value)


def _number(key: str, type_: Type, value: Value, code: str | None) -> float | Obstacle:
    given: float | Fraction | Decimal
    if isinstance(value, bool):
        raise _misfit(key, type_, value)
    if isinstance(value, int | float):
        given = value
    elif isinstance(value, Quantity):
        given = value.to("1" if code is None else code)
    elif isinstance(value, str):
        given = exact(value)
    elif isinstance(value, Decimal):
        given = value if value.is_finite() else math.nan
    elif isinstance(value, Fraction):
        given = value
    else:
        raise _misfit(key, type_, value)
    if not -_LARGEST_WHOLE <= given <= _LARGEST_WHOLE:  # also true of NaN
        return Obstacle.OUT_OF_RANGE
    number = float(given)
    if isinstance(type_, IntegerType) and not number.is_integer():
        raise _misfit(key, type_, value)
    return number if not given or abs(number) >= SMALLEST else Obstacle.OUT_OF_RANGE


def _days(key: str, type_: Type, value: Value, partial: bool) -> Cell | Obstacle:
    if isinstance(value, datetime):
        raise _misfit(key, type_, value)
    if isinstance(value, date):
        given = PartialDate.of(value)
    elif isinstance(value, str):
        given = PartialDate.parse(value)
    elif isinstance(value, PartialDate):
        given = value
    else:
        raise _misfit(key, type_, value)
    if partial:
        return given.earliest, given.latest
    return given.earliest if given.is_full else Obstacle.PARTIAL_DATE


def _misfit(key: str, type_: Type, value: object) -> InvalidValue:
    return InvalidValue(
        f"{key} is {describe(type_)}, but {str(value)[:60]!r} ({type(value).__name__}) was given",
        remedy="give a value of the declared type, or a missing reason",
        reference=key,
    )
