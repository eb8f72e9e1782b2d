"""Who reaches what: every route × role × own and other site × process, requested and compared with a reviewed table.

``access_critical.csv`` was written by hand from the protocol before there were pages; ``access.csv`` lists everything
and was reviewed against it.
``access_posts.csv`` is the same of an empty form posted to every route that takes one.
After a change: ``ACCESS_WRITE=1 pytest tests/web/test_access.py``, then review the diff.
An answer is ``yes`` (the route acted, whatever it then said), ``forbidden`` (403), ``absent`` (404), ``sign in``,
``unauthorised`` (401) or ``not so`` (405).

SMART-MS has no pharmacist (a test says so); a pharmacist's rows are of ocrelizumab-sc. The site of a participant's
row says whose things the address names: their own or another participant's.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from trialwright.protocol.roles import SITE_ROLES, Role
from trialwright.stores import open_store
from trialwright.trial.setup.views import PERSON
from trialwright_web.config.demo import PASSWORD, environment

TABLE = Path(__file__).with_name("access.csv")
POSTS = Path(__file__).with_name("access_posts.csv")
CRITICAL = Path(__file__).with_name("access_critical.csv")
PROGRAM = Path(__file__).with_name("asking.py")
PROCESSES = ("staff", "closed", "public")
COLUMNS = ("process", "route", "role", "site", "answer")

DOING = {
    "read the task list": "capture:home",
    "read the matrix": "capture:matrix",
    "read a participant": "capture:participant",
    "read a form": "capture:form",
    "read the enrolment": "capture:enrolment",
    "read the laboratory board": "laboratory:board",
    "read allocation lists": "laboratory:allocations",
    "unblind in an emergency": "laboratory:emergency",
    "read queries across sites": "monitor:queries",
    "verify source": "monitor:verification",
    "freeze and lock": "monitor:closure",
    "read the safety board": "safety:board",
    "download the audit trail": "downloads:trail_csv",
    "download item values": "downloads:home",
    "download the site's copy of the ledger": "downloads:home",
    "import a file": "capture:imports",
    "download a checkpoint receipt": "downloads:receipt",
    "read participants over the API": "api:v1:participants",
    "read a participant over the API": "api:v1:participant",
    "read the trial page": "public:trial",
}
"""What the protocol speaks of → the route that does it."""

SENDING = {
    "send a signature": "capture:sign_form",
    "send the signature of a case book": "capture:case_book",
    "send a verification": "monitor:verify_form",
    "send an appointment": "capture:appoint",
    "send a forgetting": "capture:forget",
    "send an adverse event": "safety:report",
    "send an emergency unblinding": "laboratory:emergency",
    "send the unblinding of the study": "laboratory:unblind",
}
"""The same of what is done by sending a form; an empty one, which acts on nothing."""


def _program():
    """``asking.py``, which asks as a program of its own; its words are used here, too."""
    specification = spec_from_file_location("asking", PROGRAM)
    assert specification is not None
    assert specification.loader is not None
    module = module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


asking = _program()
STUDY, PHARMACY = asking.STUDY, asking.PHARMACY


@pytest.fixture(scope="module")
def told(installation, tmp_path_factory):
    """What each process answered: its routes, and the answers to reading and to empty forms.

    Each has a copy of its own: a form that acts must not look like one that another process should have refused.
    """
    running = {}
    for process in PROCESSES:
        folder = tmp_path_factory.mktemp("access") / "demo"
        shutil.copytree(installation, folder)
        own = {**os.environ, **environment(folder, process)}
        command = [sys.executable, str(PROGRAM), str(folder), process]
        running[process] = subprocess.Popen(command, env=own, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    found = {}
    try:
        for process, one in running.items():
            out, complaints = one.communicate()
            assert one.returncode == 0, complaints.decode()[-3000:]
            found[process] = json.loads(out.splitlines()[-1])
    finally:
        for one in running.values():
            one.kill()
            one.communicate()
    return found


@pytest.fixture(scope="module")
def routes(told):
    return {process: one["routes"] for process, one in told.items()}


@pytest.fixture(scope="module")
def answers(told):
    """(process, route, role, site) → the answer of the application."""
    return answers_of(told, "read")


@pytest.fixture(scope="module")
def posts(told):
    """(process, route, role, site) → the answer to an empty form, after everything was read."""
    return answers_of(told, "posts")


def answers_of(told, what):
    return {(process, *key): answer for process, one in told.items() for key, answer in one[what]}


@pytest.fixture(scope="module")
def things(installation):
    return asking.Things(installation)


@pytest.fixture(scope="module")
def participants(installation):
    return asking.Participants(installation)


def answer_of(response):
    """An answer of a server in a word."""
    what = f"{response.request.url}: {response.text[:300]}"
    return asking.answer_of(response.status_code, response.headers.get("Location", ""), what)


def token_on(page):
    """The token that a post from this page needs."""
    return page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]


def signed_in(server, code):
    """A participant's client of a server."""
    client = server.client()
    token = token_on(client.get("/me/enter"))
    form = {"number": code, "secret": PASSWORD, "csrfmiddlewaretoken": token}
    assert client.post("/me/enter", data=form).url.path == "/me/"
    return client


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def compare(answers, table):
    """Hold answers against a reviewed table."""
    if "ACCESS_WRITE" in os.environ:
        with table.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(sorted((*key, answer) for key, answer in answers.items()))
    reviewed = {tuple(row[name] for name in COLUMNS[:4]): row["answer"] for row in read(table)}
    assert {key for key in answers if key not in reviewed} == set(), "new routes or roles: write and review them"
    assert {key for key in reviewed if key not in answers} == set(), "rows of routes that are gone"
    wrong = {key: (answer, reviewed[key]) for key, answer in answers.items() if reviewed[key] != answer}
    assert wrong == {}, "found, reviewed"


