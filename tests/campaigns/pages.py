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
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from trialwright_web.config.commands import server_command
from trialwright_web.config.demo import PASSWORD, environment, prepare
from trialwright_web.config.demo import _studies as studies_of_demo

REPOSITORY = Path(__file__).parents[2]
STUDY = "smart-ms"
PEOPLE = {
    "staff": (
        "study_nurse.01", "investigator.01", "blinded_rater.01", "monitor.1", "data_manager.1", "medical_monitor.1",
        "sponsor.1", "inspector.1",
    ),
    "closed": (
        "cell_laboratory.1", "injecting_physician.01", "qualified_person.1", "independent_statistician.1",
        "safety_officer.1", "investigator.01",
    ),
    "public": (None,),
}  # fmt: skip
"""Process → who looks around."""


@dataclass(frozen=True)
class Page:
    """One kind of page, as one person reaches it."""

    process: str
    person: str | None
    path: str

    @property
    def name(self) -> str:
        """For a file: process and kind."""
        words = re.sub(r"[^a-z]+", "-", kind_of(self.path).lower()).strip("-")
        return f"{self.process}-{words or 'home'}"


def kind_of(path: str) -> str:
    """Addresses of one kind differ in codes and numbers only."""
    path = path.partition("?")[0]
    path = re.sub(r"SMS-[A-Z0-9-]+", "LABEL", path)
    path = re.sub(r"[A-Z]{2}-\d\d-\d{3}", "CODE", path)
    path = re.sub(r"[0-9a-f]{32,64}", "HASH", path)
    path = re.sub(r"/participants/CODE/\w+/(\w+)/\d+/", r"/participants/CODE/VISIT/\1/N/", path)
    path = re.sub(r"/participants/CODE/(?!assess|record|case|new)\w+/$", "/participants/CODE/VISIT/", path)
    path = re.sub(r"/(queries|verification|deviations)/CODE/.*", r"/\1/CODE/THING", path)
    path = re.sub(r"(?<=slot_)\d|(?<=ae_)\d", "N", path)
    return re.sub(r"\d+", "N", path)


@contextmanager
def demonstration(folder: Path) -> Iterator[dict[str, str]]:
    """The three processes on a rehearsed demonstration: process → address. Made if it is not in the folder."""
    if not (folder / "ready").exists():
        prepare(folder, studies_of_demo(REPOSITORY / "studies"))
    addresses, running = {}, []
    for process in PEOPLE:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        addresses[process] = f"http://localhost:{port}"
        own = {**environment(folder, process), f"TRIALWRIGHT_{process.upper()}_ADDRESS": addresses[process]}
        running.append(subprocess.Popen(server_command(port), env={**os.environ, **own}))
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
    """A browser window of a person."""
    known = _SESSIONS.get((address, person))
    context = browser.new_context(base_url=address, storage_state=known, **options)
    page = context.new_page()
    page.set_default_timeout(600_000)
    if person is not None and known is not None:
        page.goto("/")
    elif person is not None:
        page.goto("/accounts/login/")
        page.fill("#id_login", person)
        page.fill("#id_password", PASSWORD)
        page.click("main button[type=submit]")
        page.wait_for_load_state()
        desk = page.locator(f"button[name=desk][value^='{STUDY}:']")
        if desk.count():
            desk.first.click()
            page.wait_for_load_state()
        _SESSIONS[address, person] = context.storage_state()
    return page


def pages_of(browser: Any, addresses: dict[str, str], folder: Path, most: int = 400) -> list[Page]:
    """One page of each kind in each process, with somebody who reaches it; looked for once in a demonstration."""
    kept = folder / "pages.json"
    if kept.exists():
        return [Page(**page) for page in json.loads(kept.read_text())]
    pages = _pages_of(browser, addresses, most)
    kept.write_text(json.dumps([asdict(page) for page in pages], indent=1))
    return pages


def _pages_of(browser: Any, addresses: dict[str, str], most: int) -> list[Page]:
    found: dict[tuple[str, str], Page] = {}
    for process, people in PEOPLE.items():
        for person in people:
            window = signed_in(browser, addresses[process], person)
            begin = urlsplit(window.url).path if person else "/"
            waiting, seen = [begin, f"/{STUDY}/"] if person else ["/"], set()
            while waiting and len(found) < most:
                path = waiting.pop(0)
                key = (process, kind_of(path))
                if key[1] in seen or "logout" in path:
                    continue
                seen.add(key[1])
                answer = window.request.get(path, max_redirects=0)
                if answer.status != 200 or not answer.headers.get("content-type", "").startswith("text/html"):
                    continue
                found.setdefault(key, Page(process, person, path))
                for link in re.findall(r'href="(/[^"#]*)"', answer.text()):
                    if not link.startswith("/static/"):
                        waiting.append(link.replace("&amp;", "&"))
            window.context.close()
    return sorted(found.values(), key=lambda page: page.name)
