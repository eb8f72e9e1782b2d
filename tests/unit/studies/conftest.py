"""The studies of the repository and the template, loaded once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from trialwright import protocol
from trialwright.build import Build, compile_study
from trialwright.protocol import LoadedStudy, Study, load_study

REPOSITORY = Path(__file__).resolve().parents[3]
TEMPLATE = Path(protocol.__file__).parent / "template"
FOLDERS = {folder.name: folder for folder in sorted((REPOSITORY / "studies").iterdir()) if folder.is_dir()}
FOLDERS["template"] = TEMPLATE


@cache
def loaded_study(name: str) -> LoadedStudy:
    return load_study(FOLDERS[name])


@cache
def build_of(name: str) -> Build:
    return compile_study(loaded_study(name))


@pytest.fixture(params=sorted(FOLDERS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def folder(name: str) -> Path:
    return FOLDERS[name]


@pytest.fixture
def loaded(name: str) -> LoadedStudy:
    return loaded_study(name)


@pytest.fixture
def study(name: str) -> Study:
    return loaded_study(name).study


@pytest.fixture
def build(name: str) -> Build:
    return build_of(name)


@pytest.fixture(scope="session")
def smart_ms() -> Study:
    return loaded_study("smart-ms").study


@pytest.fixture(scope="session")
def smart_ms_build() -> Build:
    return build_of("smart-ms")