def test_every_answer_is_the_one_in_the_reviewed_table(answers):
    compare(answers, TABLE)


CELLS = read(CRITICAL)


def test_there_are_enough_critical_cells_and_no_two_of_one_number():
    assert len({row["number"] for row in CELLS}) == len(CELLS) >= 60
    assert {row["doing"] for row in CELLS} == {*DOING, *SENDING}


@pytest.mark.parametrize("row", CELLS, ids=lambda row: row["number"])
def test_a_cell_that_the_protocol_demands(answers, posts, routes, row):
    sent = row["doing"] in SENDING
    route, answers = (SENDING[row["doing"]], posts) if sent else (DOING[row["doing"]], answers)
    site = row["site"] if row["role"] in {role.value for role in SITE_ROLES} else ""
    key = (row["process"], route, row["role"], site)
    if key not in answers:
        served = {one["name"] for one in routes[row["process"]]}
        assert route not in served, key
        assert row["answer"] in ("absent", "refused")
        return
    allowed = {"refused": ("forbidden", "absent", "unauthorised")}.get(row["answer"], (row["answer"],))
    assert answers[key] in allowed, row["because"]


def test_every_route_says_for_whom_it_is(routes):
    from_allauth = ("account_", "mfa_")
    for process, found in routes.items():
        undeclared = [
            one["name"]
            for one in found
            if one["roles"] == "undeclared" and not one["name"].startswith((*from_allauth, "api:v1:"))
        ]
        assert undeclared == [], process


def through(answers, routes):
    """Answers to roles that the route does not name, and that are no refusal."""
    named = {
        (process, one["name"]): one["roles"]
        for process, found in routes.items()
        for one in found
        if isinstance(one["roles"], list)
    }
    return [
        (key, answer)
        for key, answer in answers.items()
        if answer in ("yes", "not so") and key[:2] in named and key[2] not in named[key[:2]]
    ]


def test_no_role_that_a_route_does_not_name_gets_through(answers, routes):
    assert through(answers, routes) == []


def test_nobody_gets_through_to_a_desk_without_signing_in(answers, routes):
    desks = {one["name"] for found in routes.values() for one in found if isinstance(one["roles"], list)}
    assert [
        key for key, answer in answers.items() if key[2] == "nobody" and answer == "yes" and key[1] in desks
    ] == []


def test_no_site_reaches_a_participant_of_another(answers):
    assert [key for key, answer in answers.items() if key[3] == "other" and answer == "yes"] == []


# --- participants, and the pharmacist -----------------------------------------------------------------------------


