"""Asks every route of one process of the application as everybody: ``python asking.py FOLDER PROCESS``.

The whole application answers, from its WSGI door through every middleware to the databases of the installation in
the folder; only the network and the sign-in form are left out, which would take most of the time. Prints the routes,
and every answer in a word; what a refused form wrote ends it.
"""

from __future__ import annotations

import json
import re
import sqlite3
import sys
import typing
from contextlib import closing
from dataclasses import MISSING, fields
from datetime import timedelta
from pathlib import Path

from trialwright.foundation.operating_system import SystemClock
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
from trialwright.trial.setup.views import SITE
from trialwright_web.config.demo import PASSWORD

STUDY = "smart-ms"
SITES = ("01", "02")
PHARMACY = "ocrelizumab-sc"
"""A study with a pharmacist."""
PHARMACY_SITES = ("12", "15")

ROLES = (None, *(role for role in Role if role not in (Role.PARTICIPANT, Role.PHARMACIST)))
"""Nobody, and the roles that SMART-MS has desks for; it has no pharmacist."""

SIGNED_IN = {"staff": Role.STUDY_NURSE, "closed": Role.INVESTIGATOR}
"""Who tries the routes that need no desk; they are the same for everybody with an account."""

UNCOUNTED = ("django_session", "shell_cache", "sqlite_sequence")
"""Tables that a refused request may write: who is signed in, and tries counted against guessing."""

READERS = (Role.INSPECTOR,)
"""Who may open pages that take forms, and changes nothing of the record with any."""

SECRET = "a" * 32
"""Of the token that a form carries, in the cookie and in the field."""


def routes_of(process):
    """Every route of a process: path, name, the roles and the methods it declares."""
    from django.urls import get_resolver

    return list(_walk(get_resolver(f"trialwright_web.config.urls.{process}")))


def _walk(resolver, prefix="", space=""):
    for one in resolver.url_patterns:
        path = prefix + str(one.pattern)
        if hasattr(one, "url_patterns"):
            yield from _walk(one, path, space + (one.namespace + ":" if one.namespace else ""))
            continue
        roles = getattr(one.callback, "roles", "undeclared")
        if roles not in (None, "undeclared"):
            roles = sorted(role.value for role in roles)
        yield {"path": path, "name": space + (one.name or ""), "roles": roles, "methods": _methods(one.callback)}


def _methods(view):
    """The methods that a view declares; None where it declares none."""
    while view is not None:
        code = getattr(view, "__code__", None)
        if code is not None and "request_method_list" in code.co_freevars:
            return sorted(view.__closure__[code.co_freevars.index("request_method_list")].cell_contents)
        view = getattr(view, "__wrapped__", None)
    return None


class Things:
    """Something real for every part of an address: of the own site and of another."""

    def __init__(self, folder, study=STUDY, sites=SITES):
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


def user_name(role, things):
    """The user name of somebody in a role of the rehearsal, at the own site."""
    return f"{role.value}.{things.sites['own']}" if role in SITE_ROLES else f"{role.value}.1"


def place_of(role, things):
    """The desk of somebody in a role, at the own site."""
    return f"{role.value}@{things.sites['own'] if role in SITE_ROLES else ''}"


def has_site(route):
    """Whether the address names somebody, who is of a site."""
    return re.search(r"<(?:\w+:)?(participant|code|site)>", route["path"]) is not None


def is_of_a_desk(route):
    """Routes of signing in are the same for everybody, and tested as journeys."""
    return route["path"].startswith("<slug:study>/")


def is_of_the_api(route):
    return route["name"].startswith("api:v1:")


def takes_a_form(route):
    """Whether a browser may post to it; the API's commands are asked with what they read."""
    return is_of_a_desk(route) and "POST" in (route["methods"] or ())


def names_a_copy(route):
    """Whether the address names what one participant has."""
    return route["name"] == "participant:copy"


def answer_of(status, location, what):
    """An answer in a word; a fault of ours is none."""
    assert status != 500, what
    if status == 401:
        return "unauthorised"
    if status in (302, 303) and location.startswith(("/accounts/login/", "/me/enter")):
        return "sign in"
    return {403: "forbidden", 404: "absent", 405: "not so"}.get(status, "yes")


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


class Somebody:
    """One person, or nobody, before the application."""

    def __init__(self):
        from django.conf import settings
        from django.test import Client

        self.browser = Client(enforce_csrf_checks=True, raise_request_exception=False, SERVER_NAME="localhost")
        self.browser.cookies[settings.CSRF_COOKIE_NAME] = SECRET
        self.token = "none"

    @classmethod
    def at_desk(cls, role, things):
        """Signed in at the desk of the things' study, with a token for the API; without a role, nobody."""
        from trialwright_web.accounts.models import Account
        from trialwright_web.shell.desk import SESSION
        from trialwright_web.shell.tokens import make_token

        one = cls()
        if role is not None:
            account, place = Account.objects.get(username=user_name(role, things)), place_of(role, things)
            one.browser.force_login(account)
            session = one.browser.session
            session[SESSION] = {things.study: place}
            session.save()
            one.token = make_token(account.pk, things.study, place, "access", timedelta(days=1), SystemClock().now())
        return one

    @classmethod
    def participant(cls, code):
        """A participant, signed in."""
        one = cls()
        signed = one.send("POST", "/me/enter", {"number": code, "secret": PASSWORD})
        assert signed.headers.get("Location") == "/me/", signed.status_code
        return one

    def send(self, method, address, form=None):
        if method == "GET":
            return self.browser.get(address)
        return self.browser.post(address, {**(form or {}), "csrfmiddlewaretoken": SECRET})

    def ask(self, route, address, participant=""):
        """Request a route: by GET; a route that only takes forms with an empty one, a command with the plainest."""
        if is_of_the_api(route):
            headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": "access-table"}
            if "/commands/" not in route["path"]:
                return self._word(self.browser.get(address, headers=headers))
            body = body_of(route, participant)
            return self._word(self.browser.post(address, body, content_type="application/json", headers=headers))
        if is_of_a_desk(route) and route["methods"] == ["POST"]:
            return self.post(address)
        return self.get(address)

    def get(self, address):
        """Open a page."""
        return self._word(self.send("GET", address))

    def post(self, address):
        """Send an empty form, as from a page of the application."""
        return self._word(self.send("POST", address))

    @staticmethod
    def _word(response):
        response.close()
        what = f"{response.request['REQUEST_METHOD']} {response.request['PATH_INFO']}"
        return answer_of(response.status_code, response.headers.get("Location", ""), what)


