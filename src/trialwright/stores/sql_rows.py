"""Projection rows in a database: one implementation for SQLite and PostgreSQL.

Inside a transaction rows are read once and written in batches: a replay touches the same rows many times, and
a round trip each would cost more than the folding. Every batch goes out before a query could miss it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from trialwright.foundation.tables import Cell, Key, Row, Table
from trialwright.stores.cells import Shape, Values, missing, outdated
from trialwright.stores.database import Database, Put

_PAGE = 1000
_MOST_HELD = 20_000
CATALOGUE = "store_projection"


class SqlRows:
    """The projection tables of one database.

    Args:
        database: the connection.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, _Statements] = {}
        self._held: dict[str, dict[Key, Values | None]] = {}
        self._unwritten: dict[str, dict[Key, Values | None]] = {}
        self._count = 0
        self._in_transaction = False

    def ensure(self, tables: Iterable[Table]) -> None:
        for table in tables:
            if table.name in self._known or self._is_there(table):
                self._of(table)
            else:
                self._make(Shape(table))

    def clear(self, tables: Iterable[Table]) -> None:
        self.flush()
        for table in tables:
            shape = Shape(table)
            self._database.run(f"DROP TABLE IF EXISTS {self._name(table)}")
            self._database.run(f"DELETE FROM {self._catalogue} WHERE name = ?", (table.name,))
            self._known.pop(table.name, None)
            self._held.pop(table.name, None)
            self._make(shape)

    def get(self, table: Table, key: Key) -> Row | None:
        of = self._of(table)
        key = of.shape.key(key)
        held = self._held.get(table.name)
        if held is not None and key in held:
            values = held[key]
        else:
            found = self._database.rows(of.get, key)
            values = found[0] if found else None
            if self._in_transaction:
                self._hold(table.name, key, values)
        return None if values is None else of.shape.row(values)

    def put(self, table: Table, row: Mapping[str, Cell]) -> None:
        of = self._of(table)
        values = of.shape.values(row)
        self._change(table.name, values[: of.shape.width], values)

    def delete(self, table: Table, key: Key) -> None:
        self._change(table.name, self._of(table).shape.key(key), None)

    def where(self, table: Table, **equals: Cell) -> Iterator[Row]:
        """As the port says; outside a transaction a long read goes page by page and may meet newer rows."""
        of = self._of(table)
        self._write(table.name)
        wanted = {name: of.shape.cell(name, value) for name, value in equals.items()}
        if self._in_transaction:
            return map(of.shape.row, self._database.rows(*of.select(wanted)))
        return map(of.shape.row, self._pages(of, wanted))

    def begin(self) -> None:
        """From now on rows may be held and written late."""
        self._in_transaction = True

    def end(self) -> None:
        """The transaction is over; nothing held is true any more."""
        self._forget()
        self._in_transaction = False

    def undone(self) -> None:
        """The database has gone back: to a savepoint, or to before the transaction."""
        self._forget()
        self._known.clear()

    def flush(self) -> None:
        """Write everything that waits."""
        for name in list(self._unwritten):
            self._write(name)

    def _forget(self) -> None:
        self._held.clear()
        self._unwritten.clear()
        self._count = 0

    def _pages(self, of: _Statements, wanted: Mapping[str, Cell]) -> Iterator[Values]:
        after: Key = ()
        while True:
            page = self._database.rows(*of.select(wanted, after, _PAGE))
            yield from page
            if len(page) < _PAGE:
                return
            after = page[-1][: of.shape.width]

    def _hold(self, name: str, key: Key, values: Values | None) -> None:
        if self._count >= _MOST_HELD:
            self.flush()
            self._forget()
        self._held.setdefault(name, {})[key] = values
        self._count += 1

    def _change(self, name: str, key: Key, values: Values | None) -> None:
        self._hold(name, key, values)
        self._unwritten.setdefault(name, {})[key] = values

    def _write(self, name: str) -> None:
        changes = self._unwritten.pop(name, None)
        if not changes:
            return
        of = self._known[name]
        gone = [key for key, values in changes.items() if values is None]
        if gone:
            self._database.run_many(of.delete, gone)
        put = [values for values in changes.values() if values is not None]
        if put:
            self._database.put(of.put, put)

    def _of(self, table: Table) -> _Statements:
        of = self._known.get(table.name)
        if of is None:
            if not self._is_there(table):
                raise missing(table.name)
            return self._known[table.name]
        if of.shape.table is not table and of.shape.table != table:
            raise outdated(table.name)
        return of

    def _is_there(self, table: Table) -> bool:
        """Whether the table exists; remembers it if it is the table that was declared."""
        found = self._database.rows(f"SELECT declaration FROM {self._catalogue} WHERE name = ?", (table.name,))
        if not found:
            return False
        if found[0][0] != _declaration(table):
            raise outdated(table.name)
        self._known[table.name] = _Statements(Shape(table), self._name(table), self._database.quote)
        return True

    def _make(self, shape: Shape) -> None:
        table = shape.table
        # The catalogue's row comes first: of two writers making one table, the second waits here.
        made = self._database.run(
            f"INSERT INTO {self._catalogue} (name, declaration) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
            (table.name, _declaration(table)),
        )
        if not made:
            self._of(table)
            return
        types = {"text": self._database.text, "integer": self._database.integer}
        lines = [f"{self._quoted(column.name)} {types[column.kind]}" for column in shape.columns.values()]
        lines.append(f"PRIMARY KEY ({self._quoted(*shape.names[: shape.width])})")
        self._database.run(f"CREATE TABLE {self._name(table)} ({', '.join(lines)}){self._database.table_suffix}")
        self._leave_unsampled(shape)
        for number, index in enumerate(table.indexes, 1):
            if index == shape.names[: shape.width][: len(index)]:
                continue  # the key begins with it and finds the rows as fast; every row would be written twice
            name = self._quoted(f"{table.name}_by_{number}")
            self._database.run(f"CREATE INDEX {name} ON {self._name(table)} ({self._quoted(*index)})")
        self._known[table.name] = _Statements(shape, self._name(table), self._database.quote)

    def _leave_unsampled(self, shape: Shape) -> None:
        """Let no statistics take samples of texts that nobody asks by: they would outlive what is forgotten."""
        asked_by = {*shape.names[: shape.width], *(name for index in shape.table.indexes for name in index)}
        texts = [name for name, column in shape.columns.items() if column.kind == "text" and name not in asked_by]
        if texts and self._database.unsampled:
            changes = ", ".join(f"ALTER COLUMN {self._quoted(name)} {self._database.unsampled}" for name in texts)
            self._database.run(f"ALTER TABLE {self._name(shape.table)} {changes}")

    def _name(self, table: Table) -> str:
        return f"{self._database.projections}{self._quoted(table.name)}"

    def _quoted(self, *names: str) -> str:
        return ", ".join(f"{self._database.quote}{name}{self._database.quote}" for name in names)

    @cached_property
    def _catalogue(self) -> str:
        return f"{self._database.projections}{CATALOGUE}"


