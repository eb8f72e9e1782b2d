"""Nine-Hole Peg Test: two trials with each hand, at most 300 seconds each.

Source: Fischer et al., MSFC Administration and Scoring Manual, revised 2001. The manual averages the two trials
of a hand, takes the reciprocal of each hand's mean, and averages the two reciprocals: a hand that cannot do it
then counts as almost nothing, instead of dominating the mean. Trials also report the plain mean of the hands in
seconds; both are here, under names that cannot be confused.
"""

from __future__ import annotations

from decimal import Decimal

from trialwright.instruments.exact import ARITHMETIC, Number, Trial, exact, mean_of_trials, positive, total

CAP_SECONDS = 300


def hand_mean(trial_1: Trial, trial_2: Trial, cap: Number = CAP_SECONDS) -> Decimal | None:
    """Mean time of one hand's two trials in seconds, by the rules of :func:`t25fw.score`, cap 300 s.

    Raises:
        InvalidValue: a time that is not a positive number.
    """
    return mean_of_trials(trial_1, trial_2, cap)


def mean_time(dominant: Number, non_dominant: Number) -> Decimal:
    """Plain mean of the two hands' mean times, in seconds.

    Raises:
        InvalidValue: a time that is not a positive number.
    """
    hands = (positive(dominant, name="dominant"), positive(non_dominant, name="non_dominant"))
    return ARITHMETIC.divide(total(hands), Decimal(2))


def mean_reciprocal(dominant: Number, non_dominant: Number) -> Decimal:
    """Mean of the reciprocals of the two hands' mean times, per second: the arm component of the MSFC.

    Raises:
        InvalidValue: a time that is not a positive number.
    """
    hands = (positive(dominant, name="dominant"), positive(non_dominant, name="non_dominant"))
    # (1/a + 1/b) / 2 = (a + b) / 2ab: one division, rounded once.
    return ARITHMETIC.divide(total(hands), ARITHMETIC.multiply(Decimal(2), ARITHMETIC.multiply(*hands)))


def score(
    dominant_1: Trial,
    dominant_2: Trial,
    non_dominant_1: Trial,
    non_dominant_2: Trial,
    cap: Number = CAP_SECONDS,
) -> Decimal | None:
    """Plain mean time of both hands in seconds, from the four trials; None when a hand has no trial.

    Raises:
        InvalidValue: a time that is not a positive number.
    """
    dominant = hand_mean(dominant_1, dominant_2, exact(cap, name="cap"))
    non_dominant = hand_mean(non_dominant_1, non_dominant_2, exact(cap, name="cap"))
    if dominant is None or non_dominant is None:
        return None
    return mean_time(dominant, non_dominant)
