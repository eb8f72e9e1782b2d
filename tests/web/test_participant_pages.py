"""A participant signs in, reads, asks, signs, gets a copy; sees visits, answers, stops; staff beside."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from html import unescape
from io import BytesIO

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe

from trialwright.foundation.operating_system import SystemEntropy
from trialwright.protocol.roles import Role
from trialwright.stores import open_store
from trialwright.trial.capture.commands import RecordVisit
from trialwright.trial.capture.views import FORM, ITEM
from trialwright.trial.command import Actor
from trialwright.trial.consent.commands import RecordPaperConsent
from trialwright.trial.consent.views import CONSENT_LOG
from trialwright.trial.dispatch import Trial
from trialwright.trial.enrolment.commands import ScreenParticipant
from trialwright.trial.enrolment.events import ParticipantScreened
from trialwright.trial.setup.builds import builds_on_record
from trialwright_web.config.demo import PASSWORD, environment
from trialwright_web.participant.differences import changed_sections, words_changed
from trialwright_web.store.installation import read_installation

NURSE = Actor("study_nurse.01", Role.STUDY_NURSE, "hospital", "01")
OWN = "three own words"
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}


class Record:
    """The open record of the file's installation, as another process on the same store."""

    def __init__(self, folder):
        installed = read_installation(folder / "installation.toml", None)["smart-ms"]
        self.store = open_store(installed.open_store)
        self.trial = Trial(
            "smart-ms",
            open_store=self.store,
            closed_store=None,
            builds=dict(builds_on_record(self.store.ledger("smart-ms/open"))),
            clock=installed.clock(),
            entropy=SystemEntropy(),
            mode="rehearsal",
        )
        self.requests = 0

    def give(self, command):
        self.requests += 1
        stamp = datetime.now(UTC).strftime("%H%M%S%f")
        return self.trial.dispatch(command, by=NURSE, request_id=f"test.{stamp}.{self.requests}")

    def screened(self):
        return self.give(ScreenParticipant(site="01")).event(ParticipantScreened).participant

    def log(self, participant):
        return [row["what"] for row in self.store.rows.where(CONSENT_LOG, participant=participant)]

    @property
    def today(self):
        return self.trial.clock.now().date().isoformat()


@pytest.fixture(scope="module")
def record(installation):
    found = Record(installation)
    yield found
    found.store.close()


@pytest.fixture(scope="module")
def public(serve):
    return serve("public", TRIALWRIGHT_PROXIES="1")


@pytest.fixture(scope="module")
def staff(serve):
    return serve("staff")


def token(page):
    return page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]


def post(client, path, **fields):
    """Post a page's form with its hidden fields."""
    page = client.get(path)
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    return client.post(path, data={**hidden, **fields}, headers={"Referer": str(client.base_url)})


def letter(staff, participant):
    """The code of a letter that the nurse makes."""
    with closing(staff.client("study_nurse.01")) as nurse:
        page = post(nurse, f"/smart-ms/consents/{participant}/letter")
    return re.search(r'class="code">([A-Z0-9-]+)<', page.text).group(1)


def entered(public, staff, participant):
    """A client of somebody who came in with the letter and chose a password."""
    code = letter(staff, participant)
    client = public.client()
    page = post(client, "/me/enter", number=participant.lower(), secret=code.lower())
    assert page.url.path == "/me/password", page.text
    page = post(client, "/me/password", password=OWN, again=OWN)
    assert page.url.path == "/me/"
    return client


def signed(client):
    page = post(client, "/me/consent/sign", agree="yes", password=OWN)
    assert "You have signed" in page.text, page.text
    return page


def countersign(staff, participant, check="photo_document"):
    with closing(staff.client("study_nurse.01")) as nurse:
        return post(nurse, f"/smart-ms/consents/{participant}/countersign", identity_check=check, password=PASSWORD)


def inside(public, text, *arguments):
    """A program in the public process's environment."""
    own = {**os.environ, **environment(public.folder, "public")}
    command = [sys.executable, "-c", "import sys, django; django.setup()\n" + text, *arguments]
    subprocess.run(command, env=own, check=True)


