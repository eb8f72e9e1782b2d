"""Why a value is not there. An outcome ("unable because of the disease") is never a missing reason."""

from __future__ import annotations

from enum import Enum


class MissingReason(Enum):
    """Reasons a value is missing, as staff choose them on a field; ``NOT_ASKED`` is the state before anyone tried."""

    NOT_ASKED = "not_asked"
    NOT_DONE = "not_done"
    NOT_APPLICABLE = "not_applicable"
    UNKNOWN = "unknown"
    ASKED_UNKNOWN = "asked_unknown"
    REFUSED = "refused"
    PENDING = "pending"
    INTENTIONALLY_BLANK = "intentionally_blank"
    ERASED = "erased"
    """There was a value; its key was destroyed. Nobody chooses this."""

    @property
    def label(self) -> str:
        """English wording for reports (screens translate the code)."""
        return self.value.replace("_", " ")
