"""The fast Python target: the typed tree as nested closures over the cells of a row.

A closure gives the value, or None when it is unknown; a spread node gives the pair of its ends. What is said here in
the quickest form is said in the plainest form in ``_evaluation``; tests hold the two together.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
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
    negative_factor,
)
from trialwright.expressions.values import Cell
from trialwright.foundation.dates import completed_years

# Values of many kinds flow through one tree; the resolver has proved that each meets its own kind only.
Cells = Mapping[str, Cell]
Closure = Callable[[Cells], Any]

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_COMBINE: dict[str, Callable[[Any, Any], Any]] = {"+": operator.add, "-": operator.sub, "*": operator.mul}


def closure(node: Meaning) -> Closure:
    """The function that computes a node from the cells of a row."""
    match node:
        case Input(key=key):
            return operator.itemgetter(key)
        case Fixed(value=value):
            return lambda _cells: value
        case Compare():
            return _compare(node)
        case Member():
            return _member(node)
        case IsMissing(value=value):
            inner = closure(value)
            return lambda cells: inner(cells) is None
        case Negation(value=value):
            return _negation(closure(value))
        case Every(values=values):
            return _every(node) or _every_of([closure(value) for value in values])
        case Some(values=values):
            return _some([closure(value) for value in values])
        case FirstKnown():
            return _first_known([_ends(value, node.spread) for value in node.values])
        case Arithmetic():
            return _spread_arithmetic(node) if node.spread else _arithmetic(node)
        case Converted() | Negative() | Absolute():
            return _unary(node)
        case Extreme():
            return _extreme(node)
        case Span():
            return _span(node)


def _ends(node: Meaning, spread: bool) -> Closure:
    """The node's value, as a pair when its neighbours are pairs."""
    inner = closure(node)
    if node.spread or not spread:
        return inner

    def pair(cells: Cells) -> Any:
        value = inner(cells)
        return None if value is None else (value, value)

    return pair


# Conditions


def _compare(node: Compare) -> Closure:
    if node.left.spread or node.right.spread:
        return _spread_compare(node)
    if isinstance(node.left, Input) and isinstance(node.right, Fixed):
        return _compare_with_literal(node.operator, node.left.key, node.right.value)
    left, right, holds = closure(node.left), closure(node.right), _COMPARE[node.operator]

    def compare(cells: Cells) -> bool | None:
        first, second = left(cells), right(cells)
        return None if first is None or second is None else holds(first, second)

    return compare


def _compare_with_literal(sign: str, key: str, literal: Any) -> Closure:
    """An item beside a literal is most of what criteria say, so each operator is written out."""

    def lt(cells: Any) -> bool | None:
        value = cells[key]
        return None if value is None else value < literal

    def le(cells: Any) -> bool | None:
        value = cells[key]
        return None if value is None else value <= literal

    def gt(cells: Any) -> bool | None:
        value = cells[key]
        return None if value is None else value > literal

    def ge(cells: Any) -> bool | None:
        value = cells[key]
        return None if value is None else value >= literal

    def eq(cells: Any) -> bool | None:
        value = cells[key]
        return None if value is None else value == literal

    def ne(cells: Any) -> bool | None:
        value = cells[key]
        return None if value is None else value != literal

    return {"<": lt, "<=": le, ">": gt, ">=": ge, "==": eq, "!=": ne}[sign]


def _every(node: Every) -> Closure | None:
    """``low <= item <= high`` as one closure; None for any other conjunction."""
    match node.values:
        case (
            Compare(operator="<=", left=Fixed(value=low, spread=False), right=Input(key=key, spread=False)),
            Compare(operator="<=", left=Input(key=same), right=Fixed(value=high, spread=False)),
        ) if key == same:
            pass
        case (
            Compare(operator=">=", left=Input(key=key, spread=False), right=Fixed(value=low, spread=False)),
            Compare(operator="<=", left=Input(key=same), right=Fixed(value=high, spread=False)),
        ) if key == same:
            pass
        case _:
            return None

    def between(cells: Any) -> bool | None:
        value = cells[key]
        return None if value is None else low <= value <= high

    return between


def _spread_compare(node: Compare) -> Closure:
    left, right = _ends(node.left, spread=True), _ends(node.right, spread=True)
    decide: Callable[[Any, Any], bool | None] = {
        "<": _before,
        "<=": lambda a, b: _not(_before(b, a)),
        ">": lambda a, b: _before(b, a),
        ">=": lambda a, b: _not(_before(a, b)),
        "==": _same,
        "!=": lambda a, b: _not(_same(a, b)),
    }[node.operator]

    def compare(cells: Cells) -> bool | None:
        first, second = left(cells), right(cells)
        return None if first is None or second is None else decide(first, second)

    return compare


def _before(first: Any, second: Any) -> bool | None:
    if first[1] < second[0]:
        return True
    return False if first[0] >= second[1] else None


