"""Forms saved over HTTP by people signed in with a second factor, on PostgreSQL and SQLite.

    python benchmarks/web.py [--seconds 30] [--long 120] [--only postgresql|sqlite] [--workers 2] [--threads 2]

The form has 30 items and 20 checks. Server, database and load share the machine. Every save is a new form of the
running log: a session, a desk, the form page's own post, one command, one transaction, one event, all projections.
Afterwards the ledger is read: a save that was acknowledged and is not there would be lost, one that is there twice
would be doubled; and the ledger is verified. The page of 300 participants × 30 visits has ``matrix_page.py``.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import psutil
from figures import yardstick
from postgres import postgres

STUDY = "load"
PASSWORD = "a password for the benchmark"
NURSES = 64
PARTICIPANTS = 240
"""At all sites; each nurse of the one site needs one."""
CHECKS = 20
ITEMS = 30
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@dataclass
class Place:
    """Where everything of one run lies."""

    folder: Path
    store: str
    accounts: str
    identity: str
    port: int = 0
    environment: dict[str, str] = field(default_factory=dict)


# --- making the installation ---------------------------------------------------------------------------------------


def study_folder(target: Path) -> Path:
    """The study of the template with a form of 30 items and 20 checks in its running log."""
    run("trialwright.cli", "new", str(target / STUDY))
    folder = target / STUDY
    items = "".join(
        f"      - id: item_{n}\n        label: {{en: Item {n}}}\n        type: decimal\n        decimals: 1\n"
        f'        possible: {{low: "0", high: "1000"}}\n        sdtm: {{test: ITEM{n}}}\n'
        for n in range(1, ITEMS + 1)
    )
    checks = "".join(
        f"  - id: check_{n}\n    expression: item_{n} <= item_{n + 1} + 900\n"
        f"    message: {{en: Item {n} is far above item {n + 1}.}}\n    items: [item_{n}, item_{n + 1}]\n"
        for n in range(1, CHECKS + 1)
    )
    text = (
        "id: load\ntitle: {en: Thirty items}\nkind: vital_signs\nfilled_by: [study_nurse, investigator]\n"
        f"repeats: true\ngroups:\n  - id: all\n    items:\n{items}checks:\n{checks}"
    )
    (folder / "forms" / "load.yaml").write_text(text, encoding="utf-8")
    schedule = folder / "schedule.yaml"
    schedule.write_text(
        schedule.read_text(encoding="utf-8").replace("log_forms: [medication]", "log_forms: [medication, load]"),
        encoding="utf-8",
    )
    return folder


def run(module: str, *arguments: str, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{module} {' '.join(arguments[:2])}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


ACCOUNTS = """
import sys, django
django.setup()
from django.contrib.auth.hashers import make_password
from allauth.mfa.totp.internal.auth import TOTP
from trialwright_web.accounts.models import Account
password = make_password(sys.argv[1])
for person in sys.argv[3:]:
    account, _ = Account.objects.get_or_create(username=person, defaults={"password": password})
    TOTP.activate(account, sys.argv[2])
"""

PEOPLE = """
import sys
from pathlib import Path
import django
django.setup()
from trialwright.protocol.roles import Role
from trialwright.trial.command import Actor, Signature
from trialwright.trial.setup.commands import DelegateTask, RecordTraining
from trialwright.trial.setup.state import REQUIRED_TRAINING
from trialwright_web.shell.studies import installation
trial = installation().trial("load")
by = Actor("investigator.01", Role.INVESTIGATOR, "Our hospital", "01")
today = trial.clock.now().date().isoformat()
for person in sys.argv[1:]:
    trial.dispatch(DelegateTask(site="01", person=person, role=Role.STUDY_NURSE, organisation="Our hospital",
        since=today), by=by, request_id=f"delegate.{person}", signature=Signature(by.person, "delegate", "0" * 64))
    for subject in REQUIRED_TRAINING:
        trial.dispatch(RecordTraining(site="01", person=person, subject=subject, date=today), by=by,
            request_id=f"train.{person}.{subject}")
