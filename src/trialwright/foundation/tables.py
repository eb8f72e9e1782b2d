"""How a view says what its tables look like, and how it touches rows; stores implement the touching.

A view never sees SQL. The same declarations drive the in-memory rows of a rehearsal, SQLite, PostgreSQL and
the web application's projections.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

Cell = str | int | None
Row = dict[str, Cell]
Key = tuple[Cell, ...]


@dataclass(frozen=True)
class Column:
    """One column: ``text`` or ``integer`` (booleans are 0/1; decimals stay text, as entered)."""

    name: str
    kind: Literal["text", "integer"] = "text"


@dataclass(frozen=True)
class Table:
    """A projection table: its key columns come first and are never null.

    Args:
        name: ``[a-z_]+``, unique over all views.
        key: the key columns.
        columns: the others.
        indexes: column tuples that :meth:`Rows.where` is asked for.
    """

    name: str
    key: tuple[Column, ...]
    columns: tuple[Column, ...]
    indexes: tuple[tuple[str, ...], ...] = ()
    names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(c.name for c in (*self.key, *self.columns)))


class Rows(Protocol):
    """Row access inside one transaction."""

    def get(self, table: Table, key: Key) -> Row | None:
        """A copy of the row with this key, or None."""
        ...

    def put(self, table: Table, row: Mapping[str, Cell]) -> None:
        """Insert or replace the row with the key that ``row`` holds; columns not given become null."""
        ...

    def delete(self, table: Table, key: Key) -> None:
        """Remove the row if it is there."""
        ...

    def where(self, table: Table, **equals: Cell) -> Iterator[Row]:
        """Rows whose columns equal the values given, ordered by key."""
        ...

    def clear(self, tables: Iterable[Table]) -> None:
        """Make the tables empty (creating them when absent), for a rebuild."""
        ...
