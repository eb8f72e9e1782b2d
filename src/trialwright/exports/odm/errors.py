"""What can be wrong with a file that is read."""

from __future__ import annotations

from trialwright.foundation.errors import TrialwrightError


class OdmUnreadable(TrialwrightError):
    """The file is no ODM of a version that is read, or refers to something that it does not define."""

    code = "exports.odm_unreadable"
