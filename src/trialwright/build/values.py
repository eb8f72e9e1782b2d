"""What staff enter into an item, and what expressions see of it.

Data keep their text and unit as entered; conversion happens on the way into an expression, exactly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from fractions import Fraction
from functools import cached_property
from typing import Literal

from trialwright.expressions.values import Missing, Value
from trialwright.foundation.dates import PartialDate
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.missing import MissingReason
from trialwright.foundation.quantities import Quantity, commensurable, exact
from trialwright.protocol.findings import did_you_mean
from trialwright.protocol.forms import Item, Range

LONGEST_TEXT = 4000

Size = Literal["usual", "unusual", "impossible"]

_INTEGER = re.compile(r"-?[0-9]{1,15}\Z", re.ASCII)
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]\Z", re.ASCII)
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemValue:
    """What is stored for one item: a text, an outcome, or the reason why neither is there.

    Attributes:
        text: canonical: decimals as entered, ``true``/``false``, ISO dates (partial where allowed), codes.
        unit: UCUM unit as entered, for a quantity.
        outcome: code of a declared outcome, such as unable because of the disease.
        missing: why the value is not there.
    """

    text: str | None = None
    unit: str | None = None
    outcome: str | None = None
    missing: MissingReason | None = None

    def __post_init__(self) -> None:
        if (self.text is None) + (self.outcome is None) + (self.missing is None) != 2:
            raise InvalidValue(
                "a value is a text, an outcome or a missing reason",
                remedy="give exactly one of them",
                text=str(self.text),
                outcome=str(self.outcome),
                missing=str(self.missing),
            )


@dataclass(frozen=True)
class Field:
    """An item with the codes it may take; what reading and judging values needs.

    Attributes:
        form: id of its form.
        item: as declared.
        codes: allowed codes, in the order of the list; empty unless the type is ``code``.
    """

    form: str
    item: Item
    codes: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """``form.item``."""
        return f"{self.form}.{self.item.id}"

    @cached_property
    def limits(self) -> tuple[tuple[Fraction | None, Fraction | None, Size], ...]:
        """Lowest and highest number of each declared bound, with what a number outside is; the graver one first."""
        declared: tuple[tuple[Range | None, Size], ...] = (
            (self.item.possible, "impossible"),
            (self.item.range, "unusual"),
        )
        return tuple(
            (
                None if bounds.low is None else Fraction(bounds.low),
                None if bounds.high is None else Fraction(bounds.high),
                size,
            )
            for bounds, size in declared
            if bounds is not None
        )


def parse_item_value(field: Field, entered: str, unit: str | None = None) -> ItemValue:
    """Read what was typed or chosen.

    Args:
        field: the item.
        entered: the text; a code for a code item, ``true`` or ``false`` for a boolean.
        unit: for a quantity, the unit chosen; None means the first declared one.

    Raises:
        InvalidValue: the text cannot be a value of the item. Unusual and impossible *sizes* are not refused:
            see :func:`size_of`.
    """
    item, text = field.item, entered.strip()
    if unit is not None and item.type != "quantity":
        raise _wrong(field, f"{unit[:20]!r} was given, but it has no units", "leave the unit out")
    if not text:
        raise _wrong(field, "nothing was entered", "enter a value, or choose why there is none")
    if item.type == "quantity":
        return ItemValue(text=_decimal(field, text), unit=_unit(field, unit))
    return ItemValue(text=_canonical(field, text))


def outcome_value(field: Field, code: str) -> ItemValue:
    """A declared outcome chosen instead of a value.

    Raises:
        InvalidValue: the item declares no such outcome.
    """
    known = [outcome.code for outcome in field.item.outcomes]
    if code not in known:
        raise _wrong(field, f"{code[:40]!r} is none of its outcomes", f"use one of {', '.join(known) or 'none'}")
    return ItemValue(outcome=code)


def missing_value(field: Field, reason: MissingReason) -> ItemValue:
    """A reason chosen instead of a value.

    Raises:
        InvalidValue: the item does not allow this reason.
    """
    if reason not in field.item.missing:
        allowed = ", ".join(r.value for r in field.item.missing)
        raise _wrong(field, f"{reason.value} is not allowed", f"use one of {allowed or 'none'}")
    return ItemValue(missing=reason)


def value_of(field: Field, stored: ItemValue | None) -> Value:
    """What expressions see: quantities with their unit, outcomes as scored, missing values with their reason.

    A value that was entered when the item was another one (an amendment changed its type or what its unit measures)
    is unknown.
    """
    if stored is None:
        return None
    if stored.missing is not None:
        return Missing(stored.missing)
    if stored.outcome is not None:
        return _scored(field, stored.outcome)
    try:
        return _read(field, stored.text or "", stored.unit)
    except (InvalidValue, InvalidOperation):
        return Missing(MissingReason.UNKNOWN)


def _read(field: Field, text: str, unit: str | None) -> Value:
    match field.item.type:
        case "boolean":
            return text == "true" if text in ("true", "false") else Missing(MissingReason.UNKNOWN)
        case "quantity":
            units = field.item.units
            known = unit is None or unit in units or not units or commensurable(unit, units[0])
            return Quantity(text, unit or units[0]) if known else Missing(MissingReason.UNKNOWN)
        case "integer" | "decimal" | "scale":
            return Decimal(text)
        case "date" | "partial_date":
            return PartialDate.parse(text)
        case _:
            return text


def number_of(field: Field, stored: ItemValue | None) -> Fraction | None:
    """The exact number in the item's first unit; None for anything that is no number or not there."""
    value = value_of(field, stored)
    if isinstance(value, Quantity):
        return value.to(field.item.units[0]) if field.item.units else value.to("1")
    return Fraction(value) if isinstance(value, Decimal) else None


