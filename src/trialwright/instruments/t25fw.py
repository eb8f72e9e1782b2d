"""Timed 25-Foot Walk.

Source: Fischer et al., MSFC Administration and Scoring Manual, revised 2001: two trials, mean of the two, at
most 180 seconds each.
"""

from __future__ import annotations

from decimal import Decimal

from trialwright.instruments.exact import Number, Trial, mean_of_trials

CAP_SECONDS = 180


def score(trial_1: Trial, trial_2: Trial, cap: Number = CAP_SECONDS) -> Decimal | None:
    """Mean time of two trials in seconds.

    A trial slower than the cap, and one that the disease made impossible, count as the cap: each is an
    outcome. A missing trial leaves the other; two missing trials leave None.

    Args:
        trial_1, trial_2: seconds, ``UNABLE`` or None.
        cap: seconds.

    Raises:
        InvalidValue: a time that is not a positive number.
    """
    return mean_of_trials(trial_1, trial_2, cap)
