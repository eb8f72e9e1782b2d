"""The safety day: reports with clocks, judgements, coding, submissions; suspected reactions are unblinded apart."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from trialwright.stores import open_store
from trialwright.trial.allocation.views import LOOK
from trialwright.trial.safety.views import ADVERSE_EVENT, CLOCK, EXPEDITED

STUDY = "smart-ms"
ARMS = ("mesenchymal stem cells", "Saline")
SERIOUS = {
    "participant": "NO-04-003", "term": "Meningitis", "onset": "12.02.2028", "grade": "4",
    "seriousness": ["life_threatening", "hospitalisation"], "outcome": "not_recovered", "action": "hospital",
    "relation.product": "probable", "relation.aspiration": "unlikely", "relation.injection": "possible",
    "observed_at": "2028-02-14T09:00",
}  # fmt: skip


@pytest.fixture(scope="module")
def staff(serve: Callable[..., Any]) -> Any:
    return serve("staff")


@pytest.fixture(scope="module")
def closed(serve: Callable[..., Any]) -> Any:
    return serve("closed")


@pytest.fixture
def investigator(staff: Any) -> httpx.Client:
    client: httpx.Client = staff.client("investigator.04", f"{STUDY}:investigator@04")
    return client


@pytest.fixture
def assessor(staff: Any) -> httpx.Client:
    client: httpx.Client = staff.client("medical_monitor.1", f"{STUDY}:medical_monitor@")
    return client


def rows(installation: Path, space: str, table: Any, **equals: Any) -> list[dict[str, Any]]:
    name = f"{STUDY}.closed.db" if space == "closed" else f"{STUDY}.db"
    with open_store(f"sqlite:///{installation / name}") as store:
        return list(store.rows.where(table, **equals))


def test_a_serious_reaction_is_reported_judged_blind_submitted_and_unblinded_apart(
    acts: Any, staff: Any, closed: Any, installation: Path, investigator: httpx.Client, assessor: httpx.Client
) -> None:
    reported = acts.send(investigator, f"/{STUDY}/safety/new", **SERIOUS)
    event = reported.url.path
    assert re.fullmatch(rf"/{STUDY}/safety/NO-04-003/ae_\d+", event)
    assert "within 24 hours" in acts.words(reported)
    board = acts.words(assessor.get(f"/{STUDY}/safety"))
    assert "Meningitis serious special interest not coded" in board

    aware = acts.send(assessor, f"{event}/aware")
    assert "The sponsor's awareness is recorded." in acts.words(aware)
    downgraded = acts.send(assessor, f"{event}/seriousness", seriousness=["hospitalisation"])
    assert acts.refusal(downgraded) == "safety.downgrade_refused"
    listed = acts.send(assessor, f"{event}/expectedness", agent="product", expected="yes")
    assert acts.refusal(listed) == "safety.not_in_reference"
    acts.send(assessor, f"{event}/causality", agent="product", relation="possible")
    judged = acts.send(assessor, f"{event}/expectedness", agent="product", expected="no")
    assert "unexpected" in acts.words(judged)
    assert "The safety officer reports it in the closed process." in acts.words(judged)

    # In the staff process nothing of the unblinding exists; in the closed one it is done for this one case.
    assert assessor.get(f"{event}/unblind").status_code == 403
    officer = closed.client("safety_officer.1", f"{STUDY}:safety_officer@")
    shown = acts.send(officer, f"{event}/unblind", reason="expedited report")
    assert any(arm in shown.text for arm in ARMS)
    participant, name = event.split("/")[-2:]
    assert rows(installation, "closed", LOOK, participant=participant, purpose="susar")[-1]["about"] == name
    sent = acts.send(officer, f"{event}/expedited", clock="susar_fatal", outcome="submitted", reference="EV-1")
    assert "in the closed space only" in acts.words(sent)
    (report,) = rows(installation, "closed", EXPEDITED, participant=participant, clock="susar_fatal")
    assert (report["reference"], report["late"]) == ("EV-1", 0)
    after = assessor.get(event)
    assert ("EV-1" in after.text, any(arm in acts.words(after) for arm in ARMS)) == (False, False)


def test_an_event_that_becomes_fatal_starts_the_shorter_clock(
    acts: Any, installation: Path, investigator: httpx.Client, assessor: httpx.Client
) -> None:
    report = {**SERIOUS, "term": "Sepsis", "grade": "3", "seriousness": ["hospitalisation"]}
    event = acts.send(investigator, f"/{STUDY}/safety/new", **report).url.path
    acts.send(assessor, f"{event}/aware")
    key = dict(zip(("participant", "adverse_event"), event.split("/")[-2:], strict=True))
    assert {row["clock"] for row in rows(installation, "open", CLOCK, **key)} == {"serious_to_sponsor", "susar"}
    half = acts.send(investigator, f"{event}/follow-up", term="Sepsis", onset="t", grade="5", outcome="recovering",
                     action="hospital", seriousness=["hospitalisation"], reason="died in the night")  # fmt: skip
    assert acts.refusal(half) == "safety.contradiction"
    assert "died in the night" in half.text  # nothing typed is lost
    fatal = acts.send(investigator, f"{event}/follow-up", term="Sepsis", onset="12.02.2028", grade="5",
                      outcome="fatal", action="hospital", seriousness=["death", "hospitalisation"],
                      reason="died in the night")  # fmt: skip
    assert "The follow-up is recorded." in acts.words(fatal)
    acts.send(assessor, f"{event}/aware")
    assert "susar_fatal" in {row["clock"] for row in rows(installation, "open", CLOCK, **key)}


def test_a_nurse_reports_without_judging_and_dates_are_typed_as_people_type(
    acts: Any, staff: Any, installation: Path
) -> None:
    nurse = staff.client("study_nurse.04", f"{STUDY}:study_nurse@04")
    page = nurse.get(f"/{STUDY}/safety/new")
    assert "relation." not in page.text
    fields = {"participant": "NO-04-003", "term": "fever", "grade": "1", "outcome": "recovered", "action": "none"}
    for typed, meant in (("100228", "2028-02-10"), ("UN.01.2028", "2028-01"), ("t", "2028-02-15")):
        done = acts.send(nurse, f"/{STUDY}/safety/new", **fields, onset=typed)
        key = dict(zip(("participant", "adverse_event"), done.url.path.split("/")[-2:], strict=True))
        (row,) = rows(installation, "open", ADVERSE_EVENT, **key)
        assert row["onset"] == meant
    wrong = acts.send(nurse, f"/{STUDY}/safety/new", **fields, onset="31.02.2028")
    assert (acts.refusal(wrong), 'value="31.02.2028"' in wrong.text) == ("value.invalid", True)
    other = staff.client("study_nurse.01", f"{STUDY}:study_nurse@01")
    assert other.get(done.url.path).status_code == 404


def test_a_term_is_found_and_coded_without_a_script(acts: Any, assessor: httpx.Client, installation: Path) -> None:
    (event,) = rows(installation, "open", ADVERSE_EVENT, participant="NO-03-001", adverse_event="ae_2")
    assert event["coded_term"] is None
    address = f"/{STUDY}/safety/NO-03-001/ae_2/code"
    assert "No term found" in acts.words(assessor.get(address))
    found = assessor.get(address, params={"q": "pharyng"})
    assert "nasopharyngitis" in acts.words(found)
    code = re.search(r'name="chosen" value="(T\d+)"', found.text)
    assert code
    coded = acts.send(assessor, f"{address}?q=pharyng", chosen=code[1])
    assert "nasopharyngitis" in acts.words(coded)
    nothing = acts.send(assessor, f"{address}?q=pharyng", chosen="T9999")
    assert acts.refusal(nothing) == "safety.term_not_chosen"


def test_a_site_sees_its_own_events_only(staff: Any, investigator: httpx.Client) -> None:
    board = investigator.get(f"/{STUDY}/safety", params={"show": "all"})
    assert set(re.findall(r"NO-(\d\d)-\d{3}", board.text)) == {"04"}
    assert investigator.get(f"/{STUDY}/safety/NO-01-002/ae_1").status_code == 404


def test_the_follow_up_of_a_serious_event_that_is_not_over_ends_with_a_reason_and_of_others_without(
    acts: Any, staff: Any, installation: Path
) -> None:
    investigator = staff.client("investigator.01", f"{STUDY}:investigator@01")
    unsettled = f"/{STUDY}/safety/NO-01-005/ae_4/close"
    assert acts.refusal(acts.send(investigator, unsettled)) == "web.answer_missing"
    done = acts.send(investigator, unsettled, reason="followed by her own doctor")
    assert "The follow-up is finished." in done.text
    (row,) = rows(installation, "open", ADVERSE_EVENT, participant="NO-01-005", adverse_event="ae_4")
    assert row["closed_at"] is not None
    settled = f"/{STUDY}/safety/NO-01-005/ae_3/close"
    assert 'name="reason"' not in investigator.get(settled).text
    assert "The follow-up is finished." in acts.send(investigator, settled).text
