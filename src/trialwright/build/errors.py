"""What can go wrong between a study folder and a build."""

from __future__ import annotations

from trialwright.foundation.errors import TrialwrightError
from trialwright.protocol.findings import FindingsError


class CheckFailed(FindingsError):
    """The study has errors; carries every finding, warnings included."""

    code = "study.check_failed"


class NotCompiled(TrialwrightError):
    """Something that passed no check cannot be compiled."""

    code = "build.not_compiled"
