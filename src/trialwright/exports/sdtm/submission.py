"""Values as entered → values as submitted: code lists, yes and no, numbers in standard units, why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from trialwright.build import ItemValue, number_of
from trialwright.exports.datasets import Value
from trialwright.exports.sdtm.reading import Collected, Reading
from trialwright.exports.terminology import submission_unit
from trialwright.foundation.missing import MissingReason
from trialwright.protocol.forms import Outcome
from trialwright.protocol.terminology import Code

NUMBERS = ("integer", "decimal", "quantity", "scale")
_YES_NO = {"true": "Y", "false": "N"}


@dataclass(frozen=True)
class Result:
    """A finding's result: as collected, and in the standard form and unit.

    Attributes:
        original, unit: --ORRES and --ORRESU.
        standard, number, standard_unit: --STRESC, --STRESN and --STRESU.
        not_done: reason (--REASND) where the test was not done.
    """

    original: str | None = None
    unit: str | None = None
    standard: str | None = None
    number: int | float | None = None
    standard_unit: str | None = None
    not_done: str | None = None


def submitted(reading: Reading, value: Collected) -> str | None:
    """The value as a qualifier holds it: submission value of a code, Y or N, text as entered; None for no value."""
    if value.outcome is not None:
        return reading.text(_outcome(value).label)
    if value.value is None:
        return None
    terms = value.target.terms if value.target else {}
    if value.value in terms:
        return terms[value.value]
    if value.item.type == "boolean":
        return _YES_NO[value.value]
    if value.item.type == "code":
        code = code_of(reading, value)
        return value.value if code is None else code.cdisc or code.code
    return value.value


def in_words(reading: Reading, value: Collected) -> str | None:
    """The value for a supplemental qualifier: label of a code, a quantity with its unit."""
    text = submitted(reading, value)
    if text is None:
        return None
    code = code_of(reading, value)
    if code is not None and code.cdisc is None and value.value not in (value.target.terms if value.target else {}):
        return reading.text(code.label)
    return f"{text} {submission_unit(value.unit)}" if value.unit else text


def result(reading: Reading, value: Collected) -> Result:
    """The value as a finding's result."""
    if value.missing is not None:
        return Result(not_done=MissingReason(value.missing).label)
    text = in_words(reading, value) if value.item.type == "code" else submitted(reading, value)
    if text is None:
        return Result()
    if value.outcome is not None or value.item.type not in NUMBERS:
        return Result(original=text, standard=text if value.outcome is None else text.upper())
    number = number_of(value.compiled.field, ItemValue(text=text, unit=value.unit))
    if number is None:
        return Result(original=text, unit=_unit(value.unit), standard=text)
    units = value.item.units
    return Result(
        original=text,
        unit=_unit(value.unit),
        standard=decimal(number),
        number=numeric(decimal(number)),
        standard_unit=_unit(units[0] if units and value.unit else None),
    )


def code_of(reading: Reading, value: Collected) -> Code | None:
    """The code that was chosen, as the code list declares it."""
    codelist = reading.study.terminology.get(value.item.codelist or "")
    if codelist is None:
        return None
    return next((code for code in codelist.codes if code.code == value.value), None)


def decimal(number: Fraction) -> str:
    """At most six places, never an exponent, no trailing zeros."""
    if number.denominator == 1:
        return str(number.numerator)
    text = f"{Decimal(number.numerator) / Decimal(number.denominator):.6f}"
    return text.rstrip("0").rstrip(".")


def numeric(text: str) -> int | float:
    """Decimal text as a number of a data set."""
    return float(text) if "." in text else int(text)


def cell(text: str | None, *, number: bool) -> Value:
    """Text as a cell of a numeric or of a text variable."""
    return numeric(text) if number and text is not None else text


def _unit(ucum: str | None) -> str | None:
    return submission_unit(ucum) if ucum else None


def _outcome(value: Collected) -> Outcome:
    return next(outcome for outcome in value.item.outcomes if outcome.code == value.outcome)