def grow_idle(public):
    """Half an hour goes by in which nobody does anything."""
    inside(
        public,
        "from django.contrib.sessions.models import Session\n"
        "from django.contrib.sessions.backends.db import SessionStore\n"
        "for one in Session.objects.all():\n"
        "    kept = SessionStore(one.session_key)\n"
        "    if 'participant_seen' in kept: kept['participant_seen'] -= 31 * 60; kept.save()",
    )


def violations(page):
    found = Axe().run(page, options=WCAG)
    return [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in found.response["violations"]]


# --- a participant consents ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("javascript", [True, False])
def test_a_participant_consents(public, staff, record, visit, javascript):
    participant = record.screened()
    page = visit(public, "/me/", javascript=javascript, width=390)
    page.fill("#number", participant)
    page.fill("#secret", letter(staff, participant))
    page.get_by_role("button", name="Sign in").click()
    page.fill("#password", OWN)
    page.fill("#again", OWN)
    page.get_by_role("button", name="Continue").click()

    page.get_by_role("link", name=re.compile("Read about the study")).click()
    assert "The key points" in page.inner_text("main")
    page.get_by_role("link", name="Read the whole text").click()
    parts = 2  # the first, the key points, is read already
    while page.get_by_role("link", name="Next part").count():
        page.get_by_role("link", name="Next part").click()
        parts += 1
    assert parts == 11
    page.get_by_role("link", name="Go on to some short questions").click()
    # A wrong answer teaches and does not bar.
    page.get_by_label("The study doctor").check()
    page.get_by_role("button", name="Show the explanation").click()
    assert "A random list decides" in page.inner_text("main")
    page.get_by_role("link", name="Next question").click()
    page.get_by_role("link", name="Go on without").click()
    page.get_by_role("link", name="Go on without").click()
    assert "2 short questions are left" in page.inner_text("main")
    page.fill("#password", OWN)
    page.get_by_role("button", name="Sign", exact=True).click()
    assert "Tick that you want to take part" in page.inner_text("main")
    page.get_by_label("Yes, I want to take part").check()
    page.fill("#password", OWN)
    page.get_by_role("button", name="Sign", exact=True).click()
    assert "You have signed" in page.inner_text("main")
    assert record.log(participant) == ["signed"]

    answered = countersign(staff, participant)
    assert f"The consent of {participant} is in force" in answered.text
    assert record.log(participant) == ["signed", "countersigned"]
    page.goto("/me/consent/")
    assert "Your consent counts since" in page.inner_text("main")


def tab_to(page, name):
    """Press Tab until something with this accessible name has the focus."""
    told = "[document.activeElement.innerText, document.activeElement.labels?.[0]?.innerText].join(' ')"
    for _ in range(60):
        page.keyboard.press("Tab")
        if name in page.evaluate(told):
            return
    raise AssertionError(f"the keyboard does not reach {name!r}")


def test_the_keyboard_alone_is_enough_to_consent_at_400_percent(public, staff, record, visit):
    participant, code = (person := record.screened()), letter(staff, person)
    page = visit(public, "/me/", width=320)
    steps = (
        ("Your number in the study", participant),
        ("Your password", f"{code}\n"),
        ("New password", OWN),
        ("The same once more", f"{OWN}\n"),
        ("Read about the study", "\n"),
        ("go to the signature", "\n"),
        ("Yes, I want to take part", " "),
        ("Your password", f"{OWN}\n"),
    )
    for name, typed in steps:
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, name
        tab_to(page, name)
        if typed.endswith("\n"):
            with page.expect_navigation():
                page.keyboard.type(typed)
        else:
            page.keyboard.type(typed)
    assert "You have signed" in page.inner_text("main")
    assert record.log(participant) == ["signed"]


def test_what_was_answered_stands_in_the_event_and_the_place_is_kept(public, staff, record):
    participant = record.screened()
    with closing(entered(public, staff, participant)) as client:
        client.get("/me/consent/read/4")
        post(client, "/me/consent/check/1", answer="me")
    # Another day, another browser.
    with closing(public.client()) as client:
        post(client, "/me/enter", number=participant, secret=OWN)
        assert "/me/consent/read/4" in client.get("/me/consent/").text
        signed(client)
    signed_event = list(record.trial.facts())[-1].event
    assert (signed_event.participant, signed_event.teach_back) == (participant, {"choice": "me"})


