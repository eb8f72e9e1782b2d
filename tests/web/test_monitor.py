"""The monitor's day, deviations, figures of sites; and the way to the lock on a trial whose last visit is over."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from trialwright.build import compile_study, to_verify
from trialwright.protocol import load_study
from trialwright.stores import open_store
from trialwright.trial.capture.views import ITEM
from trialwright.trial.closure.views import DEVIATION, MILESTONE
from trialwright.trial.queries.views import QUERY
from trialwright_web.config import demo

REPOSITORY = Path(__file__).resolve().parents[2]
STUDY = "smart-ms"


@pytest.fixture(scope="module")
def staff(serve: Callable[..., Any]) -> Any:
    return serve("staff")


@pytest.fixture
def monitor(staff: Any) -> httpx.Client:
    client: httpx.Client = staff.client("monitor.1", f"{STUDY}:monitor@")
    return client


def rows(installation: Path, table: Any, **equals: Any) -> list[dict[str, Any]]:
    with open_store(f"sqlite:///{installation / f'{STUDY}.db'}") as store:
        return list(store.rows.where(table, **equals))


def unverified(installation: Path) -> dict[str, Any]:
    """A value that waits for its verification, as the study wants it."""
    build = compile_study(load_study(REPOSITORY / "studies" / STUDY))
    for row in rows(installation, ITEM):
        place = (str(row["encounter"]), str(row["form"]), int(row["repeat"]))
        if (
            row["value"]
            and not row["verified"]
            and to_verify(build, str(row["participant"]), place, str(row["item"]))
        ):
            return row
    raise AssertionError("the rehearsal left nothing to verify")


def test_a_monitor_verifies_asks_and_settles(
    acts: Any, staff: Any, monitor: httpx.Client, installation: Path
) -> None:
    row = unverified(installation)
    participant, site = str(row["participant"]), str(row["participant"])[3:5]
    address = f"/{STUDY}/verification/{participant}/{row['encounter']}/{row['form']}/{row['repeat']}"
    page = monitor.get(address)
    assert f'value="{row["item"]}" data-wanted' in page.text
    form = page.text[page.text.index('class="verify"') :]
    typed = {
        name: re.search(rf'name="{name}" value="([^"]*)"', form)[1]  # type: ignore[index]
        for name in ("csrfmiddlewaretoken", "request_id")
    }
    done = monitor.post(address, data={**typed, "item": [row["item"]]}, headers={"Referer": str(page.url)})
    assert "1 value is verified." in acts.words(done)
    key = {name: row[name] for name in ("participant", "encounter", "form", "repeat", "item")}
    assert [one["verified"] for one in rows(installation, ITEM, **key)] == [1]
    nothing = monitor.post(address, data={**typed, "request_id": ""}, headers={"Referer": str(page.url)})
    assert acts.refusal(nothing) == "capture.nothing_there"

    asking = (
        f"/{STUDY}/queries/new?participant={participant}&encounter={row['encounter']}&form={row['form']}"
        f"&repeat={row['repeat']}&item={row['item']}"
    )
    asked = acts.send(monitor, asking, text="The source says otherwise. <b>Please</b> check.")
    assert "The site sees the question." in acts.words(asked)
    assert "&lt;b&gt;Please&lt;/b&gt;" in asked.text  # a question is text, never markup
    (query,) = rows(installation, QUERY, participant=participant, status="open")

    nurse = staff.client(f"study_nurse.{site}", f"{STUDY}:study_nurse@{site}")
    act = f"/{STUDY}/queries/{participant}/{query['query']}"
    assert acts.refusal(acts.send(nurse, f"{act}/answer", text="   ")) == "web.answer_missing"
    answered = acts.send(nurse, f"{act}/answer", text="The source was read again; it is right.")
    assert "The query is answered." in acts.words(answered)
    elsewhere = "02" if site != "02" else "03"
    other = staff.client(f"study_nurse.{elsewhere}", f"{STUDY}:study_nurse@{elsewhere}")
    assert other.get(f"{act}/answer").status_code == 404
    settled = acts.send(monitor, f"{act}/close")
    assert "The query is settled." in acts.words(settled)
    assert "The source was read again" in acts.words(
        monitor.get(f"/{STUDY}/queries", params={"status": "closed", "by": "people"})
    )
    assert acts.refusal(acts.send(monitor, f"{act}/close")) == "queries.not_in_that_state"


def test_participants_with_values_that_wait_stand_first(monitor: httpx.Client) -> None:
    page = monitor.get(f"/{STUDY}/verification").text
    lines = page.split(f'href="/{STUDY}/verification/')[1:]
    waiting = [int(re.findall(r'class="number">([0-9]+)<', line)[0]) for line in lines]
    assert 0 < sum(number > 0 for number in waiting) < len(waiting)
    assert all(waiting[: sum(number > 0 for number in waiting)])


def test_a_changed_value_waits_for_verification_again(monitor: httpx.Client, installation: Path) -> None:
    changed = next(row for row in rows(installation, ITEM) if row["changes"] and row["value"])
    place = f"{changed['participant']}/{changed['encounter']}/{changed['form']}/{changed['repeat']}"
    assert "changed" in monitor.get(f"/{STUDY}/verification/{place}").text


def test_deviations_are_reported_and_classified(
    acts: Any, staff: Any, monitor: httpx.Client, installation: Path
) -> None:
    nurse = staff.client("study_nurse.02", f"{STUDY}:study_nurse@02")
    reported = acts.send(nurse, f"/{STUDY}/deviations/new", participant="NO-02-003", kind="procedure",
                         about="blood was drawn after the meal", observed_at="2028-02-14T10:00")  # fmt: skip
    assert "The deviation is reported." in acts.words(reported)
    (row,) = rows(installation, DEVIATION, participant="NO-02-003", kind="procedure")
    assert nurse.get(f"/{STUDY}/deviations/NO-02-003/{row['deviation']}").status_code == 403
    judged = acts.send(monitor, f"/{STUDY}/deviations/NO-02-003/{row['deviation']}", important="no",
                       assessment="no effect on the outcome", action="retrained")  # fmt: skip
    assert "The deviation is classified." in acts.words(judged)
    ahead = acts.send(nurse, f"/{STUDY}/deviations/new", participant="NO-02-003", kind="other", about="x",
                      observed_at="2031-01-01T10:00")  # fmt: skip
    assert acts.refusal(ahead) == "trial.not_yet"
    assert 'value="2031-01-01T10:00"' in ahead.text


def test_a_serious_breach_has_a_clock_until_it_is_notified(acts: Any, staff: Any) -> None:
    sponsor = staff.client("sponsor.1", f"{STUDY}:sponsor@")
    recorded = acts.send(sponsor, f"/{STUDY}/breaches/new", what="A list of names was mailed.", site="01")
    assert "A list of names was mailed." in acts.words(recorded)
    address = re.search(rf'href="(/{STUDY}/breaches/[^"]+)"[^>]*>Record the notification', recorded.text)
    assert address
    told = acts.send(sponsor, address[1], reference="AUTH-17")
    assert "AUTH-17" in acts.words(told)


def test_sites_stand_side_by_side_for_the_sponsor_and_alone_for_a_site(acts: Any, staff: Any) -> None:
    sponsor = staff.client("sponsor.1", f"{STUDY}:sponsor@")
    everywhere = acts.words(sponsor.get(f"/{STUDY}/sites"))
    assert all(name in everywhere for name in ("Haukeland", "St. Olavs", "Akershus", "Nord-Norge"))
    nurse = staff.client("study_nurse.02", f"{STUDY}:study_nurse@02")
    own = acts.words(nurse.get(f"/{STUDY}/sites"))
    assert ("St. Olavs" in own, "Haukeland" in own) == (True, False)


def test_the_screening_log_says_why_people_were_not_included(acts: Any, monitor: httpx.Client) -> None:
    log = acts.words(monitor.get(f"/{STUDY}/screening-log"))
    assert "Why people were not included" in log
    assert log.count("not included") >= 5


def test_the_freeze_is_refused_with_what_is_missing(acts: Any, staff: Any) -> None:
    manager = staff.client("data_manager.1", f"{STUDY}:data_manager@")
    refused = acts.send(manager, f"/{STUDY}/closure/freeze")
    assert (refused.status_code, acts.refusal(refused)) == (409, "closure.not_ready")
    nurse = staff.client("study_nurse.02", f"{STUDY}:study_nurse@02")
    assert nurse.get(f"/{STUDY}/closure").status_code == 403


# --- the way to the lock -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory, server_on: Callable[..., Any]) -> Iterator[Callable[[str], Any]]:
    """Servers on a small trial on the eve of its freeze: visits over, everything settled, nothing frozen."""
    folder = tmp_path_factory.mktemp("ended") / "demo"
    first = tmp_path_factory.mktemp("whole")
    _rehearse(first)
    with open_store(f"sqlite:///{first / f'{STUDY}.db'}") as store:
        frozen = next(row for row in store.rows.where(MILESTONE) if row["what"] == "data_cut_made")
    eve = date.fromisoformat(str(frozen["at"])[:10]) - timedelta(days=1)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(demo, "_rehearse", lambda study, where: _rehearse(where, study.until))
        demo.prepare(folder, (demo.DemoStudy(REPOSITORY / "studies" / STUDY, eve.isoformat()),))
    servers: dict[str, Any] = {}

    def serve(process: str) -> Any:
        if process not in servers:
            servers[process] = server_on(folder, process)
        return servers[process]

    yield serve
    for server in servers.values():
        server.stop()
    shutil.rmtree(folder, ignore_errors=True)


def _rehearse(folder: Path, until: str | None = None) -> None:
    command = [sys.executable, "-m", "trialwright.cli", "rehearse", str(REPOSITORY / "studies" / STUDY)]
    command += ["--participants", "2", "--store", f"sqlite:///{folder}/{STUDY}.db", "--json"]
    command += ["--keys", str(folder / "keys" / STUDY), *(("--until", until) if until else ())]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert json.loads(done.stdout)


def tab_to(page: Any, what: str) -> None:
    """Press Tab until what a selector names has the focus."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("what => document.activeElement.matches(what)", what):
            return
    raise AssertionError(f"the keyboard does not reach {what}")


