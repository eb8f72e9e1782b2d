"""A diary that participants keep beside the visits: a form of the log that is marked as theirs, entry after entry."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from trialwright.stores import open_store
from trialwright.trial.capture.views import FORM, ITEM
from trialwright.trial.enrolment.views import DISPOSITION
from trialwright_web.config.demo import PASSWORD, environment

UNTIL = "2026-03-01"
DAILY = """id: daily
title: {en: How was today?, nb: Hvordan var dagen?}
kind: questionnaire
filled_by: [participant]
participant_reported: true
repeats: true
sdtm: {fixed: {QSCAT: DAILY DIARY}}
groups:
  - id: today
    items:
      - id: mood
        label: {en: "How was today? (0 bad, 10 good)"}
        type: scale
        range: {low: "0", high: "10"}
        possible: {low: "0", high: "10"}
        sdtm: {test: MOOD, name: Mood 0-10}
"""


def run(*command, **settings):
    done = subprocess.run(
        [sys.executable, "-m", *command], env={**os.environ, **settings}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


@pytest.fixture(scope="module")
def public(tmp_path_factory, server_on):
    """The public process on a short rehearsed trial of the template's study, with a diary added."""
    folder = tmp_path_factory.mktemp("diary")
    run("trialwright.cli", "new", str(folder / "first"))
    (folder / "first" / "forms" / "daily.yaml").write_text(DAILY, encoding="utf-8")
    schedule = folder / "first" / "schedule.yaml"
    text = schedule.read_text(encoding="utf-8")
    assert "log_forms: [medication]" in text
    schedule.write_text(text.replace("log_forms: [medication]", "log_forms: [medication, daily]"), encoding="utf-8")
    store = f"sqlite:///{folder}/first.db"
    rehearse = ("rehearse", str(folder / "first"), "--participants", "4", "--seed", "1", "--until", UNTIL)
    run("trialwright.cli", *rehearse, "--store", store, "--json")
    (folder / "secret.key").write_text("for the tests alone " * 4)
    (folder / "installation.toml").write_text(
        f'[studies.first]\nfolder = "first"\nstore = "sqlite:///first.db"\nmode = "rehearsal"\n'
        f"began = {UNTIL}T07:00:00Z\n"
    )
    settings = environment(folder, "public")
    run("django", "prepare_databases", **settings)
    run("django", "make_rehearsal_participants", PASSWORD, "first", **settings)
    server = server_on(folder, "public")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def people(public):
    """Participant by status."""
    with open_store(f"sqlite:///{public.folder}/first.db") as store:
        return {str(row["status"]): str(row["participant"]) for row in store.rows.where(DISPOSITION)}


def came_in(public, code):
    client = public.client()
    page = client.get("/me/enter")
    sent(client, page, number=code, secret=PASSWORD)
    return client


def sent(client, page, **typed):
    main = page.text.split("<main")[1]
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', main))
    return client.post(str(page.url), data={**hidden, **typed}, headers={"Referer": str(client.base_url)})


def test_a_diary_is_written_entry_after_entry(public, people):
    code = people["randomised"]
    client = came_in(public, code)
    for answer in ("3", "8"):
        home = client.get("/me/")
        assert "Diary: write today" in home.text
        page = client.get(re.search(r'href="(/me/questionnaires/log/daily/1)"', home.text)[1])
        page = sent(client, page, answer=answer)
        assert page.url.path == "/me/questionnaires/log/daily/check", page.text[-1500:]
        done = sent(client, page)
        assert "Thank you" in done.text
        assert sent(client, page).status_code == 200, "pressed twice"
    assert done.text.count("<li>How was today? · Diary") == 2
    with open_store(f"sqlite:///{public.folder}/first.db") as store:
        rows = [row for row in store.rows.where(FORM, participant=code) if row["form"] == "daily"]
        values = {row["repeat"]: row["value"] for row in store.rows.where(ITEM, participant=code, form="daily")}
    assert [(row["encounter"], row["repeat"], row["last_saved_by"]) for row in rows] == [
        ("log", 1, code), ("log", 2, code),
    ]  # fmt: skip
    assert values == {1: "3", 2: "8"}


def test_who_stopped_writes_no_diary(public, people):
    client = came_in(public, people["randomised"])
    page = sent(client, client.get("/me/stop/"), scope="data_use")
    sent(client, page)
    assert "Diary" not in client.get("/me/").text
    assert client.get("/me/questionnaires/log/daily/1").status_code == 404
