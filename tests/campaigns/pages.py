"""The pages of the application as people in every role meet them: one address for each kind of page.

Used by ``axe.py`` and ``screenshots.py``, which start the three processes on a rehearsed demonstration.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from trialwright_web.config.commands import server_command
from trialwright_web.config.demo import PASSWORD, DemoStudy, environment, prepare
from trialwright_web.config.demo import _studies as studies_of_demo

REPOSITORY = Path(__file__).parents[2]
STUDY = "smart-ms"
PARTICIPANT = "NO-01-002"
"""Who is signed in to the participants' pages, by number: somebody with visits, and with a new text to agree to."""
PEOPLE = {
    "staff": (
        "study_nurse.01", "investigator.01", "blinded_rater.01", "monitor.1", "data_manager.1", "medical_monitor.1",
        "sponsor.1", "inspector.1",
    ),
    "closed": (
        "cell_laboratory.1", "injecting_physician.01", "qualified_person.1", "independent_statistician.1",
        "safety_officer.1", "investigator.01",
    ),
    "public": (None, PARTICIPANT),
}  # fmt: skip
"""Process → who looks around."""
BY_PERSON = {"capture:home", "capture:participant"}
"""Pages that are different for each role."""
FORMS = ("vital_signs", "edss", "safety_gate", "medication", "relapse")
"""The forms that are looked at: all have one page, and these have every kind of item between them."""
ONCE = {"public:trial", "public:join", "public:checklist"}
"""Pages of which one for each study is looked at."""


TRIES = 8
"""Links of one kind that are followed before it is given up: a list has hundreds that lead a role to no page."""


@dataclass(frozen=True)
class Page:
    """One kind of page, as one person reaches it."""

    process: str
    person: str | None
    path: str
    templates: tuple[str, ...] = ()
    """That drew it; known where the application is ``recorded``."""

    @property
    def name(self) -> str:
        """For a file: process and kind."""
        words = re.sub(r"[^a-z]+", "-", kind_of(self.process, self.path, self.person).lower()).strip("-")
        return f"{self.process}-{words or 'home'}"


@cache
def _routes() -> Any:
    """Django's resolver; any process's settings know every table of routes."""
    import django
    from django.urls import resolve

    django.setup()
    return resolve


def kind_of(process: str, path: str, person: str | None = None) -> str:
    """Addresses of one kind have one route; those of acts differ by the act, too, and some by who looks."""
    path, _, query = path.partition("?")
    found = _routes()(path, urlconf=f"trialwright_web.config.urls.{process}")
    words = [found.view_name]
    words += [str(found.kwargs[name]) for name in ("act",) if name in found.kwargs]
    if found.view_name in ("capture:form", "participant:question"):
        words.append(str(found.kwargs["form"]) if found.kwargs["form"] in FORMS else "")
    if found.view_name in ONCE:
        words.append(str(found.kwargs["study"]))
    if found.view_name == "capture:form" and "field" in parse_qs(query):
        words.append("field")
    if found.view_name in BY_PERSON and person is not None:
        words.append(person.partition(".")[0])
    return " ".join(words)


@contextmanager
def demonstration(
    folder: Path, studies: tuple[DemoStudy, ...] = (), application: str | None = None
) -> Iterator[dict[str, str]]:
    """The three processes on a rehearsed demonstration: process → address. Made if it is not in the folder.

    Args:
        folder: of the demonstration.
        studies: what is rehearsed, and how far; those of ``make demo`` by default.
        application: another WSGI application than the installed one, for example ``recorded:application``.
    """
    # Whoever needs a table of routes finds the settings of any process here.
    if not (folder / "ready").exists():
        prepare(folder, studies or studies_of_demo(REPOSITORY / "studies"))
    for name, value in environment(folder, "staff").items():
        if name != "TRIALWRIGHT_DISPENSING":  # which only a staff process may have, and others are made from here
            os.environ.setdefault(name, value)
    with served(folder, tuple(PEOPLE), application) as addresses:
        yield addresses


@contextmanager
def served(
    folder: Path, processes: tuple[str, ...], application: str | None = None, **settings: str
) -> Iterator[dict[str, str]]:
    """Processes of an installation, until the end of the block: process → address."""
    addresses, running = {}, []
    for process in processes:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        addresses[process] = f"http://localhost:{port}"
        own = {**environment(folder, process), f"TRIALWRIGHT_{process.upper()}_ADDRESS": addresses[process]}
        own |= settings
        paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
        own["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
        command = server_command(port)
        if application is not None:
            command[-1] = application
        # Without what only the process has whose settings this one took.
        around = {name: value for name, value in os.environ.items() if not name.startswith("TRIALWRIGHT_")}
        running.append(subprocess.Popen(command, env={**around, **own}))
    try:
        for address in addresses.values():
            _wait_for(address)
        yield addresses
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()


def _wait_for(address: str) -> None:
    for _ in range(240):
        try:
            with urllib.request.urlopen(f"{address}/health") as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.25)
    raise SystemExit(f"{address} does not answer")


