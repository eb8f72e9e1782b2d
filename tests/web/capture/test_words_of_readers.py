"""Why a criterion stands as it does and what a deviation is about, said to the reader and not to a programmer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from pkgutil import walk_packages

import pytest
from django.utils.translation import override

from trialwright import trial
from trialwright.build import Build
from trialwright.expressions import Missing
from trialwright.foundation.missing import MissingReason
from trialwright.trial.event import Event
from trialwright.trial.trail import AuditRow
from trialwright_web.capture.eligibility_model import fact_words
from trialwright_web.capture.eligibility_words import because, fact_name, reader
from trialwright_web.shell.deviations import about_words
from trialwright_web.shell.record_happenings import HAPPENINGS
from trialwright_web.shell.record_words import about_parts, change, happening_words
from trialwright_web.shell.time_left import time_left


def test_the_rest_of_a_clock_is_said_in_hours_and_minutes_or_in_days() -> None:
    assert time_left(timedelta(hours=2, minutes=3, seconds=50)) == "2:03 h"
    assert time_left(timedelta(days=2)) == "2 days"
    assert time_left(timedelta(days=-3)) == "3 days overdue"


def deviation(about: str, name: str = "visit_window.week_1") -> dict[str, str]:
    return {"about": about, "deviation": name, "kind": name.partition(".")[0]}


@pytest.mark.parametrize("language", ["en", "nb", "nn"])
def test_no_criterion_of_the_flagship_is_explained_by_its_expression(smart_ms: Build, language: str) -> None:
    with override(language):
        for name, criterion in smart_ms.criteria.items():
            if criterion.condition is not None:
                said = because(smart_ms, criterion.condition.compiled, {})
                assert said.sentence.endswith(".")
                assert not set("_=<>") & set(said.sentence), name
                assert all("_" not in fact for fact, _value in said.facts), name
                assert said.facts


def test_a_criterion_says_what_it_saw(smart_ms: Build) -> None:
    condition = next(
        one.condition for one in smart_ms.criteria.values() if one.condition and "age" in one.condition.text
    )
    with override("en"):
        said = because(smart_ms, condition.compiled, {"age": 34})
        assert "ge is from" in said.sentence
        assert ("Age", "34") in said.facts
        excluding = because(smart_ms, condition.compiled, {"age": 34}, excludes=True)
        assert excluding.sentence == f"Excluded if: {said.sentence}", (
            "what would keep somebody out is not read as what is so"
        )
        unknown = because(smart_ms, condition.compiled, {"age": Missing(MissingReason.NOT_DONE)})
        assert ("Age", "not done") in unknown.facts
    with override("nb"):
        norwegian = because(smart_ms, condition.compiled, {"age": 34})
        assert "lder er" in norwegian.sentence
        assert norwegian.sentence != said.sentence


def test_a_reader_of_another_language_gets_english_sentences() -> None:
    with override("fr"):
        assert reader() == "en"


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ("week_1 on 2026-08-28, +6 days", "{visit} on 28.08.2026, 6 days too late"),
        ("week_1 on 2026-08-28, -1 days", "{visit} on 28.08.2026, 1 day too early"),
        ("week_1 on 2026-08-28", "{visit} on 28.08.2026"),
        ("week_1 did not take place", "{visit} did not take place"),
        ("demographics at week_1 was entered without consent in force",
         "Demographics ({visit}) was entered without consent in force"),
        ("version 1.0 was signed on paper, another is approved for the site",
         "Version 1.0 was signed on paper, another is approved for the site"),
    ],
)  # fmt: skip
def test_a_deviation_names_visits_and_forms_by_their_titles(smart_ms: Build, about: str, said: str) -> None:
    visit = smart_ms.study.encounters["week_1"].label["en"]
    with override("en"):
        assert about_words(smart_ms, deviation(about)) == said.format(visit=visit)


def test_the_visit_is_named_in_the_readers_language(smart_ms: Build) -> None:
    with override("nb"):
        told = about_words(smart_ms, deviation("week_1 did not take place", "missed_visit.week_1"))
    assert smart_ms.study.encounters["week_1"].label["nb"] in told


def test_a_flag_of_a_product_is_told_with_the_injections_name(smart_ms: Build) -> None:
    assert smart_ms.study.custody is not None
    slot = smart_ms.study.custody.slots[0]
    row = deviation(
        f"{slot.id}: given after the time allowed from the release decision", f"release.expired.{slot.id}"
    )
    with override("en"):
        assert about_words(smart_ms, row) == f"{slot.label['en']}: After the time allowed from the release decision."


@pytest.mark.parametrize(
    "text",
    ["week_1 did not take place", "week_1 on 2026-08-28, +6 days", "She fell on the stairs.", "", "week_1: x"],
)
def test_what_people_wrote_stays_theirs(smart_ms: Build, text: str) -> None:
    with override("nb"):
        assert about_words(smart_ms, deviation(text, "visit_window.reported.2")) == text


@pytest.mark.parametrize(
    "text", ["week_1 on the stairs", "no_such_visit did", "x" * 5000, "week_1 on 2026-08-28, +6"]
)
def test_what_is_not_understood_is_shown_as_it_stands(smart_ms: Build, text: str) -> None:
    with override("en"):
        assert about_words(smart_ms, deviation(text)) == text


# --- the audit trail in words --------------------------------------------------------------------------------------


def kinds_of_events() -> dict[str, str]:
    """What the trail calls an event → its type, of every event of the library."""
    for module in walk_packages(trial.__path__, f"{trial.__name__}."):
        import_module(module.name)
    waiting, found = [Event], {}
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if "TYPE" in vars(kind) and kind.__module__.startswith(
            f"{trial.__name__}."
        ):  # other tests have kinds of their own
            what = kind.TYPE.partition(".")[2].replace("_", " ")
            assert found.setdefault(what, kind.TYPE) == kind.TYPE, "two kinds would be told in the same words"
    return found


def test_everything_that_can_happen_has_words_and_nothing_else_has() -> None:
    assert set(HAPPENINGS) == set(kinds_of_events())
    with override("en"):
        assert happening_words("encounter held") == "Visit held"
        assert happening_words("invented later") == "invented later"


def row(field: str, old: str | None, new: str | None, about: str) -> AuditRow:
    return AuditRow(
        at="", local="", zone="", happened=None, actor="", role="", organisation="", space="open", what="form saved",
        about=about, field=field, old=old, new=new, reason=None, build="", request_id="",
    )  # fmt: skip


VITAL_SIGNS = "participant NO-01-002, encounter week_1, form vital_signs, repeat 1"


@pytest.mark.parametrize(
    ("field", "old", "new", "about", "told"),
    [
        ("status", None, "saved", VITAL_SIGNS, ("state", "status", None, "saved")),
        ("systolic", "120 mm[Hg]", "missing: not_done", VITAL_SIGNS,
         ("Systolisk blodtrykk", "systolic", "120 mmHg", "not done")),
        ("assessed_on", None, "2028-02-15", "participant NO-01-002, encounter screening, form ms_history, repeat 1",
         ("Dato for vurdering", "assessed_on", None, "15.02.2028")),
        ("query week_1.vital_signs.1.range_systolic", None, "settled", VITAL_SIGNS,
         ("query: Uke 1 · Vitale parametre", "query week_1.vital_signs.1.range_systolic", None, "settled")),
        ("systolic source", None, "device", VITAL_SIGNS,
         ("Systolisk blodtrykk: source", "systolic source", None, "device")),
        ("outcome", "not_recovered", "recovered", "participant NO-01-002, adverse_event ae_1",
         ("outcome", "", "not recovered", "recovered")),
        ("special_interest", None, "yes", "participant NO-01-002, adverse_event ae_1",
         ("of special interest", "special_interest", None, "yes")),
        ("verdicts.age_range.verdict", None, "yes", "participant NO-01-002",
         ("verdicts: age_range.verdict", "verdicts.age_range.verdict", None, "yes")),
        ("invented_later", None, "x", "participant NO-01-002", ("invented_later", "", None, "x")),
    ],
)  # fmt: skip
def test_a_field_is_called_as_the_reader_calls_it(
    smart_ms: Build, field: str, old: str | None, new: str | None, about: str, told: tuple[str | None, ...]
) -> None:
    with override("nb"):
        found = change(smart_ms, row(field, old, new, about))
        assert (found.name, found.field, found.old, found.new) == told


def test_an_event_is_called_by_its_term_and_a_visit_by_its_name(smart_ms: Build) -> None:
    with override("nb"):
        parts = dict(about_parts(smart_ms, "participant NO-01-002, adverse_event ae_4", {"ae_4": "Forkjølelse"}))
        assert parts == {"participant": "NO-01-002", "adverse_event": "Forkjølelse"}
        assert dict(about_parts(smart_ms, "adverse_event ae_4", {})) == {"adverse_event": "adverse event 4"}
        visit = dict(about_parts(smart_ms, VITAL_SIGNS, {}))
    assert visit["encounter"] == smart_ms.study.encounters["week_1"].label["nb"]
    assert visit["form"] == smart_ms.forms["vital_signs"].form.title["nb"]
    assert "repeat" not in visit


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ("clock serious_to_sponsor", "Utprøver til sponsor: alvorlig uønsket hendelse, innen 24 timer"),
        ("agent aspiration", "Benmargsaspirasjon"),
        ("clock gone", "gone"),
    ],
)
def test_clocks_and_causes_are_called_as_the_study_calls_them(smart_ms: Build, about: str, said: str) -> None:
    with override("nb"):
        assert list(dict(about_parts(smart_ms, about, {})).values()) == [said]


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "Malignancy within 10 years"), ("nb", "Kreft de siste 10 årene"), ("nn", "Kreft dei siste 10 åra")],
)
def test_a_fact_is_called_by_its_label(smart_ms: Build, language: str, said: str) -> None:
    with override(language):
        assert fact_words(smart_ms, "malignancy") == said


def test_no_fact_of_a_study_in_norwegian_is_called_by_its_english_id(smart_ms: Build) -> None:
    for name, fact in smart_ms.facts.items():
        english, norwegian = (fact_name(smart_ms, fact, one) for one in ("en", "nb"))
        assert name.replace("_", " ") not in (english, norwegian), name


def test_a_fact_without_a_label_is_called_by_its_question(smart_ms: Build) -> None:
    fact = smart_ms.facts["age"]
    bare = replace(fact, fact=fact.fact.model_copy(update={"label": None}))
    assert fact_name(smart_ms, bare, "nb") == "«Hvor gammel er du?»"
    assert fact_name(smart_ms, bare, "en") == "age"
