"""Numbers of instruments: exact decimals, and timed trials with their outcomes."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from enum import Enum
from typing import Final

from trialwright.foundation.errors import InvalidValue

# An own context, used for every sum and quotient: a caller's precision must not change a score that is kept.
ARITHMETIC: Final = Context(prec=28, rounding=ROUND_HALF_EVEN)

Number = Decimal | int | float | str


class Unable(Enum):
    """The outcome of a timed trial that the disease made impossible."""

    BECAUSE_OF_DISEASE = "unable_because_of_disease"


UNABLE: Final = Unable.BECAUSE_OF_DISEASE

Trial = Number | Unable | None
"""One timed trial: seconds, unable because of the disease, or missing."""


def exact(value: Number, *, name: str) -> Decimal:
    """``value`` as a finite decimal; a float counts as the shortest decimal that prints it (0.1 is 0.1).

    Raises:
        InvalidValue: not a finite number, a boolean, or more than 40 characters.
    """
    text = str(value)
    try:
        if isinstance(value, bool) or len(text) > 40:
            raise InvalidOperation
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number) > Decimal("1e15"):
        raise InvalidValue(
            f"{name} is not a number: {text[:40]!r}", remedy="give a number", name=name, given=text[:40]
        )
    return number


def between(value: Number, low: Number, high: Number, *, name: str) -> Decimal:
    """``value`` as a decimal from ``low`` to ``high``, both included.

    Raises:
        InvalidValue: outside, or not a number.
    """
    number = exact(value, name=name)
    if not exact(low, name="low") <= number <= exact(high, name="high"):
        raise InvalidValue(
            f"{name} is {number}, outside {low} to {high}",
            remedy=f"give a value from {low} to {high}",
            name=name,
            given=str(number),
        )
    return number


def grade(value: Number, low: int, high: int, *, name: str) -> int:
    """``value`` as a whole number from ``low`` to ``high``.

    Raises:
        InvalidValue: outside, or not whole.
    """
    number = between(value, low, high, name=name)
    if number != number.to_integral_value():
        raise InvalidValue(
            f"{name} is {number}, but its grades are whole numbers",
            remedy=f"give a whole number from {low} to {high}",
            name=name,
            given=str(number),
        )
    return int(number)


def positive(value: Number, *, name: str) -> Decimal:
    """``value`` as a decimal above zero.

    Raises:
        InvalidValue: zero, negative or not a number.
    """
    number = exact(value, name=name)
    if number <= 0:
        raise InvalidValue(
            f"{name} is {number}, but must be above zero",
            remedy="give a positive number",
            name=name,
            given=str(number),
        )
    return number


def seconds(trial: Number | Unable, cap: Decimal, *, name: str) -> Decimal:
    """A trial in seconds: unable counts as the cap, and so does anything slower than the cap.

    Raises:
        InvalidValue: zero, negative or not a number.
    """
    return cap if trial is UNABLE else min(positive(trial, name=name), cap)


def total(values: Iterable[Decimal]) -> Decimal:
    """The sum, in :data:`ARITHMETIC` and not in the precision of whoever calls."""
    result = Decimal(0)
    for value in values:
        result = ARITHMETIC.add(result, value)
    return result


def mean_of_trials(trial_1: Trial, trial_2: Trial, cap: Number) -> Decimal | None:
    """Mean of the trials that were done, in seconds; None when neither was.

    Raises:
        InvalidValue: a trial or the cap is not a positive number.
    """
    limit = positive(cap, name="cap")
    named = (("trial_1", trial_1), ("trial_2", trial_2))
    done = [seconds(trial, limit, name=name) for name, trial in named if trial is not None]
    return ARITHMETIC.divide(total(done), Decimal(len(done))) if done else None
