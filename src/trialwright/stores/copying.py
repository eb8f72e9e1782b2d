"""Databases into files and back: SQLite by its online copy, PostgreSQL by its own programs."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Protocol

from trialwright.foundation.files import make_durable, make_folder
from trialwright.stores.errors import BackupUnusable, StoreMissing, ToolFailed
from trialwright.stores.record_only import KEPT, leave_out_views


class Pinned(Protocol):
    """Copies a database, as it stood when it was pinned, to a new file; if wanted, without a store's views."""

    def __call__(self, file: Path, *, without_views: bool = False) -> None: ...


_DUMPED_FROM = re.compile(r"^;\s+dbname: (\S+)$", re.M)


def is_file(address: str) -> bool:
    """Whether a database is a SQLite file."""
    return address.startswith("sqlite:")


def file_of(address: str) -> Path:
    """The file of a SQLite database."""
    return Path(address.removeprefix("sqlite:///"))


def suffix_of(address: str) -> str:
    """What the name of a database's file in a backup ends with."""
    return ".sqlite" if is_file(address) else ".pgdump"


def pin(address: str, stack: ExitStack) -> Pinned:
    """Fix the instant at which a database is copied; the copy can be made later, until ``stack`` is closed.

    Raises:
        StoreMissing: no such file.
    """
    if is_file(address):
        return _pin_file(file_of(address), stack)
    import psycopg

    connection = stack.enter_context(psycopg.connect(address))
    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    (snapshot,) = connection.execute("SELECT pg_export_snapshot()").fetchone() or ("",)

    def copy(file: Path, *, without_views: bool = False) -> None:
        file.touch(mode=0o600)
        left_out: list[str] = []
        if without_views:
            names = connection.execute("SELECT name FROM projection.store_projection ORDER BY name").fetchall()
            left_out = [f'--exclude-table-data=projection."{name}"' for (name,) in names if name not in KEPT]
        target = (f"--snapshot={snapshot}", f"--file={file}", f"--dbname={address}")
        run_tool("pg_dump", "--format=custom", *left_out, *target)

    return copy


def _pin_file(path: Path, stack: ExitStack) -> Pinned:
    if not path.is_file():
        raise StoreMissing(f"there is no database at {path}", remedy="correct the address", path=str(path))
    source = stack.enter_context(closing(sqlite3.connect(path, isolation_level=None)))
    source.execute("BEGIN")
    source.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the first read fixes the instant

    def copy(file: Path, *, without_views: bool = False) -> None:
        file.touch(mode=0o600)
        with closing(sqlite3.connect(file)) as target:
            source.backup(target)
        if without_views:
            leave_out_views(file)
        make_durable(file)

    return copy


def check_room(address: str) -> None:
    """Make sure that nothing would be overwritten.

    Raises:
        BackupUnusable: there is something at the address.
    """
    if is_file(address):
        path = file_of(address)
        # A log that was left behind would be taken for the new database's own.
        for there in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-journal")):
            if there.exists():
                raise BackupUnusable(f"{there} exists", remedy="move it away first; nothing is overwritten")
        return
    import psycopg

    try:
        with psycopg.connect(address) as connection:
            found = connection.execute(
                "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'"
            ).fetchone()
            name = connection.info.dbname
    except psycopg.Error:
        raise ToolFailed(
            "the database to restore into cannot be reached",  # the driver's words may repeat a password
            remedy="create an empty database of the name that the backup was made from: createdb NAME",
        ) from None
    if found is not None and found[0]:
        raise BackupUnusable(f"the database {name} is not empty", remedy="restore into an empty one")


def copy_in(file: Path, address: str) -> None:
    """Put a database's file where the address says; see :func:`check_room`.

    Raises:
        BackupUnusable: a PostgreSQL dump of a database of another name.
        ToolFailed: PostgreSQL's program is missing or failed.
    """
    if is_file(address):
        target = file_of(address)
        make_folder(target.parent)
        target.touch(mode=0o600)
        shutil.copyfile(file, target)
        make_durable(target)
        return
    _make_roles(file, address)
    run_tool("pg_restore", "--exit-on-error", f"--dbname={address}", str(file))


def _make_roles(file: Path, address: str) -> None:
    """A dump names the two roles of its database and does not hold them."""
    import psycopg
    from psycopg import sql

    dumped = _DUMPED_FROM.search(run_tool("pg_restore", "--list", str(file)))
    with psycopg.connect(address, autocommit=True) as connection:
        name = connection.info.dbname
        if dumped is not None and dumped[1] != name:
            raise BackupUnusable(
                f"{file.name} was made from the database {dumped[1]}, not {name}",
                remedy=f"restore into an empty database named {dumped[1]}; its roles are named after it",
            )
        for role in (f"{name}_owner", f"{name}_app"):
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone():
                connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))
            connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(role)))


def run_tool(program: str, *arguments: str) -> str:
    """Run one of PostgreSQL's programs; what it printed.

    Raises:
        ToolFailed: it is missing or failed.
    """
    found = shutil.which(program)
    if found is None:
        raise ToolFailed(f"{program} is not installed", remedy="install PostgreSQL's client programs")
    done = subprocess.run([found, *arguments], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        # The address may hold a password; the program's own words do not.
        said = (done.stderr.strip().splitlines() or ["no message"])[-1][:200]
        raise ToolFailed(f"{program}: {said}", remedy="look at the server's log, then try again")
    return done.stdout
