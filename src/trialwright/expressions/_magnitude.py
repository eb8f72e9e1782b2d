"""Proof, before anything runs, that no number can overflow or vanish.

A double that overflows is an error in PostgreSQL and infinity in JavaScript; one that underflows is an error in
PostgreSQL and zero elsewhere. So instead of guarding each operation at run time, each number is bounded beforehand:
it is zero, or a multiple of ``grain`` no larger than ``largest``. The door bounds what comes in. Doubles keep the
bounds: a sum of multiples of a power of two is rounded to such a multiple again, and a product of multiples of two
powers to a multiple of their product; only a quotient can fall between, by half a unit in its last place.
"""

from __future__ import annotations

from typing import NamedTuple

from trialwright.expressions._meaning import (
    Absolute,
    Arithmetic,
    Converted,
    Extreme,
    FirstKnown,
    Input,
    Meaning,
    Negative,
    Span,
    parts,
)
from trialwright.expressions.errors import TooLarge
from trialwright.expressions.types import IntegerType
from trialwright.expressions.values import LARGEST

_TOP, _BOTTOM = 1e290, 1e-290
_ULP = 2.0**-53


class _Bounds(NamedTuple):
    largest: float
    grain: float


_WHOLE = _Bounds(LARGEST, 1.0)
_ANY = _Bounds(LARGEST, 2.0**-104)  # the smallest step between doubles of 1e-15 or more is 2**-102
_DAYS = _Bounds(200_000.0, 1.0)


def refuse_wide_numbers(meaning: Meaning, where: str) -> None:
    """Check every number of a tree.

    Raises:
        TooLarge: an intermediate result could leave 1e-290 … 1e290.
    """
    _bounds(meaning, where)


def _bounds(node: Meaning, where: str) -> _Bounds:
    below = [_bounds(part, where) for part in parts(node)]
    match node:
        case Input(type=IntegerType()):
            return _WHOLE
        case Span():
            return _DAYS
        case Negative() | Absolute():
            return below[0]
        case Extreme() | FirstKnown():
            return _Bounds(max(part.largest for part in below), min(part.grain for part in below))
        case Converted():
            return _limited(_converted(node, below[0]), where, node.column)
        case Arithmetic():
            return _limited(_combined(node, *below), where, node.column)
        case _:
            return _ANY


def _combined(node: Arithmetic, left: _Bounds, right: _Bounds) -> _Bounds:
    if node.operator in {"+", "-"}:
        return _Bounds(left.largest + right.largest, min(left.grain, right.grain))
    if node.operator == "*":
        return _Bounds(left.largest * right.largest, left.grain * right.grain)
    return _Bounds(left.largest / right.grain, left.grain / right.largest * _ULP)


def _converted(node: Converted, value: _Bounds) -> _Bounds:
    factor = node.numerator / node.denominator
    if factor == 1 and not node.shift:
        return value
    largest = value.largest * max(node.numerator, factor)  # the product is computed before the division
    return _Bounds(largest + abs(node.shift), min(value.grain * factor * _ULP, _ANY.grain))


def _limited(bounds: _Bounds, where: str, column: int) -> _Bounds:
    if bounds.largest > _TOP or bounds.grain < _BOTTOM:
        raise TooLarge(
            "the result of this computation could leave the range of numbers that all systems share",
            remedy="use fewer multiplications and divisions in one expression",
            column=column,
            where=where,
        )
    return bounds
