"""Participants with their reference dates, what they were given, and the elements they went through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from trialwright.exports.sdtm.administrations import Administration, administrations_of
from trialwright.exports.sdtm.allocation import Allocation
from trialwright.exports.sdtm.design import Design, Element, study_day
from trialwright.exports.sdtm.guide import Guide
from trialwright.exports.sdtm.reading import Reading
from trialwright.foundation.dates import PartialDate
from trialwright.foundation.errors import InvalidValue
from trialwright.trial.safety.views import ADVERSE_EVENT


@dataclass(frozen=True)
class ElementPassed:
    """An element that a participant was in: from a date, to the next element's first date."""

    element: Element
    start: str
    end: str | None
    treated: bool


@dataclass(frozen=True)
class Person:
    """One participant.

    Attributes:
        unit: id of the arm or sequence allocated (or dealt, for a dummy); None when not randomised.
        administrations: by date.
        elements: passed, in order.
        ended: date of the end of participation.
        last_contact: the last date of anything recorded of the participant, once participation has ended.
    """

    participant: str
    usubjid: str
    site: str
    status: str
    screened: str | None
    consented: str | None
    randomised: str | None
    ended: str | None
    last_contact: str | None
    unit: str | None
    administrations: tuple[Administration, ...] = ()
    elements: tuple[ElementPassed, ...] = field(default=())

    @property
    def first_dose(self) -> str | None:
        """RFXSTDTC."""
        return self.administrations[0].date if self.administrations else None

    @property
    def last_dose(self) -> str | None:
        """RFXENDTC."""
        return self.administrations[-1].date if self.administrations else None

    def day(self, when: str | None) -> int | None:
        """Study day of an ISO 8601 date or date and time; None where it is partial, or there is no reference date."""
        day, reference = full_date(when), full_date(self.first_dose)
        return study_day(day, reference) if day and reference else None

    def epoch_on(self, when: str | None) -> str | None:
        """EPOCH of a full date: of the last element that began by then."""
        day = full_date(when)
        if day is None:
            return None
        begun = [passed for passed in self.elements if passed.start <= day.isoformat()]
        return begun[-1].element.term if begun else None


class People:
    """All participants of a record."""

    def __init__(self, reading: Reading, design: Design, allocation: Allocation, guide: Guide) -> None:
        self._reading = reading
        self._design = design
        self._allocation = allocation
        self._guide = guide

    @cached_property
    def by_participant(self) -> Mapping[str, Person]:
        """Participant → person."""
        given = administrations_of(self._reading, self._guide)
        return {name: self._person(name, given.get(name, ())) for name in self._reading.participants}

    def _person(self, name: str, given: tuple[Administration, ...]) -> Person:
        row = self._reading.participants[name]
        consented, screened = _date(row["consented_on"]), _date(row["screened_on"])
        unit = self._allocation.labels.get(name)
        ended = _date(row["ended_on"])
        passed = self._passed(name, unit, consented or screened, ended, {found.encounter for found in given})
        return Person(
            participant=name,
            usubjid=self._reading.usubjid(name),
            site=str(row["site"]),
            status=str(row["status"]),
            screened=screened,
            consented=consented,
            randomised=_date(row["randomised_on"]),
            ended=ended,
            last_contact=self._last_contact(name, ended),
            unit=unit,
            administrations=given,
            elements=passed,
        )

    def _passed(
        self, name: str, unit: str | None, begun: str | None, ended: str | None, dosed_at: set[str]
    ) -> tuple[ElementPassed, ...]:
        """Elements by the first visit held in their epoch; the first by consent."""
        if begun is None:
            return ()
        dosed_in = {self._reading.encounters[encounter].epoch for encounter in dosed_at}
        starts: list[tuple[Element, str]] = []
        for element in self._design.elements(unit):
            start = begun if not starts else self._first_visit(name, element.epoch)
            if start is not None and (not starts or start >= starts[-1][1]):
                starts.append((element, start))
        ends = [start for _, start in starts[1:]] + [self._last_contact(name, ended)]
        return tuple(
            ElementPassed(element, start, end, element.arm is None or element.epoch in dosed_in)
            for (element, start), end in zip(starts, ends, strict=True)
        )

    def _first_visit(self, name: str, epoch: str) -> str | None:
        dates = [
            visit.date
            for visit in self._reading.visits_of(name)
            if visit.held and visit.planned and visit.planned.epoch == epoch and visit.date
        ]
        return min(dates, default=None)

    def _last_contact(self, name: str, ended: str | None) -> str | None:
        """The end of participation, or a later visit, or a later date of an adverse event."""
        if ended is None:
            return None
        visits = [visit.date for visit in self._reading.visits_of(name) if visit.held and visit.date]
        events = [date for date in self._event_dates.get(name, ()) if full_date(date)]
        return max([ended, *visits, *events])

    @cached_property
    def _event_dates(self) -> Mapping[str, list[str]]:
        dates: dict[str, list[str]] = {}
        for row in self._reading.rows(ADVERSE_EVENT):
            known = [str(row[column]) for column in ("onset", "ended") if row[column]]
            dates.setdefault(str(row["participant"]), []).extend(known)
        return dates


def full_date(when: str | None) -> date | None:
    """The day of an ISO 8601 date or date and time, None where the day is not known."""
    if when is None:
        return None
    try:
        partial = PartialDate.parse(when[:10])
    except InvalidValue:
        return None
    return partial.earliest if partial.is_full else None


def _date(cell: object) -> str | None:
    return str(cell) if cell else None
