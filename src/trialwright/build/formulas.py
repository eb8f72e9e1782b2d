"""Expressions and instruments of a study, typed and ready to be evaluated."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from importlib import import_module
from typing import Any

from trialwright import expressions, instruments
from trialwright.expressions import Answer, Compiled, Missing, Type, Value, Verdict
from trialwright.foundation.dates import PartialDate
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.missing import MissingReason
from trialwright.foundation.quantities import Quantity
from trialwright.protocol.findings import did_you_mean


@dataclass(frozen=True, slots=True)
class ItemReference:
    """One value that an expression needs, in the words of the study.

    Attributes:
        key: by which the row holds the value.
        form: the form, or None for a fact or a laboratory measurement.
        item: the item, fact or measurement.
        encounter: collected at this encounter; None means at the encounter of the form itself.
        latest: the latest value known when asked.
        within: with ``latest``: at most this many days old, or None.
    """

    key: str
    form: str | None
    item: str
    encounter: str | None = None
    latest: bool = False
    within: int | None = None

    def means_another_page(self, form: str) -> bool:
        """Whether it can mean another page than the very one whose expression it is, of this form: a plain reference
        to the own form cannot."""
        return self.form != form or self.latest or self.encounter is not None


@dataclass(frozen=True)
class CompiledExpression:
    """An expression that has been checked.

    Attributes:
        references: the values it needs, in the order they are written.
        compiled: the expression of the engine.
    """

    references: tuple[ItemReference, ...]
    compiled: Compiled

    @property
    def text(self) -> str:
        """As written."""
        return self.compiled.expression.text

    @property
    def type(self) -> Type:
        """Of its value; a condition is boolean."""
        return self.compiled.type

    def evaluate(self, row: Mapping[str, Value]) -> Verdict | Answer:
        """Answer for one row: a :class:`Verdict` for a condition, else an :class:`Answer`.

        Args:
            row: reference key → value; what is absent was not asked.

        Raises:
            InvalidValue: a value that is not of the reference's type.
        """
        return self.compiled(row)

    def verdict(self, row: Mapping[str, Value]) -> Verdict:
        """The answer of a condition.

        Raises:
            TypeProblem: the expression is no condition.
            InvalidValue: as :meth:`evaluate`.
        """
        return self.compiled.verdict(row)


def compile_expression(
    text: str, scope: Mapping[str, Type], *, form: str | None = None, where: str = ""
) -> CompiledExpression:
    """Parse, type and compile one expression.

    Args:
        text: as written.
        scope: names and types.
        form: the form that one-part names belong to, or None where they are facts or measurements.
        where: a place for messages.

    Raises:
        ExpressionError: anything wrong with it, with the column.
    """
    parsed = expressions.parse(text, where)
    compiled = expressions.compile_python(parsed, scope)
    return CompiledExpression(tuple(_reference(r, form) for r in expressions.references(parsed)), compiled)


def _reference(found: expressions.Reference, form: str | None) -> ItemReference:
    own = form if len(found.path) == 1 else ".".join(found.path[:-1])
    return ItemReference(found.key, own, found.path[-1], found.encounter, found.latest, found.within)


@dataclass(frozen=True)
class CompiledInstrument:
    """A published instrument with the items it takes its arguments from.

    Attributes:
        name: for example ``edss.score``.
        references: the items it needs.
    """

    name: str
    references: tuple[ItemReference, ...]
    _function: Callable[..., Any]
    _arguments: Mapping[str, ItemReference | str]
    _units: Mapping[str, str]
    _optional: frozenset[str]

    def evaluate(self, row: Mapping[str, Value]) -> Decimal | Missing:
        """The instrument's value, or why there is none: the first argument that it cannot do without.

        Args:
            row: reference key → value.

        Raises:
            InvalidValue: an argument outside what the instrument allows.
        """
        arguments: dict[str, object] = {}
        for name, given in self._arguments.items():
            if isinstance(given, str):
                arguments[name] = given
                continue
            value = row.get(given.key)
            if value is None or isinstance(value, Missing):
                if name not in self._optional:
                    return value or Missing(MissingReason.NOT_ASKED)
                arguments[name] = None
            else:
                arguments[name] = _argument(value, self._units.get(given.key))
        result = self._function(**arguments)
        return Missing(MissingReason.NOT_DONE) if result is None else Decimal(str(result))


def compile_instrument(
    name: str, inputs: Mapping[str, str], *, form: str, items: Mapping[str, str | None]
) -> CompiledInstrument:
    """Bind an instrument's arguments to the items of a form.

    Args:
        name: ``module.function`` of :mod:`trialwright.instruments`.
        inputs: argument → item of the form, or a literal in quotes.
        form: the form.
        items: its items and the unit of each (None for a plain number).

    Raises:
        InvalidValue: no such instrument, an argument that it lacks or does not have, an item the form lacks.
    """
    function = instrument(name)
    parameters = inspect.signature(function).parameters
    needed = {n for n, p in parameters.items() if p.default is p.empty}
    if not needed <= set(inputs) <= set(parameters):
        wrong = next((n for n in inputs if n not in parameters), None)
        raise InvalidValue(
            f"{name} has no argument {wrong!r}"
            if wrong
            else f"{name} needs {', '.join(sorted(needed - set(inputs)))}",
            remedy=did_you_mean(wrong, parameters) or f"its arguments are {', '.join(parameters)}",
            instrument=name,
        )
    arguments: dict[str, ItemReference | str] = {}
    for argument, given in inputs.items():
        if given[:1] in ("'", '"'):
            arguments[argument] = given[1:-1] if given[-1:] == given[0] else given[1:]
            continue
        if given not in items:
            raise InvalidValue(
                f"{name}: {argument} is taken from {given!r}, which is no item of {form}",
                remedy=did_you_mean(given, items) or "name an item of the form, or put a literal in quotes",
                instrument=name,
            )
        arguments[argument] = ItemReference(given, form, given)
    references = tuple(a for a in arguments.values() if isinstance(a, ItemReference))
    optional = frozenset(
        n for n, p in parameters.items() if "Trial" in str(p.annotation) or "None" in str(p.annotation)
    )
    units = {key: unit for key, unit in items.items() if unit is not None}
    return CompiledInstrument(name, references, function, arguments, units, optional)


def instrument(name: str) -> Callable[..., Any]:
    """The function of an instrument.

    Raises:
        InvalidValue: there is none of that name.
    """
    module, _, function = name.partition(".")
    known = {m.name for m in pkgutil.iter_modules(instruments.__path__) if m.name not in ("exact", "errors")}
    if module not in known:
        raise InvalidValue(
            f"{name[:60]!r} is no instrument",
            remedy=did_you_mean(module, known) or f"instruments are in {', '.join(sorted(known))}",
            instrument=name[:60],
        )
    home = import_module(f"{instruments.__name__}.{module}")
    functions = {n: f for n, f in vars(home).items() if inspect.isfunction(f) and f.__module__ == home.__name__}
    if function not in functions or function.startswith("_"):
        public = sorted(n for n in functions if not n.startswith("_"))
        raise InvalidValue(
            f"{name[:60]!r} is no instrument",
            remedy=did_you_mean(function, public) or f"{module} has {', '.join(public)}",
            instrument=name[:60],
        )
    found: Callable[..., Any] = functions[function]
    return found


def _argument(value: Value, unit: str | None) -> object:
    if isinstance(value, Quantity):
        return _plain(value.to(unit or value.unit), value)
    if isinstance(value, PartialDate):
        return value.text
    return value


def _plain(number: Fraction, entered: Quantity) -> Decimal:
    """The entered decimal where the unit did not change it, else the quotient to 28 digits."""
    if Fraction(entered.value) == number:
        return entered.value
    return Decimal(number.numerator) / number.denominator