def _same(first: Any, second: Any) -> bool | None:
    if first[1] < second[0] or second[1] < first[0]:
        return False
    return True if first[0] == first[1] and second[0] == second[1] else None


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


def _member(node: Member) -> Closure:
    options = frozenset(option.value for option in node.options)
    if isinstance(node.value, Input):
        key = node.value.key

        def item_member(cells: Any) -> bool | None:
            value = cells[key]
            return None if value is None else value in options

        return item_member
    inner = closure(node.value)

    def member(cells: Cells) -> bool | None:
        value = inner(cells)
        return None if value is None else value in options

    return member


def _negation(inner: Closure) -> Closure:
    def negation(cells: Cells) -> bool | None:
        value = inner(cells)
        return None if value is None else not value

    return negation


def _every_of(inner: list[Closure]) -> Closure:
    if len(inner) == 2:
        left, right = inner

        def both(cells: Cells) -> bool | None:
            first = left(cells)
            if first is False:
                return False
            second = right(cells)
            return second if first or second is False else None

        return both

    def every(cells: Cells) -> bool | None:
        result: bool | None = True
        for part in inner:
            value = part(cells)
            if value is False:
                return False
            if value is None:
                result = None
        return result

    return every


def _some(inner: list[Closure]) -> Closure:
    def some(cells: Cells) -> bool | None:
        result: bool | None = False
        for part in inner:
            value = part(cells)
            if value:
                return True
            if value is None:
                result = None
        return result

    return some


def _first_known(inner: list[Closure]) -> Closure:
    def first_known(cells: Cells) -> Any:
        for part in inner:
            value = part(cells)
            if value is not None:
                return value
        return None

    return first_known


# Numbers and dates


def _arithmetic(node: Arithmetic) -> Closure:
    left, right = closure(node.left), closure(node.right)
    if node.operator == "/":

        def divide(cells: Cells) -> float | None:
            numerator, divisor = left(cells), right(cells)
            return None if numerator is None or not divisor else numerator / divisor

        return divide
    combine = _COMBINE[node.operator]

    def arithmetic(cells: Cells) -> Any:
        first, second = left(cells), right(cells)
        return None if first is None or second is None else combine(first, second)

    return arithmetic


def _spread_arithmetic(node: Arithmetic) -> Closure:
    left, right = _ends(node.left, spread=True), _ends(node.right, spread=True)
    combine = operator.truediv if node.operator == "/" else _COMBINE[node.operator]
    crossed = node.operator == "-"
    falling = node.operator in {"*", "/"} and negative_factor(node)

    def arithmetic(cells: Cells) -> Any:
        first, second = left(cells), right(cells)
        if first is None or second is None:
            return None
        if crossed:
            return first[0] - second[1], first[1] - second[0]
        ends = combine(first[0], second[0]), combine(first[1], second[1])
        return ends[::-1] if falling else ends

    return arithmetic


def _unary(node: Converted | Negative | Absolute) -> Closure:
    inner = closure(node.value)
    change = _change(node)

    def unary(cells: Cells) -> Any:
        value = inner(cells)
        return None if value is None else change(value)

    return unary


def _change(node: Converted | Negative | Absolute) -> Callable[[Any], Any]:
    match node:
        case Negative(spread=spread):
            return _mirrored if spread else operator.neg
        case Absolute(spread=spread):
            return _distance if spread else abs
        case Converted(numerator=numerator, denominator=denominator, shift=shift, spread=spread):

            def convert(value: float) -> float:
                return value * numerator / denominator + shift

            return (lambda pair: (convert(pair[0]), convert(pair[1]))) if spread else convert


def _mirrored(pair: Any) -> Any:
    return -pair[1], -pair[0]


def _distance(pair: Any) -> Any:
    """The smallest and largest magnitude in an interval."""
    low, high = pair
    return max(low, -high, 0.0), max(-low, high)


def _extreme(node: Extreme) -> Closure:
    inner = [_ends(value, node.spread) for value in node.values]
    choose: Callable[[Any], Any] = min if node.which == "min" else max

    def extreme(cells: Cells) -> Any:
        values = [part(cells) for part in inner]
        if None in values:
            return None
        if node.spread:
            return choose(value[0] for value in values), choose(value[1] for value in values)
        return choose(values)

    return extreme


def _span(node: Span) -> Closure:
    start, end = _ends(node.start, node.spread), _ends(node.end, node.spread)
    count: Callable[[Any, Any], float] = _days if node.unit == "days" else _years

    def span(cells: Cells) -> Any:
        first, last = start(cells), end(cells)
        if first is None or last is None:
            return None
        if node.spread:
            return count(first[1], last[0]), count(first[0], last[1])
        return count(first, last)

    return span


def _days(start: Any, end: Any) -> float:
    return float((end - start).days)


def _years(start: Any, end: Any) -> float:
    return float(completed_years(start, end))
