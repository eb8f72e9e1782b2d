"""The JavaScript target, for the browser: an expression over ``row`` that calls the functions of ``runtime.js``."""

from __future__ import annotations

import json
from datetime import date
from importlib import resources

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
from trialwright.expressions._resolver import resolve
from trialwright.expressions.syntax import Expression
from trialwright.expressions.types import BooleanType, CodeType, DateType, Scope, TextType

_COMPARE = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne"}
_COMBINE = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide"}


def to_javascript(expression: Expression, scope: Scope) -> str:
    """A JavaScript function of a row: ``(row) => …`` giving true, false or null, or a value or null.

    It needs ``trialwright`` of :func:`javascript_runtime` in scope. A row is a plain object from reference key to
    number (in the declared unit), boolean, text, ISO date text, or null. The text is safe inside ``<script>``.

    Raises:
        ExpressionError: the expression does not fit the scope.
    """
    meaning = resolve(expression, scope)
    body = _written(meaning)
    return f"(row) => {_call('spread.settle', body) if meaning.spread else body}"


def to_javascript_questions(expression: Expression, scope: Scope) -> str:
    """A condition as a JavaScript object that ``trialwrightAsking.next`` of :func:`javascript_asking` understands.

    Each part has ``value``, a function of a row as of :func:`to_javascript`, its ``kind`` (``every``, ``some``,
    ``not``, ``input`` or ``other``), the ``key`` of an input, and the parts ``below``. The text is safe inside
    ``<script>``.

    Raises:
        ExpressionError: the expression does not fit the scope.
    """
    return _tree(resolve(expression, scope))


def javascript_runtime() -> str:
    """The text of the runtime: one constant, ``trialwright``; no other global, no ``eval``."""
    return _text("runtime.js")


def javascript_asking() -> str:
    """The text of one constant, ``trialwrightAsking``, with ``next(criteria, row, why, costs)``.

    ``criteria`` are trees of :func:`to_javascript_questions` that must all be yes; ``why`` says of a key without a
    value why it has none (a missing reason; ``not_asked`` when absent); ``costs`` are as of :func:`ask_next`, with
    ``Infinity`` for what cannot be asked here. It answers with a key or null, the same as :func:`ask_next`.
    """
    return _text("asking.js")


def _text(name: str) -> str:
    return (resources.files("trialwright.expressions") / name).read_text(encoding="utf-8")


def _tree(node: Meaning) -> str:
    kind, key = "other", ""
    match node:
        case Every():
            kind = "every"
        case Some():
            kind = "some"
        case Negation():
            kind = "not"
        case Input():
            kind, key = "input", f", key: {_literal(node.key)}"
    below = ", ".join(map(_tree, parts(node)))
    return f'{{kind: "{kind}"{key}, value: (row) => {_written(node)}, below: [{below}]}}'


def _written(node: Meaning) -> str:
    match node:
        case Input():
            return f"trialwright.{_door(node)}(row, {_literal(node.key)})"
        case Fixed(value=value):
            return _constant(value)
        case Compare():
            spread = node.left.spread or node.right.spread
            return _call(_form(_COMPARE[node.operator], spread), _end(node.left, spread), _end(node.right, spread))
        case Member():
            options = ", ".join(_written(option) for option in node.options)
            return _call("member", _written(node.value), f"[{options}]")
        case IsMissing():
            return _call("missing", _written(node.value))
        case Negation():
            return _call("not", _written(node.value))
        case Every() | Some():
            return _call("every" if isinstance(node, Every) else "some", *map(_written, node.values))
        case FirstKnown():
            return _call("first", *(_end(value, node.spread) for value in node.values))
        case Arithmetic():
            return _arithmetic(node)
        case Converted():
            factors = (_double(node.numerator), _double(node.denominator), _double(node.shift))
            return _call(_form("convert", node.spread), _written(node.value), *factors)
        case Negative() | Absolute():
            name = "negative" if isinstance(node, Negative) else "absolute"
            return _call(_form(name, node.spread), _written(node.value))
        case Extreme():
            return _call(_form(node.which, node.spread), *(_end(value, node.spread) for value in node.values))
        case Span():
            ends = _end(node.start, node.spread), _end(node.end, node.spread)
            return _call(_form(node.unit, node.spread), *ends)


def _arithmetic(node: Arithmetic) -> str:
    function = _form(_COMBINE[node.operator], node.spread)
    if node.spread and node.operator in {"*", "/"}:
        # One side is a literal, and it comes second.
        several, literal = (node.left, node.right) if node.left.spread else (node.right, node.left)
        return _call(function, _written(several), _written(literal))
    return _call(function, _end(node.left, node.spread), _end(node.right, node.spread))


def _door(node: Input) -> str:
    match node.type:
        case BooleanType():
            return "truth"
        case TextType() | CodeType():
            return "text"
        case DateType():
            return "partial" if node.spread else "date"
        case _:
            return "number"


def _form(function: str, spread: bool) -> str:
    return f"spread.{function}" if spread else function


def _end(node: Meaning, spread: bool) -> str:
    text = _written(node)
    return _call("pair", text) if spread and not node.spread else text


def _call(function: str, *arguments: str) -> str:
    return f"trialwright.{function}({', '.join(arguments)})"


def _constant(value: bool | float | str | date | tuple[date, date]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _double(value)
    if isinstance(value, tuple):
        return f"[{_literal(value[0].isoformat())}, {_literal(value[1].isoformat())}]"
    return _literal(value if isinstance(value, str) else value.isoformat())


def _double(value: float) -> str:
    return repr(value)


def _literal(text: str) -> str:
    """A string that ends neither the script element nor, in old engines, the line: all but ASCII is escaped."""
    return json.dumps(text).replace("<", "\\u003c")