def size_of(field: Field, stored: ItemValue) -> Size:
    """Whether a number lies outside ``range`` (a query asks) or outside ``possible`` (the query says so).

    Outcomes, texts, dates and missing values are usual.
    """
    if stored.text is None or not field.limits:
        return "usual"
    number = number_of(field, stored)
    if number is None:
        return "usual"
    for low, high, size in field.limits:
        if (low is not None and number < low) or (high is not None and number > high):
            return size
    return "usual"


def rounded(value: Decimal | Fraction | float, decimals: int) -> str:
    """Decimal text of a computed number, ties away from zero as laboratories round."""
    number = Decimal(value.numerator) / value.denominator if isinstance(value, Fraction) else Decimal(str(value))
    return f"{number.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP):f}"


def _scored(field: Field, code: str) -> Value:
    scored = next((outcome.scored_as for outcome in field.item.outcomes if outcome.code == code), None)
    if scored is None:
        return Missing(MissingReason.UNKNOWN)
    if field.item.type == "quantity":
        return Quantity(scored, field.item.units[0])
    return Decimal(scored)


def _canonical(field: Field, text: str) -> str:
    match field.item.type:
        case "boolean":
            return _one_of(field, text, ("true", "false"))
        case "code":
            return _one_of(field, text, field.codes)
        case "integer" | "scale":
            return _integer(field, text)
        case "decimal":
            return _decimal(field, text)
        case "date":
            return _date(field, text, partial=False)
        case "partial_date":
            return _date(field, text, partial=True)
        case "time":
            if not _TIME.match(text):
                raise _wrong(field, f"{text[:40]!r} is not a time", "write hours and minutes, for example 09:30")
            return text
        case _:
            return _text(field, text)


def _one_of(field: Field, text: str, known: tuple[str, ...]) -> str:
    if text not in known:
        shown = ", ".join(known[:20])
        raise _wrong(field, f"{text[:40]!r} is not a choice", did_you_mean(text, known) or f"use one of {shown}")
    return text


def _integer(field: Field, text: str) -> str:
    if not _INTEGER.match(text):
        raise _wrong(field, f"{text[:40]!r} is not a whole number", "enter digits only")
    number = int(text)
    bounds = field.item.possible or field.item.range
    if field.item.type == "scale" and bounds is not None:
        low, high = Fraction(bounds.low or 0), Fraction(bounds.high or 10)
        if not low <= number <= high:
            raise _wrong(field, f"{number} is not on the scale", f"choose {low} to {high}")
    return str(number)


def _decimal(field: Field, text: str) -> str:
    exact(text)
    decimals = len(text.partition(".")[2])
    if field.item.decimals is not None and decimals > field.item.decimals:
        raise _wrong(field, f"{text} has {decimals} decimals", f"enter at most {field.item.decimals}")
    return text


def _unit(field: Field, unit: str | None) -> str:
    units = field.item.units or ("1",)
    if unit is None:
        return units[0]
    if unit not in units:
        raise _wrong(field, f"{unit[:20]!r} is not one of its units", f"use one of {', '.join(units)}")
    return unit


def _date(field: Field, text: str, *, partial: bool) -> str:
    found = PartialDate.parse(text)
    if not partial and not found.is_full:
        raise _wrong(field, f"{text[:40]!r} has no day", "give the whole date, or choose why it is not known")
    return found.text


def _text(field: Field, text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise _wrong(field, f"the text has {len(text):,} characters", f"shorten it to {LONGEST_TEXT:,}")
    if _FORBIDDEN.search(text):
        raise _wrong(field, "the text holds a control character", "type it again without it")
    return text


def _wrong(field: Field, message: str, remedy: str) -> InvalidValue:
    return InvalidValue(f"{field.key}: {message}", remedy=remedy, item=field.key)
