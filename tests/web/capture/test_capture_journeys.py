"""A nurse's morning, an investigator's decision, a laboratory's file; by keyboard, small and without scripts."""

from __future__ import annotations

import re

import pytest

from trialwright.stores import open_store
from trialwright.trial.allocation.views import RANDOMISATION
from trialwright.trial.capture.views import ITEM, VISIT
from trialwright_web.config.demo import PASSWORD

STUDY = "smart-ms"
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
ARM = re.compile(r"saline|cells_first|mesenchymal", re.IGNORECASE)


@pytest.fixture(scope="module")
def staff(serve):
    return serve("staff")


@pytest.fixture
def store(installation):
    with open_store(f"sqlite:///{installation / f'{STUDY}.db'}") as opened:
        yield opened


def test_a_nurses_morning_from_the_list_to_the_visit_by_keyboard_alone(staff, visit, store):
    page = visit(staff, f"/{STUDY}/", "study_nurse.03")
    assert page.locator("h1").inner_text() == "My tasks"
    page.locator(".task a", has_text="NO-03-004").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/participants/NO-03-004/week_4/")
    page.locator("#date").focus()
    page.keyboard.type("t")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: "NO-03-004/week_4/" in address and not address.endswith("/week_4/"))
    assert store.rows.get(VISIT, ("NO-03-004", "week_4"))["date"] == "2028-02-15"
    page.goto(f"/{STUDY}/")
    assert page.locator("#kind-visit_due").count() == 0
    assert page.locator("#kind-complete_form").count() == 1


def test_an_investigator_assesses_signs_and_randomises_and_never_sees_the_arm(staff, visit, store):
    page = visit(staff, f"/{STUDY}/participants/NO-01-007/", "investigator.01")
    page.get_by_role("link", name="Every criterion").click()
    assert page.locator(".ask-next").count() == 0  # the forms and the record know all but what the doctor judges
    for question in page.locator(".judge").all():
        question.get_by_label(re.compile("is met|does not apply")).check()
    assert page.locator("#fact-consent_signed").count() == 0  # the record knows it
    signed = page.locator("tr", has_text="Informed consent signed").locator(".why-source").inner_text()
    assert re.fullmatch(r"consent signed \d\d\.\d\d\.2028 \d\d:\d\d, version [\d.]+", signed), signed
    page.get_by_role("button", name="Assess").click()
    assert "every criterion is met" in page.locator("[role=status]").inner_text()
    page.get_by_role("link", name="Sign off").click()
    page.fill("#sign-password", PASSWORD)
    page.get_by_role("button", name="Sign", exact=True).click()
    assert "signed off" in page.locator("[role=status]").inner_text()
    page.goto(f"/{STUDY}/randomise/NO-01-007/")
    assert page.locator(".gate:not([data-holds=yes])").count() == 0
    page.get_by_label("I have checked the code").check()
    page.get_by_role("button", name="Randomise").click()
    page.get_by_text("NO-01-007 is randomised.").wait_for()
    assert store.rows.get(RANDOMISATION, ("NO-01-007",))["date"] == "2028-02-15"
    assert not ARM.search(page.content())
    page.goto(f"/{STUDY}/participants/NO-01-007/")
    assert not ARM.search(page.content())


def test_no_signature_is_asked_for_where_it_would_be_refused(staff, visit):
    page = visit(staff, f"/{STUDY}/participants/NO-01-006/assess-criteria/", "investigator.01")
    assert page.get_by_role("button", name="Assess").count() == 0  # screening has ended
    page.goto(f"/{STUDY}/participants/NO-01-006/record-act/sign-off/")
    assert page.locator("#sign-password, .act-form").count() == 0
    assert page.locator("main").get_by_text("Screening has ended.").is_visible()
    page.locator("main").get_by_role("link", name="NO-01-006").click()
    assert page.url.endswith("/participants/NO-01-006/")


