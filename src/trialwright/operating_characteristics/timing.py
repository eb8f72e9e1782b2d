"""When things happen in the plan: months from the first encounter, and which treatment a visit stands under."""

from __future__ import annotations

from dataclasses import dataclass

from trialwright.operating_characteristics.errors import CannotSimulate
from trialwright.protocol.folder import Study
from trialwright.protocol.schedule import Encounter

DAYS_A_MONTH = 30.4375


@dataclass(frozen=True)
class Timing:
    """The plan of one participant.

    Attributes:
        months: encounter → months after the first one, as planned.
        order: encounter → place in the schedule.
        treatments: encounters at which the treatment of each period begins, in order; one where there are no periods.
        randomised: months at randomisation.
    """

    months: dict[str, float]
    order: dict[str, int]
    treatments: tuple[str, ...]
    randomised: float

    @property
    def last(self) -> float:
        """Months to the last planned encounter."""
        return max(self.months.values())

    def since(self, period: int, encounter: str) -> float | None:
        """Months at ``encounter`` since the treatment of that period began; None before it."""
        begin = self.treatments[period]
        if self.order[encounter] <= self.order[begin]:
            return None
        return self.months[encounter] - self.months[begin]


def timing(study: Study) -> Timing:
    """The plan of the study.

    Raises:
        CannotSimulate: nobody is randomised, or a period has no encounter at which its treatment begins.
    """
    months: dict[str, float] = {}
    encounters = study.schedule.encounters
    for encounter in encounters:
        begin = months.get(encounter.anchor, 0.0) if encounter.anchor and encounter.anchor != encounter.id else 0.0
        months[encounter.id] = begin + _offset(encounter)
    acting = [encounter for encounter in encounters if _does(encounter, "randomise")]
    if not acting:
        raise CannotSimulate("nobody is randomised", remedy="give one encounter the act randomise")
    treatments = [_begin(encounters, period.id) for period in study.identity.periods] or [acting[0].id]
    return Timing(
        months=months,
        order={encounter.id: place for place, encounter in enumerate(encounters)},
        treatments=tuple(treatments),
        randomised=months[acting[0].id],
    )


def _begin(encounters: tuple[Encounter, ...], period: str) -> str:
    within = [encounter for encounter in encounters if encounter.period == period]
    for encounter in within:
        if _does(encounter, "administration"):
            return encounter.id
    if not within:
        raise CannotSimulate(f"no encounter belongs to {period}", remedy="give encounters their period")
    return within[0].id


def _does(encounter: Encounter, act: str) -> bool:
    return any(each.act == act for each in encounter.acts)


def _offset(encounter: Encounter) -> float:
    given = encounter.offset
    if given is None or encounter.anchor is None:
        return 0.0
    if given.months is not None:
        return float(given.months)
    return (given.days or 0) / DAYS_A_MONTH if given.weeks is None else given.weeks * 7 / DAYS_A_MONTH
