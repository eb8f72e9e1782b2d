"""From the written tree to the typed one: every error of types, names and units is found here, with its column."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import Literal, cast

from trialwright.expressions._magnitude import refuse_wide_numbers
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
    Operator,
    Some,
    Span,
)
from trialwright.expressions.errors import ExpressionError, TooLarge, TypeProblem, UnitProblem, UnknownName
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
    walk,
)
from trialwright.expressions.types import (
    BooleanType,
    CodeType,
    DateType,
    DecimalType,
    IntegerType,
    QuantityType,
    Scope,
    TextType,
    Type,
    describe,
)
from trialwright.expressions.values import LARGEST, SMALLEST
from trialwright.foundation.dates import PartialDate
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.units import UnknownUnit, convert, unit
from trialwright.foundation.units import describe as describe_dimension

_NUMERIC = (IntegerType, DecimalType, QuantityType)


def resolve(expression: Expression, scope: Scope) -> Meaning:
    """The typed tree of an expression.

    Raises:
        ExpressionError: the first problem; :func:`problems` finds the others as well.
    """
    meaning, found = _attempt(expression, scope)
    if meaning is None:
        raise found[0]
    return meaning


def problems(expression: Expression, scope: Scope) -> tuple[ExpressionError, ...]:
    """All problems that can be told apart, by column; empty when the expression is sound."""
    return tuple(_attempt(expression, scope)[1])


def _attempt(expression: Expression, scope: Scope) -> tuple[Meaning | None, list[ExpressionError]]:
    resolver = _Resolver(expression, scope)
    meaning = resolver.meaning(expression.root)
    if meaning is None or resolver.found:
        return None, sorted(resolver.found, key=lambda error: error.column)
    try:
        refuse_wide_numbers(meaning, expression.where)
    except TooLarge as error:
        return None, [error]
    return meaning, []


class _Resolver:
    """Walks the written tree. A method that finds a problem notes it and gives None; whoever needs the missing part
    gives None in turn, so that one mistake is told once and independent mistakes are all told."""

    def __init__(self, expression: Expression, scope: Scope) -> None:
        self._text = expression.text
        self._where = expression.where
        self._scope = scope
        self.found: list[ExpressionError] = []

    def meaning(self, node: Node) -> Meaning | None:
        match node:
            case Name():
                return self._input(node)
            case Number():
                return self._number(node)
            case Quoted(text=text):
                return Fixed(text, TextType(), False, text)
            case Constant(value=value):
                return Fixed(value, BooleanType(), False, "true" if value else "false")
            case Minus():
                return self._minus(node)
            case Binary():
                return self._binary(node)
            case Comparison():
                return self._comparison(node)
            case Membership():
                return self._membership(node)
            case MissingTest():
                return self._missing_test(node.value, node.negated)
            case Not():
                operand = self._condition(node.operand, "not")
                return operand and Negation(operand)
            case Junction():
                return self._junction(node)
            case Call():
                return self._call(node)

    # Names and literals

    def _input(self, node: Name) -> Meaning | None:
        reference = node.reference
        type_ = self._scope.get(reference.key) or self._scope.get(reference.item)
        if type_ is None:
            self._note_unknown_name(node)
            return None
        spread = isinstance(type_, DateType) and type_.partial
        return Input(reference, reference.key, type_, spread)

    def _note_unknown_name(self, node: Name) -> None:
        name = node.reference.item
        quoting = [
            item for item, type_ in self._scope.items() if isinstance(type_, CodeType) and name in type_.values
        ]
        near = _nearest(name, self._scope)
        if quoting:
            remedy = f"write {name!r} in quotation marks: it is a code of {quoting[0]}"
        elif near:
            remedy = f"did you mean {near}?"
        else:
            remedy = _names_here(self._scope)
        suggestion = {"suggestion": near} if near and not quoting else {}
        self._note(UnknownName, f"nothing is called {name[:80]!r}", remedy, node.column, **suggestion)

    def _number(self, node: Number) -> Meaning | None:
        exact = Fraction(node.text)
        if exact and not SMALLEST <= abs(exact) <= LARGEST:
            self._note(
                TooLarge, f"{node.text[:40]} is out of range", "use a magnitude from 1e-15 to 1e15", node.column
            )
            return None
        type_: Type = DecimalType() if "." in node.text else IntegerType()
        if node.unit is not None:
            try:
                type_ = QuantityType(node.unit)
            except UnknownUnit as error:
                self._note(UnitProblem, error.message, error.remedy, node.column, **error.given)
                return None
        return Fixed(float(exact), type_, False, _shown(node), exact)

    # Conditions

    def _condition(self, node: Node, word: str) -> Meaning | None:
        value = self.meaning(node)
        if value is not None and not isinstance(value.type, BooleanType):
            self._note(
                TypeProblem,
                f"{word!r} joins yes/no values, but {self._source(node)} is {describe(value.type)}",
                "compare it with something first",
                node.column,
            )
            return None
        return value

    def _junction(self, node: Junction) -> Meaning | None:
        values = [self._condition(operand, node.operator) for operand in node.operands]
        known = tuple(value for value in values if value is not None)
        if len(known) < len(values):
            return None
        return Every(known) if node.operator == "and" else Some(known)

    def _comparison(self, node: Comparison) -> Meaning | None:
        values = [self.meaning(operand) for operand in node.operands]
        pairs: list[Meaning | None] = []
        for position, operator in enumerate(node.operators):
            left, right = values[position], values[position + 1]
            if left is None or right is None:
                pairs.append(None)
                continue
            pairs.append(self._compared(cast(Operator, operator), left, right, node.columns[position]))
        known = tuple(pair for pair in pairs if pair is not None)
        if len(known) < len(pairs):
            return None
        return known[0] if len(known) == 1 else Every(known)

    def _compared(self, operator: Operator, left: Meaning, right: Meaning, column: int) -> Meaning | None:
        if isinstance(left, Fixed) and isinstance(right, Fixed):
            self._note(TypeProblem, "two literals are compared", "compare an item with a literal", column)
            return None
        aligned = self._aligned([left, right], "compared with", column)
        if aligned is None:
            return None
        left, right = aligned
        if operator not in {"==", "!="} and isinstance(left.type, BooleanType | TextType | CodeType):
            self._note(
                TypeProblem,
                f"{describe(left.type)} has no order",
                "use == or !=, or in (…)",
                column,
            )
            return None
        return Compare(operator, left, right)

    def _membership(self, node: Membership) -> Meaning | None:
        value = self.meaning(node.value)
        options = [self.meaning(option) for option in node.options]
        if value is None or any(option is None for option in options):
            return None
        if isinstance(value, Fixed):
            self._note(TypeProblem, "a literal is looked up in a list", "name an item before 'in'", node.column)
            return None
        fitted: list[Fixed] = []
        for option, written in zip(options, node.options, strict=True):
            aligned = self._aligned([value, cast(Meaning, option)], "looked up among", written.column)
            if aligned is not None:
                fitted.append(cast(Fixed, aligned[1]))
        if len(fitted) < len(options):
            return None
        if value.spread or any(option.spread for option in fitted):
            several: tuple[Meaning, ...] = tuple(Compare("==", value, option) for option in fitted)
            member: Meaning = Some(several) if len(several) > 1 else several[0]
        else:
            member = Member(value, tuple(fitted))
        return Negation(member) if node.negated else member

    def _missing_test(self, node: Node, negated: bool) -> Meaning | None:
        value = self.meaning(node)
        if value is None:
            return None
        test = IsMissing(value)
        return Negation(test) if negated else test

    # Arithmetic

    def _numeric(self, node: Node, doing: str) -> Meaning | None:
        return self._refused_unless_number(node, self.meaning(node), doing)

    def _refused_unless_number(self, node: Node, value: Meaning | None, doing: str) -> Meaning | None:
        if value is not None and not isinstance(value.type, _NUMERIC):
            remedy = "use days_between" if isinstance(value.type, DateType) else "use a number"
            self._note(
                TypeProblem,
                f"{self._source(node)} is {describe(value.type)} and cannot be {doing}",
                remedy,
                node.column,
            )
            return None
        return value

    def _minus(self, node: Minus) -> Meaning | None:
        value = self._numeric(node.operand, "negated")
        if value is None or self._refuse_offset(value, "negated", node.column):
            return None
        return Negative(value, value.type, value.spread)

    def _binary(self, node: Binary) -> Meaning | None:
        doing = {"+": "added", "-": "subtracted", "*": "multiplied", "/": "divided"}[node.operator]
        left, right = self.meaning(node.left), self.meaning(node.right)
        if node.operator == "-" and _is_date(left) and _is_date(right):
            remedy = f"write days_between({self._source(node.right)}, {self._source(node.left)})"
            self._note(TypeProblem, "dates cannot be subtracted", remedy, node.column)
            return None
        left = self._refused_unless_number(node.left, left, doing)
        right = self._refused_unless_number(node.right, right, doing)
        if left is None or right is None:
            return None
        if node.operator in {"+", "-"}:
            return self._sum(node, left, right)
        return self._product(node, left, right, doing)

    def _sum(self, node: Binary, left: Meaning, right: Meaning) -> Meaning | None:
        if _has_offset(left.type) or _has_offset(right.type):
            return self._temperatures(node, left, right)
        aligned = self._aligned([left, right], "added to" if node.operator == "+" else "subtracted from", node.column)
        if aligned is None:
            return None
        left, right = aligned
        whole = isinstance(left.type, IntegerType) and isinstance(right.type, IntegerType)
        type_ = left.type if isinstance(left.type, QuantityType) else IntegerType() if whole else DecimalType()
        return self._arithmetic(node, left, right, type_)

    def _temperatures(self, node: Binary, left: Meaning, right: Meaning) -> Meaning | None:
        """The difference of two temperatures of one scale is in kelvin (or degrees Rankine)."""
        scales = {"Cel": "K", "[degF]": "[degR]"}
        same = isinstance(left.type, QuantityType) and left.type == right.type
        if node.operator != "-" or not same:
            self._note(
                UnitProblem,
                "temperatures on a scale can only be subtracted from one another, in the same unit",
                "subtract two temperatures and compare the difference with a value in 'K'",
                node.column,
            )
            return None
        return self._arithmetic(node, left, right, QuantityType(scales[cast(QuantityType, left.type).unit]))

    def _product(self, node: Binary, left: Meaning, right: Meaning, doing: str) -> Meaning | None:
        if self._refuse_offset(left, doing, node.column) or self._refuse_offset(right, doing, node.column):
            return None
        if node.operator == "/" and isinstance(right, Fixed) and right.value == 0:
            self._note(TypeProblem, "division by zero", "divide by something else", node.column)
            return None
        fixed_side = isinstance(right, Fixed) or (node.operator == "*" and isinstance(left, Fixed))
        if (left.spread or right.spread) and not fixed_side:
            self._note(
                TypeProblem,
                f"what depends on a partial date can be {doing} by a literal only",
                "compare it first, or use a full date",
                node.column,
            )
            return None
        type_ = self._product_type(node, left.type, right.type)
        if type_ is None:
            return None
        product = self._arithmetic(node, left, right, type_)
        # A ratio of two masses is a number, whatever units they came in.
        pure = isinstance(type_, QuantityType) and not unit(type_.unit).dimension
        both = isinstance(left.type, QuantityType) and isinstance(right.type, QuantityType)
        return self._converted(product, "1", node.column) if pure and both else product

    def _product_type(self, node: Binary, left: Type, right: Type) -> Type | None:
        if not isinstance(left, QuantityType) and not isinstance(right, QuantityType):
            both_whole = isinstance(left, IntegerType) and isinstance(right, IntegerType)
            return IntegerType() if node.operator == "*" and both_whole else DecimalType()
        first = left.unit if isinstance(left, QuantityType) else "1"
        second = right.unit if isinstance(right, QuantityType) else "1"
        try:
            return QuantityType(_composed(first, node.operator, second))
        except UnknownUnit:
            self._note(
                TooLarge,
                f"the unit of this result is too long ({first[:40]} {node.operator} {second[:40]})",
                "split the computation into derived items",
                node.column,
            )
            return None

    def _arithmetic(self, node: Binary, left: Meaning, right: Meaning, type_: Type) -> Arithmetic:
        operator = cast(Literal["+", "-", "*", "/"], node.operator)
        spread = left.spread or right.spread
        return Arithmetic(operator, left, right, type_, spread, tuple(_keys(node.right)), node.column)

    def _refuse_offset(self, value: Meaning, doing: str, column: int) -> bool:
        if not _has_offset(value.type):
            return False
        self._note(
            UnitProblem,
            f"{describe(value.type)} cannot be {doing}: its zero is not nothing",
            "subtract two temperatures first; the difference is in 'K'",
            column,
        )
        return True

    # Functions

    def _call(self, node: Call) -> Meaning | None:
        match node.function:
            case "known":
                return self._missing_test(node.arguments[0], negated=True)
            case "abs":
                return self._absolute(node)
            case "min" | "max":
                return self._extreme(node)
            case "coalesce":
                return self._first_known(node)
            case _:
                return self._span(node)

    def _first_known(self, node: Call) -> Meaning | None:
        values = self._arguments(node)
        if values is None:
            return None
        return FirstKnown(values, _common_type(values), any(value.spread for value in values))

    def _absolute(self, node: Call) -> Meaning | None:
        value = self._numeric(node.arguments[0], "made positive")
        if value is None or self._refuse_offset(value, "made positive", node.column):
            return None
        return Absolute(value, value.type, value.spread)

    def _extreme(self, node: Call) -> Meaning | None:
        values = self._arguments(node)
        if values is None:
            return None
        if not isinstance(values[0].type, (*_NUMERIC, DateType)):
            self._note(
                TypeProblem,
                f"{describe(values[0].type)} has no order",
                f"give {node.function} numbers or dates",
                node.column,
            )
            return None
        which = cast(Literal["min", "max"], node.function)
        return Extreme(which, values, _common_type(values), any(value.spread for value in values))

    def _arguments(self, node: Call) -> tuple[Meaning, ...] | None:
        values = [self.meaning(argument) for argument in node.arguments]
        known = [value for value in values if value is not None]
        if len(known) < len(values):
            return None
        if all(isinstance(value, Fixed) for value in known):
            self._note(TypeProblem, f"{node.function} is given literals only", "name an item", node.column)
            return None
        aligned = self._aligned(known, f"given to {node.function} with", node.column)
        return None if aligned is None else tuple(aligned)

    def _span(self, node: Call) -> Meaning | None:
        dates: list[Meaning] = []
        for argument in node.arguments:
            value = self.meaning(argument)
            fitted = value and self._fitted(value, DateType(), argument.column)
            if fitted is None:
                continue
            if not isinstance(fitted.type, DateType):
                self._note(
                    TypeProblem,
                    f"{node.function} counts between dates, but {self._source(argument)} is {describe(fitted.type)}",
                    "give it two dates",
                    argument.column,
                )
                continue
            dates.append(fitted)
        if len(dates) < 2:
            return None
        start, end = dates
        if isinstance(start, Fixed) and isinstance(end, Fixed):
            self._note(TypeProblem, f"{node.function} is given literals only", "name an item", node.column)
            return None
        counted: Literal["days", "years"] = "days" if node.function == "days_between" else "years"
        return Span(counted, start, end, IntegerType(), start.spread or end.spread)

    # Bringing values to one kind

    def _aligned(self, values: Sequence[Meaning], doing: str, column: int) -> list[Meaning] | None:
        """All values in the type (and unit) of the first that is not a literal; None when they do not go together."""
        leading = next((value for value in values if not isinstance(value, Fixed)), values[0])
        results: list[Meaning] = []
        for value in values:
            fitted = value if value is leading else self._brought(value, leading, doing, column)
            if fitted is None:
                return None
            results.append(fitted)
        return results

    def _brought(self, value: Meaning, leading: Meaning, doing: str, column: int) -> Meaning | None:
        fitted = self._fitted(value, leading.type, column)
        if fitted is None:
            return None
        kind, wanted = fitted.type, leading.type
        if isinstance(kind, _NUMERIC) and isinstance(wanted, _NUMERIC):
            return self._in_unit(fitted, wanted, column)
        same_list = isinstance(kind, CodeType) and isinstance(wanted, CodeType) and _same_codes(kind, wanted)
        if same_list or (type(kind) is type(wanted) and not isinstance(kind, CodeType)):
            return fitted
        self._note(
            TypeProblem,
            f"{describe(wanted)} is {doing} {describe(kind)}",
            "use values of one kind",
            column,
        )
        return None

    def _fitted(self, value: Meaning, wanted: Type, column: int) -> Meaning | None:
        """A quoted literal read as the code or date that its neighbour asks for."""
        if not isinstance(value, Fixed) or not isinstance(value.value, str) or not isinstance(value.type, TextType):
            return value
        if isinstance(wanted, CodeType):
            if value.value in wanted.values:
                return Fixed(value.value, wanted, False, value.shown)
            near = difflib.get_close_matches(value.value, wanted.values, n=1)
            allowed = ", ".join(wanted.values[:8])
            self._note(
                TypeProblem,
                f"{value.value[:60]!r} is not {describe(wanted)}",
                f"did you mean {near[0]!r}?" if near else f"use one of: {allowed}",
                column,
                **({"suggestion": near[0]} if near else {}),
            )
            return None
        if isinstance(wanted, DateType):
            return self._date(value.value, column)
        return value

    def _date(self, text: str, column: int) -> Meaning | None:
        try:
            day = PartialDate.parse(text)
        except InvalidValue as error:
            self._note(TypeProblem, error.message, error.remedy, column)
            return None
        if day.is_full:
            return Fixed(day.earliest, DateType(), False, day.text)
        ends: tuple[date, date] = (day.earliest, day.latest)
        return Fixed(ends, DateType(partial=True), True, day.text)

    def _in_unit(self, value: Meaning, wanted: Type, column: int) -> Meaning | None:
        given_code, wanted_code = _unit_of(value.type), _unit_of(wanted)
        if given_code == wanted_code:
            return value
        given, target = unit(given_code), unit(wanted_code)
        plain = {code for code in (given_code, wanted_code) if code == "1"}
        if given.dimension != target.dimension:
            self._note_units(value, wanted, given_code, wanted_code, column)
            return None
        # A score without unit beside {score} is the same number; 5 beside a percentage is not.
        if plain and given.factor != target.factor:
            self._note_units(value, wanted, given_code, wanted_code, column)
            return None
        return self._converted(value, wanted_code, column)

    def _note_units(self, value: Meaning, wanted: Type, given_code: str, wanted_code: str, column: int) -> None:
        if given_code == "1" and isinstance(value, Fixed):
            message = f"{value.shown} has no unit, but {describe(wanted)} stands beside it"
            remedy = f"write {value.shown} '{wanted_code}'"
        elif "1" in {given_code, wanted_code}:
            message = f"{describe(wanted)} stands beside {describe(value.type)}"
            remedy = "give both a unit of the same kind"
        else:
            kinds = [describe_dimension(unit(code).dimension) for code in (given_code, wanted_code)]
            message = f"{given_code!r} ({kinds[0]}) and {wanted_code!r} ({kinds[1]}) measure different things"
            remedy = f"use a unit that can be converted to {wanted_code!r}"
        self._note(UnitProblem, message, remedy, column)

    def _converted(self, value: Meaning, wanted_code: str, column: int) -> Meaning:
        given_code = _unit_of(value.type)
        type_: Type = DecimalType() if wanted_code == "1" else QuantityType(wanted_code)
        if isinstance(value, Fixed) and value.exact is not None:
            exact = convert(value.exact, given_code, wanted_code)
            return Fixed(float(exact), type_, False, value.shown, exact)
        given, target = unit(given_code), unit(wanted_code)
        factor, shift = given.factor / target.factor, (given.offset - target.offset) / target.factor
        if factor == 1 and not shift:
            return _retyped(value, type_)
        return Converted(
            value, float(factor.numerator), float(factor.denominator), float(shift), type_, value.spread, column
        )

    # Words for messages

    def _source(self, node: Node) -> str:
        """A short name for a part of the expression."""
        match node:
            case Name(reference=reference):
                return reference.key
            case Quoted(text=text):
                return repr(text[:40])
            case Number():
                return _shown(node)
            case _:
                names = _keys(node)
                return f"what is computed from {', '.join(names[:3])}" if names else "this value"

    def _note(self, kind: type[ExpressionError], message: str, remedy: str, column: int, **given: object) -> None:
        given = {key: value for key, value in given.items() if key not in {"column", "where"}}
        self.found.append(kind(message, remedy=remedy, column=column, where=self._where, **given))


def _keys(node: Node) -> list[str]:
    return list(dict.fromkeys(part.reference.key for part in walk(node) if isinstance(part, Name)))


def _shown(node: Number) -> str:
    return node.text if node.unit is None else f"{node.text} {node.unit}"


def _unit_of(type_: Type) -> str:
    return type_.unit if isinstance(type_, QuantityType) else "1"


def _is_date(value: Meaning | None) -> bool:
    return value is not None and isinstance(value.type, DateType)


def _has_offset(type_: Type) -> bool:
    return isinstance(type_, QuantityType) and unit(type_.unit).offset != 0


def _same_codes(first: CodeType, second: CodeType) -> bool:
    return first.codelist == second.codelist and (bool(first.codelist) or first.values == second.values)


def _common_type(values: Sequence[Meaning]) -> Type:
    """The type of one of several aligned values."""
    types = [value.type for value in values]
    quantity = next((type_ for type_ in types if isinstance(type_, QuantityType)), None)
    if quantity is not None:
        return quantity
    if any(isinstance(type_, DecimalType) for type_ in types):
        return DecimalType()
    if any(isinstance(type_, DateType) and type_.partial for type_ in types):
        return DateType(partial=True)
    return types[0]


def _composed(first: str, operator: str, second: str) -> str:
    """The UCUM code of a product or quotient."""
    if second == "1":
        return first
    wrapped = f"({second})" if any(sign in second for sign in "./") else second
    if first == "1":
        return second if operator == "*" else f"/{wrapped}"
    return f"{first}{'.' if operator == '*' else '/'}{wrapped}"


def _retyped(value: Meaning, type_: Type) -> Meaning:
    """The same number under another name for the same unit (``{score}`` and no unit)."""
    return Converted(value, 1.0, 1.0, 0.0, type_, value.spread, 0)


def _names_here(scope: Scope) -> str:
    # Facts in one place, items in another: showing some says which of them this place knows.
    some = ", ".join(list(scope)[:6])
    return f"names that count here: {some}{' …' if len(scope) > 6 else ''}" if some else "no name counts here"


def _nearest(name: str, scope: Scope) -> str | None:
    near = difflib.get_close_matches(name, scope, n=1, cutoff=0.6)
    if near:
        return near[0]
    ends = [item for item in scope if item.rsplit(".", 1)[-1] == name.rsplit(".", 1)[-1]]
    return ends[0] if len(ends) == 1 else None