"""


def prepare(place: Place, participants: int) -> list[str]:
    """Rehearse the study into the store, write the installation, make accounts with a second factor."""
    folder = study_folder(place.folder)
    until = "2026-06-15"
    run(
        "trialwright.cli", "rehearse", str(folder), "--participants", str(participants), "--seed", "1",
        "--until", until, "--store", place.store, "--json",
    )  # fmt: skip
    (place.folder / "secret.key").write_text("benchmark " * 8)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    (place.folder / "installation.toml").write_text(
        f'[studies.{STUDY}]\nfolder = "{folder}"\nstore = "{place.store}"\nmode = "rehearsal"\n'
        f"began = {until}T07:00:00Z\nsince = {now}\n"
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        place.port = probe.getsockname()[1]
    address = f"http://localhost:{place.port}"
    place.environment = {
        "TRIALWRIGHT_PROCESS": "staff",
        "TRIALWRIGHT_INSTALLATION": str(place.folder / "installation.toml"),
        "TRIALWRIGHT_SECRET_KEY_FILE": str(place.folder / "secret.key"),
        "TRIALWRIGHT_DATABASE": place.accounts,
        "TRIALWRIGHT_IDENTITY": place.identity,
        "TRIALWRIGHT_HTTPS": "no",
        "TRIALWRIGHT_SECOND_FACTOR": "required",
        "TRIALWRIGHT_CHECKPOINTS": str(place.folder / "out" / "checkpoints"),
        "TRIALWRIGHT_STAFF_ADDRESS": address,
        "DJANGO_SETTINGS_MODULE": "trialwright_web.config.settings",
    }
    run("django", "prepare_databases", environment=place.environment)
    nurses = [f"load_nurse.{n:02}" for n in range(1, NURSES + 1)]
    script(PEOPLE, place, *nurses)
    script(ACCOUNTS, place, PASSWORD, SECRET, *nurses)
    return nurses


def script(text: str, place: Place, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", text, *arguments],
        env={**os.environ, **place.environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])


@contextmanager
def served(place: Place, workers: int, threads: int) -> Iterator[psutil.Process]:
    """The staff's process, as ``serve`` starts it."""
    command = [
        *(sys.executable, "-m", "trialwright_web", "serve", "--port", str(place.port)),
        *("--workers", str(workers), "--threads", str(threads)),
    ]
    with (place.folder / "server.log").open("ab") as log:
        process = subprocess.Popen(command, env={**os.environ, **place.environment}, stdout=log, stderr=log)
    try:
        for _ in range(240):
            try:
                connection = http.client.HTTPConnection("localhost", place.port)
                connection.request("GET", "/health")
                if connection.getresponse().status == 200:
                    break
            except OSError:
                time.sleep(0.25)
        else:
            raise SystemExit((place.folder / "server.log").read_text()[-2000:])
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


# --- one client ----------------------------------------------------------------------------------------------------


class Client:
    """A browser without a screen: one connection, its cookies, the token of its pages."""

    def __init__(self, port: int, person: str) -> None:
        self._connection = http.client.HTTPConnection("localhost", port, timeout=120)
        self._cookies: dict[str, str] = {}
        self._token = ""
        self.person = person
        self.times: list[float] = []
        self.errors: list[str] = []
        self.request_ids: list[str] = []

    def request(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str, str]:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        body = None
        if form is not None:
            body = urlencode({**form, "csrfmiddlewaretoken": self._token})
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        text = response.read().decode()
        for name, value in response.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self._cookies[key] = rest.partition(";")[0]
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', text)
        self._token = found.group(1) if found else self._token
        return response.status, response.headers.get("Location", ""), text

    def connect_anew(self) -> None:
        """The next request opens a connection; the server closes one that was idle for half a minute."""
        self._connection.close()

    def sign_in(self) -> None:
        self.request("GET", "/accounts/login/")
        password = {"login": self.person, "password": PASSWORD}
        if self.request("POST", "/accounts/login/", password)[0] == 429:
            time.sleep(61)  # sixty a minute from one address
            self.request("POST", "/accounts/login/", password)
        self.request("GET", "/accounts/2fa/authenticate/")
        self.request("POST", "/accounts/2fa/authenticate/", {"code": code_now()})
        status, where, text = self.request("GET", f"/{STUDY}/")
        if status != 200:
            raise SystemExit(f"{self.person} could not sign in: {status} {where} {text[:500]}")

    def save(self, participant: str, forms: dict[str, int]) -> None:
        """Fill and save the participant's next form; ``forms``: how many each participant has."""
        number = forms[participant] = forms[participant] + 1
        request_id = f"web.{participant}.{number}"
        form = {f"v.item_{n}": f"{(number * 7 + n * 13) % 1000}.{n % 10}" for n in range(1, ITEMS + 1)}
        form |= {"act": "save", "version": "0", "request_id": request_id}
        began = time.perf_counter()
        try:
            status, where, text = self.request(
                "POST", f"/{STUDY}/participants/{participant}/log/load/{number}/", form
            )
        except (OSError, http.client.HTTPException) as error:
            self.errors.append(repr(error))
            self.connect_anew()
            return
        took = time.perf_counter() - began
        if status == 200 and '"location"' in text and "done=saved" in text:
            self.times.append(took)
            self.request_ids.append(request_id)
        else:
            self.errors.append(f"{status} {where} {text[:200]}")


