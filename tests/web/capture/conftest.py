"""Words without a server: translations need Django's settings, and nothing else here does."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

from trialwright.build import Build, compile_study
from trialwright.protocol import load_study

REPOSITORY = Path(__file__).resolve().parents[3]

if not settings.configured:
    settings.configure(USE_I18N=True, USE_TZ=True, LANGUAGE_CODE="en", LANGUAGES=[("en", "English")])


@pytest.fixture(scope="session")
def smart_ms() -> Build:
    """The flagship's build."""
    return compile_study(load_study(REPOSITORY / "studies" / "smart-ms"))
