"""The plan: encounters, each at an offset from an anchor, with a window of local dates around the target."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Final

from trialwright.foundation.errors import InvalidValue

_LONGEST_DAYS = 36_600  # a century; longer is a typing error, and keeps every sum inside the calendar


class Unit(Enum):
    """What an offset counts. There is no default: "6 months" and "26 weeks" are different visits."""

    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"


_LAST_DAY = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_LONGEST = {Unit.DAYS: _LONGEST_DAYS, Unit.WEEKS: _LONGEST_DAYS // 7, Unit.MONTHS: 1200}


class NotDone(Enum):
    """What takes the place of a date when staff recorded that an encounter did not take place."""

    NOT_DONE = "not_done"


NOT_DONE: Final = NotDone.NOT_DONE

Anchors = Mapping[str, date]
Happened = Mapping[str, date | NotDone]


@dataclass(frozen=True, slots=True)
class Offset:
    """A signed distance from the anchor: ``Offset(6, Unit.MONTHS)``; negative is before the anchor.

    Raises:
        InvalidValue: more than a century.
    """

    count: int
    unit: Unit

    def __post_init__(self) -> None:
        if abs(self.count) > _LONGEST[self.unit]:
            raise InvalidValue(
                f"an offset of {self.count} {self.unit.value} is longer than a century",
                remedy="give the distance between the anchor and the encounter",
                given=self.count,
                unit=self.unit.value,
            )

    def after(self, anchor: date) -> date:
        """The target date for this anchor.

        Raises:
            InvalidValue: the anchor carries a time of day, or the target is outside the years 1 to 9999.
        """
        try:
            if self.unit is Unit.MONTHS:
                return _months_after(local_date(anchor), self.count)
            days = self.count * 7 if self.unit is Unit.WEEKS else self.count
            return local_date(anchor) + timedelta(days=days)
        except (OverflowError, ValueError) as error:
            raise InvalidValue(
                f"{self.count} {self.unit.value} from {anchor} is outside the calendar",
                remedy="check the anchor's year",
                given=str(anchor),
            ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedEncounter:
    """One planned contact with a participant.

    A plan may hold mistakes (a window that closes before it opens); :func:`impossible` lists them for the
    author, and expectations stay total so that a running study never stops on one.

    Args:
        id: unique in the plan.
        anchor: name of the event the offset counts from; None for an encounter that is never scheduled.
        offset: from the anchor to the target.
        window_before_days: the window opens this many days before the target.
        window_after_days: and closes this many days after it; both ends belong to the window.
        sets: the anchor that this encounter's own date supplies, for example ``injection_2``. An encounter
            may set its own anchor (screening): then it is where its part of the plan begins.
        after: encounters that must have taken place, on the same date at the latest, before this one.
        optional: nobody waits for it; it is never overdue.

    Raises:
        InvalidValue: a window of more than a century.
    """

    id: str
    anchor: str | None
    offset: Offset = Offset(0, Unit.DAYS)
    window_before_days: int = 0
    window_after_days: int = 0
    sets: str | None = None
    after: tuple[str, ...] = ()
    optional: bool = False

    def __post_init__(self) -> None:
        widest = max(abs(self.window_before_days), abs(self.window_after_days))
        if widest > _LONGEST_DAYS:
            raise InvalidValue(
                f"the window of {self.id!r} is longer than a century",
                remedy="give window days on each side of the target",
                given=widest,
            )

    def window(self, anchor: date) -> tuple[date, date, date]:
        """(target, earliest, latest) as local dates for one anchor date.

        Raises:
            InvalidValue: the window is outside the calendar.
        """
        target = self.offset.after(anchor)
        try:
            earliest = target - timedelta(days=self.window_before_days)
            return target, earliest, target + timedelta(days=self.window_after_days)
        except OverflowError as error:
            raise InvalidValue(
                f"the window of {self.id!r} around {target} is outside the calendar",
                remedy="check the anchor's year",
                given=str(anchor),
            ) from error


def anchor_dates(plan: tuple[PlannedEncounter, ...], anchors: Anchors, happened: Happened) -> dict[str, date]:
    """Anchors that the record gives, and those that encounters supplied by taking place.

    What the record gives wins: an injection may be a day later than the encounter it was planned for.
    """
    supplied: dict[str, date] = {}
    for encounter in plan:
        took_place = happened.get(encounter.id)
        if encounter.sets is not None and took_place is not None and took_place is not NOT_DONE:
            supplied[encounter.sets] = local_date(took_place)
    for name, day in anchors.items():
        supplied[name] = local_date(day)
    return supplied


def local_date(day: date) -> date:
    """``day`` itself, or a refusal when it carries a time: which date that is depends on the site's zone.

    Raises:
        InvalidValue: ``day`` is a datetime.
    """
    if isinstance(day, datetime):
        raise InvalidValue(
            f"{day.isoformat()} is an instant, not a date",
            remedy="give the local date at the site",
            given=day.isoformat(),
        )
    return day


def _months_after(day: date, months: int) -> date:
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = 29 if month0 == 1 and calendar.isleap(year) else _LAST_DAY[month0]
    return date(year, month0 + 1, min(day.day, last))
