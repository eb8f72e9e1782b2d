"""The sponsor and principal investigators invite who never signed in; nobody comes into an account that signs."""

from __future__ import annotations

import re

STUDY = "smart-ms"
PAGE = f"/{STUDY}/people/invite/"
PASSWORD = "rehearsal-only-2026"


def test_somebody_new_is_appointed_invited_and_chooses_a_password(acts, serve):
    staff = serve("staff")
    sponsor = staff.client("sponsor.1")
    known = sponsor.get(PAGE).text
    assert "Everybody on record has an account." in known
    appointed = acts.send(
        sponsor, f"/{STUDY}/people/appoint/", person="monitor.9", role="monitor", organisation="Sponsor"
    )
    assert "Appointed." in appointed.text
    form = {
        "person": "monitor.9",
        "csrfmiddlewaretoken": re.search(r'token" value="([^"]+)', sponsor.get(PAGE).text)[1],
    }
    refused = sponsor.post(PAGE, data={**form, "password": "wrong"})
    assert (refused.status_code, acts.refusal(refused)) == (409, "web.signature_refused")
    told = sponsor.post(PAGE, data={**form, "password": PASSWORD})
    link = re.search(r'id="invitation">([^<]+)<', told.text)[1]
    assert link.startswith(f"{staff.address}/accounts/invitation/")
    new = staff.client()
    page = new.get(link)
    assert "monitor.9" in page.text
    chosen = {"new_password1": "a long one of my own", "new_password2": "a long one of my own"}
    token = re.search(r'token" value="([^"]+)', page.text)[1]
    new.post(link, data={**chosen, "csrfmiddlewaretoken": token}, headers={"Referer": link})
    assert "trialwright_staff" in new.cookies
    # Who signed in once is invited again by nobody here.
    again = sponsor.post(PAGE, data={**form, "password": PASSWORD})
    assert (again.status_code, acts.refusal(again)) == (422, "web.answer_missing")


def test_an_account_that_signs_is_out_of_reach_and_so_are_other_roles(acts, serve):
    staff = serve("staff")
    sponsor = staff.client("sponsor.1")
    token = re.search(r'token" value="([^"]+)', sponsor.get("/").text)[1]
    taken = sponsor.post(
        PAGE, data={"person": "investigator.01", "password": PASSWORD, "csrfmiddlewaretoken": token},
        headers={"Referer": f"{staff.address}{PAGE}"},
    )  # fmt: skip
    assert acts.refusal(taken) == "web.answer_missing"
    assert staff.client("study_nurse.01", f"{STUDY}:study_nurse@01").get(PAGE).status_code == 403
