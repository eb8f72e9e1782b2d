"""Site home, matrix, participants, calendar, people, setup and imports, over HTTP on a rehearsed trial."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date
from html import unescape
from os import environ

import pytest
from icalendar import Calendar

from trialwright.protocol.roles import Role
from trialwright.stores import open_store
from trialwright.trial.capture.views import FORM, ITEM
from trialwright.trial.closure.views import DEVIATION
from trialwright.trial.consent.views import CONSENT_LOG
from trialwright.trial.enrolment.views import DISPOSITION, SCREENING_LOG
from trialwright.trial.setup.builds import builds_on_record
from trialwright.trial.setup.views import PERSON, SITE, TRAINING
from trialwright.trial.tasks import CellState, matrix, tasks
from trialwright_web.config.demo import PASSWORD, environment

STUDY = "smart-ms"
TODAY = date(2028, 2, 15)
SCREENED = "NO-01-007"
"""Rehearsed up to the end of screening; every test that changes somebody takes another one or makes one."""


@pytest.fixture(scope="module")
def staff(serve):
    return serve("staff")


@pytest.fixture(scope="module")
def nurse(staff):
    return staff.client("study_nurse.01", f"{STUDY}:study_nurse@01")


@pytest.fixture(scope="module")
def investigator(staff):
    return staff.client("investigator.01", f"{STUDY}:investigator@01")


@pytest.fixture(scope="module")
def sponsor(staff):
    return staff.client("sponsor.1", f"{STUDY}:sponsor@")


@pytest.fixture
def store(installation):
    with open_store(f"sqlite:///{installation / f'{STUDY}.db'}") as opened:
        yield opened


def hidden(page, name, default=None):
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found or default is not None, f"no {name} on {page.url}"
    return found[1] if found else default


def send(client, path, **answers):
    """Post a page's form with what the page carries; answers end where they lead."""
    page = client.get(path)
    assert page.status_code == 200, page.text[:400]
    form = {"csrfmiddlewaretoken": hidden(page, "csrfmiddlewaretoken"), "request_id": hidden(page, "request_id", "")}
    if 'name="shown"' in page.text:
        form["shown"] = hidden(page, "shown")
    return client.post(path, data={**form, **answers}, headers={"Referer": str(client.base_url)})


def refusal(answer):
    found = re.search(r'data-code="([^"]+)"', answer.text)
    return found[1] if found else None


# --- home ---------------------------------------------------------------------------------------------------------


def test_the_home_lists_what_waits_and_each_line_leads_to_where_it_is_done(staff, store):
    investigator = staff.client("investigator.03", f"{STUDY}:investigator@03")
    builds = builds_on_record(store.ledger(f"{STUDY}/open"))
    waiting = tasks(store.rows, builds, TODAY, site="03", role=Role.INVESTIGATOR)
    page = investigator.get(f"/{STUDY}/")
    listed = re.findall(r'<li class="task"[^>]*><a href="([^"]+)">', page.text)
    asked = page.text.count("Consent to be given again")
    assert len(waiting) <= len(listed) <= len(waiting) + 10 * asked
    for address in dict.fromkeys(re.sub(r"/NO-.*", "", address) for address in listed):
        example = next(one for one in listed if one.startswith(address))
        answer = investigator.get(unescape(example))
        assert answer.status_code == 200, example


def test_figures_are_for_whom_they_are_work(staff, nurse):
    rater = staff.client("blinded_rater.01", f"{STUDY}:blinded_rater@01")
    assert 'class="home-card"' in nurse.get(f"/{STUDY}/").text
    page = rater.get(f"/{STUDY}/")
    assert page.status_code == 200
    assert 'class="home-card"' not in page.text


def test_the_cards_say_what_the_record_says(nurse, store):
    page = nurse.get(f"/{STUDY}/").text
    people = list(store.rows.where(DISPOSITION, site="01"))
    included = sum(row["randomised_on"] is not None for row in people)
    assert f'<span class="figure">{included} / 8</span>' in page
    failed = sum(row["status"] in ("screen_failure", "consent_refused") for row in people)
    figures = re.findall(r'<span class="figure">([^<]+)</span>', page)
    assert figures[1] == str(failed)


