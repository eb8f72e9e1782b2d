"""What the tests of capture share."""

from __future__ import annotations

from pathlib import Path

import pytest

from trialwright.build import Build, compile_study
from trialwright.protocol import load_study

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def smart_ms() -> Build:
    """The flagship's build."""
    return compile_study(load_study(REPOSITORY / "studies" / "smart-ms"))
