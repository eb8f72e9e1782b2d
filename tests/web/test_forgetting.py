"""Forgetting a person in the browser: one proposes, another agrees, the worker carries it out."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from trialwright.stores import open_store
from trialwright.trial.enrolment.views import DISPOSITION
from trialwright_web.config.demo import environment

STUDY = "smart-ms"
SECRET = "Plantet Navnesen"


@pytest.fixture(scope="module")
def installation(rehearsed, tmp_path_factory):
    """A copy whose texts are sealed from now on, as those of a production study are."""
    folder = tmp_path_factory.mktemp("installation") / "demo"
    shutil.copytree(rehearsed, folder)
    listed = folder / "installation.toml"
    listed.write_text(listed.read_text().replace('mode = "rehearsal"', 'mode = "rehearsal"\nseal_texts = true'))
    return folder


@pytest.fixture(scope="module")
def person(installation):
    """Somebody of site 01 who is in the trial."""
    with open_store(f"sqlite:///{installation}/{STUDY}.db") as store:
        return next(
            str(row["participant"])
            for row in store.rows.where(DISPOSITION, site="01")
            if row["randomised_on"] and not row["ended_on"]
        )


def at(person, part=""):
    return f"/{STUDY}/participants/{person}/{part}"


def works(installation):
    """Every worker does what waits; the staff's log."""
    said = ""
    for process in ("staff", "closed", "public"):
        own = {**os.environ, **environment(installation, process)}
        command = [sys.executable, "-m", "trialwright_web", "worker", "--once"]
        done = subprocess.run(command, env=own, capture_output=True, text=True, check=True)
        said += done.stderr
    assert " ERROR " not in said
    return said


def test_two_people_forget_a_name_that_was_typed(serve, installation, person, acts):
    staff = serve("staff")
    investigator = staff.client("investigator.01", f"{STUDY}:investigator@01")
    manager = staff.client("data_manager.1", f"{STUDY}:data_manager@")
    nurse = staff.client("study_nurse.01", f"{STUDY}:study_nurse@01")
    page = acts.send(investigator, at(person, "record-act/withdraw/"), scopes="visits", reason=f"said {SECRET}")
    assert page.status_code == 200
    assert SECRET in manager.get(at(person)).text

    assert at(person, "forget-person/") in investigator.get(at(person)).text
    assert at(person, "forget-person/") not in nurse.get(at(person)).text
    assert nurse.get(at(person, "forget-person/")).status_code == 403
    given = {"ground": "typed_by_mistake", "reason": "a name was typed as a reason"}
    refused = acts.send(investigator, at(person, "forget-person/"), **{**given, "ground": "never_enrolled"})
    assert acts.refusal(refused) == "erasure.ground_does_not_hold"
    assert "Another person must agree" in acts.send(investigator, at(person, "forget-person/"), **given).text
    again = investigator.get(at(person, "forget-person/")).text
    assert "You have proposed this" in again
    assert SECRET in manager.get(at(person)).text, "nothing is gone before two have agreed"

    page = manager.get(at(person, "forget-person/"))
    assert "investigator.01" in acts.words(page)
    assert "typed by mistake" in acts.words(page)
    done = acts.send(manager, at(person, "forget-person/"), reason="it was a name")
    assert "It is decided" in done.text
    assert f"{STUDY}: 1 forgotten" in works(installation)
    for client in (investigator, manager, nurse):
        assert SECRET not in client.get(at(person)).text
    for path in (*installation.glob("*.db"), *installation.glob("*.db-wal")):
        assert not path.exists() or SECRET.encode() not in path.read_bytes(), path
    assert "forgotten" not in works(installation), "once"
    assert SECRET not in (installation / "staff.log").read_text()
