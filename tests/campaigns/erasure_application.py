"""The application around the trial of ``attack_erasure``: identities in everything that it keeps beside the record.

Each process runs as it is deployed, with its own settings. What is planted is planted by the application's own
functions; what is read afterwards is read as an attacker would who has the folder, its backups, every secret of the
installation, every keyring that is left, and the key of the site.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from trialwright_web.config.demo import environment

NEVER_ENROLLED, TYPED_BY_MISTAKE = "never_enrolled", "typed_by_mistake"

PLACES: Mapping[str, str] = {
    "draft": TYPED_BY_MISTAKE,
    "import": TYPED_BY_MISTAKE,
    "unfinished page": TYPED_BY_MISTAKE,
    "question": TYPED_BY_MISTAKE,
    "answer": NEVER_ENROLLED,
    "contact": NEVER_ENROLLED,
    "contact from before": NEVER_ENROLLED,
    "file": NEVER_ENROLLED,
    "withdrawn file": TYPED_BY_MISTAKE,
}
"""Where something is planted → on which ground it is forgotten."""
FILES = ("file", "withdrawn file")
SHARED = ("question", "contact", "file")
STAYS = {
    *(f"{where}: {what}" for where in ("staff", "backup-closed") for what in (*SHARED, "draft")),
    *(f"{where}: {what}" for where in ("public", "backup-public") for what in (*SHARED, "page")),
}
"""Where somebody who is not forgotten is found: a searcher who opens nothing would find nothing."""

Given = Sequence[tuple[str, str, str]]
"""(place, participant, identity)."""

BEGIN = """
import django, json, sys
django.setup()
given = json.load(sys.stdin)
from trialwright.build.compile import compiled
from trialwright_web.store import installation as installing
# The study is too small for the checker; the trial was begun without it, too.
installing.compile_study = lambda loaded: compiled(loaded.study)
"""

PLANT = """
from django.conf import settings
from django.utils import timezone
from trialwright.foundation.operating_system import SystemEntropy
from trialwright.protocol.roles import Role
from trialwright.sealing import KeyPurpose, generate_key
from trialwright_web.accounts.models import Account
from trialwright_web.capture import form_drafts, imports
from trialwright_web.capture.form_blobs import Blobs
from trialwright_web.capture.form_entry import Typed
from trialwright_web.capture.form_place import find_form
from trialwright_web.participant.consenting import seal_question
from trialwright_web.participant.contacts import attach, enter, typed
from trialwright_web.participant.models import ConsentQuestion, SiteKey
from trialwright_web.shell.desk import Desk, Place
from trialwright_web.shell.drafts import keep_draft
from trialwright_web.shell.forgettable import key_of_imports
from trialwright_web.shell.studies import installation
from trialwright_web.store import jobs

study, now = "small", timezone.now()
nurse, manager = (Account.objects.create(username=name) for name in ("nurse-01", "data_manager"))
desk = Desk(Place(study, Role.STUDY_NURSE, "01", "hospital-01"), nurse.username, nurse.pk,
            installation().trial(study), "en")
key = generate_key(KeyPurpose.IDENTITY, SystemEntropy(), ledger=f"{study}/01")
site = SiteKey.objects.create(study=study, site="01", public=str(key.public), wrapped=b"", made_at=now, made_by="x")
blobs = Blobs(settings.ENVIRONMENT.attachments, desk.trial)
for place, participant, identity in given:
    if place == "draft":
        form = find_form(desk, participant, "screening", "screening", 1)
        form_drafts.keep(form, form_drafts.FormDraft(fields={"age": Typed(text=identity)}))
    elif place == "import":
        fields = {"results": [identity]}
        keep_draft(nurse.pk, imports._draft(desk, participant), 0, fields, key_of_imports(desk.trial, make=True))
    elif place in ("question", "answer"):
        said = {place: identity}
        ConsentQuestion.objects.create(study=study, participant=participant, site="01", asked_at=now, **{
            name: seal_question(desk, participant, said.get(name, "When?")) for name in ("question", "answer")})
    elif place == "contact":
        enter(desk, site, typed({"name": identity}), participant)
    elif place == "contact from before":
        attach(desk, enter(desk, site, typed({"name": identity}), None), participant)
    elif place in ("file", "withdrawn file"):
        blobs.put(identity.encode())
