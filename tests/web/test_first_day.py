"""A study of one's own, from an empty installation to the first visit: whoever has to act is told so, and where."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from io import BytesIO
from os import environ
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from pypdf import PdfReader

from trialwright_web.config.demo import environment

PASSWORD = "rehearsal-only-2026"
STUDY = "walking"
SITE = ZoneInfo("Europe/Oslo")


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study that ``trialwright new`` makes, begun with its first sponsor and nothing else."""
    folder = tmp_path_factory.mktemp("first")
    subprocess.run(
        [sys.executable, "-m", "trialwright.cli", "new", str(folder / STUDY)], check=True, capture_output=True
    )
    (folder / "secret.key").write_text("s" * 60)
    (folder / "closed.toml").write_text("")
    (folder / "installation.toml").write_text(
        f'[studies.{STUDY}]\nfolder = "{folder / STUDY}"\nstore = "sqlite:///{STUDY}.db"\nmode = "test"\n'
    )
    manage(folder, "migrate")
    manage(folder, "begin", STUDY, "sponsor.one", "--organisation", "The hospital")
    return folder


def manage(folder: Path, *command: str) -> str:
    own = {**environ, **environment(folder, "staff")}
    done = subprocess.run(
        [sys.executable, "-m", "trialwright_web", *command], env=own, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def send(client: httpx.Client, path: str, **fields: str) -> httpx.Response:
    """Post the form of a page that has these fields, with its hidden ones."""
    forms = client.get(path).text.split("<form")
    form = next(one for one in forms if all(f'name="{name}"' in one for name in fields))
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
    return client.post(path, data={**hidden, **fields}, headers={"Referer": str(client.base_url)})


def text_of(pdf: bytes) -> str:
    found = PdfReader(BytesIO(pdf))
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in found.pages))


@pytest.fixture(scope="module")
def staff(serve: Callable[..., Any]) -> Any:
    return serve("staff")


@pytest.fixture(scope="module")
def sponsor(staff: Any, installation: Path) -> Iterator[httpx.Client]:
    link = re.search(r"/accounts/invitation/\S+", manage(installation, "invite", "sponsor.one"))
    assert link
    yield joined(staff, link[0])


def joined(staff: Any, link: str) -> httpx.Client:
    """Follow a link of invitation, choose a password, leave the second factor for another day."""
    client = staff.client()
    page = client.get(link)
    token = unescape(re.search(r'token" value="([^"]+)', page.text)[1])  # type: ignore[index]
    chosen = {"new_password1": PASSWORD, "new_password2": PASSWORD, "csrfmiddlewaretoken": token}
    client.post(link, data=chosen, headers={"Referer": str(page.url)})
    assert "trialwright_staff" in client.cookies
    return client


def invited(acts: Any, staff: Any, by: httpx.Client, person: str) -> httpx.Client:
    told = acts.send(by, f"/{STUDY}/people/invite/", person=person)
    link = re.search(r'id="invitation">([^<]+)<', told.text)
    assert link, told.text[:3000]
    return joined(staff, link[1])


def waiting(client: httpx.Client, acts: Any) -> str:
    """What the task list says, in one line."""
    page = client.get(f"/{STUDY}/")
    return re.sub(r"\s+", " ", acts.words(page))


def test_from_the_first_sponsor_to_the_first_visit(acts: Any, staff: Any, sponsor: httpx.Client) -> None:
    told = sponsor.get(f"/{STUDY}/").text
    assert "Look at the build and approve it" in told
    approval = re.search(rf'href="(/{STUDY}/setup/builds/[0-9a-f]{{64}}/)"', told)
    assert approval
    shown = acts.words(sponsor.get(approval[1]))
    for part in ("Blood pressure", "Week 12", "The other hospital", "Participants planned"):
        assert part in shown, "what is approved is shown"
    refused = acts.send(sponsor, approval[1], summary="Rehearsed", evidence="report 12")
    assert acts.refusal(refused) == "value.invalid"
    assert "report 12" in refused.text, "and it is still there to be mended"
    acts.send(sponsor, approval[1], summary="Rehearsed", evidence="AB" * 32)

    assert "Open the study" in waiting(sponsor, acts)
    acts.send(sponsor, f"/{STUDY}/setup/open/")
    assert re.search(
        "Activate a site · 01 Our hospital.*Activate a site · 02 The other hospital", waiting(sponsor, acts)
    )
    approved = {"kind": "ethics", "reference": "1/2026", "approved": "t"}
    activate = f"/{STUDY}/setup/sites/01/activate/"
    build = re.search(r'<option value="([0-9a-f]{64})"', sponsor.get(activate).text)
    assert build
    acts.send(sponsor, activate, build=build[1], investigator="doctor.one", organisation="Our hospital", **approved)
    assert "01 Our hospital" not in waiting(sponsor, acts).split("Week")[0]

    appointed = {"person": "statistician.one", "role": "independent_statistician", "organisation": "The university"}
    acts.send(sponsor, f"/{STUDY}/people/appoint/", **appointed)
    statistician = invited(acts, staff, sponsor, "statistician.one")
    assert "Seal an allocation list" in waiting(statistician, acts).split("Menu")[-1]

    doctor = invited(acts, staff, sponsor, "doctor.one")
    acts.send(doctor, f"/{STUDY}/new-participant/")
    assert re.search("To be asked for consent 1 NO-01-001", waiting(doctor, acts))
    yesterday = (datetime.now(UTC).astimezone(SITE) - timedelta(days=1)).date()
    consents = f"/{STUDY}/consents/NO-01-001"
    page = send(doctor, f"{consents}/paper", language="en", day=f"{yesterday:%d.%m.%Y}", time="2350")
    signed_at = f"{yesterday.day} {yesterday:%B %Y} 23:50"
    assert f"{signed_at}," in page.text, "when it was signed and not when it was entered, by the site's clock"
    send(doctor, f"{consents}/countersign", identity_check="photo_document", password=PASSWORD)
    printed = re.search(rf'href="({consents}/copy-[0-9]+.pdf)"', doctor.get(f"/{STUDY}/consents/").text)
    assert printed
    assert signed_at in text_of(doctor.get(printed[1]).content)

    told = waiting(doctor, acts)
    assert "Visits due 1 NO-01-001 Screening" in told
    assert "Eligibility to assess" not in told, "there is nothing to assess yet"
    send(doctor, f"/{STUDY}/participants/NO-01-001/screening/", date="t")
    assert "Eligibility to assess 1 NO-01-001" in waiting(doctor, acts)


def test_nothing_is_offered_that_the_study_does_not_have(sponsor: httpx.Client, staff: Any) -> None:
    """No product is made here, and nobody is blinded."""
    menu = sponsor.get(f"/{STUDY}/").text
    assert "Injections" not in menu
    assert "Downloads" in menu
