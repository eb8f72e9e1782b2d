"""Databases of the application written anew, so that rows that were deleted are in no page of their files."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connections, models

from trialwright.stores import StoreLocked


def scrub(tables: Iterable[type[models.Model]]) -> None:
    """Write the databases of these tables anew: on SQLite whole files and their logs, on PostgreSQL the tables.

    Not to be called within a transaction.

    Raises:
        StoreLocked: somebody reads a database meanwhile; ask again.
    """
    wanted: dict[str, list[str]] = {}
    for table in tables:
        wanted.setdefault(table.objects.db, []).append(table._meta.db_table)
    for alias, names in wanted.items():
        connection = connections[alias]
        with connection.cursor() as cursor:
            if connection.vendor != "sqlite":
                for name in names:
                    cursor.execute(f"VACUUM FULL {connection.ops.quote_name(name)}")
                continue
            for statement in ("PRAGMA secure_delete = ON", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                cursor.execute(statement)
            if cursor.fetchone()[0]:
                raise StoreLocked("somebody reads the database while it is cleaned", remedy="try again in a moment")
