"""Pages that no link leads to: each scene goes where people go, and looks around on the way."""

from __future__ import annotations

import base64
import hmac
import re
import struct
import time
from collections.abc import Callable
from typing import Any

from pages import PARTICIPANT, STUDY, grow_idle

from trialwright_web.config.demo import PASSWORD

NURSE = "study_nurse.01"
OWN = "three own words"
PASSPHRASE = "seven quiet boats in June"
SEND = "main form[method=post] button:not([disabled], [hidden], [type=button])"
"""What sends a page's first form."""
ACT = "main form.act-form button[type=submit]:not([disabled])"
"""What sends the form of an act."""


def send(window: Any, button: str = SEND, *, unchecked: bool = False, **fields: str) -> None:
    """Fill in fields by their names, send, and wait for the answer; ``unchecked`` by the browser."""
    for name, value in fields.items():
        window.fill(f"main [name='{name}']", value)
    if unchecked:
        window.eval_on_selector_all("main form", "forms => forms.forEach(form => { form.noValidate = true; })")
    with window.expect_navigation():
        window.locator(button).first.click()


def newcomer(nurse: Any) -> str:
    """Somebody new in screening; answers their number."""
    nurse.goto(f"/{STUDY}/new-participant/")
    send(nurse, ACT)
    found = re.search(r"[A-Z]{2}-\d\d-\d{3}", nurse.url)
    assert found is not None, nurse.url
    return found[0]


def consenting(walk: Any) -> None:
    """A letter, a password, the text in layers, questions, both signatures, and stopping."""
    nurse = walk.window("staff", NURSE)
    person = newcomer(nurse)
    nurse.goto(f"/{STUDY}/consents/{person}/letter")
    send(nurse)
    walk.look(nurse, "letter, made")
    code = nurse.inner_text(".code")

    own = walk.window("public")
    own.goto("/me/enter")
    send(own, number=person, secret="wrong-code")
    walk.look(own, "participant enters", "refused")
    send(own, number=person, secret=code)
    walk.look(own, "participant chooses a password")
    send(own, unchecked=True, password="short", again="short")
    walk.look(own, "participant chooses a password", "refused")
    send(own, password=OWN, again=OWN)
    walk.look(own, "participant's home before consent")
    for path in ("", "read/2", "check/1", "questions", "sign", "no"):
        own.goto(f"/me/consent/{path}")
        walk.look(own, f"consent {path or 'overview'}", "empty" if path == "questions" else "filled")
    own.goto("/me/consent/check/1")
    send(own)
    walk.look(own, "consent check", "refused")
    own.locator("main input[name=answer]").first.check()
    send(own)
    walk.look(own, "consent check, explained")
    own.goto("/me/consent/questions")
    send(own, unchecked=True)
    walk.look(own, "consent questions", "refused")
    send(own, question="May I travel?")
    walk.look(own, "consent questions, asked")
    _timed_out(walk, own, person)
    nurse.goto(f"/{STUDY}/consents/{person}/questions")
    walk.look(nurse, "questions of a participant")
    own.goto("/me/consent/sign")
    send(own, unchecked=True)
    walk.look(own, "consent sign", "refused")
    own.locator("main input[name=agree]").check()
    send(own, password=OWN)
    walk.look(own, "consent signed")
    nurse.goto(f"/{STUDY}/consents/{person}/countersign")
    walk.look(nurse, "second signature")
    send(nurse, unchecked=True)
    walk.look(nurse, "second signature", "refused")
    nurse.locator("main input[name=identity_check]").first.check()
    send(nurse, password=PASSWORD)
    walk.look(nurse, "consents")
    _in_the_study(walk, nurse, own, person)


def _timed_out(walk: Any, own: Any, person: str) -> None:
    """Somebody writes so long that their session has ended, and signs in again."""
    own.goto("/me/consent/questions")
    grow_idle(own)
    send(own, question="Is there parking?\nI walk with a stick.")
    walk.look(own, "participant signs in again", "refused")
    send(own, number=person, secret=OWN)
    walk.look(own, "what was written is still there")
    send(own)
    walk.look(own, "consent questions, two asked")


