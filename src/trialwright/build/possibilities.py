"""Every kind of row that simple conditions can tell apart, to see what always, never or equally holds.

A condition is simple when it compares items with literals, looks them up in lists, asks whether they are missing, and
joins that with ``and``, ``or`` and ``not``. Its answer can only change at the literals, so one value at each literal,
one between neighbours, one beyond each end, and "missing" stand for all rows. For any other condition nothing is
claimed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise, product
from math import prod

from trialwright.build.formulas import CompiledExpression
from trialwright.expressions import (
    BooleanType,
    CodeType,
    DateType,
    IntegerType,
    QuantityType,
    Type,
)
from trialwright.expressions.syntax import (
    Comparison,
    Constant,
    Junction,
    Membership,
    Minus,
    MissingTest,
    Name,
    Node,
    Not,
    Number,
    Quoted,
)
from trialwright.expressions.values import Cell
from trialwright.foundation.dates import PartialDate
from trialwright.foundation.units import convert

MOST_ROWS = 20_000

Literal = Number | Quoted | Constant


def rows(*conditions: CompiledExpression) -> Iterator[dict[str, Cell]] | None:
    """Rows that stand for all rows, as far as these conditions can tell; None when one is not simple or they
    depend on too many items to try all."""
    types: dict[str, Type] = {}
    literals: dict[str, list[Literal]] = {}
    for condition in conditions:
        types.update(condition.compiled.inputs)
        if not _collect(condition.compiled.expression.root, literals):
            return None
    choices = {key: _choices(type_, literals.get(key, [])) for key, type_ in types.items()}
    if prod(len(found) for found in choices.values()) > MOST_ROWS:
        return None
    return (dict(zip(choices, row, strict=True)) for row in product(*choices.values()))


def truths(condition: CompiledExpression, *, missing: bool = True) -> frozenset[bool | None] | None:
    """All answers (True, False, None for unknown) that a condition can give; None when that cannot be told.

    Args:
        condition: a condition.
        missing: whether rows with missing values count.
    """
    found = rows(condition)
    if found is None:
        return None
    decide = condition.compiled.decide
    return frozenset(decide(row) for row in found if missing or None not in row.values())


def implies_no(first: CompiledExpression, second: CompiledExpression) -> bool:
    """Whether ``second`` answers no wherever ``first`` answers yes, and ``first`` does so somewhere."""
    found = rows(first, second)
    if found is None:
        return False
    where = [row for row in found if first.compiled.decide(row) is True]
    return bool(where) and all(second.compiled.decide(row) is False for row in where)


def _collect(node: Node, literals: dict[str, list[Literal]]) -> bool:
    """Note each literal beside the item it is compared with; False when the condition is not simple."""
    match node:
        case Name() | Constant():
            return True
        case Not(operand=operand):
            return _collect(operand, literals)
        case Junction(operands=operands):
            answers = [_collect(operand, literals) for operand in operands]  # all of them: each notes literals
            return all(answers)
        case MissingTest(value=value):
            return isinstance(value, Name)
        case Membership(value=value, options=options):
            return _beside((value, *options), literals)
        case Comparison(operands=operands):
            return _beside(operands, literals)
        case _:
            return False


def _beside(operands: Sequence[Node], literals: dict[str, list[Literal]]) -> bool:
    names = [node for node in operands if isinstance(node, Name)]
    others = [_literal(node) for node in operands if not isinstance(node, Name)]
    if len(names) != 1 or any(other is None for other in others):
        return False
    literals.setdefault(names[0].reference.key, []).extend(other for other in others if other is not None)
    return True


def _literal(node: Node) -> Literal | None:
    if isinstance(node, Minus) and isinstance(node.operand, Number):
        return Number(f"-{node.operand.text}", node.operand.unit, node.column)
    return node if isinstance(node, Number | Quoted | Constant) else None


def _choices(type_: Type, literals: Sequence[Literal]) -> list[Cell]:
    match type_:
        case BooleanType():
            return [True, False, None]
        case CodeType(values=values):
            return [*values, None]
        case DateType(partial=partial):
            return _days(literals, partial)
        case _ if any(isinstance(found, Number) for found in literals):
            return _numbers(type_, literals)
        case _:
            texts: set[str] = {found.text for found in literals if isinstance(found, Quoted)}
            return [*sorted(texts), "\x00" if texts else 0.0, None]


def _numbers(type_: Type, literals: Sequence[Literal]) -> list[Cell]:
    at = sorted({_in_unit(found, type_) for found in literals if isinstance(found, Number)})
    points = {float(at[0]) - 1, float(at[-1]) + 1, *map(float, at)}
    for low, high in pairwise(at):
        between = float(low + high) / 2
        points.add(float(int(between)) if isinstance(type_, IntegerType) else between)
    return [*sorted(points), None]


def _in_unit(found: Number, type_: Type) -> Fraction:
    number = Fraction(found.text)
    if isinstance(type_, QuantityType) and found.unit is not None:
        return convert(number, found.unit, type_.unit)
    return number


def _days(literals: Sequence[Literal], partial: bool) -> list[Cell]:
    at: set[date] = {date(2020, 1, 1)}
    for found in literals:
        if isinstance(found, Quoted):
            day = PartialDate.parse(found.text)
            at |= {day.earliest, day.latest}
    points = sorted({day + timedelta(days=n) for day in at for n in (-1, 0, 1)})
    return [*((day, day) if partial else day for day in points), None]
