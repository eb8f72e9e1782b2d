"""SMART-MS loaded once for all mutations."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from trialwright.build import check_study
from trialwright.protocol import Finding, LoadedStudy, load_study

sys.path.insert(0, str(Path(__file__).parent))  # edits.py and mutations.py lie beside the tests

SMART_MS = Path(__file__).parents[3] / "studies" / "smart-ms"


@pytest.fixture(scope="session")
def smart_ms() -> LoadedStudy:
    return load_study(SMART_MS)


@pytest.fixture(scope="session")
def smart_ms_findings(smart_ms: LoadedStudy) -> tuple[Finding, ...]:
    return check_study(smart_ms)