def test_the_first_study_has_no_pharmacist_and_the_other_has(installation):
    for study, count in ((STUDY, 0), (PHARMACY, 5)):
        with open_store(f"sqlite:///{installation}/{study}.db") as store:
            assert len(list(store.rows.where(PERSON, role=Role.PHARMACIST.value))) == count


def test_a_pharmacist_has_no_desk_in_a_study_without_one(serve, things):
    for process in ("staff", "closed"):
        client = serve(process).client(f"{Role.PHARMACIST.value}.{asking.PHARMACY_SITES[0]}")
        for page in ("", "participants/", "laboratory", f"participants/{things.person['own']}/"):
            assert client.get(f"/{STUDY}/{page}", follow_redirects=False).status_code in (403, 404)


def test_a_participant_reads_of_no_other(serve, routes, participants, answers):
    """Two participants at every address, also at those that the other's pages name: never the other's number."""
    public = serve("public")
    clients = {which: signed_in(public, participants.code[which]) for which in ("own", "other")}
    links = {
        which: {
            link
            for page in ("/me/", "/me/visits/", "/me/consent/", "/me/questionnaires/")
            for link in re.findall(r'href="(/me/[^"#]*)"', client.get(page).text)
        }
        for which, client in clients.items()
    }
    mine = {participants.address(route, "own") for route in routes["public"] if route["path"].startswith("me/")}
    found = set()
    for which, client in clients.items():
        stranger = participants.code["other" if which == "own" else "own"]
        for address in sorted(mine | links["own"] | links["other"]):
            if address in ("/me/leave", "/me/enter"):
                continue
            page = client.get(address)
            assert page.status_code < 500, address
            assert stranger.encode() not in page.content, address
            assert stranger not in str(page.headers), address
            if participants.code[which] in page.text:
                found.add(which)
    assert found == set(clients), "their own number stands on some of them"


def test_a_participant_has_no_session_in_a_process_of_the_staff_nor_staff_one_at_the_participants(
    serve, participants
):
    me = signed_in(serve("public"), participants.code["own"]).cookies["trialwright_public"]
    for process in ("staff", "closed"):
        client = serve(process).client()
        client.cookies.set(f"trialwright_{process}", me)
        assert answer_of(client.get(f"/{STUDY}/", follow_redirects=False)) == "sign in"
        form = {"login": participants.code["own"], "password": PASSWORD}
        page = client.get("/accounts/login/")
        client.post("/accounts/login/", data={**form, "csrfmiddlewaretoken": token_on(page)})
        assert answer_of(client.get(f"/{STUDY}/", follow_redirects=False)) == "sign in"
    nurse = serve("staff").client("study_nurse.01").cookies["trialwright_staff"]
    client = serve("public").client()
    client.cookies.set("trialwright_public", nurse)
    assert answer_of(client.get("/me/", follow_redirects=False)) == "sign in"


# --- an empty form, posted ----------------------------------------------------------------------------------------


def test_every_answer_to_an_empty_form_is_the_one_in_the_reviewed_table(posts):
    compare(posts, POSTS)


def test_an_empty_form_gets_nobody_through_who_may_not(posts, routes):
    assert through(posts, routes) == []
    assert [key for key, answer in posts.items() if key[3] == "other" and answer in ("yes", "not so")] == []


def test_a_table_that_lets_one_through_is_reported(posts, routes):
    key = next(
        key for key, answer in posts.items() if key[:2] == ("staff", "capture:sign_form") and key[2] == "monitor"
    )
    assert through({key: "yes"}, routes) == [(key, "yes")]


def test_a_form_without_the_token_of_its_page_is_refused_everywhere(serve, routes, things):
    """By each process, as the person who may send most; what was refused has written nothing."""
    for process, role in asking.SIGNED_IN.items():
        server = serve(process)
        client = server.client(asking.user_name(role, things), f"{STUDY}:{asking.place_of(role, things)}")
        before = asking.written(server.folder)
        for route in filter(asking.takes_a_form, routes[process]):
            assert client.post(things.address(route, "own"), data={}).status_code == 403, route["name"]
        assert asking.written(server.folder) == before


def test_every_route_of_a_desk_says_which_methods_it_takes(routes):
    for process, found in routes.items():
        open_ = [
            one["name"]
            for one in found
            if one["methods"] is None and isinstance(one["roles"], list) and not one["name"].startswith("api:v1:")
        ]
        assert open_ == [], process
