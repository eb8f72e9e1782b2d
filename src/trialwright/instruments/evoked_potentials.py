"""Combined scores of evoked potentials: sum of z-scores of latencies, and the global ordinal score 0–36.

Sources: grades 0–3 of a recording: Leocani et al., J Neurol Neurosurg Psychiatry 2006;77:1030–1035. Global score
as three groups of four recordings, each group 0–12: protocol of ACTiMuS, Trials 2015;16:463 (there visual with
brainstem auditory, somatosensory, motor).

Assumptions, because no published protocol of the flagship study states its formula: the combined score is the
unweighted sum of one z-score for each modality; where a modality has two recordings (two eyes) instead of four,
each counts twice, so that it weighs as much as the others; grades follow from z-scores by two limits.
"""

from __future__ import annotations

from decimal import Decimal

from trialwright.foundation.errors import InvalidValue
from trialwright.instruments.exact import ARITHMETIC, Number, exact, grade, positive, total

NO_RESPONSE_GRADE = 3


def z_score(latency_ms: Number, normal_mean_ms: Number, normal_sd_ms: Number) -> Decimal:
    """Standard deviations by which a latency exceeds the laboratory's normal mean (already adjusted to height).

    Args:
        latency_ms: milliseconds, above zero.
        normal_mean_ms, normal_sd_ms: of the same laboratory and method, milliseconds.

    Raises:
        InvalidValue: a latency or a standard deviation that is not positive.
    """
    distance = ARITHMETIC.subtract(
        positive(latency_ms, name="latency_ms"), positive(normal_mean_ms, name="normal_mean_ms")
    )
    return ARITHMETIC.divide(distance, positive(normal_sd_ms, name="normal_sd_ms"))


def z_sum(somatosensory: Number, visual: Number, motor: Number) -> Decimal:
    """Sum of the z-scores of the three modalities; higher is worse. "No response" needs a declared z-score.

    Raises:
        InvalidValue: not a number.
    """
    named = {"somatosensory": somatosensory, "visual": visual, "motor": motor}
    return total(exact(value, name=name) for name, value in named.items())


def recording_grade(z: Number, abnormal_from: Number = "2.5", severe_from: Number = "5") -> int:
    """Grade of one recorded response: 0 normal, 1 delayed, 2 severely delayed. No response is grade 3.

    Args:
        z: z-score of the latency.
        abnormal_from, severe_from: limits (assumption: 2.5 and 5 standard deviations), the lower first.

    Raises:
        InvalidValue: not a number, or the limits are in the wrong order.
    """
    low, high = exact(abnormal_from, name="abnormal_from"), exact(severe_from, name="severe_from")
    if low >= high:
        raise InvalidValue(
            f"the limits of grades are {low} and {high}", remedy="give the lower limit first", given=str(low)
        )
    value = exact(z, name="z")
    return 2 if value >= high else 1 if value >= low else 0


def limbs_score(upper_left: Number, upper_right: Number, lower_left: Number, lower_right: Number) -> int:
    """Group score 0–12 of a modality with four recordings, each graded 0–3.

    Raises:
        InvalidValue: a grade outside 0–3.
    """
    named = {
        "upper_left": upper_left,
        "upper_right": upper_right,
        "lower_left": lower_left,
        "lower_right": lower_right,
    }
    return sum(grade(value, 0, NO_RESPONSE_GRADE, name=name) for name, value in named.items())


def eyes_score(left: Number, right: Number) -> int:
    """Group score 0–12 of a modality with two recordings: each grade 0–3 counts twice (assumption).

    Raises:
        InvalidValue: a grade outside 0–3.
    """
    named = {"left": left, "right": right}
    return 2 * sum(grade(value, 0, NO_RESPONSE_GRADE, name=name) for name, value in named.items())


def global_score(somatosensory: Number, visual: Number, motor: Number) -> int:
    """Global score 0–36: the sum of three group scores of 0–12 each.

    Raises:
        InvalidValue: a group score outside 0–12.
    """
    named = {"somatosensory": somatosensory, "visual": visual, "motor": motor}
    return sum(grade(value, 0, 12, name=name) for name, value in named.items())
