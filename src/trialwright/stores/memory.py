"""The store in memory: for rehearsals, and the plain reference beside the databases."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Self

from trialwright.foundation.ports import Keyring
from trialwright.foundation.tables import Cell, Key, Row, Rows, Table
from trialwright.ledger import (
    Appending,
    Entry,
    Foreseen,
    Frontier,
    Head,
    NewEntry,
    ProjectionRows,
    chain_start,
    checked_ledger_id,
)
from trialwright.stores.cells import ReadOnlyRows
from trialwright.stores.checks import checked_checkpoint, checked_size, nested
from trialwright.stores.errors import AppendOnly, StoreLocked
from trialwright.stores.keyrings import MemoryKeyring
from trialwright.stores.memory_rows import MemoryRows

LOCK_SECONDS = 30.0


class MemoryStore:
    """Ledgers and rows in this process; threads may share it, a lock makes them take turns.

    Args:
        lock_seconds: how long a transaction or a read waits for another thread's transaction.
    """

    def __init__(self, *, lock_seconds: float = LOCK_SECONDS) -> None:
        self._turn = _Turn(lock_seconds)
        self._in_transaction = False
        self._records: dict[str, _Record] = {}
        self._checkpoints: dict[str, dict[str, int]] = {}
        self._tables = MemoryRows()
        self.rows: Rows = ReadOnlyRows(_LockedRows(self, self._tables))
        self.keyring: Keyring = MemoryKeyring()

    def ledger(self, ledger_id: str) -> MemoryLedger:
        return MemoryLedger(self, checked_ledger_id(ledger_id))

    def ledger_ids(self) -> tuple[str, ...]:
        with self.locked():
            return tuple(sorted(name for name, record in self._records.items() if record.entries))

    def save_checkpoint(self, ledger_id: str, note: str) -> None:
        checkpoint = checked_checkpoint(ledger_id, note)
        with self.locked():
            self._checkpoints.setdefault(ledger_id, {})[note] = checkpoint.size

    def checkpoints(self, ledger_id: str) -> tuple[str, ...]:
        with self.locked():
            kept = self._checkpoints.get(ledger_id, {})
            return tuple(sorted(kept, key=lambda note: (kept[note], note)))

    def scrub(self) -> None:
        """Nothing is left of what was deleted."""

    def stands(self) -> bool:
        """Always: there is no server."""
        return True

    def close(self) -> None:
        """Nothing to let go of: the store lives as long as the object."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def locked(self) -> AbstractContextManager[None]:
        """Hold the store's lock; entered again freely by the thread that has it."""
        return self._turn

    @contextmanager
    def _transaction(self, ledger_id: str) -> Iterator[MemoryTransaction]:
        with self.locked():
            if self._in_transaction:
                raise nested()
            # A ledger whose first transaction is rolled back must not have come into being.
            record = self._records.get(ledger_id) or _Record(ledger_id)
            transaction = MemoryTransaction(record, self._tables)
            self._in_transaction = True
            try:
                with transaction.whole():
                    yield transaction
                self._records[ledger_id] = record
            finally:
                self._in_transaction = False

    def _record(self, ledger_id: str) -> _Record:
        return self._records.get(ledger_id) or _Record(ledger_id)


class _Turn:
    """The lock by which threads take turns. A class: every read takes it, and a generator costs ten times as much."""

    def __init__(self, seconds: float) -> None:
        self._lock = threading.RLock()
        self._seconds = seconds

    def __enter__(self) -> None:
        if not self._lock.acquire(timeout=self._seconds):
            raise StoreLocked(
                f"another transaction held the store for {self._seconds:g} s",
                remedy="try again; keep transactions short",
            )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()


class MemoryLedger:
    """One ledger of a :class:`MemoryStore`."""

    def __init__(self, store: MemoryStore, ledger_id: str) -> None:
        self._store = store
        self.ledger_id = ledger_id

    def head(self) -> Head:
        with self._store.locked():
            record = self._record
            return Head(len(record.entries), record.chain, record.frontier.root())

    def size(self) -> int:
        with self._store.locked():
            return len(self._record.entries)

    def moved(self, after: int, most: int) -> tuple[int, Mapping[str, int]] | None:
        with self._store.locked():
            found = self._record.entries[after : after + most + 1]
        if len(found) > most:
            return None
        return after + len(found), {entry.stream: entry.stream_seq for entry in found}

    def root(self, size: int | None = None) -> bytes:
        with self._store.locked():
            record = self._record
            if checked_size(size, len(record.entries)) == len(record.entries):
                return record.frontier.root()
            return Frontier.of(self.leaves(size)).root()

    def leaves(self, size: int | None = None) -> Sequence[bytes]:
        with self._store.locked():
            entries = self._record.entries
            return [entry.leaf for entry in entries[: checked_size(size, len(entries))]]

    def stream_version(self, stream: str) -> int:
        with self._store.locked():
            return len(self._record.streams.get(stream, ()))

    def streams(self, prefix: str = "") -> Sequence[str]:
        with self._store.locked():
            return sorted(name for name in self._record.streams if name.startswith(prefix))

    def read_stream(self, stream: str, after: int = 0) -> Iterator[Entry]:
        with self._store.locked():
            record = self._record
            found = [record.entries[seq - 1] for seq in record.streams.get(stream, ())[after:]]
        yield from found

    def read(self, after: int = 0, limit: int | None = None) -> Iterator[Entry]:
        with self._store.locked():
            found = self._record.entries[after : None if limit is None else after + limit]
        yield from found

    def find_request(self, request_id: str) -> tuple[Entry, ...]:
        with self._store.locked():
            return self._record.request(request_id)

    @contextmanager
    def transaction(self, foreseen: Foreseen | None = None) -> Iterator[MemoryTransaction]:
        with self._store._transaction(self.ledger_id) as transaction:
            yield transaction

    @property
    def _record(self) -> _Record:
        return self._store._record(self.ledger_id)


