"""The schedule of a study as a plan of the schedule engine."""

from __future__ import annotations

from trialwright.protocol.folder import Study
from trialwright.protocol.schedule import Encounter
from trialwright.schedule import Offset, PlannedEncounter, Unit


def plan(study: Study) -> tuple[PlannedEncounter, ...]:
    """Planned encounters in the order of the schedule.

    Each encounter is the anchor of those that name it; one without an anchor begins its part of the plan.
    An encounter with a condition is optional: nobody waits for it until the condition holds.

    Raises:
        InvalidValue: an offset or window longer than a century.
    """
    return tuple(_planned(encounter) for encounter in study.schedule.encounters)


def _planned(encounter: Encounter) -> PlannedEncounter:
    window = encounter.window
    return PlannedEncounter(
        id=encounter.id,
        anchor=encounter.anchor or encounter.id,
        offset=_offset(encounter),
        window_before_days=window.before if window else 0,
        window_after_days=window.after if window else 0,
        sets=encounter.id,
        after=(encounter.after,) if encounter.after else (),
        optional=encounter.when is not None,
    )


def _offset(encounter: Encounter) -> Offset:
    given = encounter.offset
    if given is None or encounter.anchor is None:
        return Offset(0, Unit.DAYS)
    if given.months is not None:
        return Offset(given.months, Unit.MONTHS)
    if given.weeks is not None:
        return Offset(given.weeks, Unit.WEEKS)
    return Offset(given.days or 0, Unit.DAYS)
