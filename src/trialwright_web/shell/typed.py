"""How people type days and times: ``140621``, ``14.6.21``, ``t``, ``UN.06.2021``, ``t 0930``.

One reading for forms and acts. ``static/shell/typed.js`` reads them alike in the browser.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

from django.utils.translation import gettext as _

from trialwright.foundation.dates import PartialDate
from trialwright.foundation.errors import InvalidValue

_TODAY = re.compile(r"t(?:([+-])([0-9]{1,3}))?\Z", re.IGNORECASE)
_RUN_ON = re.compile(r"([0-9]{2}|UN)([0-9]{2}|UN)([0-9]{4}|[0-9]{2})\Z", re.IGNORECASE)
_PARTED = re.compile(r"([0-9]{1,2}|UN)[. /-]([0-9]{1,2}|UN)[. /-]([0-9]{4}|[0-9]{2})\Z", re.IGNORECASE)
_MONTH = re.compile(r"([0-9]{1,2})[./]([0-9]{4})\Z")
_YEAR = re.compile(r"[0-9]{4}\Z")
_ISO = re.compile(r"([0-9]{4})-([0-9]{2})(?:-([0-9]{2}))?\Z")
_CLOCK = re.compile(r"([0-9]{1,2})[.: ]?([0-9]{2})\Z")
_ALONE = re.compile(r"[0-9]{1,2}:?[0-9]{2}\Z")
_MOMENT = re.compile(r"(?P<day>.*?[^, ])(?:,? +|T(?=[0-9]))(?P<clock>[0-9]{1,2}[.: ]?[0-9]{2})\Z")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}")


def normal_day(text: str, today: date) -> str:
    """A day as the library reads it, in ISO or with dots; what cannot be understood comes back as it was typed.

    A year of two digits is the latest one that is not after next year.
    """
    found = _TODAY.match(text)
    if found:
        days = int(found[2] or 0) * (-1 if found[1] == "-" else 1)
        return (today + timedelta(days=days)).isoformat()
    found = _RUN_ON.match(text) or _PARTED.match(text)
    if found:
        day, month, year = found.groups()
        return _dated(day, month, year if len(year) == 4 else _century(year, today))
    found = _MONTH.match(text)
    return _dated("UN", found[1], found[2]) if found else text


def normal_clock(text: str) -> str:
    """A time of day with a colon; what cannot be understood comes back as it was typed."""
    found = _CLOCK.match(text)
    return f"{int(found[1]):02d}:{found[2]}" if found else text


def shown_day(text: str, *, partial: bool = False) -> str:
    """A stored day as people read it: with dots. Anything else as it is.

    Args:
        partial: whether a year alone may be meant.
    """
    found = _ISO.match(text)
    if found:
        year, month, day = found.groups()
        return f"{day or 'UN'}.{month}.{year}"
    return f"UN.UN.{text}" if partial and _YEAR.match(text) else text


def typed_day(text: str, today: date) -> str:
    """A day, whole or partial, as ISO text.

    Raises:
        InvalidValue: it is none.
    """
    try:
        return PartialDate.parse(normal_day(text, today)).text
    except InvalidValue:
        raise InvalidValue(
            _("“%(given)s” is not a date.") % {"given": text[:40]},
            remedy=_("Write it like 15.02.2028, 150228, or t for today."),
            given=text[:40],
        ) from None


def typed_moment(text: str, now: datetime) -> datetime:
    """A day and a time of day, or a time of day alone, which is today's: ``15.02.2028 09:30``, ``t-1 2340``, ``930``.

    A time alone has a colon or nothing between its digits: ``15.02`` would be the fifteenth of February to many.

    Args:
        now: in the zone by whose clock people type.

    Returns:
        The instant, in that zone unless another was typed.

    Raises:
        InvalidValue: it is none.
    """
    today = now.date()
    refused = InvalidValue(
        _("“%(given)s” is not a day with a time.") % {"given": text[:40]},
        remedy=_("Write it like 15.02.2028 09:30, t 0930, or 09:30 for today."),
        given=text[:40],
    )
    try:
        if _INSTANT.match(text):
            moment = datetime.fromisoformat(text)
            return moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)
        if _ALONE.match(text):
            return datetime.combine(today, time.fromisoformat(normal_clock(text)), now.tzinfo)
        found = _MOMENT.match(text)
        if found is None:
            raise refused
        day = date.fromisoformat(PartialDate.parse(normal_day(found["day"], today)).text)
        return datetime.combine(day, time.fromisoformat(normal_clock(found["clock"])), now.tzinfo)
    except (ValueError, InvalidValue):
        raise refused from None


def _dated(day: str, month: str, year: str) -> str:
    """ISO, as far as it is known; a day of an unknown month stays as typed, to be refused."""
    if month.upper() == "UN":
        return year if day.upper() == "UN" else f"{day}.{month}.{year}"
    return f"{year}-{int(month):02d}" + ("" if day.upper() == "UN" else f"-{int(day):02d}")


def _century(year: str, today: date) -> str:
    """The latest year of these two digits that is not after next year: what is written down mostly has happened."""
    latest = today.year + 1
    return str(latest - (latest - int(year)) % 100)
