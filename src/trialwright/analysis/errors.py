"""What cannot be analysed."""

from __future__ import annotations

from trialwright.foundation.errors import TrialwrightError


class PlanCannotRun(TrialwrightError):
    """The plan asks for something that the analysis data sets do not hold, or a method that does not fit it."""

    code = "analysis.plan_cannot_run"


class NotUnblinded(TrialwrightError):
    """Results by arm were asked for before the final unblinding."""

    code = "analysis.not_unblinded"
