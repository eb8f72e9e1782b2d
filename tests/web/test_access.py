"""Who reaches what: every route × role × own and other site × process, requested and compared with a reviewed table.

``access_critical.csv`` was written by hand from the protocol before there were pages; ``access.csv`` lists everything
and was reviewed against it. After a change: ``ACCESS_WRITE=1 pytest tests/web/test_access.py``, then review the diff.
An answer is ``yes`` (the route acted, whatever it then said), ``forbidden`` (403), ``absent`` (404), ``sign in`` or
``unauthorised`` (401).
"""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
import typing
from dataclasses import MISSING, fields
from pathlib import Path

import httpx
import pytest

from trialwright.protocol.roles import SITE_ROLES, Role
from trialwright.stores import open_store
from trialwright.trial.allocation.views import RANDOMISATION
from trialwright.trial.capture import commands as capture_commands
from trialwright.trial.capture.views import FORM
from trialwright.trial.closure.views import DEVIATION
from trialwright.trial.custody.views import SLOT
from trialwright.trial.enrolment.views import DISPOSITION
from trialwright.trial.queries import commands as query_commands
from trialwright.trial.queries.views import QUERY
from trialwright.trial.safety.views import ADVERSE_EVENT
from trialwright.trial.setup.views import SITE
from trialwright_web.config.demo import PASSWORD, environment

TABLE = Path(__file__).with_name("access.csv")
CRITICAL = Path(__file__).with_name("access_critical.csv")
COLUMNS = ("process", "route", "role", "site", "answer")
STUDY = "smart-ms"

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
    "download a checkpoint receipt": "downloads:receipt",
    "read participants over the API": "api:v1:participants",
    "read a participant over the API": "api:v1:participant",
    "read the trial page": "public:trial",
}
"""What the protocol speaks of → the route that does it."""

ROUTES = """
import django, json
django.setup()
from django.urls import get_resolver
def walk(resolver, prefix="", space=""):
    for one in resolver.url_patterns:
        if hasattr(one, "url_patterns"):
            yield from walk(one, prefix + str(one.pattern), space + (one.namespace + ":" if one.namespace else ""))
        else:
            roles = getattr(one.callback, "roles", "undeclared")
            if roles not in (None, "undeclared"):
                roles = sorted(role.value for role in roles)
            yield {"path": prefix + str(one.pattern), "name": space + (one.name or ""), "roles": roles}
print(json.dumps(list(walk(get_resolver()))))
"""


def routes_of(folder, process):
    """Every route of a process: path, name, the roles it declares."""
    own = {**os.environ, **environment(folder, process)}
    done = subprocess.run([sys.executable, "-c", ROUTES], env=own, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def routes(installation):
    return {process: routes_of(installation, process) for process in ("staff", "closed", "public")}


class Things:
    """Something real for every part of an address: of site 01 (``own``) and of site 02 (``other``)."""

    def __init__(self, folder):
        with open_store(f"sqlite:///{folder}/{STUDY}.db") as store:
            rows = store.rows
            self.person = {which: self._somebody(rows, site) for which, site in (("own", "01"), ("other", "02"))}
            self.build = rows.get(SITE, ("01",))["build"]
            self.about = {which: self._about(rows, person) for which, person in self.person.items()}

    @staticmethod
    def _somebody(rows, site):
        """A randomised participant of a site who had an adverse event."""
        randomised = {row["participant"] for row in rows.where(RANDOMISATION)}
        had = {row["participant"] for row in rows.where(ADVERSE_EVENT)}
        here = (row["participant"] for row in rows.where(DISPOSITION, site=site))
        return next(one for one in here if one in randomised & had)

    @staticmethod
    def _about(rows, person):
        def first(table, column, default):
            return next((row[column] for row in rows.where(table, participant=person)), default)

        form = next(row for row in rows.where(FORM, participant=person, form="vital_signs"))
        return {
            "encounter": form["encounter"],
            "form": form["form"],
            "query": first(QUERY, "query", "none"),
            "deviation": first(DEVIATION, "deviation", "none"),
            "event": first(ADVERSE_EVENT, "adverse_event", "ae_1"),
            "slot": first(SLOT, "slot", "slot_1"),
            "label": first(SLOT, "label", "none"),
        }

    def address(self, route, which):
        """The route's address with real things of the own or another site in it."""
        known = {
            "study": STUDY, "participant": self.person[which], "code": self.person[which], "build": self.build,
            "repeat": "1", "number": "999999", "name": "visit", "digest": "0" * 64, "breach": "none", "cut": "none",
            "pk": "1", "token": "none", "site": {"own": "01", "other": "02"}[which], "act": "none",
            "step": "1", "page": "1", **self.about[which],
        }  # fmt: skip
        if "command" not in route["path"] and "views/" not in route["path"]:
            known["name"] = "systolic"
        return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: known[found.group(1)], route["path"])


