"""How long the matrix of 300 participants × 30 visits takes: the library's reading, and the page over HTTP.

``python benchmarks/matrix_page.py INSTALLATION`` with a folder that ``python -m trialwright_web.config.demo FOLDER
--prepare`` made; works on a copy. Rows are written straight into the views, so that no trial has to be lived first.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import httpx
import psutil

from trialwright.build import Build, compile_study
from trialwright.protocol import load_study
from trialwright.protocol.roles import Role
from trialwright.stores import open_store
from trialwright.trial.capture.views import FORM, VISIT
from trialwright.trial.enrolment.views import DISPOSITION
from trialwright.trial.queries.views import QUERY
from trialwright.trial.setup.views import SITE
from trialwright.trial.tasks import matrix, tasks
from trialwright_web.config.demo import PASSWORD, environment

STUDY, PEOPLE, VISITS, TIMES = "smart-ms", 300, 30, 7
TODAY = date(2028, 2, 15)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("installation", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "installation"
        shutil.copytree(given.installation, folder)
        build = _longer_study(folder)
        _fill(folder, build)
        _library(folder, build)
        _pages(folder)


def _longer_study(folder: Path) -> Build:
    """The study with as many visits as the target names."""
    listed = (folder / "installation.toml").read_text(encoding="utf-8")
    source = Path(re.search(rf'\[studies\.{STUDY}\]\nfolder = "([^"]+)"', listed)[1])
    study = folder / STUDY
    shutil.copytree(source, study)
    schedule = study / "schedule.yaml"
    text = schedule.read_text(encoding="utf-8")
    have = len(re.findall(r"^  - id: ", text.partition("\nunscheduled_forms")[0], re.MULTILINE))
    extra = "".join(
        f"  - id: extra_{number}\n    label: {{en: Telephone call {number}, nb: Telefon {number}}}\n"
        f"    epoch: follow_up\n    anchor: screening\n    offset: {{weeks: {60 + number}}}\n"
        f"    window: {{before: 3, after: 3}}\n    forms: [fatigue_pain]\n"
        for number in range(1, VISITS - have + 1)
    )
    schedule.write_text(text.replace("\nunscheduled_forms", f"\n{extra}\nunscheduled_forms", 1), encoding="utf-8")
    (folder / "installation.toml").write_text(listed.replace(str(source), str(study)), encoding="utf-8")
    build = compile_study(load_study(study))
    assert len(build.study.encounters) == VISITS, len(build.study.encounters)
    return build


def _fill(folder: Path, build: Build) -> None:
    with (
        open_store(f"sqlite:///{folder}/{STUDY}.db") as store,
        store.ledger(f"{STUDY}/open").transaction() as writing,
    ):
        rows = writing.rows
        site = rows.get(SITE, ("01",))
        rows.put(SITE, {**site, "build": build.id, "consent_builds": build.id})
        for table in (DISPOSITION, VISIT, FORM, QUERY):
            rows.clear([table])
        for number in range(PEOPLE):
            _participant(rows, build, f"NO-01-{number:03d}", number)


def _participant(rows, build: Build, code: str, number: int) -> None:
    """Somebody who came to some of the visits; every third has a question to answer."""
    day = (TODAY - timedelta(days=30 * (number % VISITS))).isoformat()
    person = {"participant": code, "site": "01", "status": "randomised", "screened_on": day}
    rows.put(DISPOSITION, {**person, "consented_on": day, "randomised_on": day})
    for place, encounter in enumerate(list(build.study.encounters.values())[: 1 + number % VISITS]):
        held = (date.fromisoformat(day) + timedelta(days=20 * place)).isoformat()
        visit = {"participant": code, "encounter": encounter.id, "date": held, "status": "held", "build": build.id}
        rows.put(VISIT, {**visit, "unscheduled": 0, "days_out": 0})
        for form in encounter.forms:
            key = {"participant": code, "encounter": encounter.id, "form": form, "repeat": 1}
            standing = {"status": "saved", "saves": 1, "complete": 1, "signed": (number + place) % 2}
            rows.put(FORM, {**key, **standing, "last_saved_at": "2028-01-01T10:00:00Z"})
    if number % 3 == 0:
        asked = {"encounter": "screening", "form": "edss", "repeat": 1, "item": "rater_score", "status": "open"}
        rows.put(QUERY, {"participant": code, "query": "q", **asked, "opened_at": "2028-01-05T00:00:00Z"})


def _library(folder: Path, build: Build) -> None:
    with open_store(f"sqlite:///{folder}/{STUDY}.db") as store:
        builds = {build.id: build}
        _say("library, matrix", lambda: matrix(store.rows, builds, TODAY, site="01"), psutil.Process())
        nurse = Role.STUDY_NURSE
        _say("library, tasks", lambda: tasks(store.rows, builds, TODAY, site="01", role=nurse), psutil.Process())


def _pages(folder: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://localhost:{port}"
    own = {**os.environ, **environment(folder, "staff"), "TRIALWRIGHT_STAFF_ADDRESS": address}
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)),
        *("--workers", "1", "--blocking-threads", "1", "--no-ws", "--log-level", "warning"),
        "trialwright_web.config.wsgi:application",
    ]
    running = subprocess.Popen(command, env=own)
    try:
        for _ in range(240):
            with suppress(httpx.TransportError):
                if httpx.get(f"{address}/health").status_code == 200:
                    break
            time.sleep(0.25)
        with httpx.Client(base_url=address, follow_redirects=True, timeout=60) as client:
            _sign_in(client, address)
            for path in (f"/{STUDY}/participants/", f"/{STUDY}/", f"/{STUDY}/calendar/"):
                answer = client.get(path)
                assert answer.status_code == 200, answer.text[:500]
                _say(
                    f"page {path} ({len(answer.content) // 1024} KiB)",
                    partial(client.get, path),
                    psutil.Process(running.pid),
                )
    finally:
        running.terminate()
        running.wait()


def _sign_in(client: httpx.Client, address: str) -> None:
    token = client.get("/accounts/login/").text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    form = {"login": "study_nurse.01", "password": PASSWORD, "csrfmiddlewaretoken": token}
    client.post("/accounts/login/", data=form, headers={"Referer": address})


def _say(what: str, do: Callable[[], object], process: psutil.Process) -> None:
    """Time passed, and time the processor worked: on a busy machine only the second says something."""
    do()
    times, worked = [], []
    for _ in range(TIMES):
        before, began = _worked(process), time.perf_counter()
        do()
        times.append(time.perf_counter() - began)
        worked.append(_worked(process) - before)
    passed = f"median {statistics.median(times):.3f} s, longest {max(times):.3f} s"
    print(f"{what:<44} {passed}, processor {statistics.median(worked):.3f} s", flush=True)


def _worked(process: psutil.Process) -> float:
    """Seconds that the process and its children worked."""
    return sum(sum(one.cpu_times()[:2]) for one in (process, *process.children(recursive=True)))


if __name__ == "__main__":
    main()
