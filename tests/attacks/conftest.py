"""The record under attack: each attacker is a module of ``tests/campaigns`` whose short form a test runs."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

CAMPAIGNS = Path(__file__).parents[1] / "campaigns"
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None


@cache
def attacker(name: str) -> ModuleType:
    """The module ``tests/campaigns/NAME.py``."""
    if str(CAMPAIGNS) not in sys.path:
        sys.path.append(str(CAMPAIGNS))  # attackers share modules
    specification = spec_from_file_location(name, CAMPAIGNS / f"{name}.py")
    assert specification is not None and specification.loader is not None
    module = sys.modules[name] = module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def attack() -> Callable[[str], ModuleType]:
    """Name → the attacker's module."""
    return attacker


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory where the machine has one: what a power cut spares is simulated, not waited for."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as place:
        yield Path(place)
