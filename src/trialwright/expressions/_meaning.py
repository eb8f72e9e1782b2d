"""The typed tree: what an expression means, in the few kinds of node that every target translates.

The resolver makes it from the written tree; types are checked, literals read, units converted, ``in`` and chains
taken apart. ``spread`` marks a node whose value may be one of several (a partial date and what is computed from it);
the value of a spread node is the pair of its ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Literal

from trialwright.expressions.syntax import Reference
from trialwright.expressions.types import BooleanType, Type

_BOOLEAN = BooleanType()

Operator = Literal["<", "<=", ">", ">=", "==", "!="]


@dataclass(frozen=True, slots=True)
class Input:
    """The value of a reference."""

    reference: Reference
    key: str
    type: Type
    spread: bool


@dataclass(frozen=True, slots=True)
class Fixed:
    """A literal. ``exact`` is a number's exact value in the unit of ``type``; ``shown`` is what was written."""

    value: bool | float | str | date | tuple[date, date]
    type: Type
    spread: bool
    shown: str
    exact: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Two numbers and an operator; ``divisors`` are the keys in what is divided by.

    Of a spread product or quotient, one side is a :class:`Fixed`.
    """

    operator: Literal["+", "-", "*", "/"]
    left: Meaning
    right: Meaning
    type: Type
    spread: bool
    divisors: tuple[str, ...]
    column: int


@dataclass(frozen=True, slots=True)
class Converted:
    """``value × numerator ÷ denominator + shift``: the same quantity in the unit of ``type``."""

    value: Meaning
    numerator: float
    denominator: float
    shift: float
    type: Type
    spread: bool
    column: int


@dataclass(frozen=True, slots=True)
class Negative:
    """The negative of a number."""

    value: Meaning
    type: Type
    spread: bool


@dataclass(frozen=True, slots=True)
class Absolute:
    """The magnitude of a number."""

    value: Meaning
    type: Type
    spread: bool


@dataclass(frozen=True, slots=True)
class Extreme:
    """The smallest or largest of numbers or dates; unknown when one is."""

    which: Literal["min", "max"]
    values: tuple[Meaning, ...]
    type: Type
    spread: bool


@dataclass(frozen=True, slots=True)
class FirstKnown:
    """The first value that is not missing."""

    values: tuple[Meaning, ...]
    type: Type
    spread: bool


@dataclass(frozen=True, slots=True)
class Span:
    """Days or completed years from one date to another."""

    unit: Literal["days", "years"]
    start: Meaning
    end: Meaning
    type: Type
    spread: bool


@dataclass(frozen=True, slots=True)
class Compare:
    """Two values of one kind; equality only of texts, codes and yes/no values."""

    operator: Operator
    left: Meaning
    right: Meaning
    type: Type = _BOOLEAN
    spread: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """Is the value one of the literals? Never spread: that becomes comparisons joined by or."""

    value: Meaning
    options: tuple[Fixed, ...]
    type: Type = _BOOLEAN
    spread: bool = False


@dataclass(frozen=True, slots=True)
class IsMissing:
    """Is there no value? Always yes or no."""

    value: Meaning
    type: Type = _BOOLEAN
    spread: bool = False


@dataclass(frozen=True, slots=True)
class Negation:
    """Kleene's not."""

    value: Meaning
    type: Type = _BOOLEAN
    spread: bool = False


@dataclass(frozen=True, slots=True)
class Every:
    """Kleene's and, of two or more."""

    values: tuple[Meaning, ...]
    type: Type = _BOOLEAN
    spread: bool = False


@dataclass(frozen=True, slots=True)
class Some:
    """Kleene's or, of two or more."""

    values: tuple[Meaning, ...]
    type: Type = _BOOLEAN
    spread: bool = False


Meaning = (
    Input
    | Fixed
    | Arithmetic
    | Converted
    | Negative
    | Absolute
    | Extreme
    | FirstKnown
    | Span
    | Compare
    | Member
    | IsMissing
    | Negation
    | Every
    | Some
)


def parts(node: Meaning) -> tuple[Meaning, ...]:
    """What a node is computed from, from left to right."""
    match node:
        case Arithmetic(left=left, right=right) | Compare(left=left, right=right):
            return (left, right)
        case Span(start=start, end=end):
            return (start, end)
        case (
            Converted(value=value)
            | Negative(value=value)
            | Absolute(value=value)
            | Member(value=value)
            | IsMissing(value=value)
            | Negation(value=value)
        ):
            return (value,)
        case Extreme(values=values) | FirstKnown(values=values) | Every(values=values) | Some(values=values):
            return values
        case _:
            return ()


def negative_factor(node: Arithmetic) -> bool:
    """Does a spread product or quotient have a literal below zero, so that its ends change places?"""
    literal = node.right if isinstance(node.right, Fixed) else node.left
    return isinstance(literal, Fixed) and isinstance(literal.value, float) and literal.value < 0