def test_a_laboratory_file_is_looked_at_and_then_saved(staff, visit, store, tmp_path):
    file = tmp_path / "laboratory.csv"
    file.write_text("Subject;Visit;Collected;Test;Result;Unit\nNO-02-003;SCR;;HGB;13,2;g/dL\n", encoding="utf-8")
    page = visit(staff, f"/{STUDY}/imports/", "study_nurse.02")
    page.get_by_label("Laboratory: blood count").check()
    page.set_input_files("#import-file", file)
    page.get_by_role("button", name="Read the file").click()
    assert page.locator("tr[data-state=change]").count() == 1
    page.get_by_role("button", name="Save 1 value").click()
    assert "nothing says why" in page.locator("#refused").inner_text()
    page.fill("#import-reason", "the laboratory corrected it")
    page.get_by_role("button", name="Save 1 value").click()
    page.get_by_text("1 form saved.").wait_for()
    item = store.rows.get(ITEM, ("NO-02-003", "screening", "haematology", 1, "haemoglobin"))
    assert (item["value"], item["unit"], item["source"]) == ("13.2", "g/dL", "ehr")


def test_arrows_walk_over_the_matrix_and_enter_opens_the_visit(staff, visit):
    page = visit(staff, f"/{STUDY}/participants/", "study_nurse.01")
    page.locator("[data-matrix] tbody a").first.focus()
    assert page.evaluate("document.querySelectorAll('[data-matrix] tbody a[tabindex=\"0\"]').length") == 1
    for key, focused in (
        ("ArrowRight", "NO-01-001, Screening"),
        ("ArrowDown", "NO-01-002, Screening"),
        ("ArrowRight", "NO-01-002, First bone marrow aspiration"),
        ("ArrowDown", "NO-01-004, First bone marrow aspiration"),  # NO-01-003 never came so far
        ("ArrowUp", "NO-01-002, First bone marrow aspiration"),
    ):
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.ariaLabel").startswith(focused)
    page.keyboard.press("Home")
    assert page.evaluate("document.activeElement.textContent") == "NO-01-002"
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    page.wait_for_url("**/participants/NO-01-002/unscheduled_1/")


def test_the_curve_is_drawn_with_and_without_scripts(staff, visit):
    page = visit(staff, f"/{STUDY}/enrolment/", "sponsor.1")
    page.locator(".uplot canvas").wait_for()
    assert not page.locator("figure.curve").is_visible()
    plain = visit(staff, f"/{STUDY}/enrolment/", "sponsor.1", javascript=False)
    assert plain.locator("figure.curve svg").is_visible()


@pytest.mark.parametrize("path", ["participants/", "participants/NO-01-002/", "calendar/", "people/", "imports/"])
def test_without_scripts_everything_is_there_and_every_link_is_reached_by_tab(staff, visit, path):
    page = visit(staff, f"/{STUDY}/{path}", "investigator.01", javascript=False)
    assert page.locator("h1").is_visible()
    assert page.locator("main a[tabindex='-1'], main button[tabindex='-1']").count() == 0


PAGES = {
    "investigator.01": (
        "", "participants/", "participants/NO-01-002/", "participants/NO-01-007/", "calendar/",
        "calendar/?view=month", "enrolment/", "participants/NO-01-002/assess-criteria/",
        "participants/NO-01-005/record-act/withdraw/", "participants/NO-01-005/record-act/end/",
        "randomise/NO-01-002/", "randomise/NO-01-005/by-mistake/", "people/", "people/delegate/", "imports/",
        "new-participant/",
    ),
    "sponsor.1": ("", "participants/?site=03", "setup/", "setup/sites/02/amend/", "people/", "people/appoint/"),
}  # fmt: skip


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("person", PAGES)
def test_axe_finds_nothing_and_nothing_is_cut_off(staff, visit, person, width):
    from axe_playwright_python.sync_playwright import Axe

    axe = Axe()
    page = visit(staff, "/", person, width=width, language="en" if width == 1280 else "nb")
    for place, path in enumerate(PAGES[person]):
        page.goto(f"/{STUDY}/{path}")
        if place % 2 == (width == 390):  # every page at one width; `make axe` takes all of them at both
            found = axe.run(page, options=WCAG)
            assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        beside = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert beside <= 0, f"{path} at {width}: {beside} px beside the page"


def test_at_400_percent_the_day_is_still_done_without_looking_sideways(staff, visit):
    page = visit(staff, f"/{STUDY}/", "investigator.01", width=320)
    for path in ("", "participants/NO-01-002/", "participants/NO-01-002/assess-criteria/", "randomise/NO-01-005/"):
        page.goto(f"/{STUDY}/{path}")
        beside = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert beside <= 0, path
