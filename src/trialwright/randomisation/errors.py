"""What can be wrong with a design, a length or a participant's factors."""

from __future__ import annotations

from trialwright.foundation.errors import TrialwrightError


class InvalidDesign(TrialwrightError):
    """A randomisation method, its units or its parameters cannot work together."""

    code = "randomisation.design_invalid"


class InvalidListLength(TrialwrightError):
    """The method cannot make a list of the length asked for."""

    code = "randomisation.length_invalid"


class InvalidFactors(TrialwrightError):
    """Stratification or minimisation factors are missing, unknown or hold a level that was not declared."""

    code = "randomisation.factors_invalid"


class InvalidHistory(TrialwrightError):
    """An earlier allocation names a unit that the design does not have."""

    code = "randomisation.history_invalid"
