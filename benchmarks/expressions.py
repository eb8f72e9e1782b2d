"""Speed of expressions: ``python benchmarks/expressions.py`` prints figures taken in one run.

Six criteria as in an eligibility list (age, course of the disease, EDSS, duration, kidney function, platelets with an
exception) over rows in which about one value in twelve is missing.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import duckdb
from figures import Figure, best, show

from trialwright.expressions import (
    BooleanType,
    CodeType,
    Compiled,
    DateType,
    IntegerType,
    QuantityType,
    admit,
    ask_next,
    compile_python,
    parse,
    to_sql,
)

SCOPE = {
    "age": IntegerType(),
    "course": CodeType(("PPMS", "SPMS", "RRMS"), "course"),
    "edss": QuantityType("{score}"),
    "diagnosis": DateType(),
    "screening": DateType(),
    "egfr": QuantityType("mL/min/{1.73_m2}"),
    "platelets": QuantityType("10*9/L"),
    "anticoagulants": BooleanType(),
}
CRITERIA = [
    "18 <= age <= 55",
    "course in ('PPMS', 'SPMS')",
    "4 <= edss <= 7",
    "2 <= years_between(diagnosis, screening) <= 18",
    "egfr >= 60 'mL/min/{1.73_m2}'",
    "platelets >= 100 '10*9/L' and not anticoagulants",
]
PYTHON_ROWS, DUCKDB_ROWS, RULES = 100_000, 4_000_000, 20_000


def figures() -> Iterator[Figure]:
    """Every figure, as it is taken."""
    criteria = [compile_python(parse(text), SCOPE) for text in CRITERIA]
    yield Figure.rate("Python, six verdicts", PYTHON_ROWS, best(_python(criteria)), "rows/s", 300_000)
    yield Figure.rate("Python, door and reasons", PYTHON_ROWS // 10, best(_python_with_door(criteria)), "rows/s")
    duckdb, with_door = best(_duckdb(admitted=True)), best(_duckdb(admitted=False))
    yield Figure.rate("DuckDB, 2 threads, six verdicts", DUCKDB_ROWS, duckdb, "rows/s", 8_000_000, threads=2)
    yield Figure.rate("DuckDB, 2 threads, with the door", DUCKDB_ROWS, with_door, "rows/s", threads=2)
    rules = best(_rules())
    yield Figure("20,000 rules on one person", rules.clock, rules.processor, "s", 0.5, less=True)
    yield Figure.rate("ask next", 100, best(_asking(criteria)), "questions/s")


def _values(chance: random.Random) -> dict[str, object]:
    screening = date(2021, 8, 9) + timedelta(days=chance.randrange(700))
    values: dict[str, object] = {
        "age": chance.randint(16, 60),
        "course": chance.choice(["PPMS", "SPMS", "SPMS", "RRMS"]),
        "edss": chance.choice([3.5, 4.0, 5.5, 6.0, 6.5, 7.0, 7.5]),
        "diagnosis": screening - timedelta(days=chance.randrange(300, 8_000)),
        "screening": screening,
        "egfr": chance.uniform(45, 120),
        "platelets": chance.uniform(80, 400),
        "anticoagulants": chance.random() < 0.1,
    }
    return {name: None if chance.random() < 0.08 else value for name, value in values.items()}


def _python(criteria: list[Compiled]) -> Callable[[], object]:
    chance = random.Random(1)
    rows = [admit(SCOPE, _values(chance)).cells for _ in range(PYTHON_ROWS)]
    a, b, c, d, e, f = (compiled.decide for compiled in criteria)
    return lambda: [(a(row), b(row), c(row), d(row), e(row), f(row)) for row in rows]


def _python_with_door(criteria: list[Compiled]) -> Callable[[], object]:
    chance = random.Random(1)
    people = [_values(chance) for _ in range(PYTHON_ROWS // 10)]

    def all_verdicts() -> None:
        for person in people:
            row = admit(SCOPE, person)
            for compiled in criteria:
                compiled.on(row)

    return all_verdicts


def _duckdb(*, admitted: bool) -> Callable[[], object]:
    connection = duckdb.connect(":memory:", config={"threads": min(2, os.cpu_count() or 1)})
    connection.execute("SELECT setseed(0.5)")
    connection.execute(
        f"""CREATE TABLE facts AS SELECT
            {_some("CAST(16 + random() * 45 AS INTEGER)")} AS age,
            {_some("['PPMS', 'SPMS', 'RRMS'][1 + CAST(floor(random() * 3) AS INTEGER)]")} AS course,
            {_some("round(random() * 8) / 2 + 3.5")} AS edss,
            {_some("DATE '2021-08-09' - CAST(random() * 8000 AS INTEGER)")} AS diagnosis,
            {_some("DATE '2021-08-09' + CAST(random() * 700 AS INTEGER)")} AS screening,
            {_some("45 + random() * 75")} AS egfr,
            {_some("80 + random() * 320")} AS platelets,
            {_some("random() < 0.1")} AS anticoagulants
        FROM range({DUCKDB_ROWS})"""
    )
    verdicts = [to_sql(parse(text), SCOPE, "duckdb", admitted=admitted) for text in CRITERIA]
    counts = ", ".join(f"count({verdict}), count_if({verdict})" for verdict in verdicts)
    return lambda: connection.execute(f"SELECT {counts} FROM facts").fetchall()


def _some(expression: str) -> str:
    return f"CASE WHEN random() >= 0.08 THEN {expression} END"


def _rules() -> Callable[[], object]:
    """20,000 different rules, compiled beforehand, all asked of one person."""
    chance = random.Random(2)
    rules = [compile_python(parse(_rule(chance)), SCOPE) for _ in range(RULES)]
    person = _values(chance)

    def ask_all() -> None:
        row = admit(SCOPE, person)
        for rule in rules:
            rule.on(row)

    return ask_all


def _rule(chance: random.Random) -> str:
    kidneys = f"egfr > {chance.randint(30, 90)} 'mL/min/{{1.73_m2}}'"
    course = f"course == '{chance.choice(['PPMS', 'SPMS'])}'"
    ages = f"{chance.randint(16, 30)} <= age <= {chance.randint(40, 70)}"
    return f"{ages} and edss >= {chance.randint(1, 6)} and ({kidneys} or {course})"


def _asking(criteria: list[Compiled]) -> Callable[[], object]:
    row = admit(SCOPE, {"age": 34})
    return lambda: [ask_next(criteria, row) for _ in range(100)]


if __name__ == "__main__":
    show("Expressions", figures())
