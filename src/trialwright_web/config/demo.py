"""``python -m trialwright_web.config.demo FOLDER``: SMART-MS in the middle of a rehearsed trial, ready to sign in.

Rehearses the studies to a day in the middle, writes installation files, makes an account for everybody on record, and
starts the three processes. Everything lies in the folder; running it again starts what is there.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from trialwright.cli.rehearsal import KEY_PASSWORD
from trialwright.foundation.operating_system import SystemClock, SystemEntropy
from trialwright.foundation.tables import Row
from trialwright.protocol.roles import Role
from trialwright.stores import open_store
from trialwright.trial.setup.views import PERSON
from trialwright_web.config.beginning import PORTS
from trialwright_web.config.commands import server_command

PASSWORD = "rehearsal-only-2026"  # noqa: S105 - of accounts that act in a rehearsal


@dataclass(frozen=True)
class DemoStudy:
    """A study to show.

    Args:
        folder: of the study.
        until: the rehearsed day on which it stands.
        participants: how many are randomised; as planned by default.
        loose_ends: whether forms are left half filled, questions open, a visit overdue.
    """

    folder: Path
    until: str
    participants: int | None = None
    loose_ends: bool = True


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m trialwright_web.config.demo", description=__doc__)
    parser.add_argument("folder", type=Path, help="where everything of the demonstration lies")
    parser.add_argument("--studies", type=Path, default=Path("studies"), help="folder of the study folders")
    parser.add_argument("--prepare", action="store_true", help="make everything, start nothing")
    given = parser.parse_args()
    run(given.folder, given.studies, prepare_only=given.prepare)


def run(folder: Path, studies: Path = Path("studies"), *, prepare_only: bool) -> None:
    """Make the demonstration if it is not there, print its sign-ins, and serve it until interrupted."""
    folder = folder.resolve()
    if not (folder / "ready").exists():
        prepare(folder, _studies(studies.resolve()))
    else:
        for process in PORTS:
            _run(folder, process, "-m", "trialwright_web", "migrate")
    print(sign_ins(folder), flush=True)
    if not prepare_only:
        print("Stop with Ctrl-C.", flush=True)
        serve(folder)


def _studies(folder: Path) -> tuple[DemoStudy, ...]:
    return (
        DemoStudy(folder / "smart-ms", "2028-02-15"),
        DemoStudy(folder / "frexalimab-sc-iv", "2026-06-15"),
        DemoStudy(folder / "ocrelizumab-sc", "2026-06-15"),
    )


def prepare(folder: Path, studies: tuple[DemoStudy, ...]) -> None:
    """Rehearse, write the installation's files, make the databases and the accounts."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    secret = SystemEntropy().bytes(48, purpose="secret key", stream="demo", position=0).hex()
    (folder / "secret.key").write_text(secret, encoding="ascii")
    (folder / "dispensing.password").write_text(KEY_PASSWORD, encoding="utf-8")
    installed, closed, dispensing = [], [], []
    for study in studies:
        name = study.folder.name
        print(f"rehearsing {name} to {study.until} …", flush=True)
        _rehearse(study, folder)
        since = SystemClock().now().replace(microsecond=0)
        began = datetime.fromisoformat(study.until).replace(hour=7, tzinfo=UTC)
        installed.append(
            f'[studies.{name}]\nfolder = "{study.folder}"\nstore = "sqlite:///{name}.db"\nmode = "rehearsal"\n'
            f"began = {_toml(began)}\nsince = {_toml(since)}\n"
        )
        key = f'dispensing_key = "keys/{name}/dispensing.key"\ndispensing_password_file = "dispensing.password"\n'
        if (folder / f"{name}.closed.db").exists():
            closed.append(f'[studies.{name}]\nstore = "sqlite:///{name}.closed.db"\n{key}')
        else:
            dispensing.append(f"[studies.{name}]\n{key}")
    (folder / "installation.toml").write_text("\n".join(installed), encoding="utf-8")
    (folder / "closed.toml").write_text("\n".join(closed), encoding="utf-8")
    (folder / "dispensing.toml").write_text("\n".join(dispensing), encoding="utf-8")
    print("making databases and accounts …", flush=True)
    people = sorted({str(row["person"]) for row in _people(folder)})
    names = [study.folder.name for study in studies]
    _manage(folder, "staff", ["prepare_databases"], ["make_rehearsal_accounts", PASSWORD, *people])
    _manage(folder, "public", ["prepare_databases"], ["make_rehearsal_participants", PASSWORD, *names])
    (folder / "ready").touch()


