"""An open-label study from the site's look at a treatment to its allocations on record, all in the staff process."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from trialwright.stores import open_store
from trialwright.trial.allocation.views import LOOK
from trialwright.trial.closure.views import ALLOCATION
from trialwright.trial.setup.views import PERSON
from trialwright_web.config.demo import DemoStudy, prepare
from trialwright_web.store.installation import Installation, InstallationInvalid, read_installation

STUDIES = Path(__file__).resolve().parents[2] / "studies"
STUDY = "frexalimab-sc-iv"
TIDY = "2027-09-16"
"""The day of the freeze in this rehearsal: everything is entered, signed and settled. It follows from the seed."""
PARTICIPANT, ELSEWHERE, NEVER = "BE-01-001", "ES-03-001", "BE-01-003"
ARMS = ("Frexalimab under the skin", "Frexalimab into a vein")


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six randomised, everybody through, nothing left open: what follows is done here."""
    folder = tmp_path_factory.mktemp("open") / "demo"
    prepare(folder, (DemoStudy(STUDIES / STUDY, TIDY, participants=6, loose_ends=False),))
    return folder


@pytest.fixture(scope="module")
def staff(serve: Callable[..., Any]) -> Any:
    return serve("staff")


@pytest.fixture(scope="module")
def nurse(staff: Any) -> httpx.Client:
    return staff.client("study_nurse.01", f"{STUDY}:study_nurse@01")


def treatment(participant: str = PARTICIPANT) -> str:
    return f"/{STUDY}/randomise/{participant}/treatment/"


def rows(installation: Path, table: Any, **where: Any) -> list[Any]:
    with open_store(f"sqlite:///{installation}/{STUDY}.db") as store:
        return list(store.rows.where(table, **where))


def test_the_site_sees_the_treatment_after_its_look_is_recorded(
    nurse: httpx.Client, acts: Any, installation: Path
) -> None:
    for page in (f"/{STUDY}/participants/{PARTICIPANT}/", f"/{STUDY}/randomise/{PARTICIPANT}/"):
        told = nurse.get(page).text
        assert f'href="{treatment()}"' in told
        assert not any(arm in told for arm in ARMS)
    before = len(rows(installation, LOOK, participant=PARTICIPANT))
    asked = nurse.get(treatment())
    assert not any(arm in asked.text for arm in ARMS)
    sent = {name: acts.hidden(asked, name) for name in ("csrfmiddlewaretoken", "request_id", "shown")}
    shown = nurse.post(treatment(), data=sent, headers={"Referer": str(asked.url)})
    assert sum(arm in shown.text for arm in ARMS) == 1
    assert shown.headers["Cache-Control"] == "no-store"
    looks = rows(installation, LOOK, participant=PARTICIPANT)
    assert len(looks) == before + 1
    assert {look["actor"] for look in looks} >= {"study_nurse.01"}
    again = nurse.post(treatment(), data=sent, headers={"Referer": str(asked.url)})
    assert again.status_code == 409
    assert not any(arm in again.text for arm in ARMS)
    assert len(rows(installation, LOOK, participant=PARTICIPANT)) == before + 1


def test_everybody_at_the_site_sees_the_same_treatment(staff: Any, nurse: httpx.Client, acts: Any) -> None:
    pharmacist = staff.client("pharmacist.01", f"{STUDY}:pharmacist@01")
    first, second = (acts.send(client, treatment()).text for client in (nurse, pharmacist))
    assert [arm for arm in ARMS if arm in first] == [arm for arm in ARMS if arm in second] != []


def test_no_treatment_is_shown_to_others_or_of_somebody_never_randomised(staff: Any, nurse: httpx.Client) -> None:
    assert nurse.get(treatment(ELSEWHERE)).status_code == 404
    assert nurse.get(treatment(NEVER)).status_code == 404
    for role in ("blinded_rater.01", "monitor.1", "sponsor.1"):
        name, _, site = role.partition(".")
        client = staff.client(role, f"{STUDY}:{name}@{site if name == 'blinded_rater' else ''}")
        assert client.get(treatment()).status_code == 403, role


