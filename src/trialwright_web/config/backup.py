"""Backup and restore of everything one process knows, to and from one folder.

A backup is taken while people work. Ledgers come from the database's own online copy, so each is whole as it stood at
one instant; the manifest says up to which entry and with which root. Secrets are no part of it: a thief of backups
gets ciphertext, and the keys are kept, and escrowed, elsewhere.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from trialwright.foundation.errors import InvalidValue, RecordError
from trialwright.ledger import VerifierKey, parse_checkpoint, verify_ledger
from trialwright.ledger.port import Store
from trialwright.ledger.verify import Report
from trialwright.stores import open_store
from trialwright_web.config.environment import Environment
from trialwright_web.store.installation import read_installation, read_only_mark

MANIFEST = "manifest.json"
FORMAT = 1


class BackupUnusable(RecordError):
    """The folder is no backup, is damaged, or there is something where it would go."""

    code = "web.backup_unusable"


class ToolFailed(RecordError):
    """PostgreSQL's own program is missing or failed."""

    code = "web.tool_failed"


@dataclass(frozen=True)
class Part:
    """One database.

    Args:
        name: of its file in the backup.
        address: where it lives.
        study: whose ledgers it holds; empty for accounts and identities.
    """

    name: str
    address: str
    study: str = ""

    @property
    def is_store(self) -> bool:
        return bool(self.study)


def parts_of(environment: Environment) -> tuple[Part, ...]:
    """Every database that the process knows: accounts, identities, open stores, and closed ones where it has them."""
    found = [Part("accounts", environment.database), Part("identity", environment.identity)]
    studies = read_installation(environment.installation, environment.closed)
    for name, study in sorted(studies.items()):
        found.append(Part(f"{name}.open", study.open_store, name))
        if study.closed_store is not None:
            found.append(Part(f"{name}.closed", study.closed_store, name))
    return tuple(found)


# --- backup --------------------------------------------------------------------------------------------------------


def back_up(environment: Environment, target: Path, now: datetime) -> dict[str, Any]:
    """Write a backup to a new folder; returns its manifest.

    Raises:
        BackupUnusable: the folder exists.
        ToolFailed: ``pg_dump`` is missing or failed.
    """
    if target.exists():
        raise BackupUnusable(f"{target} exists", remedy="name a new folder; a backup is never overwritten")
    target.mkdir(parents=True, mode=0o700)
    heads: dict[str, Any] = {}
    parts = parts_of(environment)
    for study in dict.fromkeys(part.study for part in parts):
        with ExitStack() as stack:
            together = [part for part in parts if part.study == study]
            for part, pinned in _pinned_together(together, heads, stack):
                pinned(target / f"{part.name}{_suffix(part.address)}")
    for name, folder in _folders(environment).items():
        if folder is not None and folder.is_dir():
            shutil.copytree(folder, target / name)
    manifest = {
        "format": FORMAT,
        "made_at": now.astimezone(UTC).isoformat(timespec="seconds"),
        "process": environment.process,
        "heads": heads,
        "files": {str(path.relative_to(target)): _digest(path) for path in _files(target)},
    }
    (target / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True), encoding="utf-8")
    return manifest


def _folders(environment: Environment) -> dict[str, Path | None]:
    return {"attachments": environment.attachments, "checkpoints": environment.checkpoints}


Pinned = Callable[[Path], None]
"""Copies a database as it stood when it was pinned."""


def _pinned_together(parts: list[Part], heads: dict[str, Any], stack: ExitStack) -> Iterator[tuple[Part, Pinned]]:
    """Each database of a study as it stood at one instant between two acts.

    An act of the closed space commits there first and in the open space a moment later; only the newest crossing
    can be completed after a restore. Under the open ledger's lock no act is half done. The lock is held while the
    instants are pinned, not while the copies are made.
    """
    with ExitStack() as locked:
        for part in parts:
            if part.is_store:
                store = locked.enter_context(open_store(part.address, create=False))
                locked.enter_context(store.ledger(f"{part.study}/{part.name.rpartition('.')[2]}").transaction())
                heads[part.name] = _heads(store)
        pinned = [(part, _pin(part.address, stack)) for part in parts]
    yield from pinned


def _pin(address: str, stack: ExitStack) -> Pinned:
    if address.startswith("sqlite:"):
        source = stack.enter_context(closing(sqlite3.connect(_path(address), isolation_level=None)))
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the first read fixes the instant

        def copy(file: Path) -> None:
            with closing(sqlite3.connect(file)) as target:
                source.backup(target)
            file.chmod(0o600)

        return copy
    import psycopg

    connection = stack.enter_context(psycopg.connect(address))
    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    (snapshot,) = connection.execute("SELECT pg_export_snapshot()").fetchone() or ("",)
    return lambda file: _run(
        "pg_dump", "--format=custom", f"--snapshot={snapshot}", f"--file={file}", f"--dbname={address}"
    )


def _heads(store: Store) -> dict[str, Any]:
    """Size and root of each ledger."""
    heads = {ledger_id: store.ledger(ledger_id).head() for ledger_id in store.ledger_ids()}
    return {ledger_id: {"size": head.size, "root": head.root.hex()} for ledger_id, head in heads.items()}