# --- matrix -------------------------------------------------------------------------------------------------------


def test_the_matrix_page_shows_the_matrix(sponsor, store):
    builds = builds_on_record(store.ledger(f"{STUDY}/open"))
    expected = {
        (row.participant, cell.encounter): cell.state.name.lower()
        for row in matrix(store.rows, builds, TODAY)
        for cell in row.cells
        if cell.state is not CellState.NOT_EXPECTED
    }
    page = sponsor.get(f"/{STUDY}/participants/")
    shown = re.findall(r'<td data-state="(\w+)"><a href="([^/]+)/([^/]+)/" aria-label="\2, ', page.text)
    assert {(participant, encounter): state for state, participant, encounter in shown} == expected
    assert "?" not in {state for state, _, _ in shown}


def test_filters_leave_the_rows_that_have_what_is_asked_for(sponsor, store):
    builds = builds_on_record(store.ledger(f"{STUDY}/open"))
    rows = matrix(store.rows, builds, TODAY)
    for name, state in (("unsigned", CellState.COMPLETE), ("overdue", CellState.OVERDUE), ("due", CellState.DUE)):
        wanted = [row.participant for row in rows if any(cell.state is state for cell in row.cells)]
        page = sponsor.get(f"/{STUDY}/participants/", params={"show": name})
        assert re.findall(r'class="stick"><a href="([^/]+)/">', page.text) == wanted
    page = sponsor.get(f"/{STUDY}/participants/", params={"site": "03", "status": "withdrawn", "find": "001"})
    assert re.findall(r'class="stick"><a href="([^/]+)/">', page.text) == ["NO-03-001"]


def test_a_site_sees_its_own_people_and_no_others(nurse):
    page = nurse.get(f"/{STUDY}/participants/", params={"site": "02"})
    assert "NO-01-001" in page.text
    assert "NO-02-" not in page.text
    for path in ("NO-02-001/", "NO-02-001/assess-criteria/", "NO-02-001/record-act/end/", "NO-99-001/"):
        assert nurse.get(f"/{STUDY}/participants/{path}").status_code == 404
    assert nurse.get(f"/{STUDY}/randomise/NO-02-001/").status_code == 404


# --- calendar, enrolment ------------------------------------------------------------------------------------------


def test_the_calendar_file_holds_the_visits_ahead_and_no_names(nurse, store):
    builds = builds_on_record(store.ledger(f"{STUDY}/open"))
    ahead = {CellState.AHEAD, CellState.DUE}
    expected = {
        (row.participant, date.fromisoformat(cell.date))
        for row in matrix(store.rows, builds, TODAY, site="01")
        for cell in row.cells
        if cell.state in ahead and (date.fromisoformat(cell.date) - TODAY).days <= 365
    }
    answer = nurse.get(f"/{STUDY}/calendar.ics")
    assert answer.headers["content-type"].startswith("text/calendar")
    events = Calendar.from_ical(answer.content).walk("VEVENT")
    assert {(str(event["summary"]).split()[1].rstrip(":"), event.decoded("dtstart")) for event in events} == expected


@pytest.mark.parametrize(
    "query", ["view=month", "view=week&day=2028-02-29", "day=rubbish", "day=0001-01-01", "view=?"]
)
def test_the_calendar_answers_whatever_is_asked(nurse, query):
    page = nurse.get(f"/{STUDY}/calendar/?{query}")
    assert page.status_code == 200
    assert page.text.count('class="day') >= 7


def test_enrolment_counts_what_the_record_counts_and_says_why_not(sponsor, store):
    people = list(store.rows.where(DISPOSITION))
    page = sponsor.get(f"/{STUDY}/enrolment/").text
    assert f"{sum(row['randomised_on'] is not None for row in people)} / 18" in page
    assert "Disease duration 2 to 18 years" in page
    assert 'id="enrolment-chart" type="application/json"' in page


# --- participants -------------------------------------------------------------------------------------------------


