"""Asking whether an expression fits a scope, without compiling it."""

from __future__ import annotations

from trialwright.expressions import _resolver
from trialwright.expressions.errors import ExpressionError, TypeProblem
from trialwright.expressions.syntax import Expression
from trialwright.expressions.types import CodeType, DecimalType, IntegerType, QuantityType, Scope, Type, describe
from trialwright.foundation.units import commensurable


def check(expression: Expression, scope: Scope, expect: Type | None = None) -> Type:
    """The type of an expression.

    Args:
        expression: see :func:`parse`.
        scope: what names stand for.
        expect: the type that the expression should have: ``BooleanType()`` for a criterion. A whole number serves
            where a decimal is expected, and a quantity where one of the same kind is.

    Raises:
        ExpressionError: the first problem, by column. :func:`problems` lists them all.
    """
    type_ = _resolver.resolve(expression, scope).type
    if expect is not None and not _serves(type_, expect):
        raise _unexpected(expression, type_, expect)
    return type_


def problems(expression: Expression, scope: Scope, expect: Type | None = None) -> tuple[ExpressionError, ...]:
    """All problems of an expression that can be told apart, by column; empty when it is sound."""
    found = _resolver.problems(expression, scope)
    if found or expect is None:
        return found
    type_ = _resolver.resolve(expression, scope).type
    return () if _serves(type_, expect) else (_unexpected(expression, type_, expect),)


def _serves(given: Type, expected: Type) -> bool:
    if isinstance(given, QuantityType) and isinstance(expected, QuantityType):
        return commensurable(given.unit, expected.unit)
    if isinstance(given, CodeType) and isinstance(expected, CodeType):
        return set(given.values) <= set(expected.values)
    if isinstance(given, IntegerType) and isinstance(expected, DecimalType):
        return True
    return type(given) is type(expected)


def _unexpected(expression: Expression, given: Type, expected: Type) -> TypeProblem:
    remedy = "compare it with something" if not isinstance(given, type(expected)) else "use the declared type"
    return TypeProblem(
        f"the expression gives {describe(given)}, but {describe(expected)} is expected here",
        remedy=remedy,
        column=1,
        where=expression.where,
    )