def code_now() -> str:
    """What an authenticator shows now (RFC 6238)."""
    import base64
    import hmac
    import struct

    digest = hmac.new(base64.b32decode(SECRET), struct.pack(">Q", int(time.time()) // 30), "sha1").digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


# --- load ----------------------------------------------------------------------------------------------------------


def load(clients: list[Client], forms: dict[str, int], seconds: float) -> float:
    """All clients save one form after the other; answers how long it took."""
    started, end, participants = threading.Barrier(len(clients) + 1), [0.0], sorted(forms)

    def work(at: int, client: Client) -> None:
        number = 0
        started.wait()
        while time.perf_counter() < end[0]:
            # Each client has participants of its own, as a nurse has in front of them.
            mine = participants[at :: len(clients)]
            client.save(mine[number % len(mine)], forms)
            number += 1

    threads = [threading.Thread(target=work, args=(at, client)) for at, client in enumerate(clients)]
    for client in clients:
        client.connect_anew()
    for thread in threads:
        thread.start()
    began = time.perf_counter()
    end[0] = began + seconds
    started.wait()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began


def processor(server: psutil.Process, database: list[psutil.Process]) -> dict[str, float]:
    """Seconds of processor time so far: of the application, of the database, of the clients in this process."""
    used = {"application": [server, *server.children(recursive=True)], "database": database}
    own = sum(psutil.Process().cpu_times()[:2])
    return {**{what: sum(map(_worked, processes)) for what, processes in used.items()}, "clients": own}


def _worked(process: psutil.Process) -> float:
    try:
        return sum(process.cpu_times()[:2])
    except psutil.NoSuchProcess:
        return 0.0


def database_processes(server: str | None) -> list[psutil.Process]:
    if server is None:
        return []
    main = psutil.Process(int((Path(server) / "data" / "postmaster.pid").read_text().splitlines()[0]))
    return [main, *main.children(recursive=True)]


def report(what: str, clients: list[Client], took: float, used: dict[str, float]) -> None:
    times = sorted(time for client in clients for time in client.times)
    errors = [error for client in clients for error in client.errors]
    if not times:
        raise SystemExit(f"{what}: nothing was saved: {errors[:3]}")
    p95 = times[int(0.95 * len(times))] * 1000
    print(
        f"{what:<34}{len(times) / took:>8.1f} saves/s   median {statistics.median(times) * 1000:6.1f} ms   "
        f"p95 {p95:6.1f} ms   {len(errors)} errors"
    )
    each = {whose: 1000 * seconds / len(times) for whose, seconds in used.items()}
    shares = ", ".join(f"{whose} {spent:.1f}" for whose, spent in each.items())
    print(f"    processor a save: {sum(each.values()):.1f} ms ({shares})", flush=True)
    for error in errors[:3]:
        print("   ", error)


COUNT = """
import json, sys, django
django.setup()
from collections import Counter
from trialwright.ledger.verification import verify_ledger
from trialwright.trial.event import Space
from trialwright_web.shell.studies import installation
ledger = installation().trial("load").ledgers[Space.OPEN]
found = Counter(entry.request_id for entry in ledger.read() if entry.type == "capture.form_saved")
asked = [line.strip() for line in sys.stdin]
report = verify_ledger(ledger, outside={}, keys=())
print(json.dumps({"acknowledged": len(asked), "not in the ledger": sum(not found[one] for one in asked),
    "there twice": sum(found[one] > 1 for one in asked), "the ledger's faults": str(report.fault or "none")}))
"""


def compared(place: Place, clients: list[Client]) -> str:
    """Acknowledgements beside the ledger."""
    asked = "\n".join(one for client in clients for one in client.request_ids)
    done = subprocess.run(
        [sys.executable, "-c", COUNT],
        input=asked, env={**os.environ, **place.environment}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return ", ".join(f"{what} {count}" for what, count in json.loads(done.stdout).items())


def queries_per_save(server: str, client: Client, forms: dict[str, int]) -> dict[str, float]:
    """Statements that PostgreSQL ran for a save, by what they are; from its log."""
    import psycopg

    with psycopg.connect(f"host={server} user=postgres dbname=postgres", autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET log_statement = 'all'")
        connection.execute("SELECT pg_reload_conf()")
        time.sleep(1)
        log = Path(server) / "server.log"
        before = log.stat().st_size
        saves = 20
        for participant in sorted(forms)[:saves]:
            client.save(participant, forms)
        time.sleep(0.5)
        text = log.read_bytes()[before:].decode("utf-8", "replace")
        connection.execute("ALTER SYSTEM RESET log_statement")
        connection.execute("SELECT pg_reload_conf()")
    kinds = re.findall(r"(?:statement|execute [^:]*): \s*(\w+)", text)
    counted = {kind.upper(): kinds.count(kind) / saves for kind in sorted(set(kinds))}
    return {"all": len(kinds) / saves, **counted}


def measure(kind: str, options: argparse.Namespace, stack: ExitStack) -> None:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="twweb")))
    server = stack.enter_context(postgres()) if kind == "postgresql" else None
    place = Place(folder, *addresses(folder, server))
    nurses = prepare(place, PARTICIPANTS)
    with served(place, options.workers, options.threads) as process:
        few = [Client(place.port, nurse) for nurse in nurses[:4]]
        for client in few:
            client.sign_in()
        forms = forms_of(place)
        if len(forms) < NURSES:
            raise SystemExit(f"{len(forms)} participants at the site for {NURSES} nurses")
        load(few, forms, 5)  # compiled, connected, cached
        for client in few:
            client.times.clear()
        took, used = _loaded(process, server, few, forms, options.seconds)
        report(f"{kind}, {len(few)} clients", few, took, used)
        if server is not None:
            print("    statements a save:", queries_per_save(server, few[0], forms))
        if not options.long:
            print("   ", compared(place, few))
            return
        many = [Client(place.port, nurse) for nurse in nurses]
        for client in many:
            client.sign_in() if client.person not in {one.person for one in few} else reuse(client, few)
        took, used = _loaded(process, server, many, forms, options.long)
        report(f"{kind}, {len(many)} clients, {options.long:.0f} s", many, took, used)
        print("   ", compared(place, [*few, *many]))


def _loaded(
    process: psutil.Process, server: str | None, clients: list[Client], forms: dict[str, int], seconds: float
) -> tuple[float, dict[str, float]]:
    """How long the load took, and the processor time of each side."""
    before = processor(process, database_processes(server))
    took = load(clients, forms, seconds)
    after = processor(process, database_processes(server))
    return took, {whose: after[whose] - before[whose] for whose in after}


def reuse(client: Client, signed_in: list[Client]) -> None:
    """A code works once; whoever is signed in goes on with the same session."""
    other = next(one for one in signed_in if one.person == client.person)
    client._cookies, client._token = dict(other._cookies), other._token


FORMS = """
import json, django
django.setup()
from trialwright.trial.capture.views import FORM
from trialwright.trial.enrolment.views import DISPOSITION
from trialwright.trial.event import Space
from trialwright_web.shell.studies import installation
rows = installation().trial("load").stores[Space.OPEN].rows
found = {row["participant"]: 0 for row in rows.where(DISPOSITION, site="01")}
for row in rows.where(FORM):
    if row["form"] == "load" and row["participant"] in found:
        found[row["participant"]] = max(found[row["participant"]], row["repeat"])
print(json.dumps(found))
"""


def forms_of(place: Place) -> dict[str, int]:
    """Participant of the nurses' site → how many forms there are."""
    command, own = [sys.executable, "-c", FORMS], {**os.environ, **place.environment}
    done = subprocess.run(command, env=own, capture_output=True, text=True, check=True)
    found: dict[str, int] = json.loads(done.stdout)
    return found


def addresses(folder: Path, server: str | None) -> tuple[str, str, str]:
    if server is None:
        return tuple(f"sqlite:///{folder}/{name}.db" for name in ("load", "staff", "identity"))  # type: ignore
    import psycopg

    with psycopg.connect(f"host={server} user=postgres dbname=postgres", autocommit=True) as connection:
        for name in ("staff", "identity"):
            connection.execute(f"CREATE DATABASE {name}")
    return tuple(f"postgresql://postgres@/{name}?host={server}" for name in ("load", "staff", "identity"))  # type: ignore


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30, help="of load by 4 clients")
    parser.add_argument("--long", type=float, default=120, help="seconds of load by 64 clients; 0: none")
    parser.add_argument("--only", choices=("postgresql", "sqlite"))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"yardstick {yardstick():.0f} ms; {json.dumps(vars(options))}", flush=True)
    for kind in ("postgresql", "sqlite"):
        if options.only in (None, kind):
            with ExitStack() as stack:
                measure(kind, options, stack)


if __name__ == "__main__":
    main()
