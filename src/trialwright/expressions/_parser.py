"""Tokens to tree: a Pratt parser (V. R. Pratt, Top down operator precedence, POPL 1973).

Precedence is Python's: ``or``, ``and``, ``not``, comparisons, ``+ -``, ``* /``, unary minus. Nesting is limited, so
that no text, however hostile, can exhaust the stack of this or any later step.
"""

from __future__ import annotations

import difflib
from typing import NoReturn

from trialwright.expressions._tokens import Token, tokens
from trialwright.expressions.errors import ExpressionError, SyntaxProblem, TooLarge
from trialwright.expressions.syntax import (
    Binary,
    Call,
    Comparison,
    Constant,
    Expression,
    Junction,
    Membership,
    Minus,
    MissingTest,
    Name,
    Node,
    Not,
    Number,
    Quoted,
    Reference,
    children,
)

_DEEPEST_NESTING = 40
_DEEPEST_TREE = 100

FUNCTIONS = {
    "abs": (1, 1),
    "coalesce": (2, 20),
    "days_between": (2, 2),
    "known": (1, 1),
    "max": (2, 20),
    "min": (2, 20),
    "years_between": (2, 2),
}
"""The functions of the language and how many arguments they take (``at`` and ``latest`` are references)."""

_COMPARISONS = {"<", "<=", ">", ">=", "==", "!="}
_RESERVED = {"and", "or", "not", "in", "is", "missing"}
_CONSTANTS = {"true": True, "True": True, "false": False, "False": False}
_NOT_OURS = {"lambda", "if", "else", "for", "while", "def", "class", "import", "return", "await", "yield", "del"}
_NOTHING = {"None", "null", "NULL", "nan", "NaN", "undefined"}
_NOW = {"today", "now"}

_OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _UNARY = range(1, 8)


def parse(text: str, where: str = "") -> Expression:
    """Read an expression.

    Args:
        text: at most 10,000 characters, nested at most 40 deep.
        where: a place for messages, for example ``eligibility.yaml:12``.

    Raises:
        SyntaxProblem: not in the language, with the column.
        TooLarge: too long or too deep.
    """
    return Expression(text, where, _Parser(text, where).whole())


