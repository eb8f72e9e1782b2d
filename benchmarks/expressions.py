"""Speed of expressions: ``python benchmarks/expressions.py`` prints figures taken in one run.

Six criteria as in an eligibility list (age, course of the disease, EDSS, duration, kidney function, platelets with an
exception) over rows in which about one value in twelve is missing.
"""

from __future__ import annotations

import gc
import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from time import perf_counter, process_time

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
    """Measure and print. Processor time says what a busy machine hides: divided by the threads used, it is the time
    that an idle machine would take."""
    criteria = [compile_python(parse(text), SCOPE) for text in CRITERIA]
    print(f"{'':<34}{'by the clock':>14}{'by processor':>14}")
    _print("Python, six verdicts, rows/s", PYTHON_ROWS, _python(criteria))
    _print("Python, door and reasons, rows/s", PYTHON_ROWS // 10, _python_with_door(criteria))
    _print("DuckDB, 2 threads, rows/s", DUCKDB_ROWS, _duckdb(admitted=True), threads=2)
    _print("DuckDB, with the door, rows/s", DUCKDB_ROWS, _duckdb(admitted=False), threads=2)
    _print("20,000 rules on one person, times/s", 1, _rules())
    _print("ask next, times/s", 100, _asking(criteria))


@dataclass(frozen=True)
class Taken:
    """Seconds by the clock and of the processor."""

    clock: float
    processor: float


def _print(what: str, count: int, taken: Taken, threads: int = 1) -> None:
    by_processor = count * threads / taken.processor
    print(f"{what:<34}{count / taken.clock:>14,.1f}{by_processor:>14,.1f}")


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


def _python(criteria: list[Compiled]) -> Taken:
    chance = random.Random(1)
    rows = [admit(SCOPE, _values(chance)).cells for _ in range(PYTHON_ROWS)]
    a, b, c, d, e, f = (compiled.decide for compiled in criteria)
    return _best(lambda: [(a(row), b(row), c(row), d(row), e(row), f(row)) for row in rows])


def _python_with_door(criteria: list[Compiled]) -> Taken:
    chance = random.Random(1)
    people = [_values(chance) for _ in range(PYTHON_ROWS // 10)]

    def all_verdicts() -> None:
        for person in people:
            row = admit(SCOPE, person)
            for compiled in criteria:
                compiled.on(row)

    return _best(all_verdicts)


def _duckdb(*, admitted: bool) -> Taken:
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
    return _best(lambda: connection.execute(f"SELECT {counts} FROM facts").fetchall())


def _some(expression: str) -> str:
    return f"CASE WHEN random() >= 0.08 THEN {expression} END"


def _rules() -> Taken:
    """20,000 different rules, compiled beforehand, all asked of one person."""
    chance = random.Random(2)
    rules = [compile_python(parse(_rule(chance)), SCOPE) for _ in range(RULES)]
    person = _values(chance)

    def ask_all() -> None:
        row = admit(SCOPE, person)
        for rule in rules:
            rule.on(row)

    return _best(ask_all)


def _rule(chance: random.Random) -> str:
    kidneys = f"egfr > {chance.randint(30, 90)} 'mL/min/{{1.73_m2}}'"
    course = f"course == '{chance.choice(['PPMS', 'SPMS'])}'"
    ages = f"{chance.randint(16, 30)} <= age <= {chance.randint(40, 70)}"
    return f"{ages} and edss >= {chance.randint(1, 6)} and ({kidneys} or {course})"


def _asking(criteria: list[Compiled]) -> Taken:
    row = admit(SCOPE, {"age": 34})
    return _best(lambda: [ask_next(criteria, row) for _ in range(100)])


def _best(act: Callable[[], object], times: int = 3) -> Taken:
    clocks, processors = [], []
    for _ in range(times):
        gc.collect()
        clock, processor = perf_counter(), process_time()
        act()
        clocks.append(perf_counter() - clock)
        processors.append(process_time() - processor)
    return Taken(min(clocks), min(processors))


if __name__ == "__main__":
    main()
