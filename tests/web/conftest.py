"""The application as people meet it: real servers on a copy of one rehearsed trial, a real Chromium."""

from __future__ import annotations

import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from html import unescape
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import django
import httpx
import pytest
from django.conf import settings

from trialwright_web.config.demo import PASSWORD, PORTS, environment, prepare

REPOSITORY = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
STUDY = "smart-ms"

# Words without a server: translations need Django's settings, and nothing else in this process does.
if not settings.configured:
    settings.configure(USE_I18N=True, USE_TZ=True, LANGUAGE_CODE="en", LANGUAGES=[("en", "English")])
    django.setup()


def _module(name: str) -> ModuleType:
    """A module beside this file."""
    specification = spec_from_file_location(name, HERE / f"{name}.py")
    assert specification is not None
    assert specification.loader is not None
    module = module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@dataclass
class Server:
    """One process of the application, running.

    Args:
        process: staff, closed or public.
        address: without a slash at the end.
        folder: its installation, a copy of its own.
    """

    process: str
    address: str
    folder: Path
    running: subprocess.Popen[bytes] = field(repr=False)
    clients: list[httpx.Client] = field(default_factory=list, repr=False)

    def client(
        self, person: str | None = None, desk: str | None = None, *, language: str | None = None
    ) -> httpx.Client:
        """An HTTP client, signed in as a person; ``desk`` is ``STUDY:role@site`` where they have several."""
        spoken = {"Accept-Language": language} if language else None
        client = httpx.Client(base_url=self.address, follow_redirects=True, timeout=60, headers=spoken)
        self.clients.append(client)
        if person is not None:
            page = client.get("/accounts/login/")
            token = page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
            form = {"login": person, "password": PASSWORD, "csrfmiddlewaretoken": token}
            answer = client.post("/accounts/login/", data=form, headers={"Referer": self.address})
            assert f"trialwright_{self.process}" in client.cookies, answer.text[:2000]
            if desk is not None:
                client.post("/", data={"desk": desk, "csrfmiddlewaretoken": token_on(client.get("/"))})
        return client

    def stop(self) -> None:
        """End the process and let go of everything that spoke with it."""
        for client in self.clients:
            client.close()
        self.running.terminate()
        self.running.wait()


def token_on(page: httpx.Response) -> str:
    """The token that a post from this page needs."""
    return page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]


class Acts:
    """Acts over HTTP: what a person fills in on an act's page, and sends."""

    @staticmethod
    def hidden(page: httpx.Response, name: str) -> str:
        """A hidden field of the act's form; empty where there is none."""
        form = page.text[page.text.index('class="act-form"') :]
        found = re.search(rf'name="{name}" value="([^"]*)"', form)
        return unescape(found[1]) if found else ""

    @staticmethod
    def send(client: httpx.Client, address: str, **fields: Any) -> httpx.Response:
        """Open an act's page, fill it in, sign it where it asks for that, send it; the page that answers."""
        page = client.get(address)
        assert page.status_code == 200, (address, page.status_code, page.text[:500])
        typed = {name: Acts.hidden(page, name) for name in ("csrfmiddlewaretoken", "request_id", "shown")}
        if 'name="password"' in page.text:
            typed["password"] = PASSWORD
        return client.post(str(page.url), data={**typed, **fields}, headers={"Referer": str(page.url)})

    @staticmethod
    def refusal(page: httpx.Response) -> str:
        """The code of the error that the page shows; empty where nothing was refused."""
        found = re.search(r'data-code="([^"]+)"', page.text)
        return found[1] if found else ""

    @staticmethod
    def words(page: httpx.Response) -> str:
        """What somebody reads on a page: tags taken out, spaces folded."""
        main = page.text.partition("<main")[2].partition("</main>")[0]
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", main)).split())


@pytest.fixture(scope="session")
def acts() -> type[Acts]:
    """Fills in and sends the pages of acts: ``acts.send(client, address, field=value)``."""
    return Acts


