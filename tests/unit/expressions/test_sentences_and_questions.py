"""Sentences, explanations and the next question."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from itertools import product

import pytest

from trialwright.expressions import (
    BooleanType,
    Labels,
    Missing,
    Type,
    admit,
    ask_next,
    compile_python,
    explain,
    parse,
    shown_unit,
    to_sentence,
)
from trialwright.expressions.python import Compiled
from trialwright.expressions.values import Obstacle
from trialwright.expressions.words import WORDS
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.missing import MissingReason
from trialwright.foundation.truth import Truth

LABELS = {
    "en": Labels({"weight": "body weight", "ms.course": "type of MS"}, {("ms.course", "PPMS"): "primary progressive"},
                 {"week_4": "week 4"}),
    "nb": Labels({"weight": "kroppsvekt", "ms.course": "MS-type", "age": "alder"},
                 {("ms.course", "PPMS"): "primær progressiv"}, {"week_4": "uke 4"}),
    "nn": Labels({"weight": "kroppsvekt", "ms.course": "MS-type", "age": "alder"},
                 {("ms.course", "PPMS"): "primær progressiv"}, {"week_4": "veke 4"}),
}  # fmt: skip

SENTENCES = [
    ("18 <= age <= 55", "Age is from 18 to 55.", "Alder er fra 18 til 55.", "Alder er frå 18 til 55."),
    ("age >= 18 and 55 >= age", "Age is from 18 to 55.", "Alder er fra 18 til 55.", "Alder er frå 18 til 55."),
    ("18 < age <= 55", "Age is more than 18 and age is at most 55.", "Alder er mer enn 18 og alder er høyst 55.",
     "Alder er meir enn 18 og alder er høgst 55."),
    ("weight > 50.5 'kg'", "Body weight is more than 50.5 kg.", "Kroppsvekt er mer enn 50,5 kg.",
     "Kroppsvekt er meir enn 50,5 kg."),
    ("not (platelets < 100 '10*9/L')", "Platelets is at least 100 ×10⁹/L.", "Platelets er minst 100 ×10⁹/L.",
     "Platelets er minst 100 ×10⁹/L."),
    ("ms.course in ('PPMS', 'SPMS')", "Type of MS is one of primary progressive, SPMS.",
     "MS-type er en av primær progressiv, SPMS.", "MS-type er ein av primær progressiv, SPMS."),
    ("ms.course != 'PPMS'", "Type of MS is not primary progressive.", "MS-type er ikke primær progressiv.",
     "MS-type er ikkje primær progressiv."),
    ("pregnant or not pregnant", "Pregnant: yes or pregnant: no.", "Pregnant: ja eller pregnant: nei.",
     "Pregnant: ja eller pregnant: nei."),
    ("visit >= '2021-06'", "Visit is on or after 2021-06.", "Visit er tidligst 2021-06.",
     "Visit er tidlegast 2021-06."),
    ("at(week_4).weight is not missing", "Body weight at week 4 is known.", "Kroppsvekt ved uke 4 er kjent.",
     "Kroppsvekt ved veke 4 er kjent."),
    ("(age > 1 or pregnant) and age < 9", "(Age is more than 1 or pregnant: yes) and age is less than 9.",
     "(Alder er mer enn 1 eller pregnant: ja) og alder er mindre enn 9.",
     "(Alder er meir enn 1 eller pregnant: ja) og alder er mindre enn 9."),
    ("years_between(birth, visit) >= 18", "The number of full years from birth to visit is at least 18.",
     "Antall hele år fra birth til visit er minst 18.", "Talet på heile år frå birth til visit er minst 18."),
]  # fmt: skip


@pytest.mark.parametrize(("text", "english", "bokmaal", "nynorsk"), SENTENCES, ids=[row[0] for row in SENTENCES])
def test_an_expression_is_said_in_three_languages(
    text: str, english: str, bokmaal: str, nynorsk: str, scope: Mapping[str, Type]
) -> None:
    expression = parse(text)
    said = [to_sentence(expression, scope, LABELS[language], language) for language in ("en", "nb", "nn")]
    # A bracket at the beginning keeps the small letter.
    assert [sentence.lower() for sentence in said] == [one.lower() for one in (english, bokmaal, nynorsk)]


def test_every_language_has_a_word_for_every_reason_and_verdict() -> None:
    for words in WORDS.values():
        assert set(words.reasons) == {*MissingReason, *Obstacle}
        assert set(words.verdicts) == set(Truth)
        assert set(words.numbers) == set(words.dates) == {"<", "<=", ">", ">="}


@pytest.mark.parametrize(
    ("code", "shown"),
    [("10*9/L", "×10⁹/L"), ("mm[Hg]", "mmHg"), ("Cel", "°C"), ("{score}", ""), ("kg/m2", "kg/m²"), ("ug/mL", "µg/mL"),
     ("[lb_av]", "lb"), ("mL/min/{1.73_m2}", "mL/min/1.73 m²"), ("10*6{cells}/kg", "×10⁶/kg"), ("k[iU]/L", "kIU/L"),
     ("umol/L", "µmol/L"), ("U/L", "U/L"), ("%", "%")],
)  # fmt: skip
def test_units_are_shown_as_people_write_them(code: str, shown: str) -> None:
    assert shown_unit(code) == shown


def test_an_explanation_shows_each_condition_with_its_values_reasons_and_sources(scope: Mapping[str, Type]) -> None:
    compiled = compile_python(parse("18 <= age <= 55 and (weight > 50 'kg' or pregnant)"), scope)
    row = admit(compiled.inputs, {"age": 34, "weight": Missing(MissingReason.NOT_DONE)})

    explanation = explain(compiled, row, LABELS["en"], "en", {"age": "Screening, 2025-03-01"})

    assert explanation.truth is Truth.UNKNOWN
    assert explanation.lines() == [
        "not known yet: age is from 18 to 55 and (body weight is more than 50 kg or pregnant: yes)",
        "  yes: age is from 18 to 55 (age: 34, Screening, 2025-03-01)",
        "  not known yet: body weight is more than 50 kg or pregnant: yes",
        "    not known yet: body weight is more than 50 kg (body weight: not done)",
        "    not known yet: pregnant: yes (pregnant: not asked yet)",
    ]


def test_an_explanation_shows_a_partial_date_as_it_was_entered(scope: Mapping[str, Type]) -> None:
    compiled = compile_python(parse("years_between(birth, visit) >= 18"), scope)
    row = admit(compiled.inputs, {"birth": "2003-06", "visit": "2021-06-15"})
    (line,) = explain(compiled, row, language="nn").lines()
    assert line.startswith("ikkje kjent enno: ")
    assert line.endswith("(birth: 2003-06; visit: 2021-06-15)")


# Asking


def _compiled(texts: Sequence[str], scope: Mapping[str, Type]) -> list[Compiled]:
    return [compile_python(parse(text), scope) for text in texts]


def _asked(texts: Sequence[str], known: Mapping[str, object], costs: Mapping[str, float]) -> str | None:
    scope = dict.fromkeys("abcdef", BooleanType())
    reference = ask_next(_compiled(texts, scope), admit(scope, known), costs)
    return reference and reference.key


@pytest.mark.parametrize(
    ("criteria", "known", "costs", "asked"),
    [
        (["a", "b"], {}, {}, "a"),
        (["a", "b"], {"a": True}, {}, "b"),
        (["a", "b"], {"a": False}, {}, None),
        (["a", "b"], {"a": True, "b": True}, {}, None),
        (["a and b", "b and c"], {}, {}, "b"),
        (["a", "b"], {}, {"a": 10}, "b"),
        (["a and b", "b and c"], {}, {"b": 10}, "a"),
        (["a or b"], {"a": Missing(MissingReason.REFUSED)}, {}, "b"),
        (["a"], {"a": Missing(MissingReason.REFUSED)}, {}, None),
        (["a"], {"a": Missing(MissingReason.PENDING)}, {}, None),
        (["not (a or (b and c))"], {"a": False}, {"c": 0.5}, "c"),
        (["a == b", "c"], {}, {}, "c"),
        (["a == b", "c"], {"a": True}, {"c": 2}, "b"),
    ],
)
def test_the_question_that_decides_most_for_least_is_asked_first(
    criteria: list[str], known: dict[str, object], costs: dict[str, float], asked: str | None
) -> None:
    assert _asked(criteria, known, costs) == asked


def test_a_question_that_costs_nothing_is_refused() -> None:
    with pytest.raises(InvalidValue):
        _asked(["a"], {}, {"a": 0})


@pytest.mark.parametrize("seed", range(30))
def test_what_is_asked_can_always_help_to_decide(seed: int) -> None:
    """Against all answers there could be: the question asked is one that some verdict still hangs on."""
    chance = random.Random(seed)
    names = "abcdef"

    def condition(names: str) -> str:
        if len(names) == 1:
            return chance.choice(["", "not "]) + names
        cut = chance.randint(1, len(names) - 1)
        word = chance.choice([" and ", " or "])
        return f"{chance.choice(['', 'not '])}({condition(names[:cut])}{word}{condition(names[cut:])})"

    text = condition(names)
    known = {name: chance.random() < 0.5 for name in names if chance.random() < 0.4}
    asked = _asked([text], known, {})
    scope = dict.fromkeys(names, BooleanType())
    decide = compile_python(parse(text), scope).decide
    if asked is None:
        assert decide(admit(scope, known).cells) is not None
        return
    rest = [name for name in names if name not in known and name != asked]
    turning = 0
    for answers in product([True, False], repeat=len(rest)):
        row = {**known, **dict(zip(rest, answers, strict=True))}
        turning += decide({**row, asked: True}) is not decide({**row, asked: False})
    assert turning
