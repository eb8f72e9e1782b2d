"""Power cuts: SQLite on a file system that drops, tears and reorders whatever was not synced.

    python tests/campaigns/attack_power.py [cuts]

A real store writes through a file system (``apsw``) that keeps a log of every write, truncation, deletion and sync,
and of every act that was acknowledged. A cut takes any moment of that log and makes a disk as it might be found
afterwards: what was synced stands; of the rest any pieces survive, in any order, torn at any byte. The store that is
opened on that disk, by the product on the ordinary SQLite, must hold every act acknowledged before the moment, whole,
and nothing that was never asked for.

A sync may also fail. The system then forgets what it had to write (as Linux does) and may answer the next sync well.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import apsw

from trialwright.foundation.errors import RecordError
from trialwright.foundation.tables import Column, Table
from trialwright.ledger import NewEntry, RequestAlreadyRecorded, canonical, verify_ledger
from trialwright.stores import open_store
from trialwright.stores.keyrings import SqliteKeyring
from trialwright.stores.sql import SqlStore
from trialwright.stores.sqlite import SqliteDatabase

LEDGER = "demo/open"
NAME = "store.db"
COUNTS = Table("counts", key=(Column("stream"),), columns=(Column("written", "integer"),))
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
SECTOR = 512
_NUMBERS = count(1)


# --- the file system that keeps a log ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """One thing that happened to the disk, or (``kind`` = "acknowledged") was said about it."""

    kind: str
    file: str = ""
    offset: int = 0
    data: bytes = b""


class Killed(Exception):
    """The process dies before this sync: what it wrote stays with the system, which has not written it yet."""


class LoggingDisk(apsw.VFS):  # type: ignore[misc]
    """A file system over the real one that writes down what SQLite does.

    Args:
        fail: asked before each write and sync (kind, file name, its number); answers an error to raise, or None.
    """

    def __init__(self, fail: Any = lambda kind, file, number: None) -> None:
        self.name = f"logging-disk-{next(_NUMBERS)}"
        self.steps: list[Step] = []
        self.fail = fail
        self.killed = False
        self.seen: Counter[str] = Counter()
        super().__init__(self.name, "")

    def xOpen(self, name: Any, flags: list[int]) -> Any:  # noqa: N802 - SQLite's name
        return _LoggedFile(self, name, flags)

    def xDelete(self, name: str, sync: bool) -> None:  # noqa: N802
        super().xDelete(name, sync)
        if self.killed:
            return
        self.steps.append(Step("delete, synced" if sync else "delete", Path(name).name))

    def asked(self, kind: str, file: str) -> None:
        """Count, and raise what is to go wrong."""
        self.seen[kind] += 1
        if self.killed:
            raise apsw.IOError("the process is dead")
        error = self.fail(kind, file, self.seen[kind])
        if isinstance(error, Killed):
            self.killed = True
            raise apsw.IOError("killed")
        if error is not None:
            if kind == "sync":
                self.steps.append(Step("sync failed", file))
            raise error


class _LoggedFile(apsw.VFSFile):  # type: ignore[misc]
    def __init__(self, disk: LoggingDisk, name: Any, flags: list[int]) -> None:
        super().__init__("", name, flags)
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._disk, self._file = disk, Path(path or "temporary").name

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._disk.asked("write", self._file)
        super().xWrite(data, offset)
        self._disk.steps.append(Step("write", self._file, offset, bytes(data)))

    def xTruncate(self, size: int) -> None:  # noqa: N802
        if self._disk.killed:
            raise apsw.IOError("the process is dead")
        super().xTruncate(size)
        self._disk.steps.append(Step("truncate", self._file, size))

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._disk.asked("sync", self._file)
        super().xSync(flags)
        self._disk.steps.append(Step("sync", self._file))


class StandardConnection:
    """What the store uses of the standard module's connection, over ``apsw``."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    @property
    def in_transaction(self) -> bool:
        return bool(self._connection.in_transaction)

    def execute(self, sql: str, values: Sequence[Any] = ()) -> _Answer:
        try:
            rows = self._connection.execute(sql, tuple(values)).fetchall()
        except apsw.Error as error:
            raise _standard(error) from error
        return _Answer(rows, self._connection.changes())

    def executemany(self, sql: str, many: Sequence[Sequence[Any]]) -> None:
        try:
            self._connection.executemany(sql, [tuple(values) for values in many])
        except apsw.Error as error:
            raise _standard(error) from error

    def close(self) -> None:
        with suppress(apsw.Error):  # as the standard module: what cannot be moved into the database stays in the log
            self._connection.close()


@dataclass(frozen=True)
class _Answer:
    _rows: list[Any]
    rowcount: int

    def fetchall(self) -> list[Any]:
        return self._rows

    def fetchone(self) -> Any:
        return self._rows[0] if self._rows else None


def _standard(error: apsw.Error) -> sqlite3.Error:
    said = str(error).removeprefix(f"{type(error).__name__}: ")
    named = sqlite3.OperationalError(said)
    planted = sqlite3.SQLITE_FULL if isinstance(error, apsw.FullError) else sqlite3.SQLITE_IOERR
    named.sqlite_errorcode = getattr(error, "extendedresult", 0) or planted  # only SQLite's own errors have a code
    return named


