"""Who reaches what: every route × role × own and other site × process, requested and compared with a reviewed table.

``access_critical.csv`` was written by hand from the protocol before there were pages; ``access.csv`` lists everything
and was reviewed against it.
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
import subprocess
import sys
import typing
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from trialwright.protocol.roles import SITE_ROLES, Role
from trialwright.stores import open_store
from trialwright.trial.allocation.views import RANDOMISATION
from trialwright.trial.capture import commands as capture_commands
from trialwright.trial.capture.views import FORM
from trialwright.trial.closure.views import DEVIATION
from trialwright.trial.consent.views import CONSENT_LOG
from trialwright.trial.custody.views import SLOT
from trialwright.trial.enrolment.views import DISPOSITION
from trialwright.trial.queries import commands as query_commands
from trialwright.trial.queries.views import QUERY
from trialwright.trial.safety.views import ADVERSE_EVENT
from trialwright.trial.setup.views import PERSON, SITE
from trialwright_web.config.demo import PASSWORD, environment

TABLE = Path(__file__).with_name("access.csv")
CRITICAL = Path(__file__).with_name("access_critical.csv")
COLUMNS = ("process", "route", "role", "site", "answer")
STUDY = "smart-ms"
PHARMACY = "ocrelizumab-sc"
"""A study with a pharmacist."""

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
def methods(view):
    while view is not None:
        code = getattr(view, "__code__", None)
        if code is not None and "request_method_list" in code.co_freevars:
            return sorted(view.__closure__[code.co_freevars.index("request_method_list")].cell_contents)
        view = getattr(view, "__wrapped__", None)
def walk(resolver, prefix="", space=""):
    for one in resolver.url_patterns:
        if hasattr(one, "url_patterns"):
            yield from walk(one, prefix + str(one.pattern), space + (one.namespace + ":" if one.namespace else ""))
        else:
            roles = getattr(one.callback, "roles", "undeclared")
            if roles not in (None, "undeclared"):
                roles = sorted(role.value for role in roles)
            path, name = prefix + str(one.pattern), space + (one.name or "")
            yield {"path": path, "name": name, "roles": roles, "methods": methods(one.callback)}
print(json.dumps(list(walk(get_resolver()))))
"""


def routes_of(folder, process):
    """Every route of a process: path, name, the roles and the methods it declares."""
    own = {**os.environ, **environment(folder, process)}
    done = subprocess.run([sys.executable, "-c", ROUTES], env=own, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def routes(installation):
    return {process: routes_of(installation, process) for process in ("staff", "closed", "public")}


class Things:
    """Something real for every part of an address: of site 01 (``own``) and of site 02 (``other``)."""

    def __init__(self, folder, study=STUDY, sites=("01", "02")):
        self.study, self.sites = study, dict(zip(("own", "other"), sites, strict=True))
        with open_store(f"sqlite:///{folder}/{study}.db") as store:
            rows = store.rows
            self.person = {which: self._somebody(rows, site) for which, site in self.sites.items()}
            self.build = rows.get(SITE, (sites[0],))["build"]
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
            "study": self.study, "participant": self.person[which], "code": self.person[which], "build": self.build,
            "repeat": "1", "number": "999999", "name": "visit", "digest": "0" * 64, "breach": "none", "cut": "none",
            "pk": "1", "token": "none", "site": self.sites[which], "act": "none",
            "step": "1", "page": "1", **self.about[which],
        }  # fmt: skip
        if "command" not in route["path"] and "views/" not in route["path"]:
            known["name"] = "systolic"
        return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: known[found.group(1)], route["path"])


@pytest.fixture(scope="module")
def things(installation):
    return Things(installation)


@pytest.fixture(scope="module")
def pharmacy(installation):
    return Things(installation, PHARMACY, ("12", "15"))


def people(role, things):
    """The user name of somebody in a role of the rehearsal, at the own site."""
    return f"{role.value}.{things.sites['own']}" if role in SITE_ROLES else f"{role.value}.1"


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
    return {403: "forbidden", 404: "absent", 405: "not so"}.get(response.status_code, "yes")


def token_on(page):
    """The token that a post from this page needs."""
    return page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]


def token_of(client, study=STUDY):
    """A token of the person's desk; an empty one where they have none in this process."""
    page = client.get(f"/{study}/api/tokens/")
    if page.status_code != 200:
        return "none"
    form = {"name": "access", "days": "1", "password": PASSWORD, "csrfmiddlewaretoken": token_on(page)}
    return re.search(r"tw_[0-9a-f]{64}", client.post(f"/{study}/api/tokens/", data=form).text).group(0)


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
    for role in roles:
        client = seated(server, role, things)
        token = token_of(client, things.study) if role else "none"
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


def seated(server, role, things):
    """A client of somebody at their desk of the things' study; without a session where there is no role."""
    client = server.client(people(role, things) if role else None)
    page = client.get("/")
    if role is not None and 'name="desk"' in page.text:
        site = things.sites["own"] if role in SITE_ROLES else ""
        desk = f"{things.study}:{role.value}@{site}"
        client.post("/", data={"desk": desk, "csrfmiddlewaretoken": token_on(page)})
    return client


ROLES = (None, *(role for role in Role if role not in (Role.PARTICIPANT, Role.PHARMACIST)))
"""Nobody, and the roles that SMART-MS has desks for; it has no pharmacist."""


