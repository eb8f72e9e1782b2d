"""The types of items and expressions, and the scope that names them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trialwright.foundation.units import unit


@dataclass(frozen=True, slots=True)
class BooleanType:
    """Yes or no."""


@dataclass(frozen=True, slots=True)
class IntegerType:
    """A whole number without unit."""


@dataclass(frozen=True, slots=True)
class DecimalType:
    """A number without unit."""


@dataclass(frozen=True, slots=True)
class TextType:
    """Free text; can be compared for equality only, because orders of letters differ between machines."""


@dataclass(frozen=True, slots=True)
class CodeType:
    """One of declared values.

    Args:
        values: the allowed values; a literal that is none of them is an error.
        codelist: the name of the code list; codes of different lists cannot be compared.
    """

    values: tuple[str, ...]
    codelist: str = ""


@dataclass(frozen=True, slots=True)
class DateType:
    """A date; ``partial`` when the month or day may be unknown (then it is an interval of days)."""

    partial: bool = False


@dataclass(frozen=True, slots=True)
class QuantityType:
    """A measured value; values entered in another unit of the same kind are converted exactly to ``unit``.

    Raises:
        UnknownUnit: ``unit`` is no UCUM code that can be converted.
    """

    unit: str

    def __post_init__(self) -> None:
        unit(self.unit)


Type = BooleanType | IntegerType | DecimalType | TextType | CodeType | DateType | QuantityType

Scope = Mapping[str, Type]
"""Item names (dotted) to types. A key such as ``at(week_4).vitals.weight`` overrides the item's own type."""


def describe(type_: Type) -> str:
    """A type in words, for messages."""
    match type_:
        case BooleanType():
            return "a yes/no value"
        case IntegerType():
            return "a whole number"
        case DecimalType():
            return "a number"
        case TextType():
            return "a text"
        case CodeType(codelist=codelist):
            return f"a code of {codelist}" if codelist else "a code"
        case DateType():
            return "a date"
        case QuantityType(unit=code):
            return f"a quantity in {code}"
