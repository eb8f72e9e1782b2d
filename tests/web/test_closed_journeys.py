"""Emergency unblinding against the clock, scanners that end each code with Enter, and axe; in a real Chromium."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trialwright.stores import open_store
from trialwright.trial.allocation.views import RANDOMISATION
from trialwright.trial.custody.views import SLOT
from trialwright_web.config.demo import PASSWORD

STUDY = "smart-ms"
ARMS = ("mesenchymal stem cells", "Saline")
PAGES = {
    "monitor.1": (
        "queries?status=all", "verification", "verification/NO-03-004", "deviations?state=all", "sites",
        "screening-log", "closure", "safety?show=all", "safety/NO-04-001/ae_1",
    ),
    "investigator.03": (
        "products", "products?show=all", "products/NO-03-004/slot_1", "products/NO-03-004/slot_1/collect",
        "emergency", "deviations/new", "safety/new",
    ),
    "cell_laboratory.1": (
        "laboratory?show=all", "laboratory/look/NO-03-004", "laboratory/deviations", "PRODUCT", "PRODUCT/hand-over",
        "PRODUCT/measure",
    ),
}  # fmt: skip
"""Person → pages of theirs, with PRODUCT for the address of a product."""
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
DESKS = {
    "investigator.03": "investigator@03", "monitor.1": "monitor@", "sponsor.1": "sponsor@",
    "cell_laboratory.1": "cell_laboratory@",
}  # fmt: skip


@pytest.fixture(scope="module")
def staff(serve: Callable[..., Any]) -> Any:
    return serve("staff")


@pytest.fixture(scope="module")
def closed(serve: Callable[..., Any]) -> Any:
    return serve("closed")


def test_an_investigator_unblinds_in_under_two_minutes_and_the_sponsor_sees_that_not_what(
    staff: Any, closed: Any, visit: Callable[..., Any], installation: Path
) -> None:
    # Somebody at night: signed in nowhere, starting at the page the staff process leads to.
    page = visit(closed, f"/{STUDY}/laboratory/emergency")
    began = time.monotonic()
    page.fill("#id_login", "investigator.04")
    page.fill("#id_password", PASSWORD)
    page.click("main button[type=submit]")
    if page.locator("form.desk-choice").count():
        page.click("button[value='smart-ms:investigator@04']")
    page.wait_for_selector("#act-participant")
    page.select_option("#act-participant", "NO-04-003")
    page.keyboard.press("Enter")
    page.fill("#act-reason", "unconscious, with signs of meningitis")
    page.fill("#sign-password", PASSWORD)
    page.keyboard.press("Enter")  # does nothing: the button is what sends
    assert page.locator(".revealed").count() == 0
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".revealed")
    taken = time.monotonic() - began
    assert taken < 120, f"{taken:.0f} s"
    shown = page.inner_text(".revealed")
    assert "NO-04-003" in shown
    assert any(arm in shown for arm in ARMS)

    with open_store(f"sqlite:///{installation / f'{STUDY}.db'}") as store:
        assert (store.rows.get(RANDOMISATION, ("NO-04-003",)) or {})["unblinded"] == "emergency"
    sponsor = staff.client("sponsor.1", f"{STUDY}:sponsor@")
    told = sponsor.get(f"/{STUDY}/deviations").text
    assert "NO-04-003 · in an emergency" in told
    assert not any(arm in told for arm in ARMS)


def test_an_opened_envelope_is_recorded_and_words_that_name_an_arm_are_refused(acts: Any, closed: Any) -> None:
    investigator = closed.client("investigator.01", f"{STUDY}:investigator@01")
    address = f"/{STUDY}/laboratory/emergency/envelope"
    telling = acts.send(investigator, address, participant="NO-01-005", reason="he got the placebo")
    assert acts.refusal(telling) == "allocation.reveals_arm"
    done = acts.send(investigator, address, participant="NO-01-005", reason="the system was down",
                     observed_at="2028-02-14T23:40")  # fmt: skip
    assert "It is recorded." in acts.words(done)
    assert not any(arm in done.text for arm in ARMS)


def test_the_page_of_the_staff_process_leads_to_the_closed_one(
    staff: Any, closed: Any, visit: Callable[..., Any]
) -> None:
    page = visit(staff, f"/{STUDY}/emergency", "investigator.04")
    link = page.get_by_role("link", name="Go on to unblind")
    assert link.get_attribute("href").endswith(f"/{STUDY}/laboratory/emergency")


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no_script"])
def test_a_scanner_fills_one_field_after_the_other_and_sends_nothing(
    closed: Any, visit: Callable[..., Any], installation: Path, javascript: bool
) -> None:
    with open_store(f"sqlite:///{installation / f'{STUDY}.db'}") as store:
        label = str((store.rows.get(SLOT, ("NO-03-004", "slot_1")) or {})["label"])
    path = f"/{STUDY}/laboratory/products/NO-03-004/{label}/hand-over"
    page = visit(closed, path, "cell_laboratory.1", javascript=javascript)
    page.click("#act-label")
    page.keyboard.type(f"{label}\n")
    if not javascript:
        page.click("#act-wristband")
    page.keyboard.type("NO-02-003\r\n")
    assert page.url.endswith(path)
    assert (page.input_value("#act-label"), page.input_value("#act-wristband")) == (label, "NO-02-003")
    assert page.locator("#refused").count() == 0
    page.click("main form.act-form button[type=submit]:not([hidden])")
    page.wait_for_selector("#refused")
    assert page.input_value("#act-label") == label  # refused, and nothing of it lost


def test_a_participant_in_danger_is_found_on_a_telephone(closed: Any, visit: Callable[..., Any]) -> None:
    page = visit(closed, f"/{STUDY}/laboratory/emergency", "investigator.04", width=320)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("width", [1280, 390])
def test_pages_have_no_fault_that_axe_finds(
    staff: Any, closed: Any, visit: Callable[..., Any], installation: Path, width: int
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    with open_store(f"sqlite:///{installation / f'{STUDY}.db'}") as store:
        label = str((store.rows.get(SLOT, ("NO-03-004", "slot_1")) or {})["label"])
    product = f"laboratory/products/NO-03-004/{label}"
    # Each page at two widths, each in another language; the whole product of them is a campaign.
    language = "en" if width == 1280 else "nb"
    found: list[str] = []
    for person, pages in PAGES.items():
        server = closed if person == "cell_laboratory.1" else staff
        page = visit(server, "/", person, width=width, language=language)
        button = page.locator(f"button[value='{STUDY}:{DESKS[person]}']")
        if button.count():
            button.click()
        for path in pages:
            page.goto(f"/{STUDY}/{path.replace('PRODUCT', product)}")
            violations = Axe().run(page, options=WCAG).response["violations"]
            found += [f"{path}: {one['id']} {one['nodes'][0]['html'][:120]}" for one in violations]
            if page.evaluate("document.documentElement.scrollWidth") > width:
                found.append(f"{path}: wider than the screen")
    assert found == []