def _rehearse(study: DemoStudy, folder: Path) -> None:
    name = study.folder.name
    command = [
        *(sys.executable, "-m", "trialwright.cli", "rehearse", str(study.folder), "--seed", "1"),
        *("--until", study.until, "--store", f"sqlite:///{folder}/{name}.db"),
        *(["--loose-ends"] if study.loose_ends else []),
        *(["--participants", str(study.participants)] if study.participants else []),
        *("--keys", str(folder / "keys" / name), "--json"),
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own command


def _toml(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _people(folder: Path) -> list[Row]:
    found: list[Row] = []
    for path in sorted(folder.glob("*.db")):
        if not path.name.endswith((".closed.db", ".keys.db")) and path.stem not in ("staff", "public", "identity"):
            with open_store(f"sqlite:///{path}") as store:
                found += [{**row, "study": path.stem} for row in store.rows.where(PERSON)]
    return found


def sign_ins(folder: Path) -> str:
    """The table of sign-ins: one line for each role of the first study."""
    lines = [
        "",
        f"Staff               http://localhost:{PORTS['staff']}",
        f"Laboratory, closed  http://localhost:{PORTS['closed']}",
        f"Public, participants http://localhost:{PORTS['public']}",
        "",
        f"{'role':<26} {'user name':<34} password",
    ]
    shown: set[str] = set()
    for row in _people(folder):
        role = str(row["role"])
        if row["study"] == "smart-ms" and role not in shown and role != Role.PARTICIPANT.value:
            shown.add(role)
            lines.append(f"{role:<26} {row['person']:<34} {PASSWORD}")
    lines.append(f"{'participant, at /me/':<26} {'NO-01-001':<34} {PASSWORD}")
    return "\n".join([*lines, ""])


def environment(folder: Path, process: str) -> dict[str, str]:
    """The variables of one process of the demonstration."""
    own = "public" if process == "public" else "staff"
    dispensing = folder / "dispensing.toml"  # absent in a demonstration that an earlier version made
    return {
        "TRIALWRIGHT_PROCESS": process,
        "TRIALWRIGHT_INSTALLATION": str(folder / "installation.toml"),
        **({"TRIALWRIGHT_CLOSED": str(folder / "closed.toml")} if process == "closed" else {}),
        **({"TRIALWRIGHT_DISPENSING": str(dispensing)} if process == "staff" and dispensing.exists() else {}),
        "TRIALWRIGHT_SECRET_KEY_FILE": str(folder / "secret.key"),
        "TRIALWRIGHT_DATABASE": f"sqlite:///{folder}/{own}.db",
        "TRIALWRIGHT_IDENTITY": f"sqlite:///{folder}/identity.db",
        "TRIALWRIGHT_HOSTS": "localhost,127.0.0.1,testserver",
        "TRIALWRIGHT_HTTPS": "no",
        "TRIALWRIGHT_SECOND_FACTOR": "optional",
        "TRIALWRIGHT_CHECKPOINTS": str(folder / "checkpoints"),
        "TRIALWRIGHT_ATTACHMENTS": str(folder / "attachments"),
        "TRIALWRIGHT_FILES": str(folder / "files"),
        "TRIALWRIGHT_MAIL": f"file:///{folder}/mail",
        **{f"TRIALWRIGHT_{name.upper()}_ADDRESS": f"http://localhost:{port}" for name, port in PORTS.items()},
        "DJANGO_SETTINGS_MODULE": "trialwright_web.config.settings",
    }


_COMMANDS = """
import json, sys
import django
from django.core.management import call_command
django.setup()
for command in json.loads(sys.argv[1]):
    call_command(*command)
"""


def _manage(folder: Path, process: str, *commands: list[str]) -> None:
    """Django's commands, one after the other in one process: each start takes seconds."""
    _run(folder, process, "-c", _COMMANDS, json.dumps(commands))


def _run(folder: Path, process: str, *command: str) -> None:
    arguments = [sys.executable, *command]
    quiet = subprocess.DEVNULL  # what it prints is for operators
    subprocess.run(arguments, check=True, env=_with(environment(folder, process)), stdout=quiet)  # noqa: S603


def serve(folder: Path) -> None:
    """Run the three processes and their workers until interrupted; when one ends, all do."""
    commands = [(process, server_command(port)) for process, port in PORTS.items()]
    commands += [(process, [sys.executable, "-m", "trialwright_web", "worker"]) for process in PORTS]
    running = [
        subprocess.Popen(command, env=_with(environment(folder, process)))  # noqa: S603 - our own commands
        for process, command in commands
    ]
    try:
        while all(process.poll() is None for process in running):
            try:
                running[0].wait(timeout=timedelta(seconds=1).total_seconds())
            except subprocess.TimeoutExpired:
                continue
    except KeyboardInterrupt:
        pass
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()


def _with(own: dict[str, str]) -> dict[str, str]:
    return {**os.environ, **own}  # noqa: TID251 - the edge that starts processes


if __name__ == "__main__":
    main()