def new_participant(nurse):
    answer = send(nurse, f"/{STUDY}/new-participant/")
    code = answer.url.path.rstrip("/").rpartition("/")[2]
    assert re.fullmatch(r"NO-01-\d{3}", code), answer.text[:500]
    return code


def test_a_new_participant_gets_the_next_code_and_the_same_page_sent_twice_gives_one(nurse, store):
    before = {row["participant"] for row in store.rows.where(DISPOSITION)}
    page = nurse.get(f"/{STUDY}/new-participant/")
    form = {"csrfmiddlewaretoken": hidden(page, "csrfmiddlewaretoken"), "request_id": hidden(page, "request_id")}
    codes = {
        nurse.post(f"/{STUDY}/new-participant/", data=form, headers={"Referer": str(nurse.base_url)}).url.path
        for _ in range(2)
    }
    assert len(codes) == 1
    assert len({row["participant"] for row in store.rows.where(DISPOSITION)} - before) == 1


def test_screening_ends_for_named_criteria_and_begins_again_under_a_new_code(nurse, store):
    code = new_participant(nurse)
    acts = f"/{STUDY}/participants/{code}/record-act"
    asked = nurse.get(f"/{STUDY}/participants/{code}/assess-criteria/").text
    assert "Find out next:" in asked
    assert "no consent yet" in asked
    nothing = send(nurse, f"{acts}/fail-screening/")
    assert (nothing.status_code, refusal(nothing)) == (409, "enrolment.reason_missing")
    known = re.findall(r'name="criteria" value="([^"]+)"', nothing.text)
    ended = send(nurse, f"{acts}/fail-screening/", criteria=known[:2])
    assert "screening failed" in ended.text
    assert store.rows.get(SCREENING_LOG, (code,))["failed_for"] == " ".join(known[:2])
    again = send(nurse, f"{acts}/rescreen/")
    newer = again.url.path.rstrip("/").rpartition("/")[2]
    assert newer != code
    assert f'href="/{STUDY}/participants/{code}/"' in again.text
    assert store.rows.get(DISPOSITION, (newer,))["status"] == "screening"


def test_consent_is_withdrawn_by_scope_and_the_page_says_so(nurse, store):
    code = "NO-01-005"
    answer = send(nurse, f"/{STUDY}/participants/{code}/record-act/withdraw/", scopes=["samples"])
    assert "Withdrawn from samples" in answer.text
    last = [row for row in store.rows.where(CONSENT_LOG, participant=code) if row["what"] == "withdrawn"][-1]
    assert last["scopes"] == "samples"


def test_participation_ends_once_and_is_corrected_with_a_reason_only(nurse, store):
    acts = f"/{STUDY}/participants/NO-01-005/record-act/end/"
    answer = send(nurse, acts, how="lost_to_follow_up", date="t")
    assert "lost to follow-up" in answer.text
    wrong = send(nurse, acts, how="withdrawn", date="14.02.2028")
    assert refusal(wrong) == "web.answer_missing"
    assert 'value="14.02.2028"' in wrong.text  # nothing typed is lost
    send(nurse, acts, how="withdrawn", date="14.02.2028", reason="she called")
    assert store.rows.get(DISPOSITION, ("NO-01-005",))["ended_how"] == "withdrawn"


def test_the_participants_page_tells_everything_of_the_open_space_and_no_arm(nurse, staff):
    monitor = staff.client("monitor.1", f"{STUDY}:monitor@")
    for client in (nurse, monitor):
        page = client.get(f"/{STUDY}/participants/NO-01-002/").text
        for told in ("First injection", "Forms", "Consent", "Eligibility", "Randomised on", "History"):
            assert told in page
        for arm in ("Saline", "saline_first", "cells_first", "mesenchymal"):
            assert arm not in page