class _Unsettled(SqliteDatabase):
    """The weakened build: it relies on what it finds in the log, though nobody may have synced it."""

    def _settle(self) -> None:
        pass


def open_on(
    disk: LoggingDisk, path: Path, synchronous: str = "FULL", pages: int = 1000, *, settled: bool = True
) -> SqlStore:
    """The product's store on that disk.

    Args:
        synchronous: anything but FULL is set behind the back of the product: the weakened build.
        settled: whether the product settles, as it does, what an earlier process left unsynced.
        pages: after how many SQLite moves the log into the database.
    """
    connection = apsw.Connection(str(path), vfs=disk.name)
    # Files of apsw have no shared memory; alone with the file, SQLite keeps that part in its own.
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute(f"PRAGMA wal_autocheckpoint = {pages}")
    try:
        database = (SqliteDatabase if settled else _Unsettled)(StandardConnection(connection))  # type: ignore[arg-type]
    except BaseException:
        with suppress(apsw.Error):
            connection.close()  # it holds the file for itself
        raise
    if synchronous != "FULL":
        connection.execute(f"PRAGMA synchronous = {synchronous}")
    # Keys lie in a file of their own, on a disk that keeps its word.
    return SqlStore(database, SqliteKeyring(path.with_name(f"{path.name}.keys.db")))


# --- writing -------------------------------------------------------------------------------------------------------


def act(store: Any, number: int, size: int) -> None:
    """One act: one or two entries and the row that counts them, in one transaction."""
    ledger = store.ledger(LEDGER)
    stream = f"stream/{number % 3}"
    with ledger.transaction() as transaction:
        transaction.rows.ensure([COUNTS])
        version = ledger.stream_version(stream)
        transaction.append([_entry(stream, version + n, f"act-{number}", size) for n in (1, 2)])
        transaction.rows.put(COUNTS, {"stream": stream, "written": version + 2})


def _entry(stream: str, place: int, request: str, size: int) -> NewEntry:
    said = {"stream": stream, "stream_seq": place, "type": "thing.done", "request_id": request, "data": "x" * size}
    return NewEntry(stream, place, "thing.done", request, canonical(said))


def written(folder: Path, seed: int, acts: int, synchronous: str, *, settled: bool = True) -> list[Step]:
    """The log of a store to which so many acts were written: in sessions, killed now and then, some syncs failing."""
    chance = random.Random(seed)
    planted: dict[int, Exception] = {}
    if seed % 2:
        planted = dict.fromkeys(chance.sample(range(8, 40 + acts), k=3), apsw.IOError("planted"))
    planted |= dict.fromkeys(chance.sample(range(8, 40 + acts), k=4), Killed())
    disk = LoggingDisk(lambda kind, file, number: planted.get(number) if kind == "sync" else None)
    place = folder / f"{seed}-{synchronous}-{settled}"
    place.mkdir()
    number, refused, store = 0, 0, None
    while number < acts:
        try:
            store = store or open_on(disk, place / NAME, synchronous, chance.choice([8, 30, 1000]), settled=settled)
            act(store, number, chance.choice([10, 300, 5000]))
        except RequestAlreadyRecorded:
            pass  # the commit that reported a failure had taken place; the caller learns so, and counts on it
        except RecordError as error:
            refused += 1
            assert refused < 100, f"the store does not recover: {error}"
            if disk.killed:
                place = shutil.copytree(place, folder / f"{place.name}+")
                if store is not None:
                    store.close()
                store, disk.killed = None, False
            continue  # the same act again; nothing of it was acknowledged
        disk.steps.append(Step("acknowledged", offset=number))
        number += 1
        if chance.random() < 0.05:
            store.close()
            store = None
    if store is not None:
        disk.killed = True
        store.close()
    disk.unregister()
    return disk.steps


# --- cutting -------------------------------------------------------------------------------------------------------


@dataclass
class FoundDisk:
    """Files as they surely stand, and what is under way to them.

    Attributes:
        files: file → bytes that survive any cut; absent before its first sync.
        pending: file → writes and truncations since.
        deleted: files whose deletion may yet be undone: until anything is synced, for folders are kept in order.
    """

    files: dict[str, bytearray] = field(default_factory=dict)
    pending: dict[str, list[Step]] = field(default_factory=dict)
    deleted: dict[str, bytes] = field(default_factory=dict)
    acknowledged: int = 0

    def follow(self, step: Step, chance: random.Random) -> None:
        """Move on by one step."""
        if step.kind == "acknowledged":
            self.acknowledged = step.offset + 1
        elif step.kind == "sync":
            self.deleted.clear()
            _apply(self.files.setdefault(step.file, bytearray()), self.pending.pop(step.file, []))
        elif step.kind == "sync failed":
            # The system forgets what it had to write; a later sync says nothing of it.
            lost = self.pending.pop(step.file, [])
            _apply(self.files.setdefault(step.file, bytearray()), _survivors(lost, chance))
        elif step.kind.startswith("delete"):
            self.pending.pop(step.file, None)
            found = self.files.pop(step.file, None)
            if found is not None and step.kind == "delete":
                self.deleted[step.file] = bytes(found)
        else:
            self.pending.setdefault(step.file, []).append(step)

    def leave(self, folder: Path, chance: random.Random) -> None:
        """Write the files as they are found after a cut at this moment."""
        for name, content in self.deleted.items():
            if chance.random() < 0.5:
                (folder / name).write_bytes(content)
        for name in sorted(self.files.keys() | self.pending.keys()):
            if name not in self.files and chance.random() < 0.3:
                continue  # its name never reached the folder
            found = bytearray(self.files.get(name, b""))
            _apply(found, _survivors(self.pending.get(name, []), chance))
            (folder / name).write_bytes(found)