def test_the_copy_is_there_at_once_as_accessible_pdf(public, staff, record, tmp_path):
    from pypdf import PdfReader

    participant = record.screened()
    with closing(entered(public, staff, participant)) as client:
        signed(client)
        address = re.search(r"/me/consent/copy-\d+\.pdf", client.get("/me/consent/").text).group()
        copy = client.get(address)
        assert copy.headers["content-type"] == "application/pdf"
        (tmp_path / "copy.pdf").write_bytes(copy.content)
        pdf = PdfReader(tmp_path / "copy.pdf")
        text = "".join(page.extract_text() for page in pdf.pages)
        assert participant in text
        assert "The key points" in text
        assert "Still to come" in text
        assert pdf.trailer["/Root"]["/MarkInfo"]["/Marked"]
        assert pdf.trailer["/Root"]["/Lang"] == "en"
        assert b"pdfuaid" in pdf.trailer["/Root"]["/Metadata"].get_object().get_data()
        countersign(staff, participant, "known_to_interviewer")
        (tmp_path / "both.pdf").write_bytes(client.get(address).content)
        text = "".join(page.extract_text() for page in PdfReader(tmp_path / "both.pdf").pages)
        assert "study_nurse.01" in text
        assert "known from before" in text
        assert "known_to_interviewer" not in text
        assert re.search(r"Signed\s+\d+ \w+ \d{4} \d\d:\d\d \(\+0[12]00\)", text), "by the hospital's clock"
        reader = PdfReader(BytesIO(client.get(address, headers={"Accept-Language": "nb"}).content))
        assert "Signature of the participant" in "".join(page.extract_text() for page in reader.pages)


def test_nothing_is_signed_with_a_wrong_password_or_another_text(public, staff, record):
    participant = record.screened()
    with closing(entered(public, staff, participant)) as client:
        page = post(client, "/me/consent/sign", agree="yes", password="not this one")
        assert page.status_code == 409
        assert "Nothing was signed" in page.text
        page = post(client, "/me/consent/sign", agree="yes", password=OWN, shown="0" * 64)
        assert "Nothing was signed" in page.text
    assert record.log(participant) == []


def test_questions_before_signing_are_answered_by_the_staff(public, staff, record):
    participant = record.screened()
    with closing(entered(public, staff, participant)) as client, closing(staff.client("study_nurse.01")) as nurse:
        post(client, "/me/consent/questions", question="Can I <b>swim</b> afterwards?")
        home = nurse.get("/smart-ms/")
        assert f'href="/smart-ms/consents/{participant}/questions"' in home.text, "it waits among the nurse's tasks"
        assert "swim" not in home.text
        page = nurse.get(f"/smart-ms/consents/{participant}/questions")
        assert "Can I &lt;b&gt;swim&lt;/b&gt; afterwards?" in page.text
        post(nurse, f"/smart-ms/consents/{participant}/questions", answer="After one week.")
        page = client.get("/me/consent/questions")
        assert "After one week." in page.text
        assert f"/smart-ms/consents/{participant}/questions" not in nurse.get("/smart-ms/").text
        assert "(+0000)" not in page.text, "participants have one clock, the hospital's"
    database = (public.folder / "identity.db").read_bytes() + (public.folder / "public.db").read_bytes()
    assert b"swim" not in database
    assert b"After one week" not in database


def test_saying_no_is_as_easy(public, staff, record):
    participant = record.screened()
    with closing(entered(public, staff, participant)) as client:
        post(client, "/me/consent/no")
        assert record.log(participant) == ["refused"]
        assert "Read about the study and decide" not in client.get("/me/").text, "who said no is not asked again"
        assert "nobody will ask why" in client.get("/me/consent/").text


