"""Backup of stores, and of the files beside them, into one folder, while people write.

Each database is copied as it stood at one instant, all spaces of a study at the same one. The manifest says up to
which entry and with which root, and the hash of every file. It is not signed: whether a backup is the record,
checkpoints held outside say, when it is restored. Secrets are no part of it: a thief of backups gets ciphertext.
Nor are the views of a store that holds sealed texts: they say in the clear what is to be forgotten one day.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from trialwright.foundation.files import make_durable, make_folder, write_whole
from trialwright.ledger import Store
from trialwright.stores.copying import Pinned, pin, suffix_of
from trialwright.stores.errors import BackupUnusable
from trialwright.stores.opening import open_store
from trialwright.stores.record_only import holds_sealed

MANIFEST = "manifest.json"
FORMAT = 1

Heads = dict[str, dict[str, Any]]
"""Ledger → its size and root (hex)."""


@dataclass(frozen=True)
class Part:
    """One database.

    Args:
        name: of its file in the backup, without ending.
        address: where it lives.
        ledger: the ledger under whose lock no act is half done; empty for a database that is no store.
        group: databases of one group are copied as they stood at one instant.
    """

    name: str
    address: str
    ledger: str = ""
    group: str = ""

    @property
    def is_store(self) -> bool:
        return bool(self.ledger)

    @property
    def file(self) -> str:
        """Name of its file in the backup."""
        return self.name + suffix_of(self.address)


@dataclass(frozen=True)
class Backup:
    """A backup whose every file is what the manifest says.

    Attributes:
        folder: where it lies.
        made_at: ISO, UTC.
        heads: part → ledger → size and root.
        said: what else whoever made it wanted to keep.
        without_views: parts whose views were left out, because their stores hold sealed texts.
    """

    folder: Path
    made_at: str
    heads: Mapping[str, Heads]
    said: Mapping[str, Any]
    without_views: tuple[str, ...] = ()


def back_up(
    parts: Sequence[Part],
    target: Path,
    now: datetime,
    *,
    folders: Mapping[str, Path] | None = None,
    said: Mapping[str, Any] | None = None,
) -> Backup:
    """Write a backup to a new folder.

    Args:
        parts: the databases.
        target: a folder that does not exist.
        now: put into the manifest.
        folders: name in the backup → folder of files that are never changed once written (attachments, checkpoints).
            Copied after the databases, so that no entry speaks of a file that is not there.
        said: plain data for the manifest.

    Raises:
        BackupUnusable: the folder exists.
        StoreMissing, StoreUnavailable, ToolFailed: a database cannot be had, or ``pg_dump`` failed.
    """
    if target.exists():
        raise BackupUnusable(f"{target} exists", remedy="name a new folder; a backup is never overwritten")
    make_folder(target.parent)
    target.mkdir(mode=0o700)
    heads: dict[str, Heads] = {}
    bare: list[str] = []
    for group in dict.fromkeys(part.group for part in parts):
        with ExitStack() as stack:
            together = [part for part in parts if part.group == group]
            for part, copy in _pinned_together(together, heads, stack):
                # Asked after the instant of the copy: what was sealed until then is seen.
                if part.is_store and _seals(part):
                    copy(target / part.file, without_views=True)
                    bare.append(part.name)
                else:
                    copy(target / part.file)
    for name, folder in (folders or {}).items():
        if folder.is_dir():
            shutil.copytree(folder, target / name)
    make_durable(target)
    manifest = {
        "format": FORMAT,
        "made_at": now.astimezone(UTC).isoformat(timespec="seconds"),
        "heads": heads,
        "without_views": bare,
        "files": {str(path.relative_to(target)): _digest(path) for path in _files(target)},
        "said": dict(said or {}),
    }
    # Last, and in its place at once: a backup that was interrupted has no manifest and is none.
    write_whole(target / MANIFEST, json.dumps(manifest, indent=1, sort_keys=True).encode())
    return Backup(target, str(manifest["made_at"]), heads, dict(said or {}), tuple(bare))


def read_backup(folder: Path) -> Backup:
    """A backup, once every file was found to be what was backed up, and none besides.

    Raises:
        BackupUnusable: no backup, another format, a file changed, missing or added.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        stated: dict[str, str] = dict(manifest["files"])
        known = manifest["format"] == FORMAT
        bare = tuple(str(name) for name in manifest.get("without_views", ()))
        backup = Backup(folder, str(manifest["made_at"]), dict(manifest["heads"]), dict(manifest["said"]), bare)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BackupUnusable(f"{folder} is no backup: {error}", remedy="name the folder of a backup") from error
    if not known:
        raise BackupUnusable(f"{folder} has another format", remedy="use the version that made it")
    found = {str(path.relative_to(folder)): _digest(path) for path in _files(folder) if path != folder / MANIFEST}
    wrong = sorted(name for name in stated.keys() | found.keys() if stated.get(name) != found.get(name))
    if wrong:
        raise BackupUnusable(
            f"{wrong[0]} is not what was backed up",
            remedy="use another backup, or another copy of this one",
            file=wrong[0],
        )
    return backup


def heads_of(store: Store) -> Heads:
    """Size and root of each ledger."""
    heads = {ledger_id: store.ledger(ledger_id).head() for ledger_id in store.ledger_ids()}
    return {ledger_id: {"size": head.size, "root": head.root.hex()} for ledger_id, head in heads.items()}


def _pinned_together(
    parts: Iterable[Part], heads: dict[str, Heads], stack: ExitStack
) -> Iterator[tuple[Part, Pinned]]:
    """Each database as it stood at one instant between two acts.

    An act of the closed space commits there first and in the open space a moment later; only the newest crossing
    can be completed after a restore. Under the ledgers' locks no act is half done. They are held while the instants
    are pinned, not while the copies are made.
    """
    every = list(parts)
    with ExitStack() as locked:
        for part in every:
            if part.is_store:
                store = locked.enter_context(open_store(part.address, create=False))
                locked.enter_context(store.ledger(part.ledger).transaction())
                heads[part.name] = heads_of(store)
        pinned = [(part, pin(part.address, stack)) for part in every]
    yield from pinned


def _seals(part: Part) -> bool:
    with open_store(part.address, create=False) as store:
        return holds_sealed(store)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        digest = sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