for kind, format_ in (("items", "csv"), ("views", "csv"), ("views", "parquet")):
    jobs.ask(process="staff", account=manager.pk, study=study, place="data_manager@", kind=kind, now=now,
             arguments={"format": format_, "language": "en"}, request_id=f"web.{kind}.{format_}")
print(json.dumps(key.raw.hex()))
"""

PLANT_PAGES = """
from trialwright.protocol.roles import Role
from trialwright_web.participant import kept
from trialwright_web.participant.access import Person, invite
from trialwright_web.participant.models import Invitation
from trialwright_web.shell.desk import Desk, Place
from trialwright_web.shell.studies import installation
for place, participant, identity in given:
    if place in ("contact", "unfinished page"):
        invite("small", participant, "01", "en", "nurse-01")
    if place == "unfinished page":
        invitation = Invitation.objects.get(participant=participant)
        where = Place("small", Role.PARTICIPANT, "01", "participant")
        desk = Desk(where, participant, invitation.pk, installation().trial("small"), "en")
        kept.keep(Person(invitation, desk), "diary", {"text": identity})
print(json.dumps(None))
"""

WORK = """
from trialwright.foundation.operating_system import SystemClock
from trialwright_web.config.worker import Worker
worker = Worker(SystemClock())
while worker.round():
    pass
print(json.dumps(None))
"""

READ = """
from cryptography.exceptions import InvalidTag
from django.conf import settings
from trialwright.sealing import KeyPurpose, PrivateKey
from trialwright.sealing.encoding import unpadded
from trialwright.sealing.hybrid import open_sealed
from trialwright.trial.event import Space
from trialwright_web.capture.form_blobs import Blobs
from trialwright_web.participant import contacts, kept, secrets_kept
from trialwright_web.participant.consenting import _about_question
from trialwright_web.participant.models import ConsentQuestion, Contact, Kept
from trialwright_web.shell.studies import installation
from trialwright_web.store import drafts
from trialwright_web.store.models import Draft

trial = installation().trial("small")
keys = [b""] + [key for *_, key in trial.stores[Space.OPEN].keyring.entries() if key]
site = PrivateKey(KeyPurpose.IDENTITY, bytes.fromhex(given))
told = []

def each(what, sealed, opens):
    for key in keys:
        try:
            told.append((what, opens(bytes(sealed), key).replace("\\\\u00c6", "Æ")))
        except (InvalidTag, ValueError):
            continue

for row in Draft.objects.all():
    each("draft", row.sealed, lambda sealed, key: drafts._unseal(
        sealed, drafts._key(key), row.account_id, row.place).decode())
for row in Kept.objects.all():
    about = f"kept\\0{row.study}\\0{row.participant}\\0{row.place}"
    each("page", row.sealed, lambda sealed, key: secrets_kept.unseal(sealed, about, key) or "")
for row in ConsentQuestion.objects.all():
    about = _about_question(row.study, row.participant)
    for sealed in (row.question, row.answer):
        each("question", sealed, lambda sealed, key: secrets_kept.unseal(sealed, about, key) or "")
for row in Contact.objects.all():
    def contact(sealed, key):
        inner = contacts.AESGCM(key).decrypt(sealed[:12], sealed[12:], row.id.encode()) if key else sealed
        try:
            return unpadded(open_sealed(site, inner, context=contacts._bound(row.study, row.site, row.id))).decode()
        except Exception:
            return ""
    each("contact", row.sealed, contact)
folder = settings.ENVIRONMENT.attachments
blobs = Blobs(folder, trial)
for path in folder.rglob("*"):
    if path.is_file():
        about = blobs._about(path.name)
        each("file", path.read_bytes(), lambda sealed, key: contacts.AESGCM(blobs._key(key)).decrypt(
            sealed[:12], sealed[12:], about).decode())
