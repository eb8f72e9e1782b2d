"""What the SQL stores need of a database; SQLite and PostgreSQL each bring one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Protocol

from trialwright.ledger import Entry, Frontier

Parameters = Sequence[str | int | bytes | None]
Question = tuple[str, Parameters]
"""A query and its values."""


@dataclass(frozen=True)
class Put:
    """How rows come into a table, in place of those with their keys.

    Args:
        into: up to the values: ``INSERT INTO …``.
        kinds: of the columns, in order.
        known: what happens where the key is there: ``ON CONFLICT …``.
    """

    into: str
    kinds: tuple[Literal["text", "integer"], ...]
    known: str

    @cached_property
    def one(self) -> str:
        """The statement for one row."""
        return f"{self.into} VALUES ({', '.join('?' * len(self.kinds))}) {self.known}"


class Database(Protocol):
    """One connection. SQL texts use ``?`` for values; errors come out as named store errors.

    ``projections`` is the prefix of projection tables (a schema, or nothing); ``text`` and ``integer`` are the
    column types whose order is by UTF-8 bytes and by value; ``quote`` stands around names; ``unsampled``, after
    ``ALTER COLUMN name``, keeps values out of the planner's statistics, where the database gathers any by itself.
    """

    projections: str
    text: str
    integer: str
    quote: str
    table_suffix: str
    unsampled: str

    def rows(self, sql: str, values: Parameters = ()) -> list[Any]:
        """All rows of a query, as tuples."""
        ...

    def run(self, sql: str, values: Parameters = ()) -> int:
        """Carry out a statement; answers how many rows it touched."""
        ...

    def run_many(self, sql: str, many: Sequence[Parameters]) -> None:
        """Carry out a statement for each set of values; may wait as :meth:`put` does."""
        ...

    def put(self, how: Put, rows: Sequence[Parameters]) -> None:
        """Put rows into a table; no two of them have one key.

        May wait for the next statement of the connection to go with it, and fail there; :meth:`settle` and
        :meth:`commit` leave nothing waiting.
        """
        ...

    def settle(self) -> None:
        """Carry out what waits."""
        ...

    def begin(self) -> None:
        """Open a transaction for writing; may wait as :meth:`put` does."""
        ...

    def commit(self) -> None: ...

    def rollback(self) -> None:
        """Undo the transaction, if one is still open."""
        ...

    def lock_head(self, ledger_id: str, then: Sequence[Question] = ()) -> tuple[bytes, Frontier, list[list[Any]]]:
        """Wait for the ledger's head, hold it to the end of the transaction; its chain value and frontier.

        Args:
            then: what to ask as soon as it is held.

        Returns:
            With the answers to all of ``then``, or to none of it where asking ahead saves no way.
        """
        ...

    def write(self, ledger_id: str, entries: Sequence[Entry], frontier: Frontier) -> None:
        """Write entries that follow the head, and the head after them; may wait as :meth:`put` does."""
        ...

    def write_checkpoint(self, ledger_id: str, size: int, note: str) -> None:
        """Keep a checkpoint, once."""
        ...

    def stands(self) -> bool:
        """As :meth:`trialwright.ledger.port.Store.stands`."""
        ...

    def scrub(self) -> None:
        """Leave nothing of deleted rows in the database's files; outside transactions."""
        ...

    def close(self) -> None: ...


def packed(frontier: Frontier) -> bytes:
    """The frontier's nodes as the head row holds them."""
    return b"".join(frontier.nodes)


def unpacked(size: int, nodes: bytes) -> Frontier:
    """The frontier of a head row."""
    return Frontier(size, (nodes[at : at + 32] for at in range(0, len(nodes), 32)))