def _survivors(steps: Sequence[Step], chance: random.Random) -> list[Step]:
    """Pieces of what was not synced, in the order in which this disk happened to write them."""
    share = chance.choice([0.0, 0.1, 0.5, 0.9, 1.0])
    pieces = [piece for step in steps for piece in _sectors(step, chance) if chance.random() < share]
    if chance.random() < 0.5:
        chance.shuffle(pieces)
    return pieces


def _sectors(step: Step, chance: random.Random) -> Iterator[Step]:
    if step.kind == "truncate":
        yield step
        return
    for start in range(0, len(step.data), SECTOR):
        piece = step.data[start : start + SECTOR]
        if chance.random() < 0.02:
            piece = piece[: chance.randrange(len(piece))]  # torn in the middle
        if piece:
            yield Step("write", step.file, step.offset + start, piece)


def _apply(content: bytearray, steps: Sequence[Step]) -> None:
    for step in steps:
        if step.kind == "truncate":
            del content[step.offset :]
            continue
        if len(content) < step.offset:
            content.extend(bytes(step.offset - len(content)))
        content[step.offset : step.offset + len(step.data)] = step.data


# --- judging -------------------------------------------------------------------------------------------------------


def fault_of(path: Path, acknowledged: int) -> str | None:
    """What is wrong with the store that is found after a cut; None if nothing."""
    try:
        with open_store(f"sqlite:///{path}") as store:
            ledger = store.ledger(LEDGER)
            requests = [entry.request_id for entry in ledger.read()]
            if len(requests) < 2 * acknowledged:
                return "lost"
            if len(requests) > 2 * acknowledged + 2:
                return "more than was asked for"
            if requests != [f"act-{n // 2}" for n in range(len(requests))]:
                return "not in order, or half an act"
            if verify_ledger(ledger, outside={}, keys=[]).fault is not None:
                return "altered"
            counted = {row["stream"]: row["written"] for row in store.rows.where(COUNTS)} if requests else {}
            if any(ledger.stream_version(name) != n for name, n in counted.items()) or sum(
                counted.values()  # type: ignore[arg-type]
            ) != len(requests):
                return "rows do not follow the entries"
            act(store, len(requests) // 2, 100)  # and it goes on
    except RecordError as error:
        return f"unusable: {error.code}"
    return None


def cut(steps: Sequence[Step], cuts: int, seed: int) -> Counter[str]:
    """Cut the power so often at random moments; faults by name, and "cuts"."""
    chance = random.Random(f"cuts {seed}")
    moments = Counter(chance.randrange(len(steps) + 1) for _ in range(cuts))
    found: Counter[str] = Counter()
    disk = FoundDisk()
    for moment in range(len(steps) + 1):
        for _ in range(moments[moment]):
            with tempfile.TemporaryDirectory(dir=MEMORY) as place:
                disk.leave(Path(place), chance)
                found["cuts"] += 1
                fault = fault_of(Path(place) / NAME, disk.acknowledged)
                if fault:
                    found[fault] += 1
        if moment < len(steps):
            disk.follow(steps[moment], chance)
    return found


def attack(cuts: int, synchronous: str, *, acts: int = 60, runs: int = 10, settled: bool = True) -> Counter[str]:
    """So many cuts, spread over stores of different seeds; faults by name, and "cuts"."""
    found: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(dir=MEMORY) as place:
        for seed in range(runs):
            found += cut(written(Path(place), seed, acts, synchronous, settled=settled), cuts // runs, seed)
    return found


def main() -> int:
    cuts = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    full, normal = attack(cuts, "FULL"), attack(cuts // 5, "NORMAL")
    unsettled = attack(cuts // 5, "FULL", settled=False)
    print(f"SQLite {sqlite3.sqlite_version} opened what SQLite {apsw.sqlite_lib_version()} wrote")
    for name, found in (
        ("FULL", full),
        ("NORMAL (weakened)", normal),
        ("FULL, nothing settled at the start (weakened)", unsettled),
    ):
        faults = ", ".join(f"{n:,} {what}" for what, n in sorted(found.items()) if what != "cuts") or "0 faults"
        print(f"synchronous = {name}: {found['cuts']:,} cuts, {faults}")
    return 0 if set(full) == {"cuts"} and normal["lost"] and unsettled["lost"] else 1


if __name__ == "__main__":
    sys.exit(main())