def _in_the_study(walk: Any, nurse: Any, own: Any, person: str) -> None:
    own.goto("/me/consent/")
    walk.look(own, "consent in force")
    own.goto("/me/consent/changes")
    walk.look(own, "consent changes", "empty")
    for visit in ("screening", "week_1"):
        nurse.goto(f"/{STUDY}/participants/{person}/{visit}/")
        send(nurse, date="t")
    for path in ("", "visits/", "questionnaires/"):
        own.goto(f"/me/{path}")
        walk.look(own, f"participant's {path or 'home'}")
    own.locator("main a[href*='/fatigue_pain/1']").first.click()
    walk.look(own, "questionnaire, a scale")
    send(own)
    walk.look(own, "questionnaire, a scale", "refused")
    seen = set()
    while not own.url.endswith("/check"):
        kind = own.locator("main form [name=answer]").first.get_attribute("type") or "text"
        if kind not in seen:
            walk.look(own, f"questionnaire, {kind}")
        seen.add(kind)
        if kind == "radio":
            own.locator("main input[name=answer]").first.check()
            send(own)
        else:
            send(own, answer="1")
    walk.look(own, "questionnaire, before sending")
    own.goto("/me/stop/")
    walk.look(own, "participant stops")
    send(own)
    walk.look(own, "participant stops", "refused")
    own.locator("main input[name=scope]").first.check()
    send(own)
    walk.look(own, "participant stops, asked again")


def amended(walk: Any) -> None:
    """Somebody who gave consent long ago reads what is new."""
    own = walk.window("public", PARTICIPANT)
    own.goto("/me/consent/changes")
    walk.look(own, "consent changes")


def contacts(walk: Any) -> None:
    """A site's key is made, contacts are entered, locked, opened."""
    nurse = walk.window("staff", NURSE)
    home = f"/{STUDY}/contacts/"
    nurse.goto(f"{home}key")
    if nurse.locator("#passphrase").count():
        send(nurse, unchecked=True, passphrase="short", again="other")
        walk.look(nurse, "site's key", "refused")
        send(nurse, passphrase=PASSPHRASE, again=PASSPHRASE)
    walk.look(nurse, "site's key, made")
    nurse.goto(f"{home}new")
    walk.look(nurse, "new contact", "empty")
    send(nurse, unchecked=True)
    walk.look(nurse, "new contact", "refused")
    send(nurse, "main .contact-form button:not([hidden])", name="Ærlend Ødegård", telephone="+47 55 90 31 77")
    walk.look(nurse, "contact, locked")
    nurse.goto(f"{home}open")
    walk.look(nurse, "open contacts")
    send(nurse, "main .contact-form button:not([hidden])", passphrase="not this one")
    walk.look(nurse, "open contacts", "refused")
    send(nurse, "main .contact-form button:not([hidden])", passphrase=PASSPHRASE)
    walk.look(nurse, "contacts, open")
    nurse.locator(f"main a[href*='{home}waiting/']").first.click()
    walk.look(nurse, "contact, open")
    nurse.goto(home)
    send(nurse, "main form[action$='/contacts/close'] button")
    walk.look(nurse, "contacts, locked")


