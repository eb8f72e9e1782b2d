"""What was given to whom, when, and in which period: read from EX, never counted, since a period may go without."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trialwright.exports.adam.columns import day_number
from trialwright.exports.adam.words import PlanWords
from trialwright.exports.datasets import Package
from trialwright.protocol import Study

DUMMY = "DUMMY "
"""Before every treatment's name where the allocation is a dummy."""


@dataclass(frozen=True)
class Dose:
    """One administration.

    Attributes:
        day: days since 1 January 1960.
        period: APERIOD of the visit at which it was given; None in a parallel study.
        arm: id of the arm whose treatment it was; None where the name is no arm's.
    """

    day: int
    period: int | None
    arm: str | None


def doses_of(sdtm: Package, study: Study, words: PlanWords) -> Mapping[str, tuple[Dose, ...]]:
    """USUBJID → doses in order; a dose without a full date is left out."""
    arms = {
        str(name).upper(): arm.id
        for arm in study.identity.arms
        for name in (*arm.label.values(), arm.exposure.get("EXTRT"))
        if name
    }
    periods = {encounter.upper(): words.period_of(encounter) for encounter in words.encounters}
    found: dict[str, list[Dose]] = {}
    for dataset in sdtm.datasets:
        for row in dataset.dicts() if dataset.name == "EX" else ():
            day = day_number(row.get("EXSTDTC"))
            if day is not None:
                arm = arms.get(str(row.get("EXTRT")).removeprefix(DUMMY))
                period = periods.get(str(row.get("EXLNKID")))
                found.setdefault(str(row["USUBJID"]), []).append(Dose(day, period, arm))
    return {usubjid: tuple(sorted(doses, key=lambda dose: dose.day)) for usubjid, doses in found.items()}
