"""Multiple Sclerosis Functional Composite: mean of three z-scores against a reference population.

Source: Fischer et al., MSFC Administration and Scoring Manual, revised 2001. The reference values are always
the caller's: pooled baseline of the trial, or a published population; the composite means nothing without them.
"""

from __future__ import annotations

from decimal import Decimal

from trialwright.instruments.exact import ARITHMETIC, Number, exact, positive, total
from trialwright.instruments.nhpt import mean_reciprocal


def score(
    *,
    t25fw_seconds: Number,
    nhpt_dominant_seconds: Number,
    nhpt_non_dominant_seconds: Number,
    cognition: Number,
    t25fw_mean: Number,
    t25fw_sd: Number,
    nhpt_reciprocal_mean: Number,
    nhpt_reciprocal_sd: Number,
    cognition_mean: Number,
    cognition_sd: Number,
) -> Decimal:
    """(z of arm + z of leg + z of cognition) / 3; higher is better.

    Arm: mean reciprocal of the Nine-Hole Peg Test (per second). Leg: Timed 25-Foot Walk in seconds, sign
    reversed, because slower is worse. Cognition: PASAT-3 or SDMT, number correct.

    Args:
        t25fw_seconds: mean of the trials.
        nhpt_dominant_seconds, nhpt_non_dominant_seconds: mean of each hand's trials.
        cognition: number correct.
        t25fw_mean, t25fw_sd: reference, seconds.
        nhpt_reciprocal_mean, nhpt_reciprocal_sd: reference, per second.
        cognition_mean, cognition_sd: reference, of the same test as ``cognition``.

    Raises:
        InvalidValue: a time or a standard deviation that is not positive, or not a number.
    """
    arm = z_score(
        mean_reciprocal(nhpt_dominant_seconds, nhpt_non_dominant_seconds),
        nhpt_reciprocal_mean,
        nhpt_reciprocal_sd,
    )
    leg = z_score(positive(t25fw_seconds, name="t25fw_seconds"), t25fw_mean, t25fw_sd).copy_negate()
    mind = z_score(cognition, cognition_mean, cognition_sd)
    return ARITHMETIC.divide(total((arm, leg, mind)), Decimal(3))


def z_score(value: Number, mean: Number, sd: Number) -> Decimal:
    """(value − mean) / sd, to 28 digits.

    Raises:
        InvalidValue: not a number, or ``sd`` not positive.
    """
    distance = ARITHMETIC.subtract(exact(value, name="value"), exact(mean, name="mean"))
    return ARITHMETIC.divide(distance, positive(sd, name="sd"))