@pytest.fixture(scope="session")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation in the middle of rehearsed trials; made once for all test processes, never written.

    ``REHEARSED=FOLDER pytest …`` takes one that ``python -m trialwright_web.config.demo FOLDER --prepare`` made.
    """
    if "REHEARSED" in os.environ:
        return Path(os.environ["REHEARSED"])
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder, lock = shared / "rehearsed", shared / "rehearsed.lock"
    while True:
        with suppress(FileExistsError), lock.open("x"):
            from trialwright_web.config.demo import _studies

            try:
                prepare(folder, _studies(REPOSITORY / "studies"))
            except BaseException:
                lock.unlink()  # whoever waits for it finds out for themselves
                raise
        for _ in range(3600):
            if (folder / "ready").exists():
                return folder
            time.sleep(0.25)
        raise AssertionError("the rehearsed installation was not made in fifteen minutes")


@pytest.fixture(scope="module")
def installation(rehearsed: Path, memory: Path) -> Path:
    """A copy of the rehearsed installation for the tests of one file."""
    folder = memory / "demo"
    shutil.copytree(rehearsed, folder)
    hashed = _module("quick_hashes").quick_hash(PASSWORD)
    for database, table in (("staff", "accounts_account"), ("identity", "participant_invitation")):
        with closing(sqlite3.connect(folder / f"{database}.db")) as connection:
            connection.execute(f"UPDATE {table} SET password = ? WHERE password <> ''", (hashed,))
            connection.commit()
    return folder


@pytest.fixture(scope="module")
def serve(installation: Path) -> Iterator[Callable[..., Server]]:
    """Starts a process of the application on the file's installation, once for the file: ``serve("staff")``."""
    servers: dict[str, Server] = {}

    def start(process: str, **settings: str) -> Server:
        if process not in servers:
            servers[process] = start_server(installation, process, **settings)
        return servers[process]

    yield start
    for server in servers.values():
        server.stop()


def start_server(folder: Path, process: str, **settings: str) -> Server:
    """A process of the application on an installation; ``settings`` change its environment.

    ``application`` among them names another WSGI application than the one with quick passwords: the one as it is, or
    one with planted faults.
    """
    application = settings.pop("application", "quick_passwords:application")
    settings.setdefault(
        "PYTHONPATH", os.pathsep.join((str(HERE), os.environ.get("PYTHONPATH", ""))).strip(os.pathsep)
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://localhost:{port}"
    own = {**environment(folder, process), f"TRIALWRIGHT_{process.upper()}_ADDRESS": address, **settings}
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)),
        *("--workers", "1", "--blocking-threads", "4", "--no-ws", "--log-level", "warning"),
        application,
    ]
    with (folder / f"{process}.log").open("ab") as log:
        running = subprocess.Popen(command, env={**os.environ, **own}, stdout=log, stderr=log)
    for _ in range(1200):
        if running.poll() is not None:
            break
        with suppress(httpx.TransportError):
            if httpx.get(f"{address}/health").status_code == 200:
                return Server(process, address, folder, running)
        time.sleep(0.05)
    running.kill()
    raise AssertionError((folder / f"{process}.log").read_text()[-3000:])


@pytest.fixture(scope="session")
def server_on() -> Callable[..., Server]:
    """Starts a process on a folder of one's own: ``server_on(folder, "staff")``; who starts it ends it."""
    return start_server


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A real Chromium; CI installs it, a machine without one says so."""
    from playwright.sync_api import sync_playwright

    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass(frozen=True)
class Migrations:
    """Programs for the staff's process: to begin as the first version did, and to look after all migrations."""

    first: str = """
import django; django.setup()
from django.core.management import call_command
for application in ("accounts", "store", "participant"):
    for database in ("default", "identity"):
        call_command("migrate", application, "0001", database=database, verbosity=0)
"""
    now: str = f"""
import django; django.setup()
from django.core.management import call_command
from trialwright_web.accounts.models import Account
for database in ("default", "identity"):
    call_command("migrate", database=database, check_unapplied=True, verbosity=0)
print(Account.objects.get(username="study_nurse.01").check_password("{PASSWORD}"))
"""


@pytest.fixture(scope="session")
def migrations() -> Migrations:
    """``migrations.first`` migrates to 0001 alone; ``migrations.now`` fails where something is left to migrate, and
    prints whether an account's password still opens it."""
    return Migrations()


@pytest.fixture
def visit(chromium: Any) -> Iterator[Callable[..., Any]]:
    """Opens a page, signed in: ``visit(server, "/smart-ms/", "study_nurse.01", width=1280, language="nb")``.

    The browser gets the cookies of a sign-in over HTTP; that the page of signing in works, its own tests say.
    """
    contexts = []

    def open_page(
        server: Server, path: str = "/", person: str | None = None, *, width: int = 1280, language: str = "en",
        javascript: bool = True, **options: Any,
    ) -> Any:  # fmt: skip
        context = chromium.new_context(
            base_url=server.address, viewport={"width": width, "height": 900}, locale=language,
            java_script_enabled=javascript, **options,
        )  # fmt: skip
        contexts.append(context)
        page = context.new_page()
        if person is not None:
            cookies = server.client(person, language=language).cookies.jar
            context.add_cookies([{"name": one.name, "value": one.value, "url": server.address} for one in cookies])
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()


__all__ = ["PORTS"]
