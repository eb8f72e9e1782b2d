"""Speed of expressions: ``python benchmarks/expressions.py`` prints figures taken in one run.

Six criteria as in an eligibility list (age, course of the disease, EDSS, duration, kidney function, platelets with an
exception) over rows in which about one value in twelve is missing.
"""

from __future__ import annotations

import gc
import os
import random
from datetime import date, timedelta
from time import perf_counter

import duckdb

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


def main() -> None:
    """Measure and print."""
    criteria = [compile_python(parse(text), SCOPE) for text in CRITERIA]
    print(f"Python, verdicts      {_python(criteria):>12,.0f} rows/s (six criteria each)")
    print(f"Python, with the door {_python_with_door(criteria):>12,.0f} rows/s")
    print(f"DuckDB, 2 threads     {_duckdb():>12,.0f} rows/s")
    print(f"20,000 rules, one person {_rules():.3f} s")
    print(f"ask next              {_asking(criteria) * 1e3:.3f} ms")


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


def _python(criteria: list[Compiled]) -> float:
    chance = random.Random(1)
    rows = [admit(SCOPE, _values(chance)).cells for _ in range(PYTHON_ROWS)]
    a, b, c, d, e, f = (compiled.decide for compiled in criteria)
    return PYTHON_ROWS / _best(lambda: [(a(row), b(row), c(row), d(row), e(row), f(row)) for row in rows])


def _python_with_door(criteria: list[Compiled]) -> float:
    chance = random.Random(1)
    people = [_values(chance) for _ in range(PYTHON_ROWS // 10)]

    def all_verdicts() -> None:
        for person in people:
            row = admit(SCOPE, person)
            for compiled in criteria:
                compiled.on(row)

    return len(people) / _best(all_verdicts)


def _duckdb() -> float:
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
    verdicts = [to_sql(parse(text), SCOPE, "duckdb") for text in CRITERIA]
    counts = ", ".join(f"count({verdict}), count_if({verdict})" for verdict in verdicts)
    return DUCKDB_ROWS / _best(lambda: connection.execute(f"SELECT {counts} FROM facts").fetchall())


def _some(expression: str) -> str:
    return f"CASE WHEN random() >= 0.08 THEN {expression} END"


def _rules() -> float:
    """20,000 different rules, compiled beforehand, all asked of one person."""
    chance = random.Random(2)
    rules = [
        compile_python(
            parse(
                f"{chance.randint(16, 30)} <= age <= {chance.randint(40, 70)} and edss >= {chance.randint(1, 6)} "
                f"and (egfr > {chance.randint(30, 90)} 'mL/min/{{1.73_m2}}' or course == '{chance.choice(['PPMS', 'SPMS'])}')"
            ),
            SCOPE,
        )
        for _ in range(RULES)
    ]
    person = _values(chance)

    def ask_all() -> None:
        row = admit(SCOPE, person)
        for rule in rules:
            rule.on(row)

    return _best(ask_all)


def _asking(criteria: list[Compiled]) -> float:
    row = admit(SCOPE, {"age": 34})
    return _best(lambda: [ask_next(criteria, row) for _ in range(100)]) / 100


def _best(act: object, times: int = 3) -> float:
    assert callable(act)
    taken = []
    for _ in range(times):
        gc.collect()
        start = perf_counter()
        act()
        taken.append(perf_counter() - start)
    return min(taken)


if __name__ == "__main__":
    main()
