"""The plan laid out ahead, as if every encounter took place on its target."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from trialwright.schedule.plan import Anchors, Happened, PlannedEncounter, anchor_dates


def projected(
    plan: Sequence[PlannedEncounter], anchors: Anchors, happened: Happened | None = None
) -> dict[str, date]:
    """Target date of every encounter whose anchor can be reached, in the order of the plan.

    Where the anchor of an encounter is supplied by another one that has not taken place, that one's own
    target stands in. Used for a participant's journey, for the length of a study, and by the checks.

    Args:
        plan: the encounters.
        anchors: local dates that are known.
        happened: what took place so far.

    Raises:
        InvalidValue: a target outside the calendar.
    """
    encounters = tuple(plan)
    dated = anchor_dates(encounters, anchors, happened or {})
    targets: dict[str, date] = {}
    waiting = [(encounter, encounter.anchor) for encounter in encounters if encounter.anchor is not None]
    while waiting:
        still_waiting = []
        for encounter, anchor in waiting:
            if anchor not in dated:
                still_waiting.append((encounter, anchor))
                continue
            targets[encounter.id] = encounter.offset.after(dated[anchor])
            if encounter.sets is not None:
                dated.setdefault(encounter.sets, targets[encounter.id])
        if len(still_waiting) == len(waiting):
            break
        waiting = still_waiting
    return {encounter.id: targets[encounter.id] for encounter in encounters if encounter.id in targets}
