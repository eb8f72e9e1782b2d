"""A measured value with its unit, both kept exactly as they were entered; conversion is exact arithmetic."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.units import (
    Dimension,
    IncommensurableUnits,
    Unit,
    UnknownUnit,
    commensurable,
    convert,
    dimension,
    unit,
)

__all__ = [
    "Dimension",
    "IncommensurableUnits",
    "Quantity",
    "Unit",
    "UnknownUnit",
    "commensurable",
    "convert",
    "dimension",
    "exact",
    "unit",
]

_DECIMAL = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)\Z", re.ASCII)
_LONGEST = 40


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value and a unit as entered; ``==`` compares the entry, so ``1.0 kg`` and ``1.00 kg`` differ.

    Args:
        text: decimal text with a point, at most 40 characters, no exponent: ``"72.50"``.
        unit: UCUM code: ``"kg"``, ``"10*9/L"``, ``"{score}"``.

    Raises:
        InvalidValue: the text is no decimal number.
        UnknownUnit: the unit is no UCUM code that can be converted.
    """

    text: str
    unit: str

    def __post_init__(self) -> None:
        exact(self.text)
        unit(self.unit)

    def __str__(self) -> str:
        return f"{self.text} {self.unit}"

    @property
    def value(self) -> Decimal:
        """The number as entered, with its trailing zeros."""
        return Decimal(self.text)

    @property
    def dimension(self) -> Dimension:
        """What the unit measures, see :func:`dimension`."""
        return dimension(self.unit)

    def to(self, code: str) -> Fraction:
        """The exact value in another unit (68 °F is exactly 20 °C; 1/3 stays 1/3).

        Raises:
            UnknownUnit: ``code`` is no unit.
            IncommensurableUnits: the units measure different things.
        """
        return convert(exact(self.text), self.unit, code)


@lru_cache(maxsize=4096)
def exact(text: str) -> Fraction:
    """The exact value of decimal text as entered.

    Raises:
        InvalidValue: not a decimal number of at most 40 characters (a comma, an exponent, ``NaN``).
    """
    if len(text) > _LONGEST or not _DECIMAL.match(text):
        shown = text[:_LONGEST]
        remedy = "write it with a point" if "," in shown else "use digits with at most one decimal point"
        raise InvalidValue(f"{shown!r} is not a number", remedy=remedy, given=shown)
    return Fraction(text)
