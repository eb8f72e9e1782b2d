"""Projection rows in memory, undone by a journal when a transaction fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from operator import itemgetter

from trialwright.foundation.tables import Cell, Key, Row, Table
from trialwright.stores.cells import Shape, Values, missing, outdated


class MemoryRows:
    """The projection tables of a memory store."""

    def __init__(self) -> None:
        self._tables: dict[str, _Rows] = {}
        self._journal: list[Callable[[], object]] = []

    def ensure(self, tables: Iterable[Table]) -> None:
        for table in tables:
            if table.name in self._tables:
                self._of(table)
            else:
                self._make(table)

    def clear(self, tables: Iterable[Table]) -> None:
        for table in tables:
            self._make(table)

    def get(self, table: Table, key: Key) -> Row | None:
        rows = self._of(table)
        values = rows.by_key.get(rows.shape.key(key))
        return None if values is None else rows.shape.row(values)

    def put(self, table: Table, row: Mapping[str, Cell]) -> None:
        rows = self._of(table)
        values = rows.shape.values(row)
        self._set(rows, values[: rows.shape.width], values)

    def delete(self, table: Table, key: Key) -> None:
        rows = self._of(table)
        self._set(rows, rows.shape.key(key), None)

    def where(self, table: Table, **equals: Cell) -> Iterator[Row]:
        rows = self._of(table)
        wanted = {name: rows.shape.cell(name, value) for name, value in equals.items()}
        return map(rows.shape.row, rows.matching(wanted))

    def mark(self) -> int:
        """A point to which :meth:`undo` can return."""
        return len(self._journal)

    def undo(self, mark: int) -> None:
        """Put everything back as it was at the mark."""
        while len(self._journal) > mark:
            self._journal.pop()()

    def forget(self) -> None:
        """The transaction is over; nothing can be undone any more."""
        self._journal.clear()

    def _set(self, rows: _Rows, key: Key, values: Values | None) -> None:
        before = rows.set(key, values)
        self._journal.append(partial(rows.set, key, before))

    def _make(self, table: Table) -> None:
        made = _Rows(Shape(table))
        self._journal.append(partial(self._put_back, table.name, self._tables.get(table.name)))
        self._tables[table.name] = made

    def _put_back(self, name: str, rows: _Rows | None) -> None:
        if rows is None:
            del self._tables[name]
        else:
            self._tables[name] = rows

    def _of(self, table: Table) -> _Rows:
        rows = self._tables.get(table.name)
        if rows is None:
            raise missing(table.name)
        if rows.shape.table is not table and rows.shape.table != table:
            raise outdated(table.name)
        return rows


class _Rows:
    """The rows of one table by key, with an index for each set of columns that was ever asked for."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.by_key: dict[Key, Values] = {}
        self._indexes: dict[tuple[str, ...], _Index] = {}

    def set(self, key: Key, values: Values | None) -> Values | None:
        """Put or remove a row; answers what stood there."""
        before = self.by_key.get(key)
        if values is None:
            self.by_key.pop(key, None)
        else:
            self.by_key[key] = values
        for index in self._indexes.values():
            if before is not None:
                index.remove(before, key)
            if values is not None:
                index.add(values, key)
        return before

    def matching(self, wanted: Mapping[str, Cell]) -> list[Values]:
        """Rows with these cells, ordered by key."""
        found: Iterable[Key] = self.by_key
        if wanted:
            names = tuple(sorted(wanted))
            found = self._index(names).keys(tuple(wanted[name] for name in names))
        # Key columns are never null and of one kind, so keys compare; code points order as UTF-8 bytes do.
        return [self.by_key[key] for key in sorted(found)]

    def _index(self, names: tuple[str, ...]) -> _Index:
        index = self._indexes.get(names)
        if index is None:
            index = self._indexes[names] = _Index([self.shape.names.index(name) for name in names])
            for key, values in self.by_key.items():
                index.add(values, key)
        return index


class _Index:
    """Which keys have these cells in these places."""

    def __init__(self, places: list[int]) -> None:
        pick = itemgetter(*places)
        self._cells: Callable[[Values], Values] = pick if len(places) > 1 else lambda values: (pick(values),)
        self._keys: dict[Values, dict[Key, None]] = {}

    def add(self, values: Values, key: Key) -> None:
        self._keys.setdefault(self._cells(values), {})[key] = None

    def remove(self, values: Values, key: Key) -> None:
        cells = self._cells(values)
        keys = self._keys[cells]
        del keys[key]
        if not keys:
            del self._keys[cells]

    def keys(self, cells: Values) -> Iterable[Key]:
        return self._keys.get(cells, ())
