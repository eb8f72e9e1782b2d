"""SQLite: the embedded store. One file, safe against power cuts, append-only for every connection to it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from trialwright.foundation.errors import RecordError
from trialwright.ledger import Entry, Frontier, LedgerDamaged, chain_start
from trialwright.stores.database import Parameters, Put, Question, packed, unpacked
from trialwright.stores.errors import (
    AppendOnly,
    NotAStore,
    ProjectionOutdated,
    StoreFull,
    StoreLocked,
    StoreMissing,
    StoreSettingsTooWeak,
    StoreTooNew,
    StoreUnavailable,
)
from trialwright.stores.grouping import GroupingDatabase
from trialwright.stores.keyrings import SqliteKeyring
from trialwright.stores.sql import SqlStore

SCHEMA_VERSION = 1
APPLICATION_ID = 0x54574C47  # "TWLG" in the file's header tells our files from others
BUSY_SECONDS = 30.0
_SETTING_ATTEMPTS = 250

# WITHOUT ROWID: a hidden key would be a second one by which INSERT OR REPLACE could delete a row.
_TABLES = (
    """CREATE TABLE ledger_entry (
        ledger_id TEXT NOT NULL, seq INTEGER NOT NULL, stream TEXT NOT NULL, stream_seq INTEGER NOT NULL,
        type TEXT NOT NULL, request_id TEXT NOT NULL, body BLOB NOT NULL, leaf BLOB NOT NULL, chain BLOB NOT NULL,
        PRIMARY KEY (ledger_id, seq), UNIQUE (ledger_id, stream, stream_seq)) WITHOUT ROWID""",
    "CREATE INDEX ledger_entry_by_request ON ledger_entry (ledger_id, request_id, seq)",
    """CREATE TABLE ledger_head (
        ledger_id TEXT NOT NULL PRIMARY KEY, size INTEGER NOT NULL, chain BLOB NOT NULL, frontier BLOB NOT NULL)
        WITHOUT ROWID""",
    """CREATE TABLE ledger_checkpoint (
        ledger_id TEXT NOT NULL, size INTEGER NOT NULL, note TEXT NOT NULL, PRIMARY KEY (ledger_id, note))
        WITHOUT ROWID""",
    "CREATE TABLE store_projection (name TEXT NOT NULL PRIMARY KEY, declaration TEXT NOT NULL)",
)

# INSERT OR REPLACE deletes the row in its way, and delete triggers see that only where recursive_triggers is
# on, which is a setting of each connection. The insert trigger therefore leaves no row in the way: it runs
# before the conflict is resolved and lets nothing in but the next entry of ledger and stream.
_TRIGGERS = {
    "ledger_entry_next": """CREATE TRIGGER ledger_entry_next BEFORE INSERT ON ledger_entry
        WHEN NEW.seq <> 1 + coalesce((SELECT max(seq) FROM ledger_entry WHERE ledger_id = NEW.ledger_id), 0)
          OR NEW.stream_seq <> 1 + coalesce((SELECT max(stream_seq) FROM ledger_entry
               WHERE ledger_id = NEW.ledger_id AND stream = NEW.stream), 0)
        BEGIN SELECT RAISE(ABORT, 'append-only: not the next entry'); END""",
    "ledger_head_grows": """CREATE TRIGGER ledger_head_grows BEFORE UPDATE ON ledger_head
        WHEN NEW.ledger_id <> OLD.ledger_id OR NEW.size < OLD.size
        BEGIN SELECT RAISE(ABORT, 'append-only: a ledger never shrinks'); END""",
    "ledger_head_new": """CREATE TRIGGER ledger_head_new BEFORE INSERT ON ledger_head
        WHEN EXISTS (SELECT 1 FROM ledger_head WHERE ledger_id = NEW.ledger_id AND size > NEW.size)
        BEGIN SELECT RAISE(ABORT, 'append-only: a ledger never shrinks'); END""",
    **{
        f"{table}_no_{act.lower()}": f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, 'append-only: no {act.lower()}'); END"
        for table, act in (
            ("ledger_entry", "UPDATE"),
            ("ledger_entry", "DELETE"),
            ("ledger_head", "DELETE"),
            ("ledger_checkpoint", "UPDATE"),
            ("ledger_checkpoint", "DELETE"),
        )
    },
    "ledger_checkpoint_once": """CREATE TRIGGER ledger_checkpoint_once BEFORE INSERT ON ledger_checkpoint
        WHEN EXISTS (SELECT 1 FROM ledger_checkpoint WHERE ledger_id = NEW.ledger_id AND note = NEW.note)
        BEGIN SELECT RAISE(IGNORE); END""",
}

# What a database must answer before entries are trusted to it (value of the PRAGMA once set).
_SETTINGS: dict[str, tuple[str, str | int]] = {
    "journal_mode": ("WAL", "wal"),
    "synchronous": ("FULL", 2),
    "recursive_triggers": ("ON", 1),
    "fullfsync": ("ON", 1),
    "checkpoint_fullfsync": ("ON", 1),
}


def open_sqlite(
    path: Path, *, create: bool, busy_seconds: float = BUSY_SECONDS, acts_per_commit: int = 1
) -> SqlStore:
    """Open the store in a SQLite file.

    Args:
        path: the file.
        create: make it when absent.
        busy_seconds: how long to wait for another writer.
        acts_per_commit: see :func:`~trialwright.stores.open_store`.

    Raises:
        StoreMissing: no such file or folder. NotAStore: another program's database. StoreTooNew: written by a
        newer version. StoreSettingsTooWeak: settings or triggers that protect the record cannot be had.
        StoreLocked, StoreFull, StoreUnavailable: as they say.
    """
    if path.is_dir() or not path.parent.is_dir():
        raise StoreMissing(
            f"{path} cannot be a database file", remedy="give a file name in a folder that exists", path=str(path)
        )
    if not create and not path.exists():
        raise StoreMissing(f"there is no store at {path}", remedy="correct the path, or create it", path=str(path))
    with _named_errors():
        # Transactions are ours: the module must not open any by itself.
        connection = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None, cached_statements=512)
    try:
        database = SqliteDatabase(connection)
        keyring = SqliteKeyring(path.with_name(f"{path.name}.keys.db"))
        return SqlStore(database if acts_per_commit == 1 else GroupingDatabase(database, acts_per_commit), keyring)
    except BaseException:
        connection.close()
        raise


class SqliteDatabase:
    """A SQLite connection with the settings and the schema that the record needs.

    Args:
        connection: with ``isolation_level=None``, to a file; settings are made and verified, a new file gets
            its schema.

    Raises:
        As :func:`open_sqlite`.
    """

    projections = ""
    text = "TEXT"
    integer = "INTEGER"
    # In double quotes SQLite takes a name that does not exist for a text, and answers with no rows and no error.
    quote = "`"
    table_suffix = " WITHOUT ROWID"
    unsampled = ""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._in_transaction = False
        self._closed = False
        with _named_errors():
            self._recognise()
            self._set_up()
            self._settle()
            self._install()
            self._verify_triggers()

    def rows(self, sql: str, values: Parameters = ()) -> list[Any]:
        # Asked many times for each command; a context manager here would cost more than a small query.
        try:
            return self._connection.execute(sql, values).fetchall()
        except _ERRORS as error:
            raise _named(error) from error

    def run(self, sql: str, values: Parameters = ()) -> int:
        self._refuse_outside()
        try:
            return self._connection.execute(sql, values).rowcount
        except _ERRORS as error:
            raise _named(error) from error

    def run_many(self, sql: str, many: Sequence[Parameters]) -> None:
        self._refuse_outside()
        with _named_errors():
            self._connection.executemany(sql, many)

    def put(self, how: Put, rows: Sequence[Parameters]) -> None:
        self.run_many(how.one, rows)

    def settle(self) -> None:
        """Nothing waits: a statement costs no way to a server."""

    def begin(self) -> None:
        with _named_errors():
            self._connection.execute("BEGIN IMMEDIATE")
        self._in_transaction = True

    def commit(self) -> None:
        self._refuse_outside()
        with _named_errors():
            self._connection.execute("COMMIT")
        self._in_transaction = False

    def rollback(self) -> None:
        self._in_transaction = False
        with _named_errors():
            if not self._closed and self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def lock_head(self, ledger_id: str, then: Sequence[Question] = ()) -> tuple[bytes, Frontier, list[list[Any]]]:
        found = self.rows("SELECT size, chain, frontier FROM ledger_head WHERE ledger_id = ?", (ledger_id,))
        size, chain, nodes = found[0] if found else (0, chain_start(ledger_id), b"")
        last = self.rows(
            "SELECT seq, chain FROM ledger_entry WHERE ledger_id = ? ORDER BY seq DESC LIMIT 1", (ledger_id,)
        )
        # Nothing is added to a ledger that lost its end.
        if (last[0] if last else (0, chain)) != (size, chain):
            raise LedgerDamaged(
                f"the entries of {ledger_id} do not end at its head",
                remedy="verify the ledger against a checkpoint held outside, restore what is missing",
                ledger_id=ledger_id,
            )
        return chain, unpacked(size, nodes), []  # there is no way to the file that would be saved

    def write(self, ledger_id: str, entries: Sequence[Entry], frontier: Frontier) -> None:
        self.run_many(
            "INSERT INTO ledger_entry (ledger_id, seq, stream, stream_seq, type, request_id, body, leaf, chain)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(ledger_id, *entry) for entry in entries],
        )
        self.run(
            "INSERT INTO ledger_head (ledger_id, size, chain, frontier) VALUES (?, ?, ?, ?) ON CONFLICT (ledger_id)"
            " DO UPDATE SET size = excluded.size, chain = excluded.chain, frontier = excluded.frontier",
            (ledger_id, frontier.size, entries[-1].chain, packed(frontier)),
        )

    def write_checkpoint(self, ledger_id: str, size: int, note: str) -> None:
        self.run("INSERT INTO ledger_checkpoint (ledger_id, size, note) VALUES (?, ?, ?)", (ledger_id, size, note))

    def scrub(self) -> None:
        # VACUUM writes every page anew and cuts the rest off; the log that it went through is emptied after it.
        for statement in ("PRAGMA secure_delete = ON", "VACUUM"):
            self.rows(statement)
        [(busy, _, _)] = self.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        if busy:
            raise StoreLocked("somebody reads the database while it is cleaned", remedy="try again in a moment")

    def stands(self) -> bool:
        return not self._closed

    def close(self) -> None:
        self._closed = True
        self._connection.close()

    def _refuse_outside(self) -> None:
        # A full disk makes SQLite end the transaction by itself; what came after would be kept statement by
        # statement, half an act.
        if self._in_transaction and not self._connection.in_transaction:
            raise StoreFull(
                "the database has given the transaction up",
                remedy="make room on the disk and carry out the act again",
            )

    def _recognise(self) -> None:
        """Refuse other programs' databases and newer versions of ours before anything is changed."""
        # The application id last: who sees another process's tables or version sees it too, one commit brought all.
        occupied = bool(self.rows("SELECT 1 FROM sqlite_master LIMIT 1"))
        version = self._pragma("user_version")
        application = self._pragma("application_id")
        if application == APPLICATION_ID:
            if version > SCHEMA_VERSION:
                raise StoreTooNew(
                    f"the store has format {version}, this version reads up to {SCHEMA_VERSION}",
                    remedy="use the newer Trialwright that wrote it",
                    found=version,
                )
        elif application or version or occupied:
            raise NotAStore(
                "the file is a database of another program", remedy="give another path; nothing was changed"
            )

    def _set_up(self) -> None:
        for name, (wanted, answer) in _SETTINGS.items():
            found = self._patiently(f"PRAGMA {name} = {wanted}", name)
            if found != answer:
                raise StoreSettingsTooWeak(
                    f"SQLite keeps {name} = {found}, the record needs {wanted}",
                    remedy="put the database in a file on a local disk",
                    setting=name,
                )

    def _settle(self) -> None:
        """Put on the disk what an earlier process wrote but may not have synced before it died.

        SQLite takes whole transactions of such a log for committed without syncing it. A retry would be told
        "recorded before", and a power cut could still take the entry. A checkpoint syncs log and database.
        """
        self.rows("PRAGMA wal_checkpoint(PASSIVE)")

    def _patiently(self, statement: str, name: str) -> Any:
        """Make a setting, answer its value. Turning WAL on wants the file alone, and SQLite does not wait for it."""
        for attempt in range(_SETTING_ATTEMPTS):
            try:
                self.rows(statement)
                break
            except StoreLocked:
                if attempt == _SETTING_ATTEMPTS - 1:
                    raise
                time.sleep(0.02)
        return self._pragma(name)

    def _install(self) -> None:
        if self._pragma("application_id") == APPLICATION_ID:
            return
        self.begin()
        try:
            # Another process may have been quicker while we waited for the lock.
            if self._pragma("application_id") != APPLICATION_ID:
                for statement in (*_TABLES, *_TRIGGERS.values()):
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                self._connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            self.commit()
        finally:
            self.rollback()

    def _verify_triggers(self) -> None:
        found = dict(self.rows("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
        altered = sorted(name for name, sql in _TRIGGERS.items() if found.get(name) != sql)
        if altered:
            raise StoreSettingsTooWeak(
                f"the triggers {', '.join(altered)} that keep the record append-only are missing or altered",
                remedy="verify the ledger against a checkpoint held outside before anything is added",
            )

    def _pragma(self, name: str) -> Any:
        return self._connection.execute(f"PRAGMA {name}").fetchone()[0]


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except _ERRORS as error:
        raise _named(error) from error


# The module cannot even say what is wrong where a damaged schema has a name that is no UTF-8.
_ERRORS = (sqlite3.Error, UnicodeDecodeError)


def _named(error: sqlite3.Error | UnicodeDecodeError) -> RecordError:
    """The store error that a SQLite error means. Codes: https://www.sqlite.org/rescode.html"""
    text = str(error)
    if isinstance(error, UnicodeDecodeError):
        return LedgerDamaged(f"the database file is damaged: {text}", remedy="restore the last backup and verify it")
    if text.startswith("append-only"):
        return AppendOnly(f"the database refused: {text}", remedy="record a correction as a new entry")
    primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreLocked("another writer holds the database", remedy="try again; keep transactions short")
    if text.startswith(("no such table", "no such column")):
        return ProjectionOutdated(f"a projection is not as it was: {text}", remedy="rebuild the views")
    if primary == sqlite3.SQLITE_FULL:
        return StoreFull("the disk is full", remedy="make room on the disk and carry out the act again")
    if primary == sqlite3.SQLITE_NOTADB:
        return NotAStore("the file is not a SQLite database", remedy="give another path; nothing was changed")
    if primary == sqlite3.SQLITE_CORRUPT:
        return LedgerDamaged(f"the database file is damaged: {text}", remedy="restore the last backup and verify it")
    return StoreUnavailable(f"SQLite: {text}", remedy="check the path, its permissions and the disk")
