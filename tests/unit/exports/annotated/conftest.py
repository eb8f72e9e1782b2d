"""The build whose forms are annotated."""

from __future__ import annotations

from pathlib import Path

import pytest

from trialwright.build.compile import compiled
from trialwright.protocol import load_study

REPOSITORY = Path(__file__).parents[4]


@pytest.fixture(scope="session")
def loaded():
    """SMART-MS as declared."""
    return load_study(REPOSITORY / "studies" / "smart-ms").study


@pytest.fixture(scope="session")
def build(loaded):
    return compiled(loaded)


@pytest.fixture(scope="session")
def short(loaded):
    """With two forms only, for what takes long."""
    kept = {name: loaded.forms[name] for name in ("vital_signs", "demographics")}
    return loaded.model_copy(update={"forms": kept})
