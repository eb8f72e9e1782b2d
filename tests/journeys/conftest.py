"""Whole trials: the studies of this repository, and stores to rehearse them in."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from trialwright.build import Build
from trialwright.build.compile import compiled
from trialwright.protocol import load_study

REPOSITORY = Path(__file__).parents[2]


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


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory where the machine has one: no journey depends on what survives a power cut."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as place:
        yield Path(place)