# --- restore -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Restored:
    """What a restore found.

    Attributes:
        reports: one for each ledger.
        missing: ledger → (entries that came back, entries that a checkpoint held outside covers): what was lost.
        unproven: ledgers of which no checkpoint held outside covers an entry.
    """

    reports: tuple[Report, ...]
    missing: Mapping[str, tuple[int, int]]
    unproven: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing is known to be wrong or lost."""
        return not self.missing and not any(report.fault for report in self.reports)


def restore(environment: Environment, source: Path, notes: Iterable[str], keys: Iterable[str]) -> Restored:
    """Put a backup where the environment says, and hold it against checkpoints that others kept.

    A study that comes back behind such a checkpoint, or damaged, is read-only until somebody has accepted the loss
    (see :func:`accept_loss`).

    Args:
        source: folder of the backup.
        notes: texts of checkpoints held outside.
        keys: public keys that are trusted.

    Raises:
        BackupUnusable: no backup, a file changed, or something is there already.
        ToolFailed: ``pg_restore`` is missing or failed.
    """
    manifest = _read_manifest(source)
    parts = parts_of(environment)
    for part in parts:
        file = source / f"{part.name}{_suffix(part.address)}"
        if not file.exists():
            raise BackupUnusable(f"there is no {file.name}", remedy="restore with the settings it was made with")
        if part.address.startswith("sqlite:") and _path(part.address).exists():
            raise BackupUnusable(f"{_path(part.address)} exists", remedy="move it away first; nothing is overwritten")
    for part in parts:
        _copy_in(source / f"{part.name}{_suffix(part.address)}", part.address)
    for name, folder in _folders(environment).items():
        if folder is not None and (source / name).is_dir():
            shutil.copytree(source / name, folder, dirs_exist_ok=True)
    return _verified(environment, parts, manifest, list(notes), list(keys))


def _verified(
    environment: Environment, parts: Iterable[Part], manifest: Mapping[str, Any], notes: list[str], keys: list[str]
) -> Restored:
    trusted = [VerifierKey.parse(key) for key in keys]
    outside = {f"checkpoint {n}": note for n, note in enumerate(notes, 1)}
    reports, missing, unproven = [], {}, []
    for part in parts:
        if not part.is_store:
            continue
        with open_store(part.address, create=False) as store:
            for ledger_id in store.ledger_ids():
                about = {label: note for label, note in outside.items() if parse_checkpoint(note).origin == ledger_id}
                report = verify_ledger(store.ledger(ledger_id), outside=about, keys=trusted)
                reports.append(report)
                known = max((parse_checkpoint(note).size for note in about.values()), default=0)
                if report.size < known:
                    missing[ledger_id] = (report.size, known)
                if not report.covered and "/security-" not in ledger_id:
                    unproven.append(ledger_id)
    found = Restored(tuple(reports), missing, tuple(unproven))
    for study in {report.ledger_id.partition("/")[0] for report in reports}:
        _mark(environment.installation, study, found)
    return found


def _mark(installation: Path, study: str, found: Restored) -> None:
    mark = read_only_mark(installation, study)
    lost = {ledger: sizes for ledger, sizes in found.missing.items() if ledger.startswith(f"{study}/")}
    faults = {r.ledger_id: str(r.fault) for r in found.reports if r.fault and r.ledger_id.startswith(f"{study}/")}
    if lost or faults:
        said = {"lost": {ledger: {"has": has, "covered": known} for ledger, (has, known) in lost.items()}}
        mark.write_text(json.dumps({**said, "faults": faults}, indent=1), encoding="utf-8")


def accept_loss(installation: Path, study: str, person: str, now: datetime) -> Path:
    """Let a study that came back behind be written again; returns the file that keeps who accepted which loss.

    Args:
        person: who accepted, already made sure of by their password.

    Raises:
        InvalidValue: nothing waits to be accepted.
    """
    mark = read_only_mark(installation, study)
    if not mark.exists():
        raise InvalidValue(f"{study} is not waiting for that", remedy="nothing is to be done", study=study)
    said = {**json.loads(mark.read_text(encoding="utf-8")), "accepted_by": person, "accepted_at": now.isoformat()}
    kept = mark.with_name(f"{study}.loss-accepted-{now:%Y%m%dT%H%M%SZ}.json")
    kept.write_text(json.dumps(said, indent=1), encoding="utf-8")
    mark.unlink()
    return kept


def _copy_in(file: Path, address: str) -> None:
    if address.startswith("sqlite:"):
        target = _path(address)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
        target.chmod(0o600)
    else:
        _run("pg_restore", "--exit-on-error", f"--dbname={address}", str(file))


def _read_manifest(source: Path) -> Mapping[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((source / MANIFEST).read_text(encoding="utf-8"))
        stated: dict[str, str] = manifest["files"]
        known = manifest["format"] == FORMAT
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackupUnusable(f"{source} is no backup: {error}", remedy="name the folder of a backup") from error
    if not known:
        raise BackupUnusable(f"{source} has another format", remedy="use the version that made it")
    found = {str(path.relative_to(source)): _digest(path) for path in _files(source) if path.name != MANIFEST}
    wrong = sorted(name for name in stated.keys() | found.keys() if stated.get(name) != found.get(name))
    if wrong:
        raise BackupUnusable(f"{wrong[0]} is not what was backed up", remedy="use another backup, or another copy")
    return manifest


# --- around --------------------------------------------------------------------------------------------------------


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        digest = sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _path(address: str) -> Path:
    return Path(address.removeprefix("sqlite:///"))


def _suffix(address: str) -> str:
    return ".sqlite" if address.startswith("sqlite:") else ".pgdump"


def _run(program: str, *arguments: str) -> None:
    found = shutil.which(program)
    if found is None:
        raise ToolFailed(f"{program} is not installed", remedy="install PostgreSQL's client programs")
    done = subprocess.run([found, *arguments], capture_output=True, text=True, env=_quiet(), check=False)  # noqa: S603
    if done.returncode:
        # The address may hold a password; the program's own words do not.
        said = (done.stderr.strip().splitlines() or ["no message"])[-1][:200]
        raise ToolFailed(f"{program}: {said}", remedy="look at the server's log, then try again")


def _quiet() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C"}  # noqa: TID251 - the edge that starts programs