def act_by_keyboard(page: Any, act: str, says: str) -> None:
    """From the page of the closure: to an act, sign it, send it; no mouse, and the focus always to be seen."""
    tab_to(page, f'main a[href$="/closure/{act}"]')
    style = "getComputedStyle(document.activeElement)"
    assert page.evaluate(f"{style}.outlineStyle != 'none' || {style}.boxShadow != 'none'"), "the focus is seen"
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(f"/closure/{act}"))
    if page.locator("#sign-password").count():
        tab_to(page, "#sign-password")
        page.keyboard.type(demo.PASSWORD)
    tab_to(page, "main form button")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"text={says}")


def test_a_study_is_frozen_reviewed_locked_and_unblinded_by_two(
    acts: Any, ended: Callable[[str], Any], visit: Callable[..., Any]
) -> None:
    """The data manager freezes and locks by keyboard alone, in Chromium."""
    staff, closed = ended("staff"), ended("closed")
    manager = staff.client("data_manager.1")
    sponsor = staff.client("sponsor.1")
    at = f"/{STUDY}/closure"
    assert "The data cut is made." in acts.words(acts.send(manager, f"{at}/cut", cut="final"))
    browser = visit(staff, at, "data_manager.1")
    act_by_keyboard(browser, "freeze", "The data are frozen.")

    page = sponsor.get(f"{at}/review")
    people = re.findall(r'name="(in\.[^"]+)" value="yes" checked', page.text)
    assert len(people) == 2 * 3  # two participants, three populations
    ticked = dict.fromkeys(people[1:], "yes")
    unexplained = acts.send(sponsor, f"{at}/review", **ticked)
    assert acts.refusal(unexplained) == "closure.blind_review_incomplete"
    why = {people[0].replace("in.", "why.", 1): "an important deviation"}
    assert "The blind review is signed." in acts.words(acts.send(sponsor, f"{at}/review", **ticked, **why))
    browser.goto(at)
    act_by_keyboard(browser, "lock", "The study is locked.")

    statistician = closed.client("independent_statistician.1")
    early = acts.send(statistician, f"/{STUDY}/laboratory/unblinding/sign")
    assert acts.refusal(early) == "closure.plan_not_signed"
    plan, code = "a" * 64, "b" * 64
    assert "The plan is signed." in acts.words(acts.send(statistician, f"{at}/plan", version="1.0", plan=plan))
    assert "The programs are frozen." in acts.words(acts.send(statistician, f"{at}/code", code=code))
    alone = acts.send(statistician, f"/{STUDY}/laboratory/unblinding/sign")
    assert acts.refusal(alone) == "closure.second_person_missing"
    proposed = acts.send(sponsor, f"{at}/propose-unblinding")
    assert "The independent statistician can sign now." in acts.words(proposed)
    unblinded = acts.words(acts.send(statistician, f"/{STUDY}/laboratory/unblinding/sign"))
    assert "The study is unblinded." in unblinded
    assert unblinded.count("First treatment period:") == 2

    joined = acts.send(statistician, f"/{STUDY}/laboratory/allocations/join/final", reason="closed report",
                       participants=re.findall(r"NO-\d\d-\d{3}", unblinded), **{"as": "csv"})  # fmt: skip
    assert joined.text.splitlines()[0] == "participant,allocation"
    assert "The study is closed." in acts.words(acts.send(sponsor, f"{at}/close"))


def test_a_locked_study_is_opened_again_by_two_people_only(acts: Any, ended: Callable[[str], Any]) -> None:
    staff = ended("staff")
    sponsor, manager = staff.client("sponsor.1"), staff.client("data_manager.1")
    at = f"/{STUDY}/closure"
    assert "A second person can unlock now." in acts.words(
        acts.send(sponsor, f"{at}/propose-unlock", reason="a late laboratory result")
    )
    same = acts.send(sponsor, f"{at}/unlock", reason="a late laboratory result")
    assert acts.refusal(same) == "closure.second_person_missing"
    opened = acts.send(manager, f"{at}/unlock", reason="a late laboratory result")
    assert "The study is open again." in acts.words(opened)
