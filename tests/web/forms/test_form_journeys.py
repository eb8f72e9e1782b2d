"""The form page as people use it: by keyboard, two at once, with a network that goes and a session that ends."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from trialwright_web.config.demo import PASSWORD

P = "/smart-ms/participants/NO-01-002"
NURSE = "study_nurse.01"
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}


@pytest.fixture(scope="module")
def staff(serve: Any) -> Any:
    return serve("staff")


def new_visit(page: Any, day: str = "t") -> str:
    """An unscheduled visit, recorded; answers its address."""
    page.goto(f"{P}/new-visit/")
    page.fill("#date", day)
    page.click("main form .actions button")
    page.wait_for_url(re.compile("unscheduled_"))
    return str(page.url)


def own_form(page: Any, form: str = "every_type") -> str:
    """The address of a form that no other test writes to."""
    return f"{new_visit(page)}{form}/1/"


def ready(page: Any) -> None:
    page.wait_for_selector("html.js")
    page.wait_for_load_state("networkidle")


def test_a_form_left_out_without_a_reason_leads_to_where_the_reason_is_typed(staff: Any, visit: Any) -> None:
    page = visit(staff, f"{P}/new-visit/", NURSE)
    page.goto(own_form(page))
    ready(page)
    page.locator("details.form-whole summary").click()
    page.get_by_role("button", name="Not done").click()
    page.locator("#refused").wait_for()
    assert page.evaluate("document.activeElement.id") == "reason-whole"


def test_a_nurse_types_a_whole_visit_by_keyboard_only(staff: Any, visit: Any) -> None:
    page = visit(staff, f"{P}/new-visit/", NURSE)
    page.locator("#date").focus()
    page.keyboard.type("t-1")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("unscheduled_"))
    page.get_by_role("link", name="Vital signs").focus()
    page.keyboard.press("Enter")
    ready(page)
    keys = page.keyboard
    assert page.evaluate("document.activeElement.name") == "v.position", "the first field has the focus"
    keys.press("2")  # lying on the back
    keys.press("Enter")
    for typed in ("128", "84", "61", "36,9", "70,5", "178"):
        keys.type(typed)
        keys.press("Enter")
    keys.press("Control+Enter")
    page.wait_for_url(re.compile("done=saved"))
    address = re.search(r"unscheduled_\d+", page.url)[0]  # type: ignore[index]
    page.goto(f"{P}/{address}/vital_signs/1/")
    ready(page)
    assert page.locator("input[name='v.position']:checked").get_attribute("value") == "SUPINE"
    shown = {
        n: page.locator(f"[name='v.{n}']").input_value() for n in ("systolic", "temperature", "weight", "height")
    }
    assert shown == {"systolic": "128", "temperature": "36.9", "weight": "70.5", "height": "178"}
    assert "complete" not in page.locator(".form-state").inner_text()


def test_a_form_is_filled_and_corrected_without_javascript(staff: Any, visit: Any) -> None:
    page = visit(staff, "/smart-ms/", NURSE, width=320, javascript=False)
    form = own_form(page, "vital_signs")
    page.goto(form)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.check("[name='v.position'][value='SUPINE']")
    for name, typed in (("systolic", "128"), ("diastolic", "84"), ("pulse", "61"), ("temperature", "ten")):
        page.fill(f"[name='v.{name}']", typed)
    save = page.locator("main button[name=act][value=save]").first
    save.click()
    assert page.input_value("[name='v.temperature']") == "ten", "nothing typed is lost"
    assert page.input_value("[name='v.pulse']") == "61"
    page.fill("[name='v.temperature']", "36.9")
    save.click()
    page.goto(form)
    assert "version 1" in page.locator(".form-state").inner_text()
    page.fill("[name='v.pulse']", "62")
    save.click()
    assert page.locator("#refused").get_attribute("data-code") == "capture.reason_missing"
    page.fill("[name='reason']", "read the wrong line")
    save.click()
    page.goto(form)
    assert page.input_value("[name='v.pulse']") == "62"
    assert "version 2" in page.locator(".form-state").inner_text()


def test_checks_conditions_and_sums_answer_while_typing(staff: Any, visit: Any) -> None:
    page = visit(staff, f"{P}/log/every_type/1/", NURSE)
    ready(page)
    page.fill("[name='v.count']", "2")
    assert not page.locator("[data-field=large]").is_visible(), "asked only where the sum is large"
    page.fill("[name='v.count']", "4")
    assert page.locator("[id='f.double']").inner_text() == "8"
    assert page.locator("[data-field=large]").is_visible()
    page.fill("[name='v.day']", "010121")
    page.fill("[name='v.since']", "un0621")
    page.locator("[name='v.hour']").focus()
    assert page.input_value("[name='v.day']") == "01.01.2021"
    assert page.input_value("[name='v.since']") == "UN.06.2021"
    assert "Since 'before' that" in page.locator("[data-found=since]").inner_text()
    page.fill("[name='v.weight']", "150000")
    page.select_option("[name='u.weight']", "g")
    assert page.locator("[data-standard=weight]").inner_text() == "= 150 kg"
    assert "Unusual" in page.locator("[data-found=weight]").inner_text()
    page.fill("[name='v.ratio']", "-nd")
    page.locator("[name='v.hour']").focus()
    assert page.input_value("[name='w.ratio']") == "missing.not_done"
    assert page.input_value("[name='v.ratio']") == ""
    page.click("button[value=discard]") if page.locator("#kept").is_visible() else None


def test_a_scanner_that_sends_enter_neither_submits_nor_wipes(staff: Any, visit: Any) -> None:
    for javascript in (True, False):
        page = visit(staff, f"{P}/log/every_type/1/", NURSE, javascript=javascript)
        if javascript:
            ready(page)
        page.fill("[name='v.count']", "7")
        page.locator("[name='v.count']").press("Enter")
        page.wait_for_timeout(200)
        assert page.input_value("[name='v.count']") == "7"
        assert page.locator(".form-state").inner_text().startswith("not started")


def typed_draft(page: Any, text: str) -> None:
    page.fill("[name='v.note']", text)
    page.wait_for_selector("#kept:not([hidden])")


def test_what_was_typed_is_there_after_signing_out_and_nowhere_in_the_browser(staff: Any, visit: Any) -> None:
    page = visit(staff, "/smart-ms/", NURSE)
    form = own_form(page)
    page.goto(form)
    ready(page)
    typed_draft(page, "the secret of a person")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(re.compile("login|/$"))
    page.go_back()
    page.wait_for_timeout(300)
    assert "the secret" not in page.content()
    stored = page.evaluate("JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage)])")
    assert stored == "[[],[]]"
    assert page.evaluate("caches.keys()") == []
    assert page.evaluate("indexedDB.databases()") == []
    again = visit(staff, form, NURSE)
    assert again.input_value("[name='v.note']") == "the secret of a person"
    assert "Kept as a draft" in again.locator("#kept").inner_text()


def test_a_network_that_goes_and_comes_loses_nothing(staff: Any, visit: Any) -> None:
    page = visit(staff, "/smart-ms/", NURSE)
    form = own_form(page)
    page.goto(form)
    ready(page)
    page.context.set_offline(True)
    page.fill("[name='v.note']", "typed without a network")
    page.keyboard.press("Control+s")
    page.wait_for_selector("#alarm:not([hidden])")
    assert "No connection" in page.locator("#alarm").inner_text()
    assert page.input_value("[name='v.note']") == "typed without a network"
    page.context.set_offline(False)
    page.wait_for_selector("#kept:not([hidden])")
    again = visit(staff, form, NURSE)
    assert again.input_value("[name='v.note']") == "typed without a network"


def test_a_session_that_ends_while_typing_goes_on_after_signing_in_elsewhere(staff: Any, visit: Any) -> None:
    page = visit(staff, "/smart-ms/", NURSE)
    form = own_form(page)
    page.goto(form)
    ready(page)
    page.context.clear_cookies(name="trialwright_staff")
    page.fill("[name='v.note']", "typed while signed out")
    page.wait_for_selector("#alarm:not([hidden])")
    assert "signed out" in page.locator("#alarm").inner_text()
    other = page.context.new_page()
    other.goto("/accounts/login/")
    other.fill("#id_login", NURSE)
    other.fill("#id_password", PASSWORD)
    other.click("main button[type=submit]")
    page.wait_for_selector("#alarm", state="hidden")
    other.goto(form)
    assert other.input_value("[name='v.note']") == "typed while signed out"


def test_one_form_in_two_windows_says_so_in_the_second(staff: Any, visit: Any) -> None:
    page = visit(staff, "/smart-ms/", NURSE)
    form = own_form(page)
    page.goto(form)
    ready(page)
    other = page.context.new_page()
    other.goto(form)
    ready(other)
    page.fill("[name='v.note']", "typed in the first window")
    page.wait_for_selector("#kept:not([hidden])")
    other.fill("[name='v.count']", "4")
    other.wait_for_selector("#alarm:not([hidden])")
    assert "another window" in other.locator("#alarm").inner_text()
    assert page.locator("#alarm").is_hidden()
    assert page.input_value("[name='v.note']") == "typed in the first window"


def test_two_people_at_one_form_choose_field_by_field_and_nothing_is_lost(staff: Any, visit: Any) -> None:
    nurse = visit(staff, "/smart-ms/", NURSE)
    form = own_form(nurse, "vital_signs")
    doctor = visit(staff, form, "investigator.01")
    nurse.goto(form)
    ready(nurse)
    ready(doctor)
    nurse.fill("[name='v.systolic']", "120")
    nurse.fill("[name='v.pulse']", "60")
    doctor.fill("[name='v.systolic']", "130")
    doctor.fill("[name='v.diastolic']", "80")
    doctor.keyboard.press("Control+s")
    doctor.wait_for_url(re.compile("done=saved"))
    nurse.keyboard.press("Control+s")
    nurse.wait_for_url(re.compile("/compare/"))
    rows = {row.locator("th").inner_text(): row for row in nurse.locator(".compare tbody tr").all()}
    assert len(rows) == 3
    assert "both changed" in nurse.locator("tr[data-by=both]").inner_text()
    nurse.get_by_role("button", name="Go on with these").click()
    assert "not decided" in nurse.locator("[role=alert]").first.inner_text()
    nurse.locator("tr[data-by=both] input[value=mine]").check()
    nurse.get_by_role("button", name="Go on with these").click()
    nurse.wait_for_url(re.compile("done=merged"))
    ready(nurse)
    values = {n: nurse.input_value(f"[name='v.{n}']") for n in ("systolic", "diastolic", "pulse")}
    assert values == {"systolic": "120", "diastolic": "80", "pulse": "60"}
    assert nurse.locator("#reason-block").is_visible(), "the doctor's value is changed"
    nurse.fill("#reason", "measured again")
    nurse.keyboard.press("Control+s")
    nurse.wait_for_url(re.compile("done=saved"))
    assert "version 2" in nurse.locator(".form-state").inner_text()


def test_a_change_asks_for_a_reason_only_after_the_first_save_and_shows_in_the_margin(staff: Any, visit: Any) -> None:
    page = visit(staff, "/smart-ms/", NURSE)
    form = own_form(page, "vital_signs")
    page.goto(form)
    ready(page)
    assert page.locator("#reason").count() == 0
    page.fill("[name='v.pulse']", "70")
    page.keyboard.press("Control+s")
    page.wait_for_url(re.compile("done=saved"))
    ready(page)
    page.fill("[name='v.systolic']", "120")
    assert not page.locator("#reason-block").is_visible(), "a first entry needs no reason"
    page.fill("[name='v.pulse']", "170")
    assert "Pulse" in page.locator("#reason-for").inner_text()
    page.keyboard.press("Control+s")
    page.wait_for_selector("#refused[data-code='capture.reason_missing']")
    assert page.evaluate("document.activeElement.id") == "reason"
    page.keyboard.type("digits forgotten")
    page.keyboard.press("Control+s")
    page.wait_for_selector(".form-state:has-text('version 2')")
    ready(page)
    page.locator("[name='v.pulse']").focus()
    page.wait_for_selector("#margin .history")
    margin = page.locator("#margin").inner_text()
    assert "70 /min → 170 /min" in margin
    assert "digits forgotten" in margin
    assert "Unusual" in page.locator("[data-found=pulse]").inner_text() or page.locator("#margin .query").count()


def test_a_query_is_confirmed_in_the_margin_and_what_was_typed_beside_stays(staff: Any, visit: Any) -> None:
    page = visit(staff, "/smart-ms/", NURSE)
    form = own_form(page, "vital_signs")
    page.goto(form)
    ready(page)
    page.fill("[name='v.pulse']", "170")
    page.keyboard.press("Control+s")
    page.wait_for_url(re.compile("done=saved"))
    ready(page)
    page.fill("[name='v.systolic']", "118")
    if not page.locator("#margin textarea[name='text.1']").is_visible():
        page.locator("#margin .query summary").click()
    page.fill("#margin textarea[name='text.1']", "ran up the stairs")
    page.get_by_role("button", name="Confirm").click()
    page.wait_for_url(re.compile("field=pulse"))
    page.wait_for_selector("#margin .query:has-text('confirmed')")
    assert page.input_value("[name='v.systolic']") == "118"


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_pages_of_forms_have_no_fault_of_accessibility_and_fit(staff: Any, visit: Any, width: int) -> None:
    page = visit(staff, f"{P}/log/every_type/1/", NURSE, width=width)
    paths = [f"{P}/log/every_type/1/", f"{P}/marrow_1/"]
    if width == 1280:
        paths += [f"{P}/marrow_1/safety_gate/1/?field=platelets", f"{P}/new-visit/"]
        paths += ["/smart-ms/blank-forms/every_type/"]
    for path in paths:
        page.goto(path)
        page.wait_for_load_state("networkidle")
        found = Axe().run(page, options=WCAG)
        assert found.violations_count == 0, (path, found.generate_report())
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, path