def conflict(walk: Any) -> None:
    """Two at one form; then a change of what is on record, with its query in the margin."""
    nurse, doctor = walk.window("staff", NURSE), walk.window("staff", "investigator.01")
    nurse.goto(f"/{STUDY}/participants/NO-01-002/new-visit/")
    send(nurse, date="t")
    form = f"{nurse.url.partition('?')[0]}vital_signs/1/"
    for window in (nurse, doctor):
        window.goto(form)
        window.wait_for_selector("html.js")
        window.wait_for_load_state("networkidle")
    walk.look(nurse, "form", "empty")
    nurse.fill("[name='v.systolic']", "120")
    doctor.fill("[name='v.systolic']", "130")
    doctor.fill("[name='v.pulse']", "170")
    for window, answer in ((doctor, "done=saved"), (nurse, "/compare/")):
        window.keyboard.press("Control+s")
        window.wait_for_url(re.compile(answer))
        window.wait_for_load_state("networkidle")
    walk.look(nurse, "two versions of a form")
    send(nurse, "main .actions button")
    walk.look(nurse, "two versions of a form", "refused")
    doctor.fill("[name='v.systolic']", "250")
    doctor.keyboard.press("Control+s")
    doctor.wait_for_selector("#refused")
    walk.look(doctor, "form", "refused")
    doctor.goto(f"{form}?field=pulse")
    doctor.wait_for_load_state("networkidle")
    walk.look(doctor, "form with a query in the margin")
    doctor.goto(f"{form}sign/")
    walk.look(doctor, "sign a form")


def laboratory_file(walk: Any) -> None:
    """A file from outside, read and shown before it is saved."""
    nurse = walk.window("staff", NURSE)
    text = (
        "Subject;Visit;Collected;Test;Result;Unit\nNO-01-001;SCR;14.02.2028;HGB;13,5;g/dL\n"
        "NO-99-001;SCR;14.02.2028;HGB;13,5;g/dL\nNO-01-001;SCR;14.02.2028;FERRITIN;80;ug/L\n"
    )
    for content, state in (("nothing", "refused"), (text, "filled")):
        nurse.goto(f"/{STUDY}/imports/")
        nurse.check("main input[value=laboratory]")
        file = {"name": "results.csv", "mimeType": "text/csv", "buffer": content.encode()}
        nurse.set_input_files("#import-file", files=[file])
        send(nurse)
        walk.look(nurse, "import of a file", state)


def blank(walk: Any) -> None:
    """A form to be printed."""
    nurse = walk.window("staff", NURSE)
    nurse.goto(f"/{STUDY}/blank-forms/")
    walk.look(nurse, "blank forms")
    nurse.goto(f"/{STUDY}/blank-forms/vital_signs/")
    walk.look(nurse, "blank form", "empty")


def margins(walk: Any) -> None:
    """A part of a page that a form asks for by itself; here with a page around it."""
    monitor = walk.window("staff", "monitor.1")
    for path in ("queries?status=all", "deviations?state=all", "safety?show=all", "products?show=all"):
        monitor.goto(f"/{STUDY}/{path}")
        walk.look(monitor, path)


def at_doors(walk: Any) -> None:
    """Signing in, wrong doors, pages that are too old, and faults of ours."""
    stranger = walk.window("staff")
    stranger.goto("/accounts/login/")
    walk.look(stranger, "sign in", "empty")
    send(stranger, login=f"nobody.{walk.language}", password="wrong")
    walk.look(stranger, "sign in", "refused")
    stranger.context.clear_cookies()
    stranger.goto("/accounts/login/")
    stranger.context.clear_cookies()
    send(stranger, login="nobody", password="wrong")
    walk.look(stranger, "a page that is too old", "refused")
    stranger.goto("/accounts/fails/")
    walk.look(stranger, "a fault of ours", "refused")

    nurse = walk.window("staff", NURSE)
    for path, name in (("closure/lock", "a wrong door"), ("nothing-here", "a page that is not there")):
        nurse.goto(f"/{STUDY}/{path}")
        walk.look(nurse, name, "refused")
    reader = walk.window("public")
    for path in ("/nothing-here", "/?q=nothing+at+all", "/?age=old"):
        reader.goto(path)
        walk.look(reader, path, "refused")


def unbuilt(walk: Any) -> None:
    """A named error that no page of its own draws."""
    nurse = walk.window("staff", NURSE)
    nurse.goto(f"/{STUDY}/calendar/?from=never")
    walk.look(nurse, "calendar of no week", "refused")
    nurse.goto(f"/{STUDY}/downloads/audit-trail/?from=never")
    walk.look(nurse, "a question that cannot be read", "refused")


