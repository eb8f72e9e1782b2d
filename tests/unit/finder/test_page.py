"""The public page is a function of the study: ages, visits, arms and sites are never typed."""

from __future__ import annotations

import pytest

from trialwright.build.compile import compiled
from trialwright.finder import (
    SECTIONS,
    TOWNS,
    ages,
    distance_km,
    journey,
    languages_to_try,
    public_page,
    say,
    takes_age,
    town,
)
from trialwright.protocol import Review
from trialwright.protocol.study import PublicStatus


def test_the_sections_stand_in_the_order_of_every_page(build):
    shown = [section.id for section in public_page(build, None, "en").sections]
    assert shown == [name for name in SECTIONS if name in shown]
    assert {"status", "about", "journey", "who", "where", "burden", "treatment"} <= set(shown)


def test_smart_ms_is_shown_as_its_files_say(smart_ms):
    page = public_page(smart_ms, None, "en")
    assert page.ages == (18, 55)
    assert page.status.code is PublicStatus.COMPLETED
    assert [site.site.town for site in page.sites] == ["Bergen", "Trondheim", "Lørenskog", "Tromsø"]
    assert [arm.id for arm in page.arms] == ["cells", "saline"]
    assert [(chance.share, chance.total) for chance in page.chances] == [(1, 2), (1, 2)]
    assert [arm.text for arm in page.chances[1].receives] == ["Saline", "Autologous mesenchymal stem cells"]
    assert {field.field for field in page.drift} == {"status", "start", "end", "disease_duration_years", "comparator"}
    assert not page.is_production


def test_the_journey_counts_marrow_injections_trips_and_calls(smart_ms):
    found = journey(smart_ms, "en")
    assert (found.collections, found.administrations, found.remote_contacts) == (2, 2, 2)
    # Screening, 3 weeks, 5 weeks, 6 months, 5 weeks, 12 months: 91 weeks and a bit.
    assert found.days == 637
    assert found.months == 21
    # Seventeen visits: two by telephone, two pairs on one day (baseline and injection, month 6 and marrow).
    assert len(found.visits) == 17
    assert found.days_at_hospital == 17 - 2 - 2
    assert [visit.day for visit in found.visits] == sorted(visit.day for visit in found.visits)


def test_what_only_the_closed_team_fills_is_not_told_to_the_public(build):
    closed = {form.kind for form in build.study.forms.values() if form.space == "closed"}
    told = {kind for visit in journey(build, "en").visits for kind in visit.contents}
    acts = {"consent", "collection", "administration"}
    assert told <= acts | {form.kind for form in build.study.forms.values() if form.space == "open"}
    assert not (told & (closed - {form.kind for form in build.study.forms.values() if form.space == "open"}))


def test_a_change_in_the_study_changes_the_page(smart_ms):
    study = smart_ms.study
    criteria = tuple(
        c.model_copy(update={"expression": "21 <= age < 60"}) if c.id == "age_18_55" else c
        for c in study.eligibility.criteria
    )
    changed = compiled(
        study.model_copy(update={"eligibility": study.eligibility.model_copy(update={"criteria": criteria})})
    )
    assert ages(changed) == (21, 59)
    assert not takes_age(changed, 60)


@pytest.mark.parametrize("language", ["en", "nb"])
def test_a_reviewed_text_is_shown_as_reviewed(smart_ms, language):
    page = public_page(smart_ms, None, language)
    assert (page.text_language, page.fell_back, page.review) == (language, False, Review.REVIEWED)


@pytest.mark.parametrize(("language", "review"), [("en", "reviewed"), ("nb", "reviewed"), ("nn", "draft")])
def test_questions_and_criteria_have_a_review_status_of_their_own(smart_ms, language, review):
    assert public_page(smart_ms, None, language).questions_review is Review(review)


def test_nynorsk_is_there_and_said_to_be_unreviewed(smart_ms):
    page = public_page(smart_ms, None, "nn")
    assert (page.text_language, page.review) == ("nn", Review.DRAFT)
    assert page.arms[1].label.text == "Saltvatn"


def test_a_language_that_nobody_wrote_falls_back_and_says_so(builds):
    page = public_page(builds["ocrelizumab-sc"], None, "nn")
    assert (page.text_language, page.fell_back) == ("en", True)
    assert page.condition.fell_back


def test_nynorsk_readers_get_bokmaal_before_english():
    assert languages_to_try("nn", "en") == ("nn", "nb", "en")
    assert say({"en": "one", "nb": "én"}, "nn", "en").language == "nb"
    assert say({"de": "eins"}, "nb", "en").text == "eins"


def test_distances_are_those_of_an_atlas(smart_ms):
    """Oslo to Tromsø, Bergen and Trondheim in a straight line: about 1,150, 305 and 390 km."""
    sites = smart_ms.study.sites
    oslo = town("Oslo")
    assert [distance_km(oslo, sites[site]) for site in ("04", "01", "02")] == pytest.approx([1150, 305, 390], abs=8)
    assert distance_km(town("Tromsø"), sites["04"]) == 0
    assert distance_km(oslo, sites["04"].model_copy(update={"latitude": None})) is None
    assert town("Atlantis") is None
    assert len({found.name for found in TOWNS}) == len(TOWNS)
