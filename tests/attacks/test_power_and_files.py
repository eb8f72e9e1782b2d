"""A power cut takes no file that the record relies on; and it takes those that are left to the operating system.

Of files and folders a cut leaves what was synced: a file's bytes as they were at its last sync, a folder's names as
they were at its own. Everything else is taken here, as the worst disk would.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest

from trialwright.cli.keys import write_secret
from trialwright.foundation.files import make_durable, write_whole
from trialwright.foundation.ports import SettableClock
from trialwright.ledger import NewEntry, SigningKey, Witness, canonical, sign_checkpoint
from trialwright.stores import MemoryStore, Part, StoreSettingsTooWeak, back_up, keyrings, open_store, restore
from trialwright.stores.keyrings import SqliteKeyring
from trialwright.trial.event import Space
from trialwright_web.capture import form_blobs
from trialwright_web.shell import checkpoints

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SIGNER = SigningKey("sponsor.example/demo", b"s" * 32)
SAID = {"stream": "study", "stream_seq": 1, "type": "a.b", "request_id": "r-1"}
ENTRY = NewEntry(**SAID, body=canonical(SAID))
STORE = MemoryStore()
with STORE.ledger("small/open").transaction() as transaction:
    transaction.append([ENTRY])
SCAN = b"%PDF a scan"


class Disk:
    """Remembers what was synced.

    Args:
        root: a folder that is there before, and stays.
    """

    def __init__(self, root, monkeypatch):
        self._root, self._contents, self._names = root, {}, {}
        really = os.fsync

        def fsync(handle):
            really(handle)
            status = os.fstat(handle)
            if stat.S_ISDIR(status.st_mode):
                self._names[status.st_ino] = {entry.name: entry.inode() for entry in os.scandir(handle)}
            else:
                self._contents[status.st_ino] = Path(f"/proc/self/fd/{handle}").read_bytes()

        monkeypatch.setattr(os, "fsync", fsync)

    def left(self, path):
        """What is in a file after a power cut now; None where there is no such file."""
        inode = self._root.stat().st_ino
        for name in path.relative_to(self._root).parts:
            inode = self._names.get(inode, {}).get(name)
        return self._contents.get(inode)


@pytest.fixture
def disk(tmp_path, monkeypatch):
    return Disk(tmp_path, monkeypatch)


def a_file(root):
    write_whole(root / "a" / "b" / "file", SCAN)
    return [root / "a" / "b" / "file"]


def an_attached_file(root):
    blobs = form_blobs.Blobs(root / "kept" / "attachments", SimpleNamespace(study="small"))
    digest = blobs.put(SCAN)
    return [root / "kept" / "attachments" / "small" / digest[:2] / digest, root / "kept" / form_blobs.KEY_FILE]


def a_receipt(root):
    ledger = STORE.ledger("small/open")
    trial = SimpleNamespace(
        study="small", stores={Space.OPEN: STORE}, ledgers={Space.OPEN: ledger}, one_space=True,
        clock=SettableClock(NOW),
    )  # fmt: skip
    checkpoints.checkpointer(trial, root / "kept" / "receipts").sign(Space.OPEN)
    return [root / "kept" / checkpoints.KEY_FILE, root / "kept" / "receipts" / "small" / "open" / "1.txt"]


def a_witness(root):
    ledger = STORE.ledger("small/open")
    note = sign_checkpoint("small/open", 1, ledger.root(), SIGNER)
    Witness(root / "site" / "kept", "small/open", [SIGNER.verifier]).accept(note)
    return [root / "site" / "kept" / "000000000001.txt"]


def a_key_of_the_ceremony(root):
    write_secret(root / "unblinding.key", b"{}")
    return [root / "unblinding.key"]


def a_backup_and_what_came_back(root):
    (root / "attachments" / "small" / "ab").mkdir(parents=True)
    (root / "attachments" / "small" / "ab" / "scan").write_bytes(SCAN)
    part = Part("small.open", f"sqlite:///{root}/open.db", "small/open", "small")
    with open_store(part.address) as store, store.ledger("small/open").transaction() as transaction:
        transaction.append([ENTRY])
    back_up([part], root / "backup", NOW, folders={"attachments": root / "attachments"})
    back = replace(part, address=f"sqlite:///{root}/new/open.db")
    restore(root / "backup", [back], NOW, outside={}, keys=[], folders={"attachments": root / "new" / "attachments"})
    places = [root / "backup", root / "new" / "attachments"]
    # Not asked: databases in use, which SQLite syncs itself.
    return [path for place in places for path in place.rglob("*") if path.is_file()]


KEPT = [a_file, an_attached_file, a_receipt, a_witness, a_key_of_the_ceremony, a_backup_and_what_came_back]


@pytest.fixture(autouse=True)
def no_installation(monkeypatch):
    """The keys of files come from no keyring here."""
    monkeypatch.setattr(form_blobs, "key_of_file", lambda *about, **how: b"")


@pytest.mark.parametrize("keep", KEPT)
def test_no_cut_takes_a_file_that_the_record_relies_on(tmp_path, disk, keep):
    kept = keep(tmp_path)
    assert kept
    for path in kept:
        assert disk.left(path) == path.read_bytes(), path


@pytest.mark.parametrize("keep", KEPT)
@pytest.mark.parametrize("weak", ["files", "names"])
def test_a_build_that_leaves_files_or_their_names_to_the_operating_system_is_found(
    tmp_path, disk, monkeypatch, keep, weak
):
    synced = os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda handle: stat.S_ISDIR(os.fstat(handle).st_mode) is (weak == "files") and synced(handle)
    )
    assert any(disk.left(path) is None for path in keep(tmp_path))


def test_of_two_that_make_a_file_at_once_one_counts_and_nothing_half_made_stays(tmp_path, disk):
    for content in (b"first", b"second"):
        write_whole(tmp_path / "key", content, mode=0o600, once=True)
    assert disk.left(tmp_path / "key") == b"first"
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    write_whole(tmp_path / "key", b"third")
    assert disk.left(tmp_path / "key") == b"third"
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        write_whole(tmp_path / "folder", b"where a folder is")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "key"]


def test_an_attached_file_that_another_process_has_just_put_there_is_waited_for(tmp_path, disk, monkeypatch):
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(os, "fsync", lambda handle: None)
        (path, _) = an_attached_file(tmp_path)
    assert disk.left(path) is None
    make_durable(tmp_path / "kept")
    an_attached_file(tmp_path)
    assert disk.left(path) == path.read_bytes()


class Stubborn(sqlite3.Connection):
    """Takes one setting not as it was asked."""

    instead: ClassVar[tuple[str, str]]

    def execute(self, sql, *values):
        return super().execute(sql.replace(*self.instead), *values)


@pytest.mark.parametrize(
    ("setting", "instead"),
    [("journal_mode", "MEMORY"), ("synchronous", "OFF"), ("secure_delete", "OFF"), ("fullfsync", "OFF")],
)
def test_a_keyring_does_not_work_with_weaker_settings(tmp_path, monkeypatch, setting, instead):
    """A key that a power cut takes has sealed texts that were acknowledged."""
    wanted = keyrings._SETTINGS[setting][0]
    stubborn = type("Taking", (Stubborn,), {"instead": (f"{setting} = {wanted}", f"{setting} = {instead}")})
    really = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *given, **how: really(*given, **how, factory=stubborn))
    keyring = SqliteKeyring(tmp_path / "keys.db")
    for _ in range(2):
        with pytest.raises(StoreSettingsTooWeak, match=setting):
            keyring.keep("small/open/P", "text", 0, bytes(32))
