"""The texts of the SQL and JavaScript targets; that they compute alike is proved in tests/property."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from itertools import product

import duckdb
import pytest
import sqlglot

from trialwright.expressions import (
    IntegerType,
    TooLarge,
    Type,
    TypeProblem,
    compile_python,
    javascript_runtime,
    parse,
    sql_columns,
    to_javascript,
    to_sql,
    to_sql_verdict,
)

BOOLEAN_FREE = [
    "pregnant",
    "not pregnant and age > 1",
    "pregnant == (age > 1)",
    "pregnant != (age > 1)",
    "coalesce(pregnant, age > 1)",
    "(age > 1) is missing or pregnant",
    "not ((age > 1 or pregnant) is missing)",
    "ms.course not in ('PPMS', 'SPMS')",
    "1 / (age - 2) >= 0.5",
    "min(age, 2) == 2",
    "true and age != 3",
]


@pytest.mark.parametrize("text", BOOLEAN_FREE)
def test_the_verdict_is_right_on_an_engine_without_booleans(text: str, scope: Mapping[str, Type]) -> None:
    """SQLite computes what sqlglot makes of it; the fast Python form says what is right."""
    expression = parse(text)
    compiled = compile_python(expression, scope)
    query = f"SELECT {to_sql_verdict(expression, scope, 'sqlite')} FROM facts"
    connection = sqlite3.connect(":memory:")
    for age, pregnant, course in product([None, 1, 2, 3], [None, False, True], [None, "PPMS", "RRMS"]):
        connection.execute("DROP TABLE IF EXISTS facts")
        connection.execute('CREATE TABLE facts (age INTEGER, pregnant INTEGER, "ms.course" TEXT)')
        connection.execute("INSERT INTO facts VALUES (?, ?, ?)", (age, pregnant, course))
        expected = compiled.verdict({"age": age, "pregnant": pregnant, "ms.course": course}).truth.value
        assert connection.execute(query).fetchone() == (expected,), (age, pregnant, course)


@pytest.mark.parametrize("dialect", ["bigquery", "spark", "trino", "snowflake", "tsql", "oracle", "mysql"])
def test_other_engines_get_a_text_that_their_grammar_reads(dialect: str, scope: Mapping[str, Type]) -> None:
    for text in (*BOOLEAN_FREE, "years_between(birth, visit) >= 18", "days_between(birth, visit) > 3"):
        written = to_sql_verdict(parse(text), scope, dialect)
        assert sqlglot.parse_one(f"SELECT {written} AS verdict", read=dialect)


def test_an_unknown_engine_is_refused_by_name(scope: Mapping[str, Type]) -> None:
    with pytest.raises(TypeProblem):
        to_sql(parse("age > 1"), scope, "punchcards")


def test_only_a_condition_has_an_sql_verdict(scope: Mapping[str, Type]) -> None:
    with pytest.raises(TypeProblem):
        to_sql_verdict(parse("age + 1"), scope)


def test_a_column_name_that_postgresql_would_cut_is_refused() -> None:
    name = "vitals." + "w" * 60
    scope = {name: IntegerType()}
    with pytest.raises(TooLarge):
        to_sql(parse(f"{name} > 1"), scope, "postgres")
    assert '"w"' in to_sql(parse(f"{name} > 1"), scope, "postgres", column=lambda _key: "w")


def test_a_partial_date_has_two_columns() -> None:
    assert sql_columns("birth", partial=True) == ("birth from", "birth to")
    assert sql_columns("visit", partial=False) == ("visit",)


def test_names_and_texts_are_quoted(scope: Mapping[str, Type]) -> None:
    text = to_sql(parse("""remark == "it's" """), scope, column=lambda _key: 'a"b; --')
    connection = duckdb.connect(":memory:")
    connection.execute("""CREATE TABLE facts AS SELECT 'it''s' AS "a""b; --" """)
    assert connection.execute(f"SELECT {text} FROM facts").fetchone() == (True,)


def test_an_expression_whose_sql_would_explode_is_refused(scope: Mapping[str, Type]) -> None:
    doubled = "days_between(birth, visit)"
    for _ in range(30):
        doubled = f"abs({doubled})"
    with pytest.raises(TooLarge):
        to_sql(parse(f"{doubled} > 1"), scope)


def test_javascript_is_safe_inside_a_script_element(scope: Mapping[str, Type]) -> None:
    text = to_javascript(parse("remark == '</script><!--'"), scope)
    assert "<" not in text
    assert text.isascii()
    assert "eval" not in javascript_runtime().replace("no `eval`", "")
