"""No text, however made, gets anything but a clear error with its column."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialwright.expressions import (
    ExpressionError,
    Type,
    check,
    compile_python,
    explain,
    parse,
    to_javascript,
    to_sentence,
    to_sql,
    to_sql_verdict,
)
from trialwright.expressions.python import Compiled
from trialwright.expressions.values import admit

MEGABYTE = 1_000_000

HOSTILE = {
    "attribute": "age.__class__.__bases__",
    "attribute of a bracket": "(age).real",
    "attribute of a text": "'x'.join",
    "call": "open('/etc/passwd')",
    "call of an item": "age()",
    "call of a call": "abs(age)(1)",
    "method": "remark.format(1)",
    "import": "__import__('os').system('true')",
    "lambda": "lambda: 1",
    "comprehension": "[x for x in (1, 2)]",
    "conditional": "1 if age else 2",
    "walrus": "(x := 3)",
    "power": "9 ** 9 ** 9",
    "text times number": "'x' * 9",
    "text plus text": "remark + 'x'",
    "f-string": "f'{age}'",
    "byte text": "b'x' == remark",
    "escape": "remark == '\\x41'",
    "open quotation": "remark == 'x",
    "new line in quotation": "remark == 'a\nb'",
    "null character": "age > 1\x00",
    "lone surrogate": "remark == '\ud800'",
    "letters of another script": "аge > 1",
    "digits of another script": "age > ١",
    "exponent": "age > 1e400",
    "hexadecimal": "age > 0x10",
    "underscored number": "age > 1_000",
    "long number": "age > " + "9" * 5_000,
    "long fraction": "age > 0." + "0" * 5_000 + "1",
    "long name": "a" * 9_000,
    "long text": "remark == '" + "x" * 9_000 + "'",
    "long unit": "weight > 5 '" + "kg." * 3_000 + "kg'",
    "deep unit": "weight > 5 '" + "(" * 200 + "kg" + ")" * 200 + "'",
    "huge unit": "weight > 5 'Ykg9999999999'",
    "nesting": "(" * MEGABYTE,
    "nesting that closes": "(" * 500_000 + "age" + ")" * 500_000,
    "nesting within the length": "(" * 4_000 + "age" + ")" * 4_000,
    "nots": "not " * 2_400 + "pregnant",
    "nots by the megabyte": "not " * 250_000 + "pregnant",
    "signs": "-" * 9_000 + "age > 1",
    "calls in calls": "abs(" * 2_000 + "age" + ")" * 2_000,
    "a long sum": "age" + "+1" * 4_000 + " > 1",
    "a long product": "*".join(["index"] * 99) + " > 1",
    "a long quotient": "/".join(["index"] * 30) + " > 1",
    "many squares": "abs(" * 9 + "index" + ")" * 9 + " * 'x'",
    "coalesce doubled": "max(" * 30 + "birth" + ", visit)" * 30 + " > visit",
    "nothing": "",
    "spaces": " \n\t ",
    "statement": "age = 1; import os",
    "sql": "age > 1; DROP TABLE facts --",
    "markup": "</script><script>",
    "empty list": "age in ()",
    "list of items": "age in (age, index)",
    "range": "latest(weight, within=-3) > 1 'kg'",
    "huge window": "latest(weight, within=" + "9" * 300 + ") > 1 'kg'",
    "superscript digit": "latest(weight, within=²) > 1 'kg'",
    "item function inside": "abs(at(week_4)) > 1",
    "comparison chain of tests": "age in (1, 2) in (3, 4)",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_text_gets_a_clear_error_with_its_column(text: str, scope: Mapping[str, Type]) -> None:
    with pytest.raises(ExpressionError) as caught:
        expression = parse(text, "eligibility.yaml:3")
        check(expression, scope)
        to_sql(expression, scope)
    error = caught.value
    assert 1 <= error.column <= len(text) + 1
    assert error.remedy
    assert len(error.message) < 300
    assert str(error).startswith(f"eligibility.yaml:3, column {error.column}: ")


_WORDS = [
    "age", "index", "weight", "ms.course", "birth", "visit", "pregnant", "'kg'", "'PPMS'", "'2021-06'", "18", "0.1",
    "and", "or", "not", "in", "is", "missing", "(", ")", ",", "+", "-", "*", "/", "<", ">=", "==", "known(",
    "min(", "coalesce(", "years_between(", "latest(", "at(", ".", "within", "=", "true", "today",
]  # fmt: skip


@settings(deadline=None, max_examples=400)
@given(
    text=st.one_of(
        st.text(max_size=60),
        st.lists(st.sampled_from(_WORDS), max_size=25).map(" ".join),
        st.lists(st.sampled_from(_WORDS), max_size=12).map("".join),
    )
)
def test_any_text_is_refused_by_name_or_works_in_every_target(text: str, scope: Mapping[str, Type]) -> None:
    try:
        expression = parse(text)
        compiled: Compiled = compile_python(expression, scope)
    except ExpressionError as error:
        assert 1 <= error.column <= len(text) + 1
        return
    row = admit(compiled.inputs, {})
    compiled.on(row)
    explain(compiled, row)
    to_sql(expression, scope, "postgres")
    to_sentence(expression, scope, language="nn")
    to_javascript(expression, scope)


def test_what_nests_as_deep_as_is_allowed_works_in_every_target(scope: Mapping[str, Type]) -> None:
    for text in ("(" * 38 + "age" + ")" * 38 + " > 1", "not " * 38 + "pregnant", "age" + " + 1" * 95 + " > 1"):
        expression = parse(text)
        compiled = compile_python(expression, scope)
        explain(compiled, admit(compiled.inputs, {"age": 3}))
        to_sentence(expression, scope)
        to_sql_verdict(expression, scope)
        to_javascript(expression, scope)