def test_the_history_is_told_in_the_readers_language(staff):
    """The page and the readable trail: words of the reader, labels of the study, terms; the record's names beside."""
    address = f"/{STUDY}/participants/NO-01-002/"
    reader = staff.client("study_nurse.01", f"{STUDY}:study_nurse@01")
    reader.headers["Accept-Language"] = "nb"
    history = reader.get(address).text.partition('id="history"')[2]
    for told in ("Besøk gjennomført", "Skjema lagret", "Systolisk blodtrykk"):
        assert told in history
    for record in ("encounter held", "form saved", "adverse_event ae_", "systolic:"):
        assert record not in history
    trail = reader.get(f"/{STUDY}/downloads/audit-trail/?participant=NO-01-002").text
    assert "Skjema lagret<br>" in trail
    assert re.search(r'lang="en">form saved · participant NO-01-002, ', trail)
    assert re.search(r'Systolisk blodtrykk<br><small class="in-record" lang="en">systolic</small>', trail)


@pytest.mark.parametrize("person", ["central_reader.1:central_reader@", "safety_officer.1:safety_officer@"])
def test_no_link_of_a_participants_page_leads_where_the_role_is_turned_away(staff, person):
    name, _, desk = person.partition(":")
    client = staff.client(name, f"{STUDY}:{desk}")
    page = client.get(f"/{STUDY}/participants/NO-01-002/")
    main = page.text[page.text.index('<main id="content"') :]
    for address in sorted(set(re.findall(rf'href="(/{STUDY}/[^"#]+)"', main))):
        assert client.get(unescape(address)).status_code == 200, address


@pytest.mark.parametrize("act", ["sign-off", "fail-screening", "rescreen", "refuse-consent", "withdraw", "end"])
def test_who_may_not_act_for_the_site_reaches_no_act(sponsor, act):
    assert sponsor.get(f"/{STUDY}/participants/NO-01-007/record-act/{act}/").status_code == 403


def test_an_act_that_there_is_not_is_not_there(nurse):
    assert nurse.get(f"/{STUDY}/participants/NO-01-007/record-act/nothing/").status_code == 404


# --- randomise ----------------------------------------------------------------------------------------------------


def test_gates_that_are_closed_offer_no_button_and_the_door_says_the_same(nurse):
    code = new_participant(nurse)
    path = f"/{STUDY}/randomise/{code}/"
    page = nurse.get(path)
    assert 'data-holds="no"' in page.text
    assert 'name="confirmed"' not in page.text
    token = hidden(page, "csrfmiddlewaretoken")
    headers = {"Referer": str(nurse.base_url)}
    forced = nurse.post(path, data={"csrfmiddlewaretoken": token, "confirmed": "yes"}, headers=headers)
    assert (forced.status_code, refusal(forced)) == (409, "consent.not_in_force")
    unconfirmed = nurse.post(path, data={"csrfmiddlewaretoken": token}, headers=headers)
    assert refusal(unconfirmed) == "web.answer_missing"


def test_a_randomisation_by_mistake_opens_a_deviation_and_stands_on_the_page(investigator, store):
    answer = send(
        investigator, f"/{STUDY}/randomise/NO-01-002/by-mistake/", what="Entered before the last result came"
    )
    assert "recorded as a mistake" in answer.text
    kinds = {row["kind"] for row in store.rows.where(DEVIATION, participant="NO-01-002")}
    assert "randomisation" in kinds


def test_an_accidental_unblinding_says_who_and_how_and_never_what(nurse, store):
    path = f"/{STUDY}/randomise/NO-01-002/accidental-unblinding/"
    told = send(nurse, path, learned_by="the participant", how="she was told that it was saline")
    assert (told.status_code, refusal(told)) == (409, "allocation.reveals_arm")
    assert "she was told that it was saline" in unescape(told.text)  # typed text stays with who typed it
    recorded = send(nurse, path, learned_by="the participant", how="a label was visible")
    assert "learned the allocation by accident" in recorded.text
    about = [row["about"] for row in store.rows.where(DEVIATION, participant="NO-01-002")]
    assert any("a label was visible" in one for one in about)


# --- people, sites, builds ----------------------------------------------------------------------------------------