def second_factor(walk: Any) -> None:
    """An authenticator is set up, used, and taken away."""
    person = walk.window("staff", "study_nurse.02")
    for path in ("totp/activate/", "recovery-codes/generate/", "webauthn/add/", "webauthn/"):
        person.goto(f"/accounts/2fa/{path}")
        if "reauthenticate" in person.url:
            walk.look(person, "password again", "empty")
            send(person, password="wrong")
            walk.look(person, "password again", "refused")
            send(person, password=PASSWORD)
        walk.look(person, f"second factor, {path}", "empty")
        if path == "totp/activate/":
            send(person, unchecked=True, code="000000")
            walk.look(person, f"second factor, {path}", "refused")
            secret = re.search(r"secret=([A-Z2-7]+)", person.content()) or re.search(
                r"\b[A-Z2-7]{32}\b", person.locator("main").inner_html()
            )
            assert secret is not None
            send(person, code=code_now(secret[secret.lastindex or 0]))
            walk.look(person, "recovery codes")
    person.goto("/accounts/2fa/")
    walk.look(person, "second factor, set up")
    person.goto("/accounts/2fa/totp/deactivate/")
    walk.look(person, "second factor, taken away")
    other = walk.window("staff")
    other.goto("/accounts/login/")
    send(other, login="study_nurse.02", password=PASSWORD)
    walk.look(other, "second factor, asked", "empty")
    send(other, code="000000")
    walk.look(other, "second factor, asked", "refused")
    person.goto("/accounts/2fa/totp/deactivate/")
    send(person)