def test_a_signature_under_a_text_that_is_not_in_force_is_asked_for_again(public, staff, record):
    participant = record.screened()
    builds = {build.study.consent["nb"].head.version: build for build in record.trial.builds.values()}
    outdated = min(builds)
    assert outdated != max(builds), "the study was amended"
    paper = RecordPaperConsent(participant=participant, version=outdated, language="nb", teach_back={})
    record.give(paper)
    with closing(entered(public, staff, participant)) as client:
        assert "Read about the study and decide" in client.get("/me/").text, "nobody can countersign that one"
        signed(client)
    countersign(staff, participant)
    assert record.log(participant) == ["signed", "signed", "countersigned"]


def test_paper_counts_the_same(staff, record):
    participant = record.screened()
    with closing(staff.client("study_nurse.01")) as nurse:
        paper = f"/smart-ms/consents/{participant}/paper"
        page = post(nurse, paper, language="nb", day="t", time="")
        assert page.status_code == 422, "noon is not put where nobody typed a time"
        assert "t 0930" in page.text
        page = post(nurse, paper, language="nb", day="t", time="00:00")
        assert page.url.path.endswith("/countersign"), page.text
    countersign(staff, participant)
    assert record.log(participant) == ["signed", "countersigned"]


# --- in the study -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def consented(public, staff, record):
    participant = record.screened()
    with closing(entered(public, staff, participant)) as client:
        signed(client)
        countersign(staff, participant)
    return participant


def came_in(public, participant):
    client = public.client()
    post(client, "/me/enter", number=participant, secret=OWN)
    return client


def test_visits_have_dates_windows_and_what_to_bring(public, record, consented):
    record.give(RecordVisit(participant=consented, encounter="screening", date=record.today))
    with closing(came_in(public, consented)) as client:
        text = client.get("/me/visits/").text
        assert "First bone marrow aspiration" in text
        assert "Possible from" in text
        assert "Eat as usual" in text
        calendar = client.get("/me/visits.ics").text
    assert calendar.startswith("BEGIN:VCALENDAR")
    assert "SUMMARY:Appointment at the hospital" in calendar
    for told in ("SMART-MS", "sclerosis", "marrow aspiration", "Injection"):
        assert told not in calendar.split("DESCRIPTION")[0], "titles name no study and no disease"
    assert "smart-ms" not in calendar.lower()
    assert consented not in calendar, "nor does anything else say whose they are"


def test_the_calendar_is_in_the_readers_language(public, consented):
    with closing(came_in(public, consented)) as client:
        calendar = client.get("/me/visits.ics", headers={"Accept-Language": "nb"}).text.replace("\r\n ", "")
    assert re.search(r"DESCRIPTION:Mulig fra \w+dag \d+\. \w+ \d{4} til", calendar)
    assert "Possible" not in calendar


def test_a_day_that_has_passed_is_no_next_visit(public):
    with closing(public.client()) as client:
        post(client, "/me/enter", number="NO-01-005", secret=PASSWORD)
        text = client.get("/me/").text
        assert "A planned visit has not taken place" in text
        assert "28 February 2028" in text, "the next one"
        assert "1 February 2028" not in text, "of a fortnight ago"


def test_a_questionnaire_is_stopped_resumed_and_sent(public, record, consented, visit):
    record.give(RecordVisit(participant=consented, encounter="week_1", date=record.today))
    page = visit(public, "/me/", javascript=False, width=390)
    page.fill("#number", consented)
    page.fill("#secret", OWN)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name=re.compile("How have you been")).click()
    page.get_by_role("button", name="Continue").click()
    assert "Choose an answer" in page.inner_text("main")
    page.get_by_label("7", exact=True).check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="I would rather not answer").click()

    with closing(came_in(public, consented)) as client:
        assert re.search(r'value="7" checked', client.get("/me/questionnaires/week_1/fatigue_pain/1").text)
    for answer in ("2", "3"):
        page.get_by_label(answer, exact=True).check()
        page.get_by_role("button", name="Continue").click()
    page.fill("#answer", "none")
    page.get_by_role("button", name="Continue").click()
    assert "Write a number" in page.inner_text("main")
    page.fill("#answer", "1")
    page.get_by_role("button", name="Back").click()
    assert page.get_by_label("3", exact=True).is_checked()
    page.get_by_role("button", name="Continue").click()
    assert page.input_value("#answer") == "1", "going back loses nothing"
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("No", exact=True).check()
    page.get_by_role("button", name="Continue").click()
    assert "I would rather not answer" in page.inner_text("main")
    page.get_by_role("button", name="Send").click()
    assert "Thank you" in page.inner_text("main")
    rows = record.store.rows
    assert rows.get(FORM, (consented, "week_1", "fatigue_pain", 1))["last_saved_by"] == consented
    items = {row["item"]: row for row in rows.where(ITEM, participant=consented) if row["form"] == "fatigue_pain"}
    assert (items["fatigue"]["value"], items["pain"]["missing"], items["falls"]["value"]) == ("7", "refused", "1")


