"""The SQL target: DuckDB and PostgreSQL as written here, other engines through sqlglot.

Numbers are doubles everywhere: columns and literals are cast. A spread value is two columns, its earliest and its
latest. NaN and numbers out of range become NULL where a column is read, a zero divisor becomes NULL before it
divides.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

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
from trialwright.expressions._resolver import resolve
from trialwright.expressions.errors import TooLarge, TypeProblem
from trialwright.expressions.syntax import Expression
from trialwright.expressions.types import BooleanType, DecimalType, IntegerType, QuantityType, Scope
from trialwright.expressions.values import LARGEST, SMALLEST

_LONGEST = 200_000
_LONGEST_IDENTIFIER = 63  # PostgreSQL cuts longer names silently
_SIGNS = {"<": "<", "<=": "<=", ">": ">", ">=": ">=", "==": "=", "!=": "<>"}
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "<>", "!=": "="}

# (the least text, the greatest text) of a node; the same text twice when it is not spread.
_Ends = tuple[str, str]


def to_sql(
    expression: Expression,
    scope: Scope,
    dialect: str = "duckdb",
    column: Callable[[str], str] | None = None,
    *,
    admitted: bool = False,
) -> str:
    """An SQL expression with the value of an expression: TRUE, FALSE or NULL for a condition.

    Args:
        expression: see :func:`parse`.
        scope: the types of its references.
        dialect: ``duckdb``, ``postgres``, or another that sqlglot writes.
        column: the column name for a reference key; as a rule the key itself. A partial date has two columns of type
            DATE, named with `` from`` and `` to`` after it. Numbers may have any numeric type.
        admitted: the columns hold values from behind the door (:func:`admit`), or NULL, so that the door need not be
            passed again for each row.

    Raises:
        ExpressionError: the expression does not fit the scope, or its SQL would be too long.
    """
    meaning = resolve(expression, scope)
    writer = _Writer(expression, dialect, column or _own_name, admitted)
    return _for_dialect(writer.whole(meaning), dialect, expression)


def to_sql_verdict(
    expression: Expression,
    scope: Scope,
    dialect: str = "duckdb",
    column: Callable[[str], str] | None = None,
    *,
    admitted: bool = False,
) -> str:
    """The verdict of a condition as text ``'yes'``, ``'no'`` or ``'unknown'``, for engines without a boolean type.

    Raises:
        ExpressionError: as :func:`to_sql`, or the expression is not a condition.
    """
    meaning = resolve(expression, scope)
    if not isinstance(meaning.type, BooleanType):
        raise TypeProblem(
            "only a condition has a verdict",
            remedy="compare it with something",
            column=1,
            where=expression.where,
        )
    writer = _Writer(expression, dialect, column or _own_name, admitted)
    yes, no = writer.holds(meaning, wanted=True), writer.holds(meaning, wanted=False)
    verdict = f"CASE WHEN {yes} THEN 'yes' WHEN {no} THEN 'no' ELSE 'unknown' END"
    return _for_dialect(verdict, dialect, expression)


def sql_columns(key: str, partial: bool, column: Callable[[str], str] | None = None) -> tuple[str, ...]:
    """The column names of a reference: one, or the two of a partial date.

    Raises:
        TypeProblem: a name is too long for PostgreSQL.
    """
    name = (column or _own_name)(key)
    return (f"{name} from", f"{name} to") if partial else (name,)


def _own_name(key: str) -> str:
    return key


def _for_dialect(text: str, dialect: str, expression: Expression) -> str:
    if dialect in {"duckdb", "postgres"}:
        return text
    # Loaded here: few ever ask for another dialect, and its grammar takes a tenth of the program's start.
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        return sqlglot.transpile(text, read="duckdb", write=dialect)[0]
    except (SqlglotError, ValueError) as error:
        raise TypeProblem(
            f"no SQL can be written for {dialect!r}: {str(error).splitlines()[0][:200]}",
            remedy="name a dialect that sqlglot writes, for example duckdb, postgres, sqlite, bigquery or tsql",
            column=1,
            where=expression.where,
        ) from None


class _Writer:
    def __init__(self, expression: Expression, dialect: str, column: Callable[[str], str], admitted: bool) -> None:
        self._admitted = admitted
        self._where = expression.where
        self._postgres = dialect == "postgres"
        self._column = column

    def whole(self, meaning: Meaning) -> str:
        low, high = self._ends(meaning)
        return f"CASE WHEN {low} = {high} THEN {low} END" if meaning.spread else low

    def holds(self, node: Meaning, *, wanted: bool) -> str:
        """A predicate that is true exactly when a condition has the wanted value, and uses no boolean *values*:
        engines without a boolean type know predicates only after WHEN, AND, OR and NOT."""
        match node:
            case Fixed(value=value):
                return "1 = 1" if value is wanted else "1 = 0"
            case Input():
                return self._one(node) if wanted else f"(NOT {self._one(node)})"
            case Negation(value=value):
                return self.holds(value, wanted=not wanted)
            case Every(values=values) | Some(values=values):
                word = " AND " if isinstance(node, Every) is wanted else " OR "
                return f"({word.join(self.holds(value, wanted=wanted) for value in values)})"
            case FirstKnown(values=values):
                cases = " ".join(self._numbered(value) for value in values)
                return f"CASE {cases} END = {int(wanted)}"
            case IsMissing(value=value) if isinstance(value.type, BooleanType):
                return f"CASE {self._numbered(value)} ELSE 2 END {'=' if wanted else '<>'} 2"
            case Compare(operator=operator, left=left, right=right) if isinstance(left.type, BooleanType):
                same = wanted is (operator == "==")
                pairs = [
                    f"({self.holds(left, wanted=value)} AND {self.holds(right, wanted=value is same)})"
                    for value in (True, False)
                ]
                return f"({' OR '.join(pairs)})"
            case Compare():
                return self._predicates(node)[0 if wanted else 1]
            case _:
                return self._one(node) if wanted else f"(NOT {self._one(node)})"

    def _numbered(self, condition: Meaning) -> str:
        yes, no = self.holds(condition, wanted=True), self.holds(condition, wanted=False)
        return f"WHEN {yes} THEN 1 WHEN {no} THEN 0"

    def _ends(self, node: Meaning) -> _Ends:
        ends = self._written(node)
        if len(ends[0]) + len(ends[1]) > _LONGEST:
            raise TooLarge(
                "the SQL of this expression would be too long",
                remedy="split it into derived items",
                column=1,
                where=self._where,
            )
        return ends

    def _one(self, node: Meaning) -> str:
        return self._ends(node)[0]

    def _written(self, node: Meaning) -> _Ends:
        match node:
            case Input():
                return self._input(node)
            case Fixed():
                return _fixed(node)
            case Arithmetic():
                return self._arithmetic(node)
            case Converted():
                low, high = self._ends(node.value)
                return _converted(low, node), _converted(high, node)
            case Negative():
                low, high = self._ends(node.value)
                return f"(- {high})", f"(- {low})"
            case Absolute():
                return self._absolute(node)
            case Extreme():
                return self._extreme(node)
            case FirstKnown():
                ends = [self._ends(value) for value in node.values]
                lows, highs = (", ".join(side) for side in zip(*ends, strict=True))
                return f"COALESCE({lows})", f"COALESCE({highs})"
            case Span():
                return self._span(node)
            case _:
                condition = self._condition(node)
                return condition, condition

    def _condition(self, node: Compare | Member | IsMissing | Negation | Every | Some) -> str:
        match node:
            case Compare():
                return self._compare(node)
            case Member():
                options = ", ".join(_fixed(option)[0] for option in node.options)
                return f"({self._one(node.value)} IN ({options}))"
            case IsMissing():
                return f"({self._one(node.value)} IS NULL)"
            case Negation():
                return f"(NOT {self._one(node.value)})"
            case Every():
                return f"({' AND '.join(self._one(value) for value in node.values)})"
            case Some():
                return f"({' OR '.join(self._one(value) for value in node.values)})"

    def _input(self, node: Input) -> _Ends:
        names = sql_columns(node.key, node.spread, self._column)
        for name in names:
            if len(name.encode()) > _LONGEST_IDENTIFIER:
                raise TooLarge(
                    f"the column name {name!r} has more than {_LONGEST_IDENTIFIER} bytes",
                    remedy="give to_sql a function that names the columns",
                    column=node.reference.column,
                    where=self._where,
                )
        texts = [_identifier(name) for name in names]
        if isinstance(node.type, IntegerType | DecimalType | QuantityType):
            texts = [_cast(text) if self._admitted else _number_door(text) for text in texts]
        return texts[0], texts[-1]

    def _arithmetic(self, node: Arithmetic) -> _Ends:
        (a, b), (c, d) = self._ends(node.left), self._ends(node.right)
        sign = node.operator
        if sign == "/":
            c, d = f"NULLIF({c}, 0)", f"NULLIF({d}, 0)"
        if sign == "-":
            c, d = d, c
        low, high = f"({a} {sign} {c})", f"({b} {sign} {d})"
        falling = node.spread and sign in {"*", "/"} and negative_factor(node)
        return (high, low) if falling else (low, high)

    def _absolute(self, node: Absolute) -> _Ends:
        low, high = self._ends(node.value)
        if not node.spread:
            return f"ABS({low})", f"ABS({low})"
        least = f"CASE WHEN {low} IS NOT NULL THEN GREATEST({low}, (- {high}), {_double(0.0)}) END"
        return least, f"GREATEST((- {low}), {high})"

    def _extreme(self, node: Extreme) -> _Ends:
        ends = [self._ends(value) for value in node.values]
        function = "LEAST" if node.which == "min" else "GREATEST"
        # LEAST and GREATEST pass over NULL; here the smallest of an unknown and a number is unknown.
        known = " AND ".join(
            f"{low} IS NOT NULL"
            for (low, _), value in zip(ends, node.values, strict=True)
            if not isinstance(value, Fixed)
        )
        low, high = (f"CASE WHEN {known} THEN {function}({', '.join(side)}) END" for side in zip(*ends, strict=True))
        return low, high

    def _span(self, node: Span) -> _Ends:
        (start, latest_start), (end, latest_end) = self._ends(node.start), self._ends(node.end)
        count = self._days if node.unit == "days" else _years
        return count(latest_start, end), count(start, latest_end)

    def _days(self, start: str, end: str) -> str:
        days = f"({end} - {start})" if self._postgres else f"DATE_DIFF('day', {start}, {end})"
        return f"CAST({days} AS DOUBLE PRECISION)"

    def _compare(self, node: Compare) -> str:
        yes, no = self._predicates(node)
        if not node.left.spread and not node.right.spread:
            return yes
        return f"CASE WHEN {yes} THEN TRUE WHEN {no} THEN FALSE END"

    def _predicates(self, node: Compare) -> tuple[str, str]:
        """When a comparison is yes, and when it is no."""
        (a, b), (c, d) = self._ends(node.left), self._ends(node.right)
        if not node.left.spread and not node.right.spread:
            return f"({a} {_SIGNS[node.operator]} {c})", f"({a} {_OPPOSITE[node.operator]} {c})"
        match node.operator:
            case "<":
                return f"({b} < {c})", f"({a} >= {d})"
            case "<=":
                return f"({b} <= {c})", f"({a} > {d})"
            case ">":
                return f"({a} > {d})", f"({b} <= {c})"
            case ">=":
                return f"({a} >= {d})", f"({b} < {c})"
        apart, same = f"({b} < {c} OR {d} < {a})", f"({a} = {b} AND {c} = {d} AND {a} = {c})"
        return (same, apart) if node.operator == "==" else (apart, same)


def _fixed(node: Fixed) -> _Ends:
    value = node.value
    if isinstance(value, tuple):
        return f"DATE '{value[0].isoformat()}'", f"DATE '{value[1].isoformat()}'"
    if isinstance(value, bool):
        text = "TRUE" if value else "FALSE"
    elif isinstance(value, float):
        text = _double(value)
    elif isinstance(value, date):
        text = f"DATE '{value.isoformat()}'"
    else:
        text = "'" + value.replace("'", "''") + "'"
    return text, text


def _double(value: float) -> str:
    """A literal by its shortest text; a bare 0.1 would be a decimal and compare otherwise than a double."""
    return f"CAST('{value!r}' AS DOUBLE PRECISION)"


def _cast(column: str) -> str:
    return f"CAST({column} AS DOUBLE PRECISION)"


def _number_door(column: str) -> str:
    number = _cast(column)
    within = f"ABS({number}) BETWEEN {_double(SMALLEST)} AND {_double(LARGEST)}"
    return f"CASE WHEN {within} OR {number} = 0 THEN {number} END"


def _converted(value: str, node: Converted) -> str:
    if node.numerator != 1:
        value = f"{value} * {_double(node.numerator)}"
    if node.denominator != 1:
        value = f"{value} / {_double(node.denominator)}"
    if node.shift:
        value = f"{value} + {_double(node.shift)}"
    return f"({value})"


def _years(start: str, end: str) -> str:
    """Completed years: the difference of the dates read as numbers yyyymmdd, whole ten thousands of it."""
    difference = f"CAST({_day_number(end)} - {_day_number(start)} AS DOUBLE PRECISION)"
    return f"FLOOR({difference} / {_double(10_000.0)})"


def _day_number(day: str) -> str:
    return f"(EXTRACT(YEAR FROM {day}) * 10000 + EXTRACT(MONTH FROM {day}) * 100 + EXTRACT(DAY FROM {day}))"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
