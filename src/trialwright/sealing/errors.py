"""What can go wrong with something sealed. No message ever holds content, a key or a password."""

from __future__ import annotations

from trialwright.foundation.errors import TrialwrightError


class SealingError(TrialwrightError):
    """Root of this engine's errors."""

    code = "sealing.error"


class InvalidKey(SealingError):
    """Bytes or a file that cannot be the key they claim to be."""

    code = "sealing.key_invalid"


class WrongKey(SealingError):
    """A good key, but not the one this was sealed to."""

    code = "sealing.key_wrong"


class WrongPassword(SealingError):
    """The password does not open the file, or the file was altered: the two cannot be told apart."""

    code = "sealing.password_wrong"


class WeakPassword(SealingError):
    """A password too short to protect a file that may be copied."""

    code = "sealing.password_weak"


class SealBroken(SealingError):
    """Sealed bytes were altered, cut, or moved from the place they were sealed for."""

    code = "sealing.seal_broken"


class ContentTooLong(SealingError):
    """Content does not fit the fixed width; a longer width for one would tell it from the others."""

    code = "sealing.content_too_long"


class InvalidText(SealingError):
    """Text that is not valid Unicode and has no UTF-8 form."""

    code = "sealing.text_invalid"


class InvalidList(SealingError):
    """Rows that are no list: positions missing, doubled or out of order."""

    code = "sealing.list_invalid"


class CommitmentMismatch(SealingError):
    """The rows shown are not the rows that were committed to."""

    code = "sealing.commitment_mismatch"


class ReplayMismatch(SealingError):
    """A recorded draw is not what the committed number and the earlier draws lead to."""

    code = "sealing.replay_mismatch"


class InvalidShares(SealingError):
    """Shares that cannot rebuild a key: too few, from different keys, doubled or altered."""

    code = "sealing.shares_invalid"


class KeyDestroyed(SealingError):
    """The data key was destroyed; what it sealed cannot be read again, by anyone."""

    code = "sealing.key_destroyed"


class DispensingFailed(SealingError):
    """The dispensing service gave no allocation."""

    code = "sealing.dispensing_failed"