def test_delegation_and_training_let_a_new_nurse_save_and_its_end_stops_her(staff, investigator, store, installation):
    own = {**environ, **environment(installation, "staff")}
    subprocess.run(
        [sys.executable, "-m", "django", "make_rehearsal_accounts", PASSWORD, "study_nurse.new"], env=own, check=True
    )
    delegation = {"person": "study_nurse.new", "role": "study_nurse", "organisation": "Haukeland", "since": "t"}
    unsigned = send(investigator, f"/{STUDY}/people/delegate/", **delegation, password="not mine")
    assert refusal(unsigned) == "web.signature_refused"
    send(investigator, f"/{STUDY}/people/delegate/", **delegation, password=PASSWORD)
    nurse = staff.client("study_nurse.new", f"{STUDY}:study_nurse@01")
    untrained = send(nurse, f"/{STUDY}/new-participant/")
    assert (untrained.status_code, refusal(untrained)) == (409, "permission.not_appointed")
    assert "training is missing" in investigator.get(f"/{STUDY}/people/").text
    for subject in ("protocol", "gcp"):
        answer = send(investigator, f"/{STUDY}/people/training/", person="study_nurse.new", subject=subject, date="t")
        assert "training is recorded" in answer.text
    assert {row["subject"] for row in store.rows.where(TRAINING, person="study_nurse.new")} == {"protocol", "gcp"}
    saved = import_file(nurse, "laboratory", LABORATORY.replace("13,9", "13,8"))
    done = send(nurse, saved.url.path, reason="typed wrongly at first")
    assert "1 form saved" in done.text
    assert store.rows.get(FORM, (SCREENED, "screening", "haematology", 1))["last_saved_by"] == "study_nurse.new"
    ended = send(
        investigator, f"/{STUDY}/people/revoke/", person="study_nurse.new", role="study_nurse", until="14.02.2028"
    )
    assert "ends on that day" in ended.text
    assert nurse.get(f"/{STUDY}/").status_code == 403


def test_only_the_principal_investigator_is_offered_to_delegate(nurse, investigator):
    assert "/people/delegate/" in investigator.get(f"/{STUDY}/people/").text
    assert "/people/delegate/" not in nurse.get(f"/{STUDY}/people/").text
    assert nurse.get(f"/{STUDY}/people/delegate/").status_code == 403


def test_the_sponsor_appoints_and_ends_and_cannot_mix_blinded_with_unblinded(sponsor, store):
    given = {"person": "monitor.9", "role": "monitor", "organisation": "Haukeland"}
    assert "Appointed" in send(sponsor, f"/{STUDY}/people/appoint/", **given).text
    mixed = send(sponsor, f"/{STUDY}/people/appoint/", **{**given, "role": "unblinded_monitor"})
    assert refusal(mixed) == "setup.kept_apart"
    send(sponsor, f"/{STUDY}/people/end-appointment/", person="monitor.9", role="monitor")
    assert store.rows.get(PERSON, ("monitor.9", "monitor", ""))["until"] is not None


def test_recruitment_pauses_with_a_reason_and_resumes(sponsor, nurse, store):
    silent = send(sponsor, f"/{STUDY}/setup/sites/01/pause/")
    assert refusal(silent) == "web.answer_missing"
    send(sponsor, f"/{STUDY}/setup/sites/01/pause/", reason="the freezer is repaired")
    assert store.rows.get(SITE, ("01",))["recruiting"] == 0
    assert refusal(send(nurse, f"/{STUDY}/new-participant/")) == "enrolment.site_not_recruiting"
    send(sponsor, f"/{STUDY}/setup/sites/01/resume/")
    assert store.rows.get(SITE, ("01",))["recruiting"] == 1


def test_a_site_goes_to_another_approved_build_with_its_approval(sponsor, store):
    build = store.rows.get(SITE, ("04",))["build"]
    page = sponsor.get(f"/{STUDY}/setup/sites/04/amend/")
    other = next(name for name in re.findall(r'<option value="([0-9a-f]{64})"', page.text) if name != build)
    given = {"build": other, "kind": "ethics", "reference": "2028/17"}
    ahead = send(sponsor, f"/{STUDY}/setup/sites/04/amend/", **given, approved="01.03.2028")
    assert ahead.status_code in (409, 422)
    half = send(sponsor, f"/{STUDY}/setup/sites/04/amend/", **given, approved="t", kind2="contract")
    assert refusal(half) == "web.answer_missing"
    send(sponsor, f"/{STUDY}/setup/sites/04/amend/", **given, approved="t")
    assert store.rows.get(SITE, ("04",))["build"] == other