def test_stopping_is_chosen_explained_and_confirmed(public, staff, record):
    participant = record.screened()
    with closing(entered(public, staff, participant)) as client:
        signed(client)
        countersign(staff, participant)
        page = post(client, "/me/stop/")
        assert page.status_code == 422
        page = post(client, "/me/stop/", scope="treatment")
        assert "Yes, stop this" in page.text
        assert record.log(participant)[-1] == "countersigned", "nothing happens before it is confirmed"
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
        client.post("/me/stop/", data=hidden, headers={"Referer": str(client.base_url)})
        assert "The study treatment" in client.get("/me/consent/").text
    last = list(record.store.rows.where(CONSENT_LOG, participant=participant))[-1]
    assert (last["what"], last["scopes"]) == ("withdrawn", "treatment")


def test_who_stops_visits_is_not_asked_for_anything_any_more(public, staff, record):
    """They stay able to stop the rest, and to come back by their own will."""
    with closing(public.client()) as client:
        post(client, "/me/enter", number="NO-03-003", secret=PASSWORD)
        assert "23 March 2028" in client.get("/me/visits/").text or "Possible from" in client.get("/me/visits/").text
        page = post(client, "/me/stop/", scope="visits")
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
        home = client.post("/me/stop/", data=hidden, headers={"Referer": str(client.base_url)})
        assert "You have stopped coming to visits" in home.text
        for pressing in ("Read about the study and decide", "Your next visit", "has not taken place"):
            assert pressing not in home.text
        assert "No visit is planned" in client.get("/me/visits/").text
        assert "BEGIN:VEVENT" not in client.get("/me/visits.ics").text
        assert "There is nothing to fill in now" in client.get("/me/questionnaires/").text
        assert 'href="/me/stop/"' in home.text, "the use of data and samples can be stopped, too"
        assert "Use of my data" in client.get("/me/stop/").text
        assert 'href="/me/consent/sign"' not in client.get("/me/consent/").text
        assert client.get("/me/consent/sign").url.path == "/me/consent/sign", "who changes their mind may sign"


def test_letter_and_first_pages_are_in_the_language_that_the_nurse_chooses(public, staff, record):
    participant = record.screened()
    with closing(staff.client("study_nurse.01")) as nurse:
        page = nurse.get(f"/smart-ms/consents/{participant}/letter")
        fields = {"csrfmiddlewaretoken": token(page), "language": "nn"}
        made = nurse.post(str(page.url), data=fields, headers={"Referer": str(nurse.base_url)}).text
    assert "Letter of access" in made, "the nurse's own words stay"
    assert "Nummeret ditt i studien" in made
    code = re.search(r'class="code">([A-Z0-9-]+)<', made).group(1)
    with closing(public.client()) as client:
        assert "Your number in the study" in client.get("/me/enter").text
        first = post(client, "/me/enter", number=participant, secret=code)
        assert '<html lang="nn"' in first.text


# --- nothing that was written is lost -------------------------------------------------------------------------------


