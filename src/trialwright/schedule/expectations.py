"""What is expected of one participant, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum

from trialwright.schedule.plan import (
    NOT_DONE,
    Anchors,
    Happened,
    NotDone,
    PlannedEncounter,
    anchor_dates,
    local_date,
)


class Status(Enum):
    """Exactly one holds for each encounter."""

    NOT_YET_ANCHORED = "not_yet_anchored"  # its anchor has no date
    EXPECTED = "expected"  # has a window; whether it is open was not asked, or it lies ahead
    DUE = "due"  # asked for a date inside the window
    OVERDUE = "overdue"  # asked for a date after the window, and nothing is recorded
    DONE_IN_WINDOW = "done_in_window"
    DONE_OUT_OF_WINDOW = "done_out_of_window"
    MISSED = "missed"  # recorded as not done, or the window closed before participation ended
    UNSCHEDULED = "unscheduled"  # took place with no window to hold it against
    NOT_EXPECTED = "not_expected"  # nobody waits for it: participation ended, or it is not scheduled


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """One encounter of one participant.

    Attributes:
        encounter: its id.
        target, earliest, latest: local dates, both ends of the window included; None without an anchor.
            ``earliest`` is never before an encounter that must come first.
        status: see :class:`Status`.
        happened_on: the local date it took place.
        days_out: 0 inside the window; −2 is two days too early, 3 is three days too late.
        waits_for: encounters that must come first and have not taken place; for an encounter that took
            place, those that had not by then (the order was broken).
        optional: nobody waits for it.
    """

    encounter: str
    status: Status
    target: date | None = None
    earliest: date | None = None
    latest: date | None = None
    happened_on: date | None = None
    days_out: int = 0
    waits_for: tuple[str, ...] = ()
    optional: bool = False

    def asked_on(self, on: date) -> Expectation:
        """The same expectation seen on a local date: EXPECTED becomes DUE, OVERDUE or stays as it is.

        Stored expectations never hold what depends on today; screens ask here.
        """
        if self.status is not Status.EXPECTED or self.earliest is None or self.latest is None:
            return self
        if on > self.latest:
            return replace(self, status=Status.NOT_EXPECTED if self.optional else Status.OVERDUE)
        if on >= self.earliest:
            return replace(self, status=Status.DUE)
        return self


def expectations(
    plan: Sequence[PlannedEncounter],
    anchors: Anchors,
    happened: Happened,
    *,
    ended: date | None = None,
    on: date | None = None,
) -> tuple[Expectation, ...]:
    """One expectation for each encounter of the plan, in its order, then what took place outside the plan.

    Args:
        plan: the encounters of the participant's build.
        anchors: local dates of the events the record holds; they win over dates that encounters supply.
        happened: local date of each encounter that took place, or ``NOT_DONE``. Encounters that the plan does
            not know (an amendment removed them) are facts all the same and come back as UNSCHEDULED.
        ended: local date on which participation ended. A window that closed on or before that date is missed;
            one still open, or ahead, is not expected.
        on: local date to ask for; without it nothing is due or overdue.

    Raises:
        InvalidValue: a date carries a time of day, or a window leaves the calendar.
    """
    encounters = tuple(plan)
    dated = anchor_dates(encounters, anchors, happened)
    if ended is not None:
        local_date(ended)
    found = [_expectation(encounter, dated, happened, ended) for encounter in encounters]
    known = {encounter.id for encounter in encounters}
    found += [_outside_the_plan(name, outcome) for name, outcome in happened.items() if name not in known]
    if on is None:
        return tuple(found)
    asked = local_date(on)
    return tuple(expectation.asked_on(asked) for expectation in found)


def _expectation(encounter: PlannedEncounter, dated: Anchors, happened: Happened, ended: date | None) -> Expectation:
    outcome = happened.get(encounter.id)
    anchor = None if encounter.anchor is None else dated.get(encounter.anchor)
    if anchor is None:
        return replace(
            _without_window(encounter, outcome, ended),
            waits_for=_waits_for(encounter, happened),
            optional=encounter.optional,
        )
    target, earliest, latest = encounter.window(anchor)
    earliest = _not_before_predecessors(encounter, happened, earliest, latest)
    status, happened_on, days_out = _outcome(encounter, outcome, (earliest, latest), ended)
    return Expectation(
        encounter=encounter.id,
        status=status,
        target=target,
        earliest=earliest,
        latest=latest,
        happened_on=happened_on,
        days_out=days_out,
        waits_for=_waits_for(encounter, happened),
        optional=encounter.optional,
    )


def _without_window(encounter: PlannedEncounter, outcome: date | NotDone | None, ended: date | None) -> Expectation:
    if outcome is not None:
        return _outside_the_plan(encounter.id, outcome)
    nobody_waits = encounter.anchor is None or ended is not None
    return Expectation(
        encounter=encounter.id, status=Status.NOT_EXPECTED if nobody_waits else Status.NOT_YET_ANCHORED
    )


def _outside_the_plan(name: str, outcome: date | NotDone) -> Expectation:
    if outcome is NOT_DONE:
        return Expectation(encounter=name, status=Status.MISSED)
    return Expectation(encounter=name, status=Status.UNSCHEDULED, happened_on=local_date(outcome))


def _outcome(
    encounter: PlannedEncounter,
    outcome: date | NotDone | None,
    window: tuple[date, date],
    ended: date | None,
) -> tuple[Status, date | None, int]:
    earliest, latest = window
    if outcome is NOT_DONE:
        return Status.MISSED, None, 0
    if outcome is not None:
        day = local_date(outcome)
        days_out = min(0, (day - earliest).days) or max(0, (day - latest).days)
        return (Status.DONE_OUT_OF_WINDOW if days_out else Status.DONE_IN_WINDOW), day, days_out
    if ended is not None:
        missed = latest <= ended and not encounter.optional
        return (Status.MISSED if missed else Status.NOT_EXPECTED), None, 0
    return Status.EXPECTED, None, 0


def _not_before_predecessors(encounter: PlannedEncounter, happened: Happened, earliest: date, latest: date) -> date:
    """The window opens no earlier than the last predecessor's date, and never closes later for it.

    A predecessor after the end of the window leaves the last day: the encounter will then be counted as late
    against the window of the protocol, which no late predecessor may widen.
    """
    for name in encounter.after:
        outcome = happened.get(name)
        if outcome is not None and outcome is not NOT_DONE:
            earliest = max(earliest, min(local_date(outcome), latest))
    return earliest


def _waits_for(encounter: PlannedEncounter, happened: Happened) -> tuple[str, ...]:
    if not encounter.after:
        return ()
    own = happened.get(encounter.id)
    limit = None if own is NOT_DONE else own
    return tuple(name for name in encounter.after if not _took_place_by(happened.get(name), limit))


def _took_place_by(outcome: date | NotDone | None, limit: date | None) -> bool:
    if outcome is None or outcome is NOT_DONE:
        return False
    return limit is None or outcome <= limit
