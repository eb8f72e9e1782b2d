"""The keyring of a PostgreSQL store: a database of its own, NAME_keys, on the same server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, LiteralString

import psycopg

from trialwright.stores.keyrings import Name, absent, gone
from trialwright.stores.postgresql_connection import is_ended, named_errors

_TABLE = """CREATE TABLE IF NOT EXISTS data_key (
    holder text COLLATE "C" NOT NULL, data_class text COLLATE "C" NOT NULL, number bigint NOT NULL, content bytea,
    PRIMARY KEY (holder, data_class, number))"""
# The planner's statistics would hold up to a hundred keys in the clear, long after they were destroyed.
_UNSAMPLED = "ALTER TABLE data_key ALTER COLUMN content SET STATISTICS 0"
_SAMPLES = "SELECT 1 FROM pg_stats WHERE tablename = 'data_key' AND attname = 'content'"
_DESTROYED = "SELECT count(*) FROM data_key WHERE content IS NULL"

Connection = psycopg.Connection[tuple[Any, ...]]


class PostgresqlKeyring:
    """Keys in a database, connected to when first asked.

    Args:
        connect: opens a connection in autocommit mode; makes the database when it is absent.
    """

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._opened: Connection | None = None
        self._known: dict[Name, bytes] = {}
        self._destroyed = 0

    def find(self, holder: str, data_class: str, number: int) -> bytes | None:
        name = (holder, data_class, number)
        return self._known.get(name) or self._read(name)

    def keep(self, holder: str, data_class: str, number: int, fresh: bytes) -> bytes:
        name = (holder, data_class, number)
        known = self._known.get(name)
        if known is None:
            self._run("INSERT INTO data_key VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING", (*name, fresh))
            known = self._read(name)
        if known is None:
            raise gone(name)
        return known

    def destroy(self, holder: str, below: int) -> int:
        self._known.clear()
        count = self._run(
            "UPDATE data_key SET content = NULL WHERE holder = %s AND number < %s AND content IS NOT NULL",
            (holder, below),
        ).rowcount
        if count:
            self._leave_no_trace()
        return count

    def refresh(self) -> None:
        if self._opened is not None:
            [(found,)] = self._run(_DESTROYED).fetchall()
            if found != self._destroyed:
                self._destroyed = found
                self._known.clear()

    def entries(self) -> Iterator[tuple[str, str, int, bytes | None]]:
        found = self._run(
            "SELECT holder, data_class, number, content FROM data_key ORDER BY holder, data_class, number"
        ).fetchall()
        return ((holder, kind, number, content) for holder, kind, number, content in found)

    def close(self) -> None:
        self._known.clear()
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _read(self, name: Name) -> bytes | None:
        found = self._run(
            "SELECT content FROM data_key WHERE holder = %s AND data_class = %s AND number = %s", name
        ).fetchone()
        if found is None:
            raise absent(name)
        content: bytes | None = found[0]
        if content is not None:
            self._known[name] = content
        return content

    def _leave_no_trace(self) -> None:
        """Write anew what still holds a destroyed key: an update leaves the old row where it was."""
        if self._run(_SAMPLES).fetchall():
            # A table of a version before 2026-11-23. A change of type, be it none, drops the samples.
            self._run("ALTER TABLE data_key ALTER COLUMN content TYPE bytea")
            self._run(_UNSAMPLED)
        self._run("VACUUM FULL data_key")
        self._run("VACUUM FULL pg_catalog.pg_statistic")  # passed by where the account does not own the database

    def _run(self, sql: LiteralString, values: Sequence[Any] = ()) -> psycopg.Cursor[tuple[Any, ...]]:
        with named_errors():
            return self._connection.execute(sql, values or None)

    @property
    def _connection(self) -> Connection:
        if self._opened is not None and is_ended(self._opened.pgconn):
            self.close()  # every statement stands alone: nothing was lost with the old connection
        if self._opened is None:
            connection = self._connect()
            # Whatever the server does by itself: a key is on the disk before the entry that needs it.
            connection.execute("SET synchronous_commit = on")
            if connection.execute("SELECT to_regclass('data_key')").fetchone() == (None,):
                connection.execute(_TABLE)
                connection.execute(_UNSAMPLED)
            self._opened = connection
        return self._opened
