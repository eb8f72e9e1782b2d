"""The three stores under one contract: each test that asks for ``backend`` runs on all of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psycopg
import pytest

from trialwright.ledger import Entry, Frontier, NewEntry, Store, canonical
from trialwright.stores import MemoryStore, open_store

LEDGER = "demo/open"


class Backend:
    """One database: opened by as many connections as a test likes, and by a forger who owns it."""

    name: str

    def open(self) -> Store:
        raise NotImplementedError

    def forge(self, entries: Sequence[Entry], chain: bytes) -> None:
        """Replace everything the ledger holds, as its owner with full rights could."""
        raise NotImplementedError

    def drop_last_entry(self) -> None:
        """Remove the last entry behind the back of the head (where the head is a row of its own)."""
        raise NotImplementedError


class MemoryBackend(Backend):
    name = "memory"

    def __init__(self) -> None:
        self.store = MemoryStore()

    def open(self) -> Store:
        return self.store

    def forge(self, entries: Sequence[Entry], chain: bytes) -> None:
        record = self.store._records[LEDGER]
        record.cut(0, Frontier())
        record.add(entries, Frontier.of(entry.leaf for entry in entries))


class SqliteBackend(Backend):
    name = "sqlite"

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    def open(self) -> Store:
        return open_store(self.url)

    def forge(self, entries: Sequence[Entry], chain: bytes) -> None:
        raw = sqlite3.connect(self.path, isolation_level=None)
        triggers = raw.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            raw.execute(f"DROP TRIGGER {name}")
        raw.execute("DELETE FROM ledger_entry")
        raw.executemany(
            "INSERT INTO ledger_entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", [(LEDGER, *entry) for entry in entries]
        )
        frontier = Frontier.of(entry.leaf for entry in entries)
        raw.execute(
            "UPDATE ledger_head SET size = ?, chain = ?, frontier = ?",
            (frontier.size, chain, b"".join(frontier.nodes)),
        )
        for _, sql in triggers:
            raw.execute(sql)
        raw.close()

    def drop_last_entry(self) -> None:
        raw = sqlite3.connect(self.path, isolation_level=None)
        [sql] = raw.execute("SELECT sql FROM sqlite_master WHERE name = 'ledger_entry_no_delete'").fetchone()
        raw.execute("DROP TRIGGER ledger_entry_no_delete")
        raw.execute("DELETE FROM ledger_entry WHERE seq = (SELECT max(seq) FROM ledger_entry)")
        raw.execute(sql)
        raw.close()


class PostgresqlBackend(Backend):
    name = "postgresql"

    def __init__(self, url: str) -> None:
        self.url = url

    def open(self) -> Store:
        return open_store(self.url)

    def forge(self, entries: Sequence[Entry], chain: bytes) -> None:
        frontier = Frontier.of(entry.leaf for entry in entries)
        with psycopg.connect(self.url) as raw, raw.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("DELETE FROM ledger.ledger_entry")
            cursor.executemany(
                "INSERT INTO ledger.ledger_entry VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                [(LEDGER, *entry) for entry in entries],
            )
            cursor.execute(
                "UPDATE ledger.ledger_head SET size = %s, chain = %s, frontier = %s",
                (frontier.size, chain, b"".join(frontier.nodes)),
            )

    def drop_last_entry(self) -> None:
        with psycopg.connect(self.url) as raw:
            raw.execute("SET session_replication_role = replica")
            raw.execute("DELETE FROM ledger.ledger_entry WHERE seq = (SELECT max(seq) FROM ledger.ledger_entry)")


NewBackend = Callable[[str], Backend]


@pytest.fixture
def new_backend(request: pytest.FixtureRequest, tmp_path: Path) -> NewBackend:
    """A function that makes an empty database of a kind."""

    def make(kind: str) -> Backend:
        if kind == "memory":
            return MemoryBackend()
        if kind == "sqlite":
            return SqliteBackend(tmp_path / f"store-{len(list(tmp_path.iterdir()))}.db")
        return PostgresqlBackend(request.getfixturevalue("new_postgres_database")())

    return make


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest, new_backend: NewBackend) -> Backend:
    """One of the three, empty."""
    return new_backend(request.param)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, new_backend: NewBackend) -> Backend:
    """One of the two that outlive their process, empty."""
    return new_backend(request.param)


@pytest.fixture
def store(backend: Backend) -> Iterator[Store]:
    """A store on the backend."""
    with backend.open() as opened:
        yield opened


@pytest.fixture
def another_store(backend: Backend, new_backend: NewBackend) -> Iterator[Store]:
    """A second, independent store of the same kind."""
    with new_backend(backend.name).open() as opened:
        yield opened


@pytest.fixture(scope="session")
def event() -> Callable[..., NewEntry]:
    """A function that makes an entry whose body agrees with it."""

    def make(
        stream: str, stream_seq: int, request_id: str | None = None, kind: str = "thing.done", **data: object
    ) -> NewEntry:
        request_id = request_id or f"request-{stream}-{stream_seq}"
        body = canonical(
            {"stream": stream, "stream_seq": stream_seq, "type": kind, "request_id": request_id, "data": data}
        )
        return NewEntry(stream, stream_seq, kind, request_id, body)

    return make
