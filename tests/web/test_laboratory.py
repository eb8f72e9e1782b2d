"""The closed process at work: from the marrow to the injection, looks at allocations, and who sees what."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from trialwright.protocol.roles import Role
from trialwright.sealing import open_envelope
from trialwright.stores import open_store
from trialwright.trial.allocation.views import LOOK
from trialwright.trial.closure.views import DEVIATION
from trialwright.trial.custody.views import PRODUCT, SLOT
from trialwright_web.config.demo import PASSWORD

MEASURED = "NO-03-004"
"""Randomised; the product of the first injection is measured and waits for its release."""
LABEL = "SMS-77-123-2-TEST"
STUDY = "smart-ms"
ARMS = ("mesenchymal stem cells", "Saline", "mesenkymale", "Saltvann")


@pytest.fixture(scope="module")
def closed(serve: Callable[..., Any]) -> Any:
    return serve("closed")


@pytest.fixture(scope="module")
def staff(serve: Callable[..., Any]) -> Any:
    return serve("staff")


@pytest.fixture
def laboratory(closed: Any) -> httpx.Client:
    return closed.client("cell_laboratory.1", f"{STUDY}:cell_laboratory@")


@pytest.fixture
def qualified(closed: Any) -> httpx.Client:
    return closed.client("qualified_person.1", f"{STUDY}:qualified_person@")


def rows(installation: Path, space: str, table: Any, **equals: Any) -> list[dict[str, Any]]:
    name = f"{STUDY}.closed.db" if space == "closed" else f"{STUDY}.db"
    with open_store(f"sqlite:///{installation / name}") as store:
        return list(store.rows.where(table, **equals))


def measured(installation: Path) -> str:
    """The label of the product that waits for its release."""
    (slot,) = rows(installation, "open", SLOT, participant=MEASURED, slot="slot_1")
    return str(slot["label"])


def product(participant: str, label: str, act: str = "") -> str:
    return f"/{STUDY}/laboratory/products/{participant}/{label}" + (f"/{act}" if act else "")


@pytest.mark.parametrize(
    ("process", "person", "desk", "boards"),
    [
        ("closed", "cell_laboratory.1", "smart-ms:cell_laboratory@", ("laboratory?show=mine",)),
        ("closed", "qualified_person.1", "smart-ms:qualified_person@", ("laboratory?show=mine",)),
        ("closed", "injecting_physician.03", "smart-ms:injecting_physician@03",
         ("laboratory?show=mine", "products?show=mine")),
        ("closed", "unblinded_monitor.1", "smart-ms:unblinded_monitor@", ("laboratory?show=mine",)),
        ("closed", "pharmacist.11", "ocrelizumab-sc:pharmacist@11", ("laboratory?show=mine",)),
        ("staff", "investigator.03", "smart-ms:investigator@03", ()),
    ],
)  # fmt: skip
def test_the_home_lists_what_waits_on_the_boards(
    request: pytest.FixtureRequest, acts: Any, process: str, person: str, desk: str, boards: tuple[str, ...]
) -> None:
    client = request.getfixturevalue(process).client(person, desk)
    study = desk.partition(":")[0]
    page = client.get(f"/{study}/")
    home = _next_acts(page, study)
    on_boards = [act for board in boards for act in _next_acts(client.get(f"/{study}/{board}"), study)]
    begun = [act for act in on_boards if not act.endswith("/gate-collection")]  # of every later slot: no news
    assert set(begun) <= set(home)
    if boards:
        assert set(home) <= set(on_boards)
    tasks = 'class="task"' in page.text
    assert ("Nothing waits for you." in acts.words(page)) is not tasks
    if person in ("cell_laboratory.1", "qualified_person.1", "investigator.03"):
        assert home, acts.words(page)


def _next_acts(page: httpx.Response, study: str) -> list[str]:
    """Addresses of acts with products and injections that a page offers."""
    assert page.status_code == 200
    main = page.text.partition("<main")[2].partition("</main>")[0]
    return re.findall(rf'href="(/{study}/(?:laboratory/)?products/[^/"]+/[^/"]+/[a-z-]+)"', main)


def test_injections_of_people_in_screening_are_not_under_way(closed: Any) -> None:
    client = closed.client("injecting_physician.01", "smart-ms:injecting_physician@01")
    pages = [client.get(f"/smart-ms/products{show}") for show in ("", "?show=all")]
    main, everything = (page.text.partition("<main")[2] for page in pages)
    assert "NO-01-007" in everything
    assert "NO-01-007" not in main


def test_a_product_goes_from_release_to_injection_over_two_scanned_identifiers(
    acts: Any, closed: Any, installation: Path, laboratory: httpx.Client, qualified: httpx.Client
) -> None:
    label = measured(installation)
    assert acts.refusal(acts.send(laboratory, product(MEASURED, label, "hand-over"), label=label, wristband=MEASURED,
                        to="injecting_physician.03")) == "custody.not_released"  # fmt: skip
    assert "released" in acts.words(acts.send(qualified, product(MEASURED, label, "release")))
    assert "certified" in acts.words(acts.send(qualified, product(MEASURED, label, "certify")))

    wrong = acts.send(laboratory, product(MEASURED, label, "hand-over"), label=label, wristband="NO-02-003",
                 to="injecting_physician.03")  # fmt: skip
    assert (wrong.status_code, acts.refusal(wrong)) == (409, "custody.identifiers_do_not_match")
    assert f'value="{label}"' in wrong.text  # what was scanned is still there

    shown = acts.send(laboratory, f"/{STUDY}/laboratory/look/{MEASURED}", period="period_1")
    assert "no-store" in shown.headers["cache-control"]
    first = acts.words(shown).partition("First treatment period")[2].partition("Second treatment period")[0]
    lot = {"comparator_lot": "NACL-0001"} if "Saline" in first else {}
    handed = acts.send(laboratory, product(MEASURED, label, "hand-over"), label=label, wristband=MEASURED,
                  to="injecting_physician.03", **lot)  # fmt: skip
    assert "The syringe is handed over." in acts.words(handed)

    # The injection is a fact: nobody passed the gate nor authorised it, and it is recorded all the same.
    injector = closed.client("injecting_physician.03", f"{STUDY}:injecting_physician@03")
    administer = product(MEASURED, label, "administer")
    given = acts.send(injector, administer, label=label, wristband=MEASURED, volume_ml="5",
                 content="comparator" if lot else "product", dose="" if lot else "1")  # fmt: skip
    assert "The injection is recorded." in acts.words(given)
    assert "Nobody authorised the injection before." in acts.words(given)
    assert "deviation" in acts.words(given)
    (row,) = rows(installation, "closed", PRODUCT, participant=MEASURED, label=label)
    assert (row["content"], bool(row["given_at"])) == ("comparator" if lot else "product", True)
    about = [str(one["deviation"]) for one in rows(installation, "open", DEVIATION, participant=MEASURED)]
    assert "authorisation.not_authorised.injection.slot_1" in about

    late = acts.send(laboratory, product(MEASURED, label, "late-result"), measurement="sterility", value="positive")
    assert "A release criterion no longer holds." in acts.words(late)


def test_a_collection_travels_from_the_site_to_the_laboratory(
    acts: Any, staff: Any, closed: Any, installation: Path, laboratory: httpx.Client
) -> None:
    nurse = staff.client("study_nurse.02", f"{STUDY}:study_nurse@02")
    participant = "NO-02-002"
    collect = f"/{STUDY}/products/{participant}/slot_2/collect"
    assert acts.refusal(acts.send(nurse, collect, label="NOT-A-LABEL", volume_ml="48")) == "custody.label_not_usable"
    collected = acts.send(nurse, collect, label=LABEL.lower(), volume_ml="48,5")
    assert "The collection is recorded." in acts.words(collected)
    assert "The safety gate was not passed before." in acts.words(collected)

    found = laboratory.get(f"/{STUDY}/laboratory", params={"scan": LABEL})
    assert found.url.path == product(participant, LABEL)
    unknown = laboratory.get(f"/{STUDY}/laboratory", params={"scan": "SMS-00-000-1-XXXX"})
    assert acts.refusal(unknown) == "custody.label_unknown"

    other = acts.send(laboratory, product(participant, LABEL, "receive"), label="SMS-00-000-1-XXXX",
                 wristband=participant, condition="intact")  # fmt: skip
    assert acts.refusal(other) == "laboratory.wrong_product_page"
    received = acts.send(laboratory, product(participant, LABEL, "receive"), label=LABEL, wristband=participant,
                    condition="intact, 6 °C")  # fmt: skip
    assert "The container is received." in acts.words(received)
    step = acts.send(laboratory, product(participant, LABEL, "step"), step="passage 1", details="confluent")
    assert "passage 1: confluent" in acts.words(step)
    values = {"m.viability": "91,5", "m.cell_count": "30", "m.sterility": "NEGATIVE"}
    entered = acts.send(laboratory, product(participant, LABEL, "measure"), **values)
    assert "does not hold" in acts.words(entered)  # fewer than 40 million cells
    assert "91.5" in acts.words(entered)
    reported = acts.send(laboratory, product(participant, LABEL, "out-of-specification"))
    assert "The treating physician is asked." in acts.words(reported)
    investigator = staff.client("investigator.02", f"{STUDY}:investigator@02")
    asked = acts.send(investigator, f"/{STUDY}/products/{participant}/slot_2/request")
    assert "The Qualified Person sees your request." in acts.words(asked)
    failed = acts.send(laboratory, product(participant, LABEL, "fail"), reason="contaminated")
    assert "the same in every arm" in acts.words(failed)
    assert "collection to be repeated" in acts.words(nurse.get(f"/{STUDY}/products/{participant}/slot_2"))


def test_a_signature_does_not_cover_what_changed_since_it_was_shown(
    acts: Any, closed: Any, laboratory: httpx.Client, qualified: httpx.Client, installation: Path
) -> None:
    participant = "NO-02-004"
    (slot,) = rows(installation, "open", SLOT, participant=participant, slot="slot_1")
    address = product(participant, str(slot["label"]), "release")
    page = qualified.get(address)
    acts.send(laboratory, product(participant, str(slot["label"]), "measure"), **{"m.viability": "95"})
    typed = {name: acts.hidden(page, name) for name in ("csrfmiddlewaretoken", "request_id", "shown")}
    answer = qualified.post(address, data={**typed, "password": PASSWORD}, headers={"Referer": str(page.url)})
    assert acts.refusal(answer) == "web.page_moved"
    wrong = acts.send(qualified, address, password="not my password")
    assert acts.refusal(wrong) == "web.signature_refused"


def test_a_page_sent_twice_acts_once(acts: Any, laboratory: httpx.Client, installation: Path) -> None:
    participant = "NO-02-003"
    (slot,) = rows(installation, "open", SLOT, participant=participant, slot="slot_1")
    address = product(participant, str(slot["label"]), "store")
    page = laboratory.get(address)
    typed = {name: acts.hidden(page, name) for name in ("csrfmiddlewaretoken", "request_id")}
    for _ in range(2):
        answer = laboratory.post(address, data={**typed, "place": "tank 7", "quantity": "2 bags"},
                                 headers={"Referer": str(page.url)})  # fmt: skip
        assert "The storage is recorded." in acts.words(answer)
    assert acts.words(answer).count("tank 7: 2 bags") == 1


def test_an_allocation_is_shown_only_after_the_look_is_on_record_and_once(
    acts: Any, laboratory: httpx.Client, installation: Path
) -> None:
    address = f"/{STUDY}/laboratory/look/NO-02-003"
    page = laboratory.get(address)
    assert not any(arm in page.text for arm in ARMS)
    typed = {name: acts.hidden(page, name) for name in ("csrfmiddlewaretoken", "request_id")}
    data = {**typed, "period": "period_1"}
    shown = laboratory.post(address, data=data, headers={"Referer": str(page.url)})
    assert any(arm in shown.text for arm in ARMS)
    looks = rows(installation, "closed", LOOK, participant="NO-02-003", purpose="dispensing")
    assert [look["actor"] for look in looks] == ["cell_laboratory.1"]
    again = laboratory.post(address, data=data, headers={"Referer": str(page.url)})
    assert acts.refusal(again) == "web.already_shown"
    assert not any(arm in again.text for arm in ARMS)


def test_the_statistician_makes_an_envelope_that_opens_with_its_password(
    acts: Any, closed: Any, installation: Path
) -> None:
    import base64

    statistician = closed.client("independent_statistician.1", f"{STUDY}:independent_statistician@")
    page = acts.send(statistician, f"/{STUDY}/laboratory/allocations/envelope", participant="NO-02-002")
    password = re.search(r'class="envelope-password">([^<]+)<', page.text)
    file = re.search(r'href="data:application/json;base64,([^"]+)"', page.text)
    assert password and file
    participant, content = open_envelope(base64.b64decode(file[1]), password[1])
    assert participant == "NO-02-002"
    assert any(arm in content for arm in ARMS)
    program = statistician.get(f"/{STUDY}/laboratory/allocations/envelope_opener.py")
    assert "def open_envelope" in program.text
    assert "for an emergency envelope" in acts.words(statistician.get(f"/{STUDY}/laboratory/allocations"))


def test_labels_carry_two_identifiers_and_no_arm(laboratory: httpx.Client, staff: Any, installation: Path) -> None:
    from io import BytesIO

    from pypdf import PdfReader

    label = measured(installation)
    pdf = laboratory.get(product(MEASURED, label, "labels.pdf"))
    assert pdf.headers["content-type"] == "application/pdf"
    text = PdfReader(BytesIO(pdf.content)).pages[0].extract_text()
    assert (label in text, MEASURED in text) == (True, True)
    assert not any(arm.casefold() in text.casefold() for arm in ARMS)
    nurse = staff.client("study_nurse.03", f"{STUDY}:study_nurse@03")
    fresh = nurse.get(f"/{STUDY}/products/NO-03-003/slot_2/labels.pdf")
    text = PdfReader(BytesIO(fresh.content)).pages[0].extract_text()
    assert re.search(r"SMS-[0-9]{2}-[0-9]{3}-[12]-[A-Z0-9]{4}", text)


@pytest.mark.parametrize(
    ("person", "desk", "address", "status"),
    [
        ("investigator.04", "investigator@04", "/laboratory", 403),
        ("investigator.04", "investigator@04", "/laboratory/allocations", 403),
        ("investigator.04", "investigator@04", "/laboratory/emergency", 200),
        ("cell_laboratory.1", "cell_laboratory@", "/laboratory/allocations", 403),
        ("cell_laboratory.1", "cell_laboratory@", "/laboratory/emergency", 403),
        ("safety_officer.1", "safety_officer@", "/laboratory", 403),
        ("independent_statistician.1", "independent_statistician@", "/laboratory/allocations", 200),
    ],
)
def test_everybody_in_the_closed_process_reaches_their_own_pages(
    closed: Any, person: str, desk: str, address: str, status: int
) -> None:
    assert closed.client(person, f"{STUDY}:{desk}").get(f"/{STUDY}{address}").status_code == status


def test_imports_stand_in_the_menu_of_who_fills_forms_only(laboratory: httpx.Client, staff: Any) -> None:
    assert f"/{STUDY}/imports/" not in laboratory.get(f"/{STUDY}/").text
    assert f"/{STUDY}/imports/" in staff.client("study_nurse.03", f"{STUDY}:study_nurse@03").get(f"/{STUDY}/").text


def test_an_injecting_physician_sees_the_own_site_only(closed: Any, installation: Path) -> None:
    client = closed.client("injecting_physician.04", f"{STUDY}:injecting_physician@04")
    board = client.get(f"/{STUDY}/laboratory", params={"show": "all"})
    assert set(re.findall(r"NO-(\d\d)-\d{3}", board.text)) == {"04"}
    assert client.get(product(MEASURED, measured(installation))).status_code == 404


def test_nothing_of_the_laboratory_is_reachable_in_the_staff_process(staff: Any) -> None:
    nurse = staff.client("study_nurse.03", f"{STUDY}:study_nurse@03")
    assert nurse.get(f"/{STUDY}/laboratory").status_code == 404
    assert nurse.get(f"/{STUDY}/laboratory/emergency").status_code == 404
    assert Role.CELL_LABORATORY.value not in nurse.get(f"/{STUDY}/products").text


def test_a_study_without_products_prepares_after_a_look(acts: Any, closed: Any) -> None:
    pharmacist = closed.client("pharmacist.11", "ocrelizumab-sc:pharmacist@11")
    board = pharmacist.get("/ocrelizumab-sc/laboratory")
    assert board.status_code == 200
    assert "This study makes no product of its own." in acts.words(board)
