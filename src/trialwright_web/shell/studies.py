"""The studies of this process."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from trialwright.trial.dispatch import Trial
from trialwright_web.shell.checkpoints import hand_out
from trialwright_web.store.installation import Installation, InstallationInvalid, read_installation


@lru_cache(maxsize=1)
def installation() -> Installation:
    """What the environment says is installed; read once a process."""
    environment = settings.ENVIRONMENT
    studies = read_installation(environment.installation, environment.closed, environment.dispensing)
    found = Installation(studies, _hand_out if environment.checkpoints is not None else None)
    if found.is_production and not environment.second_factor_required:
        raise InstallationInvalid(
            "a study is in production and the second factor is optional", remedy="TRIALWRIGHT_SECOND_FACTOR=required"
        )
    return found


def _hand_out(trial: Trial, space: str) -> None:
    hand_out(trial, space, settings.ENVIRONMENT.checkpoints)
