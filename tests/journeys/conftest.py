"""Whole trials: the studies of this repository, and stores to rehearse them in."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from trialwright.build import Build
from trialwright.build.compile import compiled
from trialwright.protocol import load_study
from trialwright.rehearsal import Rehearsed, Wishes, rehearse
from trialwright.stores import MemoryStore, open_store
from trialwright.trial.event import Space

REPOSITORY = Path(__file__).parents[2]
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
SMALL = 4
"""Participants of a shared rehearsal: enough for everything that a rehearsal brings."""


@cache
def study(name: str) -> Build:
    """The build of a study of this repository."""
    return compiled(load_study(REPOSITORY / "studies" / name).study)


@cache
def campaign(name: str) -> ModuleType:
    """A module of ``tests/campaigns``, whose short form a test runs."""
    specification = spec_from_file_location(f"{name}_campaign", REPOSITORY / "tests" / "campaigns" / f"{name}.py")
    assert specification is not None and specification.loader is not None
    module = module_from_spec(specification)
    sys.modules[specification.name] = module  # dataclasses look their module up
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def build_of() -> Callable[[str], Build]:
    """Name of a study → its build."""
    return study


@pytest.fixture(scope="session")
def two_worlds() -> ModuleType:
    """The comparison of two worlds, and the leaks to plant."""
    return campaign("two_worlds")


@pytest.fixture(scope="session")
def rehearsals() -> ModuleType:
    """What must hold after a rehearsal, read from the facts alone."""
    return campaign("rehearsals")


@pytest.fixture(scope="session")
def other_python() -> ModuleType:
    """Rehearses in another process, by another Python."""
    return campaign("other_python")


@cache
def rehearsed(name: str, seed: int, participants: int) -> Rehearsed:
    """A rehearsal in memory; read only, because tests share it."""
    return rehearse(study(name), MemoryStore(), MemoryStore(), Wishes(participants=participants, seed=seed))


@pytest.fixture(scope="session")
def in_memory() -> Callable[[str, int, int], Rehearsed]:
    """Study, seed, participants → the rehearsal in memory; read only, because tests share it."""
    return rehearsed


@pytest.fixture(scope="session")
def in_file() -> Iterator[Callable[[str], InFile]]:
    """Study → its rehearsal in SQLite files, with the checkpoints that were handed out; copied for each test."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as place:
        kept: dict[str, InFile] = {}

        def make(name: str) -> InFile:
            if name not in kept:
                kept[name] = _rehearse_in_file(name, Path(place) / name)
            target = Path(place) / f"copy {len(list(Path(place).iterdir()))}"
            shutil.copytree(kept[name].folder, target)
            return replace(kept[name], folder=target)

        yield make


@dataclass(frozen=True)
class InFile:
    """A rehearsal that was written to files and closed.

    Attributes:
        notes: space → checkpoints in the order in which they were handed out.
        key: verifies them.
    """

    folder: Path
    study: str
    root: str
    closed_root: str
    notes: dict[Space, list[str]]
    key: str

    def address(self, space: str) -> str:
        """Of the store of a space."""
        return f"sqlite:///{self.folder / space}.db"


def _rehearse_in_file(name: str, folder: Path) -> InFile:
    folder.mkdir()
    notes: dict[Space, list[str]] = {space: [] for space in Space}
    draft = InFile(folder, study(name).study.identity.id, "", "", notes, "")
    with open_store(draft.address("open")) as opened, open_store(draft.address("closed")) as closed:
        wishes = Wishes(participants=SMALL, seed=1)
        done = rehearse(study(name), opened, closed, wishes, hand_out=lambda space, note: notes[space].append(note))
        return replace(draft, root=done.root, closed_root=done.closed_root, key=done.checkpoint_key)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory where the machine has one: no journey depends on what survives a power cut."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as place:
        yield Path(place)


@pytest.fixture(scope="session")
def campaign_named() -> Callable[[str], ModuleType]:
    """Name → module of ``tests/campaigns``."""
    return campaign
