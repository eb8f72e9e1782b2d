"""Dates as people know them: a day, a month, or only a year.

A partial date is the interval of days it may be. It is never imputed: comparing two of them answers yes, no
or unknown, and the number of days or completed years between them is an interval of whole numbers.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.truth import Truth

FIRST_YEAR, LAST_YEAR = 1800, 2199

_ISO = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?\Z")
_DOTTED = re.compile(r"([0-9]{1,2}|UN)\.([0-9]{1,2}|UN)\.([0-9]{4})\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A year, a month of a year, or a day: immutable, equal when the same text was meant.

    ``==`` compares what was *entered*; whether two partial dates are the same *day* is :meth:`same_day`.

    Args:
        year: 1800 to 2199; anything else is a slip of the keyboard.
        month: 1 to 12, or None when unknown.
        day: a day of that month, or None when unknown; needs a month.

    Raises:
        InvalidValue: the parts do not make a date.
    """

    year: int
    month: int | None = None
    day: int | None = None

    def __post_init__(self) -> None:
        if not FIRST_YEAR <= self.year <= LAST_YEAR:
            raise _not_a_date(self.text, f"the year must be {FIRST_YEAR} to {LAST_YEAR}")
        if self.month is None:
            if self.day is not None:
                raise _not_a_date(f"day {self.day} of {self.year}", "a day needs its month")
            return
        if not 1 <= self.month <= 12:
            raise _not_a_date(self.text, "the month must be 01 to 12")
        if self.day is not None and not 1 <= self.day <= _days_in(self.year, self.month):
            days = _days_in(self.year, self.month)
            raise _not_a_date(self.text, f"that month has the days 01 to {days}")

    @classmethod
    def parse(cls, text: str) -> PartialDate:
        """Read ``2021``, ``2021-06``, ``2021-06-14``, ``14.06.2021``, ``UN.06.2021`` or ``UN.UN.2021``.

        Raises:
            InvalidValue: any other text, or a day that does not exist.
        """
        found = _ISO.match(text)
        if found:
            year, month, day = found.groups()
        else:
            found = _DOTTED.match(text)
            if not found:
                raise _not_a_date(
                    text[:40], "write 2021-06-14, 2021-06 or 2021 (or 14.06.2021, UN.06.2021, UN.UN.2021)"
                )
            day, month, year = (None if part.upper() == "UN" else part for part in found.groups())
        return cls(int(year), _number(month), _number(day))

    @classmethod
    def of(cls, day: date) -> PartialDate:
        """The full date of one calendar day."""
        return cls(day.year, day.month, day.day)

    @property
    def text(self) -> str:
        """Canonical ISO 8601 text: ``2021``, ``2021-06`` or ``2021-06-14``. Parses back to an equal date."""
        parts = [f"{self.year:04d}"]
        if self.month is not None:
            parts.append(f"{self.month:02d}")
        if self.day is not None:
            parts.append(f"{self.day:02d}")
        return "-".join(parts)

    def __str__(self) -> str:
        return self.text

    @property
    def is_full(self) -> bool:
        """True when the day is known."""
        return self.day is not None

    @property
    def earliest(self) -> date:
        """The first day it may be."""
        return date(self.year, self.month or 1, self.day or 1)

    @property
    def latest(self) -> date:
        """The last day it may be."""
        month = self.month or 12
        return date(self.year, month, self.day or _days_in(self.year, month))

    def before(self, other: PartialDate) -> Truth:
        """Is this day earlier than the other? Unknown when the intervals leave both answers open."""
        if self.latest < other.earliest:
            return Truth.YES
        return Truth.NO if self.earliest >= other.latest else Truth.UNKNOWN

    def after(self, other: PartialDate) -> Truth:
        """Is this day later than the other?"""
        return other.before(self)

    def on_or_before(self, other: PartialDate) -> Truth:
        """Is this day the other or earlier?"""
        return ~other.before(self)

    def on_or_after(self, other: PartialDate) -> Truth:
        """Is this day the other or later?"""
        return ~self.before(other)

    def same_day(self, other: PartialDate) -> Truth:
        """Are both the same day? Two equal months are *unknown*: they may be different days."""
        if self.latest < other.earliest or other.latest < self.earliest:
            return Truth.NO
        return Truth.YES if self.is_full and other.is_full else Truth.UNKNOWN


@dataclass(frozen=True, slots=True)
class WholeNumbers:
    """The whole numbers from ``low`` to ``high``, both included: what a difference of dates may be."""

    low: int
    high: int


def days_between(start: PartialDate, end: PartialDate) -> WholeNumbers:
    """Days from ``start`` to ``end`` (negative when ``end`` is earlier), as the interval they may be."""
    return WholeNumbers(
        (end.earliest - start.latest).days,
        (end.latest - start.earliest).days,
    )


def years_between(start: PartialDate, end: PartialDate) -> WholeNumbers:
    """Completed years from ``start`` to ``end``, as the interval they may be."""
    return WholeNumbers(
        completed_years(start.latest, end.earliest),
        completed_years(start.earliest, end.latest),
    )


def completed_years(start: date, end: date) -> int:
    """Birthdays passed between two days: 17 on the eve of the 18th birthday, 18 on the day.

    Somebody born on 29 February completes a year on 1 March of a common year. Counts down from −1 when
    ``end`` is earlier than ``start``, so that it never decreases in ``end`` nor increases in ``start``.
    """
    return end.year - start.year - ((end.month, end.day) < (start.month, start.day))


def local_date(instant: datetime, zone: str) -> date:
    """The calendar day at a site when an instant happened there; windows count these days.

    Args:
        instant: timezone-aware.
        zone: IANA name, for example ``Europe/Oslo``.

    Raises:
        InvalidValue: the instant has no zone, or the zone is not known.
    """
    if instant.tzinfo is None:
        raise InvalidValue(
            f"the time {instant.isoformat()} has no zone",
            remedy="give an offset, for example +01:00",
            given=instant.isoformat(),
        )
    try:
        return instant.astimezone(ZoneInfo(zone)).date()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidValue(
            f"{zone[:60]!r} is not a time zone",
            remedy="use an IANA name, for example Europe/Oslo",
            given=zone[:60],
        ) from None


def parse_instant(text: str) -> datetime:
    """An ISO 8601 instant with its offset, as UTC.

    Raises:
        InvalidValue: not an instant, an instant without an offset, or a year before 1800 or after 2199.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    # Years beyond those of dates are slips too, and near the ends of the calendar no zone can be counted in.
    if instant is None or instant.tzinfo is None or not FIRST_YEAR <= instant.year <= LAST_YEAR:
        raise InvalidValue(
            f"{text[:40]!r} is not an instant",
            remedy="write date, time and offset, for example 2025-03-01T09:30:00+01:00",
            given=text[:40],
        )
    return instant.astimezone(UTC)


def _days_in(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


def _not_a_date(given: str, remedy: str) -> InvalidValue:
    return InvalidValue(f"{given!r} is not a date", remedy=remedy, given=given)
