"""Why a criterion stands as it does and what a deviation is about, said to the reader and not to a programmer."""

from __future__ import annotations

import django
import pytest
from django.apps import apps
from django.utils.translation import override

from trialwright.build import Build
from trialwright.expressions import Missing
from trialwright.foundation.missing import MissingReason
from trialwright_web.capture.eligibility_words import because, reader
from trialwright_web.shell.deviations import about_words


@pytest.fixture(autouse=True, scope="module")
def translations() -> None:
    """Looking a text up needs Django's list of applications; it may be empty."""
    if not apps.ready:
        django.setup()


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
        unknown = because(smart_ms, condition.compiled, {"age": Missing(MissingReason.NOT_DONE)})
        assert ("Age", "not done") in unknown.facts
    with override("nb"):
        norwegian = because(smart_ms, condition.compiled, {"age": 34})
        assert "«Hvor gammel er du?»" in norwegian.sentence
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
