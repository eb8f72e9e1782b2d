"""A day's work of each role, done through the pages in a real Chromium, over one installation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from trialwright.foundation.tables import Table
from trialwright.stores import open_store
from trialwright.trial.capture.views import FORM, ITEM
from trialwright.trial.custody.views import PRODUCT, SLOT
from trialwright.trial.queries.views import QUERY
from trialwright.trial.safety.views import ADVERSE_EVENT, CLOCK
from trialwright_web.config.demo import PASSWORD

STUDY = "smart-ms"
ARM = re.compile(r"saline|cells_first|mesenchymal", re.IGNORECASE)
COLLECTED = ("NO-02-002", "SMS-91-417-2-DAYS")
"""Whose marrow is taken, and the label on the bag."""
MEASURED = "NO-03-004"
"""The product of the first injection is measured and waits for its release."""
SERIOUS = ("NO-01-005", "ae_4")
"""A serious event whose clock to the sponsor runs."""


@pytest.fixture(scope="module")
def staff(serve: Callable[..., Any]) -> Any:
    return serve("staff")


@pytest.fixture(scope="module")
def closed(serve: Callable[..., Any]) -> Any:
    return serve("closed")


@pytest.fixture(scope="module")
def sit(chromium: Any) -> Iterator[Callable[..., Any]]:
    """A page of somebody at their desk; who was there before is still signed in, in another window, too."""
    kept: dict[tuple[str, str], Any] = {}
    contexts: list[Any] = []

    def open_page(server: Any, person: str, path: str, *, width: int = 1280, javascript: bool = True) -> Any:
        context = chromium.new_context(
            base_url=server.address, viewport={"width": width, "height": 900}, locale="en",
            java_script_enabled=javascript, storage_state=kept.get((server.process, person)),
        )  # fmt: skip
        contexts.append(context)
        page = context.new_page()
        if (server.process, person) not in kept:
            page.goto("/accounts/login/")
            page.fill("#id_login", person)
            page.fill("#id_password", PASSWORD)
            page.click("main button[type=submit]")
            role, _dot, number = person.partition(".")
            desk = page.locator(f"button[value='{STUDY}:{role}@{number if len(number) == 2 else ''}']")
            if desk.count():
                desk.click()
            kept[server.process, person] = context.storage_state()
        page.goto(f"/{STUDY}/{path}")
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def rows(installation: Path) -> Callable[..., list[dict[str, Any]]]:
    """Rows of a table of the record: ``rows(TABLE, column=value)``; of the closed space with ``space="closed"``."""

    def read(table: Table, space: str = "open", **equals: Any) -> list[dict[str, Any]]:
        name = f"{STUDY}.closed.db" if space == "closed" else f"{STUDY}.db"
        with open_store(f"sqlite:///{installation / name}") as store:
            return list(store.rows.where(table, **equals))

    return read


def told(page: Any, words: str) -> None:
    """Wait until the page says so."""
    page.get_by_text(words).first.wait_for()


def entered(page: Any, name: str, value: str) -> None:
    """Answer a question of a form, whatever it is drawn as."""
    field = page.locator(f"[name='v.{name}']")
    if field.first.evaluate("one => one.type") == "radio":
        page.check(f"[name='v.{name}'][value='{value}']")
    elif field.first.evaluate("one => one.tagName") == "SELECT":
        field.select_option(value)
    else:
        field.fill(value)


def test_a_monitor_verifies_and_asks_a_nurse_answers_and_the_monitor_settles(
    staff: Any, sit: Callable[..., Any], rows: Callable[..., Any]
) -> None:
    page = sit(staff, "monitor.1", "")
    page.locator("#kind-verify_items ~ ul .task a").first.click()
    found = re.search(r"/verification/([^/]+)/([^/]+)/([^/]+)/(\d+)", page.url)
    assert found is not None
    participant, encounter, form, repeat = found.groups()
    page.get_by_role("button", name="Tick all that wait").click()
    ticked = page.locator("input[name=item]:checked")
    items = [box.get_attribute("value") for box in ticked.all()]
    assert items
    page.get_by_role("button", name="Verified").click()
    told(page, "verified.")
    key = {"participant": participant, "encounter": encounter, "form": form, "repeat": int(repeat)}
    assert {row["item"] for row in rows(ITEM, **key) if row["verified"]} >= set(items)

    page.goto(found[0] if found[0].startswith(f"/{STUDY}") else f"/{STUDY}{found[0]}")
    page.get_by_role("link", name=re.compile("^Ask ")).first.click()
    page.fill("#act-text", "The source says otherwise. Please look again.")
    page.locator("form.act-form button[type=submit]:not([hidden])").click()
    told(page, "The site sees the question.")

    site = participant[3:5]
    nurse = sit(staff, f"study_nurse.{site}", "queries")
    line = nurse.locator("tr", has_text="Please look again.")
    line.locator("summary", has_text="Answer").click()
    line.locator("textarea").first.fill("Read again in the source: it is right.")
    line.locator("details[open] button").click()
    told(nurse, "The query is answered.")

    page.goto(f"/{STUDY}/queries?status=answered")
    page.locator("tr", has_text="Please look again.").get_by_role("button").first.click()
    told(page, "The query is settled.")
    (query,) = [row for row in rows(QUERY, participant=participant) if "Please look again" in str(row["text"])]
    assert (query["status"], query["answer"]) == ("closed", "Read again in the source: it is right.")


def test_a_nurse_follows_an_event_up_and_the_safety_officer_stops_its_clock(
    staff: Any, closed: Any, sit: Callable[..., Any], rows: Callable[..., Any]
) -> None:
    participant, event = SERIOUS
    nurse = sit(staff, "study_nurse.01", f"safety/{participant}/{event}")
    nurse.get_by_role("link", name="Follow up or correct").click()
    nurse.get_by_label("recovering", exact=True).check()
    nurse.fill("#act-reason", "seen at the ward this morning")
    nurse.get_by_role("button", name="Record the follow-up").click()
    told(nurse, "The follow-up is recorded.")
    (row,) = rows(ADVERSE_EVENT, participant=participant, adverse_event=event)
    assert row["outcome"] == "recovering"

    officer = sit(closed, "safety_officer.1", "")
    assert "fever" in officer.locator("#kind-meet_clock ~ ul").inner_text()
    officer.locator("#kind-meet_clock ~ ul .task a").first.click()
    assert officer.locator("[data-ends]").first.inner_text()
    officer.get_by_role("link", name="The sponsor knows").click()
    officer.get_by_role("button", name="Record the awareness").click()
    told(officer, "The sponsor's awareness is recorded.")
    clocks = {row["clock"]: row["met_on"] for row in rows(CLOCK, participant=participant, adverse_event=event)}
    assert clocks["serious_to_sponsor"]
    assert not ARM.search(officer.content())


def test_a_bag_travels_from_the_site_into_the_laboratory_by_scanner(
    staff: Any, closed: Any, sit: Callable[..., Any], rows: Callable[..., Any]
) -> None:
    participant, label = COLLECTED
    nurse = sit(staff, "study_nurse.02", f"products/{participant}/slot_2/collect")
    nurse.click("#act-label")
    nurse.keyboard.type(f"{label}\n")
    nurse.fill("#act-volume_ml", "48,5")
    nurse.get_by_role("button", name="Record the collection").click()
    told(nurse, "The collection is recorded.")

    bench = sit(closed, "cell_laboratory.1", "")
    waiting = bench.locator("#board-laboratory-board ~ ul")
    assert label in waiting.inner_text()
    bench.goto(f"/{STUDY}/laboratory")
    bench.click("[name=scan]")
    bench.keyboard.type(f"{label}\n")
    bench.wait_for_url(f"**/laboratory/products/{participant}/{label}")
    bench.get_by_role("link", name="Receive", exact=True).click()
    bench.click("#act-label")
    bench.keyboard.type(f"{label}\n{participant}\n")
    bench.fill("#act-condition", "intact, 6 °C")
    bench.get_by_role("button", name="Record the receipt").click()
    told(bench, "The container is received.")
    bench.get_by_role("link", name="Manufacture step").click()
    bench.fill("#act-step", "passage 1")
    bench.get_by_role("button", name="Record the step").click()
    told(bench, "The step is recorded.")
    bench.get_by_role("link", name="Measurements").click()
    bench.fill("[name='m.viability']", "91,5")
    bench.get_by_role("button", name="Record the measurements").click()
    told(bench, "The measurements are recorded.")
    (row,) = rows(PRODUCT, space="closed", participant=participant, label=label)
    assert row["received_at"]
    assert row["status"] == "in_manufacture"


def test_a_product_is_released_handed_over_and_given(
    closed: Any, sit: Callable[..., Any], rows: Callable[..., Any]
) -> None:
    (slot,) = rows(SLOT, participant=MEASURED, slot="slot_1")
    label = str(slot["label"])
    qualified = sit(closed, "qualified_person.1", "")
    qualified.locator("#board-laboratory-board ~ ul .task", has_text=label).locator("a").click()
    for button, words in (("Sign the release", "released"), ("Sign the certificate", "certified")):
        qualified.fill("#sign-password", PASSWORD)
        qualified.get_by_role("button", name=button).click()
        told(qualified, f"{words}.")
        following = qualified.get_by_role("link", name="Certify the batch")
        if following.count():
            following.click()

    bench = sit(closed, "cell_laboratory.1", f"laboratory/look/{MEASURED}")
    bench.check("[name=period][value=period_1]")
    bench.locator("form.act-form button[type=submit]:not([hidden])").click()
    shown = bench.locator(".revealed").inner_text()
    comparator = "Saline" in shown.partition("First treatment period")[2].partition("Second")[0]
    bench.goto(f"/{STUDY}/laboratory/products/{MEASURED}/{label}/hand-over")
    bench.click("#act-label")
    bench.keyboard.type(f"{label}\n{MEASURED}\n")
    bench.select_option("#act-to", "injecting_physician.03")
    if comparator:
        bench.fill("#act-comparator_lot", "NACL-0001")
    bench.get_by_role("button", name="Hand over", exact=True).click()
    told(bench, "The syringe is handed over.")

    physician = sit(closed, "injecting_physician.03", "")
    task = physician.locator("#board-laboratory-board ~ ul .task", has_text=label)
    task.get_by_role("link", name=re.compile("Report the injection")).click()
    physician.click("#act-label")
    physician.keyboard.type(f"{label}\n{MEASURED}\n")
    physician.get_by_label("the comparator" if comparator else "the product", exact=True).check()
    physician.fill("#act-volume_ml", "5")
    if not comparator:
        physician.fill("#act-dose", "1")
    physician.get_by_role("button", name="Record the injection").click()
    told(physician, "The injection is recorded.")
    (row,) = rows(PRODUCT, space="closed", participant=MEASURED, label=label)
    assert (row["content"], bool(row["given_at"])) == ("comparator" if comparator else "product", True)
    physician.goto(f"/{STUDY}/")
    assert physician.locator("#board-laboratory-board ~ ul .task", has_text=label).count() == 0


def test_a_blinded_rater_fills_and_signs_a_form_and_sees_no_form_of_others(
    staff: Any, sit: Callable[..., Any], rows: Callable[..., Any]
) -> None:
    page = sit(staff, "blinded_rater.03", "participants/NO-03-003/new-visit/")
    page.fill("#date", "t")
    page.click("main form .actions button")
    page.wait_for_url(re.compile("unscheduled_"))
    visit = str(re.search(r"unscheduled_\d+", page.url)[0])  # type: ignore[index]
    page.goto(f"/{STUDY}/participants/NO-03-003/{visit}/edss/1/")
    page.wait_for_selector("html.js")
    page.wait_for_load_state("networkidle")
    for part in ("visual", "brainstem", "pyramidal", "cerebellar", "sensory", "bowel_bladder", "cerebral"):
        entered(page, part, "0")
    for name, value in (("distance", "1200"), ("aid", "NONE"), ("ambulation", "0"), ("rater_score", "0")):
        entered(page, name, value)
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile("done="))
    key = {"participant": "NO-03-003", "encounter": visit, "form": "edss", "repeat": 1}
    values = {row["item"]: row["value"] for row in rows(ITEM, **key)}
    assert (values["distance"], values["aid"], float(str(values["computed_score"]))) == ("1200", "NONE", 0)
    assert rows(FORM, **key)[0]["complete"]
    page.goto(f"/{STUDY}/")
    page.locator("#kind-sign_form ~ ul .task a", has_text="NO-03-003").first.click()
    page.fill("#sign-password", PASSWORD)
    page.get_by_role("button", name="Sign this form").click()
    page.wait_for_url(re.compile("done=signed"))
    assert rows(FORM, **{**key, "encounter": "screening"})[0]["signed"]
    assert not ARM.search(page.content())
    answer = page.goto(f"/{STUDY}/participants/NO-03-003/screening/haematology/1/")
    assert answer.status in (403, 404) or page.locator("[name='v.haemoglobin']").count() == 0


def test_a_sponsor_reads_curve_and_figures_and_nobody_by_name(staff: Any, sit: Callable[..., Any]) -> None:
    page = sit(staff, "sponsor.1", "")
    included = page.locator(".home-card").first.locator(".figure").inner_text()
    assert re.fullmatch(r"\d+ / \d+", included)
    page.get_by_role("link", name="Enrolment").first.click()
    page.locator(".uplot canvas").wait_for()
    page.get_by_role("link", name="Sites", exact=True).first.click()
    table = page.locator("main table").first
    assert table.locator("tbody tr").count() >= 4
    randomised = sum(int(cell.split("/")[0]) for cell in table.locator("tbody td:nth-child(2)").all_inner_texts())
    assert randomised == int(included.split("/")[0])
    assert not ARM.search(page.content())


def test_a_nurse_saves_a_form_without_scripts_and_at_four_hundred_per_cent(
    staff: Any, sit: Callable[..., Any], rows: Callable[..., Any]
) -> None:
    for width, javascript, pulse in ((1280, False, "61"), (320, True, "62")):
        page = sit(staff, "study_nurse.01", "participants/NO-01-002/new-visit/", width=width, javascript=javascript)
        page.fill("#date", "t")
        page.click("main form .actions button")
        page.wait_for_url(re.compile("unscheduled_"))
        visit = str(re.search(r"unscheduled_\d+", page.url)[0])  # type: ignore[index]
        page.goto(f"/{STUDY}/participants/NO-01-002/{visit}/vital_signs/1/")
        if javascript:
            page.wait_for_selector("html.js")
            page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.locator("[name='v.position']").first.check()
        for name, typed in (("systolic", "128"), ("diastolic", "84"), ("pulse", pulse), ("temperature", "36,9"),
                            ("weight", "70,5"), ("height", "178")):  # fmt: skip
            page.fill(f"[name='v.{name}']", typed)
        page.get_by_role("button", name=re.compile("^Save")).first.click()
        page.wait_for_url(re.compile("done="))
        key = {"participant": "NO-01-002", "encounter": visit, "form": "vital_signs", "repeat": 1}
        assert {row["item"]: row["value"] for row in rows(ITEM, **key)}["pulse"] == pulse


def test_the_menu_is_folded_on_a_telephone_and_open_where_there_is_room(staff: Any, sit: Callable[..., Any]) -> None:
    wide = sit(staff, "study_nurse.01", "")
    assert wide.get_by_role("link", name="Calendar").first.is_visible()
    assert not wide.locator(".side-fold > summary").is_visible()
    for javascript in (True, False):
        small = sit(staff, "study_nurse.01", "", width=390, javascript=javascript)
        assert not small.locator(".side-menu").is_visible()
        assert small.locator("h1").bounding_box()["y"] < 200
        small.locator(".side-fold > summary").focus()
        small.keyboard.press("Enter")
        assert small.locator(".side-menu").is_visible()
        assert small.evaluate("document.documentElement.scrollWidth") <= 390