def test_two_people_put_the_allocations_of_an_open_study_on_record(staff: Any, acts: Any, installation: Path) -> None:
    manager = staff.client("data_manager.1", f"{STUDY}:data_manager@")
    sponsor = staff.client("sponsor.1", f"{STUDY}:sponsor@")
    statistician = staff.client("independent_statistician.1", f"{STUDY}:independent_statistician@")

    def done(client: httpx.Client, act: str, **fields: str) -> None:
        page = acts.send(client, f"/{STUDY}/{act}", **fields)
        assert page.status_code == 200 and not acts.refusal(page), (act, acts.words(page)[:800])

    done(manager, "closure/freeze")
    everybody = re.findall(r'name="(in\.[^"]+)"', sponsor.get(f"/{STUDY}/closure/review").text)
    done(sponsor, "closure/review", **dict.fromkeys(everybody, "yes"))
    done(statistician, "closure/plan", version="1.0", plan="a" * 64)
    done(statistician, "closure/code", code="b" * 64)
    done(sponsor, "closure/lock")
    before = statistician.get(f"/{STUDY}/laboratory/unblinding").text
    assert "This study is open" in before
    assert "Put the allocations on record" not in before
    alone = acts.send(statistician, f"/{STUDY}/laboratory/unblinding/sign")
    assert alone.status_code == 409
    assert rows(installation, ALLOCATION) == []
    done(sponsor, "closure/propose-unblinding")
    assert "Put the allocations on record" in statistician.get(f"/{STUDY}/laboratory/unblinding").text
    done(statistician, "laboratory/unblinding/sign")
    listed = acts.words(statistician.get(f"/{STUDY}/laboratory/unblinding"))
    disclosed = rows(installation, ALLOCATION)
    assert len(disclosed) == 6
    assert all(str(row["participant"]) in listed for row in disclosed)
    assert sum(listed.count(arm) for arm in ARMS) == 6
    done(sponsor, "closure/close")


def test_nobody_is_told_of_unblinding_where_nothing_is_blinded(staff: Any) -> None:
    """The menu of every role, and the pages that put the allocations on record."""
    every = {str(row["role"]): row for row in rows(staff.folder, PERSON)}
    assert len(every) >= 12
    for role, row in every.items():
        client = staff.client(str(row["person"]), f"{STUDY}:{role}@{row['site']}")
        menu = re.findall(r'href="[^"]+"[^>]*>(.*?)</a>', client.get(f"/{STUDY}/").text, re.DOTALL)
        assert menu and not [line for line in menu if "nblinding" in line or "Laboratory" in line], role
        if role in ("independent_statistician", "sponsor"):
            way = {"sponsor": "closure", "independent_statistician": "laboratory/unblinding"}[role]
            page = client.get(f"/{STUDY}/{way}")
            assert page.status_code == 200 and "nblind" not in re.sub(r'"[^"]*"', "", page.text)


def test_the_statistician_reads_commitments_and_looks_there(staff: Any) -> None:
    statistician = staff.client("independent_statistician.1", f"{STUDY}:independent_statistician@")
    page = statistician.get(f"/{STUDY}/laboratory/allocations").text
    assert "study_nurse.01" in page
    assert "Emergency envelopes" not in page
    assert statistician.get(f"/{STUDY}/laboratory/list").status_code == 200


def test_the_key_of_a_blinded_study_is_not_taken_without_its_closed_space(tmp_path: Path) -> None:
    blinded = "ocrelizumab-sc"
    installed, dispensing = tmp_path / "installation.toml", tmp_path / "dispensing.toml"
    folder, store = STUDIES / blinded, "sqlite:///blinded.db"
    installed.write_text(f'[studies.{blinded}]\nfolder = "{folder}"\nstore = "{store}"\nmode = "test"\n')
    dispensing.write_text(f'[studies.{blinded}]\ndispensing_key = "any.key"\n')
    with pytest.raises(InstallationInvalid, match="which is blinded"):
        Installation(read_installation(installed, None, dispensing)).trial(blinded)
