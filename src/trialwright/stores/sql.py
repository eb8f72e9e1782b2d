"""The store over a SQL database: one implementation, two databases."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from trialwright.foundation.errors import Refusal
from trialwright.foundation.ports import Keyring
from trialwright.foundation.tables import Rows
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
from trialwright.stores.database import Database, Question, unpacked
from trialwright.stores.errors import RestoredBehind, ViewsLeftOut
from trialwright.stores.holds import is_held
from trialwright.stores.keyrings import MemoryKeyring
from trialwright.stores.record_only import awaits_views
from trialwright.stores.sql_rows import SqlRows

_PAGE = 1000
_NAMES_AT_ONCE = 500
_FORESEEN = 200
"""Entries of others that are looked at one by one."""
_PLACES = "SELECT seq FROM ledger_entry WHERE ledger_id = ? AND request_id = ?"
_ENTRY = "SELECT seq, stream, stream_seq, type, request_id, body, leaf, chain FROM ledger_entry WHERE ledger_id = ?"


class SqlStore:
    """Ledgers and rows in one database, used by one thread at a time.

    Args:
        database: an open connection whose settings and schema were verified.
        keyring: the keys of what is sealed in it; without one they are in memory, and gone with it.
    """

    def __init__(self, database: Database, keyring: Keyring | None = None) -> None:
        self._database = database
        self.keyring: Keyring = keyring or MemoryKeyring()
        self._rows = SqlRows(database)
        self._in_transaction = False
        self._held = is_held(database) or awaits_views(database)
        self.rows: Rows = ReadOnlyRows(self._rows)

    def ledger(self, ledger_id: str) -> SqlLedger:
        return SqlLedger(self, self._database, checked_ledger_id(ledger_id))

    def ledger_ids(self) -> tuple[str, ...]:
        found = self._database.rows("SELECT ledger_id FROM ledger_head WHERE size > 0 ORDER BY ledger_id")
        return tuple(name for (name,) in found)

    def save_checkpoint(self, ledger_id: str, note: str) -> None:
        checkpoint = checked_checkpoint(ledger_id, note)
        self._database.write_checkpoint(ledger_id, checkpoint.size, note)

    def checkpoints(self, ledger_id: str) -> tuple[str, ...]:
        found = self._database.rows(
            "SELECT note FROM ledger_checkpoint WHERE ledger_id = ? ORDER BY size, note", (ledger_id,)
        )
        return tuple(note for (note,) in found)

    def scrub(self) -> None:
        self._database.scrub()

    def stands(self) -> bool:
        return self._database.stands()

    def close(self) -> None:
        self._database.rollback()
        self._database.close()
        self.keyring.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def transaction(self, ledger_id: str, foreseen: Foreseen | None = None) -> Iterator[SqlTransaction]:
        """The transaction of one ledger; :meth:`SqlLedger.transaction` is the door."""
        if self._in_transaction:
            raise nested()
        self._in_transaction = True
        self._rows.begin()
        transaction = None
        try:
            self._database.begin()
            # Asked again while it is held, so that whoever ends the hold need not restart everybody else.
            held = _why_held(self._database, ledger_id) if self._held else None
            self._held = held is not None
            transaction = SqlTransaction(self._database, ledger_id, self._rows, foreseen or Foreseen(), held=held)
            yield transaction
            self._rows.flush()
            self._database.commit()
        except BaseException:
            self._rows.undone()
            self._database.rollback()
            raise
        finally:
            if transaction is not None:
                transaction.end()
            self._rows.end()
            self._in_transaction = False


class SqlLedger:
    """One ledger of a :class:`SqlStore`."""

    def __init__(self, store: SqlStore, database: Database, ledger_id: str) -> None:
        self._store = store
        self._database = database
        self.ledger_id = ledger_id

    def head(self) -> Head:
        found = self._database.rows(
            "SELECT size, chain, frontier FROM ledger_head WHERE ledger_id = ?", (self.ledger_id,)
        )
        if not found:
            return Head(0, chain_start(self.ledger_id), Frontier().root())
        size, chain, nodes = found[0]
        return Head(size, chain, unpacked(size, nodes).root())

    def size(self) -> int:
        found = self._database.rows("SELECT size FROM ledger_head WHERE ledger_id = ?", (self.ledger_id,))
        return found[0][0] if found else 0

    def moved(self, after: int, most: int) -> tuple[int, Mapping[str, int]] | None:
        found = self._database.rows(*_came_after(self.ledger_id, after, most))
        return (found[-1][0] if found else after, _last_of_each(found)) if len(found) <= most else None

    def root(self, size: int | None = None) -> bytes:
        head = self.head()
        if checked_size(size, head.size) == head.size:
            return head.root
        return Frontier.of(self._leaves(size or 0)).root()

    def leaves(self, size: int | None = None) -> Sequence[bytes]:
        return list(self._leaves(checked_size(size, self.head().size)))

    def stream_version(self, stream: str) -> int:
        return _versions(self._database, self.ledger_id, [stream]).get(stream, 0)

    def streams(self, prefix: str = "") -> Sequence[str]:
        # Hops from name to name along the index; names are ASCII, so DEL stands after all of them.
        found = self._database.rows(
            "WITH RECURSIVE name(stream) AS ("
            " SELECT min(stream) FROM ledger_entry WHERE ledger_id = ? AND stream >= ? AND stream < ?"
            " UNION ALL SELECT (SELECT min(e.stream) FROM ledger_entry e"
            " WHERE e.ledger_id = ? AND e.stream > name.stream AND e.stream < ?)"
            " FROM name WHERE name.stream IS NOT NULL)"
            " SELECT stream FROM name WHERE stream IS NOT NULL ORDER BY stream",
            (self.ledger_id, prefix, prefix + "\x7f", self.ledger_id, prefix + "\x7f"),
        )
        return [stream for (stream,) in found]

    def read_stream(self, stream: str, after: int = 0) -> Iterator[Entry]:
        text = f"{_ENTRY} AND stream = ? AND stream_seq > ? ORDER BY stream_seq LIMIT {_PAGE}"
        page = self._database.rows(text, (self.ledger_id, stream, after))
        # A short first page, as nearly always, is all there is; what is appended later belongs to the next reading.
        last = self.stream_version(stream) if len(page) == _PAGE else 0
        yield from map(Entry._make, page)
        while (after := after + _PAGE) < last:
            page = self._database.rows(text, (self.ledger_id, stream, after))
            yield from (entry for entry in map(Entry._make, page) if entry.stream_seq <= last)

    def read(self, after: int = 0, limit: int | None = None) -> Iterator[Entry]:
        # What is appended while the reader goes on belongs to the next reading, as in memory.
        size = self.head().size
        last = size if limit is None else min(size, after + limit)
        while after < last:
            yield from map(
                Entry._make,
                self._database.rows(
                    f"{_ENTRY} AND seq > ? AND seq <= ? ORDER BY seq",
                    (self.ledger_id, after, min(last, after + _PAGE)),
                ),
            )
            after += _PAGE

    def find_request(self, request_id: str) -> tuple[Entry, ...]:
        return _request(self._database, self.ledger_id, request_id)

    @contextmanager
    def transaction(self, foreseen: Foreseen | None = None) -> Iterator[SqlTransaction]:
        with self._store.transaction(self.ledger_id, foreseen) as transaction:
            yield transaction

    def _leaves(self, size: int) -> Iterator[bytes]:
        after = 0
        while after < size:
            page = self._database.rows(
                "SELECT leaf FROM ledger_entry WHERE ledger_id = ? AND seq > ? AND seq <= ? ORDER BY seq",
                (self.ledger_id, after, min(size, after + 10_000)),
            )
            for (leaf,) in page:
                yield leaf
            after += 10_000


def _why_held(database: Database, ledger_id: str) -> Refusal | None:
    """Why nothing is added to a store that came back from a backup."""
    if is_held(database):
        return RestoredBehind(
            f"{ledger_id} came back from a backup with entries missing; it is read-only",
            remedy="list the loss and have it accepted: docs/how-to/back-up-and-restore.md",
            ledger_id=ledger_id,
        )
    if awaits_views(database):
        return ViewsLeftOut(
            f"{ledger_id} came back from a backup without its views; it is read-only until they are folded",
            remedy="put the keyring beside the store, then run rebuild-views: docs/how-to/back-up-and-restore.md",
            ledger_id=ledger_id,
        )
    return None


class SqlTransaction:
    """A transaction on a SQL store; made by :meth:`SqlLedger.transaction`."""

    def __init__(
        self, database: Database, ledger_id: str, rows: SqlRows, foreseen: Foreseen, *, held: Refusal | None
    ) -> None:
        self._database = database
        self._ledger_id = ledger_id
        self._rows = rows
        self._held = held
        chain, frontier, answers = database.lock_head(ledger_id, _questions(ledger_id, foreseen))
        self._appending = Appending(chain, frontier, _Recorded(database, ledger_id, frontier.size, foreseen, answers))
        self._depth = 0

    @property
    def head(self) -> Head:
        return self._appending.head()

    @property
    def rows(self) -> ProjectionRows:
        return self._rows

    def check(self, expected: Mapping[str, int], as_of: int | None = None) -> None:
        self._appending.check(expected, as_of)

    def append(self, entries: Sequence[NewEntry]) -> tuple[Entry, ...]:
        if self._held is not None:
            raise self._held
        placed = self._appending.extend(entries)
        if placed:
            self._database.write(self._ledger_id, placed, self._appending.frontier)
        return placed

    def find_request(self, request_id: str) -> tuple[Entry, ...]:
        return _request(self._database, self._ledger_id, request_id)

    def settle(self) -> None:
        self._rows.flush()
        self._database.settle()

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        self.settle()
        name = f"step_{self._depth}"
        self._database.run(f"SAVEPOINT {name}")
        self._depth += 1
        try:
            with self._appending.savepoint():
                yield
                self.settle()
        except BaseException:
            self._rows.undone()
            self._database.run(f"ROLLBACK TO SAVEPOINT {name}")
            raise
        finally:
            self._depth -= 1
            self._database.run(f"RELEASE SAVEPOINT {name}")

    def end(self) -> None:
        """Refuse further use."""
        self._appending.end()


class _Recorded:
    """What stands in the database, for :class:`Appending`.

    Args:
        size: entries when the head was locked.
        foreseen: what was asked ahead then.
        answers: to :func:`_questions`; empty where nothing was asked ahead.
    """

    def __init__(
        self, database: Database, ledger_id: str, size: int, foreseen: Foreseen, answers: Sequence[list[Any]]
    ) -> None:
        self._database = database
        self._ledger_id = ledger_id
        self._size = size
        waiting = iter(answers)
        self._new = foreseen.request_id if answers and foreseen.request_id and not next(waiting) else None
        self._as_of = foreseen.as_of
        self._came = next(waiting) if answers and foreseen.as_of is not None else None

    def moved(self, as_of: int) -> dict[str, int] | None:
        known = self._came is not None and as_of == self._as_of and len(self._came) <= _FORESEEN
        return _last_of_each(self._came or ()) if known else None

    def versions(self, streams: Collection[str]) -> dict[str, int]:
        return _versions(self._database, self._ledger_id, streams)

    def requests(self, request_ids: Collection[str], upto: int) -> tuple[Entry, ...]:
        if upto == self._size and all(one == self._new for one in request_ids):
            return ()
        for names in _portions(request_ids):
            # One look at each id; for a list of ids PostgreSQL may walk the whole ledger.
            found = self._database.rows(
                f"WITH wanted(request_id) AS (VALUES {_values(names)})"
                " SELECT (SELECT min(e.seq) FROM ledger_entry e"
                " WHERE e.ledger_id = ? AND e.request_id = wanted.request_id), request_id FROM wanted",
                (*names, self._ledger_id),
            )
            earlier = [(seq, request_id) for seq, request_id in found if seq is not None and seq <= upto]
            if earlier:
                entries = _request(self._database, self._ledger_id, min(earlier)[1])
                return tuple(entry for entry in entries if entry.seq <= upto)
        return ()


def _versions(database: Database, ledger_id: str, streams: Collection[str]) -> dict[str, int]:
    # One look at the end of each stream; grouping would read every entry of them.
    versions: dict[str, int] = {}
    for names in _portions(streams):
        found = database.rows(
            f"WITH wanted(stream) AS (VALUES {_values(names)})"
            " SELECT stream, (SELECT max(e.stream_seq) FROM ledger_entry e"
            " WHERE e.ledger_id = ? AND e.stream = wanted.stream) FROM wanted",
            (*names, ledger_id),
        )
        versions |= {stream: version for stream, version in found if version is not None}
    return versions


def _questions(ledger_id: str, foreseen: Foreseen) -> list[Question]:
    """What a transaction asks with the lock: whether the request was made before, and who wrote since."""
    first = [_place_of(ledger_id, foreseen.request_id)] if foreseen.request_id else []
    since = [_came_after(ledger_id, foreseen.as_of, _FORESEEN)] if foreseen.as_of is not None else []
    return first + since


def _came_after(ledger_id: str, after: int, most: int) -> Question:
    """Entries after the first ``after``, one more than ``most`` at the most."""
    return (
        "SELECT seq, stream, stream_seq FROM ledger_entry WHERE ledger_id = ? AND seq > ?"
        f" ORDER BY seq LIMIT {most + 1}",
        (ledger_id, after),
    )


def _last_of_each(came: Iterable[tuple[int, str, int]]) -> dict[str, int]:
    return {stream: number for _seq, stream, number in came}


def _place_of(ledger_id: str, request_id: str) -> Question:
    return f"{_PLACES} LIMIT 1", (ledger_id, request_id)


def _request(database: Database, ledger_id: str, request_id: str) -> tuple[Entry, ...]:
    # Asked in one step, SQLite would read the whole ledger in order of seq; the index by request holds the places.
    if not database.rows(*_place_of(ledger_id, request_id)):
        return ()  # as nearly always: a request is repeated only by who did not hear the answer
    found = database.rows(f"{_ENTRY} AND seq IN ({_PLACES}) ORDER BY seq", (ledger_id, ledger_id, request_id))
    return tuple(map(Entry._make, found))


def _portions(names: Collection[str]) -> Iterator[list[str]]:
    every = list(names)
    for start in range(0, len(every), _NAMES_AT_ONCE):
        yield every[start : start + _NAMES_AT_ONCE]


def _values(names: Collection[str]) -> str:
    return ", ".join(["(?)"] * len(names))
