"""Downloads: each desk gets what it may see, as files that are safe to open and can be proven."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from trialwright.trial.event import Space
from trialwright.trial.views import VIEWS
from trialwright_web.config.demo import PASSWORD, environment

HOME = "/smart-ms/downloads/"
WITH_TESTS = os.pathsep.join(filter(None, (str(Path(__file__).parent), os.environ.get("PYTHONPATH", ""))))


def finished(client):
    """Wait until the worker has made everything that the desk asked for."""
    for _ in range(240):
        if "Being made" not in client.get(HOME).text:
            return
        time.sleep(0.5)
    raise AssertionError("the worker made nothing in two minutes")


def asked(client, wanted):
    """Ask for an export; the page afterwards."""
    page = client.get(HOME)
    request_id = page.text.split('name="request_id" value="')[1].split('"')[0]
    token = page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    form = {"wanted": wanted, "request_id": request_id, "csrfmiddlewaretoken": token}
    return client.post(HOME, data=form), form


def fetched(client, holding):
    """The newest finished file of the desk that holds a file of that name, and its address."""
    page = client.get(HOME).text
    for part in page.split('<a href="/smart-ms/downloads/files/')[1:]:
        address = f"{HOME}files/" + part.partition('"')[0]
        answer = client.get(address)
        assert answer.status_code == 200, answer.text[:500]
        archive = zipfile.ZipFile(io.BytesIO(answer.content))
        if holding in archive.namelist():
            return archive, address
    raise AssertionError(f"no file holds {holding}")


def rows_of(archive, name):
    """The rows of a CSV file in an archive."""
    return list(csv.DictReader(io.TextIOWrapper(archive.open(name), "utf-8")))


@pytest.fixture(scope="module")
def staff(serve):
    """The staff's process with its worker."""
    server = serve("staff", application="weakened:application", PYTHONPATH=WITH_TESTS)
    own = {**os.environ, **environment(server.folder, "staff")}
    worker = subprocess.Popen([sys.executable, "-m", "trialwright_web", "worker"], env=own, stdout=subprocess.PIPE)
    assert worker.stdout.readline() == b"The worker of the process staff is at work.\n"
    yield server
    worker.terminate()
    assert worker.wait(timeout=60) == 0
    worker.stdout.close()


@pytest.fixture(scope="module")
def nurse(staff):
    return staff.client("study_nurse.01", "smart-ms:study_nurse@01")


def test_a_nurse_gets_the_values_of_the_own_site_and_the_sponsor_those_of_all(staff, nurse):
    sponsor = staff.client("sponsor.1")
    for client in (nurse, sponsor):
        asked(client, "items.csv")
    for client in (nurse, sponsor):
        finished(client)
    found = {}
    for name, client in (("nurse", nurse), ("sponsor", sponsor)):
        archive, _ = fetched(client, "items.csv")
        found[name] = {row["site"] for row in rows_of(archive, "items.csv")}
    assert found["nurse"] == {"01"}
    assert found["sponsor"] > {"01", "02"}


def test_a_file_is_for_the_one_who_asked_at_the_desk_where_they_asked(staff, nurse):
    asked(nurse, "views.csv")
    finished(nurse)
    _, address = fetched(nurse, "disposition.csv")
    for other in ("study_nurse.02", "investigator.01", "monitor.1", "sponsor.1"):
        assert staff.client(other).get(address).status_code == 404
    assert staff.client("blinded_rater.01").get(address).status_code == 403
    assert staff.client().get(address).url.path == "/accounts/login/"


def test_asking_twice_from_one_page_makes_one_file(staff, nurse):
    answer, form = asked(nurse, "items.parquet")
    before = answer.text.count("<tr>")
    again = nurse.post(HOME, data=form)
    assert again.text.count("<tr>") == before


def test_what_a_role_may_not_have_is_refused_however_it_is_asked_for(staff):
    sponsor = staff.client("sponsor.1")
    answer, _ = asked(sponsor, "ledger.zip")
    assert answer.status_code == 422
    assert "cannot be downloaded here" in answer.text
    for wanted in ("../../secret.key", "items.exe", "items", ""):
        assert asked(sponsor, wanted)[0].status_code == 422