def chromium(playwright: Any) -> Any:
    """A real Chromium."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])


_SESSIONS: dict[tuple[str, str], Any] = {}
"""(address, person) → cookies: who signed in once need not again for each language and width."""


def signed_in(browser: Any, address: str, person: str | None, **options: Any) -> Any:
    """A browser window of a person, or of a participant."""
    known = _SESSIONS.get((address, person or ""))
    context = browser.new_context(base_url=address, storage_state=known, **options)
    page = context.new_page()
    page.set_default_timeout(30_000)
    if person is not None and known is None:
        _sign_in(page, person)
        _SESSIONS[address, person] = context.storage_state()
    return page


def _sign_in(page: Any, person: str) -> None:
    if re.fullmatch(r"[A-Z]{2}-\d\d-\d{3}", person):
        page.goto("/me/enter")
        page.fill("#number", person)
        page.fill("#secret", PASSWORD)
        with page.expect_navigation():
            page.click("main button[type=submit], main button:not([type])")
        return  # where nobody was screened yet, to the door
    page.goto("/accounts/login/")
    page.fill("#id_login", person)
    page.fill("#id_password", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_load_state()
    desk = page.locator(f"button[name=desk][value^='{STUDY}:']")
    if desk.count():
        desk.first.click()
        page.wait_for_load_state()


_GROWN_IDLE = """
import sys, django
django.setup()
from django.contrib.sessions.backends.db import SessionStore
kept = SessionStore(sys.argv[1])
kept["participant_seen"] -= 3600
kept.save()
"""


def grow_idle(window: Any) -> None:
    """An hour goes by in which a participant does nothing: their session ends with their next request."""
    folder = Path(os.environ["TRIALWRIGHT_INSTALLATION"]).parent
    key = next(one["value"] for one in window.context.cookies() if one["name"] == "trialwright_public")
    own = {**os.environ, **environment(folder, "public")}
    subprocess.run([sys.executable, "-c", _GROWN_IDLE, key], check=True, env=own)


def pages_of(browser: Any, addresses: dict[str, str], folder: Path) -> list[Page]:
    """One page of each kind in each process, with somebody who reaches it; looked for once in a demonstration."""
    kept = folder / "pages.json"
    if kept.exists():
        return [Page(**{**page, "templates": tuple(page["templates"])}) for page in json.loads(kept.read_text())]
    pages = _pages_of(browser, addresses)
    kept.write_text(json.dumps([asdict(page) for page in pages], indent=1))
    return pages


def _pages_of(browser: Any, addresses: dict[str, str]) -> list[Page]:
    found: dict[tuple[str, str], Page] = {}
    for process, people in PEOPLE.items():
        for person in people:
            window = signed_in(browser, addresses[process], person)
            for path, templates in _links(window, process, _doors(process, person)):
                found.setdefault((process, kind_of(process, path, person)), Page(process, person, path, templates))
            window.context.close()
    return sorted(found.values(), key=lambda page: (page.process, page.name, page.person or "", page.path))


def _doors(process: str, person: str | None) -> list[str]:
    if process == "public":
        return ["/me/"] if person else ["/", "/me/enter"]
    return ["/", f"/{STUDY}/"]


def _links(window: Any, process: str, waiting: list[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every page that can be reached by links, one of each kind, and its templates."""
    seen = set()
    tried: Counter[str] = Counter()
    while waiting:
        path = waiting.pop(0)
        try:
            kind = kind_of(process, path)
        except Exception:  # no route of this process
            continue
        if kind in seen or "logout" in path or tried[kind] == TRIES:
            continue
        tried[kind] += 1
        answer = window.request.get(path, max_redirects=0)
        # A link that leads on, or to a file, says nothing about the next one of its kind.
        if answer.status in (301, 302, 303):
            seen.add(kind)
            waiting.append(answer.headers["location"])
            continue
        if answer.status != 200 or not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        seen.add(kind)
        yield path, tuple(filter(None, answer.headers.get("x-templates", "").split(",")))
        links = re.findall(r'href="(/[^"#]*)"', answer.text())
        waiting += [link.replace("&amp;", "&") for link in links if not link.startswith("/static/")]