class Participants:
    """Two participants of SMART-MS, and of each what the addresses under ``/me/`` can name."""

    def __init__(self, folder):
        with open_store(f"sqlite:///{folder}/{STUDY}.db") as store:
            signed = {}
            for row in store.rows.where(CONSENT_LOG, what="signed"):
                signed.setdefault(row["participant"], []).append(row["number"])
            again = {person: numbers[-1] for person, numbers in signed.items() if len(numbers) > 1}
            status = {row["participant"]: row["status"] for row in store.rows.where(DISPOSITION)}
            own, other = [person for person in sorted(again) if status[person] == "randomised"][:2]
            assert again[own] not in signed[other]
            assert again[other] not in signed[own]
            self.code = {"own": own, "other": other}
            self.build = store.rows.get(SITE, ("01",))["build"]
            self.copy = {which: str(again[person]) for which, person in self.code.items()}

    def address(self, route, which):
        """The route's address; ``other`` names what only the other participant has."""
        known = {
            "study": STUDY, "page": "1", "encounter": "none", "form": "none", "step": "1", "build": self.build,
            "number": self.copy[which] if "copy" in route["path"] else "1",
        }  # fmt: skip
        return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: known[found.group(1)], route["path"])

    def client(self, server, which="own"):
        """Signed in."""
        client = server.client()
        form = {
            "number": self.code[which],
            "secret": PASSWORD,
            "csrfmiddlewaretoken": token_on(client.get("/me/enter")),
        }
        assert client.post("/me/enter", data=form).url.path == "/me/"
        return client


@pytest.fixture(scope="module")
def participants(installation):
    return Participants(installation)


def names_a_copy(route):
    """Whether the address names what one participant has."""
    return route["name"] == "participant:copy"


def answers_to_participants(server, routes, participants):
    """(route, role, whose things) → answer, for the public process."""
    found = {}
    for role, client in (("nobody", server.client()), ("participant", participants.client(server))):
        for route in routes:
            for which in ("own", "other") if names_a_copy(route) and role == "participant" else ("own",):
                response = client.get(participants.address(route, which), follow_redirects=False)
                found[route["name"], role, which if role == "participant" else ""] = answer_of(response)
    return found


def answers_to_accounts(server, routes, things, role):
    """(route, role, site) → answer, for the routes that need no desk."""
    found = {}
    client = seated(server, role, things)
    wanted = [route for route in routes if not is_of_a_desk(route)]
    for route in wanted:
        address = things.address(route, "own")
        response = client.get(address, follow_redirects=False)
        where = "own" if role in SITE_ROLES else ""
        found[route["name"], role.value if role else "nobody", where] = answer_of(response)
    return found


SIGNED_IN = {"staff": Role.STUDY_NURSE, "closed": Role.INVESTIGATOR}
"""Who tries the routes that need no desk; they are the same for everybody with an account."""


@pytest.fixture(scope="module")
def answers(serve, routes, things, pharmacy, participants):
    """(process, route, role, site) → the answer of the real server."""
    found = {}
    for process in ("staff", "closed"):
        server, own = serve(process), routes[process]
        told = answers_in(server, own, things, ROLES)
        told |= answers_in(server, own, pharmacy, (Role.PHARMACIST,))
        for role in (None, SIGNED_IN[process]):
            told |= answers_to_accounts(server, own, things, role)
        found |= {(process, *key): answer for key, answer in told.items()}
    public = serve("public")
    told = answers_to_participants(public, routes["public"], participants)
    found |= {("public", *key): answer for key, answer in told.items()}
    client = public.client()
    for route in (*routes["staff"], *routes["closed"]):
        if is_of_a_desk(route):
            response = client.get(things.address(route, "own"), follow_redirects=False)
            found["public", route["name"], "nobody", ""] = answer_of(response)
    return found


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


def test_a_pharmacist_has_no_desk_in_a_study_without_one(serve, pharmacy, things):
    for process in ("staff", "closed"):
        client = seated(serve(process), Role.PHARMACIST, pharmacy)
        for page in ("", "participants/", "laboratory", f"participants/{things.person['own']}/"):
            assert client.get(f"/{STUDY}/{page}", follow_redirects=False).status_code in (403, 404)


def test_a_participant_reads_of_no_other(serve, routes, participants, answers):
    """Two participants at every address, also at those that the other's pages name: never the other's number."""
    public = serve("public")
    clients = {which: participants.client(public, which) for which in ("own", "other")}
    links = {
        which: {
            link
            for page in ("/me/", "/me/visits/", "/me/consent/", "/me/questionnaires/")
            for link in re.findall(r'href="(/me/[^"#]*)"', client.get(page).text)
        }
        for which, client in clients.items()
    }
    mine = {participants.address(route, "own") for route in routes["public"] if route["path"].startswith("me/")}
    pages = 0
    for which, client in clients.items():
        stranger = participants.code["other" if which == "own" else "own"]
        for address in sorted(mine | links["own"] | links["other"]):
            if address in ("/me/leave", "/me/enter"):
                continue
            page = client.get(address)
            assert page.status_code < 500, address
            assert stranger.encode() not in page.content, address
            assert stranger not in str(page.headers), address
            pages += participants.code[which] in page.text
    assert pages > 5, "their own number stands on some of them"


def test_a_participant_has_no_session_in_a_process_of_the_staff_nor_staff_one_at_the_participants(
    serve, participants
):
    me = participants.client(serve("public")).cookies["trialwright_public"]
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


def test_every_route_of_a_desk_says_which_methods_it_takes(routes):
    for process, found in routes.items():
        open_ = [
            one["name"]
            for one in found
            if one["methods"] is None and isinstance(one["roles"], list) and not one["name"].startswith("api:v1:")
        ]
        assert open_ == [], process
