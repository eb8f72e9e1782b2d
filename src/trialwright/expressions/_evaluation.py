"""The plain Python target: one node at a time, keeping every value and every reason, for explanations.

Slow and dull on purpose. The other targets are held against it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from trialwright.expressions._meaning import (
    Absolute,
    Arithmetic,
    Compare,
    Converted,
    Every,
    Extreme,
    FirstKnown,
    Fixed,
    Input,
    IsMissing,
    Meaning,
    Member,
    Negation,
    Negative,
    Some,
    Span,
    parts,
)
from trialwright.expressions.types import BooleanType
from trialwright.expressions.values import Obstacle, Reason, Row
from trialwright.foundation.dates import PartialDate, completed_years
from trialwright.foundation.truth import Truth, all_of, any_of


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A node with its value on one row.

    ``value`` is the node's value: None when unknown, a pair of ends when the node is spread. ``reasons`` says why a
    value is unknown; it is empty when there is one.
    """

    node: Meaning
    value: Any
    reasons: tuple[Reason, ...]
    below: tuple[Evaluated, ...]


def evaluate(node: Meaning, row: Row) -> Evaluated:
    """The node and everything below it on one row."""
    below = tuple(evaluate(part, row) for part in parts(node))
    if isinstance(node, Input):
        return _input(node, row)
    value = _value(node, below)
    if value is not None:
        return Evaluated(node, value, (), below)
    return Evaluated(node, None, _reasons(node, below), below)


def _input(node: Input, row: Row) -> Evaluated:
    value = row.cells[node.key]
    reasons = () if value is not None else (Reason(node.key, row.reasons[node.key]),)
    return Evaluated(node, value, reasons, ())


def _reasons(node: Meaning, below: tuple[Evaluated, ...]) -> tuple[Reason, ...]:
    handed_up = tuple(dict.fromkeys(reason for part in below for reason in part.reasons))
    if handed_up:
        return handed_up
    if isinstance(node, Arithmetic):
        return tuple(Reason(key, Obstacle.DIVISION_BY_ZERO) for key in node.divisors or ("",))
    return partial_dates(below)


def partial_dates(below: Iterable[Evaluated]) -> tuple[Reason, ...]:
    """A reason for each partial date, item or literal, that the values were computed from."""
    found: dict[Reason, None] = {}
    for part in below:
        node = part.node
        if isinstance(node, Input | Fixed) and node.spread and part.value and part.value[0] != part.value[1]:
            found[Reason(node.key if isinstance(node, Input) else node.shown, Obstacle.PARTIAL_DATE)] = None
        found.update(dict.fromkeys(partial_dates(part.below)))
    return tuple(found)


def settled(evaluated: Evaluated) -> Evaluated:
    """The same, with a single value: a spread that is still open at the top of an expression is unknown."""
    if not evaluated.node.spread or evaluated.value is None:
        return evaluated
    low, high = evaluated.value
    if low == high:
        return Evaluated(evaluated.node, low, (), evaluated.below)
    return Evaluated(evaluated.node, None, partial_dates((evaluated,)), evaluated.below)


def _value(node: Meaning, below: tuple[Evaluated, ...]) -> Any:
    values = [part.value for part in below]
    match node:
        case Fixed(value=value):
            return value
        case IsMissing():
            return values[0] is None
        case Every():
            return all_of(map(Truth.of, values)).as_bool()
        case Some():
            return any_of(map(Truth.of, values)).as_bool()
        case FirstKnown():
            known = [_pair(part) if node.spread else part.value for part in below if part.value is not None]
            return known[0] if known else None
    if any(value is None for value in values):
        return None
    ends = [_pair(part) for part in below]
    match node:
        case Negation():
            return (~Truth.of(values[0])).as_bool()
        case Member():
            return any(values[0] == option.value for option in node.options)
        case Compare():
            return _compared(node, *ends).as_bool()
    result = _computed(node, ends)
    if result is None or node.spread:
        return result
    return result[0]


def _pair(evaluated: Evaluated) -> Any:
    return evaluated.value if evaluated.node.spread else (evaluated.value, evaluated.value)


def _compared(node: Compare, left: Any, right: Any) -> Truth:
    """Yes when it holds for all values in the intervals, no when for none, else unknown."""
    (a, b), (c, d) = left, right
    match node.operator:
        case "<":
            return Truth.YES if b < c else Truth.NO if a >= d else Truth.UNKNOWN
        case "<=":
            return Truth.YES if b <= c else Truth.NO if a > d else Truth.UNKNOWN
        case ">":
            return Truth.YES if a > d else Truth.NO if b <= c else Truth.UNKNOWN
        case ">=":
            return Truth.YES if a >= d else Truth.NO if b < c else Truth.UNKNOWN
    if isinstance(node.left.type, BooleanType) or (a == b and c == d):
        equal = Truth.of(a == c)
    else:
        equal = Truth.NO if b < c or d < a else Truth.UNKNOWN
    return equal if node.operator == "==" else ~equal


def _computed(node: Meaning, ends: list[Any]) -> Any:
    """The ends of a number or date: the least and the greatest of what any choice within the intervals gives."""
    match node:
        case Arithmetic(operator="/"):
            if ends[1][0] == 0:
                return None
            return _hull(a / b for a in ends[0] for b in ends[1])
        case Arithmetic(operator="*"):
            return _hull(a * b for a in ends[0] for b in ends[1])
        case Arithmetic(operator="+"):
            return _hull(a + b for a in ends[0] for b in ends[1])
        case Arithmetic(operator="-"):
            return _hull(a - b for a in ends[0] for b in ends[1])
        case Converted():
            return _hull(a * node.numerator / node.denominator + node.shift for a in ends[0])
        case Negative():
            return _hull(-a for a in ends[0])
        case Absolute():
            low, high = ends[0]
            return _hull([abs(low), abs(high), *([0.0] if low <= 0 <= high else [])])
        case Extreme(which="min"):
            return min(a for a, _ in ends), min(b for _, b in ends)
        case Extreme(which="max"):
            return max(a for a, _ in ends), max(b for _, b in ends)
        case Span(unit="days"):
            return _hull(float((end - start).days) for start in ends[0] for end in ends[1])
        case Span(unit="years"):
            return _hull(float(completed_years(start, end)) for start in ends[0] for end in ends[1])
    raise AssertionError(f"no rule for {type(node).__name__}")


def _hull(candidates: Iterable[Any]) -> tuple[Any, Any]:
    ordered = sorted(candidates)
    return ordered[0], ordered[-1]


def as_partial(low: date, high: date) -> str:
    """The text of an interval of days: ``2021-06`` when it is that month, else both ends."""
    for text in (f"{low.year:04d}-{low.month:02d}", f"{low.year:04d}"):
        whole = PartialDate.parse(text)
        if (whole.earliest, whole.latest) == (low, high):
            return text
    return low.isoformat() if low == high else f"{low.isoformat()}/{high.isoformat()}"
