"""The language as tables: an expression, values, what it answers. The manual is rendered from them.

After changing a table: ``python tests/spec/expressions/test_language.py`` writes ``docs/reference/expressions.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from trialwright.expressions import (
    BooleanType,
    CodeType,
    DateType,
    DecimalType,
    ExpressionError,
    IntegerType,
    Missing,
    QuantityType,
    TextType,
    Type,
    Verdict,
    compile_python,
    parse,
)
from trialwright.foundation.missing import MissingReason
from trialwright.foundation.quantities import Quantity

MANUAL = Path(__file__).parents[3] / "docs" / "reference" / "expressions.md"

SCOPE: Mapping[str, Type] = {
    "age": IntegerType(),
    "edss": QuantityType("{score}"),
    "index": DecimalType(),
    "weight": QuantityType("kg"),
    "vitals.weight": QuantityType("kg"),
    "height": QuantityType("m"),
    "temperature": QuantityType("Cel"),
    "platelets": QuantityType("10*9/L"),
    "share": QuantityType("%"),
    "course": CodeType(("PPMS", "SPMS", "RRMS"), "ms_course"),
    "remark": TextType(),
    "pregnant": BooleanType(),
    "consented": BooleanType(),
    "birth": DateType(partial=True),
    "onset": DateType(partial=True),
    "visit": DateType(),
}


@dataclass(frozen=True)
class Line:
    """One expression, the values it is given, and what it answers (or the problem it is refused for)."""

    expression: str
    values: Mapping[str, Any]
    answer: str


@dataclass(frozen=True)
class Table:
    """A section of the manual."""

    title: str
    text: str
    lines: tuple[Line, ...]


REFUSED = Missing(MissingReason.REFUSED)

TABLES = (
    Table(
        "Comparing",
        "`<`, `<=`, `>`, `>=`, `==` and `!=` compare two values of one kind; comparisons can be chained. Numbers are "
        "IEEE doubles in every target, so `0.1 + 0.2 <= 0.3` is *no* everywhere.",
        (
            Line("age >= 18", {"age": 18}, "yes"),
            Line("age >= 18", {"age": 17}, "no"),
            Line("18 <= age <= 55", {"age": 55}, "yes"),
            Line("18 <= age <= 55", {"age": 56}, "no"),
            Line("index + 0.2 <= 0.3", {"index": "0.1"}, "no"),
            Line("edss >= 4", {"edss": "4.0"}, "yes"),
            Line('course == "PPMS"', {"course": "PPMS"}, "yes"),
            Line('remark != "x"', {"remark": ""}, "yes"),
            Line("pregnant == consented", {"pregnant": False, "consented": False}, "yes"),
        ),
    ),
    Table(
        "Unknown",
        "A value that is missing makes an answer *unknown*, never yes or no, and the reason travels with it: "
        "*unknown (reference: reason)*. `and`, `or` and `not` follow Kleene: what is certain without the missing "
        "value stays certain.",
        (
            Line("age >= 18", {}, "unknown (age: not_asked)"),
            Line("age >= 18", {"age": REFUSED}, "unknown (age: refused)"),
            Line("age >= 18 and edss >= 4", {"age": 20}, "unknown (edss: not_asked)"),
            Line("age >= 18 and edss >= 4", {"age": 17}, "no"),
            Line("age >= 18 or edss >= 4", {"age": 18}, "yes"),
            Line("age >= 18 or edss >= 4", {"age": 17, "edss": REFUSED}, "unknown (edss: refused)"),
            Line("not (platelets < 100 '10*9/L')", {}, "unknown (platelets: not_asked)"),
            Line("index > 1", {"index": float("nan")}, "unknown (index: out_of_range)"),
            Line("index > 1", {"index": 1e16}, "unknown (index: out_of_range)"),
        ),
    ),
    Table(
        "Asking whether a value is there",
        "`is missing`, `is not missing` and `known(…)` always answer yes or no. `coalesce` gives the first value "
        "that is there.",
        (
            Line("weight is missing", {}, "yes"),
            Line("weight is missing", {"weight": REFUSED}, "yes"),
            Line("weight is not missing", {"weight": 70}, "yes"),
            Line("known(weight)", {"weight": 70}, "yes"),
            Line("(age > 18) is missing", {}, "yes"),
            Line("birth is missing", {"birth": "1990"}, "no"),
            Line("coalesce(index, 0)", {}, "0"),
            Line("coalesce(weight, vitals.weight)", {"vitals.weight": "72.5"}, "72.5"),
            Line("coalesce(weight, vitals.weight)", {}, "unknown (weight: not_asked, vitals.weight: not_asked)"),
        ),
    ),
    Table(
        "Lists",
        "`in` and `not in` look a value up in a list of literals. A code that its list does not have is an error.",
        (
            Line("course in ('PPMS', 'SPMS')", {"course": "SPMS"}, "yes"),
            Line("course not in ('PPMS', 'SPMS')", {"course": "SPMS"}, "no"),
            Line("course in ('PPMS', 'SPMS')", {}, "unknown (course: not_asked)"),
            Line("age in (18, 19)", {"age": 19}, "yes"),
            Line("course in ('PPSM')", {}, "error at 12: 'PPSM' is not a code of ms_course"),
        ),
    ),
    Table(
        "Units",
        "A literal beside a quantity carries its unit, in UCUM. Units of one kind are converted, exactly where "
        "possible; others are an error. `{score}` and no unit are the same. Values entered in another unit are "
        "converted before they are compared.",
        (
            Line("weight > 50 'kg'", {"weight": "50.1"}, "yes"),
            Line("weight > 50000 'g'", {"weight": "50.1"}, "yes"),
            Line("weight > 50 'kg'", {"weight": Quantity("120", "[lb_av]")}, "yes"),
            Line("weight / (height * height) < 30 'kg/m2'", {"weight": 90, "height": "1.80"}, "yes"),
            Line("weight / 500 'g'", {"weight": 2}, "4"),
            Line("temperature >= 100.4 '[degF]'", {"temperature": 38}, "yes"),
            Line("temperature - 37 'Cel' > 1 'K'", {"temperature": "38.5"}, "yes"),
            Line("share > 50 '%'", {"share": 51}, "yes"),
            Line("weight > 5 'cm'", {}, "error at 8: 'cm' (length) and 'kg' (mass) measure different things"),
            Line("weight > 5", {}, "error at 8: 5 has no unit, but a quantity in kg stands beside it"),
            Line("weight > 5 'kgs'", {}, "error at 10: 'kgs' is not a UCUM unit code that can be converted"),
            Line(
                "temperature * 2 > 3 'K'",
                {},
                "error at 13: a quantity in Cel cannot be multiplied: its zero is not nothing",
            ),
        ),
    ),
    Table(
        "Arithmetic",
        "`+ - * /`, the sign `-`, `abs`, `min` and `max`; unknown when a part is. Dividing by zero is unknown, with "
        "that reason.",
        (
            Line("age * 2 + 1", {"age": 20}, "41"),
            Line("-index", {"index": "1.5"}, "-1.5"),
            Line("1 / index", {"index": 0}, "unknown (index: division_by_zero)"),
            Line("abs(index)", {"index": -2}, "2"),
            Line("min(index, age, 3)", {"index": 5, "age": 4}, "3"),
            Line("max(index, age)", {"index": 5}, "unknown (age: not_asked)"),
            Line("pregnant + 1", {}, "error at 1: pregnant is a yes/no value and cannot be added"),
            Line("'x' * 9", {}, "error at 1: 'x' is a text and cannot be multiplied"),
        ),
    ),
    Table(
        "Dates",
        "A date may be partial: `2021-06` is some day of June. It is never filled in; comparing it answers yes or no "
        "when every day it may be gives the same answer, else unknown. `years_between` counts completed years, "
        "`days_between` days; both may be open for partial dates, and then are compared in the same way.",
        (
            Line("visit >= '2021-06-14'", {"visit": "2021-06-14"}, "yes"),
            Line("birth < '1990-06-15'", {"birth": "1990-05"}, "yes"),
            Line("birth < '1990-06-15'", {"birth": "1990-06"}, "unknown (birth: partial_date)"),
            Line("birth < '1990-06-15'", {"birth": "1990-07"}, "no"),
            Line("visit >= '2021-06'", {"visit": "2021-06-14"}, "unknown (2021-06: partial_date)"),
            Line("birth == onset", {"birth": "1990", "onset": "1991-02"}, "no"),
            Line(
                "birth == onset",
                {"birth": "1990", "onset": "1990"},
                "unknown (birth: partial_date, onset: partial_date)",
            ),
            Line("years_between(birth, visit)", {"birth": "2003-06-15", "visit": "2021-06-14"}, "17"),
            Line("years_between(birth, visit)", {"birth": "2003-06-15", "visit": "2021-06-15"}, "18"),
            Line(
                "years_between(birth, visit) >= 18",
                {"birth": "2003", "visit": "2021-06-15"},
                "unknown (birth: partial_date)",
            ),
            Line("years_between(birth, visit) >= 18", {"birth": "2003", "visit": "2022-01-01"}, "yes"),
            Line("days_between(onset, visit) > 30", {"onset": "2021-05", "visit": "2021-07-01"}, "yes"),
            Line("abs(days_between(onset, visit)) <= 7", {"onset": "2021-06-10", "visit": "2021-06-03"}, "yes"),
            Line("max(onset, birth)", {"onset": "2021-06-10", "birth": "1990"}, "2021-06-10"),
            Line("visit > '2021-13'", {}, "error at 7: '2021-13' is not a date"),
        ),
    ),
    Table(
        "References",
        "A name is an item, with dots between its parts. `at(encounter).item` is the value of one encounter, "
        "`latest(item)` the last one, `latest(item, within=14)` the last one if it is at most 14 days old.",
        (
            Line("vitals.weight > 50 'kg'", {"vitals.weight": 60}, "yes"),
            Line("at(week_4).vitals.weight > 50 'kg'", {"at(week_4).vitals.weight": 60}, "yes"),
            Line(
                "latest(vitals.weight, within=14) > 50 'kg'",
                {"vitals.weight": 60},
                "unknown (latest(vitals.weight, within=14): not_asked)",
            ),
            Line("wieght > 50 'kg'", {}, "error at 1: nothing is called 'wieght'"),
            Line("course == PPMS", {}, "error at 11: nothing is called 'PPMS'"),
            Line("visit > today", {}, "error at 9: 'today' is not known to an expression"),
        ),
    ),
    Table(
        "Not in the language",
        "Whatever else Python has is refused, with its column.",
        (
            Line("age ** 2 > 3", {}, "error at 5: '**' is not an operator"),
            Line("age = 3", {}, "error at 5: '=' is not expected here"),
            Line("lambda", {}, "error at 1: 'lambda' is not part of the language"),
            Line("age.__class__", {}, "error at 5: a name starts with an underscore"),
            Line("open('x')", {}, "error at 1: 'open' is not a function"),
            Line("remark[0]", {}, "error at 7: '[' is not part of the language"),
            Line("age > 1 age < 2", {}, "error at 9: 'age' is not expected here"),
            Line("age == None", {}, "error at 8: 'None' is not a value"),
            Line("remark > 'x'", {}, "error at 8: a text has no order"),
        ),
    ),
)


def answer_of(line: Line) -> str:
    """What the language answers, in the words of the manual."""
    try:
        result = compile_python(parse(line.expression), SCOPE)(line.values)
    except ExpressionError as error:
        return f"error at {error.column}: {error.message}"
    if isinstance(result, Verdict):
        text = result.truth.value
    elif result.value is None:
        text = "unknown"
    else:
        text = f"{result.value:g}" if isinstance(result.value, float) else str(result.value)
    why = ", ".join(f"{reason.about}: {reason.why.value}" for reason in result.reasons)
    return f"{text} ({why})" if why else text


def manual() -> str:
    """The text of the reference page."""
    pieces = [
        "# The expression language",
        "",
        "One language for eligibility, edit checks, conditions, derivations, visit rules and analysis populations.",
        "Every line below is a test (`tests/spec/expressions/test_language.py`); this page is written from them.",
        "",
        "Limits: 10,000 characters, brackets 40 deep, operations 100 deep, numbers from 1e-15 to 1e15 and zero.",
        "Strongest first: the sign `-`; `* /`; `+ -`; comparisons, `in`, `is missing`; `not`; `and`; `or`.",
        "",
        "The examples know these items: " + ", ".join(f"`{name}`" for name in SCOPE) + ".",
    ]
    for table in TABLES:
        pieces += ["", f"## {table.title}", "", table.text, "", "| expression | given | answer |", "|---|---|---|"]
        for line in table.lines:
            given = ", ".join(f"{name} {_shown(value)}" for name, value in line.values.items()) or "nothing"
            pieces.append(f"| `{line.expression}` | {given} | {line.answer} |")
    return "\n".join([*pieces, ""])


def _shown(value: Any) -> str:
    if isinstance(value, Missing):
        return value.reason.value
    if isinstance(value, bool):
        return "yes" if value else "no"
    return repr(value) if value == "" else str(value)


LINES = [line for table in TABLES for line in table.lines]


@pytest.mark.parametrize("line", LINES, ids=[line.expression for line in LINES])
def test_an_expression_answers_as_the_manual_says(line: Line) -> None:
    assert answer_of(line) == line.answer


def test_the_manual_is_the_one_that_these_tables_write() -> None:
    assert MANUAL.read_text(encoding="utf-8") == manual(), "run python tests/spec/expressions/test_language.py"


if __name__ == "__main__":
    MANUAL.write_text(manual(), encoding="utf-8")
