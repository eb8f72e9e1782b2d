"""What simulated trials refuse."""

from __future__ import annotations

from trialwright.foundation.errors import TrialwrightError


class CannotSimulate(TrialwrightError):
    """A world or an analysis that cannot be simulated as given."""

    code = "simulation.impossible"