@pytest.fixture(scope="module")
def things(installation):
    return Things(installation)


def people(role):
    """The user name of somebody in a role of the rehearsal, at site 01."""
    return f"{role.value}.01" if role in SITE_ROLES else f"{role.value}.1"


def has_site(route):
    """Whether the address names somebody, who is of a site."""
    return re.search(r"<(?:\w+:)?(participant|code|site)>", route["path"]) is not None


def answer_of(response):
    """An answer in a word; a fault of ours is none."""
    assert response.status_code != 500, (response.request.url, response.text[:300])
    if response.status_code == 401:
        return "unauthorised"
    doors = ("/accounts/login/", "/me/enter")
    if response.status_code in (302, 303) and response.headers["Location"].startswith(doors):
        return "sign in"
    return {403: "forbidden", 404: "absent"}.get(response.status_code, "yes")


def token_on(page):
    """The token that a post from this page needs."""
    return page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]


def token_of(client):
    """A token of the person's desk; an empty one where they have none in this process."""
    page = client.get(f"/{STUDY}/api/tokens/")
    if page.status_code != 200:
        return "none"
    form = {"name": "access", "days": "1", "password": PASSWORD, "csrfmiddlewaretoken": token_on(page)}
    return re.search(r"tw_[0-9a-f]{64}", client.post(f"/{STUDY}/api/tokens/", data=form).text).group(0)


def body_of(route, participant):
    """The plainest body that a command's operation can read."""
    name = route["path"].rpartition("/")[2]
    command = getattr(capture_commands, name, None) or getattr(query_commands, name)
    hints = typing.get_type_hints(command)
    plain = {int: 0, str: "x"}
    given = {
        one.name: plain.get(hints[one.name], ["x"])
        for one in fields(command)
        if one.default is MISSING and one.default_factory is MISSING
    }
    return {"command": {**given, **({"participant": participant} if "participant" in given else {})}}


def ask(client, route, things, which, token, session_token):
    """Request a route as somebody, who has a token for the API and one for forms."""
    address = things.address(route, which)
    if not route["name"].startswith("api:v1:"):
        answer = client.get(address, follow_redirects=False)
        if answer.status_code != 405:
            return answer
        # Posting only: the same with an empty form, which acts on nothing.
        return client.post(address, data={"csrfmiddlewaretoken": session_token}, follow_redirects=False)
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "access-table"}
    if "/commands/" not in route["path"]:
        return client.get(address, headers=headers, follow_redirects=False)
    return client.post(address, headers=headers, json=body_of(route, things.person[which]), follow_redirects=False)


def is_of_a_desk(route):
    """Routes of signing in are the same for everybody, and tested as journeys."""
    return route["path"].startswith("<slug:study>/")


