"""Dates as people write them in the reader's language."""

from __future__ import annotations

from datetime import date, datetime

from django.utils.formats import date_format
from django.utils.translation import get_language


def written(day: date, *, weekday: bool = False) -> str:
    """A day with its month as a word: ``15 February 2028``, ``15. februar 2028``.

    Args:
        day: a date, or an instant of which the day is meant.
        weekday: whether the day of the week stands before it.
    """
    # Norwegian ordinals have a full stop; English days of a month have none.
    form = "j F Y" if get_language() == "en" else "j. F Y"
    return date_format(day, f"l {form}" if weekday else form)


def written_part(text: str) -> str:
    """A day of the record, of which no more than the month or the year may be known."""
    if len(text) == len("2028-02-15"):
        return written(date.fromisoformat(text))
    return date_format(date.fromisoformat(f"{text}-01"), "F Y") if "-" in text else text


def written_moment(moment: datetime) -> str:
    """A day with its time, by the clock that the instant carries: ``15 February 2028, 09:30``."""
    return f"{written(moment)}, {moment:%H:%M}"