def test_what_was_written_when_the_session_had_ended_is_there_after_signing_in(public, staff, record):
    participant = record.screened()
    with closing(entered(public, staff, participant)) as client:
        page = client.get("/me/consent/questions")
        grow_idle(public)
        written = "Is there <b>parking</b>?\nI walk with a stick."
        data = {"csrfmiddlewaretoken": token(page), "question": written}
        door = client.post("/me/consent/questions", data=data, headers={"Referer": str(client.base_url)})
        assert "What you wrote is not lost" in door.text
        hidden = dict(re.findall(r'<input type="hidden" name="([\w.]+)" value="([^"]*)"', door.text))
        hidden = {name: unescape(text) for name, text in hidden.items()}
        wrong = client.post("/me/enter", data={**hidden, "number": participant, "secret": "wrong one"})
        assert "What you wrote is not lost" in wrong.text or 'name="held.question"' in wrong.text

        with closing(public.client()) as other:
            other.get("/me/enter")
            theirs = {**hidden, "csrfmiddlewaretoken": token(other.get("/me/enter"))}
            page = other.post("/me/enter", data={**theirs, "number": "NO-01-005", "secret": PASSWORD})
            assert "parking" not in page.text, "somebody else gets none of it"

        hidden["csrfmiddlewaretoken"] = token(wrong)
        back = client.post("/me/enter", data={**hidden, "number": participant, "secret": OWN})
        assert "You are signed in again" in back.text
        form = dict(re.findall(r'<input type="hidden" name="([\w.]+)" value="([^"]*)"', back.text.split("<main")[1]))
        sent = client.post("/me/consent/questions", data={name: unescape(text) for name, text in form.items()})
        assert "Is there &lt;b&gt;parking&lt;/b&gt;?" in sent.text
        assert "I walk with a stick" in sent.text


def test_after_signing_in_again_one_is_where_one_was(public, staff, record):
    participant = record.screened()
    with closing(entered(public, staff, participant)) as client:
        grow_idle(public)
        door = client.get("/me/consent/read/4")
        assert "Sign in again" in door.text
        fields = {"csrfmiddlewaretoken": token(door), "number": participant, "secret": OWN}
        for elsewhere, lands in (("/me/consent/read/4", "/me/consent/read/4"), ("//evil.example/", "/me/")):
            assert client.post("/me/enter", data={**fields, "next": elsewhere}).url.path == lands
            fields["csrfmiddlewaretoken"] = token(client.get("/me/enter"))


def test_a_button_pressed_twice_asks_once(public, staff, record):
    participant = record.screened()
    with closing(entered(public, staff, participant)) as client:
        for _ in range(2):
            page = post(client, "/me/consent/questions", question="May I drive?\r\nAlone?")
        assert page.text.count("May I drive?") == 1


def test_a_question_that_is_too_long_is_said_and_stays(public, staff, record):
    participant = record.screened()
    with closing(entered(public, staff, participant)) as client:
        page = post(client, "/me/consent/questions", question="a" * 1999 + " end")
        assert page.status_code == 422
        assert " end</textarea>" in page.text
        lines = "\r\n".join(["b"] * 1000)
        assert len(lines) > 2000, "as a browser sends it; to the person it is 1,999 letters"
        assert post(client, "/me/consent/questions", question=lines).status_code == 200


def test_answers_that_an_amendment_made_meaningless_are_asked_again(public, record, consented):
    record.give(RecordVisit(participant=consented, encounter="week_4", date=record.today))
    inside(
        public,
        "from trialwright_web.participant import kept\n"
        "from trialwright_web.participant.access import Person\n"
        "from trialwright_web.participant.models import Invitation\n"
        "from trialwright_web.shell.desk import Desk, Place\n"
        "from trialwright_web.shell.studies import installation\n"
        "from trialwright.protocol.roles import Role\n"
        "code = sys.argv[1]\n"
        "one = Invitation.objects.get(study='smart-ms', participant=code)\n"
        "place = Place('smart-ms', Role.PARTICIPANT, '01', 'participant')\n"
        "person = Person(one, Desk(place, code, one.pk, installation().trial('smart-ms'), 'en'))\n"
        "answers = {'gone': '1', 'pain': 'many', 'fatigue': '7'}\n"
        "kept.keep(person, 'questionnaire/week_4/fatigue_pain', {'answers': answers})",
        consented,
    )  # fmt: skip
    with closing(came_in(public, consented)) as client:
        assert re.search(r'value="7" checked', client.get("/me/questionnaires/week_4/fatigue_pain/1").text)
        assert "not answered" in client.get("/me/questionnaires/week_4/fatigue_pain/check").text