def test_the_tables_of_a_site_hold_nobody_of_another_site(staff, nurse):
    asked(nurse, "views.csv")
    finished(nurse)
    archive, _ = fetched(nurse, "disposition.csv")
    own = {row["participant"] for row in rows_of(archive, "disposition.csv")}
    assert own
    for name in archive.namelist():
        if name.endswith(".labels.csv"):
            continue
        for row in rows_of(archive, name):
            assert row.get("participant", "") in own | {""}, name
            assert row.get("site", "") in ("", "01"), name


def test_the_copy_of_the_record_is_proven_by_the_receipt_and_shows_the_own_site_only(staff, nurse, tmp_path):
    receipt, key = nurse.get(f"{HOME}receipt.txt").text, nurse.get(f"{HOME}checkpoint-key.txt").text
    for wanted in ("ledger.zip", "views.csv"):
        asked(nurse, wanted)
    finished(nurse)
    archive, _ = fetched(nurse, "smart-ms-open/ledger.json")
    archive.extractall(tmp_path)
    (tmp_path / "receipt.txt").write_text(receipt)
    (tmp_path / "key.txt").write_text(key)
    (tmp_path / "verify.py").write_text(nurse.get(f"{HOME}verify.py").text)
    done = subprocess.run(
        [sys.executable, "-I", "verify.py", "smart-ms-open", "--checkpoint", "receipt.txt", "--key", "key.txt"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "this copy holds the hashes only" in done.stdout
    assert "Covered to" in done.stdout
    streams = set()
    for line in (tmp_path / "smart-ms-open" / "entries.jsonl").read_text().splitlines():
        streams.add(json.loads(line).get("stream", ""))
    assert {stream for stream in streams if stream.startswith("site/")} == {"site/01"}
    tables, _ = fetched(nurse, "disposition.csv")
    people = {row["participant"] for row in rows_of(tables, "disposition.csv")}
    assert {s.partition("/")[2] for s in streams if s.startswith("participant/")} == people


def test_whole_study_files_of_standards_and_the_code_book_are_made_and_blinded(staff):
    sponsor = staff.client("sponsor.1")
    for wanted in ("odm.1.3.2", "sdtm.dataset-json", "codebook.pdf"):
        assert asked(sponsor, wanted)[0].status_code == 200
    finished(sponsor)
    odm, _ = fetched(sponsor, "snapshot.xml")
    assert b"<ODM" in odm.read("snapshot.xml")[:2000]
    assert "transactions.xml" in odm.namelist()
    sdtm, _ = fetched(sponsor, "define.xml")
    assert "reviewers-guide.md" in sdtm.namelist()
    arms = {row[columns.index("ARMCD")] for columns, rows in [_dataset(sdtm, "dm.json")] for row in rows}
    assert len(arms) > 1
    assert "dummy" in sdtm.read("reviewers-guide.md").decode().casefold()
    book, _ = fetched(sponsor, "acrf.pdf")
    assert book.read("acrf.pdf").startswith(b"%PDF")
    with pytest.raises(AssertionError, match="no file holds"):
        fetched(sponsor, "README.txt")  # never the record itself


def _dataset(archive, name):
    """Columns and rows of a Dataset-JSON file."""
    content = json.loads(archive.read(name))
    return [column["name"] for column in content["columns"]], content["rows"]


def test_an_inspector_reads_the_whole_open_record_without_the_application(staff):
    inspector = staff.client("inspector.1")
    asked(inspector, "archive.zip")
    finished(inspector)
    archive, _ = fetched(inspector, "README.txt")
    assert any(name.startswith("timeline/") for name in archive.namelist())
    assert any(name.startswith("ledger-smart-ms-open/") for name in archive.namelist())
    assert not any("closed" in name for name in archive.namelist())


def test_what_is_made_of_all_sites_is_not_for_a_site_and_the_archive_for_inspectors_only(staff, nurse):
    for wanted in ("odm.1.3.2", "sdtm.dataset-json", "archive.zip"):
        assert asked(nurse, wanted)[0].status_code == 422
    assert asked(staff.client("sponsor.1"), "archive.zip")[0].status_code == 422


FORMULAS = ("=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "=cmd|'/c calc'!A1", '=HYPERLINK("http://x","y")')


def formulas_in(text):
    """Cells of a table that a spreadsheet would run."""
    return [
        cell
        for row in csv.reader(io.StringIO(text, newline=""))
        for cell in row
        if cell.startswith(("=", "@", "\t", "\r"))
        or (cell.startswith(("+", "-")) and not cell[1:].replace(".", "").replace(",", "").isdigit())
    ]


@pytest.fixture(scope="module")
def commented(staff, nurse):
    """Remarks that look like formulas, left on a field of a participant of the own site."""
    page = nurse.get("/smart-ms/api/tokens/").text
    token = page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    form = {"name": "remarks", "days": "1", "password": PASSWORD, "csrfmiddlewaretoken": token}
    bearer = re.search(r"tw_[0-9a-f]{64}", nurse.post("/smart-ms/api/tokens/", data=form).text)[0]
    program = staff.client()
    program.headers["Authorization"] = f"Bearer {bearer}"
    api = "/smart-ms/api/v1"
    form = next(
        row
        for row in program.get(f"{api}/views/form", params={"limit": 5000}).json()["rows"]
        if row["form"] == "vital_signs"
    )
    where = {name: form[name] for name in ("participant", "encounter", "form", "repeat")}
    for number, text in enumerate(FORMULAS):
        done = program.post(
            f"{api}/commands/CommentItem",
            json={"command": {**where, "item": "weight", "text": text}},
            headers={"Idempotency-Key": f"remark-{number:04}"},
        )
        assert done.status_code == 200, done.text
    return FORMULAS


def test_the_audit_trail_as_a_table_cannot_run_formulas(nurse, commented):
    text = nurse.get(f"{HOME}audit-trail.csv").text
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[0][:5] == ["at", "local", "zone", "happened", "actor"]
    assert len(rows) > 1000
    cells = {cell for row in rows for cell in row}
    assert {f"'{formula}" for formula in commented if not formula.startswith("\t")} <= cells
    assert formulas_in(text) == []


def test_without_the_guard_the_formulas_are_found(nurse, commented):
    text = nurse.get(f"{HOME}audit-trail.csv", headers={"X-Planted-Fault": "no_guard"}).text
    found = {cell.strip() for cell in formulas_in(text)}
    assert {formula.strip() for formula in commented} <= found


def test_files_that_the_worker_makes_cannot_run_formulas(nurse, commented):
    asked(nurse, "views.csv")
    finished(nurse)
    archive, _ = fetched(nurse, "comment.csv")
    cells = {cell for row in rows_of(archive, "comment.csv") for cell in row.values()}
    assert "'=1+1" in cells
    for name in archive.namelist():
        assert formulas_in(archive.read(name).decode()) == [], name


STOP_EARLY = """
import os, signal
from trialwright_web.config import commands
prepared = commands._django
def told_meanwhile():
    os.kill(os.getpid(), signal.SIGTERM)
    prepared()
commands._django = told_meanwhile
commands.worker(once=False)
"""


def test_a_worker_that_is_told_to_stop_while_it_begins_ends_in_order(staff):
    own = {**os.environ, **environment(staff.folder, "staff")}
    done = subprocess.run([sys.executable, "-c", STOP_EARLY], env=own, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_page_of_the_trail_shows_old_and_new_values_and_only_of_the_own_site(staff, nurse):
    page = nurse.get(f"{HOME}audit-trail/?page=3")
    assert page.status_code == 200
    own = page.text.split("<select")[1].split("</select>")[0]
    for option in own.split("<option>")[1:]:
        assert option.startswith("01") or "-" in option
    other = staff.client("sponsor.1").get(f"{HOME}audit-trail/").text.split("<select")[1].split("</select>")[0]
    stranger = next(o.split("<")[0] for o in other.split("<option>")[1:] if o.split("<")[0] not in own)
    assert nurse.get(f"{HOME}audit-trail/?participant={stranger}").status_code == 404
    assert nurse.get(f"{HOME}audit-trail.csv?participant={stranger}").status_code == 404


def test_the_trail_of_the_closed_process_holds_facts_of_both_spaces_for_unblinded_roles(serve):
    statistician = serve("closed").client("independent_statistician.1")
    spaces = {row["space"] for row in csv.DictReader(io.StringIO(statistician.get(f"{HOME}audit-trail.csv").text))}
    assert spaces == {"open", "closed"}


def test_in_the_staff_process_no_export_holds_a_table_of_the_closed_space(staff, nurse):
    archive, _ = fetched(nurse, "disposition.csv")
    closed = {f"{table.name}.csv" for view in VIEWS if view.space is Space.CLOSED for table in view.tables}
    assert closed
    assert not closed & set(archive.namelist())