class MemoryTransaction:
    """A transaction on a memory store; made by :meth:`MemoryLedger.transaction`."""

    def __init__(self, record: _Record, tables: MemoryRows) -> None:
        self._record = record
        self._tables = tables
        self._appending = Appending(record.chain, record.frontier.copy(), record)
        self.rows: ProjectionRows = tables

    @property
    def head(self) -> Head:
        return self._appending.head()

    def check(self, expected: Mapping[str, int], as_of: int | None = None) -> None:
        self._appending.check(expected, as_of)

    def append(self, entries: Sequence[NewEntry]) -> tuple[Entry, ...]:
        placed = self._appending.extend(entries)
        self._record.refuse_gaps(placed)
        self._record.add(placed, self._appending.frontier)
        return placed

    def find_request(self, request_id: str) -> tuple[Entry, ...]:
        return self._record.request(request_id)

    def settle(self) -> None:
        """Nothing waits."""

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        size, frontier, mark = len(self._record.entries), self._record.frontier.copy(), self._tables.mark()
        try:
            with self._appending.savepoint():
                yield
        except BaseException:
            self._record.cut(size, frontier)
            self._tables.undo(mark)
            raise

    @contextmanager
    def whole(self) -> Iterator[None]:
        """The transaction itself: a savepoint around everything, after which nothing can be undone."""
        try:
            with self.savepoint():
                yield
        finally:
            self._tables.forget()
            self._appending.end()


class _Record:
    """The entries of one ledger with their indexes; also the ``Recorded`` of its appending."""

    def __init__(self, ledger_id: str) -> None:
        self.start = chain_start(ledger_id)
        self.entries: list[Entry] = []
        self.streams: dict[str, list[int]] = {}
        self._requests: dict[str, list[int]] = {}
        self.frontier = Frontier()

    @property
    def chain(self) -> bytes:
        return self.entries[-1].chain if self.entries else self.start

    def refuse_gaps(self, entries: Iterable[Entry]) -> None:
        """Refuse what is not the next entry of its stream, as the databases do themselves."""
        reached: dict[str, int] = {}
        for entry in entries:
            before = reached.get(entry.stream, len(self.streams.get(entry.stream, ())))
            if entry.stream_seq != before + 1:
                raise AppendOnly(
                    f"append-only: not the next entry of {entry.stream}",
                    remedy="record a correction as a new entry",
                )
            reached[entry.stream] = entry.stream_seq

    def add(self, entries: Iterable[Entry], frontier: Frontier) -> None:
        for entry in entries:
            self.entries.append(entry)
            self.streams.setdefault(entry.stream, []).append(entry.seq)
            self._requests.setdefault(entry.request_id, []).append(entry.seq)
        self.frontier = frontier.copy()

    def cut(self, size: int, frontier: Frontier) -> None:
        while len(self.entries) > size:
            entry = self.entries.pop()
            for index, name in ((self.streams, entry.stream), (self._requests, entry.request_id)):
                index[name].pop()
                if not index[name]:
                    del index[name]
        self.frontier = frontier

    def request(self, request_id: str) -> tuple[Entry, ...]:
        return tuple(self.entries[seq - 1] for seq in self._requests.get(request_id, ()))

    def versions(self, streams: Collection[str]) -> dict[str, int]:
        return {name: len(self.streams.get(name, ())) for name in streams}

    def moved(self, as_of: int) -> None:
        """Versions are at hand."""

    def requests(self, request_ids: Collection[str], upto: int) -> tuple[Entry, ...]:
        for request_id in request_ids:
            earlier = tuple(entry for entry in self.request(request_id) if entry.seq <= upto)
            if earlier:
                return earlier
        return ()


class _LockedRows:
    """Reading rows while other threads may write."""

    def __init__(self, store: MemoryStore, rows: Rows) -> None:
        self._store = store
        self._rows = rows

    def get(self, table: Table, key: Key) -> Row | None:
        with self._store.locked():
            return self._rows.get(table, key)

    def where(self, table: Table, **equals: Cell) -> Iterator[Row]:
        with self._store.locked():
            found = list(self._rows.where(table, **equals))
        yield from found