def answers_in(server, routes, things, roles):
    """(route, role, site) → answer, for a process of the staff."""
    found = {}
    wanted = [route for route in routes if is_of_a_desk(route)]
    for role in (None, *roles):
        client = server.client(people(role) if role else None)
        if role is None:
            token = "none"
        else:
            choose(client, role)
            token = token_of(client)
        session_token = token_on(client.get("/", follow_redirects=True))
        for route in wanted:
            both = role in SITE_ROLES and has_site(route)
            for which in ("own", "other") if both else ("own",):
                where = which if role in SITE_ROLES else ""
                if role in SITE_ROLES and not has_site(route):
                    where = "own"
                response = ask(client, route, things, which, token, session_token)
                found[route["name"], role.value if role else "nobody", where] = answer_of(response)
    return found


def choose(client, role):
    """Sit down at the desk of SMART-MS where the person has several."""
    page = client.get("/")
    if 'name="desk"' in page.text:
        site = "01" if role in SITE_ROLES else ""
        client.post("/", data={"desk": f"{STUDY}:{role.value}@{site}", "csrfmiddlewaretoken": token_on(page)})


ROLES = tuple(role for role in Role if role not in (Role.PARTICIPANT, Role.PHARMACIST))
"""Roles that SMART-MS has desks for; it has no pharmacist."""


@pytest.fixture(scope="module")
def answers(serve, routes, things):
    """(process, route, role, site) → the answer of the real server."""
    found = {}
    for process in ("staff", "closed"):
        told = answers_in(serve(process), routes[process], things, ROLES)
        found |= {(process, *key): answer for key, answer in told.items()}
    client = httpx.Client(base_url=serve("public").address)
    for route in routes["public"]:
        if "<" not in route["path"] or "<slug:study>" in route["path"]:
            response = client.get(things.address(route, "own"), follow_redirects=False)
            found["public", route["name"], "nobody", ""] = answer_of(response)
    for route in (*routes["staff"], *routes["closed"]):
        if is_of_a_desk(route):
            response = client.get(things.address(route, "own"), follow_redirects=False)
            found["public", route["name"], "nobody", ""] = answer_of(response)
    client.close()
    return found


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_answer_is_the_one_in_the_reviewed_table(answers):
    if "ACCESS_WRITE" in os.environ:
        with TABLE.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(sorted((*key, answer) for key, answer in answers.items()))
    reviewed = {tuple(row[name] for name in COLUMNS[:4]): row["answer"] for row in read(TABLE)}
    assert {key for key in answers if key not in reviewed} == set(), "new routes or roles: write and review them"
    assert {key for key in reviewed if key not in answers} == set(), "rows of routes that are gone"
    wrong = {key: (answer, reviewed[key]) for key, answer in answers.items() if reviewed[key] != answer}
    assert wrong == {}, "found, reviewed"


CELLS = read(CRITICAL)


def test_there_are_enough_critical_cells_and_no_two_of_one_number():
    assert len({row["number"] for row in CELLS}) == len(CELLS) >= 60
    assert {row["doing"] for row in CELLS} == set(DOING)


@pytest.mark.parametrize("row", CELLS, ids=lambda row: row["number"])
def test_a_cell_that_the_protocol_demands(answers, routes, row):
    route = DOING[row["doing"]]
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


def test_no_role_that_a_route_does_not_name_gets_through(answers, routes):
    named = {
        (process, one["name"]): one["roles"]
        for process, found in routes.items()
        for one in found
        if isinstance(one["roles"], list)
    }
    through = [
        (key, answer)
        for key, answer in answers.items()
        if answer == "yes" and key[:2] in named and key[2] not in named[key[:2]]
    ]
    assert through == []


def test_nobody_gets_through_to_a_desk_without_signing_in(answers, routes):
    desks = {one["name"] for found in routes.values() for one in found if isinstance(one["roles"], list)}
    through = [key for key, answer in answers.items() if key[2] == "nobody" and answer == "yes" and key[1] in desks]
    assert through == []


def test_no_site_reaches_a_participant_of_another(answers):
    assert [key for key, answer in answers.items() if key[3] == "other" and answer == "yes"] == []