def test_a_build_is_approved_over_its_id_after_seeing_what_it_changes(sponsor, store):
    build = store.rows.get(SITE, ("01",))["build"]
    page = sponsor.get(f"/{STUDY}/setup/builds/{build}/")
    assert hidden(page, "shown") == build
    answer = send(
        sponsor, f"/{STUDY}/setup/builds/{build}/", summary="all tests", evidence="0" * 64, password=PASSWORD
    )
    assert "The build is approved" in answer.text
    assert sponsor.get(f"/{STUDY}/setup/builds/{'0' * 64}/").status_code == 404


def test_an_approval_of_the_study_is_recorded(sponsor):
    given = {"kind": "authority", "reference": "EU CT 2023-510228-63-00", "approved": "010226"}
    assert "authority" in send(sponsor, f"/{STUDY}/setup/approval/", **given).text


# --- imports ------------------------------------------------------------------------------------------------------

LABORATORY = f"""Subject;Visit;Collected;Test;Result;Unit
{SCREENED};SCR;14.02.2028;HGB;13,9;g/dL
"""


def import_file(client, mapping, text, name="file.csv"):
    page = client.get(f"/{STUDY}/imports/")
    form = {"csrfmiddlewaretoken": hidden(page, "csrfmiddlewaretoken"), "mapping": mapping}
    return client.post(
        f"/{STUDY}/imports/",
        data=form,
        files={"file": (name, text.encode(), "text/csv")},
        headers={"Referer": str(client.base_url)},
    )


def told(page):
    """What the dry run says of each line: state, then the texts of its cells."""
    rows = re.findall(r'<tr data-state="(\w+)">(.*?)</tr>', page.text, re.DOTALL)
    return [(state, " ".join(unescape(re.sub(r"<[^>]+>", " ", cells)).split())) for state, cells in rows]


def test_a_dry_run_says_what_does_not_fit_and_saves_nothing(nurse, store):
    before = {row["item"]: dict(row) for row in store.rows.where(ITEM, participant=SCREENED)}
    text = LABORATORY + (
        f"{SCREENED};SCR;15.02.2028;K;4,1;mmol/L\n"
        f"{SCREENED};SCR;14.02.2028;CREA;80;mg/dL\n"
        f"{SCREENED};SCR;14.02.2028;WBC;55,1;10^9/L\n"
        f"{SCREENED};SCR;14.02.2028;PLT;200;10^9/L\n"
        f"{SCREENED};SCR;14.02.2028;PLT;210;10^9/L\n"
        "NO-02-002;BL;;K;4,1;mmol/L\n"
        "NO-99-001;BL;;K;4,1;mmol/L\n"
        f"{SCREENED};V99;;K;4,1;mmol/L\n"
        f"{SCREENED};BL;;K;4,1;mmol/L\n"
        f"{SCREENED};SCR;;FERRITIN;80;ug/L\n"
    )
    page = import_file(nurse, "laboratory", text)
    said = told(page)
    assert any(state == "problem" and "'mg/dL' is not one of its units" in cells for state, cells in said)
    assert any(state == "problem" and "more than once, differently: lines 6, 7" in cells for state, cells in said)
    assert any(state == "change" and "unusual: a query will ask" in cells for state, cells in said)
    assert any("taken on 15.02.2028, the visit was on 14.02.2028" in cells for _, cells in said)
    assert sum(state == "problem" and "no such participant at your site" in cells for state, cells in said) == 2
    assert any("the mapping knows no visit of this name" in cells for _, cells in said)
    assert any("the visit is not recorded yet" in cells for _, cells in said)
    assert "FERRITIN" in page.text
    assert {row["item"]: dict(row) for row in store.rows.where(ITEM, participant=SCREENED)} == before


