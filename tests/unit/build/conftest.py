"""SMART-MS as a build, and the small study of `trialwright new` as a folder to change."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import trialwright.protocol
from trialwright.build import Build, compile_study
from trialwright.protocol import LoadedStudy, load_study

SMART_MS = Path(__file__).parents[3] / "studies" / "smart-ms"
TEMPLATE = Path(trialwright.protocol.__file__).parent / "template"


@pytest.fixture(scope="session")
def loaded() -> LoadedStudy:
    return load_study(SMART_MS)


@pytest.fixture(scope="session")
def build(loaded: LoadedStudy) -> Build:
    return compile_study(loaded)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    target = tmp_path / "study"
    shutil.copytree(TEMPLATE, target)
    return target
