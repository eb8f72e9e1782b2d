"""List, search, other trials; status from the record; structured data and sitemap of real trials only."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from trialwright.build.compile import compiled
from trialwright.finder import (
    PHASES,
    Catalogue,
    Listing,
    OnRecord,
    Search,
    SearchNotUnderstood,
    on_record,
    public_page,
    sitemap,
    status_of,
    structured_data,
)
from trialwright.protocol.study import PublicStatus
from trialwright.stores import MemoryStore
from trialwright.trial.closure.views import MILESTONE
from trialwright.trial.enrolment.views import DISPOSITION
from trialwright.trial.setup.views import SITE

OPEN = {"01": True, "02": False}


def record(mode="production", **more):
    given = {"opened_on": "2026-02-01", "sites": OPEN, "activated": {"01": "2026-02-10", "02": "2026-02-12"}}
    return OnRecord(mode=mode, **{**given, "changed_on": "2026-02-12", **more})


@pytest.fixture
def catalogue(builds):
    return Catalogue(Listing(build) for build in builds.values())


# --- list and search --------------------------------------------------------------------------------------------


def found(catalogue, **wanted):
    return {listing.study for listing in catalogue.search(Search(**wanted))}


def test_studies_that_people_can_join_stand_first(catalogue):
    codes = [listing.status.code for listing in catalogue.listings]
    assert codes[-1] is PublicStatus.COMPLETED
    assert catalogue.listings[-1].study == "smart-ms"


@pytest.mark.parametrize(
    ("wanted", "studies"),
    [
        ({}, {"smart-ms", "ocrelizumab-sc", "frexalimab-sc-iv"}),
        ({"text": "STAMCELLER"}, {"smart-ms"}),
        ({"text": "stem cells MS"}, {"smart-ms"}),
        ({"text": "tromsø"}, {"smart-ms"}),
        ({"text": "Tromso Lorenskog"}, {"smart-ms"}),
        ({"text": "NCT04749667"}, {"smart-ms"}),
        ({"text": "ocreliz"}, {"ocrelizumab-sc"}),
        ({"text": "no such thing"}, set()),
        ({"country": "NO"}, {"smart-ms"}),
        ({"country": "PL"}, {"ocrelizumab-sc"}),
        ({"phase": "III"}, {"frexalimab-sc-iv"}),
        ({"status": PublicStatus.COMPLETED}, {"smart-ms"}),
        ({"condition": "Progressive multiple sclerosis", "phase": "II"}, {"smart-ms"}),
        ({"age": 60, "phase": "II"}, {"ocrelizumab-sc"}),
        ({"age": 17}, set()),
    ],
)
def test_a_search_finds_what_fits(catalogue, wanted, studies):
    assert found(catalogue, **wanted) == studies


def test_a_disease_is_found_by_a_part_of_its_name(catalogue):
    assert "smart-ms" in found(catalogue, condition="multiple sclerosis")
    assert "smart-ms" in found(catalogue, condition="multippel sklerose")


def test_every_disease_that_is_offered_finds_its_studies(catalogue):
    for language in ("en", "nb", "nn"):
        offered = catalogue.conditions(language)
        assert len(set(offered)) == len(offered)
        everything = set().union(*(found(catalogue, condition=disease) for disease in offered))
        assert everything == {listing.study for listing in catalogue.listings}


def test_filters_offer_what_there_is(catalogue):
    assert {"NO", "PL", "ES"} <= set(catalogue.countries())
    assert catalogue.phases() == ("II", "III")
    assert set(catalogue.phases()) <= set(PHASES)
    assert PublicStatus.COMPLETED in catalogue.statuses()


@pytest.mark.parametrize("wanted", [{"age": -1}, {"age": 121}, {"phase": "V"}, {"text": "x" * 201}])
def test_a_search_for_nothing_that_can_be_is_refused_by_name(wanted):
    with pytest.raises(SearchNotUnderstood):
        Search(**wanted)


def test_a_study_names_others_that_are_installed(catalogue):
    others = catalogue.others("smart-ms")
    assert [(other.listing.study, other.named) for other in others] == [
        ("frexalimab-sc-iv", True),
        ("ocrelizumab-sc", True),
    ]
    assert catalogue.others("nowhere") == ()


def test_joinable_studies_of_the_same_disease_are_suggested_unnamed(builds):
    study = builds["smart-ms"].study
    alone = study.model_copy(update={"identity": study.identity.model_copy(update={"other_trials": ()})})
    catalogue = Catalogue([Listing(compiled(alone)), Listing(builds["ocrelizumab-sc"])])
    assert [(o.listing.study, o.named) for o in catalogue.others("smart-ms")] == [("ocrelizumab-sc", False)]


def test_a_real_trial_without_approval_is_not_listed(builds):
    build = builds["ocrelizumab-sc"]
    assert Catalogue([Listing(build, record(opened_on=None, sites={}))]).listings == ()
    assert len(Catalogue([Listing(build, record())]).listings) == 1
    assert len(Catalogue([Listing(build, record("rehearsal", opened_on=None))]).listings) == 1


# --- status from the record -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({}, PublicStatus.RECRUITING),
        ({"opened_on": None}, PublicStatus.PLANNED),
        ({"sites": {}}, PublicStatus.PLANNED),
        ({"sites": {"01": False}}, PublicStatus.ACTIVE_NOT_RECRUITING),
        ({"randomised": 18}, PublicStatus.ACTIVE_NOT_RECRUITING),
        ({"closed_on": "2027-01-01"}, PublicStatus.COMPLETED),
        ({"closed_on": "2027-01-01", "closed_early": True}, PublicStatus.TERMINATED),
    ],
)
def test_the_record_of_a_real_trial_says_whether_people_can_join(smart_ms, more, code):
    status = status_of(smart_ms, record(**more), "2020-01-01")
    assert status.code is code
    assert status.from_record
    assert status.on == "2026-02-12"
    assert status.declared == (None if code is PublicStatus.COMPLETED else PublicStatus.COMPLETED)


def test_a_rehearsal_never_changes_what_the_study_declares(smart_ms):
    status = status_of(smart_ms, record("rehearsal"), "2026-03-02")
    assert (status.code, status.on, status.from_record) == (PublicStatus.COMPLETED, "2026-03-02", False)


def test_the_record_is_read_from_the_open_views():
    with MemoryStore() as store:
        with store.ledger("s/open").transaction() as transaction:
            rows = transaction.rows
            rows.ensure((MILESTONE, SITE, DISPOSITION))
            assert on_record(rows) is None
            for step, (what, local, details) in enumerate(
                [
                    ("study_created", "2026-01-01T09:00:00+01:00", "rehearsal, blinded"),
                    ("study_opened", "2026-01-03T09:00:00+01:00", ""),
                    ("study_closed", "2027-01-03T09:00:00+01:00", "early"),
                ]
            ):
                rows.put(MILESTONE, {"step": step, "what": what, "local": local, "details": details})
            rows.put(SITE, {"site": "01", "recruiting": 1, "activated_at": "2026-01-05T08:00:00Z"})
            rows.put(SITE, {"site": "02", "recruiting": 0, "activated_at": "2026-01-06T08:00:00Z"})
            rows.put(DISPOSITION, {"participant": "a", "screened_on": "2026-01-09", "randomised_on": "2026-02-01"})
            rows.put(DISPOSITION, {"participant": "b", "screened_on": "2026-01-08"})
        read = on_record(store.rows)
    assert read == OnRecord(
        mode="rehearsal",
        opened_on="2026-01-03",
        closed_on="2027-01-03",
        closed_early=True,
        sites={"01": True, "02": False},
        activated={"01": "2026-01-05", "02": "2026-01-06"},
        screened=2,
        randomised=1,
        first_on="2026-01-08",
        changed_on="2027-01-03",
    )


# --- for machines -----------------------------------------------------------------------------------------------


def test_a_demonstration_has_no_structured_data(smart_ms):
    for read in (None, record("rehearsal"), record("test")):
        assert structured_data(public_page(smart_ms, read, "en"), "https://example.org/smart-ms") is None


def test_a_real_trial_is_a_medical_trial_of_schema_org(smart_ms):
    page = public_page(smart_ms, record(), "en")
    data = structured_data(page, "https://example.org/smart-ms")
    assert data["@type"] == "MedicalTrial"
    assert data["status"] == "https://schema.org/Recruiting"
    assert "https://schema.org/PlaceboControlledTrial" in data["trialDesign"]
    assert data["studyLocation"][0]["address"]["addressLocality"] == "Bergen"
    assert "**" not in data["description"]


def test_a_sitemap_holds_addresses_and_languages_escaped():
    text = sitemap([("https://example.org/a&b", "2026-01-01", {"nb": 'https://example.org/"x"'})])
    root = ElementTree.fromstring(text)
    space = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9", "x": "http://www.w3.org/1999/xhtml"}
    assert root.findtext("s:url/s:loc", namespaces=space) == "https://example.org/a&b"
    link = root.find("s:url/x:link", space)
    assert link is not None and link.attrib["href"] == 'https://example.org/"x"'
