"""Many acts to one commit of the database.

Each act still succeeds or fails alone (a savepoint), and everything the store promises about order and versions
holds. What is given up is durability act by act: a crash loses the acts since the last commit, so nobody may be
told that one of them is safe before then. Rehearsals and imports, which can be done again, group by number; a
:class:`~trialwright.trial.grouped_writer.GroupedWriter` says itself when to commit, and answers nobody before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trialwright.ledger import Entry, Frontier
from trialwright.stores.database import Database, Parameters, Put, Question

_ACT = "grouped_act"


class GroupingDatabase:
    """A database that commits once for every ``acts`` transactions.

    Args:
        database: the real one.
        acts: transactions to one commit, 2 or more; None: only :meth:`commit_group` commits.
    """

    def __init__(self, database: Database, acts: int | None) -> None:
        self._database = database
        self._acts = acts
        self._done = 0
        self._open = False
        self._in_act = False
        self.projections = database.projections
        self.text = database.text
        self.integer = database.integer
        self.quote = database.quote
        self.table_suffix = database.table_suffix
        self.unsampled = database.unsampled

    def rows(self, sql: str, values: Parameters = ()) -> list[Any]:
        return self._database.rows(sql, values)

    def run(self, sql: str, values: Parameters = ()) -> int:
        return self._database.run(sql, values)

    def run_many(self, sql: str, many: Sequence[Parameters]) -> None:
        self._database.run_many(sql, many)

    def put(self, how: Put, rows: Sequence[Parameters]) -> None:
        self._database.put(how, rows)

    def settle(self) -> None:
        self._database.settle()

    def begin(self) -> None:
        if not self._open:
            self._database.begin()
            self._open = True
        self._database.run(f"SAVEPOINT {_ACT}")
        self._in_act = True

    def commit(self) -> None:
        self._database.run(f"RELEASE SAVEPOINT {_ACT}")
        self._in_act = False
        self._done += 1
        if self._acts is not None and self._done >= self._acts:
            self.commit_group()

    def rollback(self) -> None:
        if self._in_act:
            self._database.run(f"ROLLBACK TO SAVEPOINT {_ACT}")
            self._database.run(f"RELEASE SAVEPOINT {_ACT}")
            self._in_act = False

    def lock_head(self, ledger_id: str, then: Sequence[Question] = ()) -> tuple[bytes, Frontier, list[list[Any]]]:
        return self._database.lock_head(ledger_id, then)

    def write(self, ledger_id: str, entries: Sequence[Entry], frontier: Frontier) -> None:
        self._database.write(ledger_id, entries, frontier)

    def write_checkpoint(self, ledger_id: str, size: int, note: str) -> None:
        self._database.write_checkpoint(ledger_id, size, note)

    def scrub(self) -> None:
        self.commit_group()
        self._database.scrub()

    def stands(self) -> bool:
        return self._database.stands()

    def close(self) -> None:
        self.commit_group()
        self._database.close()

    def abandon_group(self) -> None:
        """Undo every act since the last commit."""
        self._done, self._open, self._in_act = 0, False, False
        self._database.rollback()

    def commit_group(self) -> None:
        """Make every act since the last commit durable."""
        self._done = 0
        if self._open:
            self._open = False
            self._database.commit()
