"""The Python target: an expression compiled once, asked for many rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from trialwright.expressions._closures import Cells, closure
from trialwright.expressions._meaning import Input, Meaning, parts
from trialwright.expressions._reasons import reasons_of
from trialwright.expressions._resolver import resolve
from trialwright.expressions.errors import TypeProblem
from trialwright.expressions.syntax import Expression
from trialwright.expressions.types import BooleanType, Scope, Type
from trialwright.expressions.values import Answer, Cell, Reason, Row, Value, Verdict, admit
from trialwright.foundation.truth import Truth

_YES, _NO = Verdict(Truth.YES), Verdict(Truth.NO)


@dataclass(frozen=True, slots=True)
class Compiled:
    """An expression ready to be asked.

    Args:
        expression: what was written.
        type: the type of its value; a quantity's unit is the unit of the answers.
        inputs: the reference keys it reads, with their types.
        decide: the fast form: cells (see :func:`admit`) to True, False or None, or to a value or None.
        why: the reasons on a row where ``decide`` gives None.
        meaning: the typed tree, for explanations.
    """

    expression: Expression
    type: Type
    inputs: Mapping[str, Type]
    decide: Callable[[Mapping[str, Cell]], Any]
    why: Callable[[Row], tuple[Reason, ...]]
    meaning: Meaning

    def __call__(self, values: Mapping[str, Value]) -> Verdict | Answer:
        """The verdict of a condition, or the answer of any other expression.

        Args:
            values: reference keys and values as entered; an absent key is *not asked*.

        Raises:
            InvalidValue: a value that cannot be of its type.
        """
        return self.on(admit(self.inputs, values))

    def on(self, row: Row) -> Verdict | Answer:
        """The same on a row that is already behind the door."""
        value = self.decide(row.cells)
        if value is True:
            return _YES
        if value is False:
            return _NO
        if value is not None:
            return Answer(value)
        reasons = self.why(row)
        if isinstance(self.type, BooleanType):
            return Verdict(Truth.UNKNOWN, reasons)
        return Answer(None, reasons)

    def verdict(self, values: Mapping[str, Value]) -> Verdict:
        """As calling it, for a condition.

        Raises:
            TypeProblem: the expression is not a condition.
        """
        self._refuse_other_than_condition()
        return cast(Verdict, self(values))

    def _refuse_other_than_condition(self) -> None:
        if not isinstance(self.type, BooleanType):
            raise TypeProblem(
                f"{self.expression.text[:60]!r} is not a condition",
                remedy="compare it with something",
                column=1,
                where=self.expression.where,
            )


def compile_python(expression: Expression, scope: Scope) -> Compiled:
    """Compile an expression for Python.

    Raises:
        ExpressionError: the expression does not fit the scope.
    """
    meaning = resolve(expression, scope)
    return Compiled(expression, meaning.type, inputs_of(meaning), _settling(meaning), reasons_of(meaning), meaning)


def inputs(expression: Expression, scope: Scope) -> dict[str, Type]:
    """The reference keys that an expression reads, with their types: what :func:`admit` needs.

    Raises:
        ExpressionError: the expression does not fit the scope.
    """
    return inputs_of(resolve(expression, scope))


def inputs_of(meaning: Meaning) -> dict[str, Type]:
    """The inputs of a typed tree, in the order they are written."""
    found: dict[str, Type] = {}
    waiting = [meaning]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Input):
            found[node.key] = node.type
        waiting.extend(reversed(parts(node)))
    return found


def _settling(meaning: Meaning) -> Callable[[Mapping[str, Cell]], Any]:
    """A spread that is still open at the top of an expression is unknown."""
    inner = closure(meaning)
    if not meaning.spread:
        return inner

    def settle(cells: Cells) -> Any:
        pair = inner(cells)
        return None if pair is None or pair[0] != pair[1] else pair[0]

    return settle
