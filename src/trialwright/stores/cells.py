"""What may stand in a projection row, decided once, so that every database holds and orders the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NoReturn, Protocol

from trialwright.foundation.tables import Cell, Column, Key, Row, Table
from trialwright.stores.errors import CellInvalid, ProjectionMissing, ProjectionOutdated, RowsReadOnly

_TABLE_NAME = re.compile(r"[a-z][a-z0-9_]{0,54}\Z")
_COLUMN_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}\Z")
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1

Values = tuple[Cell, ...]


class Shape:
    """A table's declaration, checked, with its columns by name and by position.

    Args:
        table: the declaration.

    Raises:
        CellInvalid: names that a database could not take, columns given twice, a table without key, an index
            on columns that are not there.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self.names = table.names
        self.width = len(table.key)
        self.columns = {column.name: column for column in (*table.key, *table.columns)}
        self._kinds = [
            (c.name, c.kind == "text", place < self.width) for place, c in enumerate(self.columns.values())
        ]
        named = _TABLE_NAME.match(table.name) and not table.name.startswith(("ledger_", "store_", "sqlite_", "pg_"))
        if not named or not all(_COLUMN_NAME.match(name) for name in self.names):
            raise CellInvalid(
                f"the table {table.name!a} or one of its columns has a name that a store cannot take",
                remedy="use lower-case letters, digits and _ (at most 55; columns 63), not reserved",
                table=table.name,
            )
        if len(self.columns) != len(self.names) or not table.key:
            raise CellInvalid(
                f"the table {table.name} has no key or names a column twice",
                remedy="declare at least one key column and each column once",
                table=table.name,
            )
        for index in table.indexes:
            for name in index:
                self.column(name)

    def column(self, name: str) -> Column:
        """The column of that name.

        Raises:
            CellInvalid: there is none.
        """
        if name not in self.columns:
            raise CellInvalid(
                f"the table {self.table.name} has no column {name!a}",
                remedy=f"its columns are {', '.join(self.names)}",
                table=self.table.name,
            )
        return self.columns[name]

    def values(self, row: Mapping[str, Cell]) -> Values:
        """The row's cells in column order, checked; the key comes first.

        Raises:
            CellInvalid: unknown column, null in the key, wrong kind, or a value that a database cannot hold.
        """
        given = row.get
        found = 0
        values: list[Cell] = []
        for name, is_text, is_key in self._kinds:
            value = given(name)
            if value is None:
                if is_key:
                    self._refuse(name, None, "a key column is never null")
                found += name in row
            else:
                found += 1
                if not (is_text and type(value) is str and value.isascii() and "\x00" not in value):
                    value = self._checked(name, value, is_text)
            values.append(value)
        if found != len(row):
            for name in row:
                self.column(name)
        return tuple(values)

    def key(self, key: Key) -> Key:
        """A key, checked as :meth:`values` does."""
        if len(key) != self.width:
            raise CellInvalid(
                f"the key of {self.table.name} has {self.width} columns, {len(key)} values were given",
                remedy=f"give {', '.join(self.names[: self.width])}",
                table=self.table.name,
            )
        return tuple(
            [None if v is None else self._checked(c[0], v, c[1]) for c, v in zip(self._kinds, key, strict=False)]
        )

    def cell(self, name: str, value: Cell) -> Cell:
        """One value for one column, checked."""
        column = self.column(name)
        return None if value is None else self._checked(name, value, column.kind == "text")

    def row(self, values: Values) -> Row:
        """The row as a dict in column order."""
        return dict(zip(self.names, values, strict=True))

    def _checked(self, name: str, value: Cell, is_text: bool) -> Cell:
        if is_text:
            if type(value) is not str:
                self._refuse(name, value, "the column holds text")
            if value.isascii():
                if "\x00" not in value:
                    return value
            elif "\x00" not in value and not _has_surrogate(value):
                return value
            self._refuse(name, value, "the text holds a NUL or half a character")
        if not isinstance(value, int):
            self._refuse(name, value, "the column holds integers")
        if not _LOWEST <= value <= _HIGHEST:
            self._refuse(name, value, "the integer is beyond 64 bits")
        return int(value)

    def _refuse(self, name: str, value: Cell, rule: str) -> NoReturn:
        raise CellInvalid(
            f"{self.table.name}.{name} was given {str(value)[:80]!a}: {rule}",
            remedy="correct the view that writes or asks for this row",
            table=self.table.name,
            column=name,
        )


class ReadableRows(Protocol):
    """The half of ``Rows`` that changes nothing."""

    def get(self, table: Table, key: Key) -> Row | None: ...

    def where(self, table: Table, **equals: Cell) -> Iterator[Row]: ...


class ReadOnlyRows:
    """Rows that can be read but not written; what a store offers outside transactions.

    Args:
        rows: the rows to read.
    """

    def __init__(self, rows: ReadableRows) -> None:
        self._rows = rows

    def get(self, table: Table, key: Key) -> Row | None:
        return self._rows.get(table, key)

    def where(self, table: Table, **equals: Cell) -> Iterator[Row]:
        return self._rows.where(table, **equals)

    def put(self, table: Table, row: Mapping[str, Cell]) -> None:
        self._refuse(table.name)

    def delete(self, table: Table, key: Key) -> None:
        self._refuse(table.name)

    def clear(self, tables: object) -> None:
        self._refuse("the tables")

    def _refuse(self, name: str) -> NoReturn:
        raise RowsReadOnly(f"{name} cannot be written outside a transaction", remedy="write through transaction.rows")


def _has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def missing(name: str) -> ProjectionMissing:
    """The refusal to read or write a table that is not there: silence would look like "no rows"."""
    return ProjectionMissing(
        f"the table {name} is not in the store", remedy="ensure the view's tables, or rebuild the views", table=name
    )


def outdated(name: str) -> ProjectionOutdated:
    """The refusal to use a table that was made from another declaration."""
    return ProjectionOutdated(
        f"the table {name} was made from another declaration",
        remedy="rebuild the views (clear makes the table anew); two views must not share a table name",
        table=name,
    )