def test_numbers_are_typed_with_a_comma_as_people_write_them(public):
    inside(
        public,
        "from types import SimpleNamespace as Item\n"
        "from trialwright_web.participant.questionnaires import _typed\n"
        "assert _typed(Item(type='decimal'), ' 3,5 ') == _typed(Item(type='quantity'), '3.5') == '3.5'\n"
        "assert _typed(Item(type='text'), 'a, b\\r\\nc') == 'a, b\\nc'",
    )


def test_the_explanation_is_what_is_seen_after_an_answer_at_400_percent(public, staff, record, visit):
    page = visit(public, "/me/", width=320)
    page.set_viewport_size({"width": 320, "height": 256})
    page.fill("#number", "NO-01-007")
    page.fill("#secret", PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.goto("/me/consent/check/1")
    page.locator("main input[type=radio]").first.check()
    page.get_by_role("button", name="Show the explanation").click()
    top = page.locator("#explanation").bounding_box()["y"]
    assert 0 <= top < 200


def test_the_code_of_the_letter_can_be_shown_while_it_is_typed(public, visit):
    page = visit(public, "/me/enter", width=320)
    page.fill("#secret", "ABCD")
    wide = [page.locator(field).bounding_box()["width"] for field in ("#number", "#secret")]
    assert wide[0] == wide[1] > 250, "the box beside it leaves the field its room"
    page.get_by_label("Show what I type").check()
    assert page.get_attribute("#secret", "type") == "text"
    page.get_by_label("Show what I type").uncheck()
    assert page.get_attribute("#secret", "type") == "password"


# --- who may ------------------------------------------------------------------------------------------------------


def test_nobody_comes_in_without_a_letter_or_with_a_wrong_code(public, record, staff):
    participant = record.screened()
    with closing(public.client()) as client:
        assert post(client, "/me/enter", number=participant, secret="ABCDEFGHJKMN").status_code == 422
        code = letter(staff, participant)
        for _ in range(5):
            post(client, "/me/enter", number=participant, secret="ABCDEFGHJKMN")
        locked = post(client, "/me/enter", number=participant, secret=code)
    assert locked.status_code == 422, "five wrong tries lock, also for the right code"


def test_wrong_tries_behind_a_proxy_keep_out_the_address_they_came_from(public):
    """The proxy's address is everybody's: counted there, one reader would keep out all participants."""
    inside(public, "from django.core.cache import cache; cache.set('participant-entry:192.0.2.7', 30, 600)")
    for address, lands in (("192.0.2.7", "/me/enter"), ("192.0.2.8", "/me/")):
        with httpx.Client(
            base_url=public.address, follow_redirects=True, headers={"X-Forwarded-For": f"10.0.0.1, {address}"}
        ) as client:
            assert post(client, "/me/enter", number="NO-01-002", secret=PASSWORD).url.path == lands


def test_a_letter_works_once_and_a_new_one_voids_the_session(public, staff, record):
    participant = record.screened()
    code = letter(staff, participant)
    with closing(public.client()) as client:
        post(client, "/me/enter", number=participant, secret=code)
        post(client, "/me/password", password=OWN, again=OWN)
        assert client.get("/me/").url.path == "/me/"
        with closing(public.client()) as other:
            assert post(other, "/me/enter", number=participant, secret=code).status_code == 422
        letter(staff, participant)
        for path in ("/me/", "/me/password"):
            assert client.get(path).url.path == "/me/enter", "who had the session has not the new letter"


def test_a_password_chosen_with_the_letter_ends_what_others_began_with_it(public, staff, record):
    participant = record.screened()
    code = letter(staff, participant)
    with closing(public.client()) as one, closing(public.client()) as other:
        for client in (one, other):
            assert post(client, "/me/enter", number=participant, secret=code).url.path == "/me/password"
        assert post(one, "/me/password", password=OWN, again=OWN).url.path == "/me/"
        assert other.get("/me/").url.path == "/me/enter"
        assert one.get("/me/visits/").url.path == "/me/visits/", "the own session goes on"


@pytest.mark.parametrize(
    "path",
    ["/me/", "/me/consent/", "/me/consent/sign", "/me/visits/", "/me/visits.ics", "/me/stop/", "/me/questionnaires/"],
)
def test_without_a_session_every_page_leads_to_the_door(public, path):
    with closing(public.client()) as client:
        assert client.get(path).url.path == "/me/enter"


def test_pages_are_not_kept_by_the_browser_and_leaving_clears_it(public, consented):
    with closing(came_in(public, consented)) as client:
        page = client.get("/me/visits/")
        assert page.headers["cache-control"] == "no-store"
        data = {"csrfmiddlewaretoken": token(page)}
        left = client.post("/me/leave", data=data, headers={"Referer": str(client.base_url)}, follow_redirects=False)
        assert "cache" in left.headers["clear-site-data"]
        assert client.get("/me/visits/").url.path == "/me/enter"


def test_staff_of_another_site_see_nobody_of_this_one(staff, consented):
    with closing(staff.client("study_nurse.02")) as nurse:
        assert consented not in nurse.get("/smart-ms/consents/").text
        for page in ("letter", "countersign", "questions", "paper"):
            assert nurse.get(f"/smart-ms/consents/{consented}/{page}").status_code == 404
    with closing(staff.client("monitor.1")) as monitor:
        assert monitor.get("/smart-ms/consents/").status_code == 403


def test_another_participants_copy_and_forms_cannot_be_reached(public, staff, record, consented):
    with closing(came_in(public, consented)) as client:
        assert client.get("/me/consent/copy-99999.pdf").status_code == 404
        assert client.get("/me/questionnaires/month_18/fatigue_pain/1").status_code == 404
        assert client.get("/me/questionnaires/screening/edss/1").status_code == 404


# --- consent again ------------------------------------------------------------------------------------------------


def test_differences_are_marked_word_by_word_and_lose_nothing():
    parts = words_changed("You come ten times a year.", "You come twelve times each year.")
    assert "".join(p.text for p in parts if p.kind != "added") == "You come ten times a year."
    assert "".join(p.text for p in parts if p.kind != "removed") == "You come twelve times each year."
    assert [p.text.strip() for p in parts if p.kind == "added"] == ["twelve", "each"]


def test_new_changed_and_removed_parts_are_told_apart(record):
    text = next(iter(record.trial.builds.values())).study.consent["en"]
    first, second, *rest = text.sections
    new = first.model_copy(update={"id": "extra", "heading": "Extra", "text": "Something new."})
    changed = first.model_copy(update={"text": first.text + "\n- One more point."})
    later = text.model_copy(update={"sections": (changed, new, *rest)})
    assert [(s.kind, s.heading) for s in changed_sections(text, later)] == [
        ("changed", first.heading),
        ("added", "Extra"),
        ("removed", second.heading),
    ]
    assert changed_sections(text, text) == ()


# --- for everybody ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("nb", 390), ("nn", 320)])
def test_axe_finds_nothing_and_nothing_is_cut_off(public, staff, record, consented, visit, language, width):
    newcomer = record.screened()
    entered(public, staff, newcomer).close()
    pages = (
        "/me/",
        "/me/consent/",
        "/me/consent/read/2",
        "/me/consent/check/1",
        "/me/consent/sign",
        "/me/consent/questions",
    )
    inside = ("/me/visits/", "/me/questionnaires/", "/me/stop/", "/me/consent/")
    for person, paths in ((newcomer, pages), (consented, inside)):
        page = visit(public, "/me/enter", width=width, language=language)
        assert violations(page) == []
        page.fill("#number", person)
        page.fill("#secret", OWN)
        page.locator("main button").first.click()
        for path in paths:
            page.goto(path)
            for summary in page.locator("summary").all():
                summary.click()
            assert violations(page) == [], path
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_axe_finds_nothing_on_the_staffs_side(staff, record, visit):
    participant = record.screened()
    page = visit(staff, "/smart-ms/consents/", "study_nurse.01")
    assert violations(page) == []
    for path in ("letter", "questions", "paper"):
        page.goto(f"/smart-ms/consents/{participant}/{path}")
        assert violations(page) == [], path


def test_the_process_of_the_public_holds_no_closed_store(public):
    assert httpx.get(f"{public.address}/health").json()["process"] == "public"
    assert "TRIALWRIGHT_CLOSED" not in " ".join(map(str, public.running.args))
