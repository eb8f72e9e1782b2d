"""No evidence of disease activity over a period.

Source: Giovannoni et al., Mult Scler Relat Disord 2015;4:329–333 (NEDA-3): no relapse, no confirmed worsening of
disability, no new or enlarging T2 lesion and no gadolinium-enhancing lesion.
"""

from __future__ import annotations

from trialwright.foundation.truth import Truth, all_of


def neda3(
    relapse: bool | None,
    confirmed_worsening: bool | None,
    new_or_enlarging_t2: bool | None,
    gadolinium_enhancing: bool | None,
) -> Truth:
    """YES when all four are known to be absent, NO as soon as one is present, UNKNOWN otherwise.

    A scan that was not made never counts as a quiet one.
    """
    activity = (relapse, confirmed_worsening, new_or_enlarging_t2, gadolinium_enhancing)
    return all_of(~Truth.of(fact) for fact in activity)
