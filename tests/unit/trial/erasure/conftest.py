"""The small study with its texts sealed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def sealed_worlds(trial_worlds: Callable[..., Any]) -> Callable[..., Any]:
    """Makes worlds that seal the texts about participants."""
    return lambda **wishes: trial_worlds(seal_texts=True, **wishes)


@pytest.fixture
def trial_world(sealed_worlds: Callable[..., Any]) -> Any:
    """The small study, open at two sites, blinded, with its list sealed."""
    return sealed_worlds()
