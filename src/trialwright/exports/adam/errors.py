"""What analysis data sets cannot be made from."""

from __future__ import annotations

from trialwright.foundation.errors import TrialwrightError


class PlanNotMapped(TrialwrightError):
    """The plan asks for something that the tabulation data sets do not hold, or asks for two things at once."""

    code = "exports.plan_not_mapped"