class _Parser:
    def __init__(self, text: str, where: str) -> None:
        self._where = where
        self._tokens = tokens(text, where)
        self._position = 0
        self._depth = 0

    def whole(self) -> Node:
        if self._next.kind == "end":
            self._fail(self._next, "there is no expression", "write a condition, for example age >= 18")
        root = self._expression(0)
        if self._next.kind != "end":
            self._unexpected()
        self._refuse_depth(root)
        return root

    # Reading tokens

    @property
    def _next(self) -> Token:
        return self._tokens[self._position]

    def _take(self) -> Token:
        token = self._tokens[self._position]
        self._position += 1
        return token

    def _is(self, *texts: str) -> bool:
        token = self._next
        return token.text in texts and token.kind in {"operator", "name"}

    def _expect(self, text: str, after: str) -> Token:
        if not self._is(text):
            self._fail(
                self._next, f"{self._shown(self._next)} stands where {text!r} is expected {after}", f"write {text!r}"
            )
        return self._take()

    # Expressions

    def _expression(self, binding: int) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST_NESTING:
            self._too_deep(_DEEPEST_NESTING, self._next.column)
        left = self._prefix()
        while True:
            power = self._power()
            if power <= binding:
                break
            left = self._infix(left, power)
        self._depth -= 1
        return left

    def _power(self) -> int:
        token = self._next
        if token.kind == "operator":
            if token.text in _COMPARISONS:
                return _COMPARE
            return {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT}.get(token.text, 0)
        if token.kind == "name":
            return {"or": _OR, "and": _AND, "in": _COMPARE, "is": _COMPARE, "not": _COMPARE}.get(token.text, 0)
        return 0

    def _infix(self, left: Node, power: int) -> Node:
        token = self._next
        if power in {_OR, _AND}:
            return self._junction(left, power)
        if power == _COMPARE:
            return self._comparison(left)
        self._take()
        return Binary(token.text, left, self._expression(power), token.column)

    def _junction(self, left: Node, power: int) -> Node:
        operator = self._next
        operands = [left]
        while self._is(operator.text):
            self._take()
            operands.append(self._expression(power))
        return Junction(operator.text, tuple(operands), operator.column)

    def _comparison(self, left: Node) -> Node:
        if self._is("in", "not", "is"):
            result = self._test(left)
        else:
            result = self._chain(left)
        if self._power() == _COMPARE:
            self._fail(self._next, "two tests stand side by side", "join them with and, or use brackets")
        return result

    def _chain(self, left: Node) -> Node:
        operands, operators = [left], []
        while self._next.kind == "operator" and self._next.text in _COMPARISONS:
            operators.append(self._take())
            operands.append(self._expression(_COMPARE))
        return Comparison(
            tuple(operands), tuple(token.text for token in operators), tuple(token.column for token in operators)
        )

    def _test(self, left: Node) -> Node:
        token = self._take()
        if token.text == "is":
            negated = self._is("not")
            if negated:
                self._take()
            self._expect("missing", "after 'is'")
            return MissingTest(left, negated, token.column)
        negated = token.text == "not"
        if negated:
            self._expect("in", "after 'not'")
        return Membership(left, self._options(), negated, token.column)

    def _options(self) -> tuple[Node, ...]:
        opening = self._expect("(", "after 'in'")
        options: list[Node] = []
        while not self._is(")"):
            options.append(self._expression(_COMPARE))
            if not self._is(","):
                break
            self._take()
        self._expect(")", "at the end of the list")
        if not options:
            self._fail(opening, "the list is empty", "name at least one value")
        for option in options:
            if not isinstance(option, Number | Quoted):
                raise SyntaxProblem(
                    "a list holds numbers and quoted texts only",
                    remedy="compare with == and join with or",
                    column=option.column,
                    where=self._where,
                )
        return tuple(options)

    def _prefix(self) -> Node:
        token = self._next
        if token.kind == "number":
            return self._number("")
        if token.kind == "quoted":
            self._take()
            return Quoted(token.text, token.column)
        if token.kind == "name":
            return self._word()
        if token.text == "-":
            self._take()
            # A sign before a number belongs to it: -5 'Cel' is five below zero, not the negative of a temperature.
            if self._next.kind == "number":
                return self._number("-", token.column)
            return Minus(self._expression(_UNARY), token.column)
        if token.text == "(":
            self._take()
            inside = self._expression(0)
            if self._is(","):
                self._fail(self._next, "a list stands where one value is expected", "lists stand after 'in' only")
            self._expect(")", "to close the bracket")
            if self._is(".", "("):
                self._fail(self._next, f"{self._next.text!r} after a bracket", "only item names have parts")
            return inside
        return self._unexpected()

    def _number(self, sign: str, column: int | None = None) -> Node:
        token = self._take()
        unit = self._take().text if self._next.kind == "quoted" else None
        return Number(sign + token.text, unit, column or token.column)

    def _word(self) -> Node:
        token = self._next
        if token.text == "not":
            self._take()
            return Not(self._expression(_NOT), token.column)
        if token.text in _CONSTANTS:
            self._take()
            return Constant(_CONSTANTS[token.text], token.column)
        self._refuse_word(token)
        following = self._tokens[self._position + 1]
        if following.kind == "operator" and following.text == "(":
            return self._called()
        return self._name(self._reference(self._path()))

    def _refuse_word(self, token: Token) -> None:
        word = token.text
        if word in _RESERVED:
            self._unexpected()
        if word in _NOW:
            self._fail(
                token,
                f"{word!r} is not known to an expression",
                "use the date item of the visit: results never depend on when they are asked",
            )
        if word in _NOTHING:
            self._fail(token, f"{word!r} is not a value", "write x is missing")
        if word in _NOT_OURS:
            self._fail(
                token,
                f"{word!r} is not part of the language",
                "use and, or, not, comparisons and the listed functions",
            )

    # Names, references and functions

    def _path(self) -> list[Token]:
        parts = [self._part()]
        while self._is("."):
            self._take()
            parts.append(self._part())
        return parts

    def _part(self) -> Token:
        if self._next.kind != "name" or self._next.text in _RESERVED:
            self._fail(
                self._next, f"{self._shown(self._next)} stands where a name is expected", "write the name of an item"
            )
        return self._take()

    def _reference(self, path: list[Token]) -> Reference:
        if self._is("("):
            self._fail(self._next, f"{path[-1].text!r} of an item is called", "items have no functions")
        return Reference(tuple(part.text for part in path), column=path[0].column)

    def _name(self, reference: Reference) -> Name:
        return Name(reference, reference.column)

    def _called(self) -> Node:
        function = self._take()
        self._take()
        if function.text == "at":
            return self._name(self._at(function))
        if function.text == "latest":
            return self._name(self._latest(function))
        return self._call(function)

    def _at(self, function: Token) -> Reference:
        encounter = self._part()
        self._expect(")", "after the encounter")
        if not self._is("."):
            self._fail(self._next, "at(…) names no item", f"write at({encounter.text}).form.item")
        self._take()
        item = self._reference(self._path())
        return Reference(item.path, encounter=encounter.text, column=function.column)

    def _latest(self, function: Token) -> Reference:
        item = self._reference(self._path())
        within = None
        if self._is(","):
            self._take()
            self._expect("within", "after the comma")
            self._expect("=", "after 'within'")
            days = self._take()
            if days.kind != "number" or not days.text.isdigit() or not 1 <= int(days.text) <= 36_500:
                self._fail(days, "within is a whole number of days, 1 to 36500", "write for example within=14")
            within = int(days.text)
        self._expect(")", "to close latest(…)")
        return Reference(item.path, latest=True, within=within, column=function.column)

    def _call(self, function: Token) -> Node:
        if function.text not in FUNCTIONS:
            near = difflib.get_close_matches(function.text, [*FUNCTIONS, "at", "latest"], n=1)
            remedy = (
                f"did you mean {near[0]}?" if near else f"the functions are {', '.join([*FUNCTIONS, 'at', 'latest'])}"
            )
            self._fail(function, f"{function.text[:60]!r} is not a function", remedy)
        arguments: list[Node] = []
        while not self._is(")"):
            arguments.append(self._expression(0))
            if not self._is(","):
                break
            self._take()
        self._expect(")", f"to close {function.text}(…)")
        least, most = FUNCTIONS[function.text]
        if not least <= len(arguments) <= most:
            wanted = f"{least}" if least == most else f"{least} to {most}"
            self._fail(function, f"{function.text} has {len(arguments)} arguments", f"give it {wanted}")
        if self._is("."):
            self._fail(self._next, f"'.' after {function.text}(…)", "only item names have parts")
        return Call(function.text, tuple(arguments), function.column)

    # Refusals

    def _refuse_depth(self, root: Node) -> None:
        """Long sums nest to the left without nesting the parser; every later step walks the tree, so count here."""
        level = [root]
        for _ in range(_DEEPEST_TREE):
            level = [child for node in level for child in children(node)]
            if not level:
                return
        self._too_deep(_DEEPEST_TREE, level[0].column)

    def _too_deep(self, limit: int, column: int) -> NoReturn:
        raise TooLarge(
            f"the expression is nested more than {limit} deep",
            remedy="split it into derived items",
            column=column,
            where=self._where,
        )

    def _unexpected(self) -> NoReturn:
        token = self._next
        remedy = (
            "complete the expression" if token.kind == "end" else "remove it, or join two conditions with and / or"
        )
        if token.text == "=" and token.kind == "operator":
            remedy = "write == to compare"
        self._fail(token, f"{self._shown(token)} is not expected here", remedy)

    def _shown(self, token: Token) -> str:
        return "the end" if token.kind == "end" else repr(token.text[:40])

    def _fail(self, token: Token, message: str, remedy: str) -> NoReturn:
        error: type[ExpressionError] = SyntaxProblem
        raise error(message, remedy=remedy, column=token.column, where=self._where)
