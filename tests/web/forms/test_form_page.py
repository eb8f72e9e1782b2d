"""What the pages of forms do with what they are sent: over HTTP, without a browser and so without a script."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import zlib
from html import unescape
from typing import Any

import httpx
import pytest

from trialwright_web.config.demo import PASSWORD, environment

P = "/smart-ms/participants/NO-01-002"
LOG = f"{P}/log/every_type/1/"
COMPLETE = {"v.count": "3", "v.present": "true", "v.large": "", "w.large": ""}
VITAL = {"v.position": "SITTING", "v.systolic": "120", "v.diastolic": "80", "v.pulse": "61", "v.temperature": "36,6",
         "v.weight": "70", "v.height": "178"}  # fmt: skip


@pytest.fixture(scope="module")
def staff(serve: Any) -> Any:
    return serve("staff")


@pytest.fixture(scope="module")
def nurse(staff: Any) -> httpx.Client:
    return staff.client("study_nurse.01", "smart-ms:study_nurse@01")


@pytest.fixture(scope="module")
def doctor(staff: Any) -> httpx.Client:
    return staff.client("investigator.01", "smart-ms:investigator@01")


def hidden(text: str, name: str) -> str:
    found = re.search(rf'name="{re.escape(name)}" value="([^"]*)"', text)
    assert found, f"no field {name} in the page"
    return unescape(found[1])


def send(client: httpx.Client, address: str, act: str, fields: dict[str, str] | None = None, **how: Any) -> Any:
    """What the page at the address sends when a button is pressed, with fields filled in."""
    page = client.get(address)
    assert page.status_code == 200, page.text[:500]
    basic = {name: hidden(page.text, name) for name in ("csrfmiddlewaretoken", "version", "request_id")}
    return client.post(address.partition("?")[0], data={**basic, "act": act, **(fields or {})}, **how)


def visit_on(client: httpx.Client, day: str = "t", participant: str = P) -> str:
    """A new unscheduled visit; answers its address."""
    page = client.get(f"{participant}/new-visit/")
    data = {"csrfmiddlewaretoken": hidden(page.text, "csrfmiddlewaretoken"), "date": day}
    data["request_id"] = hidden(page.text, "request_id")
    answer = client.post(f"{participant}/new-visit/", data=data)
    assert "unscheduled_" in answer.url.path, answer.text
    return answer.url.path


def shown(page: httpx.Response, name: str) -> str:
    found = re.search(rf'name="v\.{name}" value="([^"]*)"', page.text)
    return unescape(found[1]) if found else ""


def test_a_form_is_saved_without_a_script_and_shown_as_saved(nurse: httpx.Client) -> None:
    address = f"{visit_on(nurse)}vital_signs/1/"
    answer = send(nurse, address, "save", VITAL)
    assert answer.url.params["done"] == "saved"
    assert shown(answer, "temperature") == "36.6"
    assert "not complete" not in answer.text


def test_a_page_sent_twice_saves_once(nurse: httpx.Client) -> None:
    address = f"{visit_on(nurse)}vital_signs/1/"
    page = nurse.get(address)
    data = {name: hidden(page.text, name) for name in ("csrfmiddlewaretoken", "version", "request_id")}
    data |= {"act": "save", **VITAL}
    for _ in range(2):
        answer = nurse.post(address, data=data)
        assert answer.url.params["done"] == "saved"
    assert "version 1" in answer.text


def test_fields_that_cannot_be_read_say_so_and_everything_typed_stays(nurse: httpx.Client) -> None:
    address = f"{visit_on(nurse)}vital_signs/1/"
    answer = send(nurse, address, "save", VITAL | {"v.systolic": "high", "v.pulse": "61,55"})
    assert answer.status_code == 409
    assert 'data-code="web.fields_not_readable"' in answer.text
    assert shown(answer, "systolic") == "high"
    assert shown(answer, "weight") == "70"
    assert answer.text.count('class="wrong"') == 2
    again = nurse.get(address)
    assert shown(again, "systolic") == "high", "kept as a draft"


def test_the_date_of_a_visit_that_has_none_is_asked_first_and_recorded_with_the_save(nurse: httpx.Client) -> None:
    address = f"{P}/baseline/vital_signs/1/"
    page = nurse.get(address)
    assert 'name="visit_date"' in page.text
    refused = send(nurse, address, "save", VITAL)
    assert 'data-code="web.visit_date_missing"' in refused.text
    future = send(nurse, address, "save", VITAL | {"visit_date": "t+9"})
    assert 'data-code="capture.date_not_possible"' in future.text
    assert shown(future, "systolic") == "120"
    saved = send(nurse, address, "save", VITAL | {"visit_date": "t"})
    assert saved.url.params["done"] == "saved"
    assert 'name="visit_date"' not in saved.text


def test_a_recorded_value_is_changed_with_a_reason_and_removed_with_a_cause(nurse: httpx.Client) -> None:
    address = f"{visit_on(nurse)}vital_signs/1/"
    send(nurse, address, "save", VITAL)
    without = send(nurse, address, "save", VITAL | {"v.pulse": "71"})
    assert 'data-code="capture.reason_missing"' in without.text
    removed = send(nurse, address, "save", VITAL | {"v.pulse": "", "reason": "never measured"})
    assert removed.status_code == 409
    assert "choose why there is none" in removed.text
    caused = send(nurse, address, "save", VITAL | {"v.pulse": "", "w.pulse": "missing.not_done", "reason": "misread"})
    assert caused.url.params["done"] == "saved"
    history = nurse.get(f"{address}margin/pulse/")
    assert "misread" in history.text
    assert re.search(r"<del>61 /min</del>\s*→\s*not done", history.text)


def test_everything_entered_may_come_from_paper_and_one_field_from_a_device(nurse: httpx.Client) -> None:
    address = f"{visit_on(nurse)}vital_signs/1/"
    send(nurse, address, "save", VITAL | {"source": "paper", "s.pulse": "device"})
    assert "paper" in nurse.get(f"{address}margin/weight/").text
    pulse = nurse.get(f"{address}margin/pulse/").text
    assert "device" in pulse
    assert "paper" not in pulse


def test_a_whole_form_is_left_out_and_taken_up_again_with_reasons(nurse: httpx.Client) -> None:
    address = f"{visit_on(nurse)}vital_signs/1/"
    refused = send(nurse, address, "leave_out:not_done")
    assert 'data-code="capture.reason_missing"' in refused.text
    left = send(nurse, address, "leave_out:not_done", {"reason.whole": "went home"})
    assert left.status_code == 200
    assert "not done" in nurse.get(address).text
    assert "capture.reason_missing" in send(nurse, address, "save", VITAL).text
    taken = send(nurse, address, "save", VITAL | {"reason": "came back"})
    assert taken.url.params["done"] == "saved"
    voided = send(nurse, address, "void", {"reason.whole": "another participant's"})
    assert voided.url.params["done"] == "voided"
    assert shown(voided, "pulse") == ""


def test_rows_of_a_table_are_added_and_saved(nurse: httpx.Client) -> None:
    address = f"{visit_on(nurse)}every_type/1/"
    first = {"v.dose": "5", "v.given": "true", "rows.doses": "1"}
    more = send(nurse, address, "add_row:doses", first)
    assert 'name="v.dose.2"' in more.text
    assert shown(more, "dose") == "5", "what was typed before comes along"
    rows = {**first, "rows.doses": "2", "v.dose.2": "2", "v.given.2": "true"}
    saved = send(nurse, address, "save", rows)
    assert shown(saved, r"dose\.2") == "2"
    assert "So little?" in saved.text


def test_looking_at_a_field_loses_nothing_that_was_typed(nurse: httpx.Client) -> None:
    address = f"{visit_on(nurse)}vital_signs/1/"
    looked = send(nurse, address, "look:pulse", VITAL | {"v.pulse": "99"})
    assert looked.url.params["field"] == "pulse"
    assert "History: Pulse" in looked.text
    assert shown(looked, "pulse") == "99"
    discarded = send(nurse, address, "discard")
    assert shown(discarded, "pulse") == ""


def test_a_draft_survives_the_server(nurse: httpx.Client, staff: Any, server_on: Any) -> None:
    address = f"{visit_on(nurse)}vital_signs/1/"
    send(nurse, address, "draft", VITAL | {"v.systolic": "119"}, headers={"Accept": "application/json"})
    again = server_on(staff.folder, "staff")  # beside the server of this file, on the same databases
    try:
        page = again.client("study_nurse.01", "smart-ms:study_nurse@01").get(address)
        assert shown(page, "systolic") == "119"
    finally:
        again.stop()


def test_drafts_are_nobody_elses(nurse: httpx.Client, doctor: httpx.Client) -> None:
    address = f"{visit_on(nurse)}vital_signs/1/"
    send(nurse, address, "draft", {"v.systolic": "119"}, headers={"Accept": "application/json"})
    assert shown(doctor.get(address), "systolic") == ""


def test_a_second_window_of_one_person_is_told_of_the_draft_of_the_first(
    nurse: httpx.Client, doctor: httpx.Client
) -> None:
    address = f"{visit_on(nurse)}vital_signs/1/"

    def window(client: httpx.Client) -> dict[str, str]:
        page = client.get(address)
        names = ("csrfmiddlewaretoken", "version", "request_id", "draft_of")
        return {name: hidden(page.text, name) for name in names}

    def typed(client: httpx.Client, here: dict[str, str], **fields: str) -> dict[str, str]:
        data = {**here, "act": "draft", **{f"v.{name}": text for name, text in fields.items()}}
        answer: dict[str, str] = client.post(address, data=data, headers={"Accept": "application/json"}).json()
        return answer

    first, second, others = window(nurse), window(nurse), window(doctor)
    kept = typed(nurse, first, systolic="119")
    assert (kept["elsewhere"], bool(kept["kept_at"])) == ("", True)
    assert typed(nurse, first, systolic="118")["elsewhere"] == ""  # one window goes on undisturbed
    assert typed(nurse, second, diastolic="80")["elsewhere"]
    assert typed(nurse, second, diastolic="81")["elsewhere"] == ""  # its draft is the newest now
    assert typed(nurse, first, systolic="117")["elsewhere"]
    assert typed(doctor, others, pulse="60")["elsewhere"] == ""  # drafts are each person's own
    later = window(nurse)  # drawn with the newest draft in it, and so its continuation
    assert later["draft_of"] == first["request_id"]
    assert typed(nurse, later, systolic="116")["elsewhere"] == ""


def test_a_form_that_moved_is_compared_and_never_overwritten(nurse: httpx.Client, doctor: httpx.Client) -> None:
    address = f"{visit_on(nurse)}vital_signs/1/"
    page = nurse.get(address)
    data = {name: hidden(page.text, name) for name in ("csrfmiddlewaretoken", "version", "request_id")}
    send(doctor, address, "save", {"v.systolic": "130"})
    answer = nurse.post(address, data=data | {"act": "save", "v.systolic": "120", "v.pulse": "60"})
    assert answer.url.path.endswith("/compare/")
    assert "130 mmHg" in answer.text
    assert "120 mmHg" in answer.text
    assert nurse.get(address).url.path.endswith("/compare/"), "until it is decided"
    assert shown(doctor.get(address), "systolic") == "130"


# --- who may ---------------------------------------------------------------------------------------------------


def test_a_form_of_another_site_looks_like_none(staff: Any) -> None:
    other = staff.client("study_nurse.04", "smart-ms:study_nurse@04")
    for path in ("", "marrow_1/", "marrow_1/safety_gate/1/", "case-book/", "new-visit/", "marrow_1/sign-visit/"):
        assert other.get(f"{P}/{path}").status_code in (403, 404), path


@pytest.mark.parametrize(
    "path",
    ["nowhere/vital_signs/1/", "marrow_1/nothing/1/", "marrow_1/edss/1/", "marrow_1/safety_gate/2/", "log/relapse/2/",
     "marrow_1/safety_gate/0/", "marrow_1/safety_gate/1/margin/nothing/", "screening/vital_signs/99999/"],
)  # fmt: skip
def test_a_form_that_has_no_place_there_is_none(nurse: httpx.Client, path: str) -> None:
    assert nurse.get(f"{P}/{path}").status_code == 404


def test_a_role_that_does_not_fill_the_form_reads_it(staff: Any) -> None:
    rater = staff.client("blinded_rater.01", "smart-ms:blinded_rater@01")
    page = rater.get(f"{P}/screening/vital_signs/1/")
    assert page.status_code == 200
    assert 'name="v.systolic"' not in page.text
    monitor = staff.client("monitor.1", "smart-ms:monitor@")
    page = monitor.get(f"{P}/screening/vital_signs/1/?field=pulse")
    assert "Ask a query" in page.text
    assert 'value="save"' not in page.text


def test_what_identifies_somebody_is_shown_to_the_site_alone(staff: Any, nurse: httpx.Client) -> None:
    address = f"{visit_on(nurse)}every_type/1/"
    send(nurse, address, "save", {"v.initials": "Qxz", "v.count": "1"})
    assert "Qxz" in nurse.get(address).text
    page = staff.client("monitor.1", "smart-ms:monitor@").get(f"{address}?field=initials").text
    assert "Qxz" not in page
    assert "(identifying, not shown)" in page


def test_a_monitor_asks_the_nurse_answers_and_the_monitor_settles(staff: Any, nurse: httpx.Client) -> None:
    address = f"{visit_on(nurse)}vital_signs/1/"
    send(nurse, address, "save", VITAL)
    monitor = staff.client("monitor.1", "smart-ms:monitor@")
    asked = send(monitor, f"{address}?field=weight", "ask:weight", {"text.ask": "Not 78?"})
    assert "Not 78?" in asked.text
    page = nurse.get(f"{address}?field=weight")
    answer = {"query.1": hidden(page.text, "query.1"), "item.1": "weight", "text.1": "No, 70."}
    assert "No, 70." in send(nurse, f"{address}?field=weight", "answer:1", answer).text
    settled = send(monitor, f"{address}?field=weight", "close:1", {**answer, "text.1": ""})
    assert "closed" in settled.text
    remarked = send(nurse, f"{address}?field=weight", "comment:weight", {"text.comment": "with shoes"})
    assert "with shoes" in remarked.text


# --- signing ---------------------------------------------------------------------------------------------------


def sign_data(page: httpx.Response, **more: str) -> dict[str, str]:
    fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
    return {**fields, "password": PASSWORD, **more}


def test_a_form_is_signed_over_what_was_shown_and_the_signature_falls_visibly(
    nurse: httpx.Client, doctor: httpx.Client
) -> None:
    address = f"{visit_on(nurse)}vital_signs/1/"
    send(nurse, address, "save", VITAL)
    page = doctor.get(f"{address}sign/")
    assert "36.6 °C" in page.text
    wrong = doctor.post(f"{address}sign/", data=sign_data(page, password="not mine"))
    assert 'data-code="web.signature_refused"' in wrong.text
    signed = doctor.post(f"{address}sign/", data=sign_data(page))
    assert signed.url.params["done"] == "signed"
    assert "signed by investigator.01" in signed.text
    changed = send(nurse, address, "save", VITAL | {"v.pulse": "66", "reason": "misread"})
    assert "The signature of investigator.01" in changed.text
    stale = doctor.post(f"{address}sign/", data=sign_data(page, request_id="another"))
    assert 'data-code="capture.not_what_was_shown"' in stale.text


def test_a_form_with_an_open_query_is_not_offered_for_signature_and_says_why(
    nurse: httpx.Client, doctor: httpx.Client, staff: Any
) -> None:
    address = f"{visit_on(nurse)}vital_signs/1/"
    send(nurse, address, "save", VITAL)
    offered, waiting = f'href="{address}sign/"', "Signed when its query is answered."
    page = doctor.get(address).text
    assert offered in page
    assert waiting not in page
    drawn_before = doctor.get(f"{address}sign/")
    monitor = staff.client("monitor.1", "smart-ms:monitor@")
    send(monitor, f"{address}?field=weight", "ask:weight", {"text.ask": "Not 78?"})
    page = doctor.get(address).text
    assert offered not in page
    assert waiting in page
    assert waiting not in nurse.get(address).text, "whose signature it does not wait for"
    assert "Nothing here waits" in doctor.get(f"{address}sign/").text
    refused = doctor.post(f"{address}sign/", data=sign_data(drawn_before))
    assert 'data-code="capture.not_complete"' in refused.text
    fields = nurse.get(f"{address}?field=weight").text
    answer = {"query.1": hidden(fields, "query.1"), "item.1": "weight", "text.1": "No, 70."}
    send(nurse, f"{address}?field=weight", "answer:1", answer)
    assert offered in doctor.get(address).text


def test_the_forms_of_a_visit_are_signed_in_one_ceremony(nurse: httpx.Client, doctor: httpx.Client) -> None:
    visit = visit_on(nurse)
    send(nurse, f"{visit}vital_signs/1/", "save", VITAL)
    send(nurse, f"{visit}every_type/1/", "save", {"v.count": "1", "v.present": "false"})
    assert "Sign 2 forms" in doctor.get(visit).text
    page = doctor.get(f"{visit}sign-visit/")
    doctor.post(f"{visit}sign-visit/", data=sign_data(page))
    for form in ("vital_signs", "every_type"):
        assert "signed by investigator.01" in doctor.get(f"{visit}{form}/1/").text
    assert "Nothing here waits" in doctor.get(f"{visit}sign-visit/").text


def test_a_case_book_with_something_open_is_not_signed(doctor: httpx.Client, nurse: httpx.Client) -> None:
    page = doctor.get(f"{P}/case-book/")
    assert "Safety gate" in page.text
    refused = doctor.post(f"{P}/case-book/", data=sign_data(page))
    assert 'data-code="capture.not_complete"' in refused.text
    assert nurse.get(f"{P}/case-book/").status_code == 403


# --- visits ----------------------------------------------------------------------------------------------------


def test_a_visit_is_recorded_corrected_with_a_reason_or_missed(nurse: httpx.Client) -> None:
    address = visit_on(nurse, "t-3")

    def post(**fields: str) -> httpx.Response:
        page = nurse.get(address)
        data = {name: hidden(page.text, name) for name in ("csrfmiddlewaretoken", "request_id")}
        return nurse.post(address, data=data | fields)

    assert 'data-code="capture.reason_missing"' in post(date="t-2").text
    assert "13.06.2026" in post(date="t-2", reason="wrong day").text
    assert 'data-code="capture.date_not_possible"' in post(date="yesterday", reason="x").text
    address = f"{P}/week_1/"
    assert 'data-code="capture.reason_missing"' in post(act="missed").text
    assert "did not take place" in post(act="missed", reason="ill").text


# --- files -----------------------------------------------------------------------------------------------------

PDF = b"%PDF-1.7\n a letter"


def attach(client: httpx.Client, address: str, name: str, content: bytes, text: str = "letter") -> httpx.Response:
    page = client.get(address)
    data = {
        "csrfmiddlewaretoken": hidden(page.text, "csrfmiddlewaretoken"),
        "text": text,
        "request_id": f"file-{name}",
    }
    return client.post(f"{address}files/", data=data, files={"file": (name, content)})


def test_a_file_is_sealed_listed_handed_out_and_withdrawn(nurse: httpx.Client, staff: Any) -> None:
    address = f"{visit_on(nurse)}vital_signs/1/"
    page = attach(nurse, address, "letter.pdf", PDF)
    assert page.url.params["done"] == "attached"
    link = re.search(r'href="([^"]+/files/[0-9a-f]{64}/)"', page.text)
    assert link
    handed = nurse.get(link[1])
    assert handed.content == PDF
    assert handed.headers["Content-Disposition"].startswith("attachment;")
    lying = [path for path in (staff.folder / "attachments").rglob("*") if path.is_file()]
    assert lying
    assert all(PDF not in path.read_bytes() for path in lying), "sealed"
    assert staff.client("study_nurse.04", "smart-ms:study_nurse@04").get(link[1]).status_code in (403, 404)
    form = {"csrfmiddlewaretoken": hidden(page.text, "csrfmiddlewaretoken"), "request_id": "gone-1"}
    digest = link[1].rstrip("/").rpartition("/")[2]
    gone = nurse.post(f"{address}files/", data={**form, "withdraw": digest, "reason": "another person's"})
    assert gone.url.params["done"] == "withdrawn"
    assert nurse.get(link[1]).status_code == 404


@pytest.mark.parametrize(
    ("name", "content"),
    [("x.exe", b"in plain text"), ("photo.png", PDF), ("nameless", PDF),
     ("page.pdf", b"<html><script>alert(1)</script>"), ("empty.pdf", b""), ("program.pdf", b"MZ\x90\x00\xff"),
     ("large.pdf", b"%PDF-" + b"x" * (21 << 20))],
    ids=["text called a program", "another kind", "no ending", "markup", "empty", "program", "large"],
)  # fmt: skip
def test_what_is_no_document_is_not_kept(nurse: httpx.Client, name: str, content: bytes) -> None:
    address = f"{P}/screening/vital_signs/1/"
    answer = attach(nurse, address, name, content)
    assert 'data-code="attachments.file_not_acceptable"' in answer.text


SWEEP = """
import django; django.setup()
from datetime import timedelta
from trialwright.foundation.operating_system import SystemClock
from trialwright.foundation.ports import SettableClock
from trialwright.stores import Loss, accept_loss
from trialwright.stores.holds import hold
from trialwright.trial.event import Space
from trialwright_web.config.worker import Worker
from trialwright_web.shell.studies import installation
now = SystemClock().now()
def swept(days):
    Worker(SettableClock(now + timedelta(days=days)))._forget()
    print(*sorted(path.name for path in Path({folder!r}).glob("*/??/*")))
