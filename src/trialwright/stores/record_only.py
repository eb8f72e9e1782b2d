"""What a backup takes along of a store: the record, and nothing that can be made from it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

EXCLUDED_FROM_DUMP = "projection.*"
"""The same for ``pg_dump --exclude-table-data``."""


def leave_out_views(copy: Path) -> None:
    """Delete views and notes on requests from a copy of a SQLite store, and every trace of them from its file.

    Views hold in the clear what the record holds sealed: a copy with them would undo a later erasure. Folding the
    record again makes them anew.

    Args:
        copy: a closed copy, never a store in use.
    """
    with closing(sqlite3.connect(copy, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = DELETE")
        names = [name for (name,) in database.execute("SELECT name FROM store_projection")]
        for name in names:
            quoted = name.replace("`", "``")
            database.execute(f"DROP TABLE IF EXISTS `{quoted}`")
        database.execute("DELETE FROM store_projection")
        database.execute("VACUUM")
