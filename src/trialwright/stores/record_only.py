"""What a backup takes along of a store whose texts are sealed: the record, and nothing that can be made from it.

Views hold in the clear what the record holds sealed; a copy with them would undo a later erasure. A store that comes
back without them says so, and nothing is added to it until they are folded again.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from trialwright.foundation.tables import Column, Table
from trialwright.ledger import ProjectionRows, Store
from trialwright.stores.database import Database
from trialwright.stores.errors import ProjectionMissing
from trialwright.stores.holds import ACCEPTED, HOLD
from trialwright.stores.sql_rows import CATALOGUE

WAITING = Table("views_left_out", key=(Column("ledger_id"),), columns=(Column("since"),))
"""Has a row from a restore without views until they are folded."""
KEPT = frozenset({HOLD.name, ACCEPTED.name})
"""Cannot be made from the record."""
_MARK = b'"sealed":[{'
"""In the canonical bytes of every entry that holds something sealed."""


def holds_sealed(store: Store) -> bool:
    """Whether an entry of a store holds something sealed."""
    return any(_MARK in entry.body for name in store.ledger_ids() for entry in store.ledger(name).read())


def leave_out_views(copy: Path) -> None:
    """Delete views and notes on requests from a copy of a SQLite store, and every trace of them from its file.

    Args:
        copy: a closed copy, never a store in use.
    """
    with closing(sqlite3.connect(copy, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = DELETE")
        for (name,) in database.execute(f"SELECT name FROM {CATALOGUE}").fetchall():
            if name not in KEPT:
                quoted = name.replace("`", "``")
                database.execute(f"DROP TABLE IF EXISTS `{quoted}`")
                database.execute(f"DELETE FROM {CATALOGUE} WHERE name = ?", (name,))
        database.execute("VACUUM")


def await_views(store: Store, now: datetime) -> None:
    """Note in a store that came back without views that they are to be folded before anything is added."""
    ledger_id = store.ledger_ids()[0]
    with store.ledger(ledger_id).transaction() as transaction:
        transaction.rows.clear((WAITING,))
        transaction.rows.put(
            WAITING, {"ledger_id": ledger_id, "since": now.astimezone(UTC).isoformat(timespec="seconds")}
        )


def views_are_folded(rows: ProjectionRows) -> None:
    """Take the note away; in the transaction that folded the views."""
    try:
        waits = any(rows.where(WAITING))
    except ProjectionMissing:
        return
    if waits:
        rows.clear((WAITING,))


def awaits_views(database: Database) -> bool:
    """Whether views are to be folded first."""
    known = database.rows(f"SELECT 1 FROM {database.projections}{CATALOGUE} WHERE name = ?", (WAITING.name,))
    return bool(known and database.rows(f"SELECT 1 FROM {database.projections}{WAITING.name} LIMIT 1"))
