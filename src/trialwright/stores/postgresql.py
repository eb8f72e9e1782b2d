"""PostgreSQL: the production store. The server numbers and hashes; the application's role cannot touch the record."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

import psycopg
from psycopg import conninfo, errors, sql

from trialwright.ledger import Entry, Frontier, LedgerDamaged
from trialwright.stores.database import Parameters, Put, Question, packed, unpacked
from trialwright.stores.errors import (
    NotAStore,
    StoreMissing,
    StoreSettingsTooWeak,
    StoreTooNew,
    StoreUnavailable,
    StoreUrlInvalid,
)
from trialwright.stores.grouping import GroupingDatabase
from trialwright.stores.postgresql_connection import is_ended, named_errors, one_line
from trialwright.stores.postgresql_keyring import PostgresqlKeyring
from trialwright.stores.postgresql_schema import INSTALL, RECORD_TABLES, SCHEMA_VERSION
from trialwright.stores.sql import SqlStore

LOCK_SECONDS = 30
_ROWS_AT_ONCE = 1000
_CURSORS_KEPT = 16
_DATABASE_NAME = re.compile(r"[a-z_][a-z0-9_]{0,49}\Z")
_INSTALLING = 0x54574C47  # advisory lock: one installation at a time

_APPEND = b"SELECT * FROM ledger.append_events(%s, %s::text[], %s::bigint[], %s::text[], %s::text[], %b::bytea[])"
_IDLE = psycopg.pq.TransactionStatus.IDLE

Connection = psycopg.Connection[tuple[Any, ...]]

# A server that answers otherwise acknowledges entries that a power cut can lose.
_SERVER_SETTINGS = {"fsync": "on", "full_page_writes": "on", "server_encoding": "UTF8"}


def open_postgresql(url: str, *, create: bool, password: str | None = None, acts_per_commit: int = 1) -> SqlStore:
    """Open the store in a PostgreSQL database.

    Making a store needs an account that may create databases and roles; using one needs membership of the
    role NAME_app only.

    Args:
        url: a libpq address with a database name.
        create: make database, roles and schemas when absent.
        password: if it does not stand in the address.
        acts_per_commit: see :func:`~trialwright.stores.open_store`.

    Raises:
        StoreUrlInvalid, StoreMissing, NotAStore, StoreTooNew, StoreSettingsTooWeak, StoreUnavailable.
    """
    try:
        given = conninfo.conninfo_to_dict(url)
    except psycopg.Error:
        # The driver's message may repeat the address, and with it the password.
        raise StoreUrlInvalid(
            "the PostgreSQL address cannot be read", remedy="give postgresql://USER@HOST:PORT/NAME"
        ) from None
    name = str(given.get("dbname", ""))
    if not _DATABASE_NAME.match(name):
        raise StoreUrlInvalid(
            f"{name[:80]!a} is not the name of a store's database",
            remedy="use lower-case letters, digits and _, at most 50 characters",
        )
    if password is not None:
        given["password"] = password
    connection = _connected(given, name, create)
    try:
        database = PostgresqlDatabase(connection, create=create)
        keyring = PostgresqlKeyring(
            lambda: _connected({**given, "dbname": f"{name}_keys"}, f"{name}_keys", create=True)
        )
        return SqlStore(database if acts_per_commit == 1 else GroupingDatabase(database, acts_per_commit), keyring)
    except BaseException:
        connection.close()
        raise


class _Statement(NamedTuple):
    """What is sent to the server.

    Args:
        text, values: the statement.
        head: of one that appends: size, chain value and frontier that the server must come to, too.
    """

    text: bytes
    values: Sequence[Any] = ()
    head: tuple[int, bytes, bytes] | None = None


class PostgresqlDatabase:
    """A PostgreSQL connection that has become the application's role.

    Args:
        connection: in autocommit mode, to the store's database.
        create: install roles and schemas when they are absent.

    Raises:
        As :func:`open_postgresql`.
    """

    projections = "projection."
    text = 'text COLLATE "C"'
    integer = "bigint"
    quote = '"'
    table_suffix = ""
    unsampled = "SET STATISTICS 0"

    def __init__(self, connection: Connection, *, create: bool) -> None:
        self._connection = connection
        # Used again and again: what they hold is read before anything else is asked, and making one costs as much as
        # asking. The first is that of every statement sent alone.
        self._cursors = [connection.cursor()]
        self._waiting: list[_Statement] = []
        name = connection.info.dbname
        self._owner, self._app = f"{name}_owner", f"{name}_app"
        with named_errors():
            if not self._is_installed():
                if not create:
                    raise StoreMissing(
                        f"the database {name} holds no store", remedy="correct the address, or create it", name=name
                    )
                self._install()
            self._become_application()
            self._verify_format()
            self._verify_settings()

    def rows(self, sql: str, values: Parameters = ()) -> list[Any]:
        return self._answer(sql, values).fetchall()

    def run(self, sql: str, values: Parameters = ()) -> int:
        return self._answer(sql, values).rowcount

    def run_many(self, sql: str, many: Sequence[Parameters]) -> None:
        text = _dialect(sql)
        self._waiting += [_Statement(text, values) for values in many]

    def put(self, how: Put, rows: Sequence[Parameters]) -> None:
        if len(rows) == 1:
            self._waiting.append(_Statement(_dialect(how.one), rows[0]))
            return
        # One statement for all of them: a form of thirty items is thirty rows. A column in which they differ goes as
        # an array; of one in which they agree, as of most of an item's, the value goes once.
        for at in range(0, len(rows), _ROWS_AT_ONCE):
            columns = list(zip(*rows[at : at + _ROWS_AT_ONCE], strict=True))
            differ = tuple(any(value != column[0] for value in column) for column in columns)
            values = [list(column) if many else column[0] for column, many in zip(columns, differ, strict=True)]
            self._waiting.append(_Statement(_dialect(_arrays(how, differ)), values))

    def settle(self) -> None:
        waiting, self._waiting = self._waiting, []
        with named_errors():
            self._send(waiting)

    def begin(self) -> None:
        self._waiting.append(_Statement(_dialect("BEGIN ISOLATION LEVEL READ COMMITTED")))

    def commit(self) -> None:
        if any(statement.head is not None for statement in self._waiting):
            self.settle()  # what the server makes of the entries is looked at before it is final
        # COMMIT of a failed transaction answers ROLLBACK and no error; nothing may take that for success.
        if self._answer("COMMIT").statusmessage != "COMMIT":
            raise StoreUnavailable("the server gave the transaction up", remedy="carry out the act again")

    def rollback(self) -> None:
        self._waiting = []
        if not self._connection.closed and self._connection.info.transaction_status != _IDLE:
            # A broken connection has rolled back already, and says so where it broke.
            with named_errors():
                self._connection.execute("ROLLBACK")

    def lock_head(self, ledger_id: str, then: Sequence[Question] = ()) -> tuple[bytes, Frontier, list[list[Any]]]:
        lock = ("SELECT * FROM ledger.lock_head(?)", (ledger_id,))
        waiting, self._waiting = self._waiting, []
        asked = [_Statement(_dialect(sql), values) for sql, values in (lock, *then)]
        # Each sees what was committed before it begins, so those after the lock see all that it waited for.
        with named_errors():
            answers = [cursor.fetchall() for cursor in self._send([*waiting, *asked])[len(waiting) :]]
        [(size, chain, nodes)] = answers[0]
        return chain, unpacked(size, nodes), answers[1:]

    def write(self, ledger_id: str, entries: Sequence[Entry], frontier: Frontier) -> None:
        columns = (
            [entry.stream for entry in entries],
            [entry.stream_seq for entry in entries],
            [entry.type for entry in entries],
            [entry.request_id for entry in entries],
            [entry.body for entry in entries],
        )
        head = (frontier.size, entries[-1].chain, packed(frontier))
        self._waiting.append(_Statement(_APPEND, (ledger_id, *columns), head))

    def write_checkpoint(self, ledger_id: str, size: int, note: str) -> None:
        self.rows("SELECT ledger.save_checkpoint(?, ?, ?)", (ledger_id, size, note))

    def scrub(self) -> None:
        found = self.rows(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'projection' AND tableowner = current_user"
        )
        for (table,) in found:
            self._execute("VACUUM FULL projection.{}", table)
        # Tables of versions before 2026-11-23 let the planner's statistics take samples of texts. The server passes
        # an account by that may not clean them (its database's owner may): docs/how-to/forget-a-person.md.
        self._connection.execute("RESET ROLE")
        try:
            self._connection.execute("VACUUM FULL pg_catalog.pg_statistic")
        finally:
            self._execute("SET ROLE {}", self._app)

    def stands(self) -> bool:
        return not self._connection.closed and not is_ended(self._connection.pgconn)

    def close(self) -> None:
        self._connection.close()

    def _answer(self, sql: str, values: Sequence[Any] = ()) -> psycopg.Cursor[tuple[Any, ...]]:
        """Carry out what waits and then the statement, on one way to the server and back.

        What the cursor holds is read before anything else is asked.
        """
        waiting, self._waiting = self._waiting, []
        with named_errors():
            if not waiting:
                return self._cursors[0].execute(_dialect(sql), values)
            return self._send([*waiting, _Statement(_dialect(sql), values)])[-1]

    def _send(self, statements: Sequence[_Statement]) -> list[psycopg.Cursor[tuple[Any, ...]]]:
        more = [self._connection.cursor() for _ in range(len(statements) - len(self._cursors))]
        cursors = [*self._cursors, *more][: len(statements)]
        self._cursors += more[: _CURSORS_KEPT - len(self._cursors)]
        # After the first that fails the server skips the others; leaving the pipeline raises its error.
        with self._connection.pipeline():
            for statement, cursor in zip(statements, cursors, strict=True):
                cursor.execute(statement.text, statement.values)
        for statement, cursor in zip(statements, cursors, strict=True):
            if statement.head is not None and cursor.fetchone() != statement.head:
                raise LedgerDamaged(
                    "the server and this program number or hash entries differently",
                    remedy="verify the ledger against a checkpoint held outside; nothing was written",
                    ledger_id=statement.values[0],
                )
        return cursors

    def _is_installed(self) -> bool:
        # Asked of the catalogue table: to_regnamespace() may answer from a cache that an advisory lock does not
        # refresh.
        [(found,)] = self.rows("SELECT count(*) FROM pg_namespace WHERE nspname IN ('ledger', 'projection')")
        return bool(found == 2)

    def _install(self) -> None:
        with self._connection.transaction():
            self._connection.execute("SELECT pg_advisory_xact_lock(%s)", (_INSTALLING,))
            # Another process may have been quicker while we waited for the lock.
            if self._is_installed():
                return
            for role in (self._owner, self._app):
                self._make_role(role)
            self._execute("GRANT CREATE ON DATABASE {} TO {}", self._connection.info.dbname, self._owner)
            self._execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
            # The owner hands a schema to the application's role while it is made, and for that must be in it.
            self._execute("GRANT {} TO {}", self._app, self._owner)
            self._execute("SET LOCAL ROLE {}", self._owner)
            self._connection.execute(
                sql.SQL(INSTALL).format(app=sql.Identifier(self._app), version=sql.Literal(SCHEMA_VERSION))
            )
            self._execute("RESET ROLE")
            self._execute("REVOKE {} FROM {}", self._app, self._owner)

    def _make_role(self, role: str) -> None:
        if not self.rows("SELECT 1 FROM pg_roles WHERE rolname = ?", (role,)):
            self._execute("CREATE ROLE {} NOLOGIN", role)
        self._execute("GRANT {} TO CURRENT_USER", role)

    def _become_application(self) -> None:
        if not self.rows("SELECT 1 FROM pg_roles WHERE rolname = ?", (self._app,)):
            raise NotAStore(
                f"the database has schemas of that name but no role {self._app}",
                remedy="give another database; after a restore, create the roles first",
            )
        self._execute("SET ROLE {}", self._app)
        for setting, value in (
            ("search_path", "ledger, pg_temp"),
            ("synchronous_commit", "on"),
            ("lock_timeout", f"{LOCK_SECONDS}s"),
            ("client_encoding", "UTF8"),
        ):
            self.rows("SELECT set_config(?, ?, false)", (setting, value))

    def _verify_format(self) -> None:
        if not self.rows("SELECT to_regclass('ledger.ledger_format')")[0][0]:
            raise NotAStore("the schema ledger was made by another program", remedy="give another database")
        [(version,)] = self.rows("SELECT max(version) FROM ledger_format")
        if version > SCHEMA_VERSION:
            raise StoreTooNew(
                f"the store has format {version}, this version reads up to {SCHEMA_VERSION}",
                remedy="use the newer Trialwright that wrote it",
                found=version,
            )

    def _verify_settings(self) -> None:
        for setting, wanted in _SERVER_SETTINGS.items():
            [(found,)] = self.rows("SELECT current_setting(?)", (setting,))
            if found != wanted:
                raise StoreSettingsTooWeak(
                    f"the server has {setting} = {found}, the record needs {wanted}",
                    remedy="change the server's configuration",
                    setting=setting,
                )
        for table in RECORD_TABLES:
            [(may,)] = self.rows(
                "SELECT has_table_privilege(?, 'INSERT, UPDATE, DELETE, TRUNCATE')", (f"ledger.{table}",)
            )
            if may:
                raise StoreSettingsTooWeak(
                    f"the role {self._app} may write {table} directly",
                    remedy=f"revoke it: REVOKE ALL ON ledger.{table} FROM {self._app}, then GRANT SELECT",
                    table=table,
                )

    def _execute(self, text: str, *names: str) -> None:
        composed = sql.SQL(text).format(*map(sql.Identifier, names))
        self._connection.execute(composed)


def _connected(given: dict[str, Any], name: str, create: bool) -> Connection:
    try:
        return psycopg.connect(**given, autocommit=True)
    except psycopg.OperationalError as error:
        # The client library reports a missing database by its message alone, in the server's language; ask.
        if not _is_absent(given, name, create):
            raise StoreUnavailable(
                f"PostgreSQL: {one_line(error)}",
                remedy="check host, port, account, password and that the server runs",
            ) from error
    with named_errors():
        return psycopg.connect(**given, autocommit=True)


def _is_absent(given: dict[str, Any], name: str, create: bool) -> bool:
    """Whether the server answers but lacks the database; creates it if asked to."""
    try:
        maintenance = psycopg.connect(**{**given, "dbname": "postgres"}, autocommit=True)
    except psycopg.OperationalError:
        return False
    with maintenance:
        if maintenance.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
            return False
        if not create:
            raise StoreMissing(
                f"the server has no database {name}", remedy="correct the address, or create it", name=name
            )
        # The suppressed errors mean that another process was quicker.
        with named_errors(), suppress(errors.DuplicateDatabase, errors.UniqueViolation):
            maintenance.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(name))
            )
    return True


@lru_cache(maxsize=4096)
def _arrays(how: Put, differ: tuple[bool, ...]) -> str:
    """The statement for many rows, of which some column differs: the key. Arrays of one length advance together."""
    types = ["text" if kind == "text" else "bigint" for kind in how.kinds]
    columns = [f"unnest(?::{kind}[])" if many else f"?::{kind}" for kind, many in zip(types, differ, strict=True)]
    return f"{how.into} SELECT {', '.join(columns)} {how.known}"


@lru_cache(maxsize=4096)
def _dialect(text: str) -> bytes:
    """Our SQL with the driver's marks; our texts hold neither ``?`` nor ``%`` otherwise."""
    return text.replace("?", "%s").encode()