def code_now(secret: str) -> str:
    """What an authenticator shows (RFC 6238)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30), "sha1").digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def invited(walk: Any) -> None:
    """Somebody new is appointed, gets a link, chooses a password; the link works once."""
    sponsor = walk.window("staff", "sponsor.1")
    name = f"monitor.{walk.language}"
    sponsor.goto(f"/{STUDY}/people/appoint/")
    role = sponsor.locator("main [name=role]")
    if role.first.evaluate("one => one.tagName") == "SELECT":
        role.first.select_option("monitor")
    else:
        sponsor.locator("main [name=role][value=monitor]").check()
    secret = {"password": PASSWORD} if sponsor.locator("#sign-password").count() else {}
    send(sponsor, ACT, person=name, organisation="Sponsor", **secret)
    sponsor.goto(f"/{STUDY}/people/invite/")
    walk.look(sponsor, "invite somebody")
    person = sponsor.locator("main [name=person]")
    if person.first.evaluate("one => one.tagName") == "SELECT":
        person.first.select_option(name)
    else:
        sponsor.locator(f"main [name=person][value='{name}']").check()
    send(sponsor, password=PASSWORD)
    walk.look(sponsor, "invite somebody, done")
    link = sponsor.inner_text("#invitation")
    new = walk.window("staff")
    new.goto(link)
    walk.look(new, "invitation")
    send(new, unchecked=True, new_password1="short", new_password2="other")
    walk.look(new, "invitation", "refused")
    send(new, new_password1="a long one of my own", new_password2="a long one of my own")
    again = walk.window("staff")
    again.goto(link)
    walk.look(again, "invitation, used", "refused")


def unblinded_at_night(walk: Any) -> None:
    """Emergency: what it says, and what it shows."""
    doctor = walk.window("closed", "investigator.01")
    doctor.goto(f"/{STUDY}/laboratory/emergency")
    walk.look(doctor, "emergency", "empty")
    people = doctor.locator("#act-participant option").evaluate_all("all => all.map(one => one.value)")
    turn = ("en", "nb", "nn").index(walk.language)
    doctor.select_option("#act-participant", [code for code in people if code][-1 - turn])
    send(doctor, ACT, reason="unconscious", password=PASSWORD)
    walk.look(doctor, "emergency, shown")


def for_the_committee(walk: Any) -> None:
    """A data cut, and the allocations joined to it."""
    manager = walk.window("staff", "data_manager.1")
    manager.goto(f"/{STUDY}/closure/cut")
    for field in manager.locator("main form.act-form :is(input:not([type=hidden]), textarea)[required]").all():
        if field.get_attribute("type") == "password":
            field.fill(PASSWORD)
        elif not field.input_value():
            field.fill(f"committee_{walk.language}")
    send(manager, ACT)
    walk.look(manager, "data cut, made")
    statistician = walk.window("closed", "independent_statistician.1")
    statistician.goto(f"/{STUDY}/laboratory/allocations")
    walk.look(statistician, "allocations, with a cut")
    statistician.locator("main a[href*='/allocations/join/']").last.click()
    walk.look(statistician, "allocations to join")
    statistician.fill("main [name=reason]", "closed report")
    send(statistician, ACT)
    walk.look(statistician, "allocations, joined")
    statistician.reload()
    walk.look(statistician, "allocations, shown before", "refused")
    statistician.goto(f"/{STUDY}/laboratory/allocations/envelope")
    field = statistician.locator("main [name=participant]").first
    if field.evaluate("one => one.tagName") == "SELECT":
        field.select_option(index=1)
    elif field.get_attribute("type") == "radio":
        field.check()
    else:
        field.fill(PARTICIPANT)
    send(statistician, ACT, unchecked=True)
    walk.look(statistician, "envelope, made")
    manager.goto(f"/{STUDY}/closure/review")
    walk.look(manager, "blind review")


def before_coming(walk: Any) -> None:
    """The pre-screener's questions: one by one, its verdicts, and as a form that a server judges."""
    reader = walk.window("public")
    path = f"/trials/{STUDY}/join"
    reader.goto(path)
    reader.wait_for_selector(".screener.one-by-one")
    reader.click("#go")
    walk.look(reader, "pre-screener", "refused")
    reader.fill("#f-age", "40")
    reader.click("#go")
    walk.look(reader, "pre-screener, with verdicts")
    reader.route("**/*.js", lambda route: route.abort())
    for age, state in (("56", "filled"), ("forty", "refused")):
        reader.goto(path)
        reader.fill("#f-age", age)
        with reader.expect_navigation():
            reader.click("#go")
        walk.look(reader, "pre-screener, judged by the server", state)


def asking_a_hospital(walk: Any) -> None:
    """A real trial's page, and a question to one of its hospitals; no scene of a demonstration."""
    reader = walk.window("public")
    reader.goto("/trials/frexalimab-sc-iv/")
    walk.look(reader, "trial that is no demonstration")
    reader.goto("/me/contact/frexalimab-sc-iv/")
    walk.look(reader, "ask a hospital", "empty")
    send(reader, unchecked=True)
    walk.look(reader, "ask a hospital", "refused")
    reader.locator("main select[name=site]").select_option(index=1)
    send(reader, reach="+47 22 00 00 00")
    walk.look(reader, "ask a hospital, sent")


def every_type(walk: Any) -> None:
    """A form with every type of item, a table of rows and conditions."""
    nurse = walk.window("staff", NURSE)
    form = f"/{STUDY}/participants/{newcomer(nurse)}/log/every_type/1/"
    nurse.goto(form)
    nurse.wait_for_load_state("networkidle")
    walk.look(nurse, "form of every type", "empty")
    nurse.fill("[name='v.count']", "4")
    nurse.fill("[name='v.weight']", "heavy")
    nurse.keyboard.press("Control+s")
    nurse.wait_for_selector("#refused")
    walk.look(nurse, "form of every type", "refused")


SCENES: tuple[Callable[[Any], None], ...] = (
    consenting,
    amended,
    contacts,
    conflict,
    laboratory_file,
    blank,
    margins,
    at_doors,
    unbuilt,
    second_factor,
    invited,
    unblinded_at_night,
    for_the_committee,
    before_coming,
)
