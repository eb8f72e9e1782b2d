"""What the engine says when data cannot answer a question."""

from __future__ import annotations

from trialwright.foundation.errors import TrialwrightError


class CannotEstimate(TrialwrightError):
    """The data or the design do not determine what was asked for."""

    code = "statistics.cannot_estimate"