def sides(route, role):
    """Own and other site, where the role has a site and the address names somebody."""
    return ("own", "other") if role in SITE_ROLES and has_site(route) else ("own",)


def key_of(route, role, which):
    """Route, role and site as the tables name them."""
    return route["name"], role.value if role else "nobody", which if role in SITE_ROLES else ""


def read_at_desks(routes, things, roles):
    """(route, role, site) → answer, for the routes of desks."""
    found = {}
    for role in roles:
        somebody = Somebody.at_desk(role, things)
        for route in filter(is_of_a_desk, routes):
            for which in sides(route, role):
                address = things.address(route, which)
                found[key_of(route, role, which)] = somebody.ask(route, address, things.person[which])
    return found


def posts_at_desks(folder, routes, things, roles):
    """(route, role, site) → answer to an empty form. Who may not is asked first: nothing may have been written."""
    found = {}
    for role in roles:
        somebody = Somebody.at_desk(role, things)
        wanted = [(route, which) for route in filter(takes_a_form, routes) for which in sides(route, role)]
        may = [(route, which) for route, which in wanted if role and role.value in route["roles"] and which == "own"]
        before = written(folder)
        for route, which in wanted:
            if (route, which) not in may:
                found[key_of(route, role, which)] = somebody.post(things.address(route, which))
        assert written(folder) == before, f"a form that {role} may not send was written"
        for route, which in may:
            found[key_of(route, role, which)] = somebody.post(things.address(route, which))
        if role in READERS:
            assert ledgers(written(folder)) == ledgers(before), f"{role} changed the record"
    return found


def without_a_desk(folder, routes, things, role, *, posted):
    """(route, role, site) → answer, for the routes that need no desk; signing out comes last."""
    found = {}
    somebody = Somebody.at_desk(role, things)
    before = written(folder)
    wanted = [route for route in routes if not is_of_a_desk(route)]
    for route in sorted(wanted, key=lambda route: route["name"] == "account_logout"):
        address = things.address(route, "own")
        answer = somebody.post(address) if posted else somebody.ask(route, address)
        found[key_of(route, role, "own")] = answer
    assert role is not None or written(folder) == before
    return found


def of_participants(folder, routes, *, posted):
    """(route, role, whose things) → answer, for the public process."""
    found, people = {}, Participants(folder)
    wanted = [one for one in routes if not posted or one["methods"] is None or "POST" in one["methods"]]
    for role in ("nobody", "participant"):
        somebody = Somebody() if role == "nobody" else Somebody.participant(people.code["own"])
        before = written(folder)
        for route in sorted(wanted, key=lambda one: posted and one["name"] == "participant:leave"):
            for which in ("own", "other") if names_a_copy(route) and role == "participant" else ("own",):
                address = people.address(route, which)
                answer = somebody.post(address) if posted else somebody.get(address)
                found[route["name"], role, which if role == "participant" else ""] = answer
        assert role != "nobody" or written(folder) == before
    return found


def desks_from_outside(folder):
    """(route, nobody, no site) → answer of the public process to what the others serve."""
    things, nobody = Things(folder), Somebody()
    return {
        key_of(route, None, "own"): nobody.get(things.address(route, "own"))
        for process in ("staff", "closed")
        for route in filter(is_of_a_desk, routes_of(process))
    }


def written(folder):
    """What every database of the installation holds: heads of the ledgers, rows of the tables."""
    found = {}
    for path in sorted(folder.glob("*.db")):
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            if "ledger_head" in tables:
                heads = database.execute("SELECT * FROM ledger_head ORDER BY 1").fetchall()
                found[path.name] = [head for head in heads if "/security" not in head[0]]
            else:
                found[path.name] = {
                    name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
                    for name in tables
                    if name not in UNCOUNTED
                }
    return found


def ledgers(everything):
    """Of what is written, the heads of the ledgers."""
    return {name: heads for name, heads in everything.items() if isinstance(heads, list)}


def main(folder, process):
    """Read everything, then post to everything."""
    import django

    django.setup()
    routes = routes_of(process)
    if process == "public":
        read = of_participants(folder, routes, posted=False) | desks_from_outside(folder)
        posts = of_participants(folder, routes, posted=True)
    else:
        things, pharmacy = Things(folder), Things(folder, PHARMACY, PHARMACY_SITES)
        read = read_at_desks(routes, things, ROLES) | read_at_desks(routes, pharmacy, (Role.PHARMACIST,))
        posts = posts_at_desks(folder, routes, things, ROLES)
        posts |= posts_at_desks(folder, routes, pharmacy, (Role.PHARMACIST,))
        for role in (None, SIGNED_IN[process]):
            read |= without_a_desk(folder, routes, things, role, posted=False)
            posts |= without_a_desk(folder, routes, things, role, posted=True)
    print(json.dumps({"routes": routes, "read": [*read.items()], "posts": [*posts.items()]}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