class _Statements:
    """The SQL of one table, built once."""

    def __init__(self, shape: Shape, table: str, quote: str) -> None:
        self.shape = shape
        self._quoted = {name: f"{quote}{name}{quote}" for name in shape.names}
        names = list(self._quoted.values())
        key, others = names[: shape.width], names[shape.width :]
        self._key = ", ".join(key)
        self._from = f"SELECT {', '.join(names)} FROM {table}"
        by_key = " AND ".join(f"{name} = ?" for name in key)
        self.get = f"{self._from} WHERE {by_key}"
        self.delete = f"DELETE FROM {table} WHERE {by_key}"
        overwrite = ", ".join(f"{name} = excluded.{name}" for name in others)
        self.put = Put(
            into=f"INSERT INTO {table} ({', '.join(names)})",
            kinds=tuple(column.kind for column in shape.columns.values()),
            known=f"ON CONFLICT ({self._key}) DO {'UPDATE SET ' + overwrite if others else 'NOTHING'}",
        )

    def select(
        self, wanted: Mapping[str, Cell], after: Key = (), limit: int | None = None
    ) -> tuple[str, tuple[Cell, ...]]:
        """The query for rows with these cells in key order, beyond a key if one is given."""
        tests = [f"{self._quoted[name]} {'IS NULL' if value is None else '= ?'}" for name, value in wanted.items()]
        values: list[Cell] = [value for value in wanted.values() if value is not None]
        if after:
            tests.append(f"({self._key}) > ({_marks(len(after))})")
            values.extend(after)
        sql = self._from
        if tests:
            sql += " WHERE " + " AND ".join(tests)
        sql += f" ORDER BY {self._key}"
        if limit is not None:
            sql += f" LIMIT {limit}"
        return sql, tuple(values)


def _declaration(table: Table) -> str:
    """The table as text, to notice that a view's declaration has changed since the table was made."""
    return json.dumps(
        {
            "key": [[column.name, column.kind] for column in table.key],
            "columns": [[column.name, column.kind] for column in table.columns],
            "indexes": [list(index) for index in table.indexes],
        }
    )


def _marks(count: int) -> str:
    return ", ".join("?" * count)
