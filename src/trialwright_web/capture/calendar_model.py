"""Visits on the calendar: each on the day it was held or is meant for, with the window in which it counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from trialwright.build import Build
from trialwright.trial.tasks import CellState, MatrixRow, VisitCell
from trialwright_web.capture.words import SIGNS
from trialwright_web.shell.record_words import visit_words

AHEAD = frozenset({CellState.AHEAD, CellState.DUE, CellState.OVERDUE})
"""States of visits that are still to come, so that their window matters."""


@dataclass(frozen=True)
class Appointment:
    """One visit of one participant.

    Args:
        day: held on, or meant for.
        earliest, latest: its window; None where it has none.
        held: it took place.
        closes: the window ends on this day, for one that was not held.
    """

    participant: str
    site: str
    encounter: str
    words: str
    state: CellState
    day: date
    earliest: date | None
    latest: date | None
    held: bool
    remote: bool

    @property
    def state_words(self) -> str:
        """How the visit stands."""
        return str(SIGNS[self.state].words)

    @property
    def tone(self) -> str:
        """Colour of its chip: late, in its window, ahead or held."""
        return {CellState.OVERDUE: "late", CellState.DUE: "due", CellState.AHEAD: "ahead"}.get(self.state, "held")


def appointments(rows: Iterable[MatrixRow], build_of: dict[str, Build]) -> Iterator[Appointment]:
    """Every visit that has a date, of every row.

    Args:
        rows: of the matrix.
        build_of: site → build in force there.
    """
    for row in rows:
        build = build_of[row.site]
        for cell in row.cells:
            if cell.date is not None and cell.state is not CellState.NOT_EXPECTED:
                yield _appointment(row, cell, build)


def _appointment(row: MatrixRow, cell: VisitCell, build: Build) -> Appointment:
    planned = build.study.encounters.get(cell.encounter)
    return Appointment(
        participant=row.participant,
        site=row.site,
        encounter=cell.encounter,
        words=visit_words(build, cell.encounter),
        state=cell.state,
        day=date.fromisoformat(str(cell.date)),
        earliest=_day(cell.earliest),
        latest=_day(cell.latest),
        held=cell.state not in AHEAD and cell.state is not CellState.MISSED,
        remote=planned is not None and planned.remote,
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


@dataclass(frozen=True)
class Day:
    """A day of the calendar with what lies on it, and the windows that close on it."""

    day: date
    is_today: bool
    outside: bool
    """Belongs to the month before or after."""
    entries: tuple[Appointment, ...]
    closing: tuple[Appointment, ...]


def week_of(day: date) -> date:
    """The Monday before or on a day."""
    return day - timedelta(days=day.weekday())


def days(
    found: Iterable[Appointment], first: date, count: int, today: date, month: int | None = None
) -> tuple[Day, ...]:
    """Days from ``first`` on. A window that closes is shown on its last day, unless the visit itself stands there."""
    by_day: dict[date, list[Appointment]] = {}
    closing: dict[date, list[Appointment]] = {}
    for one in found:
        by_day.setdefault(one.day, []).append(one)
        if one.state in AHEAD and one.latest is not None and one.latest != one.day:
            closing.setdefault(one.latest, []).append(one)
    every = [first + timedelta(days=number) for number in range(count)]
    return tuple(
        Day(
            day=day,
            is_today=day == today,
            outside=month is not None and day.month != month,
            entries=_in_order(by_day.get(day, ())),
            closing=_in_order(closing.get(day, ())),
        )
        for day in every
    )


def _in_order(found: Iterable[Appointment]) -> tuple[Appointment, ...]:
    return tuple(sorted(found, key=lambda one: (one.state is not CellState.OVERDUE, one.participant)))


BAR = 220
"""Width of the drawing of a window, in its own units."""


@dataclass(frozen=True)
class Window:
    """A visit still to come with its window drawn over the days that the page shows.

    Args:
        x, width: of the bar.
        target: middle of the mark of the target day.
        today: where today lies; None outside.
        left: days left until the window closes, negative after it.
    """

    visit: Appointment
    x: float
    width: float
    target: float | None
    today: float | None
    left: int


def windows(found: Iterable[Appointment], first: date, count: int, today: date) -> tuple[Window, ...]:
    """Windows that touch the days shown, and those that have closed without a visit; the most urgent first."""
    last = first + timedelta(days=count - 1)
    shown = [
        one
        for one in found
        if one.state in AHEAD
        and one.earliest is not None
        and one.latest is not None
        and (one.earliest <= last and (one.latest >= first or one.state is CellState.OVERDUE))
    ]
    day_width = BAR / count
    return tuple(
        _window(one, first, last, day_width, today) for one in sorted(shown, key=lambda o: (o.latest, o.participant))
    )


def _window(one: Appointment, first: date, last: date, day_width: float, today: date) -> Window:
    assert one.earliest is not None
    assert one.latest is not None
    begins, ends = max(one.earliest, first), min(one.latest, last)
    return Window(
        visit=one,
        x=round((begins - first).days * day_width, 1),
        width=round(max(0, (ends - begins).days + 1) * day_width, 1),
        target=_middle(one.day, first, last, day_width),
        today=_middle(today, first, last, day_width),
        left=(one.latest - today).days,
    )


def _middle(day: date, first: date, last: date, day_width: float) -> float | None:
    return round(((day - first).days + 0.5) * day_width, 1) if first <= day <= last else None


def as_icalendar(found: Iterable[Appointment], *, study: str, acronym: str, host: str, now: datetime) -> bytes:
    """Visits ahead as all-day events, for a calendar program. Participants stand there by their codes alone.

    Args:
        study: id, part of each event's id.
        acronym: in front of each event.
        host: part of each event's id.
        now: when the file is made.
    """
    from icalendar import Calendar, Event

    calendar = Calendar()
    calendar.add("prodid", "-//Trialwright//Visits//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", f"{acronym}")
    for one in found:
        event = Event()
        event.add("uid", f"{study}.{one.participant}.{one.encounter}@{host}")
        event.add("dtstamp", now)
        event.add("dtstart", one.day)
        event.add("dtend", one.day + timedelta(days=1))
        event.add("summary", f"{acronym} {one.participant}: {one.words}")
        if one.earliest is not None and one.latest is not None:
            event.add("description", f"{one.earliest.isoformat()} – {one.latest.isoformat()}")
        event.add("transp", "TRANSPARENT")
        calendar.add_component(event)
    return bytes(calendar.to_ical())