def test_what_the_dry_run_showed_is_saved_with_where_it_came_from(nurse, store):
    page = import_file(
        nurse, "biomarkers", "subject,visit,sampled,GFAP,NfL,haemolysed\nNO-01-002,month_12,,<LLOQ,9.5,no\n"
    )
    states = {state for state, _ in told(page)}
    assert states <= {"change", "new", "same"}
    silent = send(nurse, page.url.path)
    if "change" in states:
        assert refusal(silent) == "web.answer_missing"
        send(nurse, page.url.path, reason="the laboratory sent a corrected file")
    item = store.rows.get(ITEM, ("NO-01-002", "month_12", "biomarkers", 1, "gfap"))
    assert (item["outcome"], item["value"], item["source"]) == ("below_limit", None, "ehr")
    entries = store.ledger(f"{STUDY}/open").read_stream("participant/NO-01-002")
    assert any("mapping biomarkers sha256:" in str(entry) for entry in entries)
    again = import_file(
        nurse, "biomarkers", "subject,visit,sampled,GFAP,NfL,haemolysed\nNO-01-002,month_12,,<LLOQ,9.5,no\n"
    )
    assert {state for state, _ in told(again)} == {"same"}
    assert 'value="save"' not in again.text


def test_a_file_that_names_a_treatment_gets_no_further_than_the_door(nurse):
    answer = import_file(nurse, "laboratory", LABORATORY + f"{SCREENED};SCR;;K;4,1;placebo\n")
    assert (answer.status_code, refusal(answer)) == (409, "import.file_reveals_arm")
    assert SCREENED not in answer.text


def test_a_record_that_moved_since_the_dry_run_is_shown_again_before_anything_is_saved(nurse):
    first = import_file(nurse, "laboratory", LABORATORY.replace("13,9", "12,1"))
    second = import_file(nurse, "laboratory", LABORATORY.replace("13,9", "12,2"))
    stale = {"shown": hidden(first, "shown"), "csrfmiddlewaretoken": hidden(first, "csrfmiddlewaretoken")}
    send(nurse, second.url.path, reason="a second file")
    answer = nurse.post(
        first.url.path, data={**stale, "reason": "the first"}, headers={"Referer": str(nurse.base_url)}
    )
    assert (answer.status_code, refusal(answer)) == (409, "web.page_moved")


def test_a_file_is_thrown_away_and_belongs_to_who_brought_it(nurse, investigator):
    page = import_file(nurse, "laboratory", LABORATORY.replace("13,9", "11,9"))
    assert investigator.get(page.url.path).status_code == 404
    gone = send(nurse, page.url.path, act="discard")
    assert "nothing was saved" in gone.text
    assert nurse.get(page.url.path).status_code == 404


def test_forms_of_others_cannot_be_filled_by_a_file(nurse):
    page = nurse.get(f"/{STUDY}/imports/")
    assert 'value="form.edss"' not in page.text  # the blinded rater's
    assert nurse.get(f"/{STUDY}/imports/edss/empty.csv").status_code == 404
    assert nurse.get(f"/{STUDY}/imports/haematology/empty.csv").text.startswith("participant,encounter,haemoglobin")


def test_the_data_manager_adds_what_central_readers_measured_and_asks_where_the_record_differs(staff, store):
    manager = staff.client("data_manager.1", f"{STUDY}:data_manager@")
    page = manager.get(f"/{STUDY}/imports/")
    offered = set(re.findall(r'name="mapping" value="([^"]+)"', page.text))
    assert offered == {"biomarkers", "evoked_potentials", "mri"}  # no laboratory of a hospital, no plain table
    row = store.rows.get(ITEM, ("NO-02-001", "screening", "mri", 1, "lesion_volume"))
    header = "subject,visit,scan_date,gadolinium,new_or_enlarging,new_t2,gd_lesions,t2_volume_ml,brain_volume_ml"
    answer = import_file(manager, "mri", f"{header}\nNO-02-001,screening,,,,,,99.5,\n")
    ((state, cells),) = told(answer)
    assert state == "problem"
    assert f"the record says {row['value']}" in cells
    assert 'value="save"' not in answer.text


# --- the closed process -------------------------------------------------------------------------------------------


