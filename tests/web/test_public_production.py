"""A real trial on the public pages: status from its record, structured data, contact, no banner."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from trialwright.build import compile_study
from trialwright.foundation.operating_system import SystemClock, SystemEntropy
from trialwright.protocol import load_study
from trialwright.protocol.roles import Role
from trialwright.stores import open_store
from trialwright.trial.command import Actor, Signature
from trialwright.trial.dispatch import Trial
from trialwright.trial.setup.commands import ActivateSite, ApproveBuild, CreateStudy, OpenStudy, RecordStudyApproval
from trialwright.trial.setup.events import Approval
from trialwright_web.config.demo import environment

STUDY = "frexalimab-sc-iv"
TRIED = "ocrelizumab-sc"
SPONSOR = Actor("sponsor.1", Role.SPONSOR, "sponsor")
PAGE = f"/trials/{STUDY}/"
CONTACT = f"/me/contact/{STUDY}/"
REAL = {"TRIALWRIGHT_SECOND_FACTOR": "required"}


@pytest.fixture(scope="module")
def installation(tmp_path_factory, request):
    """An installation with one real study, opened, one of its sites active, and one that is tried out."""
    return real_installation(tmp_path_factory.mktemp("real"), request.config.rootpath / "studies")


def real_installation(folder, studies):
    """Make it in an empty folder; ``campaigns/axe.py`` looks at it, too."""
    (folder / "secret.key").write_text("s" * 60)
    (folder / "closed.toml").write_text("")
    (folder / "installation.toml").write_text(
        f'[studies.{STUDY}]\nfolder = "{studies / STUDY}"\nstore = "sqlite:///{STUDY}.db"\nmode = "production"\n'
        f'[studies.{TRIED}]\nfolder = "{studies / TRIED}"\nstore = "sqlite:///{TRIED}.db"\nmode = "test"\n'
    )
    build = compile_study(load_study(studies / STUDY))
    store = open_store(f"sqlite:///{folder}/{STUDY}.db")
    trial = Trial(
        STUDY,
        open_store=store,
        closed_store=store,
        builds={build.id: build},
        clock=SystemClock(),
        entropy=SystemEntropy(),
        mode="production",
    )
    ethics = Approval(kind="ethics", reference="1/2026", date="2026-01-05")
    site = build.study.identity.sites[0].id
    commands = [
        CreateStudy(build=build.id),
        ApproveBuild(build=build.id, evidence="e" * 64, summary="tested"),
        RecordStudyApproval(approval=ethics),
        OpenStudy(),
        ActivateSite(
            site=site,
            build=build.id,
            approvals=(ethics,),
            principal_investigator="investigator.1",
            organisation="hospital",
        ),
    ]
    for number, command in enumerate(commands):
        signs = command.PERMISSION.signs
        signature = Signature(SPONSOR.person, signs, build.id) if signs else None
        trial.dispatch(command, by=SPONSOR, request_id=f"real.{number}", signature=signature)
    store.close()
    for process in ("staff", "public"):
        own = {**os.environ, **environment(folder, process), **REAL}
        subprocess.run([sys.executable, "-m", "django", "prepare_databases"], check=True, env=own)
    return folder


@pytest.fixture(scope="module")
def public(serve):
    return serve("public", **REAL)


def test_the_status_and_sites_come_from_the_record(public):
    with public.client() as client:
        text = client.get(PAGE).text
    assert "from the record of the trial" in text
    assert text.count("takes participants") == 1
    assert "not open yet" in text
    assert "Demonstration." not in text
    assert "noindex" not in text


def test_machines_read_structured_data_and_the_sitemap(public):
    with public.client() as client:
        text = client.get(PAGE).text
        sitemap = client.get("/sitemap.xml").text
    data = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', text, re.S).group(1))
    assert data["@type"] == "MedicalTrial"
    assert data["status"] == "https://schema.org/Recruiting"
    locations = [element.text for element in ElementTree.fromstring(sitemap).iter() if element.tag.endswith("loc")]
    assert locations == [f"{public.address}{PAGE}"]


def test_beside_a_real_trial_a_demonstration_is_told_apart_wherever_it_is_listed(public):
    said = "Demonstration: not a real trial"
    with public.client() as client:
        for page in ("/", PAGE):
            found = client.get(page).text.split('<article class="trial-card"')[1:]
            cards = {card.split('href="')[1].split('"')[0]: card for card in found}
            assert said in cards[f"/trials/{TRIED}/"], page
            assert page != "/" or said not in cards[PAGE]
        own = client.get(f"/trials/{TRIED}/").text
        assert '<meta name="robots" content="noindex">' in own
        assert "Demonstration." in own
        assert client.get(f"/me/contact/{TRIED}/").status_code == 404


def test_the_language_of_the_address_goes_along_to_the_hospital_and_back(public):
    with public.client() as client:
        page = client.get(f"{PAGE}?lang=nb")
        assert f'href="{CONTACT}?lang=nb"' in page.text
        asking = client.get(f"{CONTACT}?lang=nb")
        assert 'lang="nb"' in asking.text
        assert f'href="{PAGE}?lang=nb"' in asking.text
        assert dict(client.cookies) == {}, "nobody is followed so far"
        door = client.get("/me/?lang=nb")
        assert door.url.path == "/me/enter"
        assert 'lang="nb"' in client.get("/me/enter").text, "from here on a cookie keeps it"


def test_somebody_asks_a_hospital_and_nothing_readable_is_stored(public, installation):
    with public.client() as client:
        form = client.get(CONTACT)
        assert CONTACT in client.get(PAGE).text
        site = re.search(r'<option value="(\d\d)">', form.text).group(1)
        missing = client.post(CONTACT, data={"site": "99"})
        assert missing.status_code == 422
        assert 'href="#reach"' in missing.text
        given = {"site": site, "name": "A. Reader", "reach": "+47 22 00 00 00", "message": "May I come?"}
        assert "get in touch" in client.post(CONTACT, data=given).text
        assert "get in touch" in client.post(CONTACT, data={**given, "website": "x"}).text
        assert not client.cookies
    database = sqlite3.connect(installation / "identity.db")
    assert database.execute("SELECT count(*), max(site) FROM participant_enquiry").fetchone() == (1, site)
    database.close()
    assert b"22 00 00" not in (installation / "identity.db").read_bytes()
    assert "22 00 00" not in (installation / "public.log").read_text()