print(json.dumps(told))
"""


class ProcessFailed(AssertionError):
    """A process of the application said that something went wrong."""


@dataclass
class Application:
    """An installation in the folder of the trial.

    Args:
        folder: everything of it lies here.
        study: folder of the study.
        began: the rehearsed instant.
        weakened: lines of Python that every process runs first; a build that forgets too little.
    """

    folder: Path
    study: Path
    began: datetime
    weakened: str = ""
    site_key: str = field(default="", repr=False)

    def begin(self) -> None:
        """Write its files, and its databases."""
        (self.folder / "secret.key").write_text("f" * 64, encoding="ascii")
        since = self.began.isoformat().replace("+00:00", "Z")
        (self.folder / "installation.toml").write_text(
            f'[studies.small]\nfolder = "{self.study}"\nstore = "sqlite:///open.db"\nmode = "rehearsal"\n'
            f"seal_texts = true\nbegan = {since}\n",
            encoding="utf-8",
        )
        (self.folder / "closed.toml").write_text('[studies.small]\nstore = "sqlite:///closed.db"\n', encoding="utf-8")
        for process in ("staff", "public"):
            self.run(process, "from django.core.management import call_command\ncall_command('prepare_databases')")

    def plant(self, given: Given) -> None:
        """Put every identity into its place, make exports, and back everything up."""
        self.site_key = json.loads(self.run("staff", PLANT, given))
        self.run("public", PLANT_PAGES, given)
        self.run("staff", WORK)
        if len(list((self.folder / "files" / "staff").glob("*.zip"))) != 3:
            raise ProcessFailed("the exports were not made")
        for process in ("closed", "public"):
            self._command(process, "backup", str(self.folder / f"backup-{process}"))

    def forget(self, *processes: str) -> None:
        """Each worker does what waits."""
        for process in processes or ("staff", "closed", "public"):
            self.run(process, WORK)

    def told(self) -> Iterator[tuple[str, str]]:
        """(where, text) of everything that still opens: in the live databases, and in the backups'."""
        for process in ("staff", "public"):
            yield from ((f"{process}: {what}", text) for what, text in self._read(process, {}))
        yield from self.told_by_backups()

    def told_by_backups(self) -> Iterator[tuple[str, str]]:
        """The same of the backups."""
        with tempfile.TemporaryDirectory() as place:
            for process, backed in (("staff", "backup-closed"), ("public", "backup-public")):
                copies = {}
                for name, setting in (("accounts", "DATABASE"), ("identity", "IDENTITY")):
                    copy = Path(place) / f"{process}-{name}.db"
                    shutil.copyfile(self.folder / backed / f"{name}.sqlite", copy)
                    copies[f"TRIALWRIGHT_{setting}"] = f"sqlite:///{copy}"
                shutil.copytree(self.folder / backed / "attachments", Path(place) / process / "attachments")
                shutil.copyfile(self.folder / "attachments.key", Path(place) / process / "attachments.key")
                copies["TRIALWRIGHT_ATTACHMENTS"] = str(Path(place) / process / "attachments")
                yield from ((f"{backed}: {what}", text) for what, text in self._read(process, copies))

    def _read(self, process: str, settings: Mapping[str, str]) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = json.loads(self.run(process, READ, self.site_key, weakened=False, **settings))
        return found

    def run(self, process: str, program: str, given: Any = None, *, weakened: bool = True, **settings: str) -> str:
        """A program in the application; what it printed.

        Raises:
            ProcessFailed: it ended badly, or logged an error.
        """
        text = BEGIN + (self.weakened if weakened else "") + program
        return self._run(process, ["-c", text], json.dumps(given), settings)

    def _command(self, process: str, *words: str) -> None:
        self._run(process, ["-m", "trialwright_web", *words], "", {})

    def _run(self, process: str, arguments: list[str], given: str, settings: Mapping[str, str]) -> str:
        own = {**os.environ, **environment(self.folder, process), **settings}
        done = subprocess.run(
            [sys.executable, *arguments], env=own, input=given, capture_output=True, text=True, check=False
        )
        with (self.folder / f"{process}.log").open("a", encoding="utf-8") as log:
            log.write(done.stderr)
        if done.returncode or " ERROR " in done.stderr:
            raise ProcessFailed(done.stderr[-3000:])
        return done.stdout


def rows(folder: Path) -> dict[str, int]:
    """Table → how many rows it has, of the tables that are about one participant."""
    found = {}
    tables = {
        "staff.db": ["store_draft", "store_job"],
        "public.db": ["participant_kept"],
        "identity.db": ["participant_invitation", "participant_consentquestion", "participant_contact"],
    }
    for name, wanted in tables.items():
        with closing(sqlite3.connect(folder / name)) as database:
            for table in wanted:
                [(found[table],)] = database.execute(f"SELECT count(*) FROM {table}")
    return found