def test_who_knows_the_arm_reads_participants_in_the_closed_process_and_the_laboratory_does_not(serve):
    closed = serve("closed")
    for person, desk, answer in (
        ("injecting_physician.01", "injecting_physician@01", 200),
        ("unblinded_monitor.1", "unblinded_monitor@", 200),
        ("cell_laboratory.1", "cell_laboratory@", 403),
    ):
        client = closed.client(person, f"{STUDY}:{desk}")
        for path in (
            "participants/",
            "participants/NO-01-002/",
            "participants/NO-01-002/assess-criteria/",
            "calendar/",
        ):
            assert client.get(f"/{STUDY}/{path}").status_code == answer, (person, path)
    visitor = closed.client("investigator.01", f"{STUDY}:investigator@01")
    for path in ("", "participants/", "participants/NO-01-002/", "people/"):
        assert visitor.get(f"/{STUDY}/{path}").status_code == 403


def test_a_visit_without_a_date_says_when_it_is_planned_and_prints_its_forms(nurse, store):
    (row,) = matrix(store.rows, builds_on_record(store.ledger(f"{STUDY}/open")), TODAY, participant="NO-01-002")
    cell = next(one for one in row.cells if one.state is CellState.AHEAD)
    page = nurse.get(f"/{STUDY}/participants/NO-01-002/{cell.encounter}/")
    days = [f"{date.fromisoformat(str(day)):%d.%m.%Y}" for day in (cell.date, cell.earliest, cell.latest)]
    assert "Planned for {}; the window is {} to {}.".format(*days) in page.text
    assert f'href="/{STUDY}/blank-forms/vital_signs.pdf"' in page.text
    assert f'href="/{STUDY}/participants/NO-01-002/"' in page.text


def test_nobody_is_asked_to_sign_what_was_not_assessed(nurse, investigator):
    code = new_participant(nurse)
    path = f"/{STUDY}/participants/{code}/"
    page = investigator.get(f"{path}record-act/sign-off/")
    assert "assess first" in page.text
    assert 'name="password"' not in page.text
    assert f'class="ds-button" href="{path}assess-criteria/"' in page.text
    assert "record-act/sign-off/" not in investigator.get(path).text
    token = hidden(page, "csrfmiddlewaretoken")
    form = {"csrfmiddlewaretoken": token, "request_id": "early", "password": PASSWORD, "shown": ""}
    forced = investigator.post(f"{path}record-act/sign-off/", data=form, headers={"Referer": str(page.url)})
    assert 'id="refused"' in forced.text


def test_the_page_after_an_act_says_how_a_time_was_read(nurse):
    code = new_participant(nurse)
    path = f"/{STUDY}/participants/{code}/record-act/fail-screening/"
    wrong = send(nurse, path, reason="moved away", observed_at="15.02")
    assert "is not a day with a time" in unescape(wrong.text)
    assert 'value="15.02"' in wrong.text
    done = send(nurse, path, reason="moved away", observed_at="t 0030")
    assert "When it was decided: 15 February 2028, 00:30." in done.text


def test_a_withdrawal_from_everything_is_said_and_never_meant_by_silence(nurse):
    path = f"/{STUDY}/participants/NO-01-001/record-act/withdraw/"
    silent = send(nurse, path)
    assert refusal(silent) == "web.answer_missing"
    assert "Withdrawn from" not in nurse.get(f"/{STUDY}/participants/NO-01-001/").text
    done = send(nurse, path, scopes=["everything"])
    assert all(
        f"Withdrawn from {scope} since" in done.text for scope in ("treatment", "visits", "use of data", "samples")
    )


def test_the_investigator_signs_off_under_sentences(investigator):
    page = unescape(investigator.get(f"/{STUDY}/participants/{SCREENED}/record-act/sign-off/").text)
    assert "Platelets is less than 100" in page
    assert "platelets <" not in page


def test_an_adverse_event_on_the_page_of_a_participant_leads_to_it(nurse):
    page = nurse.get(f"/{STUDY}/participants/NO-01-002/")
    address = re.search(rf'href="(/{STUDY}/safety/NO-01-002/[^"/]+)"', page.text)
    assert address
    assert nurse.get(address[1]).status_code == 200
