"""The example studies, compiled once, and a small running trial."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from trialwright.build import Build, compile_study
from trialwright.protocol import load_study

STUDIES = Path(__file__).parents[3] / "studies"
NAMES = ("frexalimab-sc-iv", "ocrelizumab-sc", "smart-ms")


@cache
def build_of(name: str) -> Build:
    return compile_study(load_study(STUDIES / name))


@pytest.fixture(scope="session")
def smart_ms() -> Build:
    return build_of("smart-ms")


@pytest.fixture(scope="session", params=NAMES)
def build(request: pytest.FixtureRequest) -> Build:
    return build_of(str(request.param))


@pytest.fixture(scope="session")
def builds() -> dict[str, Build]:
    return {name: build_of(name) for name in NAMES}