swept(0)
store = installation().trial("smart-ms").stores[Space.OPEN]
hold(store, [Loss(store.ledger_ids()[0], 1, 2)], now)
swept(2)
accept_loss({{"open": store}}, person="somebody", reason="the disk died", now=now)
swept(2)
"""


def test_a_file_whose_command_was_refused_is_swept_away_and_no_other(nurse: httpx.Client, staff: Any) -> None:
    """A day later: a file attached, and one withdrawn, stay as what the record names."""
    address = f"{visit_on(nurse)}vital_signs/1/"
    kept, withdrawn, refused = (PDF + word for word in (b" kept", b" withdrawn", b" refused"))
    assert attach(nurse, address, "kept.pdf", kept).url.params["done"] == "attached"
    page = attach(nurse, address, "withdrawn.pdf", withdrawn)
    form = {"csrfmiddlewaretoken": hidden(page.text, "csrfmiddlewaretoken"), "request_id": "gone-2"}
    names = {one: hashlib.sha256(one).hexdigest() for one in (kept, withdrawn, refused)}
    nurse.post(f"{address}files/", data={**form, "withdraw": names[withdrawn], "reason": "another person's"})
    answer = attach(nurse, address, "refused.pdf", refused, text="")
    assert 'data-code="attachments.file_not_acceptable"' in answer.text
    folder = staff.folder / "attachments"
    program = f"from pathlib import Path\n{SWEEP.format(folder=str(folder))}"
    own = {**os.environ, **environment(staff.folder, "staff")}
    done = subprocess.run([sys.executable, "-c", program], env=own, check=True, capture_output=True, text=True)
    at_once, behind, later = (set(line.split()) for line in done.stdout.splitlines()[-3:])
    assert set(names.values()) <= at_once, "its command might still be under way"
    assert behind == at_once, "restored behind what others hold, the record may have lost what named it"
    assert at_once - later == {names[refused]}
    again = attach(nurse, address, "again.pdf", refused)
    link = re.search(rf'href="([^"]+/files/{names[refused]}/)"', again.text)
    assert link
    assert nurse.get(link[1]).content == refused, "it may be attached after all, with a key of its own"


def test_an_altered_file_is_not_handed_out(nurse: httpx.Client, staff: Any) -> None:
    address = f"{visit_on(nurse)}vital_signs/1/"
    page = attach(nurse, address, "other.pdf", PDF + b" two")
    link = re.search(r'href="([^"]+/files/([0-9a-f]{64})/)"', page.text)
    assert link
    (path,) = (staff.folder / "attachments").rglob(link[2])
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    assert 'data-code="web.attachment_damaged"' in nurse.get(link[1]).text


# --- paper -----------------------------------------------------------------------------------------------------


def plain(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return stream


def test_every_form_prints_blank(nurse: httpx.Client) -> None:
    page = nurse.get("/smart-ms/blank-forms/every_type/")
    assert "Only if: Double is more than 6" in page.text, "a sentence and no expression"
    assert page.text.count("<tr>") == 6, "a head and five lines"
    pdf = nurse.get("/smart-ms/blank-forms/every_type.pdf")
    assert pdf.content.startswith(b"%PDF-")
    streams = re.findall(rb"stream\n(.*?)\nendstream", pdf.content, re.DOTALL)
    assert any(b"pdfuaid" in plain(stream) for stream in streams), "for screen readers, too"
    assert "/smart-ms/blank-forms/every_type.pdf" in nurse.get("/smart-ms/blank-forms/").text


# --- hostile ---------------------------------------------------------------------------------------------------

HOSTILE = (
    "<script>alert(1)</script>",
    "=HYPERLINK(1)",
    "{{ 7|add:7 }}",
    "\u202egnp.exe",
    "\U0001f9ea\u200d\u2764",
    "' OR 1=1 --",
    "</textarea><b>",
)


def test_hostile_texts_come_back_as_they_were_typed(nurse: httpx.Client) -> None:
    address = f"{visit_on(nurse)}every_type/1/"
    for number, text in enumerate(HOSTILE):
        fields = {"v.count": "1", "v.present": "true", "v.note": text, "reason": f"trial {number}"}
        page = send(nurse, address, "save", fields)
        assert page.url.params["done"] == "saved"
        found = re.search(r'name="v\.note"[^>]*>\n(.*?)</textarea>', page.text, re.DOTALL)
        assert found
        assert unescape(found[1]) == text
        assert text not in page.text or "<" not in text, "escaped"


def test_ten_megabytes_are_refused_and_four_thousand_letters_are_the_most(nurse: httpx.Client) -> None:
    address = f"{visit_on(nurse)}every_type/1/"
    assert send(nurse, address, "save", {"v.note": "x" * (10 << 20)}).status_code in (400, 413)
    long = send(nurse, address, "save", {"v.note": "x" * 4001, "v.count": "1"})
    assert "Shorten it to 4000 characters." in long.text


@pytest.mark.parametrize(
    "fields",
    [{"version": "x"}, {"version": "-1"}, {"rows.doses": "9999999"}, {"rows.doses": "abc"}, {"u.weight": "'; --"},
     {"w.count": "missing"}, {"s.count": "nowhere", "v.count": "1"}, {"act": "nonsense:"}, {"act": "answer:x"},
     {"act": "comment:nothing", "text.comment": "a"}, {"request_id": "\x00"}, {"v.count": "\ud7ff"}],
    ids=str,
)  # fmt: skip
def test_nonsense_is_answered_by_name_and_never_breaks(nurse: httpx.Client, fields: dict[str, str]) -> None:
    address = f"{P}/log/every_type/1/"
    answer = send(nurse, address, "save", {"v.present": "", **fields})
    assert answer.status_code in (200, 409, 422), answer.text[:300]
    send(nurse, address, "discard") if not answer.url.path.endswith("compare/") else None


# --- reference ranges ------------------------------------------------------------------------------------------


def test_a_value_outside_the_laboratorys_range_is_flagged_and_never_refused(nurse: httpx.Client, staff: Any) -> None:
    (staff.folder / "smart-ms.ranges.csv").write_text(
        "site,item,sex,age_from,age_to,low,high,unit,since\n01,haematology.platelets,,,,200,390,10*9/L,2020-01-01\n"
    )
    address = f"{visit_on(nurse)}haematology/1/"
    saved = send(nurse, address, "save", {"v.platelets": "190"})
    assert saved.url.params["done"] == "saved"
    assert "low (200–390 ×10⁹/L)" in saved.text
    (staff.folder / "smart-ms.ranges.csv").write_text("nonsense")
    broken = nurse.get(address)
    assert broken.status_code == 200
    assert "no column site" in broken.text
    (staff.folder / "smart-ms.ranges.csv").unlink()


# --- the closed space ------------------------------------------------------------------------------------------


def test_a_form_of_the_closed_space_is_filled_there_and_unknown_elsewhere(serve: Any, nurse: httpx.Client) -> None:
    address = f"{P}/log/syringe/1/"
    physician = serve("closed").client("injecting_physician.01", "smart-ms:injecting_physician@01")
    saved = send(physician, address, "save", {"v.volume": "9"})
    assert saved.url.params["done"] == "saved"
    assert "Unusual" in saved.text
    corrected = send(physician, address, "save", {"v.volume": "3", "reason": "misread"})
    assert "version 2" in corrected.text
    for closed in (address, f"{address}margin/volume/", "/smart-ms/blank-forms/syringe/"):
        assert nurse.get(closed).status_code == 404
    listed = nurse.get(f"{P}/log/every_type/1/").text
    assert "syringe" not in listed


def test_the_laboratory_reads_no_form_that_it_does_not_fill(serve: Any) -> None:
    laboratory = serve("closed").client("cell_laboratory.1", "smart-ms:cell_laboratory@")
    for path in ("log/every_type/1/", "log/syringe/1/", "marrow_1/safety_gate/1/"):
        assert laboratory.get(f"{P}/{path}").status_code in (403, 404)


def test_an_unblinded_role_attaches_nothing(serve: Any) -> None:
    physician = serve("closed").client("injecting_physician.01", "smart-ms:injecting_physician@01")
    page = physician.get(f"{P}/log/syringe/1/")
    token = hidden(page.text, "csrfmiddlewaretoken")
    answer = physician.post(
        f"{P}/marrow_1/safety_gate/1/files/",
        data={"csrfmiddlewaretoken": token, "text": "x", "request_id": "f"},
        files={"file": ("a.pdf", PDF)},
    )
    assert answer.status_code == 403
